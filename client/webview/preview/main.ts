/**
 * The data preview: a table of any length, fetched where a person looks, with filters, plots and one row in detail. Cells are
 * only ever text: nothing here makes HTML of them.
 */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";
import { html, nothing, render, type TemplateResult } from "lit";
import type {
  PreviewColumn,
  PreviewDetail,
  PreviewFilter,
  PreviewPage,
  PreviewProfile,
} from "../../../schemas/preview.ts";
import { messageOf } from "../shared/errors.ts";
import { whole } from "../shared/numbers.ts";
import { ask, host, take } from "./ask.ts";
import { drawDetail } from "./detail.ts";
import { drawFilters } from "./filters.ts";
import { drawHead, drawRows, type GridParts, inView, ROW, scale, widths } from "./grid.ts";
import type { ToPreview } from "./messages.ts";
import { createPages, PAGE } from "./pages.ts";
import { colourOf, labelPlot, lengthPlot } from "./plots.ts";
import { isFiltered, NO_FILTER, type PreviewState, rangeIn, START, toggleValue, withRange } from "./state.ts";

const root = document.getElementById("root")!;
/** Characters of a cell that are copied; no cell of a sane table is longer. */
const LONGEST_COPY = 4_000_000;
/** Milliseconds after the last key of a search before it is made. */
const TYPING = 200;
/** Milliseconds between two profiles while the file is read. */
const PROFILE_EVERY = 1200;

let file = { name: "", trusted: false };
let state: PreviewState = { ...START, ...host.getState() };
/** The newest page, for all but its rows. */
let page: PreviewPage | undefined;
let profile: PreviewProfile | null = null;
let detail: PreviewDetail | null = null;
let failure: string | null = null;
/** What the last decision came to. */
let said: string | null = null;
/** What was just copied. */
let note: string | null = null;
let ranged: string | null = null;
let generation = 0;
/** Where to scroll once the first rows are there. */
let restore: number | null = state.row === null ? null : state.top;

const element = <E extends HTMLElement>(id: string): E | null => document.getElementById(id) as E | null;

function save(change: Partial<PreviewState>): void {
  state = { ...state, ...change };
  host.setState(state);
  // A window that is reloaded does not always keep what its webviews said last: the extension does.
  clearTimeout(keeping);
  keeping = setTimeout(() => host.postMessage({ type: "state", state }), 100);
}
let keeping: ReturnType<typeof setTimeout> | undefined;

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const view = () => ({ whole: state.whole, filter: state.filter, sort: state.sort });
const pages = createPages(
  (offset) => ask("clf/preview/page", { ...view(), offset, limit: PAGE }),
  (answer) => {
    page = answer;
    if (state.row === null || pages.row(state.index) !== undefined) followRow();
    draw();
  },
);

/** What is said of a row follows the active cell. */
function followRow(): void {
  if (restore !== null && !page?.complete) return;
  const row = pages.row(state.index)?.row ?? null;
  if (row === state.row && (detail?.row === row || !state.detail)) return;
  save({ row });
  void loadDetail();
}

/**
 * Asks again for what is on screen, and stays on the active row where it still passes.
 * @returns whether it does
 */
async function load(): Promise<boolean> {
  const mine = ++generation;
  pages.stale();
  try {
    const { index: before, row: asked } = state;
    const offset = Math.floor(before / PAGE) * PAGE;
    const wanted = { offset, limit: PAGE, ...(state.row === null ? {} : { find: state.row }) };
    let answer = await ask("clf/preview/page", { ...view(), ...wanted });
    if (mine !== generation) return false;
    if (prune(answer)) {
      answer = await ask("clf/preview/page", { ...view(), ...wanted });
      if (mine !== generation) return false;
    }
    failure = null;
    page = answer;
    pages.put(offset, answer.rows);
    // While not all has been read, the place of last time may be still to come.
    const settled = answer.complete;
    // Nor is anybody taken back who has walked on meanwhile.
    const stayed = state.index === before && state.row === asked;
    const index = (stayed ? answer.found : null) ?? Math.max(0, Math.min(state.index, answer.total - 1));
    const moved = settled && index !== state.index;
    if (settled || restore === null) save({ index });
    if (pages.row(index) !== undefined) followRow();
    draw();
    // Who opens a table wants to walk in it.
    if (document.activeElement === document.body) element("grid")?.focus();
    if (restore !== null && settled) {
      scrollTo(restore);
      restore = null;
    } else if (moved) show(index);
    needRows();
    void loadProfile(mine);
    if (state.detail) void loadDetail();
    return answer.found !== null;
  } catch (error) {
    if (mine !== generation) return false;
    failure = messageOf(error);
    draw();
    return false;
  }
}

/** Filters of columns that are not there any more are given up. @returns whether there were any */
function prune({ mode, columns }: PreviewPage): boolean {
  // The first rows of a file are shown before its project's own columns are known.
  if (mode === "head") return false;
  const known = (key: string | null) => key === null || columns.some((column) => column.key === key);
  const { filter, sort } = state;
  const values = filter.values.filter(({ column }) => known(column));
  const ranges = filter.ranges.filter(({ column }) => known(column));
  const lost =
    values.length < filter.values.length ||
    ranges.length < filter.ranges.length ||
    !known(filter.column) ||
    (sort !== null && !known(sort.column));
  save({
    filter: { ...filter, values, ranges, column: known(filter.column) ? filter.column : null },
    sort: sort && known(sort.column) ? sort : null,
    label: known(state.label) ? state.label : null,
    text: known(state.text) ? state.text : null,
  });
  return lost;
}

let profiled = 0;
let profileTimer: ReturnType<typeof setTimeout> | undefined;
async function loadProfile(mine: number): Promise<void> {
  clearTimeout(profileTimer);
  const wait = page?.complete ? 0 : PROFILE_EVERY - (performance.now() - profiled);
  if (wait > 0) {
    profileTimer = setTimeout(() => void loadProfile(generation), wait);
    return;
  }
  profiled = performance.now();
  try {
    const { label, text } = state;
    const answer = await ask("clf/preview/profile", { whole: state.whole, filter: state.filter, label, text });
    if (mine !== generation) return;
    profile = answer;
    draw();
    drawPlots();
  } catch {
    // The page's own question says what is wrong.
  }
}

async function loadDetail(): Promise<void> {
  const { row } = state;
  if (!state.detail || row === null) {
    detail = null;
    draw();
    return;
  }
  try {
    const answer = await ask("clf/preview/row", { whole: state.whole, row });
    if (row !== state.row) return;
    detail = answer;
  } catch (error) {
    said = messageOf(error);
  }
  draw();
}

// ── Moving ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const scroller = () => element("grid");

function scrollTo(row: number): void {
  const box = scroller();
  const { rowsAPixel } = scale(page?.total ?? 0);
  if (box && rowsAPixel > 0) box.scrollTop = row / rowsAPixel;
}

/** Scrolls as little as it takes to have a row in view, and the active column with it. */
function show(index: number): void {
  const box = scroller();
  if (!box || !page) return;
  const { first } = inView(box, page.total);
  const room = Math.max(1, Math.floor((box.clientHeight - headHeight()) / ROW));
  if (index < first) scrollTo(index);
  else if (index + 1 > first + room) scrollTo(index + 1 - room);
  drawTable();
  element(`cell-${index}-${activeColumn()}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

const headHeight = (): number => scroller()?.querySelector<HTMLElement>(".head")?.offsetHeight ?? ROW;

function activeColumn(): number {
  const place = page?.columns.findIndex(({ key }) => key === state.column) ?? -1;
  return Math.max(0, place);
}

function select(index: number, column = activeColumn()): void {
  if (!page || page.total === 0) return;
  restore = null;
  const to = Math.max(0, Math.min(index, page.total - 1));
  said = null;
  note = null;
  const row = pages.row(to)?.row ?? null;
  save({ index: to, column: page.columns[column]?.key ?? null, ...(row === null ? {} : { row }) });
  show(to);
  draw();
  needRows();
  if (row !== null) void loadDetail();
  else save({ row: null });
}

function needRows(): void {
  const box = scroller();
  if (!box || !page) return;
  const { from, to, first } = inView(box, page.total);
  if (restore === null) save({ top: first });
  pages.need(from, Math.max(from, to));
}

function change(next: Partial<Pick<PreviewState, "filter" | "sort" | "whole">>): void {
  save(next);
  draw();
  void load();
}
let typing: ReturnType<typeof setTimeout> | undefined;
function changeFilter(filter: PreviewFilter): void {
  const typed = filter.text !== state.filter.text;
  clearTimeout(typing);
  if (typed) {
    save({ filter });
    typing = setTimeout(() => change({ filter }), TYPING);
  } else change({ filter });
}

/** None, up, down; for prose also longest first. */
function sortBy({ key, type, role }: PreviewColumn): void {
  const { sort } = state;
  const prose = type === "text" && role !== "id";
  if (sort?.column !== key) change({ sort: { column: key, by: "value", descending: false } });
  else if (sort.by === "value" && !sort.descending) change({ sort: { ...sort, descending: true } });
  else if (sort.by === "value" && prose) change({ sort: { column: key, by: "length", descending: true } });
  else change({ sort: null });
}

/** Only rows with the active cell's value; again: no longer. */
function filterByCell(): void {
  const column = page?.columns[activeColumn()];
  const value = pages.row(state.index)?.cells[activeColumn()];
  if (!column || value === undefined) return;
  const few = profile?.columns.find(({ key }) => key === column.key)?.distinct !== null && column.type !== "text";
  if (few && column.role !== "confidence") changeFilter(toggleValue(state.filter, column.key, value));
}

/** @param goal what is to have the keyboard once the row is there */
async function setDetail(open: boolean, goal = "#detail"): Promise<void> {
  save({ detail: open });
  await loadDetail();
  root.querySelector<HTMLElement>(open ? goal : "#grid")?.focus();
  show(state.index);
}

// ── Acting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function openSource(): Promise<void> {
  if (state.row === null) return;
  const known =
    detail?.row === state.row ? detail : await ask("clf/preview/row", { whole: state.whole, row: state.row });
  if (known?.place) host.postMessage({ type: "open", place: known.place });
}

/** The whole cell or row, however little of it is on screen. */
async function copy(only?: string): Promise<void> {
  if (state.row === null) return;
  const full = await ask("clf/preview/row", { whole: state.whole, row: state.row, longest: LONGEST_COPY });
  if (!full) return;
  const cells = full.cells.map(({ column, text }) => [nameOf(column), text]);
  const one = full.cells.find(({ column }) => column === only);
  const shown = pages.row(state.index)?.cells[activeColumn()] ?? "";
  const text = only === undefined ? JSON.stringify(Object.fromEntries(cells), null, 2) : (one?.text ?? shown);
  note = only === undefined ? "Row copied, as JSON." : "Cell copied.";
  host.postMessage({ type: "copy", text });
  draw();
}
const nameOf = (key: string) => page?.columns.find((column) => column.key === key)?.name ?? key;

async function decide(target: string, kind: "corrected" | "none", label?: string): Promise<void> {
  // The row on screen may be left behind already.
  if (!page?.project || detail?.id == null || detail.row !== state.row) return;
  try {
    await ask("clf/review/decide", {
      project: page.project.uri,
      row: detail.id,
      target,
      kind,
      ...(label === undefined ? {} : { label }),
    });
    said = "Recorded as a decision.";
    await load();
  } catch (error) {
    said = messageOf(error);
  }
  draw();
}

async function undo(): Promise<void> {
  if (!page?.project) return;
  try {
    const { undone } = await ask("clf/review/undo", { project: page.project.uri });
    said = null;
    note = undone ? "Your last decision was taken back." : "There is no decision of yours to take back.";
    await load();
  } catch (error) {
    said = messageOf(error);
  }
  draw();
}

// ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Keys of the table. Those with a modifier are VS Code's, but for the ways to the ends. */
function onKey(event: KeyboardEvent): void {
  if (event.altKey || event.metaKey || !page) return;
  const box = scroller();
  const room = box ? Math.max(1, Math.floor((box.clientHeight - headHeight()) / ROW) - 1) : 1;
  const column = activeColumn();
  const last = page.columns.length - 1;
  const { index } = state;
  const moves: Record<string, () => void> = event.ctrlKey
    ? { Home: () => select(0, 0), End: () => select(page!.total - 1, last) }
    : {
        ArrowDown: () => select(index + 1),
        ArrowUp: () => select(index - 1),
        ArrowRight: () => select(index, Math.min(last, column + 1)),
        ArrowLeft: () => select(index, Math.max(0, column - 1)),
        PageDown: () => select(index + room),
        PageUp: () => select(index - room),
        Home: () => select(index, 0),
        End: () => select(index, last),
        Enter: () => void setDetail(true),
        " ": () => void setDetail(!state.detail),
        Escape: () => void (state.detail && setDetail(false)),
        "/": () => element("search")?.focus(),
        g: () => element("jump")?.focus(),
        s: () => page!.columns[column] && sortBy(page!.columns[column]),
        f: filterByCell,
        o: () => void openSource(),
        e: () => void setDetail(true, "#detail select"),
      };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  move();
}

document.addEventListener("copy", (event) => {
  if (document.activeElement?.id !== "grid" || !getSelection()?.isCollapsed) return;
  event.preventDefault();
  void copy(page?.columns[activeColumn()]?.key ?? "");
});

// ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function gridParts(): GridParts {
  const box = scroller();
  const total = page?.total ?? 0;
  const { from, to } = box ? inView(box, total) : { from: 0, to: Math.min(total - 1, 40) };
  return {
    columns: page?.columns ?? [],
    total,
    sort: state.sort,
    index: state.index,
    column: activeColumn(),
    from,
    to,
    row: (index) => pages.row(index),
    pick: (index, column) => {
      select(index, column);
      element("grid")?.focus();
    },
    open: () => void setDetail(true),
    sortBy,
  };
}

let pendingScroll = false;
function onScroll(): void {
  if (pendingScroll) return;
  pendingScroll = true;
  requestAnimationFrame(() => {
    pendingScroll = false;
    drawTable();
    needRows();
  });
}

/** The rows alone, where nothing else has changed. */
function drawTable(): void {
  const rows = element("rows");
  const box = scroller();
  if (!rows || !box || !page) return;
  const parts = gridParts();
  render(drawRows(parts), rows);
  place(box, rows, parts);
}

function place(box: HTMLElement, rows: HTMLElement, { columns, total, from }: GridParts): void {
  const { height } = scale(total);
  const { first } = inView(box, total);
  element("space")!.style.height = `${height}px`;
  // Rows that are taller together than the space are drawn where the scroll bar stands.
  rows.style.transform = `translateY(${box.scrollTop - (first - from) * ROW}px)`;
  const sample = Array.from({ length: 30 }, (_, i) => pages.row(i)).filter((row) => row !== undefined);
  // Widths stay while a person scrolls; they follow other columns, and the first rows.
  const about = `${columns.map(({ key, type }) => key + type).join()} ${sample.length > 0} ${box.clientWidth}`;
  if (about !== measured.about) measured = { about, widths: widths(columns, sample, box.clientWidth) };
  element("grid")!.style.setProperty("--columns", measured.widths);
}
let measured = { about: "", widths: "" };

function statusWords(): string {
  if (!page) return "Reading…";
  const { total, of, complete, read, mode } = page;
  const rows = total === of ? `${whole(of)} rows` : `${whole(total)} of ${whole(of)} rows`;
  if (mode === "head") return `The first ${whole(of)} rows, while the project is being read…`;
  return complete ? rows : `${rows} so far, ${Math.floor(100 * read)} % of the file read…`;
}

function draw(): void {
  render(drawAll(), root);
  drawTable();
}

function drawAll(): TemplateResult {
  return html`
    <div class=${state.detail ? "preview with-detail" : "preview"}>
      <header>
        ${drawFilters({
          filter: state.filter,
          columns: page?.columns ?? [],
          profile,
          ranged,
          change: changeFilter,
          chooseRanged: (key) => {
            ranged = key;
            draw();
          },
        })}
        <div class="tools">
          ${
            page?.project
              ? html`<label class="check"><input type="checkbox" .checked=${state.whole} @change=${(event: Event) => {
                  profile = null;
                  change({
                    whole: (event.target as HTMLInputElement).checked,
                    filter: { ...NO_FILTER, text: state.filter.text },
                    sort: null,
                  });
                }} /> all columns, as in the file</label>`
              : nothing
          }
          <label class="check"><input type="checkbox" .checked=${state.plots} @change=${(event: Event) => {
            save({ plots: (event.target as HTMLInputElement).checked });
            draw();
            drawPlots();
          }} /> plots</label>
          <label class="jump">go to row <input id="jump" type="number" min="1" @keydown=${jump} /></label>
        </div>
      </header>
      ${drawProblems()} ${state.plots ? drawPlotPlaces() : nothing}
      <div class="body">
        ${drawMain()}
        ${
          state.detail
            ? html`<aside id="detail" tabindex="-1" aria-label="Row in detail" @keydown=${(event: KeyboardEvent) => {
                if (event.key === "Escape") void setDetail(false);
              }}>
                ${
                  detail && page
                    ? drawDetail({
                        detail,
                        columns: page.columns,
                        project: page.project,
                        trusted: file.trusted,
                        said,
                        actions: {
                          close: () => void setDetail(false),
                          open: () => void openSource(),
                          copyRow: () => void copy(),
                          goTo: (row) => void goTo(row),
                          decide: (target, kind, label) => void decide(target, kind, label),
                          undo: () => void undo(),
                        },
                      })
                    : html`<p class="soft">${page?.total === 0 ? "No row." : "Loading…"}</p>`
                }
              </aside>`
            : nothing
        }
      </div>
      <footer>
        <span role="status">${statusWords()}${note === null ? "" : ` · ${note}`}</span>
        <span class="soft keys" aria-hidden="true">↑↓←→ move · Enter detail · / search · g go to row · s sort · f filter by value · o source · e label</span>
      </footer>
    </div>
  `;
}

/** A row of the file; where it does not pass the filters, they go. */
async function goTo(row: number): Promise<void> {
  save({ row });
  if (!(await load()) && isFiltered(state.filter)) {
    save({ row, filter: NO_FILTER });
    await load();
  }
  show(state.index);
}

function jump(event: KeyboardEvent): void {
  const input = event.target as HTMLInputElement;
  if (event.key === "Escape") element("grid")?.focus();
  if (event.key !== "Enter") return;
  const row = Math.round(Number(input.value));
  input.value = "";
  if (!Number.isFinite(row) || row < 1) return;
  select(row - 1);
  element("grid")?.focus();
}

function drawProblems(): TemplateResult | typeof nothing {
  const problems = page?.problems ?? [];
  if (problems.length === 0) return nothing;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const what =
    errors > 0
      ? `${errors} ${errors === 1 ? "error" : "errors"} in this file`
      : `${problems.length} ${problems.length === 1 ? "warning" : "warnings"}`;
  return html`<details class="problems">
    <summary class=${errors > 0 ? "error" : ""}>${what}: ${problems[0]!.message}</summary>
    <ul>${problems.map(({ message, line }) => html`<li>${line === null ? "" : `Line ${whole(line + 1)}: `}${message}</li>`)}</ul>
  </details>`;
}

function drawMain(): TemplateResult {
  if (failure !== null) {
    return html`<div class="empty" role="alert"><p>${failure}</p><vscode-button @click=${() => void load()}>Try Again</vscode-button></div>`;
  }
  if (page && page.total === 0 && page.complete) {
    return page.of === 0
      ? html`<div class="empty"><p>${file.name} has no rows. A table has the names of its columns in the first line, and a row in each line after it.</p></div>`
      : html`<div class="empty"><p>No row passes the filters.</p><vscode-button @click=${() => changeFilter(NO_FILTER)}>Clear Filters</vscode-button></div>`;
  }
  const { columns, total, index } = gridParts();
  return html`
    <div class="grid">
    <div
      id="grid"
      role="grid"
      tabindex="0"
      aria-label=${`Rows of ${file.name}`}
      aria-rowcount=${page?.complete ? total + 1 : -1}
      aria-colcount=${columns.length + 1}
      aria-activedescendant=${`cell-${index}-${activeColumn()}`}
      aria-busy=${page ? "false" : "true"}
      @keydown=${onKey}
      @scroll=${onScroll}
    >
      ${drawHead(gridParts())}
      <div id="space" role="presentation"><div id="rows" role="rowgroup"></div></div>
    </div>
    </div>
  `;
}

// ── Plots ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function drawPlotPlaces(): TemplateResult {
  const labels = (profile?.columns ?? []).filter(({ values, role }) => values.length > 1 && role !== "split");
  const texts = (profile?.columns ?? []).filter(
    ({ type, role }) => type === "text" || role === "input" || type === "label",
  );
  const choose = (what: "label" | "text") => (event: Event) => {
    save({ [what]: (event.target as HTMLSelectElement).value });
    void loadProfile(generation);
  };
  const splits = profile && profile.splits.length > 1 ? profile.splits : [];
  return html`<section class="plots" aria-label="Plots: choose a bar to filter">
    <figure>
      <figcaption>
        rows by
        <select aria-label="Column of the first plot" @change=${choose("label")}>
          ${labels.map(({ key, name }) => html`<option value=${key} ?selected=${key === profile?.labels?.column}>${name}</option>`)}
        </select>
        ${profile?.labels && profile.labels.others.values > 0 ? html`<span class="soft">and ${whole(profile.labels.others.values)} more with ${whole(profile.labels.others.rows)} rows</span>` : nothing}
      </figcaption>
      <div id="label-plot" class="plot"></div>
    </figure>
    <figure>
      <figcaption>
        length of
        <select aria-label="Column of the second plot" @change=${choose("text")}>
          ${texts.map(({ key, name }) => html`<option value=${key} ?selected=${key === profile?.lengths?.column}>${name}</option>`)}
        </select>
        <span class="legend">${splits.map((split, i) => html`<span><svg width="10" height="10" aria-hidden="true"><rect width="10" height="10" fill=${colourOf(i)}></rect></svg> ${split || "(no split)"}</span>`)}</span>
      </figcaption>
      <div id="text-plot" class="plot"></div>
    </figure>
  </section>`;
}

/** Puts a plot in its place; who was on a bar stays on it. */
function put(id: string, make: ((width: number) => Element) | null): void {
  const box = element(id);
  if (!box) return;
  const bars = [...box.querySelectorAll(".hit rect")];
  const focused = bars.indexOf(document.activeElement as Element);
  box.replaceChildren(...(make ? [make(Math.max(220, box.clientWidth))] : []));
  if (focused >= 0) box.querySelectorAll<SVGElement>(".hit rect")[focused]?.focus();
}

function drawPlots(): void {
  if (!state.plots || !profile) return;
  const { labels, lengths, splits } = profile;
  const { filter } = state;
  put(
    "label-plot",
    labels &&
      ((width) =>
        labelPlot(
          labels,
          filter.values.find(({ column }) => column === labels.column)?.values ?? [],
          (value) => changeFilter(toggleValue(state.filter, labels.column, value)),
          { width, splits, name: `Rows by ${nameOf(labels.column)}` },
        )),
  );
  put(
    "text-plot",
    lengths &&
      ((width) =>
        lengthPlot(
          lengths,
          rangeIn(filter, lengths.column, "length"),
          (min, max) => {
            const now = rangeIn(state.filter, lengths.column, "length");
            const off = now?.min === min && now.max === max;
            changeFilter(withRange(state.filter, lengths.column, "length", off ? null : min, off ? null : max));
          },
          { width, splits, name: `Rows by length of ${nameOf(lengths.column)}` },
        )),
  );
}

// ── Start ───────────────────────────────────────────────────────────────────────────────────────────────────────────

let again: ReturnType<typeof setTimeout> | undefined;
addEventListener("message", ({ data }: MessageEvent<ToPreview>) => {
  if (take(data)) return;
  if (data.type === "init") {
    file = { name: data.name, trusted: data.trusted };
    state = { ...state, ...data.state };
    restore = state.row === null ? null : state.top;
    void load();
  } else if (data.type === "changed") {
    clearTimeout(again);
    again = setTimeout(() => void load(), 60);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLElement && event.target.id === "search") {
    if (event.key === "Escape" || event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      element("grid")?.focus();
    }
  }
});
let width = 0;
new ResizeObserver(() => {
  drawTable();
  needRows();
  if (root.clientWidth !== width) {
    width = root.clientWidth;
    drawPlots();
  }
}).observe(root);
draw();
host.postMessage({ type: "ready" });
