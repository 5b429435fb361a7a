/** The row on screen: asked for ahead of time, so that the next one is there at once, and what is said of it once a person stays. */
import type { FlaggedItem, RowDetail } from "../../../schemas/protocol.ts";
import { messageOf } from "../shared/errors.ts";
import { ask } from "./ask.ts";
import { choicesOf } from "./choices.ts";
import { draw, isChosen, isShown, labelsOf, pages, panel } from "./panel.ts";
import { asked } from "./state.ts";

/** Rows kept, and rows asked for ahead. */
const KEPT = 60;
const AHEAD = 4;
/** Milliseconds on a row after which its words and similar rows are asked for. */
const STAYS = 120;

const known = new Map<string, { detail: RowDetail; of: number }>();
const coming = new Map<string, Promise<RowDetail | null>>();
/** Counts changes of the data: what was asked for before is shown, and asked for again. */
let epoch = 0;

/** What is known of rows may be old. */
export const doubtRows = (): void => {
  epoch++;
};
/** It is of another model, or another project. */
export const forgetRows = (): void => {
  epoch++;
  known.clear();
  coming.clear();
};

function fetchRow(row: string): Promise<RowDetail | null> {
  let promise = coming.get(row);
  if (!promise) {
    const { project, state } = panel;
    const of = epoch;
    const { model } = asked(state);
    promise = ask("clf/rows/detail", { project: project!, row, ...(model ? { model } : {}) });
    coming.set(row, promise);
    promise
      .then((detail) => {
        if (coming.get(row) !== promise || !detail) return;
        known.delete(row);
        known.set(row, { detail, of });
        for (const old of known.keys()) {
          if (known.size <= KEPT) break;
          known.delete(old);
        }
      })
      .catch(() => {})
      .finally(() => {
        if (coming.get(row) === promise) coming.delete(row);
      });
  }
  return promise;
}

/** Shows a row that was chosen: at once if it is known. */
export function showRow(item: FlaggedItem): void {
  const found = known.get(item.row);
  if (found) put(item, found.detail);
  else if (!isShown(item)) {
    panel.busy = true;
    draw();
  }
  if (found?.of === epoch) askAhead();
  else void refresh(item);
}

async function refresh(item: FlaggedItem): Promise<void> {
  try {
    const detail = await fetchRow(item.row);
    if (!isChosen(item)) return;
    if (detail) put(item, detail);
    else instead("This row is no longer in the data.");
    askAhead();
  } catch (error) {
    if (isChosen(item)) instead(messageOf(error));
  }
}

function instead(words: string): void {
  Object.assign(panel, { shown: undefined, busy: false, instead: words });
  draw();
}

function put(item: FlaggedItem, detail: RowDetail): void {
  const { shown } = panel;
  // The same row once more: what has been found out about it stays.
  const same = isShown(item) && JSON.stringify(shown!.detail) === JSON.stringify(detail);
  const view = detail.targets.find(({ target }) => target === item.target);
  panel.shown = same
    ? { ...shown!, item }
    : {
        item,
        detail,
        choices: choicesOf(item, view, labelsOf(item.target)),
        explanation: null,
        similar: null,
      };
  Object.assign(panel, { busy: false, instead: null });
  draw();
  if (!same) void findOut(item);
}

function askAhead(): void {
  const { index } = panel.state;
  for (const at of [...Array.from({ length: AHEAD }, (_, i) => index + 1 + i), index - 1]) {
    const item = pages.at(at);
    if (item && !known.has(item.row)) fetchRow(item.row).catch(() => {});
  }
}

/** The words that mattered and the similar rows, once a person stays on a row. They are extras: the row stands without them. */
async function findOut(item: FlaggedItem): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, STAYS));
  const { project, state } = panel;
  if (!isShown(item) || project === null) return;
  const { row, target } = item;
  const on = { project, row, target };
  const still = (change: object) => {
    if (!isShown(item)) return;
    panel.shown = { ...panel.shown!, ...change };
    draw();
  };
  const { model } = asked(state);
  const predicted = panel.shown!.choices[0]?.confidence != null;
  await Promise.all([
    predicted &&
      ask("clf/rows/explain", { ...on, ...(model ? { model } : {}) }).then(
        (explanation) => explanation && still({ explanation }),
        () => {},
      ),
    ask("clf/rows/similar", { ...asked(state), ...on }).then(
      (similar) => similar && still({ similar }),
      () => {},
    ),
  ]);
}
