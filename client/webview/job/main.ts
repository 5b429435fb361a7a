/**
 * The job panel: how far a job is, its figures as they come, its log, what it was made from, what it made, and what differs from
 * the last run. Text of the job is only ever text: nothing here makes HTML of it.
 */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import { html, nothing, render, type TemplateResult } from "lit";
import type { JobChange, JobDetail, LogHit } from "../../../schemas/jobPanel.ts";
import type { JobView } from "../../../schemas/protocol.ts";
import {
  agoOf,
  bytes,
  dollars,
  doneShare,
  duration,
  isActive,
  KIND,
  metricWords,
  nameOf,
  percent,
  queueWords,
  tookSeconds,
} from "../../src/jobs/words.ts";
import { createAsking, NotWanted } from "../shared/ask.ts";
import { messageOf } from "../shared/errors.ts";
import { connectHost } from "../shared/vscode.ts";
import { chart, colourOf, dashOf } from "./charts.ts";
import { createFigures, type Figure, figureWords, hasLine } from "./figures.ts";
import { endOf, type LogWindow, NO_LOG, placesOf, startOf, withEarlier, withLater } from "./log.ts";
import {
  type FromJob,
  JOB_TABS,
  type JobCommand,
  type JobPanelState,
  type JobRequest,
  type JobTab,
  type ToJob,
} from "./messages.ts";

const host = connectHost<FromJob, JobPanelState>();
const root = document.getElementById("root")!;
const asking = createAsking<JobRequest>(host.postMessage.bind(host));

/** Milliseconds between two looks at what a running job has reported. */
const LOOK = 1500;
/** Milliseconds after the last key of a search before it is made. */
const TYPING = 250;
const MOST_MARKS = 1000;
const TAB_NAMES: Record<JobTab, string> = {
  figures: "Figures",
  log: "Log",
  difference: "What Differs",
  spec: "Spec",
  artifacts: "Artifacts",
};

let state: JobPanelState = {
  ...{ tab: "figures", search: "" },
  ...(JSON.parse(decodeURIComponent(root.dataset.state!)) as Pick<JobPanelState, "project" | "job" | "title">),
  ...host.getState(),
};
let job: JobView | null | undefined;
let trusted = false;
let detail: JobDetail | undefined;
let failure: string | null = null;
const figures = createFigures();
/** What has been read of the events: of which attempt, and how far. */
let read = { attempt: 0, offset: 0 };
let log: LogWindow = NO_LOG;
/** New lines are shown as they come. */
let following = true;
let hits: { total: number; hits: LogHit[] } | null = null;
let searching = false;

const element = <E extends HTMLElement>(id: string): E | null => document.getElementById(id) as E | null;
const ofJob = () => ({ project: state.project, job: state.job });

function save(change: Partial<JobPanelState>): void {
  state = { ...state, ...change };
  host.setState(state);
  if (job === undefined) return;
  // A window that is reloaded does not always keep what its webviews said last: the extension does.
  clearTimeout(keeping);
  keeping = setTimeout(() => host.postMessage({ type: "state", kept: { tab: state.tab, search: state.search } }), 100);
}
let keeping: ReturnType<typeof setTimeout> | undefined;
save({});

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

let reading: Promise<void> | undefined;
let again = false;
/** Reads what is new of the job: one round at a time, and another when somebody asked meanwhile. */
function readOn(): Promise<void> {
  if (reading) {
    again = true;
    return reading;
  }
  reading = readAll().finally(() => {
    reading = undefined;
    if (!again) return;
    again = false;
    void readOn();
  });
  return reading;
}

async function readAll(): Promise<void> {
  try {
    await readEvents();
    if (following) await readLogOn();
    failure = null;
  } catch (error) {
    failure = messageOf(error);
  }
  draw();
  schedule();
}

let timer: ReturnType<typeof setTimeout> | undefined;
function schedule(): void {
  clearTimeout(timer);
  if (job && isActive(job)) timer = setTimeout(() => void readOn(), LOOK);
}

async function readEvents(): Promise<void> {
  for (;;) {
    const { attempt, events, offset, more } = await asking.ask("clf/jobs/events", { ...ofJob(), offset: read.offset });
    if (attempt !== read.attempt) {
      // A resumed job: its newest attempt, from the beginning.
      const first = read.attempt === 0;
      read = { attempt, offset: 0 };
      figures.clear();
      log = NO_LOG;
      following = true;
      if (!first) continue;
    }
    for (const event of events) if (event.type === "metric") figures.add(event);
    read.offset = offset;
    if (!more) return;
  }
}

async function readLogOn(): Promise<void> {
  const known = log.pieces.length > 0;
  const piece = await asking.ask("clf/jobs/log", {
    ...ofJob(),
    ...(known ? { offset: endOf(log) } : { before: Number.MAX_SAFE_INTEGER }),
  });
  log = withLater(log, piece, piece.size);
  if (piece.text !== "" && piece.offset < piece.size) await readLogOn();
}

async function loadDetail(): Promise<void> {
  try {
    detail = await asking.ask("clf/jobs/detail", ofJob());
  } catch (error) {
    failure = messageOf(error);
  }
  draw();
}

/** Runs something that a person asked for; what goes wrong is said in the panel. */
async function attempt(what: () => Promise<void>): Promise<void> {
  try {
    await what();
    failure = null;
  } catch (error) {
    if (error instanceof NotWanted) return;
    failure = messageOf(error);
  }
  draw();
}

// ── The log ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const earlier = () =>
  attempt(async () => {
    const box = element("log");
    const below = box ? box.scrollHeight - box.scrollTop : 0;
    const piece = await asking.ask("clf/jobs/log", { ...ofJob(), before: startOf(log) });
    following = false;
    log = withEarlier(log, piece, piece.size);
    draw();
    // The line that was on top stays where it is.
    if (box) box.scrollTop = box.scrollHeight - below;
  });

const later = () =>
  attempt(async () => {
    const piece = await asking.ask("clf/jobs/log", { ...ofJob(), offset: endOf(log) });
    log = withLater(log, piece, piece.size);
    draw();
  });

const newest = () =>
  attempt(async () => {
    if (endOf(log) < log.size) log = NO_LOG;
    following = true;
    await readLogOn();
    draw();
  });

const goTo = ({ offset }: LogHit) =>
  attempt(async () => {
    following = false;
    const piece = await asking.ask("clf/jobs/log", { ...ofJob(), offset });
    log = withLater(NO_LOG, piece, piece.size);
    draw();
    const box = element("log");
    box?.scrollTo(0, 0);
    box?.focus();
  });

let typing: ReturnType<typeof setTimeout> | undefined;
let search: AbortController | undefined;
function searchFor(text: string): void {
  save({ search: text });
  search?.abort();
  clearTimeout(typing);
  if (text === "") {
    hits = null;
    searching = false;
    draw();
    return;
  }
  const mine = new AbortController();
  search = mine;
  searching = true;
  draw();
  typing = setTimeout(() => {
    void attempt(async () => {
      const found = await asking.ask("clf/jobs/logSearch", { ...ofJob(), text }, mine.signal);
      if (search !== mine) return;
      searching = false;
      hits = found;
    });
  }, TYPING);
}

/** Marks what was searched for where it stands on screen. The text itself is left alone. */
function markHits(): void {
  const ranges: Range[] = [];
  for (const part of root.querySelectorAll("#log .piece")) {
    const node = [...part.childNodes].find((child) => child.nodeType === Node.TEXT_NODE);
    for (const at of placesOf(node?.textContent ?? "", state.search, MOST_MARKS - ranges.length)) {
      const range = new Range();
      range.setStart(node!, at);
      range.setEnd(node!, at + state.search.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("hit", new Highlight(...ranges));
}

function onLogScroll(): void {
  const box = element("log");
  if (!box || !following) return;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  if (!atEnd) {
    following = false;
    draw();
  }
}

// ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function draw(): void {
  render(drawAll(), root);
  if (state.tab === "figures") drawCharts();
  if (state.tab !== "log") return;
  markHits();
  const box = element("log");
  if (box && following) box.scrollTop = box.scrollHeight;
}

function drawAll(): TemplateResult {
  if (job === undefined) return html`<p class="empty" role="status">Loading…</p>`;
  if (job === null) {
    return html`<p class="empty" role="status">This job has been deleted, and its files with it. Close this panel.</p>`;
  }
  return html`
    ${drawHead(job)}
    ${failure === null ? nothing : html`<p class="failure error" role="alert">${failure} <vscode-button secondary @click=${() => void readOn()}>Try Again</vscode-button></p>`}
    <div class="tabs" role="tablist" aria-label="Parts of the job" @keydown=${onTabKey}>
      ${JOB_TABS.map(
        (tab) => html`<button
          type="button"
          role="tab"
          id=${`tab-${tab}`}
          aria-controls="part"
          aria-selected=${tab === state.tab ? "true" : "false"}
          tabindex=${tab === state.tab ? 0 : -1}
          @click=${() => choose(tab)}
        >${TAB_NAMES[tab]}</button>`,
      )}
    </div>
    <section id="part" role="tabpanel" aria-labelledby=${`tab-${state.tab}`} tabindex="-1">${drawPart(job)}</section>
  `;
}

function drawPart(of: JobView): TemplateResult {
  switch (state.tab) {
    case "figures":
      return drawFigures(of);
    case "log":
      return drawLog(of);
    case "difference":
      return drawDifference();
    case "spec":
      return drawSpec();
    case "artifacts":
      return drawArtifacts(of);
  }
}

function choose(tab: JobTab): void {
  save({ tab });
  draw();
  // What a running job makes and reports is read when somebody looks.
  if (job && isActive(job) && (tab === "difference" || tab === "artifacts")) void loadDetail();
  element(`tab-${tab}`)?.focus();
}

function onTabKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const at = JOB_TABS.indexOf(state.tab);
  const last = JOB_TABS.length - 1;
  const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[
    event.key
  ];
  if (to === undefined) return;
  event.preventDefault();
  choose(JOB_TABS[to]!);
}

const run = (command: JobCommand) => () => host.postMessage({ type: "run", command });

function drawHead(of: JobView): TemplateResult {
  const { can } = of;
  return html`<header>
    <div class="title">
      <h1>${nameOf(of)} <span class="soft">${KIND[of.kind]}</span></h1>
      <div class="buttons">
        ${can.cancel ? button("Cancel", "clf.cancelJob", !trusted) : nothing}
        ${can.resume ? button("Resume", "clf.resumeJob", !trusted) : nothing}
        ${can.report ? button("Open Report", "clf.openReport") : nothing}
        ${can.delete ? button("Delete…", "clf.deleteJob", !trusted) : nothing}
        ${button("Project File", "clf.revealJobInProject")}
      </div>
    </div>
    ${drawProgress(of)}
    <dl class="facts">
      ${fact("host", of.host)}
      ${fact("started", html`<time datetime=${of.created}>${new Date(of.created).toLocaleString()}</time> (${agoOf(of.created)})`)}
      ${fact("took", took(of))}
      ${fact("left", of.progress?.left === undefined || !isActive(of) ? null : `about ${duration(of.progress.left)}`)}
      ${fact(isActive(of) ? "cost so far" : "cost", of.cost === null ? null : dollars(of.cost))}
      ${fact("newest figure", metricWords(of) ?? null)}
      ${fact("attempt", of.attempt > 1 ? `${of.attempt}` : null)}
      ${fact("connection", of.connection)}
    </dl>
    ${of.message === null ? nothing : html`<p class=${of.state === "failed" || of.state === "lost" ? "message error" : "message"}>${of.message}</p>`}
  </header>`;
}

const button = (title: string, command: JobCommand, disabled = false) =>
  html`<vscode-button ?secondary=${command !== "clf.cancelJob" && command !== "clf.resumeJob" && command !== "clf.openReport"} ?disabled=${disabled} @click=${run(command)}>${title}</vscode-button>`;

const fact = (name: string, value: unknown) =>
  value === null ? nothing : html`<div><dt>${name}</dt><dd>${value}</dd></div>`;

function took(of: JobView): string | null {
  const seconds = tookSeconds(of);
  return seconds === undefined ? null : duration(seconds);
}

const STATE_WORDS: Record<JobView["state"], string> = {
  preparing: "being prepared",
  queued: "waiting",
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  lost: "lost: how it ended is not known",
};

function drawProgress(of: JobView): TemplateResult {
  const share = doneShare(of);
  const now =
    of.state === "queued"
      ? queueWords(of)
      : isActive(of) && of.progress
        ? `${STATE_WORDS[of.state]}: ${of.progress.step}${share === undefined ? "" : `, ${percent(share)}`}`
        : STATE_WORDS[of.state];
  return html`<p class="now">
    <span class=${`state ${of.state}`} role="status">${now}</span>
    ${
      isActive(of)
        ? html`<progress aria-label="Progress of the step" max="1" value=${share ?? nothing}></progress>`
        : nothing
    }
  </p>`;
}

// ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const NO_FIGURES: Record<JobView["kind"], string> = {
  "fine-tune": "a fine-tune reports losses while it learns, and figures of its choices",
  evaluate: "an evaluation reports the accuracy at its end, and all else in its report",
  compare: "a comparison reports the accuracies at its end, and all else in its report",
  predict: "a prediction may report how fast it is",
};

function drawFigures(of: JobView): TemplateResult {
  const all = figures.all();
  if (all.length === 0) {
    const yet = isActive(of) ? "has not reported any figure yet" : "has not reported any figure";
    return html`<p class="empty">This job ${yet}: ${NO_FIGURES[of.kind]}.</p>`;
  }
  const lines = all.filter(hasLine);
  return html`
    ${
      lines.length === 0
        ? nothing
        : html`<div class="charts">${lines.map(
            (figure) => html`<figure>
              <figcaption>${figure.name}${figure.series.length > 1 ? drawLegend(figure) : nothing}</figcaption>
              <div class="chart" data-figure=${figure.name}></div>
            </figure>`,
          )}</div>`
    }
    <table class="numbers">
      <caption>Reported so far</caption>
      <thead><tr><th scope="col">figure</th><th scope="col">of</th><th scope="col" class="number">newest</th><th scope="col" class="number">lowest</th><th scope="col" class="number">highest</th><th scope="col" class="number">reports</th></tr></thead>
      <tbody>${all.flatMap(({ name, series }) =>
        series.map(
          (each) => html`<tr><th scope="row">${name}</th><td>${each.name}</td>
            <td class="number">${figureWords(each.last.y)}</td><td class="number">${figureWords(each.low)}</td>
            <td class="number">${figureWords(each.high)}</td><td class="number">${figureWords(each.count)}</td></tr>`,
        ),
      )}</tbody>
    </table>
  `;
}

const drawLegend = ({ series }: Figure) =>
  html`<ul class="legend">${series.map(
    ({ name }, i) =>
      html`<li><svg width="22" height="8" aria-hidden="true"><line x1="0" x2="22" y1="4" y2="4" stroke=${colourOf(i)} stroke-width="2" stroke-dasharray=${dashOf(i) || nothing}></line></svg> ${name || "all"}</li>`,
  )}</ul>`;

function drawCharts(): void {
  const all = figures.all();
  for (const box of root.querySelectorAll<HTMLElement>(".chart")) {
    const figure = all.find(({ name }) => name === box.dataset.figure);
    if (figure) box.replaceChildren(chart(figure, Math.max(160, box.clientWidth)));
  }
}

// ── Log ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function drawLog(of: JobView): TemplateResult {
  const whole = log.size;
  const [from, to] = [startOf(log), endOf(log)];
  return html`
    <div class="tools">
      <label for="log-search">search</label>
      <input id="log-search" type="search" .value=${state.search} placeholder="in the whole log"
        @input=${(event: Event) => searchFor((event.target as HTMLInputElement).value)} />
      <span role="status">${searchWords()}</span>
      <span class="space"></span>
      ${following ? nothing : html`<vscode-button secondary @click=${() => void newest()}>Newest Lines</vscode-button>`}
      <vscode-button secondary @click=${run("clf.openLog")}>Open in Editor</vscode-button>
    </div>
    ${drawHits()}
    ${
      whole === 0
        ? html`<p class="empty">${isActive(of) ? "The log is empty so far. What the job prints will stand here." : "The log is empty: the job printed nothing."}</p>`
        : html`<div id="log" tabindex="0" role="region" aria-label="Log" @scroll=${onLogScroll}>
            ${from > 0 ? html`<p class="edge"><vscode-button secondary @click=${() => void earlier()}>Earlier Lines</vscode-button> <span class="soft">${bytes(from)} before this</span></p>` : nothing}
            ${log.pieces.map(({ text }) => html`<pre class="piece" dir="auto" .textContent=${text}></pre>`)}
            ${to < whole ? html`<p class="edge"><vscode-button secondary @click=${() => void later()}>Later Lines</vscode-button> <span class="soft">${bytes(whole - to)} after this</span></p>` : nothing}
          </div>`
    }
  `;
}

function searchWords(): string {
  if (searching) return "Searching…";
  if (!hits) return "";
  if (hits.total === 0) return "No line has it.";
  const shown = hits.total > hits.hits.length ? `, the first ${hits.hits.length} shown` : "";
  return `${hits.total.toLocaleString("en")} ${hits.total === 1 ? "line" : "lines"}${shown}`;
}

function drawHits(): TemplateResult | typeof nothing {
  if (!hits || hits.hits.length === 0) return nothing;
  return html`<ol id="hits" aria-label="Lines with it">${hits.hits.map(
    (hit) =>
      html`<li><button type="button" @click=${() => void goTo(hit)}><span class="soft">${hit.line.toLocaleString("en")}</span> <span dir="auto">${hit.text}</span></button></li>`,
  )}</ol>`;
}

// ── What differs, spec, artifacts ───────────────────────────────────────────────────────────────────────────────────

function drawDifference(): TemplateResult {
  if (!detail) return html`<p class="empty">Loading…</p>`;
  const { difference } = detail;
  if (!difference) {
    return html`<p class="empty">This is the first ${job ? KIND[job.kind] : "job"} of ${job ? nameOf(job) : "its models"}: there is no earlier one to compare it with.</p>`;
  }
  const { changes, results, same_data } = difference;
  return html`
    <p>Against the ${job ? KIND[job.kind] : "job"} of <time datetime=${difference.created}>${new Date(difference.created).toLocaleString()}</time>, which ${difference.state}.
      <vscode-button secondary @click=${() => host.postMessage({ type: "show", job: difference.job })}>Show It</vscode-button></p>
    <p>${same_data ? "Both have the same rows: ids, splits, texts and labels." : "They have other rows, or the same rows with other labels or splits."}
      ${changes.length === 0 ? "They were made from the same settings, by the same versions." : ""}</p>
    ${changes.length === 0 ? nothing : drawChanges(changes)}
    ${results.length === 0 ? nothing : drawResults(results)}
  `;
}

const drawChanges = (changes: readonly JobChange[]) => html`<table>
  <caption>Made from</caption>
  <thead><tr><th scope="col">part</th><th scope="col">setting</th><th scope="col">then</th><th scope="col">now</th></tr></thead>
  <tbody>${changes.map(
    ({ section, name, before, after, list }) => html`<tr><td>${section}</td><th scope="row">${name}</th>
      <td class="value" dir="auto">${valueWords(before, list, "gone")}</td><td class="value" dir="auto">${valueWords(after, list, "new")}</td></tr>`,
  )}</tbody>
</table>`;

function valueWords(value: string | null, list: boolean, what: "gone" | "new") {
  if (value === null) return html`<span class="soft">${list ? "" : "not set"}</span>`;
  return list ? html`<span class="soft">${what}:</span> ${value}` : value;
}

const drawResults = (results: NonNullable<JobDetail["difference"]>["results"]) => html`<table class="numbers">
  <caption>Figures, the newest of each</caption>
  <thead><tr><th scope="col">figure</th><th scope="col" class="number">then</th><th scope="col" class="number">now</th><th scope="col" class="number">difference</th></tr></thead>
  <tbody>${results.map(
    ({
      name,
      before,
      after,
    }) => html`<tr><th scope="row">${name}</th><td class="number">${before === null ? "–" : figureWords(before)}</td>
      <td class="number">${after === null ? "–" : figureWords(after)}</td>
      <td class="number">${before === null || after === null ? "" : `${after > before ? "+" : ""}${figureWords(Number((after - before).toPrecision(6)))}`}</td></tr>`,
  )}</tbody>
</table>
<p class="soft">These are figures of one run each. Whether a difference may be chance: compare the models, or see the report.</p>`;

function drawSpec(): TemplateResult {
  if (!detail) return html`<p class="empty">Loading…</p>`;
  const { facts, attempts } = detail;
  const sections = [...new Set(facts.map(({ section }) => section))];
  return html`
    ${sections.map(
      (section) => html`<table class="spec">
        <caption>${section}</caption>
        <tbody>${facts
          .filter((each) => each.section === section)
          .map(
            ({ name, value }) => html`<tr><th scope="row">${name}</th><td class="value" dir="auto">${value}</td></tr>`,
          )}</tbody>
      </table>`,
    )}
    <table>
      <caption>Attempts</caption>
      <thead><tr><th scope="col">attempt</th><th scope="col">state</th><th scope="col">started</th><th scope="col">ended</th><th scope="col">says</th></tr></thead>
      <tbody>${attempts.map(
        ({ number, state: of, started, ended, message }) => html`<tr><th scope="row">${number}</th><td>${of}</td>
          <td>${time(started)}</td><td>${time(ended)}</td><td class="value" dir="auto">${message ?? ""}</td></tr>`,
      )}</tbody>
    </table>
  `;
}

const time = (at: string | null) => (at === null ? "" : new Date(at).toLocaleString());

function drawArtifacts(of: JobView): TemplateResult {
  if (!detail) return html`<p class="empty">Loading…</p>`;
  const { artifacts } = detail;
  if (artifacts.length === 0) return html`<p class="empty">There is nothing in its folder yet.</p>`;
  const made = artifacts.some(
    ({ path }) => path === "model" || path.startsWith("predictions") || path === "report.json",
  );
  const nothingMade = isActive(of)
    ? "What it makes is here once it has succeeded."
    : "It left no model, predictions or report.";
  return html`
    ${made ? nothing : html`<p class="soft">${nothingMade}</p>`}
    <table>
      <caption>In the job's folder</caption>
      <thead><tr><th scope="col">what</th><th scope="col">path</th><th scope="col" class="number">size</th><th scope="col"><span class="unseen">actions</span></th></tr></thead>
      <tbody>${artifacts.map(
        ({
          path,
          name,
          bytes: size,
          folder,
        }) => html`<tr><th scope="row">${name}</th><td class="value">${path}</td><td class="number">${bytes(size)}</td>
          <td class="buttons">
            ${folder || path.endsWith(".parquet") ? nothing : html`<vscode-button secondary aria-label=${`Open ${name}`} @click=${() => host.postMessage({ type: "artifact", path, reveal: false })}>Open</vscode-button>`}
            <vscode-button secondary aria-label=${`Reveal ${name}`} @click=${() => host.postMessage({ type: "artifact", path, reveal: true })}>Reveal</vscode-button>
          </td></tr>`,
      )}</tbody>
    </table>
  `;
}

// ── Start ───────────────────────────────────────────────────────────────────────────────────────────────────────────

addEventListener("message", ({ data }: MessageEvent<ToJob>) => {
  if (asking.take(data)) return;
  if (data.type !== "job") return;
  const first = job === undefined;
  const before = job;
  job = data.job;
  trusted = data.trusted;
  if (first && data.kept) save(data.kept);
  draw();
  if (!job) return;
  // What it was made from stays; what it makes comes with its states.
  if (!before || before.state !== job.state || before.attempt !== job.attempt) void loadDetail();
  void readOn();
  if (first && state.search !== "") searchFor(state.search);
});
let width = 0;
new ResizeObserver(() => {
  if (root.clientWidth === width) return;
  width = root.clientWidth;
  if (state.tab === "figures") drawCharts();
}).observe(root);
draw();
host.postMessage({ type: "ready" });
