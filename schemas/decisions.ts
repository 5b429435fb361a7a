/** A line of the decisions file (`review.decisions`): append-only, one line a decision, made to merge in git. */
import * as z from "zod";

export const FlagReason = z.enum([
  "below-threshold",
  "never-accepted",
  "no-answer",
  "label-issue",
  "audit",
  "disagreement",
  "not-certified",
  "unlabelled",
]);
export type FlagReason = z.output<typeof FlagReason>;

export const DecisionKind = z.enum(["confirmed", "corrected", "none", "skipped", "undone"]);

export const Decision = z.strictObject({
  /** Unique: a time-ordered id made by the writer, so that two people's files merge. */
  id: z.string(),
  row: z.string(),
  target: z.string(),
  /** `none`: none of these labels. `undone`: takes back the decision named by `undoes`. */
  kind: DecisionKind,
  /** The label in the data before; null where the row had none. */
  before: z.string().nullable(),
  /** The label after; null for `none`, `skipped`, `undone`. */
  after: z.string().nullable(),
  undoes: z.string().optional(),
  /** Why the row was in front of a person. */
  reasons: z.array(FlagReason),
  /** What the person saw, if anything: prediction and confidence of which model and job. */
  prediction: z
    .strictObject({ model: z.string(), job: z.string(), label: z.string().nullable(), confidence: z.number() })
    .optional(),
  /** Judged without seeing the prediction. */
  blind: z.boolean().default(false),
  /** Probability with which the row was drawn, when it was drawn at random from the whole stream. */
  inclusion: z.number().gt(0).max(1).optional(),
  /** The row's split when it was judged: decisions on validation or test never change metrics. */
  split: z.string().optional(),
  /** The inputs, so that the decision can be re-attached when they change. */
  inputs: z.record(z.string(), z.string()),
  who: z.string(),
  when: z.string(),
  note: z.string().optional(),
});
export type Decision = z.output<typeof Decision>;
