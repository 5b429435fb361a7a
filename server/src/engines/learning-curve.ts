/** Points of a learning curve: the engine is fitted on parts of the train rows and asked about the test rows. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LearningPoint } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { seededPermutation } from "../confidence/random.ts";
import { type Engine, EngineError, type EngineRun } from "./engine.ts";

/** Parts of the train rows, smallest first; each holds the one before. The whole is the model that is evaluated anyway. */
const PARTS = [1 / 16, 1 / 8, 1 / 4, 1 / 2];
/** Seconds after which no larger part is begun. */
const BUDGET = 120;

/** Rows with a label of the target that a fine-tune learns from. */
export function trainedRows(rows: readonly JobRow[], target: string): number {
  let n = 0;
  for (const { split, labels } of rows) if ((split === "train" || split === "tune") && labels[target] != null) n++;
  return n;
}

/**
 * By target. A part with too few rows or labels to be fitted is passed over. Takes about as long as a fine-tune, at most
 * {@link BUDGET} and what was begun within it.
 * @param folder an existing folder for what is thrown away afterwards
 */
export async function learningPoints(
  engine: Engine,
  run: EngineRun,
  folder: string,
): Promise<Map<string, LearningPoint[]>> {
  const points = new Map<string, LearningPoint[]>();
  const started = performance.now();
  const test = run.rows.filter(({ split }) => split === "test");
  const train = run.rows.filter(({ split }) => split === "train" || split === "tune");
  const order = seededPermutation(train.length, run.job.seed);
  // With validation rows a fine-tune makes no out-of-fold predictions, which nobody would read here.
  const job = { ...run.job, data: { ...run.job.data, validation: true } };
  for (const [i, part] of PARTS.entries()) {
    if ((performance.now() - started) / 1000 > BUDGET) break;
    run.emit({ type: "progress", step: "learning curve", done: i, total: PARTS.length, unit: "fits" });
    const taken = order.slice(0, Math.round(part * train.length)).sort();
    const rows = [...Array.from(taken, (k) => train[k]!), ...test];
    const artifact = join(folder, `learning-curve-${i}`);
    const quiet = { ...run, job, rows, emit: () => {} };
    await rm(artifact, { recursive: true, force: true });
    await mkdir(artifact);
    try {
      await engine.fineTune!({ ...quiet, artifact });
      const right = new Map<string, number>();
      const labels = new Map(test.map((row) => [row.row, row.labels]));
      await engine.predict({
        ...quiet,
        ...{ artifact, splits: ["test"], outOfFold: false, done: () => false },
        predicted({ row, target, label }) {
          if (label !== null && labels.get(row)?.[target] === label) right.set(target, (right.get(target) ?? 0) + 1);
        },
      });
      for (const { name } of job.task.targets) {
        const measured = test.filter(({ labels: of }) => of[name] != null).length;
        const made = { trained: trainedRows(rows, name), right: right.get(name) ?? 0, rows: measured };
        points.set(name, [...(points.get(name) ?? []), made]);
      }
    } catch (error) {
      // So small a part may have one label alone.
      if (!(error instanceof EngineError)) throw error;
    } finally {
      await rm(artifact, { recursive: true, force: true });
    }
  }
  return points;
}
