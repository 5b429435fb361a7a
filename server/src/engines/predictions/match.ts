/** Finds the row that a record of the file speaks of: by its id, or by its inputs. */
import type { JobRow } from "../../../../schemas/rows.ts";
import { contentId } from "../../dataset/rows.ts";

export interface Matcher {
  /** Index of the row of the next record with this key; why there is none otherwise. */
  take(key: string): { row: number } | { row: null; why: "unknown" | "repeated" };
  /** Whether other rows have the same key as this one. */
  shared(row: number): boolean;
}

/** By row id. The n-th record of an id that stands more than once is of row `id#n`, as rows are named. */
export function matchById(rows: readonly JobRow[]): Matcher {
  const index = new Map(rows.map((row, i) => [row.row, i]));
  const taken = new Uint8Array(rows.length);
  const repeats = new Map<string, number>();
  const take = (key: string): number | undefined => {
    const row = index.get(key);
    if (row === undefined || taken[row] === 1) return undefined;
    taken[row] = 1;
    return row;
  };
  return {
    take(cell) {
      const id = cell.trim();
      const row = take(id);
      if (row !== undefined) return { row };
      if (!index.has(id)) return { row: null, why: "unknown" };
      const n = (repeats.get(id) ?? 1) + 1;
      repeats.set(id, n);
      const repeated = take(`${id}#${n}`);
      return repeated === undefined ? { row: null, why: "repeated" } : { row: repeated };
    },
    shared: () => false,
  };
}

/** The key of a record or row by its inputs. */
export function inputsKey(columns: string[], texts: string[]): string {
  return contentId(columns, texts);
}

/** By inputs. Records with the same inputs are of the rows that have them, in order. */
export function matchByInputs(rows: readonly JobRow[], inputs: readonly { column: string; name: string }[]): Matcher {
  const columns = inputs.map(({ column }) => column);
  /** Key → the first row with it that is not taken, or the last. */
  const head = new Map<string, number>();
  const last = new Map<string, number>();
  const next = new Int32Array(rows.length).fill(-1);
  const several = new Uint8Array(rows.length);
  const taken = new Uint8Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const key = inputsKey(
      columns,
      inputs.map(({ name }) => row.inputs[name] ?? ""),
    );
    const before = last.get(key);
    if (before === undefined) head.set(key, i);
    else {
      next[before] = i;
      several[before] = several[i] = 1;
    }
    last.set(key, i);
  }
  return {
    take(key) {
      const row = head.get(key);
      if (row === undefined) return { row: null, why: "unknown" };
      if (taken[row] === 1) return { row: null, why: "repeated" };
      taken[row] = 1;
      if (next[row]! >= 0) head.set(key, next[row]!);
      return { row };
    },
    shared: (row) => several[row] === 1,
  };
}
