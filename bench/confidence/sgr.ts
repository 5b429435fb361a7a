/**
 * Selective guaranteed risk (Geifman & El-Yaniv 2017, algorithm 1): the method the accept rule is measured against.
 *
 * Binary search over the number of accepted rows, ⌈log₂ n⌉ steps, the exact binomial bound at δ/⌈log₂ n⌉ each.
 */

import { clopperPearsonUpper } from "../../server/src/confidence/binomial.ts";
import { descendingOrder } from "../../server/src/confidence/order.ts";

export interface SgrResult {
  threshold: number;
  n: number;
  errors: number;
  bound: number;
}

/** The threshold found for a risk with certainty 1 − delta, or null when none is. */
export function selectiveGuaranteedRisk(
  score: Float64Array,
  wrong: Uint8Array,
  risk: number,
  delta: number,
): SgrResult | null {
  const n = score.length;
  const order = descendingOrder(score);
  const steps = Math.ceil(Math.log2(n));
  let low = 1;
  let high = n;
  let found: SgrResult | null = null;
  for (let step = 0; step < steps; step++) {
    const middle = Math.floor((low + high) / 2);
    let errors = 0;
    for (let at = 0; at < middle; at++) errors += wrong[order[at]!]!;
    const bound = clopperPearsonUpper(errors, middle, delta / steps);
    if (bound <= risk) {
      if (found === null || middle > found.n)
        found = { threshold: score[order[middle - 1]!]!, n: middle, errors, bound };
      low = middle;
    } else high = middle;
  }
  return found;
}
