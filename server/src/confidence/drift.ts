/**
 * Does the pool still look like validation? A certificate is void when it does not (DESIGN §5.4).
 *
 * Without labels only the inputs and answers can be compared: the score (two-sample Kolmogorov–Smirnov), the predicted labels
 * (chi-squared over a table of two rows), and any numbers the caller has of the texts (length, share of unknown words).
 * Bonferroni over all tests. With many rows every difference is significant, so a shift must also be large enough to matter.
 */

import { logGamma } from "./binomial.ts";
import { descendingOrder } from "./order.ts";

/** One comparison; plain JSON. */
export interface DriftTest {
  name: string;
  /** `ks`: largest distance of the distribution functions; `labels`: total variation distance of label shares. In [0, 1]. */
  kind: "ks" | "labels";
  distance: number;
  /** p-value after Bonferroni's correction. */
  p: number;
  drifted: boolean;
  /** For `labels`: the labels whose share moved most, `current − reference`. */
  moved: { label: string; change: number }[];
}

/** The result of all comparisons; plain JSON. */
export interface DriftReport {
  reference: number;
  current: number;
  tests: DriftTest[];
  /** True when any test says so: certificates made on the reference rows are void for the current ones. */
  drifted: boolean;
}

/** A number of each row, on the reference rows (validation) and the current ones (pool). */
export interface DriftFeature {
  name: string;
  reference: Float64Array;
  current: Float64Array;
}

/** Options of {@link driftTest}. */
export interface DriftOptions {
  /** Level after correction, default 0.01. */
  alpha?: number;
  /** Smallest distance that counts, default 0.1. */
  distance?: number;
}

/** Compares current rows with reference rows. `labels` gives predicted label numbers; −1 (no answer) is a value of its own. */
export function driftTest(
  features: readonly DriftFeature[],
  labels: { names: readonly string[]; reference: ArrayLike<number>; current: ArrayLike<number> } | null,
  options: DriftOptions = {},
): DriftReport {
  const { alpha = 0.01, distance: least = 0.1 } = options;
  const count = features.length + (labels ? 1 : 0);
  const judge = (test: Omit<DriftTest, "drifted">): DriftTest => {
    const p = Math.min(1, test.p * count);
    return { ...test, p, drifted: p < alpha && test.distance >= least };
  };
  const tests = features.map(({ name, reference, current }) => {
    const distance = kolmogorovSmirnov(reference, current);
    return judge({ name, kind: "ks", distance, p: ksTail(distance, reference.length, current.length), moved: [] });
  });
  if (labels) tests.push(judge(labelShift(labels)));
  return {
    reference: labels?.reference.length ?? features[0]?.reference.length ?? 0,
    current: labels?.current.length ?? features[0]?.current.length ?? 0,
    tests,
    drifted: tests.some((test) => test.drifted),
  };
}

/** The largest distance between two empirical distribution functions; 0 when either is empty. */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): number {
  if (a.length === 0 || b.length === 0) return 0;
  const orderA = descendingOrder(a);
  const orderB = descendingOrder(b);
  let i = 0;
  let j = 0;
  let largest = 0;
  while (i < a.length && j < b.length) {
    const value = Math.max(a[orderA[i]!]!, b[orderB[j]!]!);
    while (i < a.length && a[orderA[i]!] === value) i++;
    while (j < b.length && b[orderB[j]!] === value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** P[D ≥ d] by Kolmogorov's series with Stephens' correction (1970); conservative with ties. */
function ksTail(distance: number, n: number, m: number): number {
  if (n === 0 || m === 0) return 1;
  const size = Math.sqrt((n * m) / (n + m));
  const x = (size + 0.12 + 0.11 / size) * distance;
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, sum));
}

/** Chi-squared test of equal label shares; labels expected fewer than five times on either side are gathered. */
function labelShift(labels: {
  names: readonly string[];
  reference: ArrayLike<number>;
  current: ArrayLike<number>;
}): Omit<DriftTest, "drifted"> {
  const width = labels.names.length + 1;
  const countOf = (column: ArrayLike<number>): Float64Array => {
    const counts = new Float64Array(width);
    for (let i = 0; i < column.length; i++) counts[column[i]! + 1]!++;
    return counts;
  };
  const [before, now] = [countOf(labels.reference), countOf(labels.current)];
  const [n, m] = [labels.reference.length, labels.current.length];
  if (n === 0 || m === 0) return { name: "predicted labels", kind: "labels", distance: 0, p: 1, moved: [] };
  let distance = 0;
  let statistic = 0;
  let cells = 0;
  let rareBefore = 0;
  let rareNow = 0;
  const add = (a: number, b: number): void => {
    const share = (a + b) / (n + m);
    if (share === 0) return;
    statistic += (a - n * share) ** 2 / (n * share) + (b - m * share) ** 2 / (m * share);
    cells++;
  };
  const moved: { label: string; change: number }[] = [];
  for (let k = 0; k < width; k++) {
    const change = now[k]! / m - before[k]! / n;
    distance += Math.abs(change) / 2;
    if (change !== 0) moved.push({ label: k === 0 ? "(no answer)" : labels.names[k - 1]!, change });
    if (((before[k]! + now[k]!) * Math.min(n, m)) / (n + m) < 5) {
      rareBefore += before[k]!;
      rareNow += now[k]!;
    } else add(before[k]!, now[k]!);
  }
  add(rareBefore, rareNow);
  moved.sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  return {
    name: "predicted labels",
    kind: "labels",
    distance,
    p: cells > 1 ? chiSquaredTail(statistic, cells - 1) : 1,
    moved: moved.slice(0, 10),
  };
}

/** P[χ²(df) ≥ x]: the regularised upper incomplete gamma function Q(df/2, x/2) (DLMF 8.11.4 and 8.9.2). */
export function chiSquaredTail(x: number, degrees: number): number {
  const a = degrees / 2;
  const z = x / 2;
  if (z <= 0) return 1;
  const front = Math.exp(a * Math.log(z) - z - logGamma(a));
  if (z < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let k = 1; k < 10_000 && term > sum * 1e-16; k++) {
      term *= z / (a + k);
      sum += term;
    }
    return Math.max(0, 1 - front * sum);
  }
  let b = z + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < 10_000; k++) {
    const step = -k * (k - a);
    b += 2;
    d = 1 / (step * d + b);
    c = b + step / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}
