/**
 * Label issues by confident learning (Northcutt, Jiang & Chuang 2021) on out-of-fold probabilities.
 *
 * A label's threshold is the mean probability of that label over the rows that carry it. A row counts for label j in the
 * confident joint when p(j) reaches j's threshold; of several such labels the most probable counts. A row that
 * counts for another label than its own is an issue. Issues are ranked by self-confidence, the probability of the given label:
 * lowest first (bench/confidence/labelIssues.ts: better than the normalised margin on real label errors).
 */

import { probabilityOf } from "./distribution.ts";
import { type OutOfFoldRows, requireRole } from "./roles.ts";
import { distributionAt, type ScoredRows } from "./scoredRows.ts";

/** One suspected label error. */
export interface LabelIssue {
  /** Position of the row in the table. */
  row: number;
  /** Number of the given label, and of the one suggested instead. */
  given: number;
  suggested: number;
  /** Probability of the given label. */
  selfConfidence: number;
  /** (p(given) − max of the others + 1)/2, in [0, 1]; the lower, the more likely an issue. */
  normalizedMargin: number;
}

/** What confident learning finds. */
export interface LabelIssues {
  /** Labelled, answered rows that were looked at. */
  n: number;
  /** Mean probability of each label over the rows that carry it; null for labels that no row carries. */
  thresholds: (number | null)[];
  /** Off-diagonal and diagonal counts of (given, confident) labels; only non-zero cells. */
  confidentJoint: { given: number; confident: number; count: number }[];
  /**
   * Estimated share of wrong given labels: the off-diagonal mass of the confident joint after each of its rows is scaled to the
   * count of its given label.
   */
  noise: number;
  /** Suspected errors, most suspicious first. */
  issues: LabelIssue[];
}

/** All rows that can be judged, most suspicious (lowest self-confidence) first: issues and others alike. */
export function suspicionOrder({ selfConfidence }: LabelQuality): Int32Array {
  const rows: number[] = [];
  for (let i = 0; i < selfConfidence.length; i++) if (!Number.isNaN(selfConfidence[i]!)) rows.push(i);
  return Int32Array.from(rows).sort((a, b) => selfConfidence[a]! - selfConfidence[b]! || a - b);
}

/** Scores of every row, for ranking all rows whether or not they are issues. NaN for rows that cannot be judged. */
export interface LabelQuality {
  selfConfidence: Float64Array;
  normalizedMargin: Float64Array;
}

/** How many ulps of slack a probability has against a threshold (rounded means). */
const TOLERANCE = 1e-12;

/** Finds label issues. The distributions must have been kept. */
export function findLabelIssues(set: OutOfFoldRows): LabelIssues & { quality: LabelQuality } {
  const rows = requireRole(set, ["out-of-fold"], "The search for label issues");
  const labels = rows.labels.length;
  const sum = new Float64Array(labels);
  const count = new Float64Array(labels);
  const selfConfidence = new Float64Array(rows.n).fill(Number.NaN);
  const normalizedMargin = new Float64Array(rows.n).fill(Number.NaN);
  let n = 0;
  for (let i = 0; i < rows.n; i++) {
    const truth = rows.truth[i]!;
    const distribution = truth < 0 ? null : distributionAt(rows, i);
    if (distribution === null) continue;
    n++;
    const own = probabilityOf(distribution, truth);
    let best = distribution.restCount > 0 ? distribution.rest / distribution.restCount : 0;
    for (let k = 0; k < distribution.labels.length; k++) {
      if (distribution.labels[k] !== truth && distribution.probabilities[k]! > best)
        best = distribution.probabilities[k]!;
    }
    sum[truth]! += own;
    count[truth]!++;
    selfConfidence[i] = own;
    normalizedMargin[i] = (own - best + 1) / 2;
  }
  const threshold = sum.map((total, label) => (count[label]! > 0 ? total / count[label]! : Number.POSITIVE_INFINITY));
  const joint = new Map<number, number>();
  const confidentRows = new Float64Array(labels);
  const offDiagonal = new Float64Array(labels);
  const issues: LabelIssue[] = [];
  for (let i = 0; i < rows.n; i++) {
    if (Number.isNaN(selfConfidence[i]!)) continue;
    const given = rows.truth[i]!;
    const confident = confidentLabel(rows, i, threshold);
    if (confident < 0) continue;
    confidentRows[given]!++;
    const cell = given * labels + confident;
    joint.set(cell, (joint.get(cell) ?? 0) + 1);
    if (confident === given) continue;
    offDiagonal[given]!++;
    issues.push({
      row: i,
      given,
      suggested: confident,
      selfConfidence: selfConfidence[i]!,
      normalizedMargin: normalizedMargin[i]!,
    });
  }
  issues.sort((a, b) => a.selfConfidence - b.selfConfidence || a.row - b.row);
  let noisy = 0;
  for (let k = 0; k < labels; k++)
    if (confidentRows[k]! > 0) noisy += (count[k]! * offDiagonal[k]!) / confidentRows[k]!;
  return {
    n,
    thresholds: Array.from(threshold, (value) => (Number.isFinite(value) ? value : null)),
    confidentJoint: [...joint]
      .sort((a, b) => a[0] - b[0])
      .map(([cell, cellCount]) => ({ given: Math.floor(cell / labels), confident: cell % labels, count: cellCount })),
    noise: n === 0 ? 0 : noisy / n,
    issues,
    quality: { selfConfidence, normalizedMargin },
  };
}

/** The most probable label whose probability reaches its threshold; −1 when none does. Unlisted labels never do. */
function confidentLabel(rows: ScoredRows, i: number, threshold: Float64Array): number {
  const { labels, probabilities } = distributionAt(rows, i)!;
  let best = -1;
  let bestProbability = -1;
  for (let k = 0; k < labels.length; k++) {
    const probability = probabilities[k]!;
    if (probability >= threshold[labels[k]!]! - TOLERANCE && probability > bestProbability) {
      best = labels[k]!;
      bestProbability = probability;
    }
  }
  return best;
}
