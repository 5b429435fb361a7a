/** Which rows of a table pass a filter, and in which order they stand. */
import type { PreviewFilter, PreviewSort } from "../../../../schemas/preview.ts";
import type { Pace } from "../pace.ts";
import { needleOf } from "./search.ts";
import { type DataTable, lengthsOf, type TableColumn } from "./table.ts";

/** Rows that pass, in order. */
export async function orderOf(
  table: DataTable,
  filter: PreviewFilter,
  sort: PreviewSort | null,
  pace: Pace,
): Promise<Int32Array> {
  const keep = await passing(table, filter, pace);
  await pace();
  let count = 0;
  for (let row = 0; row < table.count; row++) count += keep?.[row] ?? 1;
  const order = new Int32Array(count);
  for (let row = 0, at = 0; row < table.count; row++) if (!keep || keep[row] === 1) order[at++] = row;
  if (sort) await sortRows(table, order, sort, pace);
  return order;
}

/** 1 for rows that pass; undefined when all do. */
export async function passing(table: DataTable, filter: PreviewFilter, pace: Pace): Promise<Uint8Array | undefined> {
  let keep: Uint8Array | undefined;
  const and = (marks: Uint8Array): void => {
    if (!keep) keep = marks.slice(0, table.count);
    else for (let row = 0; row < table.count; row++) keep[row] = keep[row]! & marks[row]!;
  };
  const drop = (passes: (row: number) => boolean): void => {
    keep ??= new Uint8Array(table.count).fill(1);
    for (let row = 0; row < table.count; row++) if (keep[row] === 1 && !passes(row)) keep[row] = 0;
  };
  for (const { column, values } of filter.values) {
    await pace();
    const coded = columnOf(table, column)?.coded;
    // A column that turned out to have too many values: nothing can be said of it.
    if (!coded) continue;
    const wanted = Uint8Array.from(coded.values, (value) => (values.includes(value) ? 1 : 0));
    drop((row) => wanted[coded.codes[row]!] === 1);
  }
  for (const { column, of, min, max } of filter.ranges) {
    await pace();
    const found = columnOf(table, column);
    const { numbers } = found ?? {};
    const measure = of === "length" ? found && lengthsOf(found) : numbers && ((row: number) => numbers[row]!);
    if (!measure) continue;
    drop((row) => {
      const value = measure(row);
      return value >= (min ?? Number.NEGATIVE_INFINITY) && value <= (max ?? Number.POSITIVE_INFINITY);
    });
  }
  if (filter.duplicates) and(table.repeated() ?? new Uint8Array(table.count));
  // Last, since it takes longest. NUL never stands in a cell.
  const text = filter.text.replaceAll("\0", "");
  if (text !== "") {
    const place = filter.column === null ? -1 : table.columns.findIndex(({ key }) => key === filter.column);
    and(await table.search(needleOf(text), place < 0 ? undefined : place, pace));
  }
  return keep;
}

export const columnOf = (table: DataTable, key: string): TableColumn | undefined =>
  table.columns.find((column) => column.key === key);

/** Bytes of a text that count for its place. */
const SORTED_BYTES = 32;

async function sortRows(table: DataTable, order: Int32Array, sort: PreviewSort, pace: Pace): Promise<void> {
  const place = table.columns.findIndex(({ key }) => key === sort.column);
  const column = table.columns[place];
  if (!column) return;
  const turn = sort.descending ? -1 : 1;
  if (sort.by === "length") {
    const length = lengthsOf(column);
    order.sort((a, b) => turn * (length(a) - length(b)) || a - b);
    return;
  }
  if (column.numbers) {
    const { numbers } = column;
    order.sort((a, b) => {
      const [x, y] = [numbers[a]!, numbers[b]!];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
      return turn * (x - y) || a - b;
    });
    return;
  }
  if (column.coded) {
    const { codes, values } = column.coded;
    const rank = rankOf(values, turn);
    // Counting: a place for each value, filled in the order of the file.
    const starts = new Int32Array(values.length + 1);
    for (const row of order) starts[rank[codes[row]!]! + 1]!++;
    for (let place = 0; place < values.length; place++) starts[place + 1]! += starts[place]!;
    for (const row of order.slice()) order[starts[rank[codes[row]!]!]!++] = row;
    return;
  }
  const texts = await table.beginnings(place, SORTED_BYTES, pace);
  order.sort((a, b) => {
    const [x, y] = [texts[a]!, texts[b]!];
    if (x === y) return a - b;
    if (x === "" || y === "") return x === "" ? 1 : -1;
    return x < y ? -turn : turn;
  });
}

/** Place of each value in the order of people, "label 2" before "label 10"; the empty one last. */
function rankOf(values: readonly string[], turn: number): Int32Array {
  const { compare } = new Intl.Collator("en", { numeric: true });
  const sorted = values.map((_, code) => code);
  sorted.sort((a, b) => {
    const [x, y] = [values[a]!, values[b]!];
    if (x === "" || y === "") return Number(x === "") - Number(y === "");
    return turn * compare(x, y) || a - b;
  });
  const rank = new Int32Array(values.length);
  for (const [place, code] of sorted.entries()) rank[code] = place;
  return rank;
}
