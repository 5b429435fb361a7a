/**
 * Temperature scaling (Guo et al. 2017): p ∝ p^(1/T). Never changes which label is the most probable.
 *
 * T minimises the log loss of the given labels. On a top-k distribution the rest is scaled as `restCount` equal labels;
 * uncovered mass (`restCount` 0) as one block. Probabilities are clipped at 1e-8 from below, in fitting as in applying:
 * files seldom hold more than eight decimals, and their zeros say no more than "less than that". A lower clip would let
 * zeros, however many they are, decide the temperature.
 */

import type { Distribution, ShownFigures } from "./distribution.ts";
import { distributionAt, type ScoredRows } from "./scoredRows.ts";

/** Lower clip of probabilities in a log loss. */
export const PROBABILITY_FLOOR = 1e-12;
/** Lower clip of the probabilities that are scaled. */
const SCALED_FLOOR = 1e-8;

const LOWEST = 0.02;
const HIGHEST = 50;

/** p ↦ (p / highest)^(1/T), with small p clipped: relative to the highest, so that no power of it underflows. */
interface Scaling {
  highest: number;
  power: number;
  /** Value of every p that is clipped. */
  lowest: number;
  /** How many equal labels the rest is scaled as, and the value of each. */
  blocks: number;
  block: number;
}

const scaled = (p: number, { highest, power, lowest }: Scaling): number =>
  p > SCALED_FLOOR ? (p / highest) ** power : lowest;

function scalingOf({ probabilities, rest, restCount }: Distribution, temperature: number): Scaling {
  const blocks = restCount > 0 ? restCount : rest > 0 ? 1 : 0;
  let highest = blocks > 0 ? Math.max(rest / blocks, SCALED_FLOOR) : SCALED_FLOOR;
  for (let i = 0; i < probabilities.length; i++) if (probabilities[i]! > highest) highest = probabilities[i]!;
  const power = 1 / temperature;
  const scaling = { highest, power, lowest: (SCALED_FLOOR / highest) ** power, blocks, block: 0 };
  if (blocks > 0) scaling.block = scaled(rest / blocks, scaling);
  return scaling;
}

/** The distribution at temperature T > 0. Probabilities add up to 1 again. */
export function applyTemperature(distribution: Distribution, temperature: number): Distribution {
  const { labels, probabilities, restCount } = distribution;
  const scaling = scalingOf(distribution, temperature);
  const values = new Float64Array(probabilities.length);
  const scaledRest = scaling.blocks * scaling.block;
  let sum = scaledRest;
  for (let i = 0; i < values.length; i++) {
    values[i] = scaled(probabilities[i]!, scaling);
    sum += values[i]!;
  }
  for (let i = 0; i < values.length; i++) values[i]! /= sum;
  return { labels, probabilities: values, rest: scaledRest / sum, restCount };
}

/** The figures of the distribution at temperature T > 0, without making it. `truth` is −1 without a given label. */
export function temperedFigures(
  distribution: Distribution,
  temperature: number,
  predicted: number,
  truth: number,
): ShownFigures {
  const { labels, probabilities, restCount } = distribution;
  const scaling = scalingOf(distribution, temperature);
  const { blocks, block } = scaling;
  // A label that is not listed has an even share of the rest, if the rest belongs to labels.
  const unlisted = restCount > 0 ? block : 0;
  let ofPredicted = unlisted;
  let ofTruth = truth < 0 ? 0 : unlisted;
  let sum = blocks * block;
  let squares = blocks * block * block;
  for (let i = 0; i < probabilities.length; i++) {
    const value = scaled(probabilities[i]!, scaling);
    sum += value;
    squares += value * value;
    if (labels[i] === predicted) ofPredicted = value;
    if (labels[i] === truth) ofTruth = value;
  }
  return {
    confidence: Math.min(1, ofPredicted / sum),
    truthProbability: Math.min(1, ofTruth / sum),
    squaredSum: squares / (sum * sum),
  };
}

/** Log-probabilities of one row, with the position of the given label; what fitting reads. */
interface LogRow {
  /** Log-probability of each listed label. */
  logs: Float64Array;
  /** Log-probability of one label of the rest, and how many there are. */
  restLog: number;
  restCount: number;
  /** Log-probability of the given label; null when the answer gives it no place: then only "wrong" is known. */
  truthLog: number | null;
  /** The highest of `logs`: the predicted label. */
  topLog: number;
}

function logRow(distribution: Distribution, truth: number): LogRow {
  const { labels, probabilities, rest, restCount } = distribution;
  const blocks = restCount > 0 ? restCount : rest > 0 ? 1 : 0;
  const restLog = blocks > 0 ? Math.log(Math.max(rest / blocks, SCALED_FLOOR)) : -Infinity;
  const logs = new Float64Array(labels.length);
  let topLog = -Infinity;
  let truthLog: number | null = restCount > 0 ? restLog : null;
  for (let i = 0; i < logs.length; i++) {
    const log = Math.log(Math.max(probabilities[i]!, SCALED_FLOOR));
    logs[i] = log;
    if (log > topLog) topLog = log;
    if (labels[i] === truth) truthLog = log;
  }
  return { logs, restLog, restCount: blocks, truthLog, topLog };
}

/** Mean slope of the log loss in β = 1/T. */
function slope(rows: readonly LogRow[], beta: number): number {
  let total = 0;
  for (const { logs, restLog, restCount, truthLog, topLog } of rows) {
    const highest = Math.max(topLog, restLog);
    let sum = 0;
    let mean = 0;
    for (let i = 0; i < logs.length; i++) {
      const weight = Math.exp(beta * (logs[i]! - highest));
      sum += weight;
      mean += weight * logs[i]!;
    }
    if (restCount > 0) {
      const weight = restCount * Math.exp(beta * (restLog - highest));
      sum += weight;
      mean += weight * restLog;
    }
    mean /= sum;
    if (truthLog !== null) total += mean - truthLog;
    else {
      // Only "the prediction is wrong" is known: the loss is −ln(1 − p_top).
      const top = Math.exp(beta * (topLog - highest)) / sum;
      total += (top / Math.max(1 - top, PROBABILITY_FLOOR)) * (topLog - mean);
    }
  }
  return total / rows.length;
}

/**
 * The temperature with the least log loss, between 0.02 and 50; a limit is returned when the loss still falls there (for
 * example when every row is right). The loss is convex in 1/T, so the zero of its slope is found by false position
 * (Illinois variant) on ln(1/T).
 * @throws RangeError without rows.
 */
function solve(rows: readonly LogRow[]): number {
  if (rows.length === 0) throw new RangeError("A temperature cannot be fitted without labelled rows.");
  let low = Math.log(1 / HIGHEST);
  let high = Math.log(1 / LOWEST);
  let slopeLow = slope(rows, Math.exp(low));
  let slopeHigh = slope(rows, Math.exp(high));
  if (slopeLow >= 0) return slopeLow === 0 && slopeHigh === 0 ? 1 : HIGHEST;
  if (slopeHigh <= 0) return LOWEST;
  let side = 0;
  for (let i = 0; i < 200 && high - low > 1e-13; i++) {
    // Every third step halves the bracket, so that a flat slope cannot stall the search.
    let middle = i % 3 === 2 ? (low + high) / 2 : (low * slopeHigh - high * slopeLow) / (slopeHigh - slopeLow);
    if (!(middle > low && middle < high)) middle = (low + high) / 2;
    const value = slope(rows, Math.exp(middle));
    if (Math.abs(value) < 1e-14) return Math.exp(-middle);
    if (value > 0) {
      high = middle;
      slopeHigh = value;
      if (side === 1) slopeLow /= 2;
      side = 1;
    } else {
      low = middle;
      slopeLow = value;
      if (side === -1) slopeHigh /= 2;
      side = -1;
    }
  }
  return Math.exp(-(low + high) / 2);
}

/** The temperature with the least log loss of `truths` under `distributions`; see {@link fitTemperatureOfRows}. */
export function fitTemperature(distributions: readonly Distribution[], truths: ArrayLike<number>): number {
  return solve(distributions.map((distribution, i) => logRow(distribution, truths[i]!)));
}

/** The temperature fitted on the given rows of a table (all that are answered and labelled). */
export function fitTemperatureOfRows(rows: ScoredRows, which: ArrayLike<number>): number {
  const logs: LogRow[] = [];
  for (let j = 0; j < which.length; j++) {
    const distribution = distributionAt(rows, which[j]!);
    const truth = rows.truth[which[j]!]!;
    if (distribution !== null && truth >= 0) logs.push(logRow(distribution, truth));
  }
  return solve(logs);
}
