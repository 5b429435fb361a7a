/** What the Try It panel and the extension say to each other. */
import type { RowPlace } from "../../../schemas/protocol.ts";
import type { Answered, GivenUp, Question } from "../shared/ask.ts";

export const TRY_REQUESTS = ["clf/predict", "clf/try/nearest"] as const;
export type TryRequest = (typeof TRY_REQUESTS)[number];

/** What its buttons run on the project and model. */
export const TRY_COMMANDS = ["clf.fineTune", "clf.evaluate", "clf.newProject"] as const;
export type TryCommand = (typeof TRY_COMMANDS)[number];

/** Kept over reloads. */
export interface TryState {
  project: string | null;
  model: string | null;
  /** By input name. */
  inputs: Record<string, string>;
}

export interface TryProject {
  uri: string;
  name: string;
  /** Its file has no errors. */
  valid: boolean;
  inputs: string[];
  review_model: string;
  models: { name: string; engine: string; runs: boolean; fine_tunes: boolean; current: boolean }[];
}

export type FromTry =
  | { type: "ready" }
  | Question<TryRequest>
  | GivenUp
  | { type: "state"; state: TryState }
  | { type: "open"; place: RowPlace }
  | { type: "run"; command: TryCommand; project: string | null; model: string | null };

export type ToTry =
  | { type: "projects"; projects: TryProject[]; trusted: boolean; state: TryState | null }
  /** A text to try, of a project where it stands in its data. */
  | { type: "text"; text: string; project: string | null }
  /** Models, data or decisions changed: what is on screen may be old. */
  | { type: "changed" }
  | Answered;
