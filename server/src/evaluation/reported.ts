/** The rows that a model is reported on: test rows, or out-of-fold rows that were calibrated without themselves (DESIGN §5.5). */
import type { Job, JobTarget } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { type Calibrator, calibrate, crossFit } from "../confidence/calibrate.ts";
import {
  type OutOfFoldRows,
  outOfFoldRows,
  type ReportRows,
  type Role,
  type RowSet,
  subset,
  testRows,
} from "../confidence/roles.ts";
import { scoredRowsOf } from "./scored.ts";

/** One model's predictions: by target name, then row id. Out-of-fold predictions stand apart, a row may have both. */
export interface ModelPredictions {
  plain: ReadonlyMap<string, ReadonlyMap<string, Prediction>>;
  outOfFold: ReadonlyMap<string, ReadonlyMap<string, Prediction>>;
}

/**
 * The rows trained on, with their out-of-fold predictions.
 *
 * Rows that joined train from the pool were reviewed because a model was unsure of them: they do not stand for the stream.
 * Decisions on the others must not change figures and certificates either: those are against the labels of the file.
 */
export function fittedRows(
  rows: readonly JobRow[],
  target: JobTarget,
  folds: ReadonlyMap<string, Prediction>,
): OutOfFoldRows {
  const fitted = rows
    .filter(({ split, joined, row }) => (split === "train" || split === "tune") && joined !== true && folds.has(row))
    .map((row) => (row.given ? { ...row, labels: { ...row.labels, ...row.given } } : row));
  return outOfFoldRows(scoredRowsOf(fitted, target, folds));
}

/** Null when there is no row to report from. */
export function reportedRows(
  job: Job,
  rows: readonly JobRow[],
  target: JobTarget,
  predictions: ModelPredictions,
  calibrator: Calibrator,
): ReportRows | null {
  const test = rows.filter(({ split }) => split === "test");
  if (test.length > 0) {
    return calibrate(testRows(scoredRowsOf(test, target, predictions.plain.get(target.name) ?? new Map())), calibrator);
  }
  const folds = predictions.outOfFold.get(target.name) ?? new Map<string, Prediction>();
  const fitted = fittedRows(rows, target, folds);
  if (fitted.rows.n === 0) return null;
  const numbers = Int32Array.from(fitted.rows.ids ?? [], (id) => folds.get(id)!.fold!);
  return crossFit(fitted, calibrator.map.kind, numbers, job.seed);
}

/**
 * The rows that all targets have, in their order. Tune and out-of-fold predictions are of a target's labelled rows, and
 * some rows have a label of one target alone.
 */
export function rowsInCommon<S extends RowSet<Role>>(sets: readonly S[]): S[] {
  if (sets.length === 1) return [...sets];
  const times = new Map<string, number>();
  for (const { rows } of sets) for (const id of rows.ids ?? []) times.set(id, (times.get(id) ?? 0) + 1);
  return sets.map((set) => {
    const which = (set.rows.ids ?? []).flatMap((id, i) => (times.get(id) === sets.length ? [i] : []));
    return which.length === set.rows.n ? set : (subset(set, which) as S);
  });
}
