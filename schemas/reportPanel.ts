/** What the report's plots are drawn from, and the requests of the report panel (`clf/report/*`). */
import * as z from "zod";
import { CostDocument } from "./cost.ts";
import { Slice } from "./report.ts";

/** Confidences here are in ten-thousandths, rounded down: a row is at or above a threshold of four digits by either. */
export const CONFIDENCE_UNIT = 10_000;

/** The labelled rows that one model and target were reported on, in columns. */
export const ReportedRows = z.strictObject({
  /** Place of each row's id in `ids` of the detail; null: the rows are not to be shown. */
  rows: z.array(z.int()).nullable(),
  /** Number of the given label in the target's list. */
  given: z.array(z.int()),
  /** Number of the predicted label; −1: no answer. */
  predicted: z.array(z.int()),
  /** 0 without an answer. */
  confidence: z.array(z.int()),
});
export type ReportedRows = z.output<typeof ReportedRows>;

/** The rows of an accept decision by falling confidence, those of one confidence together; rows never accepted are left out. */
export const AcceptCurve = z.strictObject({
  /** Labelled rows, those that are never accepted too. */
  n: z.int(),
  confidence: z.array(z.int()),
  rows: z.array(z.int()),
  wrong: z.array(z.int()),
});
export type AcceptCurve = z.output<typeof AcceptCurve>;

/** A figure of a fine-tune as it went. */
export const TrainingSeries = z.strictObject({
  name: z.string(),
  target: z.string().nullable(),
  split: z.string().nullable(),
  /** Steps of training; of engine `linear` the strengths of regularisation that were tried. */
  points: z.array(z.tuple([z.number(), z.number()])),
});
export type TrainingSeries = z.output<typeof TrainingSeries>;

/** report-rows.json of an evaluation or comparison. */
export const RowsDetail = z.strictObject({
  /** Ids of rows. */
  ids: z.array(z.string()),
  models: z.record(
    z.string(),
    z.strictObject({
      targets: z.record(z.string(), ReportedRows),
      /** In the order of the report's accept decisions; null: there is no row to report from. */
      curves: z.array(AcceptCurve.nullable()),
    }),
  ),
});
export type RowsDetail = z.output<typeof RowsDetail>;

export const ReportDetail = z.strictObject({
  ids: RowsDetail.shape.ids,
  models: z.record(z.string(), RowsDetail.shape.models.valueType.extend({ training: z.array(TrainingSeries) })),
  /** What the report's models cost over volume, by their newest evaluations; null where nothing is known. */
  cost: CostDocument.nullable(),
});
export type ReportDetail = z.output<typeof ReportDetail>;

const ofJob = { project: z.string().max(8192), job: z.string().max(200) };

export const reportPanelRequests = {
  "clf/report/detail": { params: z.strictObject(ofJob), result: ReportDetail },
  /** The columns of the data that figures can be given by. */
  "clf/report/columns": { params: z.strictObject(ofJob), result: z.strictObject({ columns: z.array(z.string()) }) },
  /** By target name. */
  "clf/report/slices": {
    params: z.strictObject({ ...ofJob, model: z.string(), column: z.string() }),
    result: z.strictObject({ targets: z.record(z.string(), z.array(Slice)) }),
  },
  /** Beginnings of the inputs of rows, as the job read them. */
  "clf/report/rows": {
    params: z.strictObject({ ...ofJob, rows: z.array(z.string()).max(200) }),
    result: z.strictObject({ rows: z.array(z.strictObject({ row: z.string(), text: z.string() })) }),
  },
} as const;
