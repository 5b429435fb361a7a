/** The panel's connection to the extension. */
import { createAsking } from "../shared/ask.ts";
import { connectHost } from "../shared/vscode.ts";
import type { FromReview, ReviewRequest } from "./messages.ts";
import type { ReviewState } from "./state.ts";

export const host = connectHost<FromReview, { project: string | null; state: ReviewState }>();
export const { ask, take } = createAsking<ReviewRequest>((message) => host.postMessage(message));
