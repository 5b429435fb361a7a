/** What a job of a host without Node still lacks when its results have come: its predictions as Parquet, and the report. */
import { existsSync } from "node:fs";
import { cp, link, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { DuckDb } from "../dataset/duckdb.ts";
import { predictionsToParquet } from "../dataset/predictions-parquet.ts";
import { entryPath } from "../entry.ts";
import { compactPredictions } from "../jobs/predictions.ts";
import type { JobSnapshot } from "../jobs/store.ts";
import { WorkflowError } from "./error.ts";

/**
 * Makes what is missing. The figures are the Node runner's: it finds all predictions made, in a folder of its own that shares the
 * job's data. May be broken off and done again.
 */
export async function finishJob({ folder, job, id }: JobSnapshot, duckdb: DuckDb): Promise<void> {
  if (job.kind === "fine-tune") return;
  await compactPredictions(folder, (lines, parquet) => predictionsToParquet(duckdb, lines, parquet));
  const report = join(folder, "report.json");
  if (job.kind === "predict" || existsSync(report)) return;
  const work = join(folder, ".report");
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, "attempts", "1"), { recursive: true });
  try {
    await writeFile(join(work, "job.json"), JSON.stringify(job));
    await cp(join(folder, "data"), join(work, "data"), { recursive: true });
    const [predictions, shared] = [join(folder, "predictions.parquet"), join(work, "predictions.parquet")];
    await link(predictions, shared).catch(() => cp(predictions, shared));
    const env = { ELECTRON_RUN_AS_NODE: "1", CLF_ATTEMPT: "1" };
    const { stderr } = await execa(process.execPath, [entryPath("runner"), work], {
      env,
      stdin: "ignore",
      reject: false,
    });
    const made = join(work, "report.json");
    if (!existsSync(made)) {
      throw new WorkflowError(`The report of job ${id} could not be made from its predictions. ${stderr.slice(-300)}`);
    }
    await rename(made, report);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
