/** The supervisors, started as the launcher starts them: the POSIX script under other shells and without Linux's tools, and Windows' one. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Exit, Launch, RunnerIdentity } from "../../../schemas/job.ts";
import { launchCommand, SUPERVISOR_SCRIPT } from "../../../server/src/jobs/launcher.ts";
import { identify, liveness } from "../../../server/src/jobs/process.ts";
import { leftProcesses, readJson, removeFolder, temporaryFolder } from "../../jobs/support.ts";

/** Where a command is, or null. */
function which(command: string): string | null {
  const found = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, command));
  return found.find((path) => existsSync(path)) ?? null;
}

const WINDOWS = fileURLToPath(new URL("../../../server/src/jobs/supervisor-windows.ts", import.meta.url));
const shells = ["dash", "bash", "busybox"].flatMap((name) => {
  const path = which(name);
  return path ? [{ name, start: [path, ...(name === "busybox" ? ["sh"] : []), SUPERVISOR_SCRIPT] }] : [];
});
const supervisors = [...shells, { name: "windows (here)", start: [process.execPath, WINDOWS] }];

describe("supervisor", function () {
  this.timeout(20_000);
  let top: string;
  let folder: string;
  beforeEach(async () => {
    top = await temporaryFolder();
    folder = join(top, "it's a job");
    await mkdir(join(folder, "attempts", "1"), { recursive: true });
  });
  afterEach(async () => {
    assert.deepEqual(await leftProcesses(top), []);
    await removeFolder(top);
  });

  function launch(start: string[], lock: string, command: string[], env: NodeJS.ProcessEnv = {}, input = ""): string {
    const [file, ...args] = [...start, "launch", folder, "1", lock, ...command];
    return spawnSync(file!, args, { encoding: "utf8", env: { ...process.env, ...env }, input }).stdout.trim();
  }

  async function exit(): Promise<Exit> {
    const path = join(folder, "attempts/1/exit.json");
    for (let tries = 0; tries < 200 && !existsSync(path); tries++) await sleep(50);
    return Exit.parse(await readJson(path));
  }

  for (const { name, start } of supervisors) {
    it(`${name}: launches once, apart from its starter, and says how the runner ended`, async () => {
      const lock = join(top, "a lock");
      const script =
        'echo out; echo "$CLF_ATTEMPT" >&2; printf "1\\n2\\ntorn" > attempts/1/events.jsonl; until [ -e go ]; do sleep 0.05; done; kill -9 $$';
      const command = ["sh", "-c", script, folder];
      assert.equal(launch(start, lock, command), "launched");
      assert.equal(launch(start, lock, command), "already launched");
      const launched = Launch.parse(await readJson(join(folder, "attempts/1/launch.json")));
      assert.equal(launched.lock, true);
      const parents = execFileSync("ps", ["-o", "ppid=,sid=", "-p", String(launched.pid)], { encoding: "utf8" }).trim();
      const [parent, session] = parents.split(/\s+/).map(Number);
      assert.notEqual(parent, process.pid);
      assert.equal(session, launched.pid);
      // Script and manager agree on who is who.
      const me = await identify(launched.pid);
      assert.deepEqual([launched.started, launched.boot, launched.machine], [me?.started, me?.boot, me?.machine]);
      await writeFile(join(folder, "go"), "");
      const end = await exit();
      assert.deepEqual([end.code, end.signal, end.events, end.cancelled], [137, "KILL", 2, false]);
      assert.match(await readFile(join(folder, "attempts/1/log.txt"), "utf8"), /^out\n1\n/);
      const runner = RunnerIdentity.parse(await readJson(join(folder, "attempts/1/runner.json")));
      assert.equal(await liveness(runner), "gone");
    });

    it(`${name}: starts nothing once the job is cancelled`, async () => {
      await writeFile(join(folder, "cancel"), "");
      launch(start, "-", ["sh", "-c", "touch begun", folder]);
      assert.equal((await exit()).cancelled, true);
      assert.ok(!existsSync(join(folder, "begun")));
      assert.ok(!existsSync(join(folder, "attempts/1/runner.json")));
    });
  }

  it("does with perl what macOS has no setsid and flock for", async function () {
    const tools = "sh cat mkdir ln rm mv date wc mkfifo dirname readlink ps awk grep perl sleep".split(" ");
    if (!tools.every(which)) this.skip();
    const bin = join(top, "bin");
    await mkdir(bin);
    for (const tool of tools) await symlink(which(tool)!, join(bin, tool));
    assert.equal(
      launch(["/bin/sh", SUPERVISOR_SCRIPT], join(top, "lock"), ["sh", "-c", "sleep 0.2; exit 4", folder], {
        PATH: bin,
      }),
      "launched",
    );
    assert.equal((await exit()).code, 4);
    const launched = Launch.parse(await readJson(join(folder, "attempts/1/launch.json")));
    const runner = RunnerIdentity.parse(await readJson(join(folder, "attempts/1/runner.json")));
    assert.notEqual(launched.pid, runner.pid);
    assert.doesNotMatch(await readFile(join(folder, "attempts/1/log.txt"), "utf8"), /not found/);
  });

  it("says what is missing when a lock cannot be waited for", async function () {
    const tools = "sh cat mkdir ln rm mv date wc mkfifo dirname readlink ps awk grep setsid sleep".split(" ");
    if (!tools.every(which)) this.skip();
    const bin = join(top, "bin");
    await mkdir(bin);
    for (const tool of tools) await symlink(which(tool)!, join(bin, tool));
    launch(["/bin/sh", SUPERVISOR_SCRIPT], join(top, "lock"), ["sh", "-c", "exit 4", folder], { PATH: bin });
    assert.match((await exit()).message ?? "", /neither flock nor perl.*util-linux/);
  });

  it("reads secrets from standard input into the environment, and takes nothing else for a variable", async () => {
    const input = "SECRET=a=b 'c' $HOME\nnot a name=x\n9X=y\nLAST=é\n";
    launch(
      ["/bin/sh", SUPERVISOR_SCRIPT],
      "-",
      ["sh", "-c", 'printf "%s|%s" "$SECRET" "$LAST" > value; env > all', folder],
      { CLF_ENV_FROM_STDIN: "1" },
      input,
    );
    await exit();
    assert.equal(await readFile(join(folder, "value"), "utf8"), "a=b 'c' $HOME|é");
    assert.doesNotMatch(await readFile(join(folder, "all"), "utf8"), /CLF_ENV_FROM_STDIN|9X|not a name/);
  });

  it("gives the same answers of processes as the manager does", async () => {
    const me = await identify(process.pid);
    assert.ok(me);
    const ask = (...identity: string[]) =>
      execFileSync("/bin/sh", [SUPERVISOR_SCRIPT, "alive", ...identity], { encoding: "utf8" }).trim();
    const pid = String(me.pid);
    assert.equal(ask(pid, me.started, me.boot, me.machine), "alive");
    assert.equal(ask(pid, "1", me.boot, me.machine), "gone");
    assert.equal(ask(pid, me.started, "before", me.machine), "gone");
    assert.equal(ask(pid, me.started, "before", "another"), "elsewhere");
    assert.equal(ask("999999999", me.started, me.boot, me.machine), "gone");
  });

  it("is what the launcher starts on each platform", () => {
    const runner = { command: ["run"] as [string], lock: "~/gpu.lock" };
    assert.deepEqual(launchCommand("/job", 2, runner, "darwin").slice(-6), [
      "launch",
      "/job",
      "2",
      "~/gpu.lock",
      "run",
      "/job",
    ]);
    assert.deepEqual(launchCommand("C:\\job", 2, { command: ["run"] }, "win32").slice(-6), [
      "launch",
      "C:\\job",
      "2",
      "-",
      "run",
      "C:\\job",
    ]);
  });
});
