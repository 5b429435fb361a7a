/** The requests of the job panel (`clf/jobs/*`): what a job is made of, how it goes, its log, and what differs from the last run. */
import * as z from "zod";
import { JobEvent } from "./events.ts";
import { JobState } from "./job.ts";

const ofJob = { project: z.string().max(8192), job: z.string().max(200) };
const ofAttempt = { ...ofJob, attempt: z.int().min(1).optional() };

/** A line of what a job was made from. */
export const JobFact = z.strictObject({
  /** "Model baseline", "Task", "Data", "Confidence", "Run". */
  section: z.string(),
  name: z.string(),
  value: z.string(),
});
export type JobFact = z.output<typeof JobFact>;

/** A fact that is another one in the job before. */
export const JobChange = z.strictObject({
  section: z.string(),
  name: z.string(),
  /** Null: it was not there. Of lists: what was only there then. */
  before: z.string().nullable(),
  /** Null: it is not there any more. Of lists: what is only there now. */
  after: z.string().nullable(),
  /** A list: `before` and `after` are what left and what came. */
  list: z.boolean(),
});
export type JobChange = z.output<typeof JobChange>;

/** The last values of a figure in the job before and in this one; null: it was not reported. */
export const JobResult = z.strictObject({
  name: z.string(),
  before: z.number().nullable(),
  after: z.number().nullable(),
});
export type JobResult = z.output<typeof JobResult>;

/** What differs from an earlier job of the same kind and models. */
export const JobDifference = z.strictObject({
  /** The earlier job. */
  job: z.string(),
  created: z.string(),
  state: JobState,
  /** Whether both had the same rows: ids, splits, inputs and labels. */
  same_data: z.boolean(),
  changes: z.array(JobChange),
  results: z.array(JobResult),
});
export type JobDifference = z.output<typeof JobDifference>;

export const JobArtifact = z.strictObject({
  /** In the job's folder, "/" between parts. */
  path: z.string(),
  /** What it is, in words. */
  name: z.string(),
  uri: z.string(),
  folder: z.boolean(),
  bytes: z.int().min(0),
});
export type JobArtifact = z.output<typeof JobArtifact>;

export const JobDetail = z.strictObject({
  ...ofJob,
  /** Earlier attempts included, oldest first. */
  attempts: z.array(
    z.strictObject({
      number: z.int().min(1),
      state: JobState,
      started: z.string().nullable(),
      ended: z.string().nullable(),
      message: z.string().nullable(),
    }),
  ),
  facts: z.array(JobFact),
  artifacts: z.array(JobArtifact),
  /** Null: there is no earlier job of the same kind and models. */
  difference: JobDifference.nullable(),
});
export type JobDetail = z.output<typeof JobDetail>;

export const LogHit = z.strictObject({
  /** Byte offset of the line. */
  offset: z.int().min(0),
  /** From 1. */
  line: z.int().min(1),
  text: z.string(),
});
export type LogHit = z.output<typeof LogHit>;

export const jobPanelRequests = {
  "clf/jobs/detail": { params: z.strictObject(ofJob), result: JobDetail },
  /** The log from a byte offset on, or the piece before one; at most 256 KiB an answer. */
  "clf/jobs/log": {
    params: z.strictObject({
      ...ofAttempt,
      offset: z.int().min(0).default(0),
      /** The piece that ends here, from the beginning of a line on, in place of `offset`. Beyond the end: the last piece. */
      before: z.int().min(0).optional(),
    }),
    result: z.strictObject({
      attempt: z.int(),
      text: z.string(),
      /** Where `text` begins and where it ends. */
      start: z.int(),
      offset: z.int(),
      /** Bytes of the whole log so far. */
      size: z.int(),
      ended: z.boolean(),
    }),
  },
  /** Lines of the log with a text in them, upper and lower case alike. */
  "clf/jobs/logSearch": {
    params: z.strictObject({
      ...ofAttempt,
      text: z.string().min(1).max(500),
      limit: z.int().min(1).max(1000).default(200),
    }),
    result: z.strictObject({
      attempt: z.int(),
      /** All of them; `hits` are the first. */
      total: z.int(),
      hits: z.array(LogHit),
    }),
  },
  /** Events from a byte offset of their file on, oldest first; at most 5,000 an answer. */
  "clf/jobs/events": {
    params: z.strictObject({ ...ofAttempt, offset: z.int().min(0).default(0) }),
    result: z.strictObject({
      attempt: z.int(),
      events: z.array(JobEvent),
      /** To go on from. */
      offset: z.int(),
      /** There are more of them by now. */
      more: z.boolean(),
    }),
  },
} as const;
