/** Prediction lines as the columns that the mathematics reads. */
import type { JobTarget } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { type Distribution, fullDistribution } from "../confidence/distribution.ts";
import { type ScoredRows, type Seen, type Status, scoredRowsBuilder } from "../confidence/scoredRows.ts";

const STATUS: Record<NonNullable<Prediction["problem"]>, Status> = {
  failed: "failed",
  refused: "failed",
  unparsed: "unparsed",
  truncated: "unparsed",
  "out-of-list": "out-of-list",
};

/** The status of a prediction; a row without any prediction failed. */
export function statusOf(prediction: Prediction | undefined): Status {
  if (prediction === undefined) return "failed";
  if (prediction.problem !== undefined) return STATUS[prediction.problem];
  return prediction.label === null ? "failed" : "answered";
}

/**
 * The uncalibrated distribution of a prediction: all labels where the line has them, else the likeliest and the rest.
 * What is left after known labels belongs to the unlisted ones, save what the engine calls uncovered.
 */
export function distributionOf(prediction: Prediction, numbers: ReadonlyMap<string, number>): Distribution {
  if (prediction.all?.length === numbers.size) return fullDistribution(prediction.all);
  const labels: number[] = [];
  const probabilities: number[] = [];
  let rest = prediction.rest;
  for (const [label, probability] of prediction.top) {
    const number = numbers.get(label);
    if (number === undefined) rest += probability;
    else {
      labels.push(number);
      probabilities.push(probability);
    }
  }
  const uncovered = prediction.uncovered ?? 0;
  return { labels, probabilities, rest, restCount: uncovered > 0 ? 0 : numbers.size - labels.length };
}

/**
 * A train row without a label for the target (a person decided on another target of it, say) has no out-of-fold prediction; no
 * model that was trained on it has said anything of it either.
 */
function seenBy({ split }: JobRow, prediction: Prediction | undefined): Seen {
  if (prediction) return prediction.fold === undefined ? "unseen" : "out-of-fold";
  return split === "train" || split === "tune" ? "out-of-fold" : "unseen";
}

/**
 * The rows of one split, in order, with one model's predictions of one target.
 * @param predictions by row id; a row without one counts as failed
 */
export function scoredRowsOf(
  rows: readonly JobRow[],
  target: JobTarget,
  predictions: ReadonlyMap<string, Prediction>,
): ScoredRows {
  const names = target.labels.map((label) => label.name);
  const numbers = new Map(names.map((label, i) => [label, i]));
  const builder = scoredRowsBuilder({ labels: names, keepDistributions: true });
  for (const row of rows) {
    const prediction = predictions.get(row.row);
    const status = statusOf(prediction);
    const seen = seenBy(row, prediction);
    const label = row.labels[target.name];
    builder.push({
      id: row.row,
      split: row.split,
      seen,
      status,
      disagrees: prediction?.disagrees === true,
      truth: label == null ? null : (numbers.get(label) ?? null),
      distribution: status === "answered" ? distributionOf(prediction!, numbers) : null,
    });
  }
  return builder.finish();
}
