import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, chmod, copyFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { HostUnreachable, type RunnerCommand } from "../../server/src/jobs/hosts/host.ts";
import { type SshHost, type SshHostOptions, sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import type { JobManager } from "../../server/src/jobs/manager.ts";
import { conformsAsHost } from "./conformance.ts";
import { canRestart, SHELLS, type Shell, type Sshd, startSshd, whyNoSshd } from "./sshd.ts";
import {
  leftProcesses,
  newJob,
  predictedRows,
  readEventSeqs,
  removeFolder,
  signalled,
  socketFolders,
  temporaryFolder,
  testManager,
  upTo,
} from "./support.ts";

const shells = Object.keys(SHELLS) as Shell[];
const why = whyNoSshd(shells);
/** The whole suite for every shell takes minutes: by default bash has it, and the others a job's whole way. */
const conforming = process.env.CLF_ALL_SHELLS ? shells : (["bash"] as const);

(why ? describe.skip : describe)(`host ssh${why ? ` (${why})` : ""}`, function () {
  this.timeout(60_000);
  let sshd: Sshd;
  let top: string;
  let host: SshHost | undefined;
  let manager: JobManager | undefined;
  let conditions: (string | null)[];
  let places: (number | null)[];

  before(async () => {
    sshd = await startSshd(shells);
    const runner = join(sshd.folder, "fake-runner.sh");
    await copyFile(join(import.meta.dirname, "fake-runner.sh"), runner);
    await chmod(runner, 0o755);
  });
  after(() => sshd.close());
  beforeEach(async () => {
    top = await temporaryFolder();
    conditions = [];
    places = [];
  });
  afterEach(async () => {
    await manager?.close();
    host?.close();
    manager = host = undefined;
    await removeFolder(top);
  });

  const makeHost = (shell: Shell, more: Partial<SshHostOptions> = {}) =>
    sshHost({
      name: "remote",
      address: sshd.user(shell).address,
      workdir: "~/my clf's",
      program: sshd.program,
      ...more,
    });
  const runner = (rows: number, pause: number, more: Partial<RunnerCommand> = {}): RunnerCommand => ({
    command: ["sh", join(sshd.folder, "fake-runner.sh"), String(rows), String(pause)],
    ...more,
  });

  async function start(shell: Shell, run: RunnerCommand, more: Partial<SshHostOptions> = {}): Promise<JobManager> {
    host = makeHost(shell, more);
    const used = host;
    manager = testManager(join(top, "jobs"), {
      host: () => used,
      runner: () => run,
      cancelGrace: 1000,
      killGrace: 1000,
      onCondition: (_, message) => conditions.push(message),
      onPlace: (_, place) => places.push(place),
    });
    await manager.start();
    return manager;
  }

  async function submit(of: JobManager, data = "the data"): Promise<string> {
    const job = await of.submit("baseline", async (folder) => {
      await mkdir(join(folder, "data"));
      await writeFile(join(folder, "data", "rows.jsonl"), data);
      return newJob({}, "remote");
    });
    return job.id;
  }

  async function running(of: JobManager, id: string): Promise<void> {
    for await (const update of of.follow(id)) if (update.type === "event" && update.event.type === "progress") return;
  }

  /** Waits until what the job has made is here. */
  const fetched = (of: JobManager, id: string) =>
    until(async () => (await of.store.read(id)).records.some(({ type }) => type === "fetched"));

  async function until<T>(what: () => T | Promise<T>): Promise<T> {
    for (let tries = 0; tries < 400; tries++) {
      const found = await what();
      if (found) return found;
      await sleep(50);
    }
    assert.fail(`It did not happen within twenty seconds. Conditions: ${JSON.stringify(conditions)}`);
  }

  for (const shell of conforming) {
    conformsAsHost(`ssh, login shell ${shell}, noisy profile`, async () => {
      const folder = await temporaryFolder();
      const made = makeHost(shell);
      return {
        host: made,
        folder: (job) => join(folder, "manager", job),
        async close() {
          made.close();
          await removeFolder(folder);
        },
      };
    });
  }

  for (const shell of shells) {
    it(`takes a job its whole way and brings it home: ${shell}, noisy profile, a folder with odd characters`, async () => {
      const of = await start(shell, runner(5, 0.1, { env: { CLF_TEST_SECRET: "s3cr3t `id` $HOME" } }));
      const id = await submit(of);
      const states: string[] = [];
      const seqs: number[] = [];
      for await (const update of of.follow(id)) {
        if (update.type === "state") states.push(update.state);
        else seqs.push(update.event.seq);
      }
      assert.equal(states.at(-1), "succeeded");
      assert.deepEqual(seqs, upTo(seqs.length));
      const folder = of.store.folder(id);
      await fetched(of, id);
      assert.ok(existsSync(join(folder, "model", "weights")));
      assert.deepEqual(
        await predictedRows(folder),
        upTo(5).map((n) => `row-${n - 1}`),
      );
      assert.match(await readFile(join(folder, "attempts/1/events.jsonl"), "utf8"), /the secret has come/);
      await until(() => existsSync(join(folder, "attempts/1/exit.json")));
      assert.match(await readFile(join(folder, "attempts/1/log.txt"), "utf8"), /row 5\n$/);
      const there = join(sshd.user(shell).home, "my clf's", "jobs", id);
      assert.equal(await readFile(join(there, "data/rows.jsonl"), "utf8"), "the data");
      await of.remove(id);
      assert.equal(existsSync(there), false);
      assert.equal(existsSync(folder), false);
    });
  }

  it("works without a shared connection, as on Windows", async () => {
    const of = await start("bash", runner(3, 0.1), { sharing: false });
    const id = await submit(of);
    assert.equal((await of.ended(id)).state, "succeeded");
    await fetched(of, id);
    assert.ok(existsSync(join(of.store.folder(id), "model", "weights")));
  });

  it("goes through a jump host", async () => {
    const config = await readFile(sshd.config, "utf8");
    const inner = join(top, "config");
    const behind = config.replace(/.*?(Host host-bash\n.*?\n)(\n.*|$)/s, "$1").replace("host-bash", "inner");
    await writeFile(inner, `${config}\n${behind}  ProxyJump host-dash\n`);
    const before = sshd.line.made();
    const of = await start("bash", runner(2, 0.1), { address: "inner", program: ["ssh", "-F", inner] });
    const id = await submit(of);
    assert.equal((await of.ended(id)).state, "succeeded");
    await fetched(of, id);
    // The line to the jump host, and the jump host's own to the host.
    assert.equal(sshd.line.made() - before, 2);
  });

  it("cancels there and resumes there, without doing anything twice", async () => {
    const of = await start("bash", runner(40, 0.1));
    const id = await submit(of);
    await running(of, id);
    await of.cancel(id);
    assert.equal((await of.ended(id)).state, "cancelled");
    await of.resume(id);
    const { folder } = await of.ended(id);
    await fetched(of, id);
    assert.equal(new Set(await predictedRows(folder)).size, 40);
    assert.equal((await predictedRows(folder)).length, 40);
  });

  it("follows on after a break, and says so once, apart from the job's state", async () => {
    const of = await start("bash", runner(60, 0.1));
    const id = await submit(of);
    await running(of, id);
    await sshd.stop();
    await until(() => conditions.some((message) => message !== null));
    await sleep(1500);
    assert.equal((await of.store.read(id)).state, "running");
    await sshd.start();
    const ended = await of.ended(id);
    assert.equal(ended.state, "succeeded");
    const seqs = await readEventSeqs(ended.folder, 1);
    assert.deepEqual(seqs, upTo(seqs.length));
    for (const [n, condition] of conditions.entries()) assert.notEqual(condition, conditions[n + 1]);
    await until(() => conditions.at(-1) === null);
  });

  it("tells the places of those who wait for the GPU", async () => {
    const of = await start("bash", runner(1000, 0.1, { lock: "~/.clf/gpu.lock" }));
    const first = await submit(of);
    await running(of, first);
    const second = await submit(of);
    await until(() => of.place(second) === 1);
    const third = await submit(of);
    await until(() => of.place(third) === 2);
    assert.equal((await of.store.read(third)).state, "queued");
    await of.cancel(second);
    await until(() => of.place(third) === 1);
    await of.cancel(first);
    await until(async () => (await of.store.read(third)).state === "running");
    await until(() => of.place(third) === null);
    await of.cancel(third);
    await of.ended(third);
  });

  it("sees the GPU's memory free after a cancel: ends what the runner left on it, and names what does not end", async () => {
    const { home } = sshd.user("bash");
    const script = join(sshd.folder, "gpu-runner.sh");
    const event = (seq: number, state: string) =>
      `echo '{"seq":${seq},"time":"2026-01-01T00:00:00Z","type":"state","state":"${state}"}' >>"$e"`;
    // A child in a group of its own, which the end of the runner's group does not reach.
    await writeFile(
      script,
      `cd "$1"; e=attempts/$CLF_ATTEMPT/events.jsonl; ${event(1, "running")}
set -m; sleep 1000 & echo $! >"$HOME/gpu-pid"; set +m
until [ -e cancel ]; do sleep 0.1; done; ${event(2, "cancelled")}\n`,
    );
    // Somebody else's process is on the GPU as well: it is no business of the job's.
    const smi = join(home, ".local/bin/nvidia-smi");
    await mkdir(join(home, ".local/bin"), { recursive: true });
    await writeFile(
      smi,
      `#!/bin/sh
case $1 in --query-gpu*) echo 'NVIDIA A10G, 570.86, 23028, 9412'; exit ;; esac
echo '1, 500, /usr/bin/desktop'
if read -r pid <"$HOME/gpu-pid" && { [ -e "$HOME/gpu-hangs" ] || grep -q ') [^ZX] ' "/proc/$pid/stat"; }; then echo "$pid, 9000, python train.py"; fi\n`,
    );
    await chmod(smi, 0o755);
    try {
      const of = await start("bash", { command: ["bash", script], lock: "~/.clf/gpu.lock" });
      const id = await submit(of);
      await until(() => existsSync(join(home, "gpu-pid")));
      await of.cancel(id);
      assert.equal((await of.ended(id)).state, "cancelled");
      const pid = Number(await readFile(join(home, "gpu-pid"), "utf8"));
      await until(async () => !/\) [^ZX] /.test(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
      assert.ok(!conditions.some((message) => message?.includes("GPU")), JSON.stringify(conditions));

      // And one that hangs on in the driver: it cannot be ended, so it is named.
      await rm(join(home, "gpu-pid"));
      const hung = await submit(of);
      const child = await until(async () => Number(await readFile(join(home, "gpu-pid"), "utf8").catch(() => "")));
      signalled(child, "SIGKILL");
      await writeFile(join(home, "gpu-hangs"), "");
      // In the driver's list its process is still the job's: the runner itself.
      const runner = await until(async () => (await of.store.read(hung)).attempt.facts.runner?.pid);
      await writeFile(join(home, "gpu-pid"), `${runner}\n`);
      await of.cancel(hung);
      await until(() => of.condition(hung) !== null);
      assert.match(
        of.condition(hung)!,
        new RegExp(`still holds memory of the GPU.*python train\\.py \\(process ${runner}, 9000 MiB\\)`),
      );
      assert.ok(!of.condition(hung)!.includes("desktop"));
      assert.equal((await of.store.read(hung)).state, "cancelled");
      await rm(join(home, "gpu-hangs"));
      await until(() => of.condition(hung) === null);
    } finally {
      await rm(join(home, ".local"), { recursive: true });
    }
  });

  it("sends only what the host has not, and finds the same file in another job there", async () => {
    const of = await start("bash", runner(1, 0));
    const data = "x".repeat(300_000);
    const first = await submit(of, data);
    await of.ended(first);
    const before = sshd.line.up();
    const second = await submit(of, data);
    await of.ended(second);
    const sent = sshd.line.up() - before;
    assert.ok(sent < 200_000, `${sent} bytes were sent`);
    const { home } = sshd.user("bash");
    assert.equal(await readFile(join(home, "my clf's/jobs", second, "data/rows.jsonl"), "utf8"), data);
  });

  it("brings a folder that a runner reads once, keeps it while a job needs it, and removes it with the last one", async () => {
    const model = join(top, "own model");
    await mkdir(model);
    await writeFile(join(model, "weights"), randomBytes(300_000));
    await writeFile(join(model, "config.json"), "{}");
    await writeFile(join(model, "notes"), "not asked for");
    const read = `cat "$0/weights" "$0/config.json" >seen && exec sh "$1" 1 0 "$2"`;
    const run: RunnerCommand = {
      command: ["sh", "-c", `cd "$2" && ${read}`, "{own}", join(sshd.folder, "fake-runner.sh")],
      folders: { own: { folder: model, files: ["config.json", "weights"] } },
    };
    const of = await start("bash", run);
    const work = join(sshd.user("bash").home, "my clf's");
    const named = async (path: string) => (await readdir(path)).filter((name) => !name.startsWith(".")).sort();
    const models = () => named(join(work, "models"));
    const done = async () => {
      const id = await submit(of);
      assert.equal((await of.ended(id)).state, "succeeded");
      const whole = Buffer.concat([await readFile(join(model, "weights")), await readFile(join(model, "config.json"))]);
      assert.ok((await readFile(join(work, "jobs", id, "seen"))).equals(whole), "the runner read something else");
      return id;
    };
    const first = await done();
    const [name] = await models();
    assert.deepEqual(await named(join(work, "models", name!)), ["config.json", "weights"]);
    const brought = await stat(join(work, "models", name!, "weights"));
    const second = await done();
    assert.deepEqual(await models(), [name]);
    const found = await stat(join(work, "models", name!, "weights"));
    assert.deepEqual([found.ino, found.mtimeMs], [brought.ino, brought.mtimeMs], "it was brought twice");
    // Another model, of which one large file is the same: it is not brought again.
    await writeFile(join(model, "config.json"), '{"changed": true}');
    const third = await done();
    const [other, ...more] = (await models()).filter((each) => each !== name);
    assert.deepEqual(more, []);
    assert.equal(
      (await stat(join(work, "models", other!, "weights"))).ino,
      brought.ino,
      "the same file was brought again",
    );
    await of.remove(first);
    assert.equal((await models()).length, 2, "a model went that a job needs");
    await of.remove(second);
    assert.equal((await models()).includes(name!), false);
    assert.equal((await models()).length, 1);
    await of.remove(third);
    assert.deepEqual(await models(), []);
  });

  it("goes on with a fetch that was broken off, and takes nothing of a part that is not the file's", async () => {
    const job = "20260101-0000-part-0001";
    const content = randomBytes(1_000_000);
    const sum = createHash("sha256").update(content).digest("hex");
    await mkdir(join(top, "made/model"), { recursive: true });
    await writeFile(join(top, "made/model/weights"), content);
    host = makeHost("bash");
    await host.put(job, join(top, "made"), ["model"]);
    const to = join(top, "fetched");
    const part = join(to, ".fetch", `${sum}.part`);
    await mkdir(join(to, ".fetch"), { recursive: true });
    await writeFile(part, content.subarray(0, 900_000));
    const before = sshd.line.down();
    await host.fetch(job, to, ["model"]);
    assert.deepEqual(await readFile(join(to, "model/weights")), content);
    const came = sshd.line.down() - before;
    assert.ok(came < 200_000, `${came} bytes came`);
    await rm(join(to, "model"), { recursive: true });
    await mkdir(join(to, ".fetch"), { recursive: true });
    await writeFile(part, Buffer.alloc(900_000));
    await assert.rejects(host.fetch(job, to, ["model"]), /has not come from host-bash as it is there/);
    assert.equal(existsSync(join(to, "model")), false);
    await host.fetch(job, to, ["model"]);
    assert.deepEqual(await readFile(join(to, "model/weights")), content);
    await host.put(job, join(top, "nothing"), []);
  });

  it("refuses an unknown and a changed host key, and says what to do", async () => {
    const known = await readFile(sshd.knownHosts, "utf8");
    try {
      await writeFile(sshd.knownHosts, "");
      host = makeHost("bash");
      await assert.rejects(host.check(), (error: Error) => {
        assert.ok(error instanceof HostUnreachable);
        assert.match(error.message, /host key of host-bash is not known yet.*ssh host-bash.*never accepts/s);
        return true;
      });
      host.close();
      const other = await readFile(join(sshd.folder, "keys/client.pub"), "utf8");
      await writeFile(sshd.knownHosts, `[127.0.0.1]:${sshd.port} ${other.split(" ").slice(0, 2).join(" ")}\n`);
      host = makeHost("bash");
      await assert.rejects(host.check(), /host key of host-bash is not the one that was known.*ssh-keygen -R/s);
    } finally {
      await writeFile(sshd.knownHosts, known);
    }
  });

  it("explains a refused key, a closed port, an unknown name", async () => {
    const words = async (address: string, config: string) => {
      const file = join(top, "config");
      await writeFile(file, config);
      const tried = sshHost({ name: "x", address, workdir: "~/clf", program: ["ssh", "-F", file] });
      try {
        await tried.check();
      } catch (error) {
        return (error as Error).message;
      } finally {
        tried.close();
      }
      return "";
    };
    const at = `Host x\n HostName 127.0.0.1\n UserKnownHostsFile ${sshd.knownHosts}\n IdentityFile /nowhere\n IdentitiesOnly yes\n`;
    assert.match(
      await words("x", `${at} Port ${sshd.port}\n User ${sshd.user("bash").name}\n`),
      /does not let you in with a key.*ssh-add/s,
    );
    assert.match(await words("x", `${at} Port 1\n`), /refuses the connection/);
    assert.match(await words("no-such-host.invalid", ""), /cannot be found/);
  });

  it("takes no option for an address", async () => {
    for (const address of ["-oProxyCommand=touch /tmp/x", "-v", "a b", "a;b", "$(id)", ""]) {
      const made = makeHost("bash", { address });
      await assert.rejects(made.check(), /is not an ssh address/, address);
      made.close();
    }
  });

  it("names what a login prints instead of starting a shell, and does not wait for an endless one", async () => {
    const user = sshd.user("bash");
    const rc = join(user.home, ".bashrc");
    const before = await readFile(rc, "utf8");
    try {
      await writeFile(rc, "echo 'Closed for repairs until Monday'; exit 0\n");
      host = makeHost("bash");
      await assert.rejects(host.check(), /Closed for repairs/);
      host.close();
      await writeFile(rc, "yes 'a line that does not end'\n");
      host = makeHost("bash");
      await assert.rejects(host.check(), /prints without end/);
    } finally {
      await writeFile(rc, before);
    }
    sshd.line.cut();
  });

  it("says that the disk is full, starts nothing, and goes on when there is room", async function () {
    const { home, name } = sshd.user("bash");
    const small = join(home, "small");
    await mkdir(small, { recursive: true });
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=400k", "tmpfs", small]).status !== 0) this.skip();
    try {
      spawnSync("chown", [`${name}:`, small]);
      const of = await start("bash", runner(2, 0), { workdir: "~/small/clf" });
      // The host is reached and cannot: whoever submits is told, and the job waits for room.
      await assert.rejects(submit(of, "z".repeat(600_000)), /disk of host-bash is full.*room/s);
      const id = (await of.store.ids())[0]!;
      assert.equal((await of.store.read(id)).state, "preparing");
      spawnSync("mount", ["-o", "remount,size=20m", small]);
      assert.equal((await of.ended(id)).state, "succeeded");
    } finally {
      await manager?.close();
      host?.close();
      spawnSync("umount", ["-l", small]);
    }
  });

  it("marks jobs of before a restart of the machine as lost, and resumes them", async function () {
    if (!canRestart()) this.skip();
    await sshd.stop();
    await sshd.start("11111111-1111-1111-1111-111111111111");
    try {
      const of = await start("bash", runner(60, 0.1));
      const id = await submit(of);
      await running(of, id);
      await sshd.stop();
      sshd.killUsers();
      await sshd.start("22222222-2222-2222-2222-222222222222");
      assert.equal((await of.ended(id)).state, "lost");
      await of.resume(id);
      assert.equal((await of.ended(id)).state, "succeeded");
    } finally {
      await sshd.stop();
      await sshd.start();
    }
  });

  it("leaves no process and no socket behind when it is closed", async () => {
    const sockets = () => socketFolders().filter((name) => name.startsWith(`clf-ssh-${process.pid}-`));
    // Of hosts of other files of this run, if any.
    const before = sockets();
    const of = await start("bash", runner(1000, 0.1));
    const id = await submit(of);
    await running(of, id);
    await of.cancel(id);
    await of.ended(id);
    assert.equal(sockets().length, before.length + 1);
    await of.close();
    host!.close();
    assert.deepEqual(sockets(), before);
    assert.deepEqual(await leftProcesses(sshd.config), []);
    assert.deepEqual(await leftProcesses("my clf's"), []);
  });

  it("leaves no socket behind when a process ends without closing it", async () => {
    const module = new URL("../../server/src/jobs/hosts/ssh/ssh.ts", import.meta.url).href;
    const options = { name: "remote", address: sshd.user("bash").address, workdir: "~/clf", program: sshd.program };
    const script = `import { sshHost } from ${JSON.stringify(module)};
      import { socketFolders } from ${JSON.stringify(new URL("./support.ts", import.meta.url).href)};
      await sshHost(${JSON.stringify(options)}).check();
      const own = socketFolders().filter((name) => name.startsWith("clf-ssh-" + process.pid + "-"));
      console.log(own.join());
      process.exit();`;
    const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", script]);
    assert.match(stdout, /^clf-ssh-\d+-\w+$/);
    assert.equal(socketFolders().includes(stdout), false);
  });

  it("writes nothing outside the job's folder for a hostile host, and follows no link there", async () => {
    const of = await start("bash", runner(3, 0.1));
    const id = await submit(of);
    await of.ended(id);
    const there = join(sshd.user("bash").home, "my clf's/jobs", id);
    await symlink("/etc/passwd", join(there, "model", "passwd"));
    await writeFile(join(there, "model", "a\nb"), "odd");
    await writeFile(join(there, "model", "back\\slash"), "odd");
    const to = join(top, "fetched");
    await host!.fetch(id, to, ["model"]);
    assert.deepEqual(await readdir(join(to, "model")), ["weights"]);
    // A script that lies: the host's own, replaced.
    const lib = join(sshd.user("bash").home, "my clf's/lib");
    const script = join(lib, (await readdir(lib))[0]!, "host.sh");
    const before = await readFile(script, "utf8");
    const sum = "0".repeat(64);
    try {
      for (const [lie, expected] of [
        [`tell "size 3 ../../evil"; tell listed`, /name that was not asked for/],
        [`tell "size 3 /etc/evil"; tell listed`, /name that was not asked for/],
        [`tell "size 3 model/../../x"; tell listed`, /name that was not asked for/],
        [
          `tell "size 3 model/a"; tell "sum ${sum}  model/a"; tell listed; read -r a; read -r b; tell "bytes 9"; echo 123456789`,
          /another length/,
        ],
        [
          `tell "size 3 model/a"; tell "sum ${sum}  model/a"; tell listed; read -r a; read -r b; tell "bytes 3"; echo abc`,
          /has not come/,
        ],
        [
          `tell "size 3 model/a"; tell "sum ${sum}  model/a"; tell listed; read -r a; read -r b; tell "bytes 3"; yes`,
          /more than it says|has not come|has ended|closed/,
        ],
        ["yes", /not asked/],
      ] as const) {
        await writeFile(script, before);
        await appendFile(script, `\nfetch() { ${lie}; }\n`);
        const target = join(top, "lies");
        const outcome = await host!.fetch(id, target, ["model"]).then(
          () => "fetched",
          (error: Error) => error.message,
        );
        assert.match(outcome, expected, `${lie}: ${outcome}`);
        assert.equal(existsSync(join(target, "model")), false);
        assert.equal(existsSync(join(top, "evil")), false);
      }
    } finally {
      await writeFile(script, before);
    }
  });
});
