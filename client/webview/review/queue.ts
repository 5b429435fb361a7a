/** The list of rows that wait, and the place in it. It lives in the server; pages of it are on hand. */
import type { FlaggedItem } from "../../../schemas/protocol.ts";
import { messageOf } from "../shared/errors.ts";
import { ask } from "./ask.ts";
import { PAGE } from "./pages.ts";
import { draw, keep, type List, pages, panel } from "./panel.ts";
import { doubtRows, forgetRows, showRow } from "./rowOnScreen.ts";
import { asked, type ReviewState } from "./state.ts";

export interface Place {
  row: string;
  target: string;
  index: number;
}

/** Counts loads, so that a late answer to an older question is dropped. */
let generation = 0;
/** Decisions on their way to the server. */
let sending = 0;
/** The list on hand is not the server's own any more. */
let stale = false;
/** Runs out when nothing has been sent for a while: then the list is asked for again. */
let resting: ReturnType<typeof setTimeout> | undefined;
/**
 * Milliseconds. The list on hand is right without the rows that were decided; asking for it at each decision would make who decides
 * quickly wait for the next row.
 */
const REST = 300;
/** The view scrolls as little as it takes to have a row in view. */
let show = (_index: number): void => {};
let inView = () => ({ from: 0, to: 0 });

/** What of the list is seen is known to what draws it. */
export function onShow(parts: { show: (index: number) => void; inView: () => { from: number; to: number } }): void {
  ({ show, inView } = parts);
}

/** Decided rows have left the list; skipped ones stand at its end. */
const waitingOf = ({ total, decided }: List): number => total - decided;

function pageAt(offset: number, find?: { row: string; target: string }): Promise<List> {
  const { project, state } = panel;
  const { order } = state;
  return ask("clf/flagged/list", {
    ...asked(state),
    project: project!,
    ...(order === null ? {} : { order }),
    offset,
    limit: PAGE,
    ...(find ? { find } : {}),
  });
}

const here = (): Place => ({
  row: panel.state.row ?? "",
  target: panel.state.rowTarget ?? "",
  index: panel.state.index,
});

/** Asks for the list again and stays on the row that is on screen, or goes to `wanted`. */
export async function load(wanted?: Place): Promise<void> {
  const mine = ++generation;
  // What is on its way changes the list once more.
  if (sending === 0) loaded();
  if (panel.project === null) return draw();
  try {
    const { row, target, index: at } = wanted ?? here();
    const find = row === "" ? undefined : { row, target };
    let answer = await pageAt(Math.floor(at / PAGE) * PAGE, find);
    if (answer.offset > 0 && answer.offset >= waitingOf(answer)) {
      answer = await pageAt(Math.floor(Math.max(0, waitingOf(answer) - 1) / PAGE) * PAGE, find);
    }
    if (mine !== generation) return;
    panel.failure = null;
    panel.list = answer;
    pages.clear();
    pages.put(answer.offset, answer.items, waitingOf(answer));
    doubtRows();
    // A person may have moved on while the list was on its way.
    const goal = wanted ?? here();
    const found = pages.find(goal.row, goal.target);
    const index = found >= 0 ? found : Math.max(0, Math.min(goal.index, waitingOf(answer) - 1));
    // In its old place it stays where it was scrolled to; in a new one it is brought into view.
    select(index, { still: found >= 0 && found === goal.index });
    const { from, to } = inView();
    void loadPages(from, to);
  } catch (error) {
    if (mine !== generation) return;
    panel.failure = messageOf(error);
  }
  draw();
}

export async function loadPages(from: number, to: number): Promise<void> {
  // The server's list shifts under a decision that is on its way: asked again once it has arrived.
  if (sending > 0) {
    stale = true;
    return;
  }
  const mine = generation;
  for (const start of pages.missing(from, to)) {
    try {
      const answer = await pageAt(start);
      if (mine !== generation || sending > 0) return;
      pages.put(start, answer.items, pages.total);
      draw();
      if (panel.state.row === null && pages.at(panel.state.index)) select(panel.state.index, { still: true });
    } catch {
      // Asked again when the rows come into view.
      return;
    }
  }
}

/** @param still the row is on screen already: the view does not scroll */
export function select(index: number, { still = false } = {}): void {
  const item = pages.at(index);
  const other = !isSame(item);
  keep({ index, row: item?.row ?? null, rowTarget: item?.target ?? null, ...(other ? { note: "" } : {}) });
  if (other) panel.open = null;
  if (item) showRow(item);
  else {
    Object.assign(panel, { shown: undefined, busy: false });
    draw();
    if (index < pages.total) void loadPages(index, index);
  }
  if (!still) show(index);
}

const isSame = (item: FlaggedItem | undefined): boolean =>
  (item?.row ?? null) === panel.state.row && (item?.target ?? null) === panel.state.rowTarget;

export function move(step: number): void {
  const index = Math.max(0, Math.min(pages.total - 1, panel.state.index + step));
  if (pages.total > 0 && index !== panel.state.index) select(index);
}

/** Other rows, or in another order: from the top. */
export function choosePlace(change: Partial<ReviewState>): void {
  if ("model" in change) forgetRows();
  keep({ ...change, row: null, rowTarget: null, index: 0, note: "" });
  // The rows of before stay on screen until the others are there, and cannot be decided.
  Object.assign(panel, { open: null, busy: true });
  draw();
  void load().then(() => show(0));
}

/** Others decided, or predictions changed. */
export function changed(): void {
  if (sending > 0) stale = true;
  else if (stale) loadAfterRest();
  else void load();
}

function loadAfterRest(): void {
  clearTimeout(resting);
  resting = setTimeout(() => {
    // The end of what is on its way asks again.
    if (sending === 0) void load();
  }, REST);
}

/** While `work` goes on lists are dropped that know nothing of it; soon after it the list is the server's own again. */
export async function whileSending(work: () => Promise<void>): Promise<void> {
  sending++;
  // A list that is on its way would bring a decided row back, and take the next one off the screen.
  generation++;
  stale = true;
  try {
    await work();
  } finally {
    sending--;
    if (sending === 0 && stale) loadAfterRest();
  }
}

/** Nothing is to be asked again after this: it has just been. */
export function loaded(): void {
  stale = false;
  clearTimeout(resting);
}
