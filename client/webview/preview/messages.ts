/** What the data preview and the extension say to each other. The extension fills in which file is meant. */
import type { Requests, RowPlace } from "../../../schemas/protocol.ts";
import type { PreviewState } from "./state.ts";

/** The requests that the preview may make of its own file. */
export const PREVIEW_REQUESTS = ["clf/preview/page", "clf/preview/profile", "clf/preview/row"] as const;
/** And of the project that the file belongs to. */
export const DECISION_REQUESTS = ["clf/review/decide", "clf/review/undo"] as const;
export type PreviewRequest = (typeof PREVIEW_REQUESTS)[number] | (typeof DECISION_REQUESTS)[number];

export type FromPreview =
  | { type: "ready" }
  | { type: "request"; id: number; name: PreviewRequest; params: Record<string, unknown> }
  | { type: "open"; place: RowPlace }
  | { type: "copy"; text: string }
  | { type: "state"; state: PreviewState };

export type ToPreview =
  | { type: "init"; name: string; trusted: boolean; state: PreviewState | null }
  | { type: "answer"; id: number; result: unknown }
  | { type: "failure"; id: number; message: string }
  | { type: "changed" };

export type PreviewAnswer<K extends PreviewRequest> = Requests[K]["result"];
