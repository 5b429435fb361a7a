import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Prediction } from "../../../schemas/predictions.ts";
import { parseEvent } from "../../../server/src/jobs/attempt.ts";
import { wholeLines } from "../../../server/src/jobs/lines.ts";
import { compactPredictions, predictionsFile } from "../../../server/src/jobs/predictions.ts";
import { openRunnerFolder, type RunnerFolder } from "../../../server/src/jobs/runnerFolder.ts";
import { jobStore } from "../../../server/src/jobs/store.ts";
import { newJob, predictedRows, readEventSeqs, removeFolder, temporaryFolder } from "../../jobs/support.ts";

function prediction(row: string, more: Partial<Prediction> = {}): Prediction {
  return { row, target: "t", model: "m", split: "test", label: "a", score: 1, top: [["a", 1]], rest: 0, ...more };
}

describe("runner folder", () => {
  let top: string;
  let folder: string;
  let runners: RunnerFolder[];
  beforeEach(async () => {
    runners = [];
    top = await temporaryFolder();
    const store = jobStore(join(top, "jobs"));
    folder = store.folder((await store.create("m", async () => newJob({ rows: 1 }))).id);
  });
  afterEach(async () => {
    // Ends the watching for a cancel.
    for (const runner of runners) await runner.run(async () => {}).catch(() => {});
    await removeFolder(top);
  });

  async function open(attempt = 1): Promise<RunnerFolder> {
    const runner = await openRunnerFolder(folder, { CLF_ATTEMPT: String(attempt) });
    runners.push(runner);
    return runner;
  }

  async function states(attempt = 1): Promise<string[]> {
    const found: string[] = [];
    for await (const line of wholeLines(join(folder, "attempts", String(attempt), "events.jsonl"))) {
      const event = parseEvent(line.text);
      assert.ok(event, line.text);
      if (event.type === "state") found.push(event.state);
    }
    return found;
  }

  it("numbers events from one in every attempt, and goes on after a torn line", async () => {
    const first = await open();
    first.event({ type: "log", level: "info", message: "one" });
    first.event({ type: "progress", step: "s", done: 1, total: null });
    await appendFile(join(folder, "attempts/1/events.jsonl"), '{"seq":3,"time":"20');
    const again = await open();
    again.event({ type: "log", level: "info", message: "three" });
    assert.deepEqual(await readEventSeqs(folder, 1), [1, 2, 3]);
    (await open(2)).event({ type: "log", level: "info", message: "one" });
    assert.deepEqual(await readEventSeqs(folder, 2), [1]);
  });

  it("writes no prediction twice, over attempts and torn lines", async () => {
    const first = await open();
    assert.equal(first.predictions.append([prediction("1"), prediction("2"), prediction("1")]).length, 2);
    await appendFile(join(folder, "predictions.jsonl"), JSON.stringify(prediction("3")).slice(0, 20));
    const second = await open(2);
    assert.ok(second.predictions.has("m", "2", "t"));
    assert.ok(!second.predictions.has("m", "3", "t"));
    assert.ok(!second.predictions.has("m", "2", "other"));
    second.predictions.append([prediction("2"), prediction("3"), prediction("2", { model: "n" })]);
    assert.deepEqual(await predictedRows(folder), ["1", "2", "3", "2"]);
    assert.equal(second.predictions.count, 4);
  });

  it("compacts so that a kill after any step loses and doubles nothing", async () => {
    const copy = (from: string, to: string) => copyFile(from, to);
    for (const killedAfter of ["half", "written", "renamed", "done"]) {
      for (const name of ["predictions.parquet", "predictions.jsonl"]) {
        if (existsSync(join(folder, name))) await rm(join(folder, name));
      }
      const first = await open();
      first.predictions.append([prediction("1"), prediction("2")]);
      const jsonl = join(folder, "predictions.jsonl");
      if (killedAfter === "half") await writeFile(join(folder, "predictions.parquet.tmp"), "PAR");
      if (killedAfter === "written") await copyFile(jsonl, join(folder, "predictions.parquet.tmp"));
      if (killedAfter === "renamed") await copyFile(jsonl, join(folder, "predictions.parquet"));
      if (killedAfter === "done") await compactPredictions(folder, copy);
      assert.deepEqual(await predictedRows(folder), ["1", "2"], killedAfter);
      const second = await open(2);
      assert.equal(second.predictions.compacted, ["renamed", "done"].includes(killedAfter));
      assert.ok(second.predictions.has("m", "1", "t"));
      if (!second.predictions.compacted) second.predictions.append([prediction("1"), prediction("2")]);
      else assert.throws(() => second.predictions.append([prediction("9")]), /complete/);
      await second.predictions.compact(copy);
      assert.equal(predictionsFile(folder)?.format, "parquet");
      assert.deepEqual(await predictedRows(folder), ["1", "2"], killedAfter);
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.startsWith("predictions")),
        ["predictions.parquet"],
      );
    }
  });

  it("says how the work ended", async () => {
    assert.equal(await (await open(1)).run(async () => {}), 0);
    const failing = await open(2);
    assert.equal(
      await failing.run(async () => {
        throw Object.assign(new Error("The label is missing."), { stack: "", remedy: "Label the row." });
      }),
      1,
    );
    const cancelled = await open(3);
    await writeFile(join(folder, "cancel"), "");
    const code = await cancelled.run(async () => {
      while (!cancelled.stop.aborted) await sleep(10);
      assert.equal(cancelled.stop.reason, "cancel");
      throw new Error("stopped");
    });
    assert.equal(code, 1);
    assert.deepEqual(await states(1), ["running", "succeeded"]);
    assert.deepEqual(await states(2), ["running", "failed"]);
    assert.deepEqual(await states(3), ["running", "cancelled"]);
    const said = await readFile(join(folder, "attempts/2/events.jsonl"), "utf8");
    assert.match(said, /"message":"The label is missing\.","remedy":"Label the row\."/);
    runners = [];
  });

  it("gives files and folders their names when they are complete, over older ones too", async () => {
    const runner = await open();
    for (const text of ["old", "new"]) {
      await runner.artifact("model", "model", async (temporary) => {
        await mkdir(temporary);
        await writeFile(join(temporary, "weights"), text);
        if (text === "new") assert.equal(await readFile(join(folder, "model/weights"), "utf8"), "old");
      });
      await runner.checkpoint("model.ckpt", (temporary) => writeFile(temporary, text), 7);
    }
    assert.equal(await readFile(join(folder, "model/weights"), "utf8"), "new");
    assert.equal(await readFile(join(folder, "model.ckpt"), "utf8"), "new");
    await assert.rejects(
      runner.artifact("model", "model", async (temporary) => {
        await mkdir(temporary);
        throw new Error("disk full");
      }),
    );
    assert.equal(await readFile(join(folder, "model/weights"), "utf8"), "new");
    const text = await readFile(join(folder, "attempts/1/events.jsonl"), "utf8");
    assert.match(text, /"type":"artifact","name":"model","path":"model","bytes":3/);
    assert.match(text, /"type":"checkpoint","path":"model.ckpt","step":7/);
  });
});
