/**
 * The threshold with the least cost, beside the one with a promised risk: an error has a price, a review has a price.
 *
 * With calibrated confidences a row is worth accepting when (1 − confidence) × price of an error < price of a review, that is
 * at confidence ≥ 1 − review/error (Chow 1970). The measured optimum on the rows at hand stands beside it; it follows the
 * noise of these rows and promises nothing.
 */

import type { AcceptRows } from "./acceptRule.ts";
import { descendingOrder } from "./order.ts";
import { type CertifyingRows, requireRole } from "./roles.ts";

/** Prices in any one currency. */
export interface Prices {
  /** Of an accepted row that is wrong. */
  error: number;
  /** Of reviewing one row. */
  review: number;
}

/** What one threshold costs; plain JSON. */
export interface CostLine {
  threshold: number;
  coverage: number;
  errors: number;
  /** Mean cost a row: (errors × error price + reviewed × review price) / rows. */
  costPerRow: number;
}

/** A threshold above every confidence: it accepts nothing. JSON has no infinity. */
export const NOTHING = 2;

/** Of `n` rows some are accepted, and `errors` of those are wrong; all others are reviewed. */
export function costLine(
  { error, review }: Prices,
  threshold: number,
  n: number,
  accepted: number,
  errors: number,
): CostLine {
  return {
    threshold,
    coverage: n === 0 ? 0 : accepted / n,
    errors,
    costPerRow: n === 0 ? 0 : (errors * error + (n - accepted) * review) / n,
  };
}

/** The result; plain JSON. */
export interface CostOptimum {
  n: number;
  prices: Prices;
  /** Accept at confidence ≥ 1 − review/error: best if confidences are calibrated. */
  calibrated: CostLine;
  /** The cheapest threshold measured on these rows. */
  measured: CostLine;
  /** Reviewing everything, and accepting everything that may be accepted. */
  reviewAll: CostLine;
  acceptAll: CostLine;
}

/** The cost-optimal threshold on validation or out-of-fold rows, by `confidence`. */
export function costOptimalThreshold(
  rows: AcceptRows<"validation"> | AcceptRows<"out-of-fold">,
  prices: Prices,
): CostOptimum {
  for (const set of rows.sets as readonly CertifyingRows[]) {
    requireRole<CertifyingRows["role"]>(set, ["validation", "out-of-fold"], "The choice of a threshold");
  }
  if (!(prices.error >= 0 && prices.review >= 0)) throw new RangeError("Prices must not be negative.");
  const order = descendingOrder(rows.score);
  let n = 0;
  for (let i = 0; i < rows.n; i++) n += rows.labelled[i]!;
  const line = (threshold: number, accepted: number, errors: number): CostLine =>
    costLine(prices, threshold, n, accepted, errors);
  const limit = prices.error > 0 ? Math.min(1, Math.max(0, 1 - prices.review / prices.error)) : 0;
  const reviewAll = line(NOTHING, 0, 0);
  let measured = reviewAll;
  let calibrated = line(limit, 0, 0);
  let acceptAll = line(0, 0, 0);
  let accepted = 0;
  let errors = 0;
  for (let at = 0; at < rows.n; at++) {
    const row = order[at]!;
    const score = rows.score[row]!;
    if (score < 0) break;
    if (rows.labelled[row]) {
      accepted++;
      errors += rows.wrong[row]!;
    }
    const next = order[at + 1];
    if (next !== undefined && rows.score[next] === score) continue;
    const here = line(score, accepted, errors);
    if (here.costPerRow < measured.costPerRow) measured = here;
    if (score >= limit) calibrated = line(limit, accepted, errors);
    acceptAll = line(0, accepted, errors);
  }
  return { n, prices, calibrated, measured, reviewAll, acceptAll };
}
