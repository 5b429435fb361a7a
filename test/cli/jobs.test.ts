/** Jobs that are interrupted: Ctrl+C, cancel, kill -9 of a real runner at random moments. CLF_FAULT_ROUNDS says how often each. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { FailureDocument, JobDocument, JobStateDocument, JobsDocument } from "../../schemas/cli.ts";
import type { JobKind, ProcessIdentity } from "../../schemas/job.ts";
import { build, clf, document, removeFolder, smallProject, start } from "./support.ts";

const ROUNDS = Number(process.env.CLF_FAULT_ROUNDS ?? 2);
const jobsOf = (folder: string): string[] => {
  const jobs = join(folder, ".clf", "jobs");
  return existsSync(jobs) ? readdirSync(jobs).filter((name) => !name.startsWith(".")) : [];
};

/** The id of a job that was not there before, as soon as its runner runs. */
async function newRunner(folder: string, before: readonly string[]): Promise<{ id: string; runner: ProcessIdentity }> {
  for (let tries = 0; tries < 6000; tries++) {
    for (const id of jobsOf(folder)) {
      const file = join(folder, ".clf", "jobs", id, "attempts", "1", "runner.json");
      if (!before.includes(id) && existsSync(file)) return { id, runner: JSON.parse(readFileSync(file, "utf8")) };
    }
    await sleep(10);
  }
  throw new Error("no runner came");
}

describe("clf jobs that are interrupted", function () {
  this.timeout(120_000 + ROUNDS * 120_000);
  let folder: string;
  before(async () => {
    build();
    folder = await smallProject();
  });
  const tally = new Map<string, number>();
  after(async () => {
    console.log(`      ${[...tally].map(([what, count]) => `${what}: ${count}`).join(", ")}`);
    await removeFolder(folder);
  });

  it("Ctrl+C cancels the job, says how to go on, and exits with 3", async () => {
    const before = jobsOf(folder);
    const child = start(["fine-tune", folder, "-m", "baseline", "--json"]);
    const { id } = await newRunner(folder, before);
    child.kill("SIGINT");
    const { exitCode, stdout, stderr } = await child;
    assert.equal(exitCode, 3, String(stderr));
    assert.match(
      String(stderr),
      new RegExp(`^Stopping ${id}\\. Press Ctrl\\+C again to leave without waiting for it\\.`),
    );
    assert.match(String(stderr), new RegExp(`${id} was cancelled\\..* Go on with it: clf jobs \\S+ resume ${id}\n$`));
    const { error } = FailureDocument.parse(JSON.parse(String(stdout)));
    assert.equal(error.job, id);
    const { state } = await document(JobDocument, ["jobs", folder, "show", id]);
    assert.equal(state, "cancelled");
    const resumed = await document(JobStateDocument, ["jobs", folder, "resume", id]);
    assert.deepEqual(resumed, { job: id, attempt: 2, state: "succeeded" });
  });

  it("a second Ctrl+C does not wait for the job to stop", async () => {
    const before = jobsOf(folder);
    const child = start(["fine-tune", folder, "-m", "words"]);
    const { id } = await newRunner(folder, before);
    child.kill("SIGINT");
    await sleep(20);
    child.kill("SIGINT");
    const { exitCode, signal } = await child;
    // Where the job has ended by then, the second one ends the command in the usual way.
    assert.ok(exitCode === 3 || signal === "SIGINT", `${exitCode} ${signal}`);
    for (let tries = 0; tries < 100; tries++) {
      const { state } = await document(JobDocument, ["jobs", folder, "show", id]);
      if (state === "cancelled" || state === "succeeded") return;
      await sleep(100);
    }
    assert.fail("the job never ended");
  });

  it("clf jobs cancel, from another terminal", async () => {
    const before = jobsOf(folder);
    const child = start(["fine-tune", folder, "-m", "baseline"]);
    const { id } = await newRunner(folder, before);
    const { state } = await document(JobStateDocument, ["jobs", folder, "cancel", id]);
    const { exitCode } = await child;
    assert.equal(exitCode, state === "cancelled" ? 3 : 0);
  });

  it("a job outlives the command that started it", async () => {
    const before = jobsOf(folder);
    const child = start(["fine-tune", folder, "-m", "words"]);
    const { id } = await newRunner(folder, before);
    child.kill("SIGKILL");
    await child;
    for (let tries = 0; tries < 100; tries++) {
      const { jobs } = await document(JobsDocument, ["jobs", folder]);
      if (jobs.find((job) => job.id === id)?.state === "succeeded") return;
      await sleep(200);
    }
    assert.fail("the job did not end");
  });

  const commands: [JobKind, string[]][] = [
    ["fine-tune", ["fine-tune", "-m", "baseline"]],
    ["evaluate", ["evaluate", "-m", "baseline"]],
    ["predict", ["predict", "--out-of-fold"]],
  ];
  for (const [kind, [command, ...options]] of commands) {
    it(`kill -9 of the runner of ${kind}, ${ROUNDS} times: resumed, it completes, and no prediction is lost or doubled`, async () => {
      await clf(["fine-tune", folder, "-m", "baseline"]);
      for (let round = 0; round < ROUNDS; round++) {
        const before = jobsOf(folder);
        const child = start([command!, folder, ...options, "--json"]);
        const { id, runner } = await newRunner(folder, before);
        await sleep(Math.random() * 900);
        try {
          process.kill(runner.pid, "SIGKILL");
        } catch {
          // Gone already: the moment was a late one.
        }
        const { exitCode, stderr } = await child;
        const what = `${kind} ${exitCode === 0 ? "killed too late" : "killed"}`;
        tally.set(what, (tally.get(what) ?? 0) + 1);
        if (exitCode !== 0) {
          assert.equal(exitCode, 3, String(stderr));
          assert.match(String(stderr), new RegExp(`${id} (failed|was lost)\\.`));
          await document(JobStateDocument, ["jobs", folder, "resume", id]);
        }
        const { job, state } = await document(JobDocument, ["jobs", folder, "show", id]);
        assert.equal(state, "succeeded");
        assert.equal(job.kind, kind);
        const at = join(folder, ".clf", "jobs", id);
        if (kind === "fine-tune") assert.ok(existsSync(join(at, "model", "linear.json")));
        else await checkPredictions(at, job);
        if (kind === "evaluate") assert.equal((await clf(["report", folder, "--job", id])).code, 0);
        const left = readdirSync(at).filter((name) => /\.tmp|predictions\.jsonl/.test(name));
        assert.deepEqual(left, []);
      }
    });
  }

  async function checkPredictions(at: string, job: JobDocumentJob): Promise<void> {
    const connection = await (await DuckDBInstance.create()).connect();
    const lines = `(SELECT json(line) AS p FROM read_parquet('${join(at, "predictions.parquet")}'))`;
    const counted = await connection.runAndReadAll(
      `SELECT count(*)::INT, count(DISTINCT (p->>'row', p->>'target', p->>'model'))::INT FROM ${lines}`,
    );
    connection.closeSync();
    const [all, distinct] = counted.getRows()[0] as [number, number];
    const { rows } = job.data;
    const splits = job.options.outOfFold ? ["train", "tune"] : ["tune", "validation", "test", "pool"];
    const expected = splits.reduce((sum, split) => sum + (rows[split] ?? 0), 0) * job.task.targets.length;
    assert.equal(all, expected, "a prediction was lost or doubled");
    assert.equal(distinct, expected, "a prediction was doubled");
  }
});

type JobDocumentJob = ReturnType<typeof JobDocument.parse>["job"];
