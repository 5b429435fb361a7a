/** The table: an ARIA grid of which only the rows in view are elements, however many there are. */
import { html, nothing, type TemplateResult } from "lit";
import type { PreviewColumn, PreviewRow, PreviewSort } from "../../../schemas/preview.ts";

/** Height of a row in pixels, as in main.css. */
export const ROW = 24;
/** Browsers cap an element's height (Chromium near 33 million pixels). */
const TALLEST = 30_000_000;
const SPARE = 6;

/** Where rows stand in a scrolled space: more rows than pixels are mapped on its height. */
export function scale(total: number): { height: number; rowsAPixel: number } {
  const height = Math.min(TALLEST, total * ROW);
  return { height, rowsAPixel: height === 0 ? 0 : total / height };
}

export interface GridParts {
  columns: readonly PreviewColumn[];
  total: number;
  sort: PreviewSort | null;
  /** Active cell. */
  index: number;
  column: number;
  /** Drawn rows. */
  from: number;
  to: number;
  row(index: number): PreviewRow | undefined;
  pick(index: number, column: number): void;
  open(): void;
  sortBy(column: PreviewColumn): void;
}

export function inView(scroller: HTMLElement, total: number): { from: number; to: number; first: number } {
  const { rowsAPixel } = scale(total);
  const first = scroller.scrollTop * rowsAPixel;
  const shown = Math.ceil(scroller.clientHeight / ROW);
  return {
    first,
    from: Math.max(0, Math.floor(first) - SPARE),
    to: Math.min(total - 1, Math.floor(first) + shown + SPARE),
  };
}

const TYPE_WORDS: Record<PreviewColumn["type"], string> = {
  empty: "empty",
  boolean: "yes/no",
  integer: "whole",
  number: "number",
  date: "date",
  label: "label",
  text: "text",
};

const NUMBERS: ReadonlySet<PreviewColumn["type"]> = new Set(["integer", "number"]);

export function drawHead({ columns, sort, column, sortBy }: GridParts): TemplateResult {
  return html`
    <div class="row head" role="row" aria-rowindex="1">
      <div class="place" role="columnheader" aria-colindex="1"><span class="unseen">row</span></div>
      ${columns.map((each, i) => {
        const sorted = sort?.column === each.key ? (sort.descending ? "descending" : "ascending") : "none";
        const arrow =
          sorted === "none"
            ? nothing
            : html`<span aria-hidden="true">${sort!.descending ? "▼" : "▲"}${sort!.by === "length" ? " length" : ""}</span>`;
        return html`<div
          class=${i === column ? "columnheader active" : "columnheader"}
          role="columnheader"
          aria-colindex=${i + 2}
          aria-sort=${sorted}
          title=${`${each.name}: ${TYPE_WORDS[each.type]}. Click to sort.`}
          @click=${() => sortBy(each)}
        ><span class="name" dir="auto">${each.name || "(no name)"}</span> ${arrow} <span class="soft type">${each.role === "plain" ? TYPE_WORDS[each.type] : each.role}</span></div>`;
      })}
    </div>
  `;
}

export function drawRows(parts: GridParts): TemplateResult[] {
  const { columns, index, column, from, to, row } = parts;
  const rows: TemplateResult[] = [];
  for (let i = from; i <= to; i++) {
    const known = row(i);
    rows.push(html`
      <div
        class=${i === index ? "row active" : "row"}
        role="row"
        aria-rowindex=${i + 2}
        aria-selected=${i === index ? "true" : "false"}
      >
        <div class="place" role="rowheader" aria-colindex="1" id=${`cell-${i}-place`}>${known ? (known.row + 1).toLocaleString("en") : ""}</div>
        ${columns.map(({ type, role }, c) => {
          const text = known?.cells[c] ?? "";
          const classes = [
            "cell",
            NUMBERS.has(type) ? "number" : "",
            `role-${role}`,
            i === index && c === column ? "active" : "",
          ];
          return html`<div
            class=${classes.join(" ")}
            role="gridcell"
            id=${`cell-${i}-${c}`}
            aria-colindex=${c + 2}
            dir="auto"
            @click=${() => parts.pick(i, c)}
            @dblclick=${parts.open}
          >${known ? text : html`<span class="soft">…</span>`}</div>`;
        })}
      </div>
    `);
  }
  return rows;
}

const PLACE = 72;
const PROSE = 300;
const LETTER = 7.5;

/**
 * Widths of the columns in pixels, by what stands in them; prose takes what is left.
 * @param available pixels there are without scrolling
 */
export function widths(columns: readonly PreviewColumn[], rows: readonly PreviewRow[], available: number): string {
  const most = (c: number): number => Math.max(0, ...rows.map(({ cells }) => cells[c]?.length ?? 0));
  const prose = columns.map(({ type, role }, c) => (type === "text" || role === "input") && most(c) > 30);
  const fixed = columns.map(({ name, role }, c) => {
    if (prose[c]) return 0;
    const head = LETTER * (name.length + role.length) + 30;
    return Math.round(Math.min(240, Math.max(70, head, LETTER * most(c) + 20)));
  });
  const left = available - PLACE - fixed.reduce((a, b) => a + b, 0);
  const share = Math.floor(left / Math.max(1, prose.filter(Boolean).length));
  const parts = fixed.map((width, c) => (prose[c] ? Math.max(PROSE, share) : width));
  return [PLACE, ...parts].map((width) => `${width}px`).join(" ");
}
