/** Rows made from a seed, for tests. */

import { fullDistribution } from "../../../server/src/confidence/distribution.ts";
import { type Random, seededRandom } from "../../../server/src/confidence/random.ts";
import {
  type ScoredRow,
  type ScoredRows,
  type Seen,
  type Split,
  scoredRows,
} from "../../../server/src/confidence/scoredRows.ts";

export const LABELS = ["ant", "bee", "cat", "dog"];

/** A random probability vector over the labels, sharper with a larger `sharpness`. */
export function randomVector(random: Random, sharpness: number): number[] {
  const weights = LABELS.map(() => Math.exp(sharpness * random.normal()));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/** A label drawn from a probability vector raised to 1/temperature. */
export function drawLabel(random: Random, vector: readonly number[], temperature: number): number {
  const tempered = vector.map((p) => p ** (1 / temperature));
  let left = random.uniform() * tempered.reduce((a, b) => a + b);
  for (let k = 0; k < tempered.length; k++) {
    left -= tempered[k]!;
    if (left < 0) return k;
  }
  return tempered.length - 1;
}

/** Rows whose given labels follow their probabilities at `temperature` (1: perfectly calibrated; 2: overconfident). */
export function madeRows(
  n: number,
  seed: number,
  options: {
    split?: Split;
    seen?: Seen;
    temperature?: number;
    sharpness?: number;
    failEvery?: number;
    ids?: boolean;
  } = {},
): ScoredRows {
  const { split = "validation", seen = "unseen", temperature = 1, sharpness = 2, failEvery = 0, ids = true } = options;
  const random = seededRandom(seed);
  const rows = Array.from({ length: n }, (_, i): ScoredRow => {
    const vector = randomVector(random, sharpness);
    const truth = drawLabel(random, vector, temperature);
    const failed = failEvery > 0 && i % failEvery === 0;
    return {
      ...(ids ? { id: `r${i}` } : {}),
      split,
      seen,
      status: failed ? "failed" : "answered",
      truth,
      distribution: failed ? null : fullDistribution(vector),
    };
  });
  return scoredRows(rows, { labels: LABELS, keepDistributions: true });
}
