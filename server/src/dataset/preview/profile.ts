/** The figures beside the table: what each column holds, and the two plots. */
import type { PreviewFilter, PreviewProfile } from "../../../../schemas/preview.ts";
import type { Pace } from "../pace.ts";
import { type DataTable, lengthsOf, type TableColumn } from "./table.ts";
import { columnOf, passing } from "./view.ts";

const MOST_VALUES = 300;
const MOST_BARS = 20;
const BINS = 24;
const MOST_SPLITS = 6;

export async function profileOf(
  table: DataTable,
  filter: PreviewFilter,
  { label, text }: { label: string | null; text: string | null },
  pace: Pace,
): Promise<Omit<PreviewProfile, "complete">> {
  const columns: PreviewProfile["columns"] = [];
  for (const column of table.columns) {
    await pace();
    columns.push(describe(column, table.count));
  }
  const splits = splitsOf(table);
  const labelColumn = label === null ? defaultLabel(table) : columnOf(table, label);
  const textColumn = text === null ? defaultText(table) : columnOf(table, text);
  return {
    rows: table.count,
    columns,
    duplicates: sum(table.repeated()),
    splits: splits.names,
    labels: labelColumn?.coded ? await labelBars(table, filter, labelColumn, splits, pace) : null,
    lengths: textColumn ? await lengthBins(table, filter, textColumn, splits, pace) : null,
  };
}

function sum(marks: Uint8Array | undefined): number | null {
  if (!marks) return null;
  let total = 0;
  for (const mark of marks) total += mark;
  return total;
}

function describe(column: TableColumn, count: number): PreviewProfile["columns"][number] {
  const { key, name, role, type, target, coded, numbers } = column;
  const about = { key, name, role, type, target };
  if (coded) {
    const rows = countCodes(coded.codes, coded.values.length, count);
    const values = coded.values.map((value, code): [string, number] => [value, rows[code]!]).filter(([, n]) => n > 0);
    values.sort((a, b) => b[1] - a[1]);
    const empty = values.find(([value]) => value === "")?.[1] ?? 0;
    const distinct = values.length - (empty > 0 ? 1 : 0);
    return { ...about, empty, distinct, values: values.slice(0, MOST_VALUES), range: rangeOf(numbers, count) };
  }
  const length = lengthsOf(column);
  let empty = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let row = 0; row < count; row++) {
    const characters = length(row);
    if (characters === 0) empty++;
    else {
      low = Math.min(low, characters);
      high = Math.max(high, characters);
    }
  }
  const range = rangeOf(numbers, count) ?? (count > empty && high > 0 ? ([low, high] as [number, number]) : null);
  return { ...about, empty: column.lengths ? empty : 0, distinct: null, values: [], range };
}

function rangeOf(numbers: Float64Array | undefined, count: number): [number, number] | null {
  if (!numbers) return null;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < count; row++) {
    const value = numbers[row]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

function countCodes(codes: Int32Array, values: number, count: number): Int32Array {
  const rows = new Int32Array(values);
  for (let row = 0; row < count; row++) rows[codes[row]!]!++;
  return rows;
}

interface Splits {
  names: string[];
  of: (row: number) => number;
}

/** The column that says where a row belongs: the project's, else one that is named `split`. */
function splitsOf(table: DataTable): Splits {
  const column =
    table.columns.find(({ role }) => role === "split") ??
    table.columns.find(({ name }) => /^(split|fold|subset)$/i.test(name));
  if (!column?.coded) return { names: [""], of: () => 0 };
  const { codes, values } = column.coded;
  const rows = countCodes(codes, values.length, table.count);
  const present = values.map((_, code) => code).filter((code) => rows[code]! > 0);
  if (present.length > MOST_SPLITS || present.length === 0) return { names: [""], of: () => 0 };
  const place = new Int32Array(values.length);
  for (const [i, code] of present.entries()) place[code] = i;
  return { names: present.map((code) => values[code]!), of: (row) => place[codes[row]!]! };
}

const LABEL_NAME = /^(labels?|targets?|class|category|intent|sentiment|topic|y)$/i;

function defaultLabel({ columns }: DataTable): TableColumn | undefined {
  const few = columns.filter(({ coded }) => coded && coded.values.length <= 1000);
  return (
    few.find(({ role }) => role === "target") ??
    few.find(({ name }) => LABEL_NAME.test(name)) ??
    few.findLast(({ type }) => type === "label")
  );
}

function defaultText(table: DataTable): TableColumn | undefined {
  const input = table.columns.find(({ role }) => role === "input");
  if (input) return input;
  // The column with the longest texts is the one that people read.
  let best: TableColumn | undefined;
  let most = -1;
  for (const column of table.columns) {
    if (column.type !== "text" && column.type !== "label") continue;
    const length = lengthsOf(column);
    let total = 0;
    const step = Math.max(1, Math.floor(table.count / 1000));
    for (let row = 0; row < table.count; row += step) total += length(row);
    if (total > most) [best, most] = [column, total];
  }
  return best;
}

/** A plot shows what could be chosen in it: the filter, but for what it says of the plotted column. */
function without(filter: PreviewFilter, column: string, of?: "length"): PreviewFilter {
  return of === "length"
    ? { ...filter, ranges: filter.ranges.filter((each) => each.column !== column || each.of !== of) }
    : { ...filter, values: filter.values.filter((each) => each.column !== column) };
}

async function labelBars(
  table: DataTable,
  filter: PreviewFilter,
  { key, coded }: TableColumn,
  splits: Splits,
  pace: Pace,
): Promise<PreviewProfile["labels"]> {
  const { codes, values } = coded!;
  const keep = await passing(table, without(filter, key), pace);
  const width = splits.names.length;
  const rows = new Int32Array(values.length * width);
  for (let row = 0; row < table.count; row++) {
    if (!keep || keep[row] === 1) rows[codes[row]! * width + splits.of(row)]!++;
  }
  const all = values.map((value, code) => {
    const part = [...rows.subarray(code * width, (code + 1) * width)];
    return { value, rows: part, total: part.reduce((a, b) => a + b, 0) };
  });
  const chosen = new Set(filter.values.find(({ column }) => column === key)?.values);
  const present = all.filter(({ value, total }) => total > 0 || chosen.has(value));
  present.sort((a, b) => b.total - a.total);
  // What is chosen stays in sight, however rare.
  const shown = present.filter(({ value }, i) => i < MOST_BARS || chosen.has(value));
  const others = present.filter(({ value }, i) => i >= MOST_BARS && !chosen.has(value));
  return {
    column: key,
    bars: shown.map(({ value, rows }) => ({ value, rows })),
    others: { values: others.length, rows: others.reduce((a, b) => a + b.total, 0) },
  };
}

async function lengthBins(
  table: DataTable,
  filter: PreviewFilter,
  column: TableColumn,
  splits: Splits,
  pace: Pace,
): Promise<PreviewProfile["lengths"]> {
  const length = lengthsOf(column);
  const keep = await passing(table, without(filter, column.key, "length"), pace);
  const edges = binEdges(table.count, length);
  const width = edges[1]! - edges[0]!;
  const bins = splits.names.map(() => new Array<number>(edges.length).fill(0));
  for (let row = 0; row < table.count; row++) {
    if (keep && keep[row] === 0) continue;
    bins[splits.of(row)]![Math.min(edges.length - 1, Math.floor(length(row) / width))]!++;
  }
  return { column: column.key, edges, bins };
}

/** Round steps from 0 up to where all but one in a hundred texts end: a few very long ones would press the rest into one bar. */
function binEdges(count: number, length: (row: number) => number): number[] {
  const step = Math.max(1, Math.floor(count / 20_000));
  const sample: number[] = [];
  for (let row = 0; row < count; row += step) sample.push(length(row));
  sample.sort((a, b) => a - b);
  const high = Math.max(1, sample[Math.floor(0.99 * (sample.length - 1))] ?? 1);
  const rough = high / BINS;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const width = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? Math.ceil(rough);
  return Array.from({ length: Math.floor(high / width) + 1 }, (_, i) => i * width).concat(
    Math.floor(high / width) === 0 ? [width] : [],
  );
}
