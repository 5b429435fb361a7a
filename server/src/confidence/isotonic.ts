/**
 * Isotonic regression: the rising function of the score with the least squared error, by pooling adjacent violators
 * (Ayer et al. 1955). Equal scores are pooled first; between scores the fit is interpolated linearly, outside it is
 * constant (as scikit-learn's IsotonicRegression with out_of_bounds="clip").
 */

/** A rising, piecewise linear function through the points (x[i], y[i]); x rises strictly. */
export interface IsotonicParameters {
  x: number[];
  y: number[];
}

/**
 * Fits the rising function.
 * @param x scores
 * @param y outcomes (0 or 1, or any number)
 * @throws RangeError without rows.
 */
export function fitIsotonic(x: ArrayLike<number>, y: ArrayLike<number>): IsotonicParameters {
  const n = x.length;
  if (n === 0) throw new RangeError("Isotonic regression cannot be fitted without labelled rows.");
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => x[i]! - x[j]!);
  // Blocks of pooled scores: first and last score, weight, mean.
  const firsts: number[] = [];
  const lasts: number[] = [];
  const weights: number[] = [];
  const means: number[] = [];
  for (let at = 0; at < n; ) {
    const score = x[order[at]!]!;
    let weight = 0;
    let sum = 0;
    while (at < n && x[order[at]!]! === score) {
      sum += y[order[at]!]!;
      weight++;
      at++;
    }
    firsts.push(score);
    lasts.push(score);
    weights.push(weight);
    means.push(sum / weight);
    while (means.length > 1 && means.at(-2)! >= means.at(-1)!) {
      const mean = means.pop()!;
      const weight = weights.pop()!;
      const last = lasts.pop()!;
      firsts.pop();
      const end = means.length - 1;
      const total = weights[end]! + weight;
      means[end] = (means[end]! * weights[end]! + mean * weight) / total;
      weights[end] = total;
      lasts[end] = last;
    }
  }
  const points: IsotonicParameters = { x: [], y: [] };
  for (let block = 0; block < means.length; block++) {
    points.x.push(firsts[block]!);
    points.y.push(means[block]!);
    if (lasts[block] !== firsts[block]) {
      points.x.push(lasts[block]!);
      points.y.push(means[block]!);
    }
  }
  return points;
}

/** The fitted function at a score. */
export function applyIsotonic({ x, y }: IsotonicParameters, score: number): number {
  const last = x.length - 1;
  if (score <= x[0]!) return y[0]!;
  if (score >= x[last]!) return y[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= score) low = middle;
    else high = middle;
  }
  const share = (score - x[low]!) / (x[high]! - x[low]!);
  return y[low]! + share * (y[high]! - y[low]!);
}
