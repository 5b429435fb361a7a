/**
 * Prediction sets by split conformal prediction: the labels among which the right one is, with a given coverage.
 *
 * LAC (Sadinle, Lei & Wasserman 2019): a label is in the set when its probability is high enough; smallest sets on average.
 * APS (Romano, Sesia & Candès 2020), not randomised: the most probable labels until their sum is enough, so that a label is
 * judged by the mass of those before it; larger sets for harder rows. Both are calibrated on *flagged* rows (DESIGN §5.8), because those are the rows a reviewer sees: sets calibrated
 * on all rows cover too little there. Uncalibrated probabilities are used: calibrators are fitted on the same rows.
 */

import { wilson } from "./binomial.ts";
import { type Distribution, probabilityOf } from "./distribution.ts";
import { type CertifyingRows, type Role, type RowSet, requireRole } from "./roles.ts";
import { distributionAt } from "./scoredRows.ts";

export type PredictionSetMethod = "lac" | "aps";

/** A calibrated rule for prediction sets; plain JSON. */
export interface PredictionSetRule {
  method: PredictionSetMethod;
  /** Promised coverage, e.g. 0.9. */
  coverage: number;
  /** A label is in the set when its non-conformity is at most this; null: too few rows, every label is in. */
  quantile: number | null;
  /** Flagged, answered, labelled rows it was calibrated on. */
  rows: number;
  fittedOn: "validation" | "out-of-fold";
}

/** Slack for sums of rounded probabilities. */
const TOLERANCE = 1e-9;

/** How badly a label of probability `own` fits: LAC 1 − p, APS the summed probability of all labels that are more probable. */
function nonconformity(
  method: PredictionSetMethod,
  { probabilities, rest, restCount }: Distribution,
  own: number,
): number {
  if (method === "lac") return 1 - own;
  let before = restCount > 0 && rest / restCount > own ? rest : 0;
  for (let i = 0; i < probabilities.length; i++) if (probabilities[i]! > own) before += probabilities[i]!;
  return before;
}

/**
 * Calibrates prediction sets.
 * @param flagged 1 for the rows that are flagged under the rule in force
 * @param coverage promised coverage, in (0, 1)
 */
export function calibratePredictionSets(
  set: CertifyingRows,
  flagged: ArrayLike<number>,
  method: PredictionSetMethod,
  coverage = 0.9,
): PredictionSetRule {
  const rows = requireRole<CertifyingRows["role"]>(
    set,
    ["validation", "out-of-fold"],
    "The calibration of prediction sets",
  );
  const scores: number[] = [];
  for (let i = 0; i < rows.n; i++) {
    const distribution = flagged[i]! > 0 && rows.truth[i]! >= 0 ? distributionAt(rows, i) : null;
    if (distribution !== null)
      scores.push(nonconformity(method, distribution, probabilityOf(distribution, rows.truth[i]!)));
  }
  scores.sort((a, b) => a - b);
  const rank = Math.ceil((scores.length + 1) * coverage - TOLERANCE);
  return {
    method,
    coverage,
    quantile: rank <= scores.length ? scores[rank - 1]! : null,
    rows: scores.length,
    fittedOn: set.role,
  };
}

/** A prediction set: listed labels, most probable first, and whether the labels that are not listed are in as well. */
export interface PredictionSet {
  labels: number[];
  /** True when labels outside the listed top-k belong to the set too. */
  others: boolean;
}

/**
 * The prediction set of one row. The most probable label is always in it.
 * @param labelCount how many labels there are, listed or not
 */
export function predictionSet(rule: PredictionSetRule, distribution: Distribution, labelCount: number): PredictionSet {
  const order = Array.from({ length: distribution.labels.length }, (_, i) => i).sort(
    (a, b) => distribution.probabilities[b]! - distribution.probabilities[a]! || a - b,
  );
  const limit = rule.quantile === null ? Number.POSITIVE_INFINITY : rule.quantile + TOLERANCE;
  const labels = order
    .filter((i, at) => at === 0 || nonconformity(rule.method, distribution, distribution.probabilities[i]!) <= limit)
    .map((i) => distribution.labels[i]!);
  const { rest, restCount } = distribution;
  // Uncovered mass is no label's: those that are not listed have a probability of 0 then, as in the calibration.
  const share = restCount > 0 ? rest / restCount : 0;
  const others = labelCount > distribution.labels.length && nonconformity(rule.method, distribution, share) <= limit;
  return { labels, others };
}

/** What prediction sets do on rows with labels; plain JSON. */
export interface PredictionSetReport {
  /** Flagged, answered, labelled rows. */
  n: number;
  covered: number;
  /** covered / n with Wilson's 95 % interval; null without rows. */
  coverage: { value: number; low: number; high: number } | null;
  /** Mean number of labels in a set. */
  meanSize: number | null;
  /** Rows by size of set: `sizes[s]` rows have s labels (the last entry: that many or more). */
  sizes: number[];
}

/** Measures prediction sets on flagged rows of another split. */
export function measurePredictionSets(
  rule: PredictionSetRule,
  set: RowSet<Role>,
  flagged: ArrayLike<number>,
  longest = 10,
): PredictionSetReport {
  const { rows } = set;
  let n = 0;
  let covered = 0;
  let total = 0;
  const sizes = new Array<number>(longest + 1).fill(0);
  for (let i = 0; i < rows.n; i++) {
    const distribution = flagged[i]! > 0 && rows.truth[i]! >= 0 ? distributionAt(rows, i) : null;
    if (distribution === null) continue;
    const { labels, others } = predictionSet(rule, distribution, rows.labels.length);
    const size = labels.length + (others ? rows.labels.length - distribution.labels.length : 0);
    n++;
    total += size;
    sizes[Math.min(size, longest)]!++;
    const truth = rows.truth[i]!;
    const listed = Array.prototype.includes.call(distribution.labels, truth);
    if (listed ? labels.includes(truth) : others) covered++;
  }
  return {
    n,
    covered,
    coverage: n === 0 ? null : { value: covered / n, ...wilson(covered, n) },
    meanSize: n === 0 ? null : total / n,
    sizes,
  };
}
