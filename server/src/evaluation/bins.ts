/**
 * Calibration error by bins of the confidence: ECE, MCE, their root-mean-square kin, and the band that a perfectly
 * calibrated model of the same confidences would show.
 *
 * Bin convention: `(lo, hi]` with 0 in the first bin (Naeini 2015, Guo 2017), edges compared with a tolerance of 1e-12
 * in units of bins, so that 0.3 × 10 is bin edge 3. torchmetrics uses `[lo, hi)` with 1 in the last; available as an option.
 */

import type { Interval } from "../confidence/binomial.ts";
import { descendingOrder } from "../confidence/order.ts";
import { type Random, seededRandom } from "../confidence/random.ts";

/** Which end of a bin belongs to it. */
export type BinConvention = "(lo,hi]" | "[lo,hi)";

/** How many bins when nothing is said. */
export const DEFAULT_BINS = 15;
const EDGE_TOLERANCE = 1e-12;

/** One bin of a reliability diagram; plain JSON. */
export interface ReliabilityBin {
  /** Lower and upper edge (equal width) or lowest and highest confidence (equal mass). */
  low: number;
  high: number;
  count: number;
  /** Mean confidence; null when empty. */
  confidence: number | null;
  /** Share of right predictions; null when empty. */
  accuracy: number | null;
}

/** The bin of a confidence among `bins` bins of equal width. */
export function binOf(confidence: number, bins: number, convention: BinConvention = "(lo,hi]"): number {
  const bin =
    convention === "(lo,hi]"
      ? Math.ceil(confidence * bins - EDGE_TOLERANCE) - 1
      : Math.floor(confidence * bins + EDGE_TOLERANCE);
  return Math.min(bins - 1, Math.max(0, bin));
}

/** Sums by bin, from which everything here follows. */
interface BinSums {
  n: number;
  count: Float64Array;
  confidence: Float64Array;
  right: Float64Array;
  low: Float64Array;
  high: Float64Array;
  /** The bin of every row. */
  binOfRow: Int32Array;
}

function equalWidth(confidence: Float64Array, right: Uint8Array, bins: number, convention: BinConvention): BinSums {
  const sums = emptySums(confidence.length, bins);
  for (let b = 0; b < bins; b++) {
    sums.low[b] = b / bins;
    sums.high[b] = (b + 1) / bins;
  }
  for (let i = 0; i < confidence.length; i++) {
    const b = binOf(confidence[i]!, bins, convention);
    sums.binOfRow[i] = b;
    sums.count[b]!++;
    sums.confidence[b]! += confidence[i]!;
    sums.right[b]! += right[i]!;
  }
  return sums;
}

/** Bins of equal numbers of rows (larger ones first when it does not divide); equal confidences are never parted. */
function equalMass(confidence: Float64Array, right: Uint8Array, bins: number): BinSums {
  const n = confidence.length;
  const sums = emptySums(n, bins);
  const order = descendingOrder(confidence).reverse();
  const small = Math.floor(n / bins);
  const larger = n % bins;
  let b = 0;
  let end = small + (larger > 0 ? 1 : 0);
  for (let at = 0; at < n; at++) {
    const row = order[at]!;
    while (at >= end && b < bins - 1 && confidence[row] !== confidence[order[at - 1]!]) {
      b++;
      end += small + (b < larger ? 1 : 0);
    }
    if (sums.count[b] === 0) sums.low[b] = confidence[row]!;
    sums.high[b] = confidence[row]!;
    sums.binOfRow[row] = b;
    sums.count[b]!++;
    sums.confidence[b]! += confidence[row]!;
    sums.right[b]! += right[row]!;
  }
  return sums;
}

function emptySums(n: number, bins: number): BinSums {
  const column = () => new Float64Array(bins);
  return {
    n,
    count: column(),
    confidence: column(),
    right: column(),
    low: column(),
    high: column(),
    binOfRow: new Int32Array(n),
  };
}

/** Weighted mean gap (`l1`: ECE), root of the weighted mean squared gap (`l2`), largest gap (`max`: MCE). */
export interface CalibrationErrors {
  l1: number;
  l2: number;
  max: number;
}

function errorsOf(
  count: ArrayLike<number>,
  confidence: ArrayLike<number>,
  right: ArrayLike<number>,
): CalibrationErrors {
  let n = 0;
  let l1 = 0;
  let l2 = 0;
  let max = 0;
  for (let b = 0; b < count.length; b++) {
    if (count[b]! <= 0) continue;
    const gap = Math.abs(confidence[b]! - right[b]!);
    n += count[b]!;
    l1 += gap;
    l2 += (gap * gap) / count[b]!;
    max = Math.max(max, gap / count[b]!);
  }
  return n === 0 ? { l1: 0, l2: 0, max: 0 } : { l1: l1 / n, l2: Math.sqrt(l2 / n), max };
}

/** Options of {@link calibrationErrors}. */
export interface BinOptions {
  /** Default 15. */
  bins?: number;
  /** Default `width`. */
  kind?: "width" | "mass";
  /** Default `(lo,hi]`; equal width only. */
  convention?: BinConvention;
}

function sumsOf(confidence: Float64Array, right: Uint8Array, options: BinOptions): BinSums {
  const bins = options.bins ?? DEFAULT_BINS;
  return options.kind === "mass"
    ? equalMass(confidence, right, bins)
    : equalWidth(confidence, right, bins, options.convention ?? "(lo,hi]");
}

/** ECE (`l1`), its root-mean-square kin (`l2`) and MCE (`max`). `right`: 1 where the prediction was right. */
export function calibrationErrors(
  confidence: Float64Array,
  right: Uint8Array,
  options: BinOptions = {},
): CalibrationErrors {
  const sums = sumsOf(confidence, right, options);
  return errorsOf(sums.count, sums.confidence, sums.right);
}

/** Calibration error with what is needed to judge it; plain JSON. */
export interface CalibrationReport {
  kind: "width" | "mass";
  /** `(lo,hi]` or `[lo,hi)`. */
  convention: BinConvention;
  bins: ReliabilityBin[];
  /** Rows. */
  n: number;
  ece: number;
  /** Basic bootstrap 95 % interval of the ECE from bin counts; null without rows. */
  interval: Interval | null;
  mce: number;
  /**
   * What a perfectly calibrated model with these confidences would show on as many rows: mean ECE and its 95 % quantile, by
   * seeded simulation. An ECE below `high` is no evidence of miscalibration.
   */
  band: { mean: number; high: number; mceMean: number; mceHigh: number } | null;
}

const REPLICATES = 500;

/** The calibration report of confidences against outcomes. */
export function calibrationReport(
  confidence: Float64Array,
  right: Uint8Array,
  options: BinOptions & { seed?: number } = {},
): CalibrationReport {
  const sums = sumsOf(confidence, right, options);
  const errors = errorsOf(sums.count, sums.confidence, sums.right);
  const bins = Array.from(
    sums.count,
    (count, b): ReliabilityBin => ({
      low: sums.low[b]!,
      high: sums.high[b]!,
      count,
      confidence: count === 0 ? null : sums.confidence[b]! / count,
      accuracy: count === 0 ? null : sums.right[b]! / count,
    }),
  );
  return {
    kind: options.kind ?? "width",
    convention: options.convention ?? "(lo,hi]",
    bins,
    n: sums.n,
    ece: errors.l1,
    interval: sums.n === 0 ? null : eceInterval(confidence, right, sums, errors.l1, seededRandom(options.seed ?? 42)),
    mce: errors.max,
    band: sums.n === 0 ? null : perfectBand(confidence, sums, seededRandom((options.seed ?? 42) + 1)),
  };
}

/**
 * Basic bootstrap (2θ̂ − quantile): an ECE of resampled rows is too large by about as much as θ̂ itself is, and this form
 * takes the excess away. Rows are resampled within (bin, right or wrong) by count (Poisson bootstrap), and the sum of
 * their confidences by its normal approximation, so that the cost does not grow with the rows.
 */
function eceInterval(
  confidence: Float64Array,
  right: Uint8Array,
  sums: BinSums,
  ece: number,
  random: Random,
): Interval {
  const bins = sums.count.length;
  const count = new Float64Array(2 * bins);
  const total = new Float64Array(2 * bins);
  const squares = new Float64Array(2 * bins);
  for (let i = 0; i < confidence.length; i++) {
    const cell = 2 * sums.binOfRow[i]! + right[i]!;
    count[cell]!++;
    total[cell]! += confidence[i]!;
    squares[cell]! += confidence[i]! * confidence[i]!;
  }
  const drawn = new Float64Array(REPLICATES);
  const newCount = new Float64Array(bins);
  const newConfidence = new Float64Array(bins);
  const newRight = new Float64Array(bins);
  for (let r = 0; r < REPLICATES; r++) {
    for (let b = 0; b < bins; b++) {
      newCount[b] = 0;
      newConfidence[b] = 0;
      newRight[b] = 0;
      for (let outcome = 0; outcome < 2; outcome++) {
        const cell = 2 * b + outcome;
        if (count[cell] === 0) continue;
        const mean = total[cell]! / count[cell]!;
        const variance = Math.max(0, squares[cell]! / count[cell]! - mean * mean);
        const rows = random.poisson(count[cell]!);
        newCount[b]! += rows;
        newConfidence[b]! += rows * mean + Math.sqrt(rows * variance) * random.normal();
        newRight[b]! += outcome * rows;
      }
    }
    drawn[r] = errorsOf(newCount, newConfidence, newRight).l1;
  }
  drawn.sort();
  const clip = (value: number): number => Math.min(1, Math.max(0, value));
  return { low: clip(2 * ece - quantile(drawn, 0.975)), high: clip(2 * ece - quantile(drawn, 0.025)) };
}

/** Above this many rows a bin's number of right predictions is drawn from its normal approximation. */
const EXACT_ROWS = 20_000;

function perfectBand(confidence: Float64Array, sums: BinSums, random: Random): CalibrationReport["band"] {
  const bins = sums.count.length;
  const n = confidence.length;
  const right = new Float64Array(bins);
  const deviation = new Float64Array(bins);
  for (let i = 0; i < n; i++) deviation[sums.binOfRow[i]!]! += confidence[i]! * (1 - confidence[i]!);
  for (let b = 0; b < bins; b++) deviation[b] = Math.sqrt(Math.max(0, deviation[b]!));
  const eces = new Float64Array(REPLICATES);
  const mces = new Float64Array(REPLICATES);
  for (let r = 0; r < REPLICATES; r++) {
    if (n <= EXACT_ROWS) {
      right.fill(0);
      for (let i = 0; i < n; i++) if (random.uniform() < confidence[i]!) right[sums.binOfRow[i]!]!++;
    } else {
      for (let b = 0; b < bins; b++) right[b] = sums.confidence[b]! + deviation[b]! * random.normal();
    }
    const errors = errorsOf(sums.count, sums.confidence, right);
    eces[r] = errors.l1;
    mces[r] = errors.max;
  }
  eces.sort();
  mces.sort();
  return { mean: mean(eces), high: quantile(eces, 0.95), mceMean: mean(mces), mceHigh: quantile(mces, 0.95) };
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** The quantile of rising values, by linear interpolation (type 7). */
export function quantile(rising: ArrayLike<number>, share: number): number {
  const at = (rising.length - 1) * share;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return rising[low]! + (at - low) * (rising[high]! - rising[low]!);
}
