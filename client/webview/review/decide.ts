/** What a person says of rows: recorded by the server, while the panel goes on to the next row at once. */
import { messageOf } from "../shared/errors.ts";
import { ask, host } from "./ask.ts";
import { decidable, draw, keep, pages, panel, say } from "./panel.ts";
import { choosePlace, load, loaded, type Place, select, whileSending } from "./queue.ts";
import { asked } from "./state.ts";

type Decision = { kind: "confirmed" | "corrected" | "none" | "skipped"; label?: string };

/** Where decided rows were, newest last: undo brings one back to its place. */
const trail: Place[] = [];
export const forgetTrail = (): void => {
  trail.length = 0;
};

const model = () => {
  const { model } = asked(panel.state);
  return model ? { model } : {};
};

export function confirm(): void {
  const shown = decidable();
  if (!shown) return;
  const { predicted } = shown.item;
  if (shown.item.blind) say("This row is judged without the prediction: choose a label by number or with /.");
  else if (predicted === null) say("There is no prediction to confirm: search for a label with /.");
  else chooseLabel(predicted);
}

export function choose(number: number): void {
  const label = decidable()?.choices[number - 1]?.label;
  if (label !== undefined) chooseLabel(label);
}

export function chooseLabel(label: string): void {
  const shown = decidable();
  if (!shown) return;
  const confirmed = label === shown.item.predicted && !shown.item.blind;
  const words = shown.item.blind ? "Judged" : confirmed ? "Confirmed" : "Corrected to";
  decide({ kind: confirmed ? "confirmed" : "corrected", label }, `${words} ${label}`);
}

export const none = (): void => decide({ kind: "none" }, "None of these labels");
export const skip = (): void => decide({ kind: "skipped" }, "Skipped");

/** Records a decision on the row on screen; a row that nobody has seen yet is never decided. The list goes on at once. */
function decide(decision: Decision, words: string): void {
  const shown = decidable();
  if (!shown || panel.project === null) return;
  const { item } = shown;
  const { index } = panel.state;
  const note = panel.state.note.trim();
  const params = {
    ...{ project: panel.project, row: item.row, target: item.target, blind: item.blind },
    ...decision,
    ...(note === "" ? {} : { note }),
    ...model(),
  };
  const place: Place = { row: item.row, target: item.target, index };
  trail.push(place);
  pages.remove(index);
  if (decision.kind === "skipped") pages.total++;
  else if (panel.list) panel.list.decided++;
  panel.shown = undefined;
  keep({ note: "", row: null, rowTarget: null });
  void whileSending(async () => {
    select(Math.max(0, Math.min(index, pages.total - 1)));
    say(`${words}. ${pages.total} left.`);
    try {
      await ask("clf/review/decide", params);
    } catch (error) {
      const at = trail.indexOf(place);
      if (at >= 0) trail.splice(at, 1);
      await load(place);
      loaded();
      if (note !== "") keep({ note });
      panel.failure = `Not recorded: ${messageOf(error)}`;
      draw();
    }
  });
}

/** Gives rows that say much the same one label, by one act. */
export function decideTogether(rows: string[], label: string): void {
  const shown = decidable();
  if (!shown || panel.project === null || rows.length === 0) return;
  const { project } = panel;
  const { row, target } = shown.item;
  const { index } = panel.state;
  const note = panel.state.note.trim();
  panel.open = null;
  void whileSending(async () => {
    try {
      const { decisions } = await ask("clf/review/decideTogether", {
        ...{ project, rows, target, label },
        ...(note === "" ? {} : { note }),
        ...model(),
      });
      trail.push({ row, target, index });
      await load({ row: "", target: "", index });
      loaded();
      say(`Confirmed ${label} for ${decisions} rows. ${pages.total} left.`);
    } catch (error) {
      await load();
      loaded();
      panel.failure = `Not recorded: ${messageOf(error)}`;
      draw();
    }
  });
}

export function undo(): void {
  const { project } = panel;
  if (project === null) return;
  void whileSending(async () => {
    try {
      const { undone, rows } = await ask("clf/review/undo", { project });
      if (!undone) return say("There is nothing to undo.");
      const last = trail.findLastIndex(({ row, target }) => row === undone.row && target === undone.target);
      const [place] = last >= 0 ? trail.splice(last, 1) : [];
      await load({ ...undone, index: place?.index ?? panel.state.index });
      loaded();
      const back = pages.at(panel.state.index);
      const here = back?.row === undone.row && back.target === undone.target;
      const where = here ? "The row is on screen again." : "Its row is not in this list (see the filters).";
      say(rows > 1 ? `Taken back for ${rows} rows that were decided together.` : `Taken back. ${where}`);
    } catch (error) {
      panel.failure = messageOf(error);
      draw();
    }
  });
}

/** Only rows that stand between the two labels of this one; again: no longer. */
export function filterByPair(): void {
  if (panel.state.pair !== null) {
    choosePlace({ pair: null });
    say("All pairs of labels.");
    return;
  }
  const shown = decidable();
  if (!shown) return;
  const pair = pairOf(shown.item, shown.choices);
  if (pair === null) say("This row stands between no two labels.");
  else {
    choosePlace({ pair, target: shown.item.target });
    say(`Rows between ${pair[0]} and ${pair[1]}.`);
  }
}

/** As on the server: the label in the data and another that is predicted, else the two likeliest. */
function pairOf(
  { predicted, given, blind }: { predicted: string | null; given: string | null; blind: boolean },
  choices: readonly { label: string; confidence: number | null }[],
): [string, string] | null {
  if (predicted === null || blind) return null;
  const next = choices.find(({ label, confidence }) => label !== predicted && confidence !== null)?.label;
  const other = given !== null && given !== predicted ? given : next;
  return other === undefined ? null : [predicted, other];
}

export function openRow(): void {
  const { shown } = panel;
  if (shown?.detail.place) host.postMessage({ type: "open", place: shown.detail.place });
  else if (shown) say("Where this row stands in its file is not known.");
}
