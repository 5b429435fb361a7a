/** The risk–coverage curve of an accept decision, and what any threshold on it would do. */
import { type AcceptCurve, CONFIDENCE_UNIT } from "../../../schemas/reportPanel.ts";

export interface Prices {
  /** Of an accepted row that is wrong, and of reviewing one row, in any one currency. */
  error: number;
  review: number;
}

/** What accepting every row at or above a confidence does. */
export interface AtThreshold {
  /** Of the least confident row that is accepted; above 1: nothing is. */
  confidence: number;
  accepted: number;
  wrong: number;
  coverage: number;
  /** Wrong ones among the accepted; null when nothing is accepted. */
  risk: number | null;
}

/** One point for each confidence that occurs, by falling confidence: coverage rises. */
export function pointsOf({ n, confidence, rows, wrong }: AcceptCurve): AtThreshold[] {
  let accepted = 0;
  let errors = 0;
  return confidence.map((at, i) => {
    accepted += rows[i]!;
    errors += wrong[i]!;
    return {
      confidence: at / CONFIDENCE_UNIT,
      accepted,
      wrong: errors,
      coverage: accepted / n,
      risk: errors / accepted,
    };
  });
}

const NOTHING: AtThreshold = { confidence: 2, accepted: 0, wrong: 0, coverage: 0, risk: null };

/** The last point at or above a threshold of at most four digits. */
export function atThreshold(points: readonly AtThreshold[], threshold: number): AtThreshold {
  const least = Math.round(threshold * CONFIDENCE_UNIT);
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Math.round(points[middle]!.confidence * CONFIDENCE_UNIT) >= least) low = middle + 1;
    else high = middle;
  }
  return points[low - 1] ?? NOTHING;
}

/** The point whose coverage is nearest. */
export function atCoverage(points: readonly AtThreshold[], coverage: number): AtThreshold {
  let nearest = NOTHING;
  for (const point of points) {
    if (Math.abs(point.coverage - coverage) < Math.abs(nearest.coverage - coverage)) nearest = point;
  }
  return nearest;
}

/** Errors and reviews, a row of all. */
export function costOf({ accepted, wrong }: AtThreshold, n: number, { error, review }: Prices): number {
  return n === 0 ? 0 : (wrong * error + (n - accepted) * review) / n;
}

/** The threshold of least cost on these rows: accepting nothing is one too. */
export function cheapest(points: readonly AtThreshold[], n: number, prices: Prices): AtThreshold {
  let best = NOTHING;
  for (const point of points) if (costOf(point, n, prices) < costOf(best, n, prices)) best = point;
  return best;
}

/**
 * How many reviews an error may cost for accepting these rows to be no dearer than reviewing them: accepted / wrong. Null without an
 * error: at any price.
 */
export const breakEven = ({ accepted, wrong }: AtThreshold): number | null => (wrong === 0 ? null : accepted / wrong);

/** Wilson's 95 % interval of k among n. */
export function wilson(k: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const z = 1.959963984540054;
  const centre = (k + (z * z) / 2) / (n + z * z);
  const half = (z / (n + z * z)) * Math.sqrt((k * (n - k)) / n + (z * z) / 4);
  return { low: k === 0 ? 0 : centre - half, high: k === n ? 1 : centre + half };
}

/** At most `most` points for a plot: the first, the last, and evenly between them. */
export function thinned<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]!);
}
