/**
 * `kill -9` at random moments, of everything that has a part in a job. CLF_FAULT_ROUNDS says how often each (50 in the full
 * run), CLF_FAULT_SEED repeats the draws. Call it in a test file with a runner and a way to make jobs for it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import PQueue from "p-queue";
import type { ProcessIdentity } from "../../schemas/job.ts";
import { seededRandom } from "../../server/src/engines/linear/random.ts";
import { attemptFolder, attemptNumbers, parseEvent } from "../../server/src/jobs/attempt.ts";
import type { RunnerCommand } from "../../server/src/jobs/hosts/host.ts";
import { launchCommand } from "../../server/src/jobs/launcher.ts";
import { wholeLines } from "../../server/src/jobs/lines.ts";
import type { JobManager } from "../../server/src/jobs/manager.ts";
import type { JobSnapshot, NewJob } from "../../server/src/jobs/store.ts";
import { kill, leftProcesses, upTo } from "./support.ts";

export interface JobsUnderFire {
  runner: RunnerCommand;
  /** Milliseconds that a job takes, roughly: kills fall anywhere within. */
  span: number;
  /** And its compaction. */
  compaction: number;
  /** Jobs at a time. */
  concurrency: number;
  /** Without `CLF_FAULT_ROUNDS`. */
  rounds: number;
  /** A manager of the jobs in a folder of its own. */
  open(): Promise<{ manager: JobManager; close(): Promise<void> }>;
  /** What goes into the folder of the nth job. `predicts`: it has to be one that makes predictions. */
  prepare(n: number, predicts: boolean, folder: string): Promise<NewJob>;
  /** Checks what an ended job has made: nothing lost, nothing doubled. */
  checkResult(snapshot: JobSnapshot): Promise<void>;
  /**
   * Starts a program that makes jobs and looks after them, and kills it.
   * @param moment calls back at the moment of the kill: 0 at the program's beginning, 1 about the end of its work
   * @returns the ids of jobs whose submission the program has told of
   */
  killManager(folder: string, moment: { chance: number; early: boolean }): Promise<string[]>;
  /** The manager that comes after it, on the same folder. */
  succeed(folder: string): Promise<{ manager: JobManager; close(): Promise<void> }>;
  /** A folder for the killed manager's jobs. */
  folder(): Promise<{ path: string; remove(): Promise<void> }>;
  /** A job's failure that was not a kill's doing. */
  mayFail?: RegExp;
}

const SEED = Number(process.env.CLF_FAULT_SEED ?? Date.now() % 1_000_000);

export function survivesKills(name: string, jobs: JobsUnderFire): void {
  const ROUNDS = Number(process.env.CLF_FAULT_ROUNDS ?? jobs.rounds);
  describe(`kill -9 of ${name} (${ROUNDS} rounds each, seed ${SEED})`, function () {
    this.timeout(60_000 + ROUNDS * 30_000);
    const next = seededRandom(SEED);
    let manager: JobManager;
    let close: () => Promise<void>;
    const tally = new Map<string, number>();

    before(async () => {
      ({ manager, close } = await jobs.open());
      await manager.start();
    });

    after(async () => {
      await manager.close();
      assert.deepEqual(await leftProcesses(manager.store.root), [], "a process was left behind");
      console.log(`      ${[...tally].map(([what, count]) => `${what}: ${count}`).join(", ")}`);
      await close();
    });

    function count(what: string): void {
      tally.set(what, (tally.get(what) ?? 0) + 1);
    }

    async function rounds(work: (chance: number, early: boolean, n: number) => Promise<void>): Promise<void> {
      const queue = new PQueue({ concurrency: jobs.concurrency });
      // Half of them in the first moments, where launching is delicate.
      const drawn = Array.from({ length: ROUNDS }, (_, n) => [next(), n % 2 === 0] as const);
      await queue.addAll(
        drawn.map(
          ([chance, early], n) =>
            () =>
              work(chance, early, n),
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

    async function submit(n: number, predicts = false): Promise<string> {
      return (await manager.submit("baseline", (folder) => jobs.prepare(n, predicts, folder))).id;
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
      await checkEnd(last);
      return first;
    }

    async function checkEnd(last: JobSnapshot): Promise<void> {
      assert.equal(last.state, "succeeded", `${last.id}: ${JSON.stringify(last.attempt)}`);
      await jobs.checkResult(last);
      const { folder } = last;
      const left = readdirSync(folder).filter((file) => file === "predictions.jsonl" || file.endsWith(".tmp"));
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
      rounds(async (chance, early, n) => {
        const id = await submit(n);
        const supervisor = await identity(id, "launch.json");
        await sleep(chance * (early ? 15 : jobs.span));
        kill(supervisor);
        const first = await check(id, "supervisor", ["succeeded", "lost"]);
        // Lost is only what never began.
        if (first.state === "lost") assert.equal(first.attempt.facts.events, 0);
      }));

    it("of the runner", () =>
      rounds(async (chance, early, n) => {
        const id = await submit(n);
        const runner = await identity(id, "runner.json");
        await sleep(chance * (early ? 15 : jobs.span));
        kill(runner);
        await check(id, "runner", ["succeeded", "failed"]);
      }));

    it("of runner and supervisor together", () =>
      rounds(async (chance, early, n) => {
        const id = await submit(n);
        const both = [await identity(id, "launch.json"), await identity(id, "runner.json")];
        await sleep(chance * (early ? 15 : jobs.span));
        if (chance < 0.5) both.reverse();
        for (const each of both) kill(each);
        await check(id, "both", ["succeeded", "failed", "lost"]);
      }));

    it("in the middle of compaction", () =>
      rounds(async (chance, early, n) => {
        const id = await submit(n, true);
        const both = [await identity(id, "launch.json"), await identity(id, "runner.json")];
        const folder = manager.store.folder(id);
        const compacting = () =>
          ["predictions.parquet.tmp", "predictions.parquet"].some((file) => existsSync(join(folder, file)));
        while (!compacting()) await sleep(1);
        await sleep(chance * jobs.compaction);
        for (const each of early ? both : both.slice(1)) kill(each);
        await check(id, "compaction", ["succeeded", "failed", "lost"]);
      }));

    it("of the launcher: the job is started once, by whoever comes next", () =>
      rounds(async (chance, _early, n) => {
        const { id } = await manager.store.create("baseline", (folder) => jobs.prepare(n, false, folder));
        const [file, ...args] = launchCommand(manager.store.folder(id), 1, jobs.runner);
        const launcher = spawn(file, args, { stdio: "ignore", env: { ...process.env, ...jobs.runner.env } });
        await sleep(chance * 8);
        launcher.kill("SIGKILL");
        await manager.recover();
        await check(id, "launcher", ["succeeded"]);
      }));

    it("of the manager: the next one goes on with everything", () =>
      rounds(async (chance, early) => {
        const own = await jobs.folder();
        const { manager: successor, close: end } = await jobs.succeed(own.path);
        const before = await successor.store.ids();
        const promised = await jobs.killManager(own.path, { chance, early });
        try {
          await successor.start();
          const ids = (await successor.store.ids()).filter((id) => !before.includes(id));
          for (const id of promised) assert.ok(ids.includes(id), "a submitted job is gone");
          for (const id of ids) {
            let last = await successor.ended(id);
            count(`manager ${last.state}`);
            if (last.state !== "succeeded") {
              assert.equal(last.state, "failed");
              assert.match(last.attempt.facts.final?.message ?? "", jobs.mayFail ?? /never/);
              await successor.resume(id);
              last = await successor.ended(id);
            }
            await checkEnd(last);
          }
          if (ids.length === 0) count("manager without a job");
        } finally {
          await successor.close();
          await end();
        }
        assert.deepEqual(await leftProcesses(own.path), []);
        await own.remove();
      }));
  });
}
