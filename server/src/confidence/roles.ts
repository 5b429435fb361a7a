/**
 * Who may read which rows (DESIGN §5): train fits, tune chooses, validation calibrates and certifies, test is reported.
 *
 * A `RowSet` is rows with a proven role. The functions that calibrate or certify take {@link CertifyingRows}, those that
 * report take {@link ReportRows}, so that the type checker refuses any other use. The role is proven when the set is made
 * (every row's split and what the model had seen of it are looked at) and looked up again where it is used, so that
 * a cast does not help either.
 */

import { type ScoredRows, SEEN, SPLITS, takeRows } from "./scoredRows.ts";

/** The uses rows can have. `cross-fitted`: each row calibrated by a calibrator that was fitted without it. */
export type Role = "tune" | "validation" | "out-of-fold" | "test" | "pool" | "cross-fitted";

declare const proven: unique symbol;

/** Rows whose role has been checked. Made only by this module. */
export interface RowSet<R extends Role> {
  readonly role: R;
  readonly rows: ScoredRows;
  readonly [proven]: R;
}

/** Rows for choices: calibrator, thresholds' grid, signal. */
export type TuneRows = RowSet<"tune">;
/** Rows for calibrating and certifying, and nothing else. */
export type ValidationRows = RowSet<"validation">;
/** Rows predicted by a model fitted on the other folds: stand in for validation rows with `split.validation: 0`. */
export type OutOfFoldRows = RowSet<"out-of-fold">;
/** Rows for reporting, and nothing else. */
export type TestRows = RowSet<"test">;
/** Rows of the pool: predicted, accepted or flagged. */
export type PoolRows = RowSet<"pool">;
/** Out-of-fold rows, each calibrated without itself: may be reported where there is no test split. */
export type CrossFittedRows = RowSet<"cross-fitted">;

/** What a calibrator or a certificate can be made from. */
export type CertifyingRows = ValidationRows | OutOfFoldRows;
/** What a report can be made from. */
export type ReportRows = TestRows | CrossFittedRows;

/** Rows were offered for a use that is not theirs. The message says which row and why. */
export class RowUseError extends Error {
  override name = "RowUseError";
}

const genuine = new WeakSet<object>();

function prove<R extends Role>(role: R, rows: ScoredRows): RowSet<R> {
  const set = Object.freeze({ role, rows }) as RowSet<R>;
  genuine.add(set);
  return set;
}

/** What each role asks of a row. */
const DEMANDS: Record<Exclude<Role, "cross-fitted">, { splits: readonly string[]; seen: readonly string[] }> = {
  tune: { splits: ["tune"], seen: ["unseen", "out-of-fold"] },
  validation: { splits: ["validation"], seen: ["unseen"] },
  "out-of-fold": { splits: ["train", "tune"], seen: ["out-of-fold"] },
  test: { splits: ["test"], seen: ["unseen"] },
  pool: { splits: ["pool"], seen: ["unseen"] },
};

function check<R extends Exclude<Role, "cross-fitted">>(role: R, rows: ScoredRows): RowSet<R> {
  const demand = DEMANDS[role];
  for (let i = 0; i < rows.n; i++) {
    const split = SPLITS[rows.split[i]!]!;
    const seen = SEEN[rows.seen[i]!]!;
    if (demand.splits.includes(split) && demand.seen.includes(seen)) continue;
    const name = rows.ids ? rows.ids[i] : `number ${i}`;
    const why = demand.splits.includes(split)
      ? `its prediction comes from a model that was trained on it (${seen})`
      : `it belongs to ${split}`;
    throw new RowUseError(`Row ${name} cannot be used as a ${role} row: ${why}.`);
  }
  return prove(role, rows);
}

/** Proves that all rows are tune rows. @throws RowUseError */
export const tuneRows = (rows: ScoredRows): TuneRows => check("tune", rows);
/** Proves that all rows are validation rows that the model has not seen. @throws RowUseError */
export const validationRows = (rows: ScoredRows): ValidationRows => check("validation", rows);
/** Proves that all predictions are out-of-fold. @throws RowUseError */
export const outOfFoldRows = (rows: ScoredRows): OutOfFoldRows => check("out-of-fold", rows);
/** Proves that all rows are test rows that the model has not seen. @throws RowUseError */
export const testRows = (rows: ScoredRows): TestRows => check("test", rows);
/** Proves that all rows are pool rows. @throws RowUseError */
export const poolRows = (rows: ScoredRows): PoolRows => check("pool", rows);

/**
 * The rows of a table that can have the role, as a proven set: for example the validation rows of a table that holds
 * all splits.
 */
export function rowsFor<R extends Exclude<Role, "cross-fitted">>(role: R, rows: ScoredRows): RowSet<R> {
  const demand = DEMANDS[role];
  const which: number[] = [];
  for (let i = 0; i < rows.n; i++) {
    if (demand.splits.includes(SPLITS[rows.split[i]!]!) && demand.seen.includes(SEEN[rows.seen[i]!]!)) which.push(i);
  }
  return prove(role, which.length === rows.n ? rows : takeRows(rows, which));
}

/** @throws RowUseError unless the set was made here and has one of the roles. */
export function requireRole<R extends Role>(set: RowSet<R>, roles: readonly R[], use: string): ScoredRows {
  if (!genuine.has(set)) throw new RowUseError(`The rows offered for ${use} have no proven role.`);
  if (!roles.includes(set.role)) {
    throw new RowUseError(`${use} takes ${roles.join(" or ")} rows, not ${set.role} rows.`);
  }
  return set.rows;
}

/** Some rows of a proven set, with the same role. */
export function subset<R extends Role>(set: RowSet<R>, which: ArrayLike<number>): RowSet<R> {
  if (!genuine.has(set)) throw new RowUseError("The rows have no proven role.");
  return prove(set.role, takeRows(set.rows, which));
}

/**
 * The same rows with other confidences. Only `calibrated.ts` uses it: the rows (split, seen, labels, predictions) must be
 * those of the set.
 */
export function withConfidences<R extends Role, S extends Role>(set: RowSet<R>, role: S, rows: ScoredRows): RowSet<S> {
  if (!genuine.has(set)) throw new RowUseError("The rows have no proven role.");
  const same = rows.predicted === set.rows.predicted && rows.truth === set.rows.truth && rows.split === set.rows.split;
  if (!same) throw new RowUseError("Calibration must not change the rows.");
  if ((role as Role) !== set.role && !((role as Role) === "cross-fitted" && set.role === "out-of-fold")) {
    throw new RowUseError(`${set.role} rows cannot become ${role} rows.`);
  }
  return prove(role, rows);
}
