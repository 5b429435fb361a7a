/** A table of the report as tab-separated values. */
import type { Cell } from "./words.ts";

/** Tabs and line breaks inside a cell would make other cells of it. */
export function asTsv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const plain = (text: string): string => text.replaceAll(/[\t\r\n]+/g, " ");
  const words = ({ text, interval }: Cell): string => plain(interval === undefined ? text : `${text} ${interval}`);
  return [head.map(plain), ...rows.map((row) => row.map(words))].map((cells) => cells.join("\t")).join("\n");
}
