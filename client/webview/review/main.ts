/**
 * The Flagged panel. The keyboard belongs to VS Code: keys arrive as actions from the extension, so that people can rebind
 * them; only what is typed into a field stays here.
 */
import type { FlaggedItem, RowDetail } from "../../../schemas/protocol.ts";
import type { Answer, FromReview, ReviewAction, ReviewRequest, ReviewState, ToReview } from "../messages.ts";
import { h, replace } from "../shared/dom.ts";
import { connectHost } from "../shared/vscode.ts";
import { type Choice, choicesOf } from "./choices.ts";
import { drawDetail } from "./detail.ts";
import { isTyped } from "./keys.ts";
import { createLabelPicker } from "./labelPicker.ts";
import { createPages, PAGE } from "./pages.ts";
import { createVirtualList } from "./virtualList.ts";

type List = Answer<"clf/flagged/list">;
type Decision = { kind: "confirmed" | "corrected" | "none" | "skipped"; label?: string };
type Place = { row: string; target: string; index: number };

const host = connectHost<FromReview, { project: string | null; state: ReviewState }>();
const START: ReviewState = {
  ...{ target: null, reason: null, label: null, order: null },
  ...{ row: null, rowTarget: null, index: 0 },
};
const ORDERS: Record<NonNullable<ReviewState["order"]>, string> = {
  margin: "smallest margin",
  confidence: "lowest confidence",
  "label-issues": "likeliest label errors",
  random: "random",
  file: "as in the file",
};

let project: string | null = null;
let projects: { uri: string; name: string }[] = [];
let reasonWords: Record<string, string> = {};
let state: ReviewState = START;
let list: List | undefined;
let failure: string | undefined;
/** The row on screen; decisions are about this one and no other. */
let shown: { item: FlaggedItem; detail: RowDetail; choices: Choice[] } | undefined;
/** Decisions on their way to the server. */
let sending = 0;
let stale = false;
/** Counts loads, so that a late answer to an older question is dropped. */
let generation = 0;
const pages = createPages();
const details = new Map<string, Promise<RowDetail | null>>();
/** Where decided rows were, newest last: undo brings one back to its place. */
const trail: Place[] = [];

// ── Asking the extension ────────────────────────────────────────────────────────────────────────────────────────────

const open = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
let questions = 0;

function ask<K extends ReviewRequest>(name: K, params: unknown): Promise<Answer<K>> {
  const id = ++questions;
  host.postMessage({ type: "request", id, name, params });
  return new Promise((resolve, reject) => open.set(id, { resolve: resolve as (result: unknown) => void, reject }));
}

addEventListener("message", ({ data }: MessageEvent<ToReview>) => {
  switch (data.type) {
    case "projects":
      takeProjects(data);
      return;
    case "answer":
      open.get(data.id)?.resolve(data.result);
      open.delete(data.id);
      return;
    case "failure":
      open.get(data.id)?.reject(new Error(data.message));
      open.delete(data.id);
      return;
    case "action":
      act(data.action);
      return;
    case "changed":
      if (data.project !== project) return;
      if (sending > 0) stale = true;
      else void load();
  }
});

function takeProjects(told: Extract<ToReview, { type: "projects" }>): void {
  projects = told.projects;
  reasonWords = told.reasons;
  if (told.project === project && list) {
    drawFilters();
    return;
  }
  project = told.project;
  state = told.state ?? START;
  list = undefined;
  trail.length = 0;
  pages.clear();
  details.clear();
  draw();
  void load();
}

// ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────

function listParams(offset: number): Record<string, unknown> {
  const { target, reason, label, order } = state;
  return {
    project,
    ...(target === null ? {} : { target }),
    ...(reason === null ? {} : { reason }),
    ...(label === null ? {} : { label }),
    ...(order === null ? {} : { order }),
    offset,
    limit: PAGE,
  };
}

/** Decided rows have left the list; skipped ones stand at its end. */
const waitingOf = ({ total, decided }: List): number => total - decided;

/** Asks for the list again and stays on the row that is on screen, or goes to `wanted`. */
async function load(wanted?: { row: string; target: string; index: number }): Promise<void> {
  const mine = ++generation;
  if (project === null) return draw();
  const here = () => ({ row: state.row ?? "", target: state.rowTarget ?? "", index: state.index });
  try {
    let start = Math.floor((wanted ?? here()).index / PAGE) * PAGE;
    let answer = await ask("clf/flagged/list", listParams(start));
    if (start > 0 && start >= waitingOf(answer)) {
      start = Math.floor(Math.max(0, waitingOf(answer) - 1) / PAGE) * PAGE;
      answer = await ask("clf/flagged/list", listParams(start));
    }
    if (mine !== generation) return;
    failure = undefined;
    list = answer;
    pages.clear();
    pages.put(start, answer.items, waitingOf(answer));
    details.clear();
    // A person may have moved on while the list was on its way.
    const goal = wanted ?? here();
    const found = pages.find(goal.row, goal.target);
    const index = found >= 0 ? found : Math.max(0, Math.min(goal.index, waitingOf(answer) - 1));
    // In its old place it stays where it was scrolled to; in a new one it is brought into view.
    select(index, { keep: found >= 0 && found === goal.index });
    const { from, to } = view.inView();
    void loadPages(from, to);
  } catch (error) {
    if (mine !== generation) return;
    failure = messageOf(error);
  }
  draw();
}

async function loadPages(from: number, to: number): Promise<void> {
  // The server's list shifts under a decision that is on its way: asked again once it has arrived.
  if (sending > 0) {
    stale = true;
    return;
  }
  const mine = generation;
  for (const start of pages.missing(from, to)) {
    try {
      const answer = await ask("clf/flagged/list", listParams(start));
      if (mine !== generation || sending > 0) return;
      pages.put(start, answer.items, pages.total);
      drawList();
      if (state.row === null && pages.at(state.index)) select(state.index, { keep: true });
    } catch {
      // Asked again when the rows come into view.
      return;
    }
  }
}

// ── The row ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function detailOf({ row }: FlaggedItem): Promise<RowDetail | null> {
  const found = details.get(row) ?? ask("clf/rows/detail", { project, row });
  details.set(row, found);
  found.catch(() => details.delete(row));
  return found;
}

/** @param keep the row is on screen already: the view does not scroll or flicker */
function select(index: number, { keep = false } = {}): void {
  const item = pages.at(index);
  state = { ...state, index, row: item?.row ?? null, rowTarget: item?.target ?? null };
  remember();
  drawList();
  if (!keep) view.show(index);
  if (!item) {
    shown = undefined;
    drawRow();
    if (index < pages.total) void loadPages(index, index);
    return;
  }
  if (!isShown(item)) {
    closePicker();
    detailBox.setAttribute("aria-busy", "true");
  }
  void showRow(item);
}

async function showRow(item: FlaggedItem): Promise<void> {
  const still = () => state.row === item.row && state.rowTarget === item.target;
  if (shown && !still()) shown = undefined;
  try {
    const detail = await detailOf(item);
    if (!still()) return;
    if (detail === null) {
      shown = undefined;
      sayInRow("This row is no longer in the data.");
      return;
    }
    const next = pages.at(state.index + 1);
    if (next) detailOf(next).catch(() => {});
    // A list that was asked for again shows the same row: the text stays where it was scrolled to.
    if (shown && JSON.stringify(shown.detail) === JSON.stringify(detail)) {
      shown.item = item;
      return;
    }
    const labels = labelsOf(item.target);
    const seen = detail.targets.find(({ target }) => target === item.target);
    shown = { item, detail, choices: choicesOf(item, seen, labels) };
    drawRow();
    if (shown.choices[0]?.confidence != null) void explain(item);
  } catch (error) {
    if (still()) sayInRow(messageOf(error));
  }
}

function sayInRow(words: string): void {
  detailBox.removeAttribute("aria-busy");
  replace(detailBox, h("p", { class: "error" }, words));
}

/** The words that mattered, once a person stays on a row. */
async function explain(item: FlaggedItem): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 120));
  if (!isShown(item)) return;
  try {
    const explanation = await ask("clf/rows/explain", { project, row: item.row, target: item.target });
    if (explanation && isShown(item)) drawRow(explanation);
  } catch {
    // An extra: the row stands without it.
  }
}

const isShown = ({ row, target }: FlaggedItem): boolean =>
  shown !== undefined && shown.item.row === row && shown.item.target === target;

const labelsOf = (target: string): string[] => list?.targets.find(({ name }) => name === target)?.labels ?? [];

// ── Actions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const DO: Record<Exclude<ReviewAction["do"], "choose">, () => unknown> = {
  next: () => move(1),
  previous: () => move(-1),
  confirm,
  none: () => decide({ kind: "none" }, "None of these labels"),
  skip: () => decide({ kind: "skipped" }, "Skipped"),
  undo,
  search: openPicker,
  open: openRow,
  refresh: () => load(),
};

function act(action: ReviewAction): void {
  if (action.do === "choose") choose(action.number);
  else DO[action.do]();
}

function openRow(): void {
  if (shown?.detail.place) host.postMessage({ type: "open", place: shown.detail.place });
  else if (shown) say("Where this row stands in its file is not known.");
}

function move(step: number): void {
  const index = Math.max(0, Math.min(pages.total - 1, state.index + step));
  if (pages.total > 0 && index !== state.index) select(index);
}

function confirm(): void {
  if (!shown) return;
  const label = shown.item.predicted ?? shown.choices[0]?.label;
  if (shown.item.blind) say("This row is judged without the prediction: choose a label by number or with /.");
  else if (label === undefined) say("There is no prediction to confirm: search for a label with /.");
  else decide({ kind: "confirmed", label }, `Confirmed ${label}`);
}

function choose(number: number): void {
  const label = shown?.choices[number - 1]?.label;
  if (label !== undefined) chooseLabel(label);
}

function chooseLabel(label: string): void {
  if (!shown) return;
  const kind = label === shown.item.predicted ? "confirmed" : "corrected";
  const words = shown.item.blind ? "Judged" : kind === "confirmed" ? "Confirmed" : "Corrected to";
  decide({ kind, label }, `${words} ${label}`);
}

/** Records a decision on the row on screen; a row that nobody has seen yet is never decided. The list goes on at once. */
function decide(decision: Decision, words: string): void {
  if (!shown || shown.item.row !== state.row || shown.item.target !== state.rowTarget) return;
  const { item } = shown;
  const { index } = state;
  const place: Place = { row: item.row, target: item.target, index };
  closePicker();
  trail.push(place);
  pages.remove(index);
  if (decision.kind === "skipped") pages.total++;
  else if (list) list.decided++;
  shown = undefined;
  sending++;
  // A list that is on its way knows nothing of this decision: it would bring the row back, and take the next one off the screen.
  generation++;
  stale = true;
  select(Math.max(0, Math.min(index, pages.total - 1)));
  draw();
  say(`${words}. ${pages.total} left.`);
  ask("clf/review/decide", { project, row: item.row, target: item.target, ...decision, blind: item.blind })
    .catch((error: unknown) => {
      const at = trail.indexOf(place);
      if (at >= 0) trail.splice(at, 1);
      stale = true;
      failure = `Not recorded: ${messageOf(error)}`;
      return load(place).then(() => {
        failure = `Not recorded: ${messageOf(error)}`;
        draw();
      });
    })
    .finally(settle);
}

/** The server's own view of the list, once no decision is on its way. */
function settle(): void {
  sending--;
  if (sending > 0 || !stale) return;
  stale = false;
  void load();
}

async function undo(): Promise<void> {
  if (project === null) return;
  sending++;
  try {
    const { undone } = await ask("clf/review/undo", { project });
    if (!undone) return say("There is nothing to undo.");
    const last = trail.findLastIndex(({ row, target }) => row === undone.row && target === undone.target);
    const [place] = last >= 0 ? trail.splice(last, 1) : [];
    stale = false;
    await load({ ...undone, index: place?.index ?? state.index });
    const back = pages.at(state.index);
    const here = back?.row === undone.row && back.target === undone.target;
    say(
      here ? "Taken back. The row is on screen again." : "Taken back. Its row is not in this list (see the filters).",
    );
  } catch (error) {
    failure = messageOf(error);
    draw();
  } finally {
    settle();
  }
}

// ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const filters = h("div", { class: "filters", role: "toolbar", "aria-label": "Filters and order" });
const detailBox = h("section", { class: "detail", "aria-label": "Row", tabindex: 0 });
const pickerBox = h("div");
const live = h("div", { class: "hidden", role: "status", "aria-live": "polite" });
const note = h("div", { class: "error", role: "alert" });
/** What the rows that were judged blind say so far. */
const soFar = h("div", { class: "notes soft" });
let picker: ReturnType<typeof createLabelPicker> | undefined;

const view = createVirtualList({
  label: "Flagged rows",
  render(index) {
    const item = pages.at(index);
    if (!item) return [h("span", { class: "text soft" }, "…")];
    const { blind } = item;
    return [
      h("span", { class: "text" }, item.text || "(empty)"),
      h("span", { class: "says soft" }, blind ? "judge unseen" : (item.predicted ?? "no answer")),
      h("span", { class: "share soft" }, blind || item.predicted === null ? "" : decimal(item.confidence)),
    ];
  },
  onScroll: (from, to) => void loadPages(from, to),
  onPick: (index) => select(index),
});

const key = (name: string, words: string, action: ReviewAction) =>
  h("button", { type: "button", click: () => act(action) }, h("kbd", {}, name), ` ${words}`);
const actions = h(
  "div",
  { class: "actions", role: "toolbar", "aria-label": "Decide" },
  key("⏎", "confirm", { do: "confirm" }),
  h("span", { class: "soft" }, h("kbd", {}, "1–9"), " choose"),
  key("/", "search", { do: "search" }),
  key("n", "none", { do: "none" }),
  key("s", "skip", { do: "skip" }),
  key("⌫", "undo", { do: "undo" }),
  key("o", "open", { do: "open" }),
);
const root = document.getElementById("root")!;

function draw(): void {
  drawFilters();
  replace(note, list ? failure : null);
  replace(soFar, ...(list?.notes ?? []).map((words) => h("p", {}, words)));
  const nothing = emptyWords();
  if (nothing) {
    shown = undefined;
    replace(root, ...(list ? [filters] : []), soFar, note, nothing, live);
    return;
  }
  if (!view.element.isConnected) replace(root, filters, soFar, note, view.element, detailBox, pickerBox, actions, live);
  drawList();
}

function emptyWords(): HTMLElement | undefined {
  const run = (command: Extract<FromReview, { type: "run" }>["command"], words: string) =>
    h("button", { type: "button", click: () => host.postMessage({ type: "run", command, project }) }, words);
  if (project === null) {
    return h(
      "div",
      { class: "empty" },
      "No project in this workspace yet.",
      run("clf.newProject", "New Project from Data…"),
    );
  }
  if (!list && failure) {
    const problems = run("workbench.actions.view.problems", "Show Problems");
    return h("div", { class: "empty" }, h("div", { class: "error", role: "alert" }, failure), problems);
  }
  if (!list) return h("div", { class: "empty soft" }, "Loading…");
  if (pages.total > 0) return undefined;
  const filtered = state.target !== null || state.reason !== null || state.label !== null;
  if (list.empty === null && filtered) {
    const clear = h(
      "button",
      { type: "button", click: () => choosePlace({ target: null, reason: null, label: null }) },
      "Clear Filters",
    );
    return h("div", { class: "empty" }, "No flagged row fits these filters.", clear);
  }
  const words =
    list.empty ?? "Every flagged row has been decided. Fine-tune again: the decisions are new training data.";
  return h(
    "div",
    { class: "empty" },
    words,
    list.model === null || list.job === null
      ? run("clf.evaluate", "Evaluate a Model")
      : run("clf.predict", "Predict Rows"),
  );
}

function drawFilters(): void {
  const target = state.target ?? (list?.targets.length === 1 ? list.targets[0]!.name : null);
  const labels = target === null ? [] : labelsOf(target);
  const reasons = Object.entries(list?.reasons ?? {});
  replace(
    filters,
    projects.length > 1 &&
      dropdown(
        "Project",
        projects.map(({ uri, name }) => [uri, name]),
        project ?? "",
        (uri) => host.postMessage({ type: "project", project: uri }),
      ),
    (list?.targets.length ?? 0) > 1 &&
      dropdown(
        "Target",
        [["", "all targets"], ...list!.targets.map(({ name }): [string, string] => [name, name])],
        state.target ?? "",
        (name) => choosePlace({ target: name || null, label: null }),
      ),
    reasons.length > 0 &&
      dropdown(
        "Reason",
        [
          ["", "any reason"],
          ...reasons.map(([name, n]): [string, string] => [name, `${reasonWords[name] ?? name} (${n})`]),
        ],
        state.reason ?? "",
        (name) => choosePlace({ reason: name || null }),
      ),
    labels.length > 0 &&
      dropdown(
        "Predicted label",
        [["", "any label"], ...labels.map((name): [string, string] => [name, name])],
        state.label ?? "",
        (name) => choosePlace({ label: name || null }),
      ),
    (list?.total ?? 0) > 0 &&
      dropdown("Order", [["", "project's order"], ...Object.entries(ORDERS)], state.order ?? "", (order) =>
        choosePlace({ order: (order || null) as ReviewState["order"] }),
      ),
    h("span", { class: "count", title: `${list?.decided ?? 0} decided` }, placeWords()),
  );
}

/** A drop-down that keeps the focus when the filters are drawn again. */
function dropdown(
  label: string,
  options: [string, string][],
  value: string,
  change: (value: string) => void,
): HTMLSelectElement {
  const made = h(
    "select",
    { "aria-label": label, title: label, change: () => change(made.value) },
    ...options.map(([id, words]) => h("option", { value: id, selected: id === value }, words)),
  );
  const old = document.activeElement;
  if (old instanceof HTMLSelectElement && old.getAttribute("aria-label") === label) queueMicrotask(() => made.focus());
  return made;
}

function choosePlace(change: Partial<ReviewState>): void {
  state = { ...state, ...change, row: null, rowTarget: null, index: 0 };
  remember();
  pages.clear();
  void load().then(() => view.show(0));
}

/** "37 of 412": rows decided count as behind us. */
function placeWords(): string {
  if (!list || pages.total === 0) return "";
  return `${(list.decided + state.index + 1).toLocaleString("en")} of ${list.total.toLocaleString("en")}`;
}

function drawList(): void {
  view.draw(pages.total, state.index);
  const count = filters.querySelector(".count");
  if (count) count.textContent = placeWords();
}

function drawRow(explanation: Answer<"clf/rows/explain"> = null): void {
  detailBox.removeAttribute("aria-busy");
  if (!shown) {
    replace(detailBox);
    return;
  }
  const several = (list?.targets.length ?? 0) > 1;
  const { item, detail, choices } = shown;
  const place = detailBox.scrollTop;
  replace(detailBox, ...drawDetail({ item, detail, choices, explanation, reasons: reasonWords, several, choose }));
  detailBox.scrollTop = explanation ? place : 0;
}

function openPicker(): void {
  if (!shown || picker) {
    picker?.focus();
    return;
  }
  picker = createLabelPicker(labelsOf(shown.item.target), {
    pick: (label) => {
      closePicker();
      chooseLabel(label);
    },
    close: closePicker,
  });
  replace(pickerBox, picker.element);
  picker.focus();
}

function closePicker(): void {
  if (!picker) return;
  const had = picker.element.contains(document.activeElement);
  picker.element.remove();
  picker = undefined;
  if (had) view.element.focus();
}

function say(words: string): void {
  live.textContent = words;
}

let saving: ReturnType<typeof setTimeout> | undefined;
function remember(): void {
  host.setState({ project, state });
  clearTimeout(saving);
  saving = setTimeout(() => {
    if (project !== null) host.postMessage({ type: "state", project, state });
  }, 150);
}

const decimal = (confidence: number): string => (confidence > 0.99 ? ">.99" : confidence.toFixed(2).replace(/^0/, ""));
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// ── Focus and keys ──────────────────────────────────────────────────────────────────────────────────────────────────

const isField = (element: Element | null) =>
  element instanceof HTMLInputElement || element instanceof HTMLSelectElement;
/** When `clf.…` keybindings apply: the panel has the keyboard, and no field of it takes text. */
function tellFocus(): void {
  host.postMessage({ type: "focus", focused: document.hasFocus(), typing: isField(document.activeElement) });
}
for (const event of ["focus", "blur", "focusin", "focusout"]) addEventListener(event, tellFocus);

// On the document: VS Code listens on the window, one step further up.
document.addEventListener("keydown", (event) => {
  const element = document.activeElement;
  // A focused button or drop-down takes the keys that work it; VS Code must not take them for a decision as well.
  const pressed = element instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ");
  if (pressed || (element instanceof HTMLSelectElement && isTyped(event))) event.stopPropagation();
  // Arrows move through rows; they do not scroll the list as well.
  if (element === view.element && (event.key === "ArrowDown" || event.key === "ArrowUp")) event.preventDefault();
});

const kept = host.getState();
if (kept) state = kept.state;
draw();
tellFocus();
host.postMessage({ type: "ready" });
