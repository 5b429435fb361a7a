/** A line of `attempts/<n>/events.jsonl`: the runner's account of itself, as it goes. */
import * as z from "zod";

const base = { seq: z.int().min(1), time: z.string() };

export const JobEvent = z.discriminatedUnion("type", [
  /** The last `state` event of an attempt is its end, written after everything else is in place. */
  z.strictObject({
    ...base,
    type: z.literal("state"),
    state: z.enum(["running", "succeeded", "failed", "cancelled"]),
    message: z.string().optional(),
  }),
  /** `step` is a short phrase for people ("fitting NatureTitle"); done of total in `unit`. */
  z.strictObject({
    ...base,
    type: z.literal("progress"),
    step: z.string(),
    done: z.number().min(0),
    total: z.number().min(0).nullable(),
    unit: z.string().optional(),
    /** Seconds left, estimated. */
    left: z.number().min(0).optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal("metric"),
    name: z.string(),
    value: z.number(),
    step: z.number().optional(),
    epoch: z.number().optional(),
    target: z.string().optional(),
    model: z.string().optional(),
    split: z.string().optional(),
  }),
  z.strictObject({ ...base, type: z.literal("log"), level: z.enum(["debug", "info", "warning"]), message: z.string() }),
  z.strictObject({ ...base, type: z.literal("checkpoint"), path: z.string(), step: z.number().optional() }),
  z.strictObject({
    ...base,
    type: z.literal("artifact"),
    name: z.string(),
    path: z.string(),
    bytes: z.int().min(0),
    sha256: z.string().optional(),
  }),
  /** What is wrong, where, and what to do about it. Not by itself the end of the attempt. */
  z.strictObject({
    ...base,
    type: z.literal("error"),
    message: z.string(),
    remedy: z.string().optional(),
    row: z.string().optional(),
    detail: z.string().optional(),
  }),
]);
export type JobEvent = z.output<typeof JobEvent>;
/** An event before the writer has numbered and dated it. */
export type NewEvent = JobEvent extends infer E ? (E extends JobEvent ? Omit<E, "seq" | "time"> : never) : never;
