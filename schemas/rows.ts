/** Rows as a job sees them: `data/rows.jsonl` of a job folder, one line a row. And the saved splits. */
import * as z from "zod";

export const SplitName = z.enum(["train", "tune", "validation", "test", "pool"]);
export type SplitName = z.output<typeof SplitName>;

export const JobRow = z.strictObject({
  /** Row id (DESIGN §1). */
  row: z.string(),
  split: SplitName,
  /** Input name → text. A missing cell is the empty string. */
  inputs: z.record(z.string(), z.string()),
  /** Target name → label; null where the row has none. Decisions that may train are applied already. */
  labels: z.record(z.string(), z.string().nullable()),
  /** Rows with the same key are near-duplicates or share a group: folds keep them together. Absent: a key of its own. */
  group: z.string().optional(),
  /**
   * The row joined train from the pool by a decision. It was reviewed because a model was unsure of it, so it is no random
   * row: it trains, and neither calibrates nor certifies (DESIGN §5.6).
   */
  joined: z.literal(true).optional(),
  /**
   * Target name → the file's label (null: none) where a decision put another. Fitting takes the new label. Figures and
   * certificates from out-of-fold predictions take the file's: a row is reviewed because prediction and label disagree, so
   * that only labels which leave their prediction behind would be changed (DESIGN §5.6).
   */
  given: z.record(z.string(), z.string().nullable()).optional(),
  /** Why the label is not the file's: the id of the decision that changed it. */
  decision: z.string().optional(),
});
export type JobRow = z.output<typeof JobRow>;

/** A line of `<project>.splits.jsonl`. `tune` is not saved: it is a seeded slice of train, derived anew. */
export const SplitAssignment = z.strictObject({
  row: z.string(),
  split: z.enum(["train", "validation", "test"]),
});
export type SplitAssignment = z.output<typeof SplitAssignment>;
