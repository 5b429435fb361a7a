/**
 * What webviews and the extension say to each other, defined once. Imports types only, so that both sides can use it.
 * A webview asks by number and is answered by number; everything else is a message of its own.
 */

import type { Requests, RowPlace } from "../../schemas/protocol.ts";
import type { Report, Rounds } from "../../schemas/report.ts";

/** The requests a review panel may make; the extension fills in nothing and passes on nothing else. */
export const REVIEW_REQUESTS = [
  "clf/flagged/list",
  "clf/rows/detail",
  "clf/rows/explain",
  "clf/review/decide",
  "clf/review/undo",
] as const;
export type ReviewRequest = (typeof REVIEW_REQUESTS)[number];

/** What a person chose in the Flagged panel; kept over reloads. */
export interface ReviewState {
  /** Null: all targets. */
  target: string | null;
  reason: string | null;
  label: string | null;
  order: "margin" | "confidence" | "label-issues" | "random" | "file" | null;
  /** The row on screen, and its place in the list. */
  row: string | null;
  rowTarget: string | null;
  index: number;
}

/** A keyboard command, as VS Code's keybindings name it. */
export type ReviewAction =
  | { do: "confirm" | "none" | "skip" | "undo" | "next" | "previous" | "search" | "open" | "refresh" }
  | { do: "choose"; number: number };

export type FromReview =
  | { type: "ready" }
  | { type: "request"; id: number; name: ReviewRequest; params: unknown }
  | { type: "state"; project: string; state: ReviewState }
  | { type: "project"; project: string }
  /** Where the keyboard is: VS Code's own `focusedView` does not know of a focus inside a webview. */
  | { type: "focus"; focused: boolean; typing: boolean }
  | { type: "open"; place: RowPlace }
  | {
      type: "run";
      command: "clf.evaluate" | "clf.predict" | "clf.newProject" | "workbench.actions.view.problems";
      project: string | null;
    }
  | { type: "say"; message: string };

export type ToReview =
  | {
      type: "projects";
      projects: { uri: string; name: string }[];
      /** The project on screen; null: there is none. */
      project: string | null;
      state: ReviewState | null;
      reasons: Record<string, string>;
    }
  | { type: "answer"; id: number; result: unknown }
  | { type: "failure"; id: number; message: string }
  | { type: "action"; action: ReviewAction }
  /** Decisions or predictions changed: lists are to be asked for again. */
  | { type: "changed"; project: string };

export type Answer<K extends ReviewRequest> = Requests[K]["result"];

export type FromReport =
  | { type: "ready" }
  | { type: "copy"; text: string }
  | { type: "run"; command: "clf.review" | "clf.openLog" }
  | { type: "run"; command: "clf.makeFewShot"; model: string };

export type ToReport = { type: "report"; report: Report; rounds: Rounds[] } | { type: "failure"; message: string };

/** What a report panel keeps to come back after a reload. */
export interface ReportState {
  project: string;
  job: string;
  title: string;
}
