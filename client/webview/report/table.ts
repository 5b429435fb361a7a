/** A table that sorts by its headings, is searched where it is long, and is copied as tab-separated values. */
import { html, nothing, render } from "lit";
import { whole } from "../shared/numbers.ts";
import type { Surroundings } from "./surroundings.ts";
import { asTsv } from "./tsv.ts";
import type { Cell } from "./words.ts";

export interface TableOptions {
  caption: string;
  head: readonly string[];
  /** The first cell of a row is its heading. */
  rows: readonly (readonly Cell[])[];
  /** Columns of words, from 0; the first always is. */
  prose?: readonly number[];
  /** Under which the order and the search are kept; one for each table of the report. */
  key: string;
  /** Rows that are drawn until all are asked for, if not the usual number. */
  most?: number;
  /** In place of a row's first cell. */
  heading?(row: readonly Cell[]): unknown;
}

interface Chosen {
  column: number | null;
  descending: boolean;
  search: string;
  all: boolean;
}

/** Rows from which a table can be searched. */
const LONG = 15;
/** Rows that are drawn until all are asked for. */
const MOST = 100;

export function table(
  { caption, head, rows, prose = [], key, most = MOST, heading }: TableOptions,
  { kept, copy }: Surroundings,
): HTMLElement {
  const figure = document.createElement("figure");
  figure.className = "table";
  let chosen: Chosen = {
    ...{ column: null, descending: true, search: "", all: false },
    ...kept.get<Partial<Chosen>>(`table ${key}`, {}),
  };
  const choose = (change: Partial<Chosen>): void => {
    chosen = { ...chosen, ...change };
    kept.set(`table ${key}`, chosen);
    draw();
  };
  const sortable = rows.length > 1;
  const isProse = (column: number): boolean => column === 0 || prose.includes(column);
  /** Figures begin with the largest, words with A; then the other way round, then as they came. */
  const sortBy = (column: number): void => {
    const first = !isProse(column);
    if (chosen.column !== column) choose({ column, descending: first });
    else if (chosen.descending === first) choose({ descending: !first });
    else choose({ column: null });
  };
  const headingCell = (name: string, column: number) => {
    const sorted = chosen.column !== column ? "none" : chosen.descending ? "descending" : "ascending";
    const mark = { none: "", descending: " ↓", ascending: " ↑" }[sorted];
    const content = sortable
      ? html`<button type="button" @click=${() => sortBy(column)}>${name}<span aria-hidden="true">${mark}</span></button>`
      : name;
    return html`<th scope="col" class=${isProse(column) ? "prose" : ""} aria-sort=${sortable ? sorted : nothing}>${content}</th>`;
  };
  const bodyCell = (cell: Cell, column: number, row: readonly Cell[]) => {
    const { text, interval } = cell;
    const content =
      interval === undefined ? text : html`<span class="value">${text}</span> <span class="soft">${interval}</span>`;
    if (column === 0) return html`<th scope="row" class="prose">${heading ? heading(row) : content}</th>`;
    return html`<td class=${isProse(column) ? "prose" : ""}>${content}</td>`;
  };
  function draw(): void {
    const shown = sorted(found(rows, chosen.search), chosen);
    const drawn = chosen.all ? shown : shown.slice(0, most);
    render(
      html`<figcaption>
          <span>${caption}</span>
          ${
            rows.length >= LONG
              ? html`<input
                  type="search"
                  placeholder="Search"
                  aria-label="Search: ${caption}"
                  .value=${chosen.search}
                  @input=${(event: Event) => choose({ search: (event.target as HTMLInputElement).value })}
                />`
              : nothing
          }
          <span class="tools"
            ><button type="button" aria-label="Copy table: ${caption}" @click=${() => copy(asTsv(head, shown))}>Copy</button></span
          >
          ${chosen.search === "" ? nothing : html`<span role="status">${whole(shown.length)} of ${whole(rows.length)}</span>`}
        </figcaption>
        <div class="scroll" role=${sortable ? nothing : "group"} tabindex=${sortable ? nothing : 0} aria-label=${sortable ? nothing : caption}>
          <table aria-label=${caption}>
            <thead>
              <tr>
                ${head.map(headingCell)}
              </tr>
            </thead>
            <tbody>
              ${drawn.map((row) => html`<tr>${row.map((cell, i) => bodyCell(cell, i, row))}</tr>`)}
            </tbody>
          </table>
        </div>
        ${
          drawn.length < shown.length
            ? html`<button type="button" class="link" @click=${() => choose({ all: true })}>Show all ${whole(shown.length)}</button>`
            : nothing
        }`,
      figure,
    );
  }
  draw();
  // On paper there is no button to press.
  if (most === MOST) addEventListener("beforeprint", () => chosen.all || choose({ all: true }));
  return figure;
}

function found(rows: TableOptions["rows"], search: string): TableOptions["rows"] {
  const wanted = search.trim().toLocaleLowerCase();
  if (wanted === "") return rows;
  return rows.filter((row) => row.some(({ text }) => text.toLocaleLowerCase().includes(wanted)));
}

/** Figures by what they are, words by their letters; equal ones stay as they came. */
function sorted(rows: TableOptions["rows"], { column, descending }: Chosen): TableOptions["rows"] {
  if (column === null) return rows;
  const direction = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[column], b[column]];
    if (!x || !y) return 0;
    const by = x.sort !== undefined && y.sort !== undefined ? compare(x.sort, y.sort) : x.text.localeCompare(y.text);
    return direction * by;
  });
}

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
