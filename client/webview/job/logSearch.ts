/** The search in the whole log: typed, found, and marked where it stands on screen. */
import { html, nothing, type TemplateResult } from "lit";
import type { LogHit } from "../../../schemas/jobPanel.ts";
import { ask } from "./ask.ts";
import { placesOf } from "./log.ts";
import { goTo } from "./logOnHand.ts";
import { attempt, draw, ofJob, panel, root, save } from "./panel.ts";

/** Milliseconds after the last key of a search before it is made. */
const TYPING = 250;
const MOST_MARKS = 1000;

let hits: { total: number; hits: LogHit[] } | null = null;
let searching = false;
let typing: ReturnType<typeof setTimeout> | undefined;
let search: AbortController | undefined;

export function searchFor(text: string): void {
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
      const found = await ask("clf/jobs/logSearch", { ...ofJob(), text }, mine.signal);
      if (search !== mine) return;
      searching = false;
      hits = found;
    });
  }, TYPING);
}

/** Marks what was searched for where it stands on screen. The text itself is left alone. */
export function markHits(): void {
  const ranges: Range[] = [];
  for (const part of root.querySelectorAll("#log .piece")) {
    const node = [...part.childNodes].find((child) => child.nodeType === Node.TEXT_NODE);
    for (const at of placesOf(node?.textContent ?? "", panel.state.search, MOST_MARKS - ranges.length)) {
      const range = new Range();
      range.setStart(node!, at);
      range.setEnd(node!, at + panel.state.search.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("hit", new Highlight(...ranges));
}

export function searchWords(): string {
  if (searching) return "Searching…";
  if (!hits) return "";
  if (hits.total === 0) return "No line has it.";
  const shown = hits.total > hits.hits.length ? `, the first ${hits.hits.length} shown` : "";
  return `${hits.total.toLocaleString("en")} ${hits.total === 1 ? "line" : "lines"}${shown}`;
}

export function drawHits(): TemplateResult | typeof nothing {
  if (!hits || hits.hits.length === 0) return nothing;
  return html`<ol id="hits" aria-label="Lines with it">${hits.hits.map(
    (hit) =>
      html`<li><button type="button" @click=${() => void goTo(hit)}><span class="soft">${hit.line.toLocaleString("en")}</span> <span dir="auto">${hit.text}</span></button></li>`,
  )}</ol>`;
}
