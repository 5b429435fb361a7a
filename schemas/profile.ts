/** What is in a project's data: counts and distributions, of `clf profile --json`, hints and the preview. */
import * as z from "zod";

const whole = z.int().min(0);

/** Quantiles of a number over rows, linear interpolation. */
export const Quantiles = z.strictObject({
  min: z.number(),
  q05: z.number(),
  q25: z.number(),
  median: z.number(),
  q75: z.number(),
  q95: z.number(),
  max: z.number(),
  mean: z.number(),
});
export type Quantiles = z.output<typeof Quantiles>;

export const Profile = z.strictObject({
  files: z.array(
    z.strictObject({
      /** Relative to the project's folder. */
      name: z.string(),
      role: z.enum(["source", "train", "validation", "test", "pool"]),
      format: z.string(),
      bytes: whole,
      rows: whole,
      columns: z.array(z.string()),
    }),
  ),
  /** Rows of all files. */
  rows: whole,
  /** Rows without any text. */
  empty: whole,
  /** Rows outside the pool files that have no label for any target. */
  unlabelled: whole,
  /** Rows that take part, by split; `tune` is a part of what the project calls train. */
  splits: z.record(z.string(), whole),
  /** Rows that take no part, by reason: `empty-text`, `no-split`, `bridge`, `sampling`, `dropped-label`. */
  left_out: z.record(z.string(), whole),
  duplicates: z.strictObject({
    /** Rows whose inputs, normalised, stand in an earlier row. */
    exact: whole,
    /** Distinct texts that are nearly an earlier one. */
    near: whole,
    /** Rows of the largest set of rows that must stay in one split. */
    largest_group: whole,
  }),
  /** Sets of rows with equal inputs (normalised) but different labels, and how many rows they are. */
  conflicts: z.record(z.string(), z.strictObject({ sets: whole, rows: whole })),
  /** Validation and test rows that have a duplicate, near-duplicate or row of their group in train. */
  leaks: whole,
  inputs: z.array(
    z.strictObject({
      column: z.string(),
      name: z.string(),
      empty: whole,
      /** Length in characters (code points) of the texts that are not empty; null when all are. */
      characters: Quantiles.nullable(),
    }),
  ),
  targets: z.array(
    z.strictObject({
      name: z.string(),
      column: z.string(),
      labelled: whole,
      /** In the order of the labels; rows that take part, or were left out by sampling alone. */
      labels: z.array(z.strictObject({ name: z.string(), rows: whole, splits: z.record(z.string(), whole) })),
    }),
  ),
});
export type Profile = z.output<typeof Profile>;
