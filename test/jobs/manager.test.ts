import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Launch } from "../../schemas/job.ts";
import { type Host, HostUnreachable } from "../../server/src/jobs/hosts/host.ts";
import { localHost } from "../../server/src/jobs/hosts/local.ts";
import { launchCommand } from "../../server/src/jobs/launcher.ts";
import type { JobManager } from "../../server/src/jobs/manager.ts";
import { identify, liveness, signalGroup } from "../../server/src/jobs/process.ts";
import { JobError } from "../../server/src/jobs/store.ts";
import {
  FAKE_RUNNER,
  leftProcesses,
  newJob,
  predictedRows,
  processesNaming,
  readEventSeqs,
  readJson,
  removeFolder,
  temporaryFolder,
  testManager,
  upTo,
} from "./support.ts";

describe("job manager", () => {
  let top: string;
  let root: string;
  let manager: JobManager;

  beforeEach(async () => {
    top = await temporaryFolder();
    root = join(top, ".clf", "jobs");
    manager = testManager(root, { cancelGrace: 300, killGrace: 300 });
    await manager.start();
  });

  afterEach(async () => {
    await manager.close();
    assert.deepEqual(await leftProcesses(top), []);
    await removeFolder(top);
  });

  async function submit(options: Record<string, unknown>): Promise<string> {
    const job = await manager.submit("baseline", async (folder) => {
      await writeFile(join(folder, "rows.txt"), "the data");
      return newJob({ rows: 6, pause: 5, ...options });
    });
    return job.id;
  }

  async function running(id: string): Promise<void> {
    for await (const update of manager.follow(id)) {
      if (update.type === "event" && update.event.type === "progress") return;
    }
  }

  it("submits, follows and ends a job", async () => {
    const id = await submit({});
    const states: string[] = [];
    const seqs: number[] = [];
    for await (const update of manager.follow(id)) {
      if (update.type === "state") states.push(update.state);
      else seqs.push(update.event.seq);
    }
    assert.equal(states.at(-1), "succeeded");
    assert.deepEqual(seqs, upTo(seqs.length));
    const folder = manager.store.folder(id);
    assert.deepEqual(
      await predictedRows(folder),
      upTo(6).map((n) => `row-${n - 1}`),
    );
    await assert.rejects(access(join(folder, "predictions.jsonl")));
    assert.equal(await readFile(join(folder, "model", "weights.json"), "utf8"), "[1, 2, 3]");
    assert.equal(await readFile(join(dirname(root), ".gitignore"), "utf8"), "# Made by Clf: jobs and caches.\n*\n");
    const [summary] = await manager.store.list();
    assert.equal(summary?.state, "succeeded");
    assert.deepEqual(summary?.models, ["baseline"]);
    await assert.rejects(manager.resume(id), JobError);
    await manager.remove(id);
    assert.deepEqual(await manager.store.list(), []);
  });

  it("leaves no timer behind once it is closed: a command is not kept waiting for its end", async () => {
    await manager.close();
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
    const before = timers();
    manager = testManager(root);
    await manager.start();
    const id = await submit({ rows: 20, pause: 20 });
    await manager.ended(id);
    await manager.close();
    assert.equal(timers(), before);
  });

  it("cancels a job by its file, and resume completes it without doing anything twice", async () => {
    const id = await submit({ rows: 400, pause: 25 });
    await running(id);
    await assert.rejects(manager.remove(id), /running/);
    await manager.cancel(id);
    const ended = await manager.ended(id);
    assert.equal(ended.state, "cancelled");
    const before = await predictedRows(ended.folder);
    assert.ok(before.length > 0 && before.length < 400);
    assert.deepEqual(await manager.resume(id), { attempt: 2, started: true });
    assert.equal((await manager.ended(id)).state, "succeeded");
    const rows = await predictedRows(ended.folder);
    assert.deepEqual(
      rows,
      upTo(400).map((n) => `row-${n - 1}`),
    );
    assert.deepEqual(await readEventSeqs(ended.folder, 2), upTo((await readEventSeqs(ended.folder, 2)).length));
  });

  it("ends a runner that does not obey, by SIGTERM's and SIGKILL's turn, with what it started", async () => {
    const id = await submit({ rows: 1000, pause: 50, stubborn: true, child: true });
    await running(id);
    await manager.cancel(id);
    const ended = await manager.ended(id);
    assert.equal(ended.state, "cancelled");
    assert.equal(ended.attempt.facts.exit?.signal, "KILL");
  });

  it("lets the next manager go on with a cancel", async () => {
    const id = await submit({ rows: 1000, pause: 50, stubborn: true });
    await running(id);
    const first = testManager(root, { cancelGrace: 1e6 });
    await manager.close();
    await first.cancel(id);
    await first.close();
    manager = testManager(root, { cancelGrace: 100, killGrace: 100 });
    await manager.start();
    assert.equal((await manager.ended(id)).state, "cancelled");
  });

  it("tells a failure with the runner's own words", async () => {
    const id = await submit({ fail_at: 3 });
    const ended = await manager.ended(id);
    assert.equal(ended.state, "failed");
    const [summary] = await manager.store.list();
    assert.equal(summary?.message, "Row 7 is no good. Mend it, then resume.");
    assert.doesNotMatch(JSON.stringify(summary), /at .*fake-runner/);
    await manager.resume(id);
    assert.equal((await manager.ended(id)).state, "succeeded");
  });

  it("lets go of old jobs, but not of one that a job under way needs", async () => {
    const artifact = await submit({ rows: 1 });
    await manager.ended(artifact);
    const old = await submit({ rows: 1 });
    await manager.ended(old);
    const user = await manager.submit("baseline", async () => {
      const job = newJob({ rows: 60, pause: 20 });
      return { ...job, models: [{ ...job.models[0]!, artifact: { job: artifact, path: "model" } }] };
    });
    assert.deepEqual(await manager.retain({ keep: 0 }, new Set()), [old]);
    assert.equal((await manager.ended(user.id)).state, "succeeded");
    assert.deepEqual(await manager.retain({ keep: 0 }, new Set([user.id])), [artifact]);
    assert.deepEqual(await manager.store.ids(), [user.id]);
  });

  it("resumes once when two managers are asked at the same time", async () => {
    const id = await submit({ fail_at: 3 });
    await manager.ended(id);
    const other = testManager(root);
    const resumed = await Promise.all([manager.resume(id), other.resume(id)]);
    assert.deepEqual(
      resumed.map(({ attempt }) => attempt),
      [2, 2],
    );
    const ended = await manager.ended(id);
    assert.equal(ended.state, "succeeded");
    assert.equal(ended.attempt.number, 2);
    assert.equal(ended.records.filter(({ type }) => type === "resumed").length, 1);
    assert.equal((await predictedRows(ended.folder)).length, 6);
    await other.close();
  });

  it("launches an attempt that was made but never launched", async () => {
    await manager.close();
    const { id } = await manager.store.create("baseline", async () => newJob({ rows: 3, pause: 1 }));
    manager = testManager(root);
    await manager.start();
    assert.equal((await manager.ended(id)).state, "succeeded");
  });

  it("outlives the language client's kill of the server's process tree", async () => {
    await manager.close();
    const program = fileURLToPath(new URL("./fake-manager.ts", import.meta.url));
    const server = spawn(process.execPath, [program, root, "1"], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(server.stdout);
    const ids: string[] = [];
    lines.on("line", (line) => ids.push(line));
    while (ids.length < 2) await sleep(10);
    // What the client does two seconds after it was told to stop.
    const { terminate } = createRequire(import.meta.url)(
      "../../node_modules/vscode-languageclient/lib/node/processes.js",
    );
    assert.ok(terminate({ pid: server.pid }));
    const folder = manager.store.folder(ids[1]!);
    assert.notEqual((await manager.store.read(ids[1]!)).state, "succeeded");
    // Nobody manages it, and it goes on.
    for (let tries = 0; tries < 200 && !existsSync(join(folder, "attempts/1/exit.json")); tries++) await sleep(50);
    assert.equal((await manager.store.read(ids[1]!)).state, "succeeded");
  });

  it("starts the runner although whoever launched it hears nothing any more", async () => {
    await manager.close();
    const { id } = await manager.store.create("baseline", async () => newJob({ rows: 3, pause: 1 }));
    const [file, ...args] = launchCommand(manager.store.folder(id), 1, FAKE_RUNNER);
    // A pipe without a reader, as a killed manager leaves it.
    spawnSync("sh", ["-c", '{ sleep 0.2; exec "$@"; } | :', "sh", file, ...args], { stdio: "ignore" });
    manager = testManager(root);
    await manager.start();
    assert.equal((await manager.ended(id)).state, "succeeded");
  });

  it("ends a job cancelled before its start without starting a runner", async () => {
    await manager.close();
    const { id } = await manager.store.create("baseline", async () => newJob({ rows: 3, pause: 1 }));
    await writeFile(join(manager.store.folder(id), "cancel"), "");
    manager = testManager(root);
    await manager.start();
    const ended = await manager.ended(id);
    assert.equal(ended.state, "cancelled");
    assert.equal(ended.attempt.facts.runner, undefined);
    // A resume is not held up by the cancel of before.
    await manager.resume(id);
    assert.equal((await manager.ended(id)).state, "succeeded");
  });

  it("queues for the lock, goes on when it is free, and can be cancelled meanwhile", async () => {
    await manager.close();
    const lock = join(top, "gpu lock");
    manager = testManager(root, { runner: () => ({ ...FAKE_RUNNER, lock }), cancelGrace: 1000 });
    await manager.start();
    const first = await submit({ rows: 100_000, pause: 20 });
    await running(first);
    const second = await submit({});
    const third = await submit({});
    for (const id of [second, third]) {
      for await (const update of manager.follow(id)) if (update.type === "state" && update.state === "queued") break;
    }
    await manager.cancel(third);
    assert.equal((await manager.ended(third)).state, "cancelled");
    assert.equal((await manager.store.read(second)).state, "queued");
    assert.equal((await manager.store.read(first)).state, "running");
    await manager.cancel(first);
    assert.equal((await manager.ended(second)).state, "succeeded");
    assert.equal((await manager.store.read(first)).state, "cancelled");
  });

  it("keeps the lock when only the supervisor is killed, and drops the place of one killed in the queue", async () => {
    await manager.close();
    const lock = join(top, "gpu.lock");
    manager = testManager(root, { runner: () => ({ ...FAKE_RUNNER, lock }) });
    await manager.start();
    const first = await submit({ rows: 100_000, pause: 20 });
    await running(first);
    const supervisor = (await manager.store.read(first)).attempt.facts.launch!;
    process.kill(supervisor.pid, "SIGKILL");
    const second = await submit({});
    const third = await submit({});
    await sleep(100);
    process.kill((await readJson<Launch>(join(manager.store.folder(third), "attempts/1/launch.json"))).pid, "SIGKILL");
    assert.equal((await manager.ended(third)).state, "lost");
    assert.equal((await manager.store.read(second)).state, "queued");
    assert.equal((await manager.store.read(first)).state, "running");
    await manager.cancel(first);
    assert.equal((await manager.ended(first)).state, "cancelled");
    assert.equal((await manager.ended(second)).state, "succeeded");
  });

  it("goes on when the supervisor is killed, and marks as lost what died without a word", async () => {
    const survivor = await submit({ rows: 40, pause: 20 });
    const killed = await submit({ rows: 1000, pause: 20, child: true });
    await Promise.all([running(survivor), running(killed)]);
    for (const id of [survivor, killed]) {
      process.kill((await manager.store.read(id)).attempt.facts.launch!.pid, "SIGKILL");
    }
    // The leader only: its child is left for the manager to find.
    process.kill((await manager.store.read(killed)).attempt.facts.runner!.pid, "SIGKILL");
    const lost = await manager.ended(killed);
    assert.equal(lost.state, "lost");
    assert.match((await manager.store.list()).find(({ id }) => id === killed)?.message ?? "", /no word/);
    assert.equal((await manager.ended(survivor)).state, "succeeded");
  });

  it("does not take another process with a used pid for its own", async () => {
    const me = await identify(process.pid);
    assert.ok(me);
    assert.equal(await liveness(me), "alive");
    for (const other of [
      { ...me, started: "1" },
      { ...me, boot: "before" },
    ]) {
      assert.equal(await liveness(other), "gone");
      // Were it sent, this test would end here.
      await signalGroup(other, "SIGKILL");
    }
  });

  it("says nothing of a job that was started on another machine", async () => {
    await manager.close();
    const { id } = await manager.store.create("baseline", async () => newJob({ rows: 3, pause: 1 }));
    const elsewhere = {
      pid: 1,
      started: "1",
      boot: "other",
      machine: "other",
      time: "2026-01-01T00:00:00Z",
      lock: false,
    };
    await writeFile(join(manager.store.folder(id), "attempts/1/launch.json"), JSON.stringify(elsewhere));
    const conditions: (string | null)[] = [];
    manager = testManager(root, { onCondition: (_, message) => conditions.push(message) });
    await manager.start();
    assert.equal((await manager.store.read(id)).state, "preparing");
    assert.match(conditions[0] ?? "", /another machine/);
    assert.equal(conditions.length, 1);
  });

  it("hands secrets to the runner by environment, and leaves them in no file and no command line", async () => {
    await manager.close();
    const secret = "s3cr3t-of-the-test";
    manager = testManager(root, {
      runner: () => ({ ...FAKE_RUNNER, env: { ...FAKE_RUNNER.env, CLF_TEST_SECRET: secret } }),
    });
    await manager.start();
    const id = await submit({ rows: 20, pause: 20 });
    await running(id);
    assert.ok(processesNaming(top).length >= 2);
    assert.ok(processesNaming(top).every((line) => !line.includes(secret)));
    const { folder } = await manager.ended(id);
    assert.match(await readFile(join(folder, "attempts/1/events.jsonl"), "utf8"), /the secret has come/);
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) assert.ok(!(await readFile(join(entry.parentPath, entry.name), "utf8")).includes(secret));
    }
  });

  describe("with a host that has its own folder", () => {
    let hostJobs: string;
    let reachable: boolean;
    let conditions: (string | null)[];

    function remote(): Host {
      const host = localHost({ name: "remote", jobs: hostJobs, shared: false });
      const guarded = <T extends unknown[], R>(call: (...args: T) => Promise<R>) => {
        return async (...args: T): Promise<R> => {
          if (!reachable) throw new HostUnreachable("remote cannot be reached.");
          return call(...args);
        };
      };
      return {
        ...host,
        put: guarded(host.put),
        launch: guarded(host.launch),
        read: guarded(host.read),
        alive: guarded(host.alive),
        signal: guarded(host.signal),
        fetch: guarded(host.fetch),
      };
    }

    beforeEach(async () => {
      await manager.close();
      hostJobs = join(top, "host");
      reachable = true;
      conditions = [];
      manager = testManager(root, { host: remote, cancelGrace: 300, onCondition: (_, text) => conditions.push(text) });
      await manager.start();
    });

    it("puts, mirrors and fetches", async () => {
      const id = await submit({ rows: 20, pause: 20 });
      await running(id);
      assert.equal(await readFile(join(hostJobs, id, "rows.txt"), "utf8"), "the data");
      const { folder } = await manager.ended(id);
      const path = "attempts/1/events.jsonl";
      assert.equal(await readFile(join(folder, path), "utf8"), await readFile(join(hostJobs, id, path), "utf8"));
      for (let tries = 0; tries < 100 && !existsSync(join(folder, "predictions.parquet")); tries++) await sleep(50);
      assert.equal((await predictedRows(folder)).length, 20);
      await manager.remove(id);
      assert.equal(existsSync(join(hostJobs, id)), false);
    });

    it("cancels there and resumes there, without putting anything twice", async () => {
      const id = await submit({ rows: 400, pause: 20 });
      await running(id);
      await manager.cancel(id);
      assert.equal((await manager.ended(id)).state, "cancelled");
      const before = (await predictedRows(join(hostJobs, id))).length;
      assert.ok(before > 0 && before < 400);
      await manager.resume(id);
      assert.equal((await manager.ended(id)).state, "succeeded");
      assert.equal((await predictedRows(join(hostJobs, id))).length, 400);
    });

    it("takes an unreachable host for that, and for no state of a job; says it once", async () => {
      reachable = false;
      const id = await submit({ rows: 200, pause: 20 });
      await sleep(1200);
      assert.equal((await manager.store.read(id)).state, "preparing");
      reachable = true;
      await running(id);
      reachable = false;
      await sleep(1200);
      assert.equal((await manager.store.read(id)).state, "running");
      reachable = true;
      assert.equal((await manager.ended(id)).state, "succeeded");
      for (const [n, condition] of conditions.entries()) assert.notEqual(condition, conditions[n + 1]);
      // The look that saw the end tells of the host a moment later.
      for (let tries = 0; tries < 100 && conditions.at(-1) !== null; tries++) await sleep(50);
      assert.equal(conditions.at(-1), null);
    });
  });
});
