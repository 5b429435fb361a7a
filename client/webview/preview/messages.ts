/** What the data preview and the extension say to each other. The extension fills in which file is meant. */
import type { RowPlace } from "../../../schemas/protocol.ts";
import type { Answered, GivenUp, Question } from "../shared/ask.ts";
import type { PreviewState } from "./state.ts";

/** The requests that the preview may make of its own file. */
export const PREVIEW_REQUESTS = ["clf/preview/page", "clf/preview/profile", "clf/preview/row"] as const;
/** And of the project that the file belongs to. */
export const DECISION_REQUESTS = ["clf/review/decide", "clf/review/undo"] as const;
export type PreviewRequest = (typeof PREVIEW_REQUESTS)[number] | (typeof DECISION_REQUESTS)[number];

export type FromPreview =
  | { type: "ready" }
  | Question<PreviewRequest>
  | GivenUp
  | { type: "open"; place: RowPlace }
  | { type: "copy"; text: string }
  | { type: "state"; state: PreviewState };

export type ToPreview =
  | { type: "init"; name: string; trusted: boolean; state: PreviewState | null }
  | Answered
  | { type: "changed" };
