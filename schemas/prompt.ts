/** A row's prompt as it would be sent, and the bake-off of confidence signals: documents of `clf prompt` and `clf signals`. */
import * as z from "zod";
import { Measure } from "./report.ts";
import { SplitName } from "./rows.ts";

const tokens = z.strictObject({ prompt: z.int().min(0), completion: z.int().min(0) });
/** Dollars; null when a price is not known. */
const cost = z.number().min(0).nullable();

export const PromptPreview = z.strictObject({
  model: z.string(),
  row: z.string(),
  split: SplitName,
  messages: z.array(z.strictObject({ role: z.string(), content: z.string() })),
  /** The examples that all rows share, and why they were chosen. */
  shots: z.array(z.strictObject({ row: z.string(), why: z.string() })),
  /** About; what is reported after a run is what the endpoint counted. */
  tokens,
  /** Answers a row. */
  samples: z.int().min(1),
  cost,
  price_from: z.string().nullable(),
  notes: z.array(z.string()),
});
export type PromptPreview = z.output<typeof PromptPreview>;

/** `clf evaluate --dry-run`: nothing is sent, nothing is made. */
export const DryRunDocument = z.strictObject({
  project: z.string(),
  models: z.record(
    z.string(),
    z.strictObject({
      rows: z.int().min(0),
      tokens,
      cost,
      price_from: z.string().nullable(),
      notes: z.array(z.string()),
    }),
  ),
});

export const SignalsDocument = z.strictObject({
  model: z.string(),
  job: z.string(),
  /** By target name. */
  targets: z.record(
    z.string(),
    z.strictObject({
      /** Labelled tune rows. */
      rows: z.int().min(0),
      /** Lowest area under the risk-coverage curve first: the mean error rate over all coverages. */
      signals: z.array(
        z.strictObject({
          name: z.string(),
          /** Share of rows whose label is right by this signal: signals may speak for other labels. */
          accuracy: z.number(),
          aurc: Measure,
          auroc: z.number().nullable(),
        }),
      ),
    }),
  ),
});

/** `clf few-shot`: the model that was written into the project file. */
export const FewShotDocument = z.strictObject({
  model: z.string(),
  after: z.string(),
  /** Absent with `--no-evaluate`. */
  job: z.string().nullable(),
});
