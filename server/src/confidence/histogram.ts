/**
 * Histogram binning (Zadrozny & Elkan 2001): the confidence of a score is the share of right predictions among the rows
 * of its bin. Bins hold equal numbers of rows, equal scores are never parted, and the share is (k + ½)/(n + 1)
 * (Jeffreys' prior), so that no bin says 0 or 1.
 */

/** Bins (edge[i−1], edge[i]]; the first begins at −∞ and the last ends at +∞, so there is one value more than edges. */
export interface HistogramParameters {
  /** Rising inner edges. */
  edges: number[];
  /** Confidence of each bin. */
  values: number[];
}

/**
 * Fits the bins.
 * @param x scores
 * @param right 1 where the prediction was right, else 0
 * @param bins how many bins, default 15; fewer are made when scores repeat
 * @throws RangeError without rows.
 */
export function fitHistogram(x: ArrayLike<number>, right: ArrayLike<number>, bins = 15): HistogramParameters {
  const n = x.length;
  if (n === 0) throw new RangeError("Histogram binning cannot be fitted without labelled rows.");
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => x[i]! - x[j]!);
  const edges: number[] = [];
  const values: number[] = [];
  let count = 0;
  let hits = 0;
  for (let at = 0; at < n; at++) {
    const row = order[at]!;
    count++;
    hits += right[row]! > 0 ? 1 : 0;
    const next = order[at + 1];
    const full = at + 1 >= ((values.length + 1) * n) / bins;
    if (next === undefined || (full && x[next] !== x[row])) {
      values.push((hits + 0.5) / (count + 1));
      if (next !== undefined) edges.push((x[row]! + x[next]!) / 2);
      count = 0;
      hits = 0;
    }
  }
  return { edges, values };
}

/** The confidence of a score. */
export function applyHistogram({ edges, values }: HistogramParameters, score: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (score <= edges[middle]!) high = middle;
    else low = middle + 1;
  }
  return values[low]!;
}
