/**
 * The custom requests and notifications between client and language server (`clf/*`), each defined once: name, parameters
 * and result. The server validates parameters with these schemas at its door. Everything here is also in the CLI.
 * Projects are named by the URI of their `.clf.yaml`.
 */
import * as z from "zod";
import { DecisionKind, FlagReason } from "./decisions.ts";
import { ConfiguredHost, HostCheck, JobKind, JobProgress, JobState } from "./job.ts";
import { jobPanelRequests } from "./jobPanel.ts";
import { LabelSet } from "./predictions.ts";
import { previewNotifications, previewRequests } from "./preview.ts";
import { Range } from "./problem.ts";
import { PromptPreview } from "./prompt.ts";
import { reportPanelRequests } from "./reportPanel.ts";
import { SplitName } from "./rows.ts";
import { tryRequests } from "./tryIt.ts";

const project = z.string().max(8192);
const inProject = { project };
const ofJob = { project, job: z.string().max(200) };

/** The newest succeeded evaluation of a model, in three figures. */
export const EvaluationSummary = z.strictObject({
  job: z.string(),
  time: z.string(),
  /** By target name. */
  targets: z.record(
    z.string(),
    z.strictObject({ accuracy: z.number(), interval: z.tuple([z.number(), z.number()]), n: z.int() }),
  ),
  joint_accuracy: z.number(),
  /** Share of test rows that may go straight through; null when the accept rule cannot be met. */
  coverage: z.number().nullable(),
  certified: z.boolean(),
});
export type EvaluationSummary = z.output<typeof EvaluationSummary>;

export const ProjectSummary = z.strictObject({
  ...inProject,
  name: z.string(),
  /** Whether the file is good enough to start jobs. */
  valid: z.boolean(),
  errors: z.int(),
  warnings: z.int(),
  inputs: z.array(z.string()),
  targets: z.array(z.string()),
  hosts: z.array(z.string()),
  review_model: z.string(),
  models: z.array(
    z.strictObject({
      name: z.string(),
      engine: z.string(),
      /** This build can run it. */
      runs: z.boolean(),
      fine_tunes: z.boolean(),
      /** The fine-tune job that holds the current artifact. */
      current: z.string().nullable(),
      evaluation: EvaluationSummary.nullable(),
    }),
  ),
  decisions: z.int(),
  /** URIs of the data files that exist: those of `source`, then those of `pool`; at most 100. */
  data: z.array(z.string()),
});
export type ProjectSummary = z.output<typeof ProjectSummary>;

export const JobView = z.strictObject({
  ...ofJob,
  kind: JobKind,
  models: z.array(z.string()),
  host: z.string(),
  state: JobState,
  attempt: z.int(),
  created: z.string(),
  /** Of the last attempt. */
  started: z.string().nullable(),
  ended: z.string().nullable(),
  progress: JobProgress.nullable(),
  /** The figure worth a place in one line: loss while it trains, accuracy when it is evaluated. */
  metric: z.strictObject({ name: z.string(), value: z.number() }).nullable(),
  /** What went wrong and what to do. */
  message: z.string().nullable(),
  /** Dollars, where the host or endpoint has a price. */
  cost: z.number().nullable(),
  /** Why its host cannot be asked just now; null when all is well. No state of the job. */
  connection: z.string().nullable(),
  /** Place in the queue for the GPU, from 1; null when it does not wait, or nobody knows. */
  place: z.int().min(1).nullable(),
  bytes: z.int().nullable(),
  can: z.strictObject({ cancel: z.boolean(), resume: z.boolean(), delete: z.boolean(), report: z.boolean() }),
});
export type JobView = z.output<typeof JobView>;

/** One target's prediction as people see it. */
export const TargetView = z.strictObject({
  target: z.string(),
  /** The label in the data (or by decision), null without one. */
  given: z.string().nullable(),
  predicted: z.string().nullable(),
  confidence: z.number(),
  top: z.array(z.tuple([z.string(), z.number()])),
  accepted: z.boolean(),
  reasons: z.array(FlagReason),
  /** The labels among which the right one is for `coverage` of the flagged rows; `others`: labels not listed are in it too. */
  set: LabelSet.nullable(),
  decided: z.enum(["confirmed", "corrected", "none", "skipped"]).nullable(),
  /** To be judged without the prediction, which is left out here; with the reason `relabel` without the label as well. */
  blind: z.boolean(),
});
export type TargetView = z.output<typeof TargetView>;

export const RowPlace = z.strictObject({ uri: z.string(), line: z.int().min(0), end_line: z.int().min(0) });
export type RowPlace = z.output<typeof RowPlace>;

export const FlaggedItem = z.strictObject({
  row: z.string(),
  target: z.string(),
  split: SplitName,
  /** The first input's beginning. */
  text: z.string(),
  predicted: z.string().nullable(),
  given: z.string().nullable(),
  confidence: z.number(),
  margin: z.number(),
  reasons: z.array(FlagReason),
  /** To be judged without the prediction: see `TargetView`. */
  blind: z.boolean(),
});
export type FlaggedItem = z.output<typeof FlaggedItem>;

export const RowDetail = z.strictObject({
  row: z.string(),
  split: SplitName,
  inputs: z.array(z.strictObject({ name: z.string(), text: z.string(), cut: z.boolean() })),
  targets: z.array(
    TargetView.extend({
      /** Decisions that stand, newest first: one, or those of people who did not see each other's. */
      said: z.array(
        z.strictObject({
          who: z.string(),
          when: z.string(),
          kind: DecisionKind,
          label: z.string().nullable(),
          note: z.string().nullable(),
        }),
      ),
    }),
  ),
  place: RowPlace.nullable(),
});
export type RowDetail = z.output<typeof RowDetail>;

/** A row that was found again, by its content, in text of a data file, with what the review model says of it. */
export const InlineRow = z.strictObject({
  row: z.string(),
  split: SplitName,
  /** Lines of the document, from 0; a quoted record may span several. */
  line: z.int().min(0),
  end_line: z.int().min(0),
  /** The model was trained on this row and has no out-of-fold prediction of it: there is nothing honest to show, `targets` is empty. */
  trained: z.boolean(),
  targets: z.array(
    TargetView.extend({
      /** Where the label's cell stands in the document: there a suspected label error is marked. Null where it is not found. */
      cell: Range.nullable(),
    }),
  ),
});
export type InlineRow = z.output<typeof InlineRow>;

/** A word span of an input and how much it spoke for the label (against the runner-up). */
export const Explanation = z.strictObject({
  label: z.string(),
  against: z.string().nullable(),
  words: z.array(
    z.strictObject({ input: z.string(), start: z.int(), end: z.int(), text: z.string(), weight: z.number() }),
  ),
});
export type Explanation = z.output<typeof Explanation>;

export const ColumnGuess = z.strictObject({
  name: z.string(),
  guess: z.enum(["input", "target", "id", "group", "split", "other"]),
  distinct: z.int(),
  empty: z.int(),
  examples: z.array(z.string()),
});
export type ColumnGuess = z.output<typeof ColumnGuess>;

const done = z.strictObject({});

const label = z.string().max(10_000);
/** Which flagged rows are shown; what is left out filters nothing. */
const flaggedFilter = {
  /** The model whose predictions are reviewed; left out: `review.model`. */
  model: z.string().max(200).optional(),
  target: z.string().optional(),
  reason: FlagReason.optional(),
  /** The predicted label. */
  label: label.optional(),
  /** Two labels between which rows stand: given and predicted, or else the two likeliest. In any order. */
  pair: z.tuple([label, label]).optional(),
};
/** Decisions by what they say. */
const DecisionCounts = z.strictObject({ confirmed: z.int(), corrected: z.int(), none: z.int(), skipped: z.int() });

const wantedJob = z.strictObject({
  ...inProject,
  kind: JobKind,
  models: z.array(z.string()).min(1),
  host: z.string().optional(),
  /** `outOfFold: true`: predicts the rows trained on, not the pool. `learningCurve: true`, for evaluations. `thenEvaluate: true`: a fine-tune goes on to the evaluation. */
  options: z.record(z.string(), z.unknown()).default({}),
});

/** Requests from the client: name → parameters and result. */
export const requests = {
  ...previewRequests,
  ...jobPanelRequests,
  ...tryRequests,
  ...reportPanelRequests,
  /** All projects of the workspace. */
  "clf/projects": { params: z.strictObject({}), result: z.array(ProjectSummary) },
  /** What the columns of a data file look like, for a new project. */
  "clf/newProject/guess": {
    params: z.strictObject({ data: z.string() }),
    result: z.strictObject({ rows: z.int(), columns: z.array(ColumnGuess), file: z.string() }),
  },
  /** Writes a commented project file beside the data; refuses to overwrite. */
  "clf/newProject/write": {
    params: z.strictObject({
      data: z.string(),
      file: z.string(),
      inputs: z.array(z.string()).min(1),
      targets: z.array(z.string()).min(1),
      id: z.string().nullable(),
    }),
    result: z.strictObject({ project }),
  },
  "clf/jobs/list": { params: z.strictObject({ project: project.optional() }), result: z.array(JobView) },
  /** What starting would mean: asked before anything large. */
  "clf/jobs/preflight": {
    params: wantedJob,
    result: z.strictObject({
      rows: z.int(),
      /** Estimated, null when unknown. */
      seconds: z.number().nullable(),
      cost: z.number().nullable(),
      /** Whether a person should be asked. */
      confirm: z.boolean(),
      summary: z.string(),
    }),
  },
  "clf/jobs/start": {
    params: wantedJob,
    result: z.strictObject({ job: z.string() }),
  },
  /** Predicts the rows of any data file, here and now, into a csv, tsv or jsonl file. Engine `linear` only. */
  "clf/predictFile": {
    params: z.strictObject({ ...inProject, model: z.string(), data: z.string(), output: z.string() }),
    result: z.strictObject({ rows: z.int() }),
  },
  "clf/jobs/cancel": { params: z.strictObject(ofJob), result: done },
  "clf/jobs/resume": { params: z.strictObject(ofJob), result: done },
  "clf/jobs/delete": { params: z.strictObject(ofJob), result: done },
  /** The hosts that the ssh config names. */
  "clf/hosts/configured": {
    params: z.strictObject({}),
    result: z.array(ConfiguredHost),
  },
  /** Adds an ssh host to the project file; the rest of the file stays as it is. */
  "clf/hosts/add": {
    params: z.strictObject({
      ...inProject,
      name: z.string().max(100).optional(),
      address: z.string().max(300),
      price_per_hour: z.number().min(0).optional(),
    }),
    result: z.strictObject({ name: z.string() }),
  },
  /** What a host has and lacks. One that cannot be reached has one check, which says why. */
  "clf/hosts/check": {
    params: z.strictObject({ ...inProject, host: z.string().max(100) }),
    result: z.strictObject({ host: z.string(), address: z.string().nullable(), checks: z.array(HostCheck) }),
  },
  /** report.json of an evaluation or comparison; its shape is `Report` of schemas/report.ts. */
  "clf/report": { params: z.strictObject(ofJob), result: z.unknown() },
  /** What review bought the model, round by round; its shape is `Rounds` of schemas/report.ts. */
  "clf/rounds": { params: z.strictObject({ ...inProject, model: z.string() }), result: z.unknown() },
  "clf/flagged/list": {
    params: z.strictObject({
      ...inProject,
      ...flaggedFilter,
      order: z.enum(["margin", "confidence", "label-issues", "informative", "random", "file"]).optional(),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(1000).default(200),
      /** Where it waits, `offset` is that of its page: a multiple of `limit`. */
      find: z.strictObject({ row: z.string(), target: z.string() }).optional(),
    }),
    result: z.strictObject({
      /** Those that wait, skipped ones last; `offset` and `limit` count in these. */
      items: z.array(FlaggedItem),
      offset: z.int(),
      /** Place of the row that was to be found, among those that wait. */
      found: z.int().nullable(),
      /** Flagged items that pass the filters, decided ones included: `total - decided` wait. */
      total: z.int(),
      decided: z.int(),
      /** Why the list is empty, and what to do; null when it is not. */
      empty: z.string().nullable(),
      /** With the reason `audit` or `relabel`: what those judged so far say. */
      notes: z.array(z.string()),
      /** For the filters. */
      targets: z.array(z.strictObject({ name: z.string(), labels: z.array(z.string()) })),
      reasons: z.record(z.string(), z.int()),
      /** Pairs with rows that wait, the most frequent first, whatever pair is filtered by. */
      pairs: z.array(z.strictObject({ labels: z.tuple([label, label]), rows: z.int() })),
      /** Models that have been evaluated. */
      models: z.array(z.string()),
      model: z.string().nullable(),
      job: z.string().nullable(),
    }),
  },
  /** Null for a row that is in neither data nor predictions. */
  "clf/rows/detail": {
    params: z.strictObject({ ...inProject, model: flaggedFilter.model, row: z.string() }),
    result: RowDetail.nullable(),
  },
  /** The words that mattered (engine `linear`); null for other engines. */
  "clf/rows/explain": {
    params: z.strictObject({ ...inProject, model: flaggedFilter.model, row: z.string(), target: z.string() }),
    result: Explanation.nullable(),
  },
  /** Rows that say much the same; null where a row is judged without seeing anything of the kind. */
  "clf/rows/similar": {
    params: z.strictObject({ ...inProject, ...flaggedFilter, row: z.string(), target: z.string() }),
    result: z
      .strictObject({
        /** Rows of train and pool with a label, by the data or by decision; the most similar first. */
        labelled: z.array(
          z.strictObject({
            row: z.string(),
            text: z.string(),
            label: z.string(),
            decided: z.boolean(),
            similarity: z.number(),
          }),
        ),
        /** Rows that pass the filter, wait for the same target and have the same predicted label. */
        alike: z.array(
          z.strictObject({ row: z.string(), text: z.string(), confidence: z.number(), similarity: z.number() }),
        ),
      })
      .nullable(),
  },
  "clf/review/decide": {
    params: z.strictObject({
      ...inProject,
      row: z.string(),
      target: z.string(),
      kind: z.enum(["confirmed", "corrected", "none", "skipped"]),
      label: z.string().optional(),
      note: z.string().max(10_000).optional(),
      blind: z.boolean().default(false),
      model: flaggedFilter.model,
    }),
    result: z.strictObject({ decision: z.string() }),
  },
  /** Gives many rows the same label by one act, which one undo takes back. */
  "clf/review/decideTogether": {
    params: z.strictObject({
      ...inProject,
      model: flaggedFilter.model,
      rows: z.array(z.string()).min(1).max(1000),
      target: z.string(),
      label,
      note: z.string().max(10_000).optional(),
    }),
    result: z.strictObject({ decisions: z.int() }),
  },
  /** Takes back this person's last decision that is not yet taken back, or all of the last act on several rows. */
  "clf/review/undo": {
    params: z.strictObject(inProject),
    result: z.strictObject({
      /** The newest of them. */
      undone: z.strictObject({ row: z.string(), target: z.string() }).nullable(),
      rows: z.int(),
    }),
  },
  /** How far this person has come. */
  "clf/review/progress": {
    params: z.strictObject({
      ...inProject,
      model: flaggedFilter.model,
      /** When the person's day began. */
      day: z.iso.datetime(),
    }),
    result: z.strictObject({
      who: z.string(),
      today: DecisionCounts,
      all: DecisionCounts,
      everybody: z.int(),
      people: z.int(),
      fresh: z.int(),
    }),
  },
  /**
   * Confidences beside the rows of a data file, for the lines on screen. Rows are matched by content (their inputs as they
   * stand in `text`), never by line number, so that unsaved edits do not shift them: an edited row has no hint. `text` may begin
   * or end inside a quoted record. Reasons are those of the Flagged list: a row that is not in it has none.
   * Null: the file is no data of a project in this workspace.
   */
  "clf/inline/hints": {
    params: z.strictObject({
      /** URI of the data file. */
      data: z.string().max(8192),
      /** The document's first line: column names of a delimited file. */
      header: z.string().max(1_000_000),
      /** The line, from 0, that `text` begins with. */
      first: z.int().min(0),
      /** Whole lines joined by "\n", as the editor holds them. */
      text: z.string().max(8_000_000),
    }),
    result: z
      .strictObject({
        ...inProject,
        /** The model behind it; null when it has not been evaluated: `rows` is empty then. */
        model: z.string().nullable(),
        rows: z.array(InlineRow),
      })
      .nullable(),
  },
  /** A row's prompt as it would be sent; without `row` that of the first tune row. Nothing is sent. */
  "clf/prompt": {
    params: z.strictObject({ ...inProject, model: z.string(), row: z.string().optional() }),
    result: PromptPreview,
  },
  /** Writes the few-shot model that is aimed at the errors of the zero-shot model `after` into the project file. */
  "clf/fewShot": {
    params: z.strictObject({ ...inProject, after: z.string() }),
    result: z.strictObject({ model: z.string() }),
  },
  /** Text for a bug report: versions, projects, problems, recent jobs. No row of data, no secret. */
  "clf/diagnostics": { params: z.strictObject({}), result: z.string() },
  /** Where a project's key stands in its file: for the consent question's link. */
  "clf/locate": {
    params: z.strictObject({ ...inProject, path: z.array(z.union([z.string(), z.int()])) }),
    result: z.strictObject({ range: Range }).nullable(),
  },
} as const;

/** Notifications from the server. */
export const notifications = {
  ...previewNotifications,
  "clf/jobs/changed": z.strictObject({ job: JobView }),
  "clf/jobs/removed": z.strictObject(ofJob),
  "clf/projects/changed": z.strictObject({}),
  /** Decisions or predictions changed: lists and inline confidences are to be asked for again. */
  "clf/flagged/changed": z.strictObject({ ...inProject }),
} as const;

/** Notifications from the client. */
export const clientNotifications = {
  "clf/trust": z.strictObject({ trusted: z.boolean() }),
  /** Settings that may change while the server runs; at its start they come with `initialize`. */
  "clf/settings": z.strictObject({ keep: z.int().min(1).max(10_000) }),
} as const;

/** Requests from the server to the client. */
export const clientRequests = {
  /** A key by name, for one endpoint origin. Null: none, or the person refused. Never logged. */
  "clf/secret": {
    params: z.strictObject({ name: z.string(), origin: z.string(), ...inProject }),
    result: z.strictObject({ value: z.string().nullable() }),
  },
} as const;

export type Requests = {
  [K in keyof typeof requests]: {
    params: z.input<(typeof requests)[K]["params"]>;
    result: z.output<(typeof requests)[K]["result"]>;
  };
};
