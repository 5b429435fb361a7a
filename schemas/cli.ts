/** The JSON documents of the command line: what each command prints on standard output with `--json` (docs/cli.md). */
import * as z from "zod";
import { Decision, FlagReason } from "./decisions.ts";
import { ConfiguredHost, HostCheck, Job, JobState, JobSummary, ManagerRecord } from "./job.ts";
import { JobDifference } from "./jobPanel.ts";
import { LabelSet } from "./predictions.ts";
import { Problem } from "./problem.ts";
import { Profile } from "./profile.ts";
import { LabelNoise, Report, Rounds, Slice } from "./report.ts";
import { SplitName } from "./rows.ts";

const whole = z.int().min(0);
const share = z.number().min(0).max(1);
const job = z.string().describe("Id of the job");
const file = z.string().describe("Absolute path");

/** A command that failed prints this instead of its own document. */
export const FailureDocument = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    /** The command's exit code: 1 the project or data has errors, 2 wrong usage, 3 a job failed. */
    exit_code: z.int().min(1).max(3),
    /** The errors of the project file or the data, where they are the reason. */
    problems: z.array(Problem),
    /** The job that failed, where one did. */
    job: job.nullable(),
  }),
});
export type FailureDocument = z.output<typeof FailureDocument>;

export const InitDocument = z.strictObject({
  file,
  inputs: z.array(z.string()),
  targets: z.array(z.string()),
  id: z.string().nullable(),
  /** Rows looked at for the guess, not all of a long file. */
  rows: whole,
  columns: z.array(
    z.strictObject({
      name: z.string(),
      guess: z.enum(["input", "target", "id", "group", "split", "other"]),
      distinct: whole,
      empty: whole,
      examples: z.array(z.string()),
      labels: z.array(z.strictObject({ name: z.string(), rows: whole })),
    }),
  ),
});

export const CheckDocument = z.strictObject({
  project: file,
  errors: whole,
  warnings: whole,
  problems: z.array(Problem),
});

export const ProfileDocument = Profile;

export const FineTuneDocument = z.strictObject({
  /** The project's name. */
  project: z.string(),
  jobs: z.array(z.strictObject({ model: z.string(), job, seconds: z.number().min(0) })),
});

const EvaluatedTarget = z.strictObject({
  n: whole,
  accuracy: share,
  /** 95 %. */
  accuracy_interval: z.tuple([share, share]),
  macro_f1: share,
  log_loss: z.number().min(0).nullable(),
  brier: z.number().min(0).nullable(),
  ece: share,
  /** Mean ECE that a perfectly calibrated model would show on as many rows. */
  ece_band: z.number().nullable(),
  auroc: share.nullable(),
  aurc: share,
  accept: z.strictObject({
    /** On the score; null when no row is accepted. */
    threshold: z.number().nullable(),
    /** Share of the test rows that are accepted. */
    coverage: share.nullable(),
    /** Upper bound of the share of wrong rows among accepted ones, at the project's certainty; null without a rule. */
    risk_bound: share.nullable(),
    certified: z.boolean(),
  }),
});

export const EvaluateDocument = z.strictObject({
  /** The project's name. */
  project: z.string(),
  models: z.record(
    z.string(),
    z.strictObject({
      job,
      /** By target name. */
      targets: z.record(z.string(), EvaluatedTarget),
      /** Share of test rows with every target right; null when it could not be measured. */
      joint_accuracy: share.nullable(),
      seconds: z.number().min(0),
      /** Dollars, where a price is known. */
      cost: z.number().min(0).nullable(),
    }),
  ),
});
export type EvaluateDocument = z.output<typeof EvaluateDocument>;

export const CompareDocument = Report;

export { CostDocument } from "./cost.ts";
export { DryRunDocument, FewShotDocument, PromptPreview as PromptDocument, SignalsDocument } from "./prompt.ts";
export { ServeDocument } from "./serve.ts";

const ranked = z.array(z.tuple([z.string(), share]));

const PredictedTarget = z.strictObject({
  target: z.string(),
  label: z.string().nullable(),
  /** Calibrated; null while the model has not been evaluated. */
  confidence: share.nullable(),
  top: ranked,
  /** Null while there is no accept rule. */
  accepted: z.boolean().nullable(),
  reasons: z.array(FlagReason),
  /** The labels among which the right one is for `coverage` of the flagged rows; null for accepted ones. */
  set: LabelSet.nullable(),
});

/** `clf predict --text`. */
export const PredictTextDocument = z.strictObject({
  model: z.string(),
  targets: z.array(
    PredictedTarget.extend({
      /** The words that mattered, heaviest first. */
      words: z.array(z.looseObject({ text: z.string(), weight: z.number() })),
    }),
  ),
});

/** `clf predict FILE`. */
export const PredictFileDocument = z.strictObject({
  model: z.string(),
  file,
  /** Where the predictions were written; null when they are in `rows`. */
  output: file.nullable(),
  count: whole,
  /** In the order of the file; `line` is where the row starts (in Parquet: its number), from 1. */
  rows: z.array(z.strictObject({ line: z.int().min(1), targets: z.array(PredictedTarget) })).nullable(),
});

/** `clf predict --pool` and `--out-of-fold`. */
export const PredictJobDocument = z.strictObject({ model: z.string(), job });

export const FlaggedDocument = z.strictObject({
  model: z.string(),
  /** Jobs that the predictions come from. */
  jobs: z.array(job),
  /** Flagged targets of rows, decided ones included. */
  total: whole,
  decided: whole,
  waiting: whole,
  /** In the order of review, at most `--limit`. */
  items: z.array(
    z.strictObject({
      row: z.string(),
      target: z.string(),
      /** The first input. */
      text: z.string(),
      /** Drawn for the audit or for re-labelling, to be judged unseen: label, confidence, margin and top are empty. */
      blind: z.boolean(),
      label: z.string().nullable(),
      confidence: share,
      margin: z.number(),
      top: ranked,
      reasons: z.array(FlagReason),
      /** The prediction set; null where the prediction must not be seen. */
      set: LabelSet.nullable(),
      /** The label in the data. */
      given: z.string().nullable(),
      /** How likely the given label is wrong, where that is suspected. */
      issue: z.number().optional(),
      split: SplitName,
      skipped: z.boolean(),
      /** Decisions of several people that disagree. */
      conflict: z.array(Decision),
    }),
  ),
});

/** `clf slices`: test figures by the values of a column. */
export const SlicesDocument = z.strictObject({
  model: z.string(),
  column: z.string(),
  job,
  /** By target, most frequent value first; at most fifty values, the others gathered under null. */
  targets: z.record(z.string(), z.array(Slice)),
});
export type SlicesDocument = z.output<typeof SlicesDocument>;

export const IssuesDocument = z.strictObject({
  model: z.string(),
  /** Labelled rows that a model which had not seen them has predicted. */
  looked: whole,
  /** Doubtful labels, decided ones included. */
  total: whole,
  decided: whole,
  /** Those nobody has decided, most doubtful first, at most `--limit`. */
  items: z.array(
    z.strictObject({
      row: z.string(),
      target: z.string(),
      text: z.string(),
      given: z.string(),
      /** By confident learning; nearly always the prediction. */
      suggested: z.string(),
      /** 1 less the uncalibrated out-of-fold probability of the given label. */
      doubt: share,
      predicted: z.string().nullable(),
      confidence: share,
      skipped: z.boolean(),
      /** Where the row stands; null when it is no longer in the data. In Parquet the line is the row's number. */
      file: file.nullable(),
      line: z.int().nullable(),
    }),
  ),
});
export type IssuesDocument = z.output<typeof IssuesDocument>;

export const RoundsDocument = Rounds;

/** Rows that wait to be judged blind, in the order of the draw, at most `--limit`. */
const blindItems = z.array(z.strictObject({ row: z.string(), target: z.string(), text: z.string() }));

export const AuditDocument = z.strictObject({
  model: z.string(),
  /** The evaluation whose accept rule is audited. */
  job,
  /** One of whole rows, or one a target. */
  audits: z.array(
    z.strictObject({
      model: z.string(),
      job,
      targets: z.array(z.string()),
      /** What is promised of the accepted, and by what. */
      risk: share,
      promise: z.enum(["certificate", "threshold"]),
      /** Share of accepted rows that is drawn. */
      rate: share,
      rows: whole,
      accepted: whole,
      drawn: whole,
      waiting: whole,
      /** With an outcome, skips (which count as errors) among them. */
      judged: whole,
      skipped: whole,
      /** Bounds that hold at every look; `detectable` is the risk that so many rows would have shown. */
      report: z.strictObject({
        n: whole,
        errors: whole,
        rate: share.nullable(),
        low: share,
        high: share,
        risk: share,
        alpha: share,
        evidence: z.number(),
        highestEvidence: z.number(),
        alarm: z.boolean(),
        alarmAt: whole.nullable(),
        detectable: share.nullable(),
      }),
      /** Judged rows after which twice the promised risk is found, in 4 cases of 5; null: more than 2,000. */
      rows_to_find_double: whole.nullable(),
    }),
  ),
  items: blindItems,
});
export type AuditDocument = z.output<typeof AuditDocument>;

export const RelabelDocument = z.strictObject({
  model: z.string(),
  job,
  /** Validation rows drawn, of how many, and how many of them somebody has labelled again. */
  drawn: whole,
  validation: whole,
  judged: whole,
  /** For each accept decision; null before the first row of it. */
  estimates: z.array(z.strictObject({ targets: z.array(z.string()), estimate: LabelNoise.nullable() })),
  items: blindItems,
});
export type RelabelDocument = z.output<typeof RelabelDocument>;

export const ReviewDocument = z.strictObject({ decisions: z.array(Decision) });
/** `clf review --undo`; null when there was nothing to take back. */
export const UndoDocument = z.strictObject({
  undone: Decision.nullable(),
  /** With `undone` those that were decided by the same act. */
  lines: z.array(Decision),
});

export const ExportDocument = z.strictObject({ file, rows: whole });
/** `clf export --format`: the folder that was made, and the rows of each file in it. */
export const ExportDataDocument = z.strictObject({
  folder: file,
  format: z.enum(["openai-chat", "huggingface"]),
  files: z.record(z.string(), whole),
});
/** `clf import`. */
export const ImportDocument = z.strictObject({
  file,
  from: z.enum(["openai-chat", "huggingface"]),
  rows: whole,
  columns: z.array(z.string()),
  /** The column that names each row's split; null where nothing tells it. */
  split: z.string().nullable(),
  /** Rows by split; under "" without one. */
  splits: z.record(z.string(), whole),
  /** The system message that all conversations share. */
  instructions: z.string().nullable(),
  notes: z.array(z.string()),
});

export const JobsDocument = z.strictObject({ jobs: z.array(JobSummary) });
export const JobDocument = z.strictObject({
  job: Job,
  state: JobState,
  attempt: z.int().min(1),
  records: z.array(ManagerRecord),
  bytes: whole,
  /** From the job of the same kind and models before it; null for the first. */
  difference: JobDifference.nullable(),
});
export const JobLogDocument = z.strictObject({ job, attempt: z.int().min(1), log: z.string() });
/** `cancel` and `resume`. */
export const JobStateDocument = z.strictObject({ job, attempt: z.int().min(1), state: JobState });
/** `delete` and `clean`. */
export const JobsDeletedDocument = z.strictObject({ deleted: z.array(job) });

/** `clf hosts check`; a host that cannot be reached has one check, which says why. */
export const HostsDocument = z.strictObject({
  hosts: z.array(
    z.strictObject({
      host: z.string(),
      kind: z.string(),
      address: z.string().nullable(),
      checks: z.array(HostCheck),
    }),
  ),
});
/** `clf hosts add`; without an address, what the ssh config names. */
export const HostAddedDocument = z.strictObject({
  file,
  added: z.strictObject({ name: z.string(), address: z.string() }).nullable(),
  configured: z.array(ConfiguredHost),
});

/** `clf export-model`: the folder that was made, and the fine-tune it is of. */
export const ExportModelDocument = z.strictObject({ file, job });
/** `clf bench-host`. */
export const BenchHostDocument = z.strictObject({
  device: z.string(),
  base: z.string(),
  quantized: z.boolean(),
  versions: z.record(z.string(), z.string()),
  rates: z.array(
    z.strictObject({
      head: z.string(),
      "tokens a row": whole,
      "trie nodes": whole,
      "rows a second": z.number(),
      "FLOP/s": z.number(),
      "dollars a million rows at $1 an hour": z.number(),
      "rows a second on paper, A10G": z.number(),
    }),
  ),
});
export type BenchHostDocument = z.output<typeof BenchHostDocument>;

export const ReportDocument = Report;
/** `clf report --output`. */
export const ReportFileDocument = z.strictObject({ file, job });
