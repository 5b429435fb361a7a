/**
 * Predictions of one model for one target as columns: what metrics, calibration and the accept rule read.
 *
 * Columns are typed arrays so that a million rows fit in tens of megabytes. The whole distributions are kept only where
 * they are asked for (rows that a calibrator is fitted on); metrics need four numbers of each.
 */

import { checkDistribution, type Distribution, type ShownFigures, shownFigures, topPosition } from "./distribution.ts";

/** The splits of DESIGN §5, in the order of their codes in {@link ScoredRows.split}. */
export const SPLITS = ["train", "tune", "validation", "test", "pool"] as const;
export type Split = (typeof SPLITS)[number];

/**
 * What the model that made the prediction had seen of the row, in the order of the codes in {@link ScoredRows.seen}:
 * nothing; nothing in this fold (out-of-fold); or the row with its label (in-sample, from which no figure may come).
 */
export const SEEN = ["unseen", "out-of-fold", "trained-on"] as const;
export type Seen = (typeof SEEN)[number];

/** How a prediction ended, in the order of the codes in {@link ScoredRows.status}. Only `answered` rows have a label. */
export const STATUSES = ["answered", "failed", "unparsed", "out-of-list"] as const;
export type Status = (typeof STATUSES)[number];

/** One prediction of one target, as plain values. */
export interface ScoredRow {
  /** The row's id; optional, used to check that several targets or models speak of the same rows. */
  id?: string;
  split: Split;
  /** Default `unseen`. */
  seen?: Seen;
  /** Default `answered`. */
  status?: Status;
  /** Whether models disagree on the row, which keeps it from being accepted. Default false. */
  disagrees?: boolean;
  /** Number of the given label in the label list; null for a row without a label. */
  truth: number | null;
  /** Null unless `answered`. */
  distribution: Distribution | null;
}

/** Distributions of many rows, end to end. Row i owns entries `offsets[i]` to `offsets[i + 1]`. */
export interface PackedDistributions {
  offsets: Int32Array;
  labels: Int32Array;
  probabilities: Float64Array;
  rest: Float64Array;
  restCount: Int32Array;
}

/** Predictions of one model for one target; all columns have `n` entries. */
export interface ScoredRows {
  n: number;
  /** Label names; label numbers are positions in this list. Holds every label the model knows and every given label. */
  labels: readonly string[];
  /** Row ids, or null when they were not given. */
  ids: readonly string[] | null;
  /** Codes: positions in {@link SPLITS}. */
  split: Uint8Array;
  /** Codes: positions in {@link SEEN}. */
  seen: Uint8Array;
  /** Codes: positions in {@link STATUSES}. */
  status: Uint8Array;
  /** 1 where models disagree: such a row is never accepted, neither where a rule is certified nor where it is used. */
  disagrees: Uint8Array;
  /** Number of the given label, −1 without one. */
  truth: Int32Array;
  /** Number of the predicted label, −1 unless answered. */
  predicted: Int32Array;
  /** Uncalibrated probability of the predicted label, in [0, 1]; 0 unless answered. */
  score: Float64Array;
  /** Confidence: the calibrated probability that the predicted label is right; equal to `score` while uncalibrated. */
  confidence: Float64Array;
  /** Uncalibrated probability of the best label minus that of the second best; 0 unless answered. */
  margin: Float64Array;
  /** (Calibrated) probability of the given label; 0 without one or unless answered. */
  truthProbability: Float64Array;
  /** Sum of squared (calibrated) probabilities; 0 unless answered. */
  squaredSum: Float64Array;
  /** Whether `confidence`, `truthProbability` and `squaredSum` are calibrated. */
  calibrated: boolean;
  /** Uncalibrated distributions, or null when they were not kept. Rows that are not answered have none. */
  distributions: PackedDistributions | null;
}

/** Options of {@link scoredRowsBuilder}. */
export interface BuilderOptions {
  /** Label names of the target. */
  labels: readonly string[];
  /** Keep whole distributions: needed to fit a calibrator, for prediction sets and for label issues. Default false. */
  keepDistributions?: boolean;
  /** Figures of each calibrated distribution as it arrives, so that none has to be kept (`calibratedFigures`). */
  calibrate?: (distribution: Distribution, predicted: number, truth: number) => ShownFigures;
}

/** Takes rows one at a time and makes columns of them. */
export interface ScoredRowsBuilder {
  push(row: ScoredRow): void;
  /** The columns; the builder must not be used afterwards. */
  finish(): ScoredRows;
}

/** A growing typed array. */
function growing<T extends Uint8Array | Int32Array | Float64Array>(make: (size: number) => T) {
  let data = make(1024);
  let size = 0;
  return {
    push(value: number): void {
      if (size === data.length) {
        const larger = make(size * 2);
        larger.set(data);
        data = larger;
      }
      data[size++] = value;
    },
    finish(): T {
      return data.slice(0, size) as T;
    },
    get size(): number {
      return size;
    },
  };
}

const bytes = () => growing((size) => new Uint8Array(size));
const ints = () => growing((size) => new Int32Array(size));
const floats = () => growing((size) => new Float64Array(size));

/** Makes a builder of {@link ScoredRows}. */
export function scoredRowsBuilder(options: BuilderOptions): ScoredRowsBuilder {
  const { labels, keepDistributions = false, calibrate } = options;
  const figures = calibrate ?? shownFigures;
  const ids: string[] = [];
  const split = bytes();
  const seen = bytes();
  const status = bytes();
  const disagrees = bytes();
  const truth = ints();
  const predicted = ints();
  const score = floats();
  const confidence = floats();
  const margin = floats();
  const truthProbability = floats();
  const squares = floats();
  const offsets = ints();
  const packedLabels = ints();
  const packedProbabilities = floats();
  const rest = floats();
  const restCount = ints();
  offsets.push(0);

  function push(row: ScoredRow): void {
    const place = (): string => (row.id === undefined ? `row ${split.size}` : `row ${row.id}`);
    const answered = (row.status ?? "answered") === "answered";
    if (row.truth !== null && !(Number.isInteger(row.truth) && row.truth >= 0 && row.truth < labels.length)) {
      throw new RangeError(
        `The given label of ${place()} is number ${row.truth}, outside the ${labels.length} labels.`,
      );
    }
    if (answered !== (row.distribution !== null)) {
      throw new RangeError(`The prediction of ${place()} must have probabilities exactly when it is answered.`);
    }
    split.push(SPLITS.indexOf(row.split));
    seen.push(SEEN.indexOf(row.seen ?? "unseen"));
    status.push(STATUSES.indexOf(row.status ?? "answered"));
    disagrees.push(row.disagrees ? 1 : 0);
    truth.push(row.truth ?? -1);
    if (row.id !== undefined) ids.push(row.id);
    const { distribution } = row;
    if (distribution === null) {
      predicted.push(-1);
      for (const column of [score, confidence, margin, truthProbability, squares]) column.push(0);
    } else {
      try {
        checkDistribution(distribution, labels.length);
      } catch (error) {
        throw new RangeError(`The prediction of ${place()} is not usable. ${(error as Error).message}`);
      }
      const top = topPosition(distribution);
      const label = distribution.labels[top]!;
      const shown = figures(distribution, label, row.truth ?? -1);
      predicted.push(label);
      // Rounded files can say 1.000001.
      score.push(Math.min(1, distribution.probabilities[top]!));
      margin.push(marginOf(distribution, top));
      confidence.push(shown.confidence);
      truthProbability.push(shown.truthProbability);
      squares.push(shown.squaredSum);
    }
    if (keepDistributions) {
      const listed = distribution?.labels.length ?? 0;
      for (let i = 0; i < listed; i++) {
        packedLabels.push(distribution!.labels[i]!);
        packedProbabilities.push(distribution!.probabilities[i]!);
      }
      offsets.push(packedLabels.size);
      rest.push(distribution?.rest ?? 0);
      restCount.push(distribution?.restCount ?? 0);
    }
  }

  function finish(): ScoredRows {
    const n = split.size;
    if (ids.length > 0 && ids.length !== n) throw new RangeError("Either every row has an id or none has.");
    return {
      n,
      labels,
      ids: n > 0 && ids.length === n ? ids : null,
      split: split.finish(),
      seen: seen.finish(),
      status: status.finish(),
      disagrees: disagrees.finish(),
      truth: truth.finish(),
      predicted: predicted.finish(),
      score: score.finish(),
      confidence: confidence.finish(),
      margin: margin.finish(),
      truthProbability: truthProbability.finish(),
      squaredSum: squares.finish(),
      calibrated: calibrate !== undefined,
      distributions: keepDistributions
        ? {
            offsets: offsets.finish(),
            labels: packedLabels.finish(),
            probabilities: packedProbabilities.finish(),
            rest: rest.finish(),
            restCount: restCount.finish(),
          }
        : null,
    };
  }

  return { push, finish };
}

/** Columns from a list of rows. */
export function scoredRows(rows: Iterable<ScoredRow>, options: BuilderOptions): ScoredRows {
  const builder = scoredRowsBuilder(options);
  for (const row of rows) builder.push(row);
  return builder.finish();
}

function marginOf(distribution: Distribution, top: number): number {
  const { probabilities, rest, restCount } = distribution;
  let second = restCount > 0 ? rest / restCount : 0;
  for (let i = 0; i < probabilities.length; i++) {
    if (i !== top && probabilities[i]! > second) second = probabilities[i]!;
  }
  return Math.max(0, probabilities[top]! - second);
}

/** The uncalibrated distribution of row i; null when the row is not answered. @throws Error when none were kept. */
export function distributionAt(rows: ScoredRows, i: number): Distribution | null {
  const packed = rows.distributions;
  if (packed === null) throw new Error("The distributions of these rows were not kept (keepDistributions).");
  if (rows.predicted[i]! < 0) return null;
  const from = packed.offsets[i]!;
  const to = packed.offsets[i + 1]!;
  return {
    labels: packed.labels.subarray(from, to),
    probabilities: packed.probabilities.subarray(from, to),
    rest: packed.rest[i]!,
    restCount: packed.restCount[i]!,
  };
}

/** Whether row i has a given label and the prediction is that label. Failed, unparsed and out-of-list rows are wrong. */
export function isCorrect(rows: ScoredRows, i: number): boolean {
  return rows.predicted[i]! >= 0 && rows.predicted[i] === rows.truth[i];
}

/** The given rows, in the given order, as columns of their own. */
export function takeRows(rows: ScoredRows, which: ArrayLike<number>): ScoredRows {
  const n = which.length;
  const pick = <T extends Uint8Array | Int32Array | Float64Array>(column: T, result: T): T => {
    for (let i = 0; i < n; i++) result[i] = column[which[i]!]!;
    return result;
  };
  const floatColumn = (column: Float64Array) => pick(column, new Float64Array(n));
  return {
    n,
    labels: rows.labels,
    ids: rows.ids ? Array.from(which, (i) => rows.ids![i]!) : null,
    split: pick(rows.split, new Uint8Array(n)),
    seen: pick(rows.seen, new Uint8Array(n)),
    status: pick(rows.status, new Uint8Array(n)),
    disagrees: pick(rows.disagrees, new Uint8Array(n)),
    truth: pick(rows.truth, new Int32Array(n)),
    predicted: pick(rows.predicted, new Int32Array(n)),
    score: floatColumn(rows.score),
    confidence: floatColumn(rows.confidence),
    margin: floatColumn(rows.margin),
    truthProbability: floatColumn(rows.truthProbability),
    squaredSum: floatColumn(rows.squaredSum),
    calibrated: rows.calibrated,
    distributions: rows.distributions ? takePacked(rows.distributions, which) : null,
  };
}

function takePacked(packed: PackedDistributions, which: ArrayLike<number>): PackedDistributions {
  const n = which.length;
  const offsets = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    const row = which[i]!;
    offsets[i + 1] = offsets[i]! + packed.offsets[row + 1]! - packed.offsets[row]!;
  }
  const labels = new Int32Array(offsets[n]!);
  const probabilities = new Float64Array(offsets[n]!);
  const rest = new Float64Array(n);
  const restCount = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const row = which[i]!;
    labels.set(packed.labels.subarray(packed.offsets[row]!, packed.offsets[row + 1]!), offsets[i]!);
    probabilities.set(packed.probabilities.subarray(packed.offsets[row]!, packed.offsets[row + 1]!), offsets[i]!);
    rest[i] = packed.rest[row]!;
    restCount[i] = packed.restCount[row]!;
  }
  return { offsets, labels, probabilities, rest, restCount };
}

/** @throws RangeError unless the tables speak of the same rows in the same order (by id where both have ids). */
export function checkSameRows(tables: readonly ScoredRows[]): void {
  const first = tables[0];
  if (first === undefined) return;
  for (const table of tables) {
    if (table.n !== first.n)
      throw new RangeError(`The tables have ${first.n} and ${table.n} rows; they must be the same rows.`);
    if (first.ids && table.ids) {
      for (let i = 0; i < first.n; i++) {
        if (first.ids[i] !== table.ids[i]) {
          throw new RangeError(`Row ${i} is ${first.ids[i]} in one table and ${table.ids[i]} in the other.`);
        }
      }
    }
  }
}
