/** Rows: their ids, and where each stands in its file. */
import { hash } from "node:crypto";
import type { SplitName } from "../../../schemas/rows.ts";
import type { Label, Project } from "../project/project.ts";
import type { DataFile } from "./files.ts";
import type { Pace } from "./pace.ts";
import { lineRange, type ProblemList, quoted } from "./problems.ts";
import type { Table } from "./read.ts";
import { buildTextColumn, isBlankAt, type TextColumn, textAt } from "./text-column.ts";

/** Split of a row by code: `rows.split[i]` indexes it. */
export const SPLITS = ["train", "tune", "validation", "test", "pool"] as const satisfies readonly SplitName[];
export const TRAIN = 0;
export const TUNE = 1;
export const VALIDATION = 2;
export const TEST = 3;
export const POOL = 4;

/** Why a row takes no part, by code: `rows.leftOut[i]` indexes it; 0 for rows that do. */
export const LEFT_OUT = ["", "empty-text", "no-split", "bridge", "sampling", "dropped-label"] as const;
export type LeftOut = (typeof LEFT_OUT)[number];
export const leftOutCode = (reason: Exclude<LeftOut, "">): number => LEFT_OUT.indexOf(reason);

/** A target with its labels, in the order that label codes and probability vectors follow. */
export interface DatasetTarget {
  name: string;
  column: string;
  labels: Label[];
}

/**
 * All rows, by column. Plain data that can be copied to another thread or process: a million rows of 200 bytes take
 * about 300 MB, nearly all of it off the heap.
 */
export interface Rows {
  count: number;
  /** Row ids (DESIGN §1). */
  ids: TextColumn;
  /** As `project.inputs`. Texts as they stand in the file. */
  inputs: TextColumn[];
  /** As `targets`: label code of each row, −1 where it has none (all rows of the pool files). */
  labels: Int32Array[];
  targets: DatasetTarget[];
  /** Codes of {@link SPLITS}. A row that is left out keeps the split it would have. */
  split: Uint8Array;
  /** Codes of {@link LEFT_OUT}; 0: the row takes part. */
  leftOut: Uint8Array;
  /** Rows with the same number are duplicates, near-duplicates or of one group, directly or by others between. */
  group: Int32Array;
  /** Rows with the same number are duplicates or near-duplicates, whatever their group. */
  duplicates: Int32Array;
  files: DataFile[];
  /** Index into `files`. */
  file: Int32Array;
  /** 1-based line where the row starts; in a Parquet file its 1-based row number. Ascending within a file. */
  line: Int32Array;
  /** Other columns that were asked for, by name. */
  columns: Map<string, TextColumn>;
}

/** Id of a row that has no id column: SHA-256, in hex, of the JSON `[[column, text], …]` of its inputs. */
export function contentId(columns: string[], texts: string[]): string {
  return hash("sha256", JSON.stringify(columns.map((column, i) => [column, texts[i]])), "hex");
}

export function rowId(rows: Rows, row: number): string {
  return textAt(rows.ids, row);
}

/** Input name → text. */
export function rowInputs(project: Project, rows: Rows, row: number): Record<string, string> {
  const inputs: Record<string, string> = {};
  for (const [i, { name }] of project.inputs.entries()) inputs[name] = textAt(rows.inputs[i]!, row);
  return inputs;
}

/** The label of a row, null where it has none. */
export function rowLabel(rows: Rows, target: number, row: number): string | null {
  const code = rows.labels[target]![row]!;
  return code < 0 ? null : rows.targets[target]!.labels[code]!.name;
}

/** Row id → row. */
export function indexRows(rows: Rows): Map<string, number> {
  const index = new Map<string, number>();
  for (let i = 0; i < rows.count; i++) index.set(rowId(rows, i), i);
  return index;
}

const indices = new WeakMap<Rows, Map<string, number>>();

/** As {@link indexRows}, made once for each reading of the data. */
export function indexOf(rows: Rows): ReadonlyMap<string, number> {
  let index = indices.get(rows);
  if (!index) indices.set(rows, (index = indexRows(rows)));
  return index;
}

/** The row that covers a 1-based line of a file (an index into `rows.files`); undefined above the first. */
export function rowAtLine(rows: Rows, file: number, line: number): number | undefined {
  // Rows are in order of files, then lines.
  let low = 0;
  let high = rows.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const after = rows.file[middle]! > file || (rows.file[middle] === file && rows.line[middle]! > line);
    if (after) high = middle;
    else low = middle + 1;
  }
  const row = low - 1;
  return row >= 0 && rows.file[row] === file ? row : undefined;
}

/**
 * Ids of all rows: the `id` column, else the hash of the inputs; repeats get `#2`, `#3` … in order of files, then lines.
 * A row whose id cell is empty gets the hash. Repeats in an id column are warned about: their numbers follow the order
 * of the lines, so sorting the file would exchange their decisions and splits.
 */
export async function assignIds(
  project: Project,
  table: Table,
  inputs: TextColumn[],
  problems: ProblemList,
  pace: Pace,
): Promise<TextColumn> {
  const column = project.spec.dataset.id;
  const given = column === undefined ? undefined : table.text.get(column);
  const names = project.inputs.map((input) => input.column);
  const prefixes = names.map((name, i) => `${i === 0 ? "[" : ","}[${JSON.stringify(name)},`);
  const ids = buildTextColumn();
  const uses = new Map<string, number>();
  const firstLine = new Map<string, number>();
  for (let i = 0; i < table.count; i++) {
    if ((i & 0xfff) === 0) await pace();
    let base: string;
    if (given && !isBlankAt(given, i)) base = textAt(given, i).trim();
    else {
      let json = "";
      for (let k = 0; k < inputs.length; k++) json += `${prefixes[k]}${JSON.stringify(textAt(inputs[k]!, i))}]`;
      base = hash("sha256", `${json}]`, "hex");
      if (given && problems.wants("empty-id", table.files[table.file[i]!]!.path)) {
        problems.add({
          severity: "warning",
          code: "empty-id",
          message: `The id column ${quoted(column!)} is empty here. The row is known by its text instead: once that changes, so does its id.`,
          file: table.files[table.file[i]!]!.path,
          range: lineRange(table.line[i]!),
          column,
        });
      }
    }
    let n = (uses.get(base) ?? 0) + 1;
    let id = n === 1 ? base : `${base}#${n}`;
    // An id column may hold "a#2" beside two "a".
    while (n > 1 && uses.has(id)) id = `${base}#${++n}`;
    uses.set(base, n);
    if (id !== base) uses.set(id, 1);
    ids.appendText(id);
    if (!given) continue;
    if (n === 1) firstLine.set(base, i);
    else if (problems.wants("duplicate-id", table.files[table.file[i]!]!.path)) {
      const first = firstLine.get(base);
      const where =
        first === undefined ? "" : ` (first in ${table.files[table.file[first]!]!.name}, line ${table.line[first]})`;
      problems.add({
        severity: "warning",
        code: "duplicate-id",
        message: `The id ${quoted(base)} stands here for the ${ordinal(n)} time${where}. The row is known as ${quoted(id)}; give each row an id of its own, or its splits and decisions depend on the order of the lines.`,
        file: table.files[table.file[i]!]!.path,
        range: lineRange(table.line[i]!),
        column,
        row: id,
      });
    }
  }
  return ids.finish();
}

function ordinal(n: number): string {
  return n === 2 ? "second" : n === 3 ? "third" : `${n}th`;
}

/** Marks rows without any text; they take no part. */
export function leaveOutEmpty(
  project: Project,
  table: Table,
  inputs: TextColumn[],
  leftOut: Uint8Array,
  problems: ProblemList,
): void {
  const code = leftOutCode("empty-text");
  const names = project.inputs.map((input) => quoted(input.column)).join(", ");
  for (let i = 0; i < table.count; i++) {
    if (!inputs.every((column) => isBlankAt(column, i))) continue;
    leftOut[i] = code;
    const file = table.files[table.file[i]!]!.path;
    if (!problems.wants("empty-text", file)) continue;
    problems.add({
      severity: "warning",
      code: "empty-text",
      message: `The row has no text in ${names}. It is left out.`,
      file,
      range: lineRange(table.line[i]!),
      column: project.inputs[0]!.column,
    });
  }
}

/** Rows that take part, by split. */
export function countSplits(rows: Rows): Record<SplitName, number> {
  const counts: Record<SplitName, number> = { train: 0, tune: 0, validation: 0, test: 0, pool: 0 };
  for (let i = 0; i < rows.count; i++) if (rows.leftOut[i] === 0) counts[SPLITS[rows.split[i]!]!]++;
  return counts;
}
