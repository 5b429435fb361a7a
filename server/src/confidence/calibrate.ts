/**
 * Calibrators: from a score to the probability that the predicted label is right (DESIGN §5.2).
 *
 * The kind is chosen on tune rows, the calibrator is fitted on validation (or out-of-fold) rows; roles.ts enforces both.
 * Temperature scaling acts on the whole distribution. The other kinds map the predicted label's score to its confidence,
 * and the other labels keep their proportions in what is left.
 */

import { type Distribution, type ShownFigures, shownFigures, topPosition } from "./distribution.ts";
import { applyHistogram, fitHistogram, type HistogramParameters } from "./histogram.ts";
import { applyIsotonic, fitIsotonic, type IsotonicParameters } from "./isotonic.ts";
import { applyPlatt, fitPlatt, type PlattParameters } from "./platt.ts";
import { seededPermutation } from "./random.ts";
import {
  type CertifyingRows,
  type CrossFittedRows,
  type OutOfFoldRows,
  type Role,
  type RowSet,
  requireRole,
  type TuneRows,
  withConfidences,
} from "./roles.ts";
import { distributionAt, isCorrect, type ScoredRows } from "./scoredRows.ts";
import { applyTemperature, fitTemperatureOfRows, PROBABILITY_FLOOR, temperedFigures } from "./temperature.ts";

/** The kinds of calibration, from the fewest assumptions about the need for it to the most parameters. */
export const CALIBRATION_KINDS = ["none", "temperature", "platt", "histogram", "isotonic"] as const;
export type CalibrationKind = (typeof CALIBRATION_KINDS)[number];

/** The function itself; plain JSON. Platt's f is the logit of the score, clipped to [1e-12, 1 − 1e-12]. */
export type CalibrationMap =
  | { kind: "none" }
  | { kind: "temperature"; temperature: number }
  | ({ kind: "platt" } & PlattParameters)
  | ({ kind: "histogram" } & HistogramParameters)
  | ({ kind: "isotonic" } & IsotonicParameters);

/** A fitted calibrator; plain JSON. */
export interface Calibrator {
  map: CalibrationMap;
  /** Which rows it was fitted on. */
  fittedOn: "validation" | "out-of-fold";
  /** How many labelled, answered rows it was fitted on. */
  rows: number;
  /** Why this kind, or why none, in a sentence for people. */
  why: string;
}

/** Fewest labelled rows from which each kind may be chosen (`auto`) or fitted; below, simpler kinds serve. */
export const ROW_FLOORS: Record<CalibrationKind, number> = {
  none: 0,
  temperature: 30,
  platt: 100,
  histogram: 1000,
  isotonic: 1000,
};

const logit = (score: number): number => {
  const p = Math.min(Math.max(score, PROBABILITY_FLOOR), 1 - PROBABILITY_FLOOR);
  return Math.log(p) - Math.log1p(-p);
};

/** The confidence of a score under a map that reads the score alone (every kind but temperature). */
function confidenceOfScore(map: Exclude<CalibrationMap, { kind: "temperature" }>, score: number): number {
  switch (map.kind) {
    case "none":
      return score;
    case "platt":
      return applyPlatt(map, logit(score));
    case "histogram":
      return applyHistogram(map, score);
    case "isotonic":
      return applyIsotonic(map, score);
  }
}

/**
 * The calibrated distribution. The predicted label is still the one the uncalibrated distribution puts first: after a
 * kind other than temperature another label can come out above it, which says only that the prediction is probably wrong.
 */
export function applyCalibration(map: CalibrationMap, distribution: Distribution): Distribution {
  if (map.kind === "none") return distribution;
  if (map.kind === "temperature") return applyTemperature(distribution, map.temperature);
  const top = topPosition(distribution);
  const score = distribution.probabilities[top]!;
  const confidence = confidenceOfScore(map, score);
  const scaled = new Float64Array(distribution.probabilities.length);
  let others = distribution.rest;
  for (let i = 0; i < scaled.length; i++) if (i !== top) others += distribution.probabilities[i]!;
  const factor = others > 0 ? (1 - confidence) / others : 0;
  for (let i = 0; i < scaled.length; i++) scaled[i] = i === top ? confidence : distribution.probabilities[i]! * factor;
  // Nothing was left for the others: what the calibrator takes from the top label belongs to no label we can name.
  const rest = others > 0 ? distribution.rest * factor : 1 - confidence;
  return { labels: distribution.labels, probabilities: scaled, rest, restCount: distribution.restCount };
}

/** What metrics need of the calibrated distribution. `predicted` is the label the uncalibrated one puts first; `truth` −1 without one. */
export function calibratedFigures(
  map: CalibrationMap,
  distribution: Distribution,
  predicted: number,
  truth: number,
): ShownFigures {
  if (map.kind === "none") return shownFigures(distribution, predicted, truth);
  if (map.kind === "temperature") return temperedFigures(distribution, map.temperature, predicted, truth);
  return shownFigures(applyCalibration(map, distribution), predicted, truth);
}

/** Positions of the rows a calibrator can be fitted on: answered and labelled. */
function usableRows(rows: ScoredRows): number[] {
  const which: number[] = [];
  for (let i = 0; i < rows.n; i++) if (rows.predicted[i]! >= 0 && rows.truth[i]! >= 0) which.push(i);
  return which;
}

/** Fits a map of one kind on the given rows, whatever their number (at least one). */
function fitMap(kind: CalibrationKind, rows: ScoredRows, which: ArrayLike<number>): CalibrationMap {
  if (kind === "none") return { kind };
  if (kind === "temperature") return { kind, temperature: fitTemperatureOfRows(rows, which) };
  const n = which.length;
  const score = new Float64Array(n);
  const right = new Uint8Array(n);
  for (let j = 0; j < n; j++) {
    score[j] = rows.score[which[j]!]!;
    right[j] = isCorrect(rows, which[j]!) ? 1 : 0;
  }
  if (kind === "platt") return { kind, ...fitPlatt(score.map(logit), right) };
  if (kind === "histogram") return { kind, ...fitHistogram(score, right) };
  return { kind, ...fitIsotonic(score, right) };
}

/**
 * Fits a calibrator of the given kind on validation or out-of-fold rows. With fewer labelled rows than the kind's floor
 * the calibrator is `none` and `why` says so. `temperature` needs rows whose distributions were kept.
 */
export function fitCalibrator(set: CertifyingRows, kind: CalibrationKind, why = `${kind} was asked for.`): Calibrator {
  const rows = requireRole(set, ["validation", "out-of-fold"], "Calibration");
  const which = usableRows(rows);
  const floor = ROW_FLOORS[kind];
  if (which.length < floor) {
    return {
      map: { kind: "none" },
      fittedOn: set.role,
      rows: which.length,
      why: `Not calibrated: ${kind} needs at least ${floor} labelled ${set.role} rows and there are ${which.length}.`,
    };
  }
  return { map: fitMap(kind, rows, which), fittedOn: set.role, rows: which.length, why };
}

/** The table with calibrated confidences; the rows and predictions are those of the table. */
function calibratedRows(rows: ScoredRows, mapOf: (row: number) => CalibrationMap): ScoredRows {
  const confidence = new Float64Array(rows.n);
  const truthProbability = new Float64Array(rows.n);
  const squares = new Float64Array(rows.n);
  for (let i = 0; i < rows.n; i++) {
    const distribution = distributionAt(rows, i);
    if (distribution === null) continue;
    const shown = calibratedFigures(mapOf(i), distribution, rows.predicted[i]!, rows.truth[i]!);
    confidence[i] = shown.confidence;
    truthProbability[i] = shown.truthProbability;
    squares[i] = shown.squaredSum;
  }
  return { ...rows, confidence, truthProbability, squaredSum: squares, calibrated: true };
}

/** The same rows, in the same role, with calibrated confidences. The distributions must have been kept. */
export function calibrate<R extends Role>(set: RowSet<R>, calibrator: Calibrator): RowSet<R> {
  return withConfidences(
    set,
    set.role,
    calibratedRows(set.rows, () => calibrator.map),
  );
}

/**
 * Calibrates each out-of-fold row by a calibrator fitted on the other folds, so that the result can be reported where
 * there is no test split.
 * @param folds fold number of each row (duplicates and groups in the same fold), or how many seeded folds to make
 */
export function crossFit(
  set: OutOfFoldRows,
  kind: CalibrationKind,
  folds: ArrayLike<number> | number = 5,
  seed = 42,
): CrossFittedRows {
  const rows = requireRole(set, ["out-of-fold"], "Cross-fitting");
  const foldOf = typeof folds === "number" ? seededFolds(rows.n, folds, seed) : folds;
  const usable = usableRows(rows);
  const maps = new Map<number, CalibrationMap>();
  for (let i = 0; i < rows.n; i++) {
    const fold = foldOf[i]!;
    if (maps.has(fold)) continue;
    const others = usable.filter((row) => foldOf[row] !== fold);
    maps.set(fold, others.length < Math.max(1, ROW_FLOORS[kind]) ? { kind: "none" } : fitMap(kind, rows, others));
  }
  return withConfidences(
    set,
    "cross-fitted",
    calibratedRows(rows, (i) => maps.get(foldOf[i]!)!),
  );
}

function seededFolds(n: number, folds: number, seed: number): Int32Array {
  const order = seededPermutation(n, seed);
  const foldOf = new Int32Array(n);
  for (let i = 0; i < n; i++) foldOf[order[i]!] = i % folds;
  return foldOf;
}

/** How one kind did in the choice. */
export interface CalibrationCandidate {
  kind: CalibrationKind;
  /** Mean cross-validated log loss of "the prediction is right" (clipped at 1e-12); null when it was not tried. */
  logLoss: number | null;
  /** Standard error of the mean difference from the best kind's log loss; null when it was not tried. */
  standardError: number | null;
  /** Why it was not tried, or null. */
  skipped: string | null;
}

/** The result of `calibration: auto`. */
export interface CalibrationChoice {
  kind: CalibrationKind;
  /** A sentence for people. */
  why: string;
  candidates: CalibrationCandidate[];
}

/**
 * Chooses the kind of calibration on tune rows: five seeded folds, log loss of "the prediction is right". The kind with
 * the least loss wins only if it beats temperature scaling by more than one standard error of the paired
 * difference; among the kinds within one standard error of the best, the one with the fewest parameters is taken.
 */
export function chooseCalibration(set: TuneRows, seed = 42): CalibrationChoice {
  const rows = requireRole(set, ["tune"], "The choice of a calibrator");
  const which = usableRows(rows);
  const losses = new Map<CalibrationKind, Float64Array>();
  const skipped = new Map<CalibrationKind, string>();
  for (const kind of CALIBRATION_KINDS) {
    if (which.length < Math.max(ROW_FLOORS[kind], ROW_FLOORS.temperature)) {
      skipped.set(
        kind,
        `needs ${Math.max(ROW_FLOORS[kind], ROW_FLOORS.temperature)} labelled tune rows, there are ${which.length}`,
      );
    } else losses.set(kind, crossValidatedLoss(kind, rows, which, seed));
  }
  const tried = CALIBRATION_KINDS.filter((kind) => losses.has(kind));
  if (tried.length === 0) {
    return {
      kind: "temperature",
      why: `Temperature scaling without a choice: ${which.length} labelled tune rows are too few to compare kinds (${ROW_FLOORS.temperature} needed).`,
      candidates: CALIBRATION_KINDS.map((kind) => ({
        kind,
        logLoss: null,
        standardError: null,
        skipped: skipped.get(kind) ?? null,
      })),
    };
  }
  const means = new Map(tried.map((kind) => [kind, mean(losses.get(kind)!)]));
  const best = tried.reduce((a, b) => (means.get(b)! < means.get(a)! ? b : a));
  const errors = new Map(tried.map((kind) => [kind, pairedError(losses.get(kind)!, losses.get(best)!)]));
  const close = (kind: CalibrationKind): boolean => means.get(kind)! - means.get(best)! <= errors.get(kind)!;
  // Temperature stands first: it keeps the order of labels, and "none" is only taken when it is clearly better.
  const simplest: CalibrationKind[] = ["temperature", "none", "platt", "histogram", "isotonic"];
  const kind = simplest.find((candidate) => means.has(candidate) && close(candidate)) ?? best;
  const figure = (k: CalibrationKind): string => means.get(k)!.toFixed(4);
  const notTried = CALIBRATION_KINDS.filter((k) => skipped.has(k));
  const why =
    (kind === best
      ? `${kind} has the least cross-validated log loss on ${which.length} tune rows (${figure(kind)}; uncalibrated ${figure("none")}).`
      : `${kind} (log loss ${figure(kind)} on ${which.length} tune rows) is within one standard error of ${best} (${figure(best)}) and simpler.`) +
    (notTried.length > 0 ? ` Not tried for lack of rows: ${notTried.join(", ")}.` : "");
  return {
    kind,
    why,
    candidates: CALIBRATION_KINDS.map((k) => ({
      kind: k,
      logLoss: means.get(k) ?? null,
      standardError: errors.get(k) ?? null,
      skipped: skipped.get(k) ?? null,
    })),
  };
}

function crossValidatedLoss(
  kind: CalibrationKind,
  rows: ScoredRows,
  which: readonly number[],
  seed: number,
): Float64Array {
  const folds = 5;
  const foldOf = seededFolds(which.length, folds, seed);
  const loss = new Float64Array(which.length);
  for (let fold = 0; fold < folds; fold++) {
    const map = fitMap(
      kind,
      rows,
      which.filter((_, j) => foldOf[j] !== fold),
    );
    for (let j = 0; j < which.length; j++) {
      if (foldOf[j] !== fold) continue;
      const row = which[j]!;
      const confidence =
        map.kind === "temperature"
          ? calibratedFigures(map, distributionAt(rows, row)!, rows.predicted[row]!, -1).confidence
          : confidenceOfScore(map, rows.score[row]!);
      const probability = isCorrect(rows, row) ? confidence : 1 - confidence;
      loss[j] = -Math.log(Math.max(probability, PROBABILITY_FLOOR));
    }
  }
  return loss;
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Standard error of the mean of the paired differences. */
function pairedError(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference;
    squares += difference * difference;
  }
  return n > 1 ? Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2) / (n - 1)) : 0;
}
