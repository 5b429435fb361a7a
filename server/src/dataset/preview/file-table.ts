/**
 * A data file as a table of unbounded size. One pass over the file writes its cells to a file of our own, NUL between cells, whatever
 * the format was, and keeps where each row starts there, and numbers and codes of the cells: a page is then a read at a known
 * place, a search one sweep over bytes. Memory grows with the number of rows, not with their length.
 */
import { readSync, writeSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem } from "../../../../schemas/problem.ts";
import type { DuckDb } from "../duckdb.ts";
import type { DataFile } from "../files.ts";
import { keepPace, type Pace } from "../pace.ts";
import { listProblems } from "../problems.ts";
import { type RecordSink, readColumnNames, readRecords } from "../read.ts";
import type { Fields } from "../record.ts";
import { type ColumnCounter, columnCounter } from "./column-counter.ts";
import { growingInts, growingNumbers } from "./growing.ts";
import { markMatches, stretches } from "./search.ts";
import type { DataTable } from "./table.ts";

export interface FileTable {
  /** What has been read by now. */
  now(): DataTable;
  readonly complete: boolean;
  /** Share of the file's bytes that has been read. */
  readonly read: number;
  problems(): Problem[];
  /** Settles when the whole file has been read. */
  readonly reading: Promise<void>;
  /** Resolves once `rows` rows are there, or all. */
  atLeast(rows: number): Promise<void>;
  close(): Promise<void>;
}

export interface FileTableOptions {
  duckdb: DuckDb;
  /** Called from time to time while the file is read. */
  onMore?: () => void;
  /** Stop after about this many rows: for a first look. */
  mostRows?: number;
}

const BUFFER = 1 << 20;
/** Milliseconds between two calls of `onMore`. */
const TELL_EVERY = 400;
/** Bytes read at once for a page. */
const RUN = 4 << 20;
/** Stands for a NUL in a cell, which would end it. */
const SYMBOL_FOR_NUL = "\u2400";

export async function openFileTable(file: DataFile, options: FileTableOptions): Promise<FileTable> {
  const { duckdb, onMore, mostRows = Number.POSITIVE_INFINITY } = options;
  const problems = listProblems();
  const stop = new AbortController();
  const names = await readColumnNames(file, { duckdb, problems: listProblems(), pace: keepPace() });
  const columns = names.map((name, i) => columnCounter(name, i));

  const folder = await mkdtemp(join(tmpdir(), "clf-preview-"));
  const path = join(folder, "cells");
  const spool: FileHandle = await open(path, "wx+", 0o600);
  // On POSIX the file has no name from here on: nothing of it is left, however this process ends.
  const nameless = process.platform !== "win32";
  if (nameless) await rm(folder, { recursive: true });

  let buffer = Buffer.allocUnsafe(BUFFER);
  let used = 0;
  let written = 0;
  const offsets = growingNumbers();
  const lines = growingInts();
  const hashes = growingNumbers();
  let rows = 0;
  let complete = false;
  let closed = false;
  let read = 0;
  let repeated: Uint8Array | undefined;
  let waiting: { rows: number; resolve: () => void }[] = [];

  function flush(): void {
    for (let at = 0; at < used; ) at += writeSync(spool.fd, buffer, at, used - at, written + at);
    written += used;
    used = 0;
  }
  function reserve(bytes: number): void {
    if (used + bytes <= buffer.length) return;
    flush();
    if (bytes > buffer.length) buffer = Buffer.allocUnsafe(bytes);
  }

  // Two hashes of 32 bits, of which 53 are kept: two of a million rows are taken for one with a chance of 1 in 18,000.
  let high = 0;
  let low = 0;
  function endCell(column: ColumnCounter, start: number): void {
    const end = used;
    let characters = 0;
    for (let at = start; at < end; at++) {
      const byte = buffer[at]!;
      if ((byte & 0xc0) !== 0x80) characters++;
      high = Math.imul(high ^ byte, 0x01000193);
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
    }
    high = Math.imul(high ^ 0x1ff, 0x01000193);
    low = Math.imul(low ^ 0x2ff, 0x5bd1e995);
    column.add(buffer, start, end, characters);
    buffer[used++] = 0;
  }
  function endRow(): void {
    rows++;
    hashes.push((high >>> 0) * 2 ** 21 + ((low >>> 0) & 0x1fffff));
  }

  const sink: RecordSink = {
    count: 0,
    row(line) {
      if (sink.count > 0) endRow();
      sink.count++;
      offsets.push(written + used);
      lines.push(line);
      high = 0x811c9dc5 | 0;
      low = 0x9747b28c | 0;
    },
    appendField(column, fields: Fields, field) {
      const start = fields.starts[field]!;
      const end = fields.ends[field]!;
      reserve(end - start + 1);
      const from = used;
      if (fields.doubled[field] === 0) used += fields.buffer.copy(buffer, used, start, end);
      else {
        for (let at = start; at < end; at++) {
          const byte = fields.buffer[at]!;
          buffer[used++] = byte;
          if (byte === 0x22) at++;
        }
      }
      endCell(columns[column]!, from);
    },
    appendText(column, text) {
      const clean = text.includes("\0") ? text.replaceAll("\0", SYMBOL_FOR_NUL) : text;
      reserve(clean.length * 3 + 1);
      const from = used;
      used += buffer.write(clean, used, "utf8");
      endCell(columns[column]!, from);
    },
  };

  function wake(): void {
    const all = complete || closed;
    const ready = waiting.filter((each) => all || each.rows <= rows);
    if (ready.length === 0) return;
    waiting = waiting.filter((each) => !all && each.rows > rows);
    for (const { resolve } of ready) resolve();
  }

  let told = performance.now();
  const turn = keepPace(stop.signal);
  const pace: Pace = () => {
    wake();
    if (rows >= mostRows) stop.abort();
    if (performance.now() - told > TELL_EVERY) {
      told = performance.now();
      onMore?.();
    }
    return turn();
  };

  async function readAll(): Promise<void> {
    try {
      await readRecords(
        file,
        names.map((name) => ({ name, as: "text", optionalInPool: false })),
        sink,
        {
          duckdb,
          problems,
          pace,
          signal: stop.signal,
          onProgress: (done, total) => (read = total > 0 ? done / total : 0),
        },
      );
    } catch (error) {
      if (!stop.signal.aborted) {
        problems.add({
          severity: "error",
          code: "preview-ended",
          message: `The preview of ${file.name} ends here: ${(error as Error).message}. It keeps a copy of the cells in ${tmpdir()}: is there room?`,
          file: file.path,
        });
      }
    }
    if (closed) return;
    if (sink.count > rows) endRow();
    offsets.push(written + used);
    flush();
    // What the last buffers were is not needed again.
    buffer = Buffer.allocUnsafe(0);
    for (const column of columns) column.finish(rows);
    repeated = rows < mostRows ? findRepeated(hashes.values.subarray(0, rows)) : undefined;
    complete = rows < mostRows;
    read = complete ? 1 : read;
    wake();
    onMore?.();
  }

  /** Spool bytes [start, end). */
  async function bytes(start: number, end: number): Promise<Buffer> {
    if (end > written) flush();
    const piece = Buffer.allocUnsafe(end - start);
    for (let at = 0; at < piece.length; ) {
      const { bytesRead } = await spool.read(piece, at, piece.length - at, start + at);
      if (bytesRead === 0)
        throw new Error(`The copy of ${file.name} that the preview made ended early: open the preview again.`);
      at += bytesRead;
    }
    return piece;
  }

  let scratch = Buffer.allocUnsafe(0);
  /** As `bytes`, one stretch after the other into the same memory: what was just written is still in the system's cache. */
  function sweep(start: number, end: number): string {
    if (end > written) flush();
    if (scratch.length < end - start) scratch = Buffer.allocUnsafe(end - start);
    let at = 0;
    while (at < end - start) {
      const count = readSync(spool.fd, scratch, at, end - start - at, start + at);
      if (count === 0) break;
      at += count;
    }
    return scratch.toString("latin1", 0, at);
  }

  let last: { table: DataTable; complete: boolean } | undefined;
  function now(): DataTable {
    if (last?.table.count !== rows || last.complete !== complete) last = { table: snapshot(), complete };
    return last.table;
  }

  function snapshot(): DataTable {
    const count = rows;
    // Where the row after the last one starts is there as well: the row that is being read, or the end.
    const bounds = offsets.values;
    const stored = {
      count,
      offsets: bounds,
      latin1: sweep,
    };
    return {
      count,
      columns: columns.map((column) => column.now()),
      async cells(wanted, longest) {
        const found: string[][] = new Array(wanted.length);
        for (let i = 0; i < wanted.length; ) {
          let next = i + 1;
          const start = bounds[wanted[i]!]!;
          while (
            next < wanted.length &&
            wanted[next] === wanted[next - 1]! + 1 &&
            bounds[wanted[next]! + 1]! - start <= RUN
          )
            next++;
          const piece = await bytes(start, bounds[wanted[next - 1]! + 1]!);
          let at = 0;
          for (; i < next; i++) {
            const cells: string[] = [];
            for (let c = 0; c < columns.length; c++) {
              const stop = piece.indexOf(0, at);
              cells.push(cutText(piece, at, stop, longest));
              at = stop + 1;
            }
            found[i] = cells;
          }
        }
        return found;
      },
      async search(needle, column, turn) {
        const marks = new Uint8Array(count);
        if (column === undefined) await markMatches(stored, needle, marks, turn);
        else
          await markMatches(stored, needle, marks, turn, (text, start, at) => cellsBefore(text, start, at) === column);
        return marks;
      },
      async beginnings(column, length, turn) {
        const found: string[] = new Array(count);
        for (const [from, to] of stretches(bounds, count)) {
          await turn();
          const base = bounds[from]!;
          const piece = await bytes(base, bounds[to]!);
          for (let row = from; row < to; row++) {
            let at = bounds[row]! - base;
            for (let c = 0; c < column; c++) at = piece.indexOf(0, at) + 1;
            found[row] = cutText(piece, at, piece.indexOf(0, at), length).toLowerCase();
          }
        }
        return found;
      },
      repeated: () => repeated,
      async alike(row, limit) {
        if (!repeated || repeated[row] === 0) return [];
        const hash = hashes.values[row]!;
        const others: number[] = [];
        for (let other = 0; other < count && others.length < limit; other++) {
          if (other !== row && hashes.values[other] === hash) others.push(other);
        }
        return others;
      },
      lines(row) {
        if (file.format === "parquet") return undefined;
        const first = lines.values[row]!;
        // Blank lines between two rows count to the first: where it ends is not kept.
        const last = row + 1 < lines.count ? lines.values[row + 1]! - 1 : first;
        return { first, last: Math.max(first, last) };
      },
    };
  }

  const reading = readAll();
  reading.catch(() => {});
  return {
    now,
    reading,
    get complete() {
      return complete;
    },
    get read() {
      return read;
    },
    problems: () => problems.finish(),
    async atLeast(wanted) {
      if (complete || rows >= wanted) return;
      await Promise.race([new Promise<void>((resolve) => waiting.push({ rows: wanted, resolve })), reading]);
    },
    async close() {
      if (closed) return;
      closed = true;
      stop.abort();
      wake();
      await reading.catch(() => {});
      await spool.close();
      if (!nameless) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Cells of a row that end before a place. */
function cellsBefore(text: string, rowStart: number, at: number): number {
  let cells = 0;
  for (let i = text.indexOf("\0", rowStart); i >= 0 && i < at; i = text.indexOf("\0", i + 1)) cells++;
  return cells;
}

/** Bytes [start, end) as text, at most about `longest` of them, and never half a character. */
export function cutText(bytes: Buffer, start: number, end: number, longest: number): string {
  if (end - start <= longest) return bytes.toString("utf8", start, end);
  let stop = start + longest;
  while (stop > start && (bytes[stop]! & 0xc0) === 0x80) stop--;
  return bytes.toString("utf8", start, stop);
}

/** 1 where a number stands more than once. */
function findRepeated(values: Float64Array): Uint8Array {
  const sorted = values.slice().sort();
  const twice = new Set<number>();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) twice.add(sorted[i]!);
  const marks = new Uint8Array(values.length);
  if (twice.size > 0) for (let i = 0; i < values.length; i++) if (twice.has(values[i]!)) marks[i] = 1;
  return marks;
}
