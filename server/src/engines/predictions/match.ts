/** Finds the row that a record of the file speaks of: by its id, or by its inputs. */
import type { JobRow, SplitName } from "../../../../schemas/rows.ts";
import { contentId } from "../../dataset/rows.ts";

export interface Matcher {
  /**
   * Index of the row of the next record with this key; why there is none otherwise: no row has it, all that have it have
   * their record already, or none of those is asked for.
   */
  take(key: string): { row: number } | { row: null; why: "unknown" | "repeated" | "not-asked" };
  /** Whether other rows that are asked for have the same key as this one. */
  shared(row: number): boolean;
}

/** By row id. The n-th record of an id that stands more than once is of row `id#n`, as rows are named. */
export function matchById(rows: readonly JobRow[], asked: ReadonlySet<SplitName>): Matcher {
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
      let row = take(id);
      if (row === undefined) {
        if (!index.has(id)) return { row: null, why: "unknown" };
        const n = (repeats.get(id) ?? 1) + 1;
        repeats.set(id, n);
        row = take(`${id}#${n}`);
        if (row === undefined) return { row: null, why: "repeated" };
      }
      return asked.has(rows[row]!.split) ? { row } : { row: null, why: "not-asked" };
    },
    shared: () => false,
  };
}

/** The key of a record or row by its inputs. */
export function inputsKey(columns: string[], texts: string[]): string {
  return contentId(columns, texts);
}

/** By inputs. Records with the same inputs are of the rows asked for that have them, in order. */
export function matchByInputs(
  rows: readonly JobRow[],
  inputs: readonly { column: string; name: string }[],
  asked: ReadonlySet<SplitName>,
): Matcher {
  const columns = inputs.map(({ column }) => column);
  /** Key → the first row with it that is not taken, or the last. */
  const head = new Map<string, number>();
  const last = new Map<string, number>();
  const others = new Set<string>();
  const next = new Int32Array(rows.length).fill(-1);
  const several = new Uint8Array(rows.length);
  const taken = new Uint8Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const key = inputsKey(
      columns,
      inputs.map(({ name }) => row.inputs[name] ?? ""),
    );
    if (!asked.has(row.split)) {
      others.add(key);
      continue;
    }
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
      if (row === undefined) return { row: null, why: others.has(key) ? "not-asked" : "unknown" };
      if (taken[row] === 1) return { row: null, why: others.has(key) ? "not-asked" : "repeated" };
      taken[row] = 1;
      if (next[row]! >= 0) head.set(key, next[row]!);
      return { row };
    },
    shared: (row) => several[row] === 1,
  };
}
