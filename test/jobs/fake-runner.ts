/**
 * A runner for tests: predicts `options.rows` rows one after the other, slowly, and compacts them at the end. Resumable, and it obeys a
 * cancel, unless told otherwise in job.json's options: `{ rows, pause (ms a row), compact (ms), stubborn, fail_at, child }`.
 */
import { spawn } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { openRunnerFolder } from "../../server/src/jobs/runnerFolder.ts";

const folder = await openRunnerFolder(process.argv.at(-1)!);
const options = folder.job.options as {
  rows: number;
  pause: number;
  compact?: number;
  stubborn?: boolean;
  fail_at?: number;
  child?: boolean;
};
const model = folder.job.models[0]!.name;
if (options.child) spawn("sleep", ["300"], { stdio: "ignore" });
if (process.env.CLF_TEST_SECRET) folder.event({ type: "log", level: "info", message: "the secret has come" });

process.exitCode = await folder.run(async () => {
  const { predictions } = folder;
  for (let n = 0; n < options.rows; n++) {
    if (predictions.has(model, `row-${n}`, "label")) continue;
    if (folder.stop.aborted && !options.stubborn) throw new Error("stopped");
    if (options.fail_at === n && folder.attempt === 1) throw new Error("Row 7 is no good. Mend it, then resume.");
    predictions.append([
      { row: `row-${n}`, target: "label", model, split: "test", label: "a", score: 0.9, top: [["a", 0.9]], rest: 0.1 },
    ]);
    folder.event({ type: "progress", step: "predicting", done: n + 1, total: options.rows, unit: "rows" });
    // A resumed run hurries, so that tests need not wait.
    if (folder.attempt === 1) await sleep(options.pause);
  }
  await predictions.compact(async (jsonl, parquet) => {
    // Stands for a slow conversion: half of the file, a pause, all of it.
    const text = await readFile(jsonl);
    await writeFile(parquet, text.subarray(0, text.length / 2));
    await sleep(options.compact ?? 0);
    await copyFile(jsonl, parquet);
  });
  await folder.artifact("model", "model", async (temporary) => {
    await mkdir(temporary);
    await writeFile(`${temporary}/weights.json`, "[1, 2, 3]");
  });
});
process.exit();
