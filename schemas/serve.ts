/** What `clf serve` takes and answers (docs/serve.md). */
import * as z from "zod";
import { FlagReason } from "./decisions.ts";
import { LabelSet } from "./predictions.ts";

const share = z.number().min(0).max(1);
const whole = z.int().min(0);

/** Rows of one request. More are sent in several. */
export const MOST_SERVED_ROWS = 1000;

const ServedInput = z.strictObject({
  /** The row's id. Default: by its inputs, as in the project's data. */
  id: z.string().trim().min(1).max(500).optional(),
  /** Input name → text. */
  inputs: z.record(z.string(), z.string()),
});
export type ServedInput = z.output<typeof ServedInput>;

/** `POST /classify`: one row, or a list of them. */
export const ClassifyRequest = z.union([
  ServedInput,
  z.strictObject({ rows: z.array(ServedInput).min(1).max(MOST_SERVED_ROWS) }),
]);

/** How often answers of about this confidence were right, on the rows that the evaluation reports. */
const ConfidenceBand = z.strictObject({
  low: share,
  high: share,
  rows: whole,
  /** Share of them that was right. */
  accuracy: share,
});
export type ConfidenceBand = z.output<typeof ConfidenceBand>;

/** The rule by which rows are accepted, and what it promises. */
export const ServedCertificate = z.strictObject({
  /** The targets that are decided together. */
  targets: z.array(z.string()),
  /** False: nothing is promised; `why` says why. */
  certified: z.boolean(),
  why: z.string(),
  /** "At most `risk` wrong among the accepted, `certainty` sure"; null without a certificate. */
  risk: share.nullable(),
  certainty: share.nullable(),
  /** Upper bound of the share of wrong ones among the accepted; null without a rule. */
  bound: share.nullable(),
  /** On the score; null when no row is accepted. */
  threshold: z.number().nullable(),
  /** Share of the certifying rows that it accepts; null without a rule. */
  coverage: share.nullable(),
  /** What it speaks of, and against which labels. */
  population: z.string().nullable(),
  label_source: z.string().nullable(),
  /** Rows it was made from, how often they have certified, and the day. */
  rows: whole.nullable(),
  uses: whole.nullable(),
  date: z.string().nullable(),
});
export type ServedCertificate = z.output<typeof ServedCertificate>;

export const ServedRow = z.strictObject({
  row: z.string(),
  /** Every target is accepted. */
  accepted: z.boolean(),
  /** `joined`: the row was written to the pool, to be reviewed. `known`: it stands there already. Null: nobody has to see it. */
  pool: z.enum(["joined", "known"]).nullable(),
  targets: z.array(
    z.strictObject({
      target: z.string(),
      /** Null when there is no usable answer. */
      label: z.string().nullable(),
      /** Calibrated probability that the label is right. */
      confidence: share,
      accepted: z.boolean(),
      /** Why it is flagged. `audit`: it is accepted, and reviewed all the same. */
      reasons: z.array(FlagReason),
      band: ConfidenceBand.nullable(),
      /** The likeliest labels, calibrated. */
      top: z.array(z.tuple([z.string(), share])),
      set: LabelSet.nullable(),
      /** Place in `certificates`. */
      certificate: whole,
    }),
  ),
});
export type ServedRow = z.output<typeof ServedRow>;

export const ClassifyAnswer = z.strictObject({
  model: z.string(),
  /** The evaluation that calibrated and certified the model. */
  job: z.string(),
  certificates: z.array(ServedCertificate),
  /** In the order of the request. */
  rows: z.array(ServedRow),
});
export type ClassifyAnswer = z.output<typeof ClassifyAnswer>;

/** `GET /health`. */
export const ServeHealth = z.strictObject({
  /** `loading`: rows are turned away with 503 until the model is loaded. `failed`: its worker has ended; the next rows start it again. */
  status: z.enum(["ok", "loading", "failed"]),
  /** What is being done, or why it ended; null while rows are answered. */
  message: z.string().nullable(),
  version: z.string(),
  project: z.string(),
  model: z.string(),
  engine: z.string(),
  job: z.string(),
  /** The fine-tune whose artifact answers; null for models without one. */
  artifact: z.string().nullable(),
  inputs: z.array(z.string()),
  targets: z.array(z.strictObject({ name: z.string(), labels: z.array(z.string()) })),
  certificates: z.array(ServedCertificate),
  since: z.string(),
  rows: z.strictObject({ answered: whole, accepted: whole, flagged: whole }),
  pool: z.strictObject({
    file: z.string(),
    /** Rows in it. */
    rows: whole,
    /** Whether `dataset.pool` names it; null while there is no such file. */
    named: z.boolean().nullable(),
  }),
});
export type ServeHealth = z.output<typeof ServeHealth>;

/** Every answer that is no success. */
export const ServeFailure = z.strictObject({
  error: z.strictObject({ message: z.string(), remedy: z.string() }),
});
export type ServeFailure = z.output<typeof ServeFailure>;

/** `clf serve --json`, once it answers. */
export const ServeDocument = z.strictObject({ url: z.string(), model: z.string(), job: z.string(), pool: z.string() });
