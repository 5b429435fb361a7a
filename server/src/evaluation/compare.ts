/**
 * Comparison of models on the same rows: which is better, by how much, how sure.
 */

import { binomialAtMost, normalQuantile } from "../confidence/binomial.ts";
import { seededRandom } from "../confidence/random.ts";
import { type ReportRows, requireRole } from "../confidence/roles.ts";
import { checkSameRows, type ScoredRows } from "../confidence/scoredRows.ts";
import { PROBABILITY_FLOOR } from "../confidence/temperature.ts";
import { quantile } from "./bins.ts";
import type { Measure } from "./confusion.ts";

/** Model A against model B on the same rows; differences are A − B. Plain JSON. */
export interface PairComparison {
  /** Labelled rows. */
  n: number;
  accuracyA: number;
  accuracyB: number;
  /** Rows both got right, only A, only B, neither. */
  both: number;
  onlyA: number;
  onlyB: number;
  neither: number;
  /** accuracy A − accuracy B, with the paired bootstrap's 95 % interval (seeded; resampled by count). */
  difference: Measure;
  /** The same with the analytic interval for paired proportions (Agresti & Min 2005: half a row added to each count). */
  differenceAnalytic: Measure;
  /** Exact two-sided McNemar p-value: probability of a split of the `onlyA + onlyB` rows this uneven, were both equal. */
  mcnemar: number;
  /** `mcnemar` after Holm's correction over all pairs compared together; equal to it when there is one pair. */
  mcnemarHolm: number;
  /** macro-F1 A − macro-F1 B, paired bootstrap. */
  macroF1Difference: Measure;
  /** log loss A − log loss B over rows both answered (negative: A is better), normal interval; null without such rows. */
  logLossDifference: Measure | null;
  /** Labels whose rows changed, most net change first. */
  labels: LabelChange[];
}

/** What changes for the rows with one given label when A replaces B; plain JSON. */
export interface LabelChange {
  label: string;
  support: number;
  recallA: number;
  recallB: number;
  /** Rows only A got right. */
  gained: number;
  /** Rows only B got right. */
  lost: number;
  /** Exact McNemar on this label's rows, not corrected for the number of labels. */
  mcnemar: number;
}

/**
 * Exact two-sided McNemar test: of b + c rows on which just one is right, b went one way. With Bin(b + c, ½): twice the
 * smaller tail, at most 1.
 */
export function mcnemarExact(b: number, c: number): number {
  return b + c === 0 ? 1 : Math.min(1, 2 * binomialAtMost(Math.min(b, c), b + c, 0.5));
}

const DRAWS = 2000;

/** Compares two models on the same report rows (same order; ids are checked where both have them). */
export function comparePair(a: ReportRows, b: ReportRows, options: { seed?: number } = {}): PairComparison {
  const rowsA = requireRole<ReportRows["role"]>(a, ["test", "cross-fitted"], "A comparison");
  const rowsB = requireRole<ReportRows["role"]>(b, ["test", "cross-fitted"], "A comparison");
  checkSameRows([rowsA, rowsB]);
  const pairs = pairTable(rowsA, rowsB);
  const { n, both, onlyA, onlyB } = pairs;
  const neither = n - both - onlyA - onlyB;
  const seed = options.seed ?? 42;
  const mcnemar = mcnemarExact(onlyA, onlyB);
  const value = n === 0 ? 0 : (onlyA - onlyB) / n;
  return {
    n,
    accuracyA: n === 0 ? 0 : (both + onlyA) / n,
    accuracyB: n === 0 ? 0 : (both + onlyB) / n,
    both,
    onlyA,
    onlyB,
    neither,
    difference: { value, ...bootstrapDifference(both + neither, onlyA, onlyB, seed) },
    differenceAnalytic: pairedDifference(n, onlyA, onlyB),
    mcnemar,
    mcnemarHolm: mcnemar,
    macroF1Difference: macroF1Difference(pairs, seed + 1),
    logLossDifference: logLossDifference(rowsA, rowsB),
    labels: labelChanges(rowsA, pairs),
  };
}

/** Share A − share B of the same `n` rows, of which `onlyA` count for A alone and `onlyB` for B alone; 95 %, {@link agrestiMin}. */
export function pairedDifference(n: number, onlyA: number, onlyB: number): Measure {
  return { value: n === 0 ? 0 : (onlyA - onlyB) / n, ...agrestiMin(n, onlyA, onlyB) };
}

/** Agresti & Min (2005): Wald's interval of a paired difference with ½ added to each of the four counts. */
function agrestiMin(n: number, onlyA: number, onlyB: number): { low: number; high: number } {
  const b = onlyA + 0.5;
  const c = onlyB + 0.5;
  const total = n + 2;
  const centre = (b - c) / total;
  const half = (normalQuantile(0.975) * Math.sqrt(b + c - (b - c) ** 2 / total)) / total;
  return { low: Math.max(-1, centre - half), high: Math.min(1, centre + half) };
}

/** Resampling rows with replacement, done on the three counts that matter (Poisson bootstrap). */
function bootstrapDifference(same: number, onlyA: number, onlyB: number, seed: number): { low: number; high: number } {
  const random = seededRandom(seed);
  const drawn = new Float64Array(DRAWS);
  for (let r = 0; r < DRAWS; r++) {
    const a = random.poisson(onlyA);
    const b = random.poisson(onlyB);
    const n = a + b + random.poisson(same);
    drawn[r] = n === 0 ? 0 : (a - b) / n;
  }
  drawn.sort();
  return { low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}

/** Rows counted by (given label, A's answer, B's answer). A's and B's label lists may differ in order: names are matched. */
interface PairTable {
  n: number;
  both: number;
  onlyA: number;
  onlyB: number;
  /** Labels of A, then those only B has. */
  labels: readonly string[];
  truth: Int32Array;
  predictedA: Int32Array;
  predictedB: Int32Array;
  count: Float64Array;
}

function pairTable(a: ScoredRows, b: ScoredRows): PairTable {
  const labels = [...a.labels];
  const numberOf = new Map(labels.map((label, i) => [label, i]));
  const fromB = Int32Array.from(b.labels, (label) => {
    const known = numberOf.get(label);
    if (known !== undefined) return known;
    numberOf.set(label, labels.length);
    return labels.push(label) - 1;
  });
  const width = labels.length + 1;
  const counts = new Map<number, number>();
  let n = 0;
  let both = 0;
  let onlyA = 0;
  let onlyB = 0;
  for (let i = 0; i < a.n; i++) {
    const truth = a.truth[i]!;
    const truthB = b.truth[i]! < 0 ? -1 : fromB[b.truth[i]!]!;
    if (truth !== truthB) {
      throw new RangeError(
        `Row ${a.ids?.[i] ?? i} has different given labels in the two tables; they cannot be compared.`,
      );
    }
    if (truth < 0) continue;
    n++;
    const predictedA = a.predicted[i]!;
    const predictedB = b.predicted[i]! < 0 ? -1 : fromB[b.predicted[i]!]!;
    if (predictedA === truth && predictedB === truth) both++;
    else if (predictedA === truth) onlyA++;
    else if (predictedB === truth) onlyB++;
    const key = (truth * width + predictedA + 1) * width + predictedB + 1;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const keys = Float64Array.from(counts.keys()).sort();
  return {
    n,
    both,
    onlyA,
    onlyB,
    labels,
    truth: Int32Array.from(keys, (key) => Math.floor(key / width / width)),
    predictedA: Int32Array.from(keys, (key) => (Math.floor(key / width) % width) - 1),
    predictedB: Int32Array.from(keys, (key) => (key % width) - 1),
    count: Float64Array.from(keys, (key) => counts.get(key)!),
  };
}

function macroF1Difference(pairs: PairTable, seed: number): Measure {
  const size = pairs.labels.length;
  const column = () => new Float64Array(size);
  const sums = { given: column(), inA: column(), inB: column(), hitsA: column(), hitsB: column() };
  const difference = (count: Float64Array): number => {
    for (const sum of Object.values(sums)) sum.fill(0);
    for (let c = 0; c < count.length; c++) {
      const rows = count[c]!;
      const truth = pairs.truth[c]!;
      const a = pairs.predictedA[c]!;
      const b = pairs.predictedB[c]!;
      sums.given[truth]! += rows;
      if (a >= 0) sums.inA[a]! += rows;
      if (b >= 0) sums.inB[b]! += rows;
      if (a === truth) sums.hitsA[truth]! += rows;
      if (b === truth) sums.hitsB[truth]! += rows;
    }
    return macroF1(sums.given, sums.inA, sums.hitsA) - macroF1(sums.given, sums.inB, sums.hitsB);
  };
  const value = difference(pairs.count);
  const random = seededRandom(seed);
  const draws = Math.max(100, Math.min(500, Math.floor(4_000_000 / Math.max(1, pairs.count.length))));
  const drawn = new Float64Array(draws);
  const count = new Float64Array(pairs.count.length);
  for (let r = 0; r < draws; r++) {
    for (let c = 0; c < count.length; c++) count[c] = random.poisson(pairs.count[c]!);
    drawn[r] = difference(count);
  }
  drawn.sort();
  return { value, low: Math.min(value, quantile(drawn, 0.025)), high: Math.max(value, quantile(drawn, 0.975)) };
}

/** Macro F1 over labels given or predicted at least once. */
function macroF1(given: Float64Array, predicted: Float64Array, hits: Float64Array): number {
  let sum = 0;
  let seen = 0;
  for (let k = 0; k < given.length; k++) {
    if (given[k] === 0 && predicted[k] === 0) continue;
    seen++;
    sum += (2 * hits[k]!) / (given[k]! + predicted[k]!);
  }
  return seen === 0 ? 0 : sum / seen;
}

function logLossDifference(a: ScoredRows, b: ScoredRows): Measure | null {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < a.n; i++) {
    if (a.truth[i]! < 0 || a.predicted[i]! < 0 || b.predicted[i]! < 0) continue;
    const loss = (probability: number): number => -Math.log(Math.max(probability, PROBABILITY_FLOOR));
    const difference = loss(a.truthProbability[i]!) - loss(b.truthProbability[i]!);
    n++;
    sum += difference;
    squares += difference * difference;
  }
  if (n < 2) return null;
  const value = sum / n;
  const half = normalQuantile(0.975) * Math.sqrt(Math.max(0, squares / n - value * value) / (n - 1));
  return { value, low: value - half, high: value + half };
}

function labelChanges(rows: ScoredRows, pairs: PairTable): LabelChange[] {
  const size = rows.labels.length;
  const column = () => new Float64Array(size);
  const [support, rightA, rightB, gained, lost] = [column(), column(), column(), column(), column()];
  for (let c = 0; c < pairs.count.length; c++) {
    const truth = pairs.truth[c]!;
    const count = pairs.count[c]!;
    const a = pairs.predictedA[c] === truth;
    const b = pairs.predictedB[c] === truth;
    support[truth]! += count;
    if (a) rightA[truth]! += count;
    if (b) rightB[truth]! += count;
    if (a && !b) gained[truth]! += count;
    if (b && !a) lost[truth]! += count;
  }
  const changes: LabelChange[] = [];
  for (let k = 0; k < size; k++) {
    if (gained[k] === 0 && lost[k] === 0) continue;
    changes.push({
      label: rows.labels[k]!,
      support: support[k]!,
      recallA: rightA[k]! / support[k]!,
      recallB: rightB[k]! / support[k]!,
      gained: gained[k]!,
      lost: lost[k]!,
      mcnemar: mcnemarExact(gained[k]!, lost[k]!),
    });
  }
  const net = (change: LabelChange): number => Math.abs(change.gained - change.lost);
  return changes.sort((x, y) => net(y) - net(x) || y.support - x.support || (x.label < y.label ? -1 : 1));
}

/** One pair among several models. */
export interface NamedComparison extends PairComparison {
  a: string;
  b: string;
}

/**
 * Every pair of models on the same rows, each as "the more accurate of the two against the other", with Holm's
 * correction of the McNemar p-values over all pairs.
 */
export function compareModels(
  models: readonly { name: string; set: ReportRows }[],
  options: { seed?: number } = {},
): NamedComparison[] {
  const comparisons: NamedComparison[] = [];
  models.forEach((first, i) => {
    for (const second of models.slice(i + 1)) {
      const pair = comparePair(first.set, second.set, options);
      if (pair.accuracyA >= pair.accuracyB) comparisons.push({ a: first.name, b: second.name, ...pair });
      else comparisons.push({ a: second.name, b: first.name, ...comparePair(second.set, first.set, options) });
    }
  });
  const rising = [...comparisons].sort((x, y) => x.mcnemar - y.mcnemar);
  let highest = 0;
  rising.forEach((comparison, i) => {
    highest = Math.max(highest, Math.min(1, comparison.mcnemar * (rising.length - i)));
    comparison.mcnemarHolm = highest;
  });
  return comparisons;
}
