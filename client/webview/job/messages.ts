/** What the job panel and the extension say to each other. The extension fills in which job is meant. */
import type { JobView } from "../../../schemas/protocol.ts";
import type { Answered, GivenUp, Question } from "../shared/ask.ts";

export const JOB_REQUESTS = ["clf/jobs/detail", "clf/jobs/events", "clf/jobs/log", "clf/jobs/logSearch"] as const;
export type JobRequest = (typeof JOB_REQUESTS)[number];

/** What the panel's buttons run on its job: the Jobs view's own commands. */
export const JOB_COMMANDS = [
  "clf.cancelJob",
  "clf.resumeJob",
  "clf.openReport",
  "clf.openLog",
  "clf.deleteJob",
  "clf.revealJobInProject",
] as const;
export type JobCommand = (typeof JOB_COMMANDS)[number];

export const JOB_TABS = ["figures", "log", "difference", "spec", "artifacts"] as const;
export type JobTab = (typeof JOB_TABS)[number];

/** What a person chose in the panel. */
export interface Kept {
  tab: JobTab;
  search: string;
}

/** What a job panel keeps to come back after a reload. */
export interface JobPanelState extends Kept {
  project: string;
  job: string;
  title: string;
}

export type FromJob =
  | { type: "ready" }
  | Question<JobRequest>
  | GivenUp
  | { type: "state"; kept: Kept }
  | { type: "run"; command: JobCommand }
  /** Another job of the project. */
  | { type: "show"; job: string }
  /** A file or folder of the job, by its path in there. */
  | { type: "artifact"; path: string; reveal: boolean };

export type ToJob =
  /** Null: it has been deleted. */
  { type: "job"; job: JobView | null; trusted: boolean; kept: Kept | null } | Answered;
