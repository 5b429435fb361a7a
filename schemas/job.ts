/** The job folder: `job.json`, `manager.jsonl`, `attempts/<n>/{launch,runner,exit}.json` (docs/job-folder.md). */
import * as z from "zod";
import { Confidence, Model, Price, Target } from "./project.ts";

/** Version of the job-folder contract. A reader accepts this and every older one. */
export const JOB_CONTRACT = 2;

export const JobKind = z.enum(["fine-tune", "evaluate", "predict", "compare"]);
export type JobKind = z.output<typeof JobKind>;

export const JobId = z.string().regex(/^\d{8}-\d{4}-[A-Za-z0-9._-]{1,80}-[0-9a-f]{4,8}$/);

export const JobTarget = Target.pick({ never: true, risk: true }).extend({
  /** Target name: the key in rows and predictions. */
  name: z.string(),
  column: z.string(),
  /** Every label, in a fixed order: probability vectors are aligned with it. */
  labels: z.array(
    z.strictObject({ name: z.string(), description: z.string().optional(), aliases: z.array(z.string()).optional() }),
  ),
});
export type JobTarget = z.output<typeof JobTarget>;

/** A chat endpoint as a job knows it. The key itself is never in a job: it reaches the runner by its environment. */
export const JobEndpoint = z.strictObject({
  name: z.string(),
  base_url: z.string(),
  /** Name of the key; absent: the endpoint needs none. */
  key: z.string().optional(),
  logprobs: z.int().optional(),
  structured: z.boolean().optional(),
  concurrency: z.int(),
  price: Price.optional(),
  /** Where the price is from: the project file, or the dated table. */
  price_from: z.string().optional(),
});
export type JobEndpoint = z.output<typeof JobEndpoint>;

/** A train row that the prompt shows, of which targets, and why it was chosen. */
export const JobShot = z.strictObject({ row: z.string(), targets: z.array(z.string()), why: z.string() });
export type JobShot = z.output<typeof JobShot>;

/** A model as a job runs it: one of its own, or a stage of a cascade. */
export const JobStage = z.strictObject({
  name: z.string(),
  spec: Model,
  /** SHA-256 of all that decides what a fine-tune would give, the data apart: a changed one makes the artifact stale. */
  training_spec: z.string(),
  /** The fine-tune job whose `model/` is used, and where in this job's folder it lies; absent for a fine-tune and for engines that need none. */
  artifact: z.strictObject({ job: z.string(), path: z.string() }).optional(),
  /**
   * Engine `predictions`: the copy of its file in this job's folder, the file's name in the project, and what it held. `id`
   * is the dataset's id column, which is looked for when the model names none.
   */
  source: z
    .strictObject({ path: z.string(), name: z.string(), sha256: z.string(), id: z.string().optional() })
    .optional(),
  /** Engines `chat` and `openai`. */
  endpoint: JobEndpoint.optional(),
  /** Text of the prompt's template. */
  template: z.string().optional(),
  /** The examples in the prompt; those of strategy `similar` are chosen for each row. */
  shots: z.array(JobShot).optional(),
  /** SHA-256 of all that decides what a model without a fine-tune of ours answers: another identity is another model. */
  identity: z.string().optional(),
  /** A stage that this runner cannot run: its predictions, copied from the newest job that has them. */
  predictions: z.strictObject({ path: z.string(), job: z.string() }).optional(),
});

export const JobModel = JobStage.extend({
  /** Engine `cascade`: its stages, in order. */
  stages: z.array(JobStage).optional(),
});
export type JobModel = z.output<typeof JobModel>;

export const Job = z.strictObject({
  contract: z.int().min(1),
  id: JobId,
  kind: JobKind,
  project: z.strictObject({ name: z.string(), file: z.string() }),
  models: z.array(JobModel).min(1),
  host: z.strictObject({
    name: z.string(),
    kind: z.enum(["local", "ssh", "ray", "slurm"]),
    price_per_hour: z.number().optional(),
  }),
  task: z.strictObject({
    instructions: z.string().optional(),
    inputs: z.array(z.strictObject({ column: z.string(), name: z.string() })),
    targets: z.array(JobTarget),
  }),
  data: z.strictObject({
    /** SHA-256 over row ids, splits, inputs and labels. */
    fingerprint: z.string(),
    /** Rows of each split in data/rows.jsonl. */
    rows: z.record(z.string(), z.int().min(0)),
    /** Rows with a person's decision among them. */
    decisions: z.int().min(0),
    /** What sampling left out, and labels it dropped from train, by target. */
    sampling: z.strictObject({
      left_out: z.int().min(0),
      dropped_labels: z.record(z.string(), z.array(z.string())),
      applied: z.enum(["train", "all"]),
    }),
    /** False when the splits have no validation rows: out-of-fold probabilities then calibrate. */
    validation: z.boolean(),
    grouped: z.boolean(),
  }),
  confidence: Confidence,
  seed: z.int().min(0),
  created: z.string(),
  versions: z.record(z.string(), z.string()),
  /** What only one kind needs: e.g. `{ folds: 5 }` of an out-of-fold prediction, `{ scope: "pool" }`. */
  options: z.record(z.string(), z.unknown()).default({}),
});
export type Job = z.output<typeof Job>;

/** A line of manager.jsonl, in the order of `seq`. */
export const ManagerRecord = z.strictObject({
  seq: z.int().min(1),
  time: z.string(),
  type: z.enum(["submitted", "cancel-asked", "resumed", "lost", "fetched", "followed"]),
  attempt: z.int().min(1).optional(),
  message: z.string().optional(),
  /** `followed`: the job that was started because this one succeeded; without one, `message` says why. */
  job: z.string().optional(),
  /** `lost`: how many whole lines the attempt's events.jsonl had then. Later ones do not count. */
  events: z.int().min(0).optional(),
});
export type ManagerRecord = z.output<typeof ManagerRecord>;

/** Who a process is, so that a pid used again by another process is not mistaken for it. All but `pid` is opaque text. */
export const ProcessIdentity = z.strictObject({
  pid: z.int().min(1),
  /** Process start time: equal text means the same process. */
  started: z.string(),
  /** Boot id of the machine and its pid namespace: a different one on the same machine means that every process of then is gone. */
  boot: z.string(),
  /** The machine: when this differs too, nothing can be said of the process from here. */
  machine: z.string(),
});
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

/** attempts/<n>/launch.json: who the supervisor is. Its own, written first and exclusively. */
export const Launch = ProcessIdentity.extend({
  time: z.string(),
  /** The supervisor waits for the GPU lock before it starts the runner. */
  lock: z.boolean(),
});
export type Launch = z.output<typeof Launch>;

/** attempts/<n>/runner.json: who the runner is. The supervisor's, written before the runner may start. */
export const RunnerIdentity = ProcessIdentity.extend({ time: z.string() });
export type RunnerIdentity = z.output<typeof RunnerIdentity>;

/** attempts/<n>/exit.json: the supervisor's, written last. */
export const Exit = z.strictObject({
  /** Exit code; 128 plus the signal's number after a signal. */
  code: z.int(),
  /** Name of the signal that ended the runner, without "SIG". */
  signal: z.string().nullable(),
  /** The cancel file was there when the runner ended. */
  cancelled: z.boolean(),
  /** How many whole lines events.jsonl had. */
  events: z.int().min(0),
  /** Why no runner was started. */
  message: z.string().nullable(),
  time: z.string(),
});
export type Exit = z.output<typeof Exit>;

/** A host that the ssh config names. */
export const ConfiguredHost = z.strictObject({
  name: z.string(),
  hostName: z.string().optional(),
  user: z.string().optional(),
});

/** One thing a host has or lacks. */
export const HostCheck = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  /** What is there. */
  detail: z.string(),
  /** What to do when it is not. */
  remedy: z.string().optional(),
});
export type HostCheck = z.output<typeof HostCheck>;

export const JobState = z.enum(["preparing", "queued", "running", "succeeded", "failed", "cancelled", "lost"]);
export type JobState = z.output<typeof JobState>;

/** How far a job is. `step` is a short phrase for people; `left` seconds, estimated. */
export const JobProgress = z.strictObject({
  step: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  unit: z.string().optional(),
  left: z.number().optional(),
});

/** A job in a list: what its folder says at a moment. `problem` alone: the folder cannot be read, and is left as it is. */
export const JobSummary = z.strictObject({
  id: z.string(),
  kind: JobKind.optional(),
  models: z.array(z.string()).optional(),
  project: z.string().optional(),
  host: z.string().optional(),
  created: z.string().optional(),
  state: JobState.optional(),
  attempt: z.int().min(1).optional(),
  /** Start and end of the last attempt's runner. */
  started: z.string().optional(),
  ended: z.string().optional(),
  cancel_asked: z.boolean().optional(),
  /** Why it ended as it did, or what it does now, in a sentence. */
  message: z.string().optional(),
  /** What to do about it. */
  remedy: z.string().optional(),
  progress: JobProgress.optional(),
  bytes: z.int().min(0).optional(),
  problem: z.string().optional(),
});
export type JobSummary = z.output<typeof JobSummary>;
