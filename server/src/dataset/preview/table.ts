/** What can be looked at a page at a time, wherever its rows come from. */
import type { PreviewRole, PreviewType } from "../../../../schemas/preview.ts";
import type { Pace } from "../pace.ts";
import type { Needle } from "./search.ts";

/** Cells of few different values: row i has `values[codes[i]]`. */
export interface Coded {
  codes: Int32Array;
  values: readonly string[];
}

export interface TableColumn {
  key: string;
  name: string;
  role: PreviewRole;
  type: PreviewType;
  target: string | null;
  /** Absent where there are too many different values. */
  coded?: Coded;
  /** NaN where there is none. Absent where not all cells are numbers. */
  numbers?: Float64Array;
  /** Characters (code points) of each cell. Absent for columns of few values. */
  lengths?: Int32Array;
}

/** A moment of a table: rows may be added later, what is here stays. Arrays may be longer than `count`. */
export interface DataTable {
  count: number;
  columns: readonly TableColumn[];
  /** Cells by row, then column, each cut after about `longest` bytes. */
  cells(rows: ArrayLike<number>, longest: number): Promise<string[][]>;
  /** 1 for every row that has the needle in a cell of the column; of any column when it is undefined. */
  search(needle: Needle, column: number | undefined, pace: Pace): Promise<Uint8Array>;
  /** The first bytes of every cell of a column, in lower case: what texts are sorted by. */
  beginnings(column: number, bytes: number, pace: Pace): Promise<string[]>;
  /** 1 for every row that another repeats; undefined while that is not known. */
  repeated(): Uint8Array | undefined;
  /** Other rows that repeat this one, at most `limit`. */
  alike(row: number, limit: number): Promise<number[]>;
  /** 1-based line where the row starts, and the last one it covers; undefined where the file has no lines. */
  lines(row: number): { first: number; last: number } | undefined;
}

/** Characters of a UTF-8 text, counted as code points. */
export function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) length++;
  return length;
}

/** The length of a column's cell, of few values or many. */
export function lengthsOf({ lengths, coded }: TableColumn): (row: number) => number {
  if (lengths) return (row) => lengths[row]!;
  if (!coded) return () => Number.NaN;
  const byValue = coded.values.map((value) => [...value].length);
  return (row) => byValue[coded.codes[row]!]!;
}
