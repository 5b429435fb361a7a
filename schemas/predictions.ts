/** A line of `predictions.jsonl`: what one model says of one row and target. Scores only: confidences are derived (DESIGN §5). */
import * as z from "zod";
import { SplitName } from "./rows.ts";

/** How many of the likeliest labels a prediction holds. The accept rule looks at these and `rest`, for every row alike. */
export const TOP_LABELS = 20;

export const Prediction = z.strictObject({
  row: z.string(),
  target: z.string(),
  model: z.string(),
  split: SplitName,
  /** The fold that was left out, when the probabilities are out-of-fold. */
  fold: z.int().min(0).optional(),
  /** The likeliest label; null when there is no answer (see `problem`). */
  label: z.string().nullable(),
  /** Uncalibrated probability of `label`, 0 to 1; 0 when there is no answer. */
  score: z.number().min(0).max(1),
  /** The likeliest labels with their uncalibrated probabilities, likeliest first, at most TOP_LABELS. */
  top: z.array(z.tuple([z.string(), z.number().min(0).max(1)])).max(TOP_LABELS),
  /** Probability of the labels not in `top`, together. */
  rest: z.number().min(0).max(1),
  /** Probabilities of all labels in the target's order; for labelled rows of targets with more than TOP_LABELS labels. */
  all: z.array(z.number()).optional(),
  /** Why there is no usable answer. Counted apart, wrong, never accepted, never a label. */
  problem: z.enum(["failed", "refused", "unparsed", "out-of-list", "truncated"]).optional(),
  /** Mass that a top-k of tokens could not see. */
  uncovered: z.number().min(0).max(1).optional(),
  answer: z.string().optional(),
  tokens: z
    .strictObject({ prompt: z.int().min(0), completion: z.int().min(0), cached: z.int().min(0).optional() })
    .optional(),
  seconds: z.number().min(0).optional(),
  /** What the row's answers cost, in dollars, where a price is known; on the row's first target. As `tokens` and `seconds`. */
  dollars: z.number().min(0).optional(),
  /** Engine `cascade`: the stage that decided. */
  stage: z.string().optional(),
  /** Engine `cascade` with `agree`: a stage gave another label, or none. Never accepted. */
  disagrees: z.literal(true).optional(),
  /** `clf signals`: by signal, the label it speaks for and its score; null without an answer. */
  signals: z.record(z.string(), z.tuple([z.string().nullable(), z.number()])).optional(),
});
export type Prediction = z.output<typeof Prediction>;

/** A conformal prediction set. */
export const LabelSet = z.strictObject({
  /** Likeliest first. */
  labels: z.array(z.string()),
  /** Whether labels that are not listed are in it as well. */
  others: z.boolean(),
  /** Share of flagged rows whose right label is in their set. */
  coverage: z.number(),
});
export type LabelSet = z.output<typeof LabelSet>;
