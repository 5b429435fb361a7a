/**
 * What the data preview asks of the server and is told (`clf/preview/*`): pages, profile and single rows of one data file. A file
 * of a project is shown as the project reads it (splits, decisions, predictions); any other, or one asked for `whole`, as
 * the plain table it is. Nothing of what a person sees is kept in the server: every request says its filter and order.
 */
import * as z from "zod";
import { DecisionKind, FlagReason } from "./decisions.ts";

/** What is wanted: a data file, and whether as a plain table although a project reads it. */
const table = { data: z.string().max(8192), whole: z.boolean().default(false) };

export const PreviewFilter = z.strictObject({
  /** Part of a cell, upper and lower case alike; empty: no search. */
  text: z.string().max(10_000).default(""),
  /** Key of the column that is searched; null: all. */
  column: z.string().nullable().default(null),
  /** Columns of few values: the row has one of these. */
  values: z
    .array(z.strictObject({ column: z.string(), values: z.array(z.string()).max(1000) }))
    .max(100)
    .default([]),
  /** `min` ≤ the number, or the text's length in characters, ≤ `max`; null: no bound. */
  ranges: z
    .array(
      z.strictObject({
        column: z.string(),
        of: z.enum(["value", "length"]),
        min: z.number().nullable(),
        max: z.number().nullable(),
      }),
    )
    .max(100)
    .default([]),
  /** Only rows that another row repeats: nearly, in a project; in every cell, in a plain table. */
  duplicates: z.boolean().default(false),
});
export type PreviewFilter = z.output<typeof PreviewFilter>;

/** Rows that compare equal stay in the order of the file. Rows without a value come last. Texts count by their first 32 bytes. */
export const PreviewSort = z.strictObject({
  column: z.string(),
  by: z.enum(["value", "length"]).default("value"),
  descending: z.boolean().default(false),
});
export type PreviewSort = z.output<typeof PreviewSort>;

export const PreviewRole = z.enum(["id", "input", "target", "split", "predicted", "confidence", "status", "plain"]);
export type PreviewRole = z.output<typeof PreviewRole>;

/** `label`: words of which there are few different ones. */
export const PreviewType = z.enum(["empty", "boolean", "integer", "number", "date", "label", "text"]);
export type PreviewType = z.output<typeof PreviewType>;

export const PreviewColumn = z.strictObject({
  /** Names it in filters and orders; two columns may have one name. */
  key: z.string(),
  name: z.string(),
  role: PreviewRole,
  type: PreviewType,
  /** The target that the column is about. */
  target: z.string().nullable(),
});
export type PreviewColumn = z.output<typeof PreviewColumn>;

export const PreviewRow = z.strictObject({
  /** Place in the file, from 0, counted in rows. */
  row: z.int(),
  /** As `columns`; cut after some hundred characters. */
  cells: z.array(z.string()),
});
export type PreviewRow = z.output<typeof PreviewRow>;

/** The beginning of a file (`head`) stands for its project until that has been read. */
export const PreviewMode = z.enum(["head", "file", "project"]);
export type PreviewMode = z.output<typeof PreviewMode>;

const view = { ...table, filter: PreviewFilter.prefault({}) };

export const PreviewPage = z.strictObject({
  mode: PreviewMode,
  columns: z.array(PreviewColumn),
  rows: z.array(PreviewRow),
  /** Rows that pass the filter. */
  total: z.int(),
  /** Rows read so far. */
  of: z.int(),
  /** All has been read; else `clf/preview/changed` tells of more. */
  complete: z.boolean(),
  /** Share of the file that has been read, 0 to 1. */
  read: z.number(),
  /** Where the row asked for by `find` stands among those that pass; null: it does not pass. */
  found: z.int().nullable(),
  problems: z.array(z.strictObject({ severity: z.string(), message: z.string(), line: z.int().nullable() })),
  /** The project that the file belongs to, shown or not. */
  project: z
    .strictObject({
      uri: z.string(),
      name: z.string(),
      targets: z.array(z.strictObject({ name: z.string(), labels: z.array(z.string()) })),
      /** The model behind the columns `predicted` and `confidence`; null: none has been evaluated. */
      model: z.string().nullable(),
    })
    .nullable(),
});
export type PreviewPage = z.output<typeof PreviewPage>;

export const PreviewProfile = z.strictObject({
  complete: z.boolean(),
  rows: z.int(),
  columns: z.array(
    PreviewColumn.extend({
      empty: z.int(),
      /** Null: too many to count. */
      distinct: z.int().nullable(),
      /** The commonest values and their rows, where there are few; at most 300. */
      values: z.array(z.tuple([z.string(), z.int()])),
      /** Smallest and largest number, or length of a text. */
      range: z.tuple([z.number(), z.number()]).nullable(),
    }),
  ),
  /** Rows that others repeat; null while it is not known. */
  duplicates: z.int().nullable(),
  /** Names of the splits, in their order; one empty name where there are none. */
  splits: z.array(z.string()),
  /** Rows by label and split, the commonest labels first, of the rows that pass the filter but for what it says of this column. */
  labels: z
    .strictObject({
      column: z.string(),
      bars: z.array(z.strictObject({ value: z.string(), rows: z.array(z.int()) })),
      /** Labels not among the bars, and their rows. */
      others: z.strictObject({ values: z.int(), rows: z.int() }),
    })
    .nullable(),
  /** Rows by length in characters and split; bin i is [edges[i], edges[i + 1]), the last one is open above. */
  lengths: z
    .strictObject({ column: z.string(), edges: z.array(z.number()), bins: z.array(z.array(z.int())) })
    .nullable(),
});
export type PreviewProfile = z.output<typeof PreviewProfile>;

export const PreviewDetail = z.strictObject({
  row: z.int(),
  /** The row's id in its project. */
  id: z.string().nullable(),
  split: z.string().nullable(),
  /** Why the row takes no part, in words. */
  left_out: z.string().nullable(),
  cells: z.array(z.strictObject({ column: z.string(), text: z.string(), cut: z.boolean() })),
  targets: z.array(
    z.strictObject({
      target: z.string(),
      /** The label that holds: by decision, else the file's. */
      label: z.string().nullable(),
      in_file: z.string().nullable(),
      decided: DecisionKind.nullable(),
      reasons: z.array(FlagReason),
      /** The row is to be judged without the predictions, which are left out. */
      blind: z.boolean(),
      predictions: z.array(
        z.strictObject({
          model: z.string(),
          label: z.string().nullable(),
          confidence: z.number(),
          top: z.array(z.tuple([z.string(), z.number()])),
          accepted: z.boolean(),
        }),
      ),
    }),
  ),
  /** Rows that say nearly the same (in a plain table: the same), at most 50. */
  alike: z.array(
    z.strictObject({
      row: z.int(),
      /** The other file it stands in; null: this one. */
      file: z.string().nullable(),
      text: z.string(),
      split: z.string().nullable(),
      labels: z.array(z.string()),
    }),
  ),
  /** Lines of the file, from 0; null where it has none (Parquet). */
  place: z.strictObject({ uri: z.string(), line: z.int().min(0), end_line: z.int().min(0) }).nullable(),
});
export type PreviewDetail = z.output<typeof PreviewDetail>;

export const previewRequests = {
  /** Rows `offset` to `offset + limit` of those that pass the filter, in the order asked for. */
  "clf/preview/page": {
    params: z.strictObject({
      ...view,
      sort: PreviewSort.nullable().default(null),
      offset: z.int().min(0).default(0),
      limit: z.int().min(0).max(1000).default(100),
      /** A row whose place is wanted. */
      find: z.int().min(0).optional(),
    }),
    result: PreviewPage,
  },
  /** Columns, and the figures behind the two plots, of what has been read. */
  "clf/preview/profile": {
    params: z.strictObject({
      ...view,
      /** Keys of the columns to plot; null: the first that fits. */
      label: z.string().nullable().default(null),
      text: z.string().nullable().default(null),
    }),
    result: PreviewProfile,
  },
  "clf/preview/row": {
    params: z.strictObject({
      ...table,
      row: z.int().min(0),
      /** Longer cells are cut. In characters. */
      longest: z.int().min(1).max(4_000_000).default(20_000),
    }),
    result: PreviewDetail.nullable(),
  },
  /** The file is no longer on screen: what is kept of it may go. */
  "clf/preview/close": { params: z.strictObject({ data: z.string().max(8192) }), result: z.strictObject({}) },
} as const;

export const previewNotifications = {
  /** More of the file has been read, or what is known of its rows changed: ask again. */
  "clf/preview/changed": z.strictObject({ data: z.string() }),
} as const;
