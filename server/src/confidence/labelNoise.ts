/**
 * How wrong the given labels are, from blind re-labelling of random validation rows (DESIGN §5.4).
 *
 * A certificate speaks of the given labels. Where a random sample of validation rows has been judged again by people who saw
 * neither the given label nor the prediction, the share of changed labels estimates the noise, and the same judgements
 * on accepted rows estimate the risk against what people say.
 */

import { clopperPearsonUpper, wilson } from "./binomial.ts";

/** One row of the random sample. */
export interface BlindJudgement {
  /** The given label. */
  given: string;
  /** The label judged blind; null: skipped, or none of the labels. */
  judged: string | null;
  /** The predicted label; null when the model did not answer. */
  predicted: string | null;
  /** Whether the rule in force accepts the row. */
  accepted: boolean;
}

/** A share with Wilson's 95 % interval. */
export interface NoiseShare {
  value: number;
  low: number;
  high: number;
  /** Rows it comes from. */
  n: number;
}

/** The estimate that is printed beside a certificate; plain JSON. */
export interface LabelNoiseEstimate {
  /** Rows judged, and rows skipped (left out of the shares, wrong in the bound). */
  judged: number;
  skipped: number;
  /** Share of given labels the judges changed; null without judged rows. */
  noise: NoiseShare | null;
  /** The same among accepted rows. */
  noiseAccepted: NoiseShare | null;
  /** Share of wrong predictions among accepted rows, against the given labels of these rows. */
  riskAgainstGiven: NoiseShare | null;
  /** The same against the judged labels: the figure that matters. */
  riskAgainstJudged: NoiseShare | null;
  /** One-sided exact 95 % upper bound of `riskAgainstJudged`, skipped rows counted as wrong. */
  riskAgainstJudgedBound: number;
}

/** Estimates the noise of the given labels. The rows must be a random sample of validation rows, judged blind. */
export function estimateLabelNoise(sample: readonly BlindJudgement[]): LabelNoiseEstimate {
  const judged = sample.filter((row) => row.judged !== null);
  const accepted = judged.filter((row) => row.accepted);
  const skippedAccepted = sample.filter((row) => row.accepted && row.judged === null).length;
  const share = (rows: readonly BlindJudgement[], hit: (row: BlindJudgement) => boolean): NoiseShare | null => {
    const hits = rows.filter(hit).length;
    return rows.length === 0 ? null : { value: hits / rows.length, ...wilson(hits, rows.length), n: rows.length };
  };
  const wrong = accepted.filter((row) => row.predicted !== row.judged).length;
  return {
    judged: judged.length,
    skipped: sample.length - judged.length,
    noise: share(judged, (row) => row.given !== row.judged),
    noiseAccepted: share(accepted, (row) => row.given !== row.judged),
    riskAgainstGiven: share(accepted, (row) => row.predicted !== row.given),
    riskAgainstJudged: share(accepted, (row) => row.predicted !== row.judged),
    riskAgainstJudgedBound: clopperPearsonUpper(wrong + skippedAccepted, accepted.length + skippedAccepted, 0.05),
  };
}
