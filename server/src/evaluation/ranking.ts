/**
 * How well the confidence orders right before wrong: AUROC, the risk–coverage curve, AURC, coverage at a risk.
 *
 * AURC (Geifman & El-Yaniv 2017; E-AURC: Geifman, Uziel & El-Yaniv 2019) is the mean over k of the error rate among the k
 * most confident rows. Among equal confidences the order is taken as random: the expected value is used.
 */

import { type Interval, normalQuantile } from "../confidence/binomial.ts";
import { descendingOrder } from "../confidence/order.ts";
import { seededRandom } from "../confidence/random.ts";
import { quantile } from "./bins.ts";

/** Rows by falling confidence, equal ones together. */
export interface RankedRows {
  n: number;
  errors: number;
  /** Confidence of each group of equals, falling. */
  confidence: Float64Array;
  /** Rows of each group. */
  count: Float64Array;
  /** Of them wrong. */
  wrong: Float64Array;
}

/** Ranks rows by confidence. `right`: 1 where the prediction was right. */
export function rankRows(confidence: Float64Array, right: Uint8Array): RankedRows {
  const n = confidence.length;
  const order = descendingOrder(confidence);
  const values = new Float64Array(n);
  const count = new Float64Array(n);
  const wrong = new Float64Array(n);
  let groups = 0;
  let errors = 0;
  for (let at = 0; at < n; at++) {
    const row = order[at]!;
    if (groups === 0 || confidence[row] !== values[groups - 1]) values[groups++] = confidence[row]!;
    count[groups - 1]!++;
    wrong[groups - 1]! += 1 - right[row]!;
    errors += 1 - right[row]!;
  }
  return {
    n,
    errors,
    confidence: values.slice(0, groups),
    count: count.slice(0, groups),
    wrong: wrong.slice(0, groups),
  };
}

/** A figure with its 95 % interval; null when it is not defined on these rows. */
export interface RankFigure {
  value: number;
  interval: Interval;
}

/**
 * The probability that a right prediction has more confidence than a wrong one (ties count half), with DeLong's interval
 * (1988). Null when all rows are right or all are wrong.
 */
export function auroc(ranked: RankedRows): RankFigure | null {
  const wrongs = ranked.errors;
  const rights = ranked.n - wrongs;
  if (rights === 0 || wrongs === 0) return null;
  // From the most confident group down: how many wrong (right) rows lie below each right (wrong) row.
  let wrongAbove = 0;
  let rightAbove = 0;
  let sum = 0;
  let rightSquares = 0;
  let wrongSquares = 0;
  for (let g = 0; g < ranked.count.length; g++) {
    const wrong = ranked.wrong[g]!;
    const right = ranked.count[g]! - wrong;
    // Placement of each right row: share of wrong rows it beats; of each wrong row: share of right rows that beat it.
    const beats = (wrongs - wrongAbove - wrong / 2) / wrongs;
    const beaten = (rightAbove + right / 2) / rights;
    sum += right * beats;
    rightSquares += right * beats * beats;
    wrongSquares += wrong * beaten * beaten;
    wrongAbove += wrong;
    rightAbove += right;
  }
  const value = sum / rights;
  const spread = (squares: number, n: number): number =>
    n > 1 ? Math.max(0, (squares - n * value * value) / (n - 1)) : 0.25;
  const half =
    normalQuantile(0.975) * Math.sqrt(spread(rightSquares, rights) / rights + spread(wrongSquares, wrongs) / wrongs);
  return { value, interval: { low: Math.max(0, value - half), high: Math.min(1, value + half) } };
}

/** The m-th harmonic number: exact below 64, asymptotic series above (error below 1e-12). */
function harmonic(m: number): number {
  if (m < 64) {
    let sum = 0;
    for (let i = 1; i <= m; i++) sum += 1 / i;
    return sum;
  }
  const inverse = 1 / m;
  return Math.log(m) + 0.5772156649015329 + inverse / 2 - (inverse * inverse) / 12 + inverse ** 4 / 120;
}

/** AURC of groups of equals given as counts; groups of one are summed plainly. */
function areaOf(count: ArrayLike<number>, wrong: ArrayLike<number>): number {
  let n = 0;
  let errors = 0;
  let sum = 0;
  for (let g = 0; g < count.length; g++) {
    const size = count[g]!;
    if (size <= 0) continue;
    const share = wrong[g]! / size;
    if (size <= 8) for (let j = 1; j <= size; j++) sum += (errors + share * j) / (n + j);
    // Σ (E + s j)/(N + j) = s m + (E − s N)(H(N + m) − H(N)).
    else sum += share * size + (errors - share * n) * (harmonic(n + size) - harmonic(n));
    n += size;
    errors += wrong[g]!;
  }
  return n === 0 ? 0 : sum / n;
}

/** Area under the risk–coverage curve; 0 is perfect. 0 without rows. */
export function aurc(ranked: RankedRows): number {
  return areaOf(ranked.count, ranked.wrong);
}

/** AURC less that of a perfect order of the same rows: what is lost by the order alone. */
export function excessAurc(ranked: RankedRows): number {
  const rights = ranked.n - ranked.errors;
  let best = 0;
  for (let k = rights + 1; k <= ranked.n; k++) best += (k - rights) / k;
  return ranked.n === 0 ? 0 : aurc(ranked) - best / ranked.n;
}

/** The largest coverage at which the measured error rate is at most `risk`, and the confidence there. */
export interface CoverageAtRisk {
  risk: number;
  coverage: number;
  /** Smallest confidence accepted; null when nothing is. */
  threshold: number | null;
}

function largestCoverage(
  count: ArrayLike<number>,
  wrong: ArrayLike<number>,
  risk: number,
): { rows: number; group: number } {
  let n = 0;
  let errors = 0;
  let best = { rows: 0, group: -1 };
  for (let g = 0; g < count.length; g++) {
    n += count[g]!;
    errors += wrong[g]!;
    if (n > 0 && errors <= risk * n) best = { rows: n, group: g };
  }
  return best;
}

/** Coverage at a risk, as measured on these rows: a description, not a promise (that is the accept rule). */
export function coverageAtRisk(ranked: RankedRows, risk: number): CoverageAtRisk {
  const { rows, group } = largestCoverage(ranked.count, ranked.wrong, risk);
  return {
    risk,
    coverage: ranked.n === 0 ? 0 : rows / ranked.n,
    threshold: group < 0 ? null : ranked.confidence[group]!,
  };
}

const CELLS = 1000;
const REPLICATES = 400;

/** Bootstrap intervals of the figures that have no simple analytic one. */
export interface RankIntervals {
  aurc: Interval;
  excessAurc: Interval;
  /** In the order of the risks asked for. */
  coverageAtRisk: Interval[];
}

/**
 * 95 % intervals by a seeded Poisson bootstrap. Rows are first gathered into at most about a thousand cells of neighbouring
 * confidence (with fewer groups of equals than that, exactly), so that the cost does not grow with the rows; the small
 * shift this causes is taken off.
 */
export function rankIntervals(ranked: RankedRows, risks: readonly number[], seed = 42): RankIntervals {
  const cells = gather(ranked);
  const random = seededRandom(seed);
  const count = new Float64Array(cells.count.length);
  const wrong = new Float64Array(cells.count.length);
  const areas = new Float64Array(REPLICATES);
  const excess = new Float64Array(REPLICATES);
  const coverages = risks.map(() => new Float64Array(REPLICATES));
  for (let r = 0; r < REPLICATES; r++) {
    let n = 0;
    let errors = 0;
    for (let c = 0; c < count.length; c++) {
      wrong[c] = random.poisson(cells.wrong[c]!);
      count[c] = wrong[c]! + random.poisson(cells.count[c]! - cells.wrong[c]!);
      n += count[c]!;
      errors += wrong[c]!;
    }
    areas[r] = areaOf(count, wrong);
    excess[r] = areas[r]! - bestArea(n, errors);
    risks.forEach((risk, j) => {
      coverages[j]![r] = n === 0 ? 0 : largestCoverage(count, wrong, risk).rows / n;
    });
  }
  const shifted = (drawn: Float64Array, exact: number, ofCells: number): Interval => {
    drawn.sort();
    const clip = (value: number): number => Math.min(1, Math.max(0, value + exact - ofCells));
    return { low: clip(quantile(drawn, 0.025)), high: clip(quantile(drawn, 0.975)) };
  };
  const area = areaOf(cells.count, cells.wrong);
  return {
    aurc: shifted(areas, aurc(ranked), area),
    excessAurc: shifted(excess, excessAurc(ranked), area - bestArea(ranked.n, ranked.errors)),
    coverageAtRisk: risks.map((risk, j) =>
      shifted(
        coverages[j]!,
        coverageAtRisk(ranked, risk).coverage,
        ranked.n === 0 ? 0 : largestCoverage(cells.count, cells.wrong, risk).rows / ranked.n,
      ),
    ),
  };
}

/** AURC of a perfect order: Σ over the last e places of (k − (n − e))/k, divided by n. */
function bestArea(n: number, errors: number): number {
  return n === 0 ? 0 : (errors - (n - errors) * (harmonic(n) - harmonic(n - errors))) / n;
}

function gather(ranked: RankedRows): { count: Float64Array; wrong: Float64Array } {
  const size = ranked.n / CELLS;
  const count: number[] = [];
  const wrong: number[] = [];
  let open = false;
  for (let g = 0; g < ranked.count.length; g++) {
    if (!open) {
      count.push(0);
      wrong.push(0);
    }
    const last = count.length - 1;
    count[last]! += ranked.count[g]!;
    wrong[last]! += ranked.wrong[g]!;
    open = count[last]! < size;
  }
  return { count: Float64Array.from(count), wrong: Float64Array.from(wrong) };
}
