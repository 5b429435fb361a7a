/**
 * The report of one model on one target, and over targets (DESIGN §5.5). Only from report rows: test rows, or
 * out-of-fold rows that were calibrated without themselves.
 *
 * Failed, unparsed and out-of-list rows are counted apart and are wrong everywhere a row is right or wrong (accuracy, F1,
 * MCC, AURC, coverage: they come last and are never accepted). They have no probabilities, so log loss, Brier, calibration and
 * AUROC speak of the answered rows; `answered` says how many that is.
 */

import { type AcceptRows, type AcceptThresholds, acceptedMask } from "../confidence/acceptRule.ts";
import { clopperPearsonUpper, type Interval, normalQuantile, wilson } from "../confidence/binomial.ts";
import { type ReportRows, requireRole } from "../confidence/roles.ts";
import { checkSameRows, isCorrect, type ScoredRows, STATUSES } from "../confidence/scoredRows.ts";
import { PROBABILITY_FLOOR } from "../confidence/temperature.ts";
import { type CalibrationReport, calibrationReport } from "./bins.ts";
import {
  type ConfusionAverages,
  type ConfusionPair,
  confusionAverages,
  confusionPairs,
  confusionTable,
  type LabelFigures,
  labelFigures,
  type Measure,
} from "./confusion.ts";
import { aurc, auroc, type CoverageAtRisk, coverageAtRisk, excessAurc, rankIntervals, rankRows } from "./ranking.ts";

/** The report of one target; plain JSON. Intervals are at 95 %. */
export interface TargetReport {
  /** Which rows it comes from. */
  rows: "test" | "cross-fitted";
  /** Whether the confidences were calibrated. */
  calibrated: boolean;
  /** Labelled rows: what every share below is a share of. */
  n: number;
  /** Rows without a given label; nothing is said of them. */
  unlabelled: number;
  /** Labelled rows by how the prediction ended. */
  answered: number;
  failed: number;
  unparsed: number;
  outOfList: number;
  averages: ConfusionAverages;
  /** Labels that are given or predicted: what macro averages run over. */
  labelsSeen: number;
  /** Mean −ln p of the given label, clipped at 1e-12; answered rows; normal interval. Null without answered rows. */
  logLoss: Measure | null;
  /** Mean over answered rows of the sum over classes of (p − y)², in [0, 2]; normal interval. */
  brier: Measure | null;
  /** Mean over answered rows of (confidence − right)², in [0, 1]: Brier's score of the confidence alone. */
  confidenceBrier: Measure | null;
  /** Mean confidence of answered rows. */
  meanConfidence: number | null;
  /** ECE and MCE in bins of equal width, with the band of a perfectly calibrated model. */
  calibration: CalibrationReport;
  /** The same in bins of equal numbers of rows. */
  calibrationEqualMass: CalibrationReport;
  /** Confidence against right or wrong, answered rows; null when all are right or all wrong. */
  auroc: Measure | null;
  aurc: Measure;
  excessAurc: Measure;
  /** Largest coverage with at most this measured risk, on these rows: a description, not a promise. */
  coverageAtRisk: (CoverageAtRisk & Interval)[];
  labels: LabelFigures[];
  confusions: ConfusionPair[];
}

/** Options of {@link reportTarget}. */
export interface ReportOptions {
  /** Bins of the calibration error, default 15. */
  bins?: number;
  /** Risks for coverage at risk; default .01, .02, .05, .1. */
  risks?: readonly number[];
  /** Seed of simulations and bootstraps, default 42. */
  seed?: number;
  /** Most pairs listed under `confusions`, default 50. */
  confusions?: number;
}

const measure = (value: number, interval: Interval): Measure => ({ value, low: interval.low, high: interval.high });

/** A mean with its normal 95 % interval. */
interface RunningMean {
  add(value: number): void;
  measure(lowest: number, highest: number): Measure | null;
}

function runningMean(): RunningMean {
  let n = 0;
  let mean = 0;
  let squares = 0;
  return {
    // Welford's update: no loss of digits over millions of rows.
    add(value) {
      n++;
      const step = value - mean;
      mean += step / n;
      squares += step * (value - mean);
    },
    measure(lowest, highest) {
      if (n === 0) return null;
      const half = n > 1 ? normalQuantile(0.975) * Math.sqrt(squares / (n - 1) / n) : highest - lowest;
      return { value: mean, low: Math.max(lowest, mean - half), high: Math.min(highest, mean + half) };
    },
  };
}

/** All figures of one target. @throws RowUseError for rows that were used for anything else. */
export function reportTarget(set: ReportRows, options: ReportOptions = {}): TargetReport {
  const rows = requireRole<ReportRows["role"]>(set, ["test", "cross-fitted"], "A report");
  const seed = options.seed ?? 42;
  const byStatus = new Array<number>(STATUSES.length).fill(0);
  const logLoss = runningMean();
  const brier = runningMean();
  const confidenceBrier = runningMean();
  let n = 0;
  for (let i = 0; i < rows.n; i++) if (rows.truth[i]! >= 0) n++;
  // Ranked: every labelled row, those without an answer last (−1). Answered: only those with one.
  const rankedConfidence = new Float64Array(n);
  const rankedRight = new Uint8Array(n);
  const confidence = new Float64Array(n);
  const right = new Uint8Array(n);
  let at = 0;
  let answered = 0;
  let confidenceSum = 0;
  for (let i = 0; i < rows.n; i++) {
    if (rows.truth[i]! < 0) continue;
    byStatus[rows.status[i]!]!++;
    const correct = isCorrect(rows, i) ? 1 : 0;
    rankedRight[at] = correct;
    rankedConfidence[at++] = rows.predicted[i]! < 0 ? -1 : rows.confidence[i]!;
    if (rows.predicted[i]! < 0) continue;
    confidence[answered] = rows.confidence[i]!;
    right[answered++] = correct;
    confidenceSum += rows.confidence[i]!;
    logLoss.add(-Math.log(Math.max(rows.truthProbability[i]!, PROBABILITY_FLOOR)));
    brier.add(rows.squaredSum[i]! - 2 * rows.truthProbability[i]! + 1);
    confidenceBrier.add((rows.confidence[i]! - correct) ** 2);
  }
  const answeredConfidence = confidence.subarray(0, answered);
  const answeredRight = right.subarray(0, answered);
  const table = confusionTable(rows);
  const labels = labelFigures(table);
  const ranked = rankRows(rankedConfidence, rankedRight);
  const area = auroc(answered === n ? ranked : rankRows(answeredConfidence.slice(), answeredRight));
  const risks = options.risks ?? [0.01, 0.02, 0.05, 0.1];
  const intervals = rankIntervals(ranked, risks, seed);
  const bins = { bins: options.bins, seed };
  return {
    rows: set.role,
    calibrated: rows.calibrated,
    n,
    unlabelled: rows.n - n,
    answered: byStatus[0]!,
    failed: byStatus[1]!,
    unparsed: byStatus[2]!,
    outOfList: byStatus[3]!,
    averages: confusionAverages(table, seed),
    labelsSeen: labels.length,
    logLoss: logLoss.measure(0, -Math.log(PROBABILITY_FLOOR)),
    brier: brier.measure(0, 2),
    confidenceBrier: confidenceBrier.measure(0, 1),
    meanConfidence: answered === 0 ? null : confidenceSum / answered,
    calibration: calibrationReport(answeredConfidence, answeredRight, bins),
    calibrationEqualMass: calibrationReport(answeredConfidence.slice(), answeredRight, { ...bins, kind: "mass" }),
    auroc: area === null ? null : measure(area.value, area.interval),
    aurc: measure(aurc(ranked), intervals.aurc),
    excessAurc: measure(excessAurc(ranked), intervals.excessAurc),
    coverageAtRisk: risks.map((risk, j) => ({ ...coverageAtRisk(ranked, risk), ...intervals.coverageAtRisk[j]! })),
    labels,
    confusions: confusionPairs(table, options.confusions),
  };
}

/** Share of rows with all targets right, among rows with all targets labelled; plain JSON. */
export interface JointReport {
  targets: number;
  n: number;
  /** Wilson interval; null without rows. */
  jointAccuracy: Measure | null;
}

/** Joint accuracy over targets: the tables must be of the same rows in the same order. */
export function reportJoint(sets: readonly ReportRows[]): JointReport {
  const tables = sets.map((set) => requireRole<ReportRows["role"]>(set, ["test", "cross-fitted"], "A report"));
  checkSameRows(tables);
  let n = 0;
  let right = 0;
  for (let i = 0; i < (tables[0]?.n ?? 0); i++) {
    if (!tables.every((table) => table.truth[i]! >= 0)) continue;
    n++;
    if (tables.every((table) => isCorrect(table, i))) right++;
  }
  return { targets: sets.length, n, jointAccuracy: n === 0 ? null : measure(right / n, wilson(right, n)) };
}

/** What an accept rule does on report rows; plain JSON. */
export interface AcceptReport {
  /** Labelled rows. */
  n: number;
  accepted: number;
  errors: number;
  coverage: Measure | null;
  /** errors / accepted with Wilson's interval; null when nothing is accepted. */
  errorRate: Measure | null;
  /** One-sided exact 95 % upper bound of the error rate. */
  errorBound: number;
  /** Share of rows a person reviews. */
  reviewShare: number | null;
}

/** Measures an accept rule on report rows. */
export function reportAccept(
  rows: AcceptRows<"test"> | AcceptRows<"cross-fitted">,
  rule: AcceptThresholds,
): AcceptReport {
  for (const set of rows.sets as readonly ReportRows[])
    requireRole<ReportRows["role"]>(set, ["test", "cross-fitted"], "A report");
  const mask = acceptedMask(rows, rule);
  let n = 0;
  let accepted = 0;
  let errors = 0;
  for (let i = 0; i < rows.n; i++) {
    if (!rows.labelled[i]) continue;
    n++;
    if (!mask[i]) continue;
    accepted++;
    errors += rows.wrong[i]!;
  }
  return {
    n,
    accepted,
    errors,
    coverage: n === 0 ? null : measure(accepted / n, wilson(accepted, n)),
    errorRate: accepted === 0 ? null : measure(errors / accepted, wilson(errors, accepted)),
    errorBound: clopperPearsonUpper(errors, accepted, 0.05),
    reviewShare: n === 0 ? null : 1 - accepted / n,
  };
}

/** A slice: the rows with one value of a column; plain JSON. */
export interface SliceReport {
  /** The value; null gathers the values beyond the most frequent ones. */
  value: string | null;
  n: number;
  accuracy: Measure;
  meanConfidence: number;
  /** Mean confidence less accuracy, answered rows and others alike: above 0 is overconfident. */
  overconfidence: number;
  /** Accepted share and error rate among the accepted, when a rule was given. */
  coverage: number | null;
  acceptedErrorRate: Measure | null;
  /** True when this slice's accuracy interval lies wholly below or above that of all rows. */
  stands: "below" | "above" | null;
}

/**
 * Figures by the values of a column, most frequent first.
 * @param codes number of each row's value in `values`; −1: no value, left out
 * @param accepted 1 for accepted rows, when there is a rule
 */
export function reportSlices(
  set: ReportRows,
  codes: ArrayLike<number>,
  values: readonly string[],
  accepted?: Uint8Array,
  most = 50,
): SliceReport[] {
  const rows: ScoredRows = requireRole<ReportRows["role"]>(set, ["test", "cross-fitted"], "A report");
  const width = values.length;
  const column = () => new Float64Array(width);
  const [count, right, confidence, taken, wrong] = [column(), column(), column(), column(), column()];
  let n = 0;
  let rightInAll = 0;
  for (let i = 0; i < rows.n; i++) {
    const code = codes[i]!;
    if (rows.truth[i]! < 0 || code < 0) continue;
    const correct = isCorrect(rows, i) ? 1 : 0;
    n++;
    rightInAll += correct;
    count[code]!++;
    right[code]! += correct;
    confidence[code]! += rows.confidence[i]!;
    if (accepted?.[i]) {
      taken[code]!++;
      wrong[code]! += 1 - correct;
    }
  }
  const overall = wilson(rightInAll, n);
  const order = Array.from(values, (_, code) => code)
    .filter((code) => count[code]! > 0)
    .sort((a, b) => count[b]! - count[a]! || a - b);
  const report = (value: string | null, members: readonly number[]): SliceReport => {
    const sum = (of: Float64Array): number => members.reduce((total, code) => total + of[code]!, 0);
    const rowsHere = sum(count);
    const accuracy = measure(sum(right) / rowsHere, wilson(sum(right), rowsHere));
    const takenHere = sum(taken);
    return {
      value,
      n: rowsHere,
      accuracy,
      meanConfidence: sum(confidence) / rowsHere,
      overconfidence: (sum(confidence) - sum(right)) / rowsHere,
      coverage: accepted ? takenHere / rowsHere : null,
      acceptedErrorRate: takenHere > 0 ? measure(sum(wrong) / takenHere, wilson(sum(wrong), takenHere)) : null,
      stands: accuracy.high < overall.low ? "below" : accuracy.low > overall.high ? "above" : null,
    };
  };
  const slices = order.slice(0, most).map((code) => report(values[code]!, [code]));
  if (order.length > most) slices.push(report(null, order.slice(most)));
  return slices;
}
