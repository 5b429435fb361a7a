import { setImmediate as nextTurn } from "node:timers/promises";
import { lowerCase, type TermOptions, visitTerms } from "./terms.ts";

/**
 * How often each term stands in each row, as compressed sparse rows over shared memory, so that worker threads read them
 * without a copy. Made once for a set of rows and shared by all targets, folds and regularisation values: what
 * depends on the rows trained on (document frequencies) is worked out from it in {@link ./weighting.ts}.
 */
export interface TermCounts {
  readonly rows: number;
  /** Entries of row i: starts[i] up to starts[i + 1]. */
  readonly starts: Float64Array<SharedArrayBuffer>;
  /** Term number of each entry. */
  readonly terms: Int32Array<SharedArrayBuffer>;
  /** How often, at most 255. */
  readonly counts: Uint8Array<SharedArrayBuffer>;
  /** Hash of each term, by term number. */
  readonly hashes: Int32Array<SharedArrayBuffer>;
  /** Most entries in a row. */
  readonly longestRow: number;
  readonly options: CountOptions;
}

export interface CountOptions extends TermOptions {
  /** Terms in fewer rows are left out, here and again in every subset of the rows that is fitted on. */
  readonly minRows: number;
}

const ROWS_A_TURN = 2000;
const CHUNK = 1 << 22;

/**
 * @param texts for every row the text of each input column
 * @throws the signal's reason when aborted
 */
export async function countTerms(
  texts: readonly (readonly string[])[],
  options: CountOptions,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (rows: number) => void } = {},
): Promise<TermCounts> {
  const table = new TermTable(1 << 16);
  const starts = new Float64Array(new SharedArrayBuffer((texts.length + 1) * 8));
  const termChunks: Int32Array[] = [];
  const countChunks: Uint8Array[] = [];
  let termChunk = new Int32Array(0);
  let countChunk = new Uint8Array(0);
  let entries = 0;

  let row = 0;
  let rowTerms = new Int32Array(1024);
  let rowLength = 0;
  const visit = (hash: number) => {
    const term = table.add(hash);
    if (table.lastRow[term] === row + 1) {
      if (table.countInRow[term]! < 255) table.countInRow[term]!++;
      return;
    }
    table.lastRow[term] = row + 1;
    table.countInRow[term] = 1;
    if (rowLength === rowTerms.length) {
      const larger = new Int32Array(rowLength * 2);
      larger.set(rowTerms);
      rowTerms = larger;
    }
    rowTerms[rowLength++] = term;
  };

  for (row = 0; row < texts.length; row++) {
    if (row % ROWS_A_TURN === 0) {
      onProgress?.(row);
      await nextTurn();
      signal?.throwIfAborted();
    }
    rowLength = 0;
    const columns = texts[row]!;
    for (let column = 0; column < columns.length; column++) {
      visitTerms(lowerCase(columns[column]!), column, options, visit);
    }
    for (let i = 0; i < rowLength; i++) {
      const term = rowTerms[i]!;
      const offset = entries % CHUNK;
      if (offset === 0) {
        // The first chunk of a small set stays small.
        termChunks.push((termChunk = new Int32Array(CHUNK)));
        countChunks.push((countChunk = new Uint8Array(CHUNK)));
      }
      termChunk[offset] = term;
      countChunk[offset] = table.countInRow[term]!;
      table.rowsWith[term]!++;
      entries++;
    }
    starts[row + 1] = entries;
  }
  onProgress?.(texts.length);

  return compact(table, starts, termChunks, countChunks, options);
}

/** Drops terms in too few rows and numbers the rest again, in the order they were met. */
function compact(
  table: TermTable,
  starts: Float64Array<SharedArrayBuffer>,
  termChunks: Int32Array[],
  countChunks: Uint8Array[],
  options: CountOptions,
): TermCounts {
  const renumbered = new Int32Array(table.size).fill(-1);
  let terms = 0;
  let kept = 0;
  for (let term = 0; term < table.size; term++) {
    if (table.rowsWith[term]! < options.minRows) continue;
    renumbered[term] = terms++;
    kept += table.rowsWith[term]!;
  }
  const hashes = new Int32Array(new SharedArrayBuffer(terms * 4));
  for (let term = 0; term < table.size; term++) {
    if (renumbered[term]! >= 0) hashes[renumbered[term]!] = table.hashes[term]!;
  }
  const keptTerms = new Int32Array(new SharedArrayBuffer(kept * 4));
  const keptCounts = new Uint8Array(new SharedArrayBuffer(kept));
  const rows = starts.length - 1;
  let longestRow = 0;
  let from = 0;
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const end = starts[row + 1]!;
    const rowStart = to;
    for (; from < end; from++) {
      const chunk = Math.floor(from / CHUNK);
      const offset = from % CHUNK;
      const term = renumbered[termChunks[chunk]![offset]!]!;
      if (term < 0) continue;
      keptTerms[to] = term;
      keptCounts[to] = countChunks[chunk]![offset]!;
      to++;
    }
    starts[row + 1] = to;
    longestRow = Math.max(longestRow, to - rowStart);
  }
  return {
    rows,
    starts,
    terms: keptTerms,
    counts: keptCounts,
    hashes,
    longestRow,
    options,
  };
}

/** Hash → term number by open addressing; columns of facts by term number. Grows as terms come. */
class TermTable {
  size = 0;
  hashes: Int32Array;
  rowsWith: Int32Array;
  lastRow: Int32Array;
  countInRow: Uint8Array;
  /** Slot → term number + 1; 0 is empty. At most half full. */
  private slots: Int32Array;

  constructor(capacity: number) {
    this.hashes = new Int32Array(capacity);
    this.rowsWith = new Int32Array(capacity);
    this.lastRow = new Int32Array(capacity);
    this.countInRow = new Uint8Array(capacity);
    this.slots = new Int32Array(capacity * 2);
  }

  /** Number of the term, which is new when not met before. */
  add(hash: number): number {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = this.slots[slot]!;
      if (entry === 0) break;
      if (this.hashes[entry - 1] === hash) return entry - 1;
      slot = (slot + 1) & mask;
    }
    if (this.size === this.hashes.length) {
      this.grow();
      return this.add(hash);
    }
    this.hashes[this.size] = hash;
    this.slots[slot] = ++this.size;
    return this.size - 1;
  }

  private grow(): void {
    const capacity = this.hashes.length * 2;
    this.hashes = enlarged(this.hashes, new Int32Array(capacity));
    this.rowsWith = enlarged(this.rowsWith, new Int32Array(capacity));
    this.lastRow = enlarged(this.lastRow, new Int32Array(capacity));
    this.countInRow = enlarged(this.countInRow, new Uint8Array(capacity));
    this.slots = new Int32Array(capacity * 2);
    const mask = this.slots.length - 1;
    for (let term = 0; term < this.size; term++) {
      let slot = this.hashes[term]! & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = term + 1;
    }
  }
}

function enlarged<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
