/** What the report panel and the extension say to each other. The extension fills in which project and job are meant. */
import type { Report, Rounds } from "../../../schemas/report.ts";
import type { ReportDetail } from "../../../schemas/reportPanel.ts";
import type { Answered, GivenUp, Question } from "../shared/ask.ts";
import type { Choices } from "./choices.ts";

/** The requests that the panel may make of its own report. */
export const REPORT_REQUESTS = ["clf/report/columns", "clf/report/slices", "clf/report/rows"] as const;
export type ReportRequest = (typeof REPORT_REQUESTS)[number];

export type FromReport =
  | { type: "ready" }
  | Question<ReportRequest>
  | GivenUp
  | { type: "copy"; text: string }
  /** `content` is text, or base64 of an image. */
  | { type: "save"; name: string; format: "svg" | "png"; content: string }
  /** A row of the data, to be shown in its file. */
  | { type: "open"; row: string }
  | { type: "choices"; choices: Choices }
  | { type: "run"; command: "clf.review" | "clf.openLog" }
  | { type: "run"; command: "clf.makeFewShot"; model: string };

/** First the report, then what takes longer, in this order. */
export type ToReport =
  | { type: "report"; report: Report; choices: Choices | null }
  /** What its plots of rows are drawn from; or why there is none. */
  | { type: "detail"; detail: ReportDetail }
  | { type: "noDetail"; message: string }
  /** Without those of models that have none. */
  | { type: "rounds"; rounds: Rounds[] }
  | { type: "gone"; message: string }
  | Answered;

/** What a report panel keeps to come back after a reload. */
export interface ReportState {
  project: string;
  job: string;
  title: string;
}
