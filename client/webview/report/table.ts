/** A table with a caption and a button that copies it as tab-separated values. */
import { h } from "../shared/dom.ts";

/** A cell: text, or text with its interval. The first column of a row is its heading. */
export type Cell = string | { value: string; interval: string };

export interface TableOptions {
  caption: string;
  head: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** Columns of words, from 0; the first always is. */
  words?: readonly number[];
  copy: (text: string) => void;
}

export function table({ caption, head, rows, words = [], copy }: TableOptions): HTMLElement {
  const cell = (content: Cell, i: number) => {
    const parts =
      typeof content === "string"
        ? [content]
        : [h("span", { class: "value" }, content.value), " ", h("span", { class: "soft" }, content.interval)];
    if (i === 0) return h("th", { scope: "row" }, ...parts);
    return h("td", words.includes(i) ? { class: "words" } : {}, ...parts);
  };
  return h(
    "figure",
    {},
    h(
      "figcaption",
      {},
      caption,
      h(
        "button",
        { type: "button", "aria-label": `Copy table: ${caption}`, click: () => copy(asTsv(head, rows)) },
        "Copy",
      ),
    ),
    h(
      "table",
      { "aria-label": caption },
      h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
    ),
  );
}

/** Tabs and line breaks inside a cell would make other cells of it. */
export function asTsv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = (cell: Cell) => (typeof cell === "string" ? cell : `${cell.value} ${cell.interval}`);
  const line = (cells: readonly Cell[]) => cells.map((cell) => text(cell).replace(/[\t\r\n]+/g, " ")).join("\t");
  return [line(head), ...rows.map(line)].join("\n");
}
