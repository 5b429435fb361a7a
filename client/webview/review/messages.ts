/** What the review panel and the extension say to each other. Imports types only, so that both sides can use it. */
import type { RowPlace } from "../../../schemas/protocol.ts";
import type { Answered, GivenUp, Question } from "../shared/ask.ts";
import type { ReviewState } from "./state.ts";

/** The requests that the panel may make; the extension fills in nothing and passes on nothing else. */
export const REVIEW_REQUESTS = [
  "clf/flagged/list",
  "clf/rows/detail",
  "clf/rows/explain",
  "clf/rows/similar",
  "clf/review/decide",
  "clf/review/decideTogether",
  "clf/review/undo",
  "clf/review/progress",
  "clf/rounds",
] as const;
export type ReviewRequest = (typeof REVIEW_REQUESTS)[number];
/** Those that write. */
export const WRITING: readonly ReviewRequest[] = ["clf/review/decide", "clf/review/decideTogether", "clf/review/undo"];

/** A keyboard command, as VS Code's keybindings name it. */
export type ReviewAction = { do: Doing } | { do: "choose"; number: number };
export type Doing =
  | "confirm"
  | "none"
  | "skip"
  | "undo"
  | "next"
  | "previous"
  | "search"
  | "open"
  | "refresh"
  | "alike"
  | "pair"
  | "note"
  | "filters"
  | "progress";

export type ReviewCommand =
  | "clf.evaluate"
  | "clf.fineTune"
  | "clf.predict"
  | "clf.newProject"
  | "workbench.actions.view.problems";

export type FromReview =
  | { type: "ready" }
  | Question<ReviewRequest>
  | GivenUp
  | { type: "state"; project: string; state: ReviewState }
  | { type: "project"; project: string }
  /** Where the keyboard is: VS Code's own `focusedView` does not know of a focus inside a webview. */
  | { type: "focus"; focused: boolean; typing: boolean }
  | { type: "open"; place: RowPlace }
  | { type: "run"; command: ReviewCommand; project: string | null };

export type ToReview =
  | {
      type: "projects";
      projects: { uri: string; name: string }[];
      /** The project on screen; null: there is none. */
      project: string | null;
      state: ReviewState | null;
      reasons: Record<string, string>;
    }
  | Answered
  | { type: "action"; action: ReviewAction }
  /** VS Code now takes the panel's keys for commands, or no longer: what was said last of the focus has arrived. */
  | { type: "keys"; active: boolean }
  /** Decisions, predictions or rows changed: lists are to be asked for again. */
  | { type: "changed"; project: string };
