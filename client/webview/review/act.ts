/** The keyboard belongs to VS Code: keys arrive as actions from the extension, so that people can rebind them. */
import { openAlike } from "./alike.ts";
import { choose, confirm, filterByPair, none, openRow, skip, undo } from "./decide.ts";
import { openLabelPicker } from "./labelPicker.ts";
import type { Doing, ReviewAction } from "./messages.ts";
import { decidable, drawNow, keep, panel, say } from "./panel.ts";
import { loadProgress } from "./progress.ts";
import { load, move } from "./queue.ts";

const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();

function openPart(part: NonNullable<typeof panel.open>, selector: string): void {
  if (!decidable()) return;
  panel.open = part;
  drawNow();
  focus(selector);
}

function search(): void {
  if (panel.open !== "picker") openLabelPicker();
  openPart("picker", ".picker input");
}

function alike(): void {
  const shown = decidable();
  if (!shown) return;
  if (shown.item.blind) say("Rows that are judged without the prediction are judged one by one.");
  else if (shown.similar === null) say("Similar rows are still being looked for.");
  else if (openAlike(shown)) openPart("alike", "#alike");
  else say("No other row that waits is like this one.");
}

function progress(): void {
  keep({ progress: !panel.state.progress });
  drawNow();
  focus(panel.state.progress ? "#progress" : "#rows");
  void loadProgress();
}

const DO: Record<Doing, () => unknown> = {
  next: () => move(1),
  previous: () => move(-1),
  confirm,
  none,
  skip,
  undo,
  search,
  open: openRow,
  refresh: () => load(),
  alike,
  pair: filterByPair,
  note: () => openPart("note", "#note"),
  filters: () => focus(".filters select"),
  progress,
};

export function act(action: ReviewAction): void {
  if (action.do === "choose") choose(action.number);
  else DO[action.do]();
}
