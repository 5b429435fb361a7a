/** What is said to a worker that keeps one model loaded (worker/src/clf_worker/serve.py), and what it says: lines of JSON. */
import * as z from "zod";
import { Prediction } from "./predictions.ts";

/** One question; the next one may follow when it is answered. */
export const ScorerQuestion = z.strictObject({
  rows: z.array(z.strictObject({ row: z.string(), inputs: z.record(z.string(), z.string()) })),
});
export type ScorerQuestion = z.output<typeof ScorerQuestion>;

export const ScorerLine = z.discriminatedUnion("type", [
  /** Before it is ready. */
  z.strictObject({ type: z.literal("progress"), step: z.string() }),
  z.strictObject({ type: z.literal("ready") }),
  z.strictObject({ type: z.literal("log"), level: z.enum(["info", "warning"]), message: z.string() }),
  /** Some of the question's rows, with every target. */
  z.strictObject({ type: z.literal("predictions"), predictions: z.array(Prediction) }),
  /** All of the question's rows have been said. */
  z.strictObject({ type: z.literal("answered") }),
  /** Instead of `ready`: there is no model. Instead of `answered`: the question has no answer. */
  z.strictObject({ type: z.literal("error"), message: z.string(), remedy: z.string().optional() }),
]);
export type ScorerLine = z.output<typeof ScorerLine>;
