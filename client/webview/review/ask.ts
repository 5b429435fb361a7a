/** The panel's connection to the extension. */
import { createAsking } from "../shared/ask.ts";
import { connectHost } from "../shared/vscode.ts";
import type { FromReview, ReviewRequest } from "./messages.ts";
import type { ReviewState } from "./state.ts";

export const host = connectHost<FromReview, { project: string | null; state: ReviewState }>();
const asking = createAsking<ReviewRequest>((message) => {
  if (message.type === "request") host.postMessage(message);
});
export const { ask, take } = asking;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
