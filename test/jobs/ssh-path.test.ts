/** From the command line to the artifacts, over a real sshd: a project with a host, the worker's own launcher, a stand-in for its Python. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { HostAddedDocument, HostsDocument } from "../../schemas/cli.ts";
import { namedModel, weatherProject, weatherReports } from "./ssh-worker.ts";
import { SHELLS, type Shell, type Sshd, startSshd, whyNoSshd } from "./sshd.ts";
import { removeFolder, temporaryFolder } from "./support.ts";

const why = whyNoSshd(["fish"]);
const CLI = join(import.meta.dirname, "../../server/src/cli.ts");

(why ? describe.skip : describe)(`clf on an ssh host${why ? ` (${why})` : ""}`, function () {
  this.timeout(120_000);
  let sshd: Sshd;
  let top: string;
  let folder: string;
  const secret = "hf_stand_in_for_a_token_1";

  before(async () => {
    sshd = await startSshd(["fish"]);
    top = await temporaryFolder();
    folder = join(top, "project");
    await mkdir(folder);
    const runner = join(sshd.folder, "fake-runner.sh");
    await copyFile(join(import.meta.dirname, "fake-runner.sh"), runner);
    // What `python -m clf_worker [--base NAME FOLDER] JOBFOLDER` would do, without the gigabytes.
    const python = join(sshd.folder, "python");
    await writeFile(
      python,
      `#!/bin/sh\n[ "$1 $2" = "-m clf_worker" ] || exit 9
if [ "$3" = --base ]; then
  cat "$5/config.json" "$5/model.safetensors" >"$6/base-$(basename "$4")"
  shift 3
fi
CLF_TEST_SECRET=\${HF_TOKEN-} exec sh ${runner} 3 0.1 "$3"
`,
    );
    await chmod(python, 0o755);
    const smi = join(sshd.folder, "nvidia-smi");
    await writeFile(
      smi,
      `#!/bin/sh\ncase $1 in --query-gpu*) echo 'NVIDIA A10G, 570.86, 23028, 9012' ;; *) echo '1, 9000, python train.py' ;; esac\n`,
    );
    await chmod(smi, 0o755);
    const { home } = sshd.user("fish");
    await mkdir(join(home, ".local/bin"), { recursive: true });
    await copyFile(smi, join(home, ".local/bin/nvidia-smi"));
    await chmod(join(home, ".local/bin/nvidia-smi"), 0o755);
    await writeFile(join(home, ".config/fish/config.fish"), `echo Welcome\nset -gx CLF_PYTHON ${python}\n`);
    const rows = Array.from(
      { length: 60 },
      (_, n) => `"text number ${n} of ${n % 2 ? "rain" : "sun"}",${n % 2 ? "wet" : "dry"}`,
    );
    await writeFile(join(folder, "data.csv"), `text,label\n${rows.join("\n")}\n`);
    await writeFile(
      join(folder, "p.clf.yaml"),
      `version: 1 # kept
dataset: { source: data.csv }
task: { inputs: [text], targets: [{ column: label }] }
models:
  baseline: { engine: linear }
  tuned: { engine: qlora, base: Qwen/Qwen2.5-0.5B-Instruct, host: gpu }
  own: { engine: qlora, base: models/own-0.1B, host: gpu }
  elsewhere: { engine: qlora, base: ../own, host: gpu }
hosts:
  other: { kind: ssh, address: nowhere.invalid }
`,
    );
  });
  after(async () => {
    await removeFolder(top);
    await sshd.close();
  });

  const clf = (...args: string[]) =>
    execa(process.execPath, [CLI, ...args], {
      reject: false,
      cwd: folder,
      stdin: "ignore",
      env: {
        CLF_SSH_CONFIG: sshd.config,
        HF_TOKEN: secret,
        CLF_ALLOW_KEYS: "HF_TOKEN=ssh://host-fish",
        NODE_NO_WARNINGS: "1",
      },
    });

  it("adds a host, and leaves the file's words alone", async () => {
    const { stdout, exitCode, stderr } = await clf(
      "hosts",
      "add",
      ".",
      "host-fish",
      "--name",
      "gpu",
      "--price",
      "1.5",
      "--json",
    );
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(HostAddedDocument.parse(JSON.parse(stdout)).added, { name: "gpu", address: "host-fish" });
    const text = await readFile(join(folder, "p.clf.yaml"), "utf8");
    assert.match(text, /version: 1 # kept/);
    assert.match(text, /hosts:\n {2}gpu: \{ kind: ssh, address: "host-fish", price_per_hour: 1.5 \}\n {2}other/);
  });

  it("checks it: the GPU, who else is on it, and the other host that is not there", async () => {
    const { stdout, exitCode } = await clf("hosts", "check", ".", "--json");
    assert.equal(exitCode, 1);
    const { hosts } = HostsDocument.parse(JSON.parse(stdout));
    const gpu = hosts.find(({ host }) => host === "gpu")!;
    assert.equal(gpu.checks.find(({ name }) => name === "GPU")?.ok, true);
    assert.match(
      gpu.checks.find(({ name }) => name === "GPU free of others")?.detail ?? "",
      /python train\.py \(process 1 of root/,
    );
    const other = hosts.find(({ host }) => host === "other")!;
    assert.equal(other.checks.length, 1);
    assert.match(other.checks[0]!.detail, /cannot be found/);
    const people = await clf("hosts", "check", ".", "gpu");
    assert.match(people.stdout, /✓ {2}GPU .*A10G/);
    assert.match(people.stdout, /GPU free of others: Not started by Clf/);
  });

  it("refuses what needs Node there, with a word of why", async () => {
    const { exitCode, stderr } = await clf("fine-tune", ".", "--model", "baseline", "--host", "gpu");
    assert.equal(exitCode, 1);
    assert.match(stderr, /"baseline" \(engine linear\) cannot run on host "gpu": ssh hosts have no Node/);
    assert.equal(
      existsSync(join(folder, ".clf/jobs")) &&
        (await readdir(join(folder, ".clf/jobs"))).some((name) => /^\d/.test(name)),
      false,
    );
  });

  it("fine-tunes there, brings the model home, and leaves the token in no file", async () => {
    const { exitCode, stdout, stderr } = await clf("fine-tune", ".", "--model", "tuned", "--json");
    assert.equal(exitCode, 0, `${stderr}${stdout}`);
    const id = (await readdir(join(folder, ".clf/jobs"))).find((name) => /^\d/.test(name))!;
    assert.ok(existsSync(join(folder, ".clf/jobs", id, "model/weights")));
    const there = join(sshd.user("fish").home, "clf");
    assert.match(await readFile(join(there, "jobs", id, "attempts/1/events.jsonl"), "utf8"), /the secret has come/);
    for (const top of [there, join(folder, ".clf")]) {
      for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        assert.ok(!(await readFile(join(entry.parentPath, entry.name), "latin1")).includes(secret), entry.name);
      }
    }
  });

  it("brings a base that is a folder of the project", async () => {
    const base = join(folder, "models/own-0.1B");
    await mkdir(base, { recursive: true });
    await writeFile(join(base, "config.json"), "{}");
    await writeFile(join(base, "model.safetensors"), "weights");
    const { exitCode, stderr } = await clf("fine-tune", ".", "--model", "own");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /Its base models\/own-0\.1B \(1 MB\) is sent to gpu first, unless it is there\./);
    const there = join(sshd.user("fish").home, "clf/jobs");
    const id = (await readdir(there)).find((name) => name.includes("-own-"));
    assert.equal(await readFile(join(there, id!, "base-own-0.1B"), "utf8"), "{}weights");
  });

  it("refuses one from outside the project's folder, before there is a job", async () => {
    const before = await readdir(join(folder, ".clf/jobs"));
    await mkdir(join(top, "own"));
    const { exitCode, stderr } = await clf("fine-tune", ".", "--model", "elsewhere");
    assert.equal(exitCode, 1);
    assert.match(stderr, /"\.\.\/own" cannot be brought to another machine: it is outside.*whole path on that machine/);
    assert.deepEqual(await readdir(join(folder, ".clf/jobs")), before);
  });
});

// The whole path with the worker itself, for every login shell: by hand, as `CLF_SSH_MODEL=/models/x CLF_PYTHON=/env/bin/python` says (ssh-worker.ts).
const named = namedModel();
const shells = Object.keys(SHELLS) as Shell[];
const whyNot = named ? whyNoSshd(shells) : "CLF_SSH_MODEL names no model";

(whyNot ? describe.skip : describe)(`a real model on an ssh host${whyNot ? ` (${whyNot})` : ""}`, function () {
  this.timeout(1_200_000);
  let sshd: Sshd;
  let folder: string;
  before(async () => {
    sshd = await startSshd(shells, null, { CLF_PYTHON: named!.python });
    folder = await temporaryFolder();
    await writeProject(folder, weatherProject());
  });
  after(async () => {
    await removeFolder(folder);
    await sshd.close();
  });

  async function writeProject(to: string, project: string): Promise<void> {
    await writeFile(join(to, "reports.csv"), weatherReports());
    const hosts = shells.map((shell) => `  ${shell}: { kind: ssh, address: host-${shell}, price_per_hour: 1 }\n`);
    await writeFile(join(to, "p.clf.yaml"), `${project}hosts:\n${hosts.join("")}`);
  }

  /** Fine-tunes and evaluates the model of a project, and says how long it took. */
  async function wholePath(shell: Shell, project: string): Promise<void> {
    const env = { CLF_SSH_CONFIG: sshd.config, NODE_NO_WARNINGS: "1", CLF_PYTHON: "" };
    const clf = async (command: string) => {
      const begin = performance.now();
      const { stdout, stderr, exitCode } = await execa(
        process.execPath,
        [CLI, command, ".", "--model", "tuned", "--host", shell],
        { reject: false, cwd: project, stdin: "ignore", env },
      );
      assert.equal(exitCode, 0, `${stderr}${stdout}`);
      console.log(
        `      ${command}: ${((performance.now() - begin) / 1000).toFixed(1)} s, load ${loadavg()[0]!.toFixed(1)}`,
      );
      return stdout;
    };
    await clf("fine-tune");
    console.log((await clf("evaluate")).split("\n").slice(0, 6).join("\n"));
    const ids = (await readdir(join(project, ".clf/jobs"))).filter((name) => /^\d/.test(name)).sort();
    const [fineTune, evaluation] = ids.slice(-2).map((id) => join(project, ".clf/jobs", id));
    assert.ok((await readdir(join(fineTune!, "model"), { recursive: true })).some((name) => /safetensors$/.test(name)));
    for (const name of ["predictions.parquet", "report.json"]) assert.ok(existsSync(join(evaluation!, name)), name);
  }

  for (const shell of shells) {
    it(`fine-tunes and evaluates there: ${shell}`, () => wholePath(shell, folder));
  }

  it("brings the model itself from the project's folder", async () => {
    const { model } = named!;
    const project = join(folder, "another");
    const own = join(project, "models/own");
    await mkdir(own, { recursive: true });
    if (model.endsWith(".gguf")) await copyFile(model, join(own, basename(model)));
    else await cp(model, own, { recursive: true, dereference: true });
    await writeProject(project, weatherProject("models/own"));
    await wholePath("bash", project);
    const models = await readdir(join(sshd.user("bash").home, "clf/models"));
    assert.equal(models.filter((name) => !name.startsWith(".")).length, 1, "two jobs on one model brought it twice");
  });
});
