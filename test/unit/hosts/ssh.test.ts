import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { sshCommand } from "../../../server/src/jobs/hosts/ssh/arguments.ts";
import { judge } from "../../../server/src/jobs/hosts/ssh/check.ts";
import { configuredHosts } from "../../../server/src/jobs/hosts/ssh/config.ts";
import { explain, lastWords } from "../../../server/src/jobs/hosts/ssh/explain.ts";
import { jobPath, mayBeWritten } from "../../../server/src/jobs/hosts/ssh/paths.ts";
import { quote } from "../../../server/src/jobs/hosts/ssh/quote.ts";
import { hostNameOf, withHost } from "../../../server/src/workflow/host-setup.ts";

describe("ssh host, without a host", () => {
  it("quotes any word for sh", () => {
    fc.assert(
      fc.property(
        fc.string().filter((word) => !word.includes("\0")),
        (word) => {
          assert.equal(execFileSync("sh", ["-c", `printf '%s.' ${quote(word)}`], { encoding: "utf8" }), `${word}.`);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("shares a connection only where it is told to, and never loosens the host's key", () => {
    const alone = sshCommand({ address: "ubuntu@a10g" }, { role: "alone" });
    const master = sshCommand({ address: "a10g" }, { role: "master", socket: "/tmp/x/s" });
    assert.deepEqual(alone.slice(-3, -1), ["--", "ubuntu@a10g"]);
    assert.ok(alone.includes("ControlPath=none") && alone.includes("ControlMaster=no"));
    assert.ok(master.includes("ControlPath=/tmp/x/s") && master.includes("ControlMaster=yes"));
    for (const words of [alone, master]) {
      assert.ok(words.includes("BatchMode=yes"));
      assert.ok(words.every((word) => !/StrictHostKeyChecking|UserKnownHostsFile|UpdateHostKeys/i.test(word)));
    }
  });

  it("runs one command in every login shell that is here", function () {
    const command = sshCommand({ address: "x" }, { role: "alone" }).at(-1)!;
    let tried = 0;
    for (const shell of ["/bin/bash", "/bin/dash", "/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"]) {
      if (!existsSync(shell)) continue;
      const script = "printf %s 'it is $HOME' \"!\"; cat";
      const said = execFileSync(shell, ["-c", command], { input: `${script.length}\n${script}rest`, encoding: "utf8" });
      assert.equal(said, "it is $HOME!rest", shell);
      tried++;
    }
    if (tried === 0) this.skip();
  });

  it("takes no path out of a job's folder, from neither side", () => {
    assert.equal(jobPath("j", "data/./rows.jsonl"), "data/rows.jsonl");
    for (const path of ["..", "a/../..", "/etc/passwd", "", "."])
      assert.throws(() => jobPath("j", path), /leads out/, path);
    for (const path of ["a\nb", "a\\b", "a\u007f"]) assert.throws(() => jobPath("j", path), /cannot be sent/, path);
    const roots = ["model", "report.json"];
    for (const path of ["model/a", "model/a/b c", "report.json"]) assert.ok(mayBeWritten(path, roots, "linux"), path);
    for (const path of [
      "models",
      "model/../x",
      "/model/a",
      "model//a",
      "report.json/..",
      "x",
      "model/a\n",
      "model\\a",
      "",
    ]) {
      assert.ok(!mayBeWritten(path, roots, "linux"), path);
    }
    for (const path of ["model/a:b", "model/nul", "model/a.", "model/con.txt"])
      assert.ok(!mayBeWritten(path, roots, "win32"), path);
  });

  it("tells what to do about what ssh says", () => {
    const says = (text: string) => explain("a10g", text);
    assert.match(
      says("@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed."),
      /not the one that was known/,
    );
    assert.match(says("Host key verification failed.\r\n"), /not known yet.*Clf never accepts/);
    assert.match(says("ubuntu@a10g: Permission denied (publickey)."), /ssh-add/);
    assert.match(says("ssh: connect to host 1.2.3.4 port 22: Connection timed out"), /firewall/);
    assert.match(says("something new"), /a10g cannot be reached: something new/);
    assert.equal(lastWords("a\u001b[31m\nb".repeat(1000)).length <= 300, true);
    assert.ok(!/\p{Cc}/u.test(lastWords("\u0007x\u001by")));
  });

  it("judges a machine by its facts: every lack has a remedy", () => {
    const a10g = new Map([
      ["system", ["Linux 6.8.0 x86_64 Ubuntu 24.04"]],
      ["missing", [""]],
      ["apart", ["setsid and flock"]],
      ["folder", ["/home/ubuntu/clf/jobs"]],
      ["gpu", ["NVIDIA A10G, 570.86, 23028, 412"]],
      ["process", ["4711 bob 9000 python train.py", "4712 clf 11000 python"]],
      ["memory", ["16000000 12000000"]],
      ["cpus", ["4"]],
      ["disk", ["100000000 60000000"]],
      ["python", ["3.12.3 /usr/bin/python3.12"]],
      ["uv", ["uv 0.9"]],
      ["hub", ["reached"]],
      ["lock", ["held"]],
      ["clock", ["1000"]],
      ["jobs", ["3 2000000"]],
    ]);
    const checks = judge("a10g", a10g, 500);
    assert.deepEqual(
      checks.filter(({ ok }) => !ok).map(({ name }) => name),
      ["GPU free of others"],
    );
    const foreign = checks.find(({ name }) => name === "GPU free of others");
    assert.match(foreign?.detail ?? "", /python train.py \(process 4711 of bob, 9000 MiB\)/);
    assert.ok(!foreign?.detail.includes("4712"));
    assert.match(checks.find(({ name }) => name === "clock")?.detail ?? "", /500 s ahead/);
    const bare = judge("x", new Map(), 0);
    for (const check of bare) assert.ok(check.ok || check.remedy, check.name);
    for (const name of ["GPU", "memory", "disk", "Python", "uv", "folder", "way to the hub"]) {
      assert.equal(bare.find((check) => check.name === name)?.ok, false, name);
    }
  });

  it("finds the names in an ssh config, and in what it includes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clf-config-"));
    try {
      await mkdir(join(folder, "more.d"));
      await writeFile(join(folder, "more.d", "a.conf"), "Host inner\n  HostName 10.0.0.9\n");
      await writeFile(
        join(folder, "config"),
        'Include more.d/*.conf\nHost a10g gpu2\n  HostName 10.0.0.7\n  User ubuntu\n# Host commented\nHost *.example.org !x *\n  User other\nHost = eq\nHost "quoted"\nHost -oProxyCommand=x\nMatch all\n  User z\nInclude config\n',
      );
      const found = await configuredHosts(join(folder, "config"));
      assert.deepEqual(
        found.map(({ name }) => name),
        ["inner", "a10g", "gpu2", "eq", "quoted"],
      );
      assert.deepEqual(found[1], { name: "a10g", hostName: "10.0.0.7", user: "ubuntu" });
      assert.deepEqual(await configuredHosts(join(folder, "none")), []);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("adds a host to a project file and leaves the rest of it as it is", () => {
    const host = { name: "a10g", address: "ubuntu@10.0.0.7", price_per_hour: 1 };
    const entry = 'a10g: { kind: ssh, address: "ubuntu@10.0.0.7", price_per_hour: 1 }';
    const plain = "version: 1 # one\nmodels:\n  b: { engine: linear }\n";
    assert.equal(withHost(plain, host), `${plain}\nhosts:\n  ${entry}\n`);
    assert.equal(
      withHost("hosts:\n    # mine\n    x: { kind: ssh, address: x }\nmodels: {}\n", host),
      `hosts:\n    ${entry}\n    # mine\n    x: { kind: ssh, address: x }\nmodels: {}\n`,
    );
    assert.match(withHost("hosts: {}\nversion: 1\n", host), /^version: 1\n\nhosts:\n {2}a10g/);
    assert.match(withHost("hosts: { x: { kind: ssh, address: x } }\n", host), /a10g/);
    assert.throws(() => withHost("hosts:\n  a10g: { kind: ssh, address: x }\n", host), /already/);
    assert.throws(() => withHost(plain, { name: "x", address: "-oProxyCommand=id" }), /not an ssh address/);
    assert.throws(() => withHost(plain, { ...host, name: "local" }), /this machine/);
    for (const name of ["-x", "_x", "a b", "x".repeat(65), ""])
      assert.throws(() => withHost(plain, { ...host, name }), /cannot be a host's name/, name);
    assert.throws(() => withHost(plain, { ...host, price_per_hour: -1 }), /"-1" cannot be a host's price_per_hour/);
    // What YAML would take for a number stays a name.
    assert.match(withHost(plain, { ...host, name: "1e3" }), /^ {2}"1e3": \{/m);
    assert.equal(hostNameOf("ubuntu@10.0.0.7"), "10-0-0-7");
    assert.equal(hostNameOf("_gateway"), "gateway");
  });
});
