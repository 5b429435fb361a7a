/** The panel's connection to the extension. */
import { createAsking } from "../shared/ask.ts";
import { connectHost } from "../shared/vscode.ts";
import type { FromJob, JobCommand, JobPanelState, JobRequest } from "./messages.ts";

export const host = connectHost<FromJob, JobPanelState>();
export const { ask, take } = createAsking<JobRequest>((message) => host.postMessage(message));
/** What a button does that runs a command of the Jobs view on this job. */
export const run = (command: JobCommand) => () => host.postMessage({ type: "run", command });
