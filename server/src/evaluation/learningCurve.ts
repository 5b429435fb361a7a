/**
 * Accuracy against training rows, and what more data would give.
 *
 * Error is fitted as floor + scale × n^(−decay) (Hestness et al. 2017; Rosenfeld et al. 2020) by weighted least squares, floor and scale at
 * least 0, decay between 0.05 and 2. Intervals by seeded parametric bootstrap of the measured accuracies. Points measured
 * on the same test rows share their luck, so the interval speaks of the shape of the curve; it is an extrapolation.
 */

import type { LearningCurve, LearningPoint } from "../../../schemas/report.ts";
import { seededRandom } from "../confidence/random.ts";
import { quantile } from "./bins.ts";
import type { Measure } from "./confusion.ts";

interface PowerLaw {
  floor: number;
  scale: number;
  decay: number;
}

const errorAt = (law: PowerLaw, trained: number): number => law.floor + law.scale * trained ** -law.decay;

/** Weighted least squares with floor, scale ≥ 0; the decay by search over a grid. */
function fit(points: readonly { trained: number; error: number; weight: number }[]): PowerLaw {
  let best: PowerLaw & { loss: number } = { floor: 0, scale: 0, decay: 0.5, loss: Number.POSITIVE_INFINITY };
  for (let step = 0; step <= 78; step++) {
    const decay = 0.05 + step * 0.025;
    let [s, sx, sxx, sy, sxy] = [0, 0, 0, 0, 0];
    for (const { trained, error, weight } of points) {
      const x = trained ** -decay;
      s += weight;
      sx += weight * x;
      sxx += weight * x * x;
      sy += weight * error;
      sxy += weight * x * error;
    }
    const determinant = s * sxx - sx * sx;
    let scale = determinant > 0 ? (s * sxy - sx * sy) / determinant : 0;
    let floor = (sy - scale * sx) / s;
    if (scale < 0) [scale, floor] = [0, sy / s];
    else if (floor < 0) [scale, floor] = [sxy / sxx, 0];
    const law = { floor, scale, decay };
    const loss = points.reduce((sum, p) => sum + p.weight * (p.error - errorAt(law, p.trained)) ** 2, 0);
    if (loss < best.loss - 1e-15) best = { ...law, loss };
  }
  return best;
}

/**
 * Fits the curve and extrapolates to `forecastAt` training rows (default: twice and four times the most).
 * @throws RangeError with fewer than three different numbers of training rows.
 */
export function learningCurve(
  points: readonly LearningPoint[],
  forecastAt?: readonly number[],
  seed = 42,
): LearningCurve {
  if (new Set(points.map((point) => point.trained)).size < 3) {
    throw new RangeError("A learning curve needs at least three different numbers of training rows.");
  }
  const most = Math.max(...points.map((point) => point.trained));
  const asked = forecastAt ?? [2 * most, 4 * most];
  // Smoothed, so that a point without errors still has a variance.
  const smoothed = points.map(({ right, rows }) => (rows - right + 0.5) / (rows + 1));
  const weights = points.map(({ rows }, i) => rows / (smoothed[i]! * (1 - smoothed[i]!)));
  const lawOf = (errors: readonly number[]): PowerLaw =>
    fit(points.map((point, i) => ({ trained: point.trained, error: errors[i]!, weight: weights[i]! })));
  const law = lawOf(points.map(({ right, rows }) => 1 - right / rows));
  const gain = (l: PowerLaw): number => errorAt(l, most) - errorAt(l, 2 * most);
  const random = seededRandom(seed);
  const draws = Array.from({ length: 300 }, () =>
    lawOf(
      points.map((point, i) =>
        Math.min(1, Math.max(0, errorAt(law, point.trained) + random.normal() / Math.sqrt(weights[i]!))),
      ),
    ),
  );
  const measure = (of: (l: PowerLaw) => number): Measure => {
    const values = draws.map(of).sort((a, b) => a - b);
    const value = of(law);
    return { value, low: Math.min(value, quantile(values, 0.025)), high: Math.max(value, quantile(values, 0.975)) };
  };
  return {
    points: points.map((point) => ({
      ...point,
      accuracy: point.right / point.rows,
      fitted: 1 - errorAt(law, point.trained),
    })),
    floor: law.floor,
    scale: law.scale,
    decay: law.decay,
    forecasts: asked.map((trained) => ({ trained, ...measure((l) => 1 - errorAt(l, trained)) })),
    gainOfDoubling: measure(gain),
  };
}
