/** The preview's connection to the extension. */
import type { Requests } from "../../../schemas/protocol.ts";
import { createAsking } from "../shared/ask.ts";
import { connectHost } from "../shared/vscode.ts";
import type { FromPreview, PreviewRequest } from "./messages.ts";
import type { PreviewState } from "./state.ts";

export const host = connectHost<FromPreview, PreviewState>();
const asking = createAsking<PreviewRequest>((message) => host.postMessage(message));
export const { take } = asking;

/** The extension fills in which file is meant. */
export const ask = <K extends PreviewRequest>(name: K, params: Omit<Requests[K]["params"], "data">) =>
  asking.ask(name, params as Requests[K]["params"]);
