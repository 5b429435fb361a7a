/** The requests of "try it": what a model says of a text that stands nowhere yet, and the training rows that are most like it. */
import * as z from "zod";
import { FlagReason } from "./decisions.ts";
import { LabelSet } from "./predictions.ts";
import { SplitName } from "./rows.ts";

const inProject = { project: z.string().max(8192) };
/** By input name; one that is missing is the empty text. */
const inputs = z.record(z.string(), z.string().max(1_000_000));

/** A piece of an input and how much it spoke for the predicted label, against the runner-up. Offsets are UTF-16 units. */
export const WordSpan = z.strictObject({
  input: z.string(),
  start: z.int(),
  end: z.int(),
  text: z.string(),
  weight: z.number(),
});
export type WordSpan = z.output<typeof WordSpan>;

export const TriedTarget = z.strictObject({
  target: z.string(),
  /** Null: no usable answer. */
  label: z.string().nullable(),
  /** Null while the model as it stands has not been evaluated: an uncalibrated score is no confidence. */
  confidence: z.number().nullable(),
  /** The likeliest labels; calibrated where `confidence` is. */
  top: z.array(z.tuple([z.string(), z.number()])),
  /** Null while nothing is known of what may be accepted. */
  accepted: z.boolean().nullable(),
  reasons: z.array(FlagReason),
  set: LabelSet.nullable(),
  /** Heaviest first; engine `linear` alone. */
  words: z.array(WordSpan),
});
export type TriedTarget = z.output<typeof TriedTarget>;

export const NearestRow = z.strictObject({
  row: z.string(),
  split: SplitName,
  /** The inputs' beginning. */
  text: z.string(),
  labels: z.array(z.strictObject({ target: z.string(), label: z.string().nullable(), decided: z.boolean() })),
  /** Cosine of their words, 0 to 1. */
  similarity: z.number(),
  /** Where it stands in its file; null in a file without lines. */
  place: z.strictObject({ uri: z.string(), line: z.int().min(0), end_line: z.int().min(0) }).nullable(),
});
export type NearestRow = z.output<typeof NearestRow>;

export const tryRequests = {
  /** Predicts a text. Engine `linear` answers at once; other engines are asked as a job asks them, and may cost what they cost. */
  "clf/predict": {
    params: z.strictObject({ ...inProject, model: z.string(), inputs }),
    result: z.strictObject({ targets: z.array(TriedTarget) }),
  },
  /** The rows trained on that are most like a text. */
  "clf/try/nearest": {
    params: z.strictObject({ ...inProject, inputs, most: z.int().min(1).max(50).default(5) }),
    result: z.strictObject({ rows: z.array(NearestRow) }),
  },
} as const;
