/** Where a job's predictions are: predictions.jsonl while they are made, predictions.parquet from the end of the run on. */
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Writes all predictions of a .jsonl file into a new Parquet file. */
export type ToParquet = (jsonl: string, parquet: string) => Promise<void>;

const JSONL = "predictions.jsonl";
const PARQUET = "predictions.parquet";
/** One runner a job, so one name will do; what a killed one left is written over. */
const COMPACTING = "predictions.parquet.tmp";

export interface PredictionsFile {
  format: "jsonl" | "parquet";
  path: string;
}

/** The file to read. With both there (a kill between two steps of compaction) it is the Parquet one, which is complete. */
export function predictionsFile(folder: string): PredictionsFile | null {
  for (const [format, name] of [
    ["parquet", PARQUET],
    ["jsonl", JSONL],
  ] as const) {
    const path = join(folder, name);
    if (existsSync(path)) return { format, path };
  }
  return null;
}

/**
 * Compaction in three steps, each safe to be killed in: write under a temporary name, rename, remove the .jsonl.
 * Only the runner may call it, after its last prediction; for one without Node, whoever has fetched what it has made.
 */
export async function compactPredictions(folder: string, toParquet: ToParquet): Promise<void> {
  const jsonl = join(folder, JSONL);
  const temporary = join(folder, COMPACTING);
  if (predictionsFile(folder)?.format !== "parquet") {
    if (!existsSync(jsonl)) return;
    await rm(temporary, { force: true });
    await toParquet(jsonl, temporary);
    const handle = await open(temporary, "r+");
    await handle.sync();
    await handle.close();
    await rename(temporary, join(folder, PARQUET));
  }
  await rm(jsonl, { force: true });
}

/** Finishes or takes back what a killed compaction left. Only the runner may call it. */
export async function cleanUpCompaction(folder: string): Promise<PredictionsFile["format"]> {
  await rm(join(folder, COMPACTING), { force: true });
  if (predictionsFile(folder)?.format !== "parquet") return "jsonl";
  await rm(join(folder, JSONL), { force: true });
  return "parquet";
}
