/**
 * `kill -9` at random moments. CLF_FAULT_ROUNDS says how often each (50 in the full run), CLF_FAULT_SEED repeats the draws.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import PQueue from "p-queue";
import type { ProcessIdentity } from "../../schemas/job.ts";
import { attemptFolder, attemptNumbers, parseEvent } from "../../server/src/jobs/attempt.ts";
import { launchCommand } from "../../server/src/jobs/launcher.ts";
import { wholeLines } from "../../server/src/jobs/lines.ts";
import type { JobManager } from "../../server/src/jobs/manager.ts";
import type { JobSnapshot } from "../../server/src/jobs/store.ts";
import {
  FAKE_RUNNER,
  leftProcesses,
  newJob,
  predictedRows,
  removeFolder,
  temporaryFolder,
  testManager,
  upTo,
} from "./support.ts";

const ROUNDS = Number(process.env.CLF_FAULT_ROUNDS ?? 3);
const SEED = Number(process.env.CLF_FAULT_SEED ?? Date.now() % 1_000_000);
const ROWS = 8;
const OPTIONS = { rows: ROWS, pause: 10, compact: 40 };
/** Milliseconds that such a job takes, roughly: kills fall anywhere within. */
const SPAN = 700;

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe(`kill -9 (${ROUNDS} rounds each, seed ${SEED})`, function () {
  this.timeout(60_000 + ROUNDS * 30_000);
  const next = random(SEED);
  let top: string;
  let root: string;
  let manager: JobManager;
  const tally = new Map<string, number>();

  before(async () => {
    top = await temporaryFolder();
    root = join(top, "jobs");
    manager = testManager(root);
    await manager.start();
  });

  after(async () => {
    await manager.close();
    assert.deepEqual(await leftProcesses(root), [], "a process was left behind");
    console.log(`      ${[...tally].map(([what, count]) => `${what}: ${count}`).join(", ")}`);
    await removeFolder(top);
  });

  function count(what: string): void {
    tally.set(what, (tally.get(what) ?? 0) + 1);
  }

  async function rounds(work: (chance: number, early: boolean) => Promise<void>): Promise<void> {
    const queue = new PQueue({ concurrency: 6 });
    // Half of them in the first moments, where launching is delicate.
    const drawn = Array.from({ length: ROUNDS }, (_, n) => [next(), n % 2 === 0] as const);
    await queue.addAll(
      drawn.map(
        ([chance, early]) =>
          () =>
            work(chance, early),
      ),
    );
  }

  /** The identity that a file of attempt 1 holds; waits for it, as long as the job may still write it. */
  async function identity(id: string, file: "launch.json" | "runner.json"): Promise<ProcessIdentity | null> {
    const at = attemptFolder(manager.store.folder(id), 1);
    for (let tries = 0; tries < 1000; tries++) {
      if (existsSync(join(at, file))) return JSON.parse(readFileSync(join(at, file), "utf8")) as ProcessIdentity;
      if (existsSync(join(at, "exit.json"))) return null;
      await sleep(5);
    }
    return null;
  }

  function kill(process_: ProcessIdentity | null): void {
    try {
      if (process_) process.kill(process_.pid, "SIGKILL");
    } catch {
      // Gone already: the moment was a late one.
    }
  }

  async function submit(): Promise<string> {
    return (await manager.submit("baseline", async () => newJob(OPTIONS))).id;
  }

  /** Follows attempt 1 to its end, has it resumed when it needs to be, and checks what is in the folder at last. */
  async function check(id: string, what: string, allowed: readonly string[]): Promise<JobSnapshot> {
    const seen: number[] = [];
    let first: JobSnapshot | undefined;
    for await (const update of manager.follow(id, { from: { attempt: 1, offset: 0 } })) {
      if (update.type === "event") seen.push(update.event.seq);
      else first = update.snapshot;
    }
    assert.ok(first);
    assert.ok(allowed.includes(first.state), `${id} became ${first.state}`);
    assert.deepEqual(seen, upTo(seen.length), "the follower missed an event, or saw one twice");
    count(`${what} ${first.state}`);
    let last = first;
    if (first.state !== "succeeded") {
      await manager.resume(id);
      last = await manager.ended(id);
    }
    assert.equal(last.state, "succeeded", `${id}: ${JSON.stringify(last.attempt)}`);
    await checkFolder(last.folder);
    return first;
  }

  async function checkFolder(folder: string): Promise<void> {
    const rows = await predictedRows(folder);
    assert.deepEqual(
      rows,
      upTo(ROWS).map((n) => `row-${n - 1}`),
      "a prediction was lost or doubled",
    );
    assert.ok(existsSync(join(folder, "predictions.parquet")));
    const left = readdirSync(folder).filter((name) => name === "predictions.jsonl" || name.endsWith(".tmp"));
    assert.deepEqual(left, []);
    for (const attempt of await attemptNumbers(folder)) {
      let seq = 0;
      let starts = 0;
      for await (const line of wholeLines(join(attemptFolder(folder, attempt), "events.jsonl"))) {
        const event = parseEvent(line.text);
        assert.equal(event?.seq, ++seq, "events are not contiguous");
        if (event?.type === "state" && event.state === "running") starts++;
      }
      assert.ok(starts <= 1, `attempt ${attempt} was started ${starts} times`);
    }
  }

  it("of the supervisor: a runner that lives goes on", () =>
    rounds(async (chance, early) => {
      const id = await submit();
      const supervisor = await identity(id, "launch.json");
      await sleep(chance * (early ? 15 : SPAN));
      kill(supervisor);
      const first = await check(id, "supervisor", ["succeeded", "lost"]);
      // Lost is only what never began.
      if (first.state === "lost") assert.equal(first.attempt.facts.events, 0);
    }));

  it("of the runner", () =>
    rounds(async (chance, early) => {
      const id = await submit();
      const runner = await identity(id, "runner.json");
      await sleep(chance * (early ? 15 : SPAN));
      kill(runner);
      await check(id, "runner", ["succeeded", "failed"]);
    }));

  it("of runner and supervisor together", () =>
    rounds(async (chance, early) => {
      const id = await submit();
      const both = [await identity(id, "launch.json"), await identity(id, "runner.json")];
      await sleep(chance * (early ? 15 : SPAN));
      if (chance < 0.5) both.reverse();
      for (const each of both) kill(each);
      await check(id, "both", ["succeeded", "failed", "lost"]);
    }));

  it("in the middle of compaction", () =>
    rounds(async (chance, early) => {
      const id = await submit();
      const both = [await identity(id, "launch.json"), await identity(id, "runner.json")];
      const folder = manager.store.folder(id);
      const compacting = () =>
        ["predictions.parquet.tmp", "predictions.parquet"].some((name) => existsSync(join(folder, name)));
      while (!compacting()) await sleep(1);
      await sleep(chance * 60);
      for (const each of early ? both : both.slice(1)) kill(each);
      await check(id, "compaction", ["succeeded", "failed", "lost"]);
    }));

  it("of the launcher: the job is started once, by whoever comes next", () =>
    rounds(async (chance) => {
      const { id } = await manager.store.create("baseline", async () => newJob(OPTIONS));
      const [file, ...args] = launchCommand(manager.store.folder(id), 1, FAKE_RUNNER);
      const launcher = spawn(file, args, { stdio: "ignore", env: { ...process.env, ...FAKE_RUNNER.env } });
      await sleep(chance * 8);
      launcher.kill("SIGKILL");
      await manager.recover();
      await check(id, "launcher", ["succeeded"]);
    }));

  it("of the manager: the next one goes on with everything", async () => {
    const program = fileURLToPath(new URL("./fake-manager.ts", import.meta.url));
    const queue = new PQueue({ concurrency: 4 });
    const chances = Array.from({ length: ROUNDS }, () => next());
    await queue.addAll(
      chances.map((chance, n) => async () => {
        const early = n % 2 === 0;
        const own = await temporaryFolder();
        const child = spawn(process.execPath, [program, own, "3"], { stdio: ["ignore", "pipe", "inherit"] });
        const promised: string[] = [];
        const lines = createInterface(child.stdout);
        const closed = once(lines, "close");
        await once(lines, "line");
        lines.on("line", (id) => promised.push(id));
        // From before the first job to after the last; most of all while jobs are made and launched.
        await sleep(chance * (early ? 60 : 2000));
        child.kill("SIGKILL");
        await closed;
        const successor = testManager(own);
        try {
          await successor.start();
          const ids = await successor.store.ids();
          for (const id of promised) assert.ok(ids.includes(id), "a submitted job is gone");
          for (const id of ids) {
            let end = await successor.ended(id);
            assert.ok(["succeeded", "failed"].includes(end.state), `${id} became ${end.state}`);
            count(`manager ${end.state}`);
            if (end.state === "failed") {
              assert.match(end.attempt.facts.final?.message ?? "", /Row 7/);
              await successor.resume(id);
              end = await successor.ended(id);
            }
            assert.equal(end.state, "succeeded");
            await checkFolder(end.folder);
          }
        } finally {
          await successor.close();
        }
        assert.deepEqual(await leftProcesses(own), []);
        await removeFolder(own);
      }),
    );
  });
});
