/**
 * The thresholds table: for a row of thresholds, how much is accepted, how good it is, and what is left to review.
 */

import type { AcceptRows } from "../confidence/acceptRule.ts";
import { clopperPearsonUpper, wilson } from "../confidence/binomial.ts";
import { costLine, type Prices } from "../confidence/costOptimal.ts";
import { type ReportRows, requireRole } from "../confidence/roles.ts";
import type { Measure } from "./confusion.ts";

/** One line of the table; plain JSON. */
export interface ThresholdLine {
  /** Accept when the confidence (or score) is at least this. */
  threshold: number;
  accepted: number;
  coverage: Measure;
  /** Right among the accepted with Wilson's 95 % interval; null when nothing is accepted. */
  accuracy: Measure | null;
  /** Wrong rows among the accepted, as measured here. */
  errors: number;
  /** Wrong rows among the accepted that the confidences themselves announce: Σ (1 − confidence); by `confidence` only. */
  expectedErrors: number | null;
  /** One-sided exact 95 % upper bound of the error rate at this one threshold (not of the best of the table). */
  errorBound: number;
  /** Share of rows that a person reviews. */
  reviewShare: number;
  /** Mean cost a row of errors and reviews; absent without prices. */
  costPerRow?: number;
}

/** Thresholds shown when none are given. */
export const DEFAULT_THRESHOLDS: readonly number[] = [0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995];

/** The table on report rows. */
export function thresholdsTable(
  rows: AcceptRows<"test"> | AcceptRows<"cross-fitted">,
  { thresholds = DEFAULT_THRESHOLDS, prices }: { thresholds?: readonly number[]; prices?: Prices | undefined } = {},
): ThresholdLine[] {
  for (const set of rows.sets as readonly ReportRows[])
    requireRole<ReportRows["role"]>(set, ["test", "cross-fitted"], "A report");
  const sorted = [...thresholds].sort((a, b) => a - b);
  const accepted = new Float64Array(sorted.length);
  const errors = new Float64Array(sorted.length);
  const doubt = new Float64Array(sorted.length);
  let n = 0;
  for (let i = 0; i < rows.n; i++) {
    if (!rows.labelled[i]) continue;
    n++;
    const score = rows.score[i]!;
    if (score < 0) continue;
    // The last threshold that takes the row; those before it take it too (summed below).
    let at = sorted.length - 1;
    while (at >= 0 && score < sorted[at]!) at--;
    if (at < 0) continue;
    accepted[at]!++;
    errors[at]! += rows.wrong[i]!;
    doubt[at]! += 1 - score;
  }
  for (let t = sorted.length - 2; t >= 0; t--) {
    accepted[t]! += accepted[t + 1]!;
    errors[t]! += errors[t + 1]!;
    doubt[t]! += doubt[t + 1]!;
  }
  return sorted.map((threshold, t): ThresholdLine => {
    const taken = accepted[t]!;
    const wrong = errors[t]!;
    return {
      threshold,
      accepted: taken,
      coverage: { value: n === 0 ? 0 : taken / n, ...wilson(taken, n) },
      accuracy: taken === 0 ? null : { value: 1 - wrong / taken, ...wilson(taken - wrong, taken) },
      errors: wrong,
      expectedErrors: rows.by === "confidence" ? doubt[t]! : null,
      errorBound: clopperPearsonUpper(wrong, taken, 0.05),
      reviewShare: n === 0 ? 1 : 1 - taken / n,
      ...(prices && n > 0 ? { costPerRow: costLine(prices, threshold, n, taken, wrong).costPerRow } : {}),
    };
  });
}
