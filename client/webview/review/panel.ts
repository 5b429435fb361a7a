/** What is on screen: one object that the parts of the panel read and change, and that is drawn again when they have. */
import type { Explanation, FlaggedItem, Requests, RowDetail } from "../../../schemas/protocol.ts";
import { host } from "./ask.ts";
import type { Choice } from "./choices.ts";
import { createPages } from "./pages.ts";
import { type ReviewState, START } from "./state.ts";

export type List = Requests["clf/flagged/list"]["result"];
export type Similar = NonNullable<Requests["clf/rows/similar"]["result"]>;
export type Progress = Requests["clf/review/progress"]["result"];

/** The row on screen, or, while the next one is on its way, the one that was. */
export interface Shown {
  item: FlaggedItem;
  detail: RowDetail;
  choices: Choice[];
  /** The words that mattered, once they are known. */
  explanation: Explanation | null;
  similar: Similar | null;
}

export interface Panel {
  project: string | null;
  projects: { uri: string; name: string }[];
  /** In words, by reason. */
  reasons: Record<string, string>;
  state: ReviewState;
  list: List | undefined;
  failure: string | null;
  shown: Shown | undefined;
  /** The next row is on its way: the one on screen is not the one that a key would decide. */
  busy: boolean;
  /** Instead of a row. */
  instead: string | null;
  open: "picker" | "note" | "alike" | null;
  /** Said by a screen reader, and under the row. */
  said: string;
}

export const panel: Panel = {
  project: null,
  projects: [],
  reasons: {},
  state: START,
  list: undefined,
  failure: null,
  shown: undefined,
  busy: false,
  instead: null,
  open: null,
  said: "",
};
export const pages = createPages();

let redraw = (): void => {};
let due = false;
export const onDraw = (draw: () => void): void => {
  redraw = draw;
};
/** Draws at the end of what is being done, once however often it is asked for. */
export function draw(): void {
  if (!due) queueMicrotask(() => due && drawNow());
  due = true;
}
export function drawNow(): void {
  due = false;
  redraw();
}

let saving: ReturnType<typeof setTimeout> | undefined;
/** Changes what is kept over reloads. */
export function keep(change: Partial<ReviewState>): void {
  const { project } = panel;
  panel.state = { ...panel.state, ...change };
  host.setState({ project, state: panel.state });
  clearTimeout(saving);
  saving = setTimeout(() => {
    if (project !== null) host.postMessage({ type: "state", project, state: panel.state });
  }, 150);
}

export function say(words: string): void {
  panel.said = words;
  draw();
}

export const isShown = ({ row, target }: Pick<FlaggedItem, "row" | "target">): boolean =>
  panel.shown !== undefined && panel.shown.item.row === row && panel.shown.item.target === target;
/** The row that a key decides: the chosen one, once it is on screen. Nobody decides on what they have not seen. */
export const decidable = (): Shown | undefined =>
  panel.shown && !panel.busy && isChosen(panel.shown.item) ? panel.shown : undefined;
/** Whether a row is the one that was chosen, drawn or not. */
export const isChosen = ({ row, target }: Pick<FlaggedItem, "row" | "target">): boolean =>
  panel.state.row === row && panel.state.rowTarget === target;
export const labelsOf = (target: string): string[] =>
  panel.list?.targets.find(({ name }) => name === target)?.labels ?? [];
