/** What is on screen: one object that the parts of the panel read and change, and that is drawn again when they have. */
import type { JobDetail } from "../../../schemas/jobPanel.ts";
import type { JobView } from "../../../schemas/protocol.ts";
import { NotWanted } from "../shared/ask.ts";
import { messageOf } from "../shared/errors.ts";
import { host } from "./ask.ts";
import type { JobPanelState } from "./messages.ts";

export const root = document.getElementById("root")!;

export interface Panel {
  state: JobPanelState;
  /** Undefined until the extension has told of it; null: it has been deleted. */
  job: JobView | null | undefined;
  /** The workspace is: a job may be cancelled, resumed and deleted. */
  trusted: boolean;
  detail: JobDetail | undefined;
  failure: string | null;
}

export const panel: Panel = {
  state: {
    ...{ tab: "figures", search: "" },
    ...(JSON.parse(decodeURIComponent(root.dataset.state!)) as Pick<JobPanelState, "project" | "job" | "title">),
    ...host.getState(),
  },
  job: undefined,
  trusted: false,
  detail: undefined,
  failure: null,
};

export const element = <E extends HTMLElement>(id: string): E | null => document.getElementById(id) as E | null;
/** Which job a question is about. */
export const ofJob = () => ({ project: panel.state.project, job: panel.state.job });

let redraw = (): void => {};
export const onDraw = (draw: () => void): void => {
  redraw = draw;
};
export const draw = (): void => redraw();

let keeping: ReturnType<typeof setTimeout> | undefined;
/** Changes what is kept over reloads. */
export function save(change: Partial<JobPanelState>): void {
  panel.state = { ...panel.state, ...change };
  const { tab, search } = panel.state;
  host.setState(panel.state);
  if (panel.job === undefined) return;
  // A window that is reloaded does not always keep what its webviews said last: the extension does.
  clearTimeout(keeping);
  keeping = setTimeout(() => host.postMessage({ type: "state", kept: { tab, search } }), 100);
}

/** Runs something that a person asked for; what goes wrong is said in the panel. */
export async function attempt(what: () => Promise<void>): Promise<void> {
  try {
    await what();
    panel.failure = null;
  } catch (error) {
    if (error instanceof NotWanted) return;
    panel.failure = messageOf(error);
  }
  draw();
}
