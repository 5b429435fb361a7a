/**
 * Everything that can break between a laptop and a host, at random moments. CLF_FAULT_ROUNDS says how often each (30 in the full run),
 * CLF_FAULT_SEED repeats the draws.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ProcessIdentity } from "../../schemas/job.ts";
import { seededRandom } from "../../server/src/engines/linear/random.ts";
import type { RunnerCommand } from "../../server/src/jobs/hosts/host.ts";
import { type SshHost, sshHost } from "../../server/src/jobs/hosts/ssh/ssh.ts";
import type { JobManager } from "../../server/src/jobs/manager.ts";
import { makeNetwork, type Network } from "./network.ts";
import { canRestart, type Sshd, startSshd, whyNoSshd } from "./sshd.ts";
import {
  kill,
  leftProcesses,
  newJob,
  predictedRows,
  processesNaming,
  readEventSeqs,
  removeFolder,
  signalled,
  socketFolders,
  temporaryFolder,
  testManager,
  upTo,
} from "./support.ts";

const ROUNDS = Number(process.env.CLF_FAULT_ROUNDS ?? 1);
const SEED = Number(process.env.CLF_FAULT_SEED ?? Date.now() % 1_000_000);
const ROWS = 12;
const PAUSE = 0.05;
/** Milliseconds that such a job takes, roughly. */
const SPAN = 2000;
const why = whyNoSshd();

(why ? describe.skip : describe)(`faults over ssh (${why ?? `${ROUNDS} rounds each, seed ${SEED}`})`, function () {
  this.timeout(60_000 + ROUNDS * 60_000);
  const next = seededRandom(SEED);
  const tally = new Map<string, number>();
  /** Processes that had connections. */
  const managers = [process.pid];
  let network: Network | null;
  let sshd: Sshd;
  let top: string;
  let root: string;
  let script: string;
  let host: SshHost;
  let manager: JobManager;

  const makeHost = (program = sshd.program) =>
    sshHost({ name: "remote", address: sshd.user("bash").address, workdir: "~/clf", program });
  const runner = (): RunnerCommand => ({ command: ["sh", script, String(ROWS), String(PAUSE)] });
  const makeManager = (of: SshHost) =>
    testManager(root, { host: () => of, runner, cancelGrace: 1000, killGrace: 1000 });

  before(async () => {
    network = makeNetwork();
    sshd = await startSshd(["bash"], network);
    script = join(sshd.folder, "fake-runner.sh");
    await copyFile(join(import.meta.dirname, "fake-runner.sh"), script);
  });
  beforeEach(async () => {
    top = await temporaryFolder();
    root = join(top, "jobs");
    host = makeHost();
    manager = makeManager(host);
    await manager.start();
  });
  afterEach(async () => {
    await manager.close();
    host.close();
    assert.deepEqual(await leftProcesses(sshd.config), [], "an ssh process was left behind");
    assert.deepEqual(await leftProcesses(script), [], "a runner was left behind");
    const sockets = socketFolders().filter((name) => managers.some((pid) => name.startsWith(`clf-ssh-${pid}-`)));
    assert.deepEqual(sockets, [], "a control socket's folder was left behind");
    await removeFolder(top);
  });
  after(async () => {
    console.log(`      ${[...tally].map(([what, count]) => `${what}: ${count}`).join(", ")}`);
    await sshd.close();
    network?.close();
  });

  function count(what: string): void {
    tally.set(what, (tally.get(what) ?? 0) + 1);
  }

  /** Makes a job whose upload takes a moment. It may throw: the fault may fall into it. */
  async function submit(bytes = 1000): Promise<void> {
    await manager
      .submit("baseline", async (folder) => {
        await mkdir(join(folder, "data"));
        await writeFile(join(folder, "data", "rows.jsonl"), Buffer.alloc(bytes, next() * 256));
        return newJob({}, "remote");
      })
      .catch(() => {});
  }

  async function running(id: string): Promise<void> {
    for await (const update of manager.follow(id)) {
      if (update.type === "event" && update.event.type === "progress") return;
    }
  }

  /** Follows the newest job to its end, has it resumed when it needs to be, and checks all there is to check. */
  async function check(what: string, allowed: readonly string[]): Promise<void> {
    const id = (await manager.store.ids())[0]!;
    const seen: number[] = [];
    let state = "";
    for await (const update of manager.follow(id, { from: { attempt: 1, offset: 0 } })) {
      if (update.type === "event") seen.push(update.event.seq);
      else state = update.state;
    }
    assert.deepEqual(seen, upTo(seen.length), "the follower missed an event, or saw one twice");
    assert.ok(allowed.includes(state), `${id} became ${state} (${what})`);
    count(`${what} ${state}`);
    if (state !== "succeeded") {
      // The connection may still be away.
      for (let tries = 0; ; tries++) {
        try {
          await manager.resume(id);
          break;
        } catch (error) {
          if (tries > 100) throw error;
          await sleep(100);
        }
      }
      assert.equal((await manager.ended(id)).state, "succeeded");
    }
    for (let tries = 0; ; tries++) {
      const { records, attempt } = await manager.store.read(id);
      if (records.some((record) => record.type === "fetched" && record.attempt === attempt.number)) break;
      assert.ok(tries < 600, `the results did not come: ${manager.condition(id)}`);
      await sleep(50);
    }
    const snapshot = await manager.store.read(id);
    assert.deepEqual(
      await predictedRows(snapshot.folder),
      upTo(ROWS).map((n) => `row-${n - 1}`),
      "a prediction was lost or doubled",
    );
    const there = join(sshd.user("bash").home, "clf/jobs", id);
    for (let n = 1; n <= snapshot.attempt.number; n++) {
      const events = await readFile(join(there, `attempts/${n}/events.jsonl`), "utf8").catch(() => "");
      const starts = events.split("\n").filter((line) => line.includes('"state":"running"')).length;
      assert.ok(starts <= 1, `attempt ${n} was started ${starts} times`);
      assert.deepEqual(await readEventSeqs(snapshot.folder, n), await readEventSeqs(there, n));
    }
    assert.equal(
      await readFile(join(there, "data/rows.jsonl"), "latin1"),
      await readFile(join(snapshot.folder, "data/rows.jsonl"), "latin1"),
    );
  }

  async function identity(file: "launch.json" | "runner.json"): Promise<ProcessIdentity | null> {
    const id = (await manager.store.ids())[0]!;
    const path = join(sshd.user("bash").home, "clf/jobs", id, "attempts/1", file);
    for (let tries = 0; tries < 1000; tries++) {
      const text = await readFile(path, "utf8").catch(() => null);
      if (text) return JSON.parse(text) as ProcessIdentity;
      await sleep(5);
    }
    return null;
  }

  function killSsh(): void {
    for (const line of processesNaming(sshd.config)) spawnSync("kill", ["-9", line.trim().split(/\s+/)[0]!]);
  }

  async function rounds(work: (chance: number, n: number) => Promise<void>): Promise<void> {
    for (let n = 0; n < ROUNDS; n++) await work(next(), n);
  }

  it("the line is cut in upload", () =>
    rounds(async (chance) => {
      const submitting = submit(3_000_000);
      await sleep(chance * 300);
      sshd.line.cut();
      await submitting;
      await check("upload", ["succeeded"]);
    }));

  it("the line is cut at launch", () =>
    rounds(async (chance) => {
      const submitting = submit();
      await sleep(50 + chance * 400);
      sshd.line.cut();
      await submitting;
      await check("launch", ["succeeded"]);
    }));

  it("the line is cut while following, again and again", () =>
    rounds(async (chance) => {
      await submit();
      for (let n = 0; n < 3; n++) {
        await sleep((chance * SPAN) / 2);
        sshd.line.cut();
      }
      await check("follow", ["succeeded"]);
    }));

  it("ssh is killed while results are fetched", () =>
    rounds(async (chance) => {
      await submit();
      const id = (await manager.store.ids())[0]!;
      await manager.ended(id);
      await sleep(chance * 200);
      killSsh();
      await check("fetch", ["succeeded"]);
    }));

  it("ssh is killed at any moment", () =>
    rounds(async (chance) => {
      const submitting = submit(300_000);
      await sleep(chance * SPAN);
      killSsh();
      await submitting;
      await check("ssh", ["succeeded"]);
    }));

  /** Past the line, over a network of its own. */
  function networkRounds(work: (net: Network, chance: number, n: number) => Promise<void>) {
    return async function (this: Mocha.Context) {
      if (!network) this.skip();
      const net = network;
      await manager.close();
      host.close();
      host = makeHost(sshd.direct);
      manager = makeManager(host);
      await manager.start();
      await rounds((chance, n) => work(net, chance, n));
    };
  }

  it(
    "the network is dead for a moment, and the connection lives on",
    networkRounds(async (net, chance) => {
      const submitting = submit(3_000_000);
      await sleep(chance * (SPAN + 500));
      net.unplug();
      await sleep(100 + next() * 1500);
      net.plug();
      await submitting;
      await check("network for a moment", ["succeeded"]);
    }),
  );

  it(
    "the network is dead for longer than keep-alive: another connection goes on",
    networkRounds(async (net, chance) => {
      const submitting = submit(3_000_000);
      await sleep(chance * (SPAN + 500));
      net.unplug();
      await sleep(4500 + next() * 1500);
      net.plug();
      await submitting;
      await check("network for long", ["succeeded"]);
    }),
  );

  it(
    "this machine comes back on another network",
    networkRounds(async (net, chance) => {
      const submitting = submit(3_000_000);
      await sleep(chance * (SPAN + 500));
      net.move();
      await submitting;
      await check("another network", ["succeeded"]);
    }),
  );

  it("the supervisor is killed: a runner that lives goes on", () =>
    rounds(async (chance, n) => {
      await submit();
      const supervisor = await identity("launch.json");
      await sleep(chance * (n % 2 === 0 ? 30 : SPAN / 2));
      kill(supervisor);
      await check("supervisor", ["succeeded", "lost"]);
    }));

  it("the runner is killed", () =>
    rounds(async (chance) => {
      await submit();
      const process_ = await identity("runner.json");
      await sleep(chance * (SPAN / 2));
      kill(process_);
      await check("runner", ["succeeded", "failed"]);
    }));

  it("supervisor and runner are killed, and the line is cut with it", () =>
    rounds(async (chance) => {
      await submit();
      const both = [await identity("launch.json"), await identity("runner.json")];
      await sleep(chance * (SPAN / 2));
      for (const each of both) kill(each);
      if (chance < 0.5) sshd.line.cut();
      await check("both", ["succeeded", "failed", "lost"]);
    }));

  it("the manager sleeps, as a laptop does, while the line goes away", () =>
    rounds(async (chance, n) => {
      const child = spawnManager();
      await child.ready;
      await sleep(chance * SPAN);
      if (!signalled(child.pid, "SIGSTOP")) count("asleep after its work");
      if (n % 2 === 0) sshd.line.cut();
      await sleep(500 + chance * 1500);
      signalled(child.pid, "SIGCONT");
      await child.done;
      await check("asleep", ["succeeded"]);
    }));

  it("the manager is killed: the next one goes on with everything", () =>
    rounds(async (chance) => {
      await manager.close();
      const child = spawnManager();
      await child.ready;
      await sleep(chance * SPAN);
      if (!signalled(child.pid, "SIGKILL")) count("manager after its work");
      await child.closed;
      // The next manager's connection is its own, as after a restart of the editor.
      host.close();
      host = makeHost();
      manager = makeManager(host);
      await manager.start();
      if ((await manager.store.ids()).length === 0) {
        count("manager before the first job");
        return;
      }
      await check("manager", ["succeeded"]);
      await removeFolder(root);
    }));

  (canRestart() ? it : it.skip)("the machine restarts", () =>
    rounds(async (chance, n) => {
      const boot = (k: number) => `${String(n).padStart(8, "0")}-0000-0000-0000-00000000000${k}`;
      await sshd.stop();
      await sshd.start(boot(1));
      try {
        await submit();
        const id = (await manager.store.ids())[0]!;
        await running(id);
        await sleep(chance * SPAN * 0.5);
        await sshd.stop();
        sshd.killUsers();
        await sshd.start(boot(2));
        await check("restart", ["succeeded", "lost", "failed"]);
      } finally {
        await sshd.stop();
        await sshd.start();
      }
    }),
  );

  it("two managers look after the same jobs", () =>
    rounds(async (chance) => {
      const otherHost = makeHost();
      const other = makeManager(otherHost);
      try {
        await Promise.all([other.recover(), submit(300_000)]);
        await sleep(chance * 300);
        await Promise.all([other.recover(), manager.recover()]);
        if (chance < 0.5) sshd.line.cut();
        await check("two", ["succeeded"]);
      } finally {
        await other.close();
        otherHost.close();
      }
    }));

  it("the host's clock is a day ahead", () =>
    rounds(async () => {
      const bin = join(sshd.user("bash").home, ".local/bin");
      await mkdir(bin, { recursive: true });
      await writeFile(join(bin, "date"), '#!/bin/sh\nexec /bin/date -d "+1 day" "$@"\n', { mode: 0o755 });
      try {
        await submit();
        const id = (await manager.store.ids())[0]!;
        await running(id);
        await manager.cancel(id);
        await check("clock", ["cancelled", "succeeded"]);
      } finally {
        spawnSync("rm", ["-r", bin]);
      }
    }));

  function spawnManager() {
    const program = fileURLToPath(new URL("./fake-ssh-manager.ts", import.meta.url));
    const words = [root, sshd.user("bash").address, sshd.config, script, String(ROWS), String(PAUSE)];
    const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "inherit"] });
    managers.push(child.pid!);
    const lines = createInterface(child.stdout);
    const said = (word: string) =>
      new Promise<void>((resolve) => {
        lines.on("line", (line) => line === word && resolve());
      });
    return { pid: child.pid!, ready: said("ready"), done: said("done"), closed: once(child, "close") };
  }
});
