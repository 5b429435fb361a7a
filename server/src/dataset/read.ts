/**
 * Reads the project's data files into columns. Values are text, as they stand in the file: no type is guessed, nothing is
 * trimmed. A missing value is the empty text.
 */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { closest, didYouMean } from "../project/suggest.ts";
import { type DelimitedParser, fieldText, parseDelimited } from "./delimited.ts";
import { type DuckDb, DuckDbError } from "./duckdb.ts";
import type { DataFile } from "./files.ts";
import { cellText, type JsonParser, parseJsonLines, parseJsonList } from "./json-records.ts";
import type { Pace } from "./pace.ts";
import { lineRange, type ProblemList, quoted } from "./problems.ts";
import type { Fields, RecordFault } from "./record.ts";
import { plainPath, textOf } from "./sql.ts";
import { buildTextColumn, type TextColumn, type TextColumnBuilder } from "./text-column.ts";

/** A column to read. */
export interface WantedColumn {
  name: string;
  /** `text` for what differs from row to row; `coded` for what repeats (labels, groups, splits). */
  as: "text" | "coded";
  /** Files of the pool may lack it. */
  optionalInPool: boolean;
}

/** A column of few different values: row i has `values[codes[i]]`. Value 0 is the empty text. */
export interface CodedColumn {
  codes: Int32Array;
  values: string[];
}

/** Rows of all files, in order of files then lines. */
export interface Table {
  count: number;
  files: DataFile[];
  /** Row → index into `files`. */
  file: Int32Array;
  /** Row → 1-based line where it starts; in a Parquet file its 1-based row number. */
  line: Int32Array;
  text: Map<string, TextColumn>;
  coded: Map<string, CodedColumn>;
  /** File → names of all its columns; the keys of the first record for JSON. */
  columns: string[][];
}

export interface ReadOptions {
  duckdb: DuckDb;
  problems: ProblemList;
  pace: Pace;
  signal?: AbortSignal;
  /** Bytes read so far, of all files. */
  onProgress?: (done: number, total: number) => void;
}

const CHUNK = 1 << 20;

/** Reads `wanted` columns of all files. What cannot be read becomes a problem; the rest is returned. */
export async function readTable(files: DataFile[], wanted: WantedColumn[], options: ReadOptions): Promise<Table> {
  const sink = createSink(wanted);
  const columns: string[][] = [];
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  for (const [index, file] of files.entries()) {
    const start = sink.count;
    const { errors } = options.problems;
    sink.file = index;
    const progress = (done: number): void => options.onProgress?.(before + Math.min(done, file.bytes), total);
    columns.push(
      file.format === "parquet"
        ? await readParquet(file, wanted, sink, options)
        : await readText(file, wanted, sink, options, progress),
    );
    before += file.bytes;
    progress(0);
    if (sink.count === start && columns[index]!.length > 0 && options.problems.errors === errors) {
      options.problems.add({
        severity: file.role === "pool" ? "warning" : "error",
        code: "no-rows",
        message: `${file.name} has a header but no rows.`,
        file: file.path,
        range: lineRange(1),
      });
    }
  }
  return { ...sink.finish(), files, columns };
}

/** Takes the rows of a file as they are read. */
export interface RecordSink {
  /** Rows so far. */
  count: number;
  /** Starts a row; then one `append` a wanted column, in their order. */
  row(line: number): void;
  appendField(column: number, fields: Fields, field: number): void;
  appendText(column: number, text: string): void;
}

interface Sink extends RecordSink {
  file: number;
  finish(): Omit<Table, "files" | "columns">;
}

/** Reads one file row by row; nothing of it is kept. What cannot be read becomes a problem. */
export async function readRecords(
  file: DataFile,
  wanted: WantedColumn[],
  sink: RecordSink,
  options: ReadOptions,
): Promise<void> {
  const progress = (done: number): void => options.onProgress?.(Math.min(done, file.bytes), file.bytes);
  if (file.format === "parquet") await readParquet(file, wanted, sink, options);
  else await readText(file, wanted, sink, options, progress);
}

/**
 * Names of a file's columns, the keys of the first record for JSON, without reading further. Empty, with a problem, when
 * there are none to read.
 */
export async function readColumnNames(file: DataFile, options: ReadOptions): Promise<string[]> {
  const nothing: RecordSink = { count: 0, row() {}, appendField() {}, appendText() {} };
  if (file.format === "parquet") return readParquet(file, [], nothing, options, true);
  return readText(file, [], nothing, options, () => {}, true);
}

function createSink(wanted: WantedColumn[]): Sink {
  const file = growingInts();
  const line = growingInts();
  const texts: (TextColumnBuilder | undefined)[] = [];
  const coded: ({ codes: GrowingInts; index: Map<string, number> } | undefined)[] = [];
  for (const { as } of wanted) {
    texts.push(as === "text" ? buildTextColumn() : undefined);
    coded.push(as === "coded" ? { codes: growingInts(), index: new Map([["", 0]]) } : undefined);
  }
  const sink: Sink = {
    count: 0,
    file: 0,
    row(at) {
      file.push(sink.file);
      line.push(at);
      sink.count++;
    },
    appendField(column, fields, field) {
      const text = texts[column];
      if (text && fields.doubled[field] === 0) {
        text.appendBytes(fields.buffer, fields.starts[field]!, fields.ends[field]!);
      } else sink.appendText(column, fieldText(fields, field));
    },
    appendText(column, value) {
      const text = texts[column];
      if (text) {
        text.appendText(value);
        return;
      }
      const { codes, index } = coded[column]!;
      let code = index.get(value);
      if (code === undefined) index.set(value, (code = index.size));
      codes.push(code);
    },
    finish() {
      const table = {
        count: sink.count,
        file: file.finish(),
        line: line.finish(),
        text: new Map<string, TextColumn>(),
        coded: new Map<string, CodedColumn>(),
      };
      for (const [i, { name }] of wanted.entries()) {
        if (texts[i]) table.text.set(name, texts[i].finish());
        else table.coded.set(name, { codes: coded[i]!.codes.finish(), values: [...coded[i]!.index.keys()] });
      }
      return table;
    },
  };
  return sink;
}

interface GrowingInts {
  push(value: number): void;
  finish(): Int32Array;
}

function growingInts(): GrowingInts {
  let values = new Int32Array(1 << 10);
  let used = 0;
  return {
    push(value) {
      if (used === values.length) {
        const grown = new Int32Array(used * 2);
        grown.set(values);
        values = grown;
      }
      values[used++] = value;
    },
    finish: () => values.slice(0, used),
  };
}

/** Index of each wanted column among the file's, -1 where the file may lack it; undefined when it lacks one it must have. */
function matchColumns(names: string[], wanted: WantedColumn[], file: DataFile, line: number, problems: ProblemList) {
  let usable = true;
  const seen = new Set<string>();
  for (const name of names) {
    const twice = seen.has(name);
    seen.add(name);
    if (!twice || name === "") continue;
    const used = wanted.some((w) => w.name === name);
    if (used) usable = false;
    problems.add({
      severity: used ? "error" : "warning",
      code: "duplicate-column",
      message: `Two columns of ${file.name} are named ${quoted(name)}. ${used ? "Give each a name of its own." : "Neither is used."}`,
      file: file.path,
      range: lineRange(line),
      column: name,
    });
  }
  const places: number[] = [];
  for (const { name, optionalInPool } of wanted) {
    const place = names.indexOf(name);
    if (place < 0 && !(file.role === "pool" && optionalInPool)) {
      usable = false;
      problems.add(missingColumn(name, names, file, line));
    }
    places.push(place);
  }
  return usable ? places : undefined;
}

function missingColumn(name: string, names: string[], file: DataFile, line?: number) {
  const suggestions = closest(name, names);
  const listed = names.slice(0, 20).map((n) => quoted(n, 40));
  if (names.length > 20) listed.push(`… (${names.length} in all)`);
  return {
    severity: "error" as const,
    code: "missing-column",
    message: `${file.name} has no column ${quoted(name)}.${didYouMean(suggestions)} Its columns: ${listed.join(", ")}.`,
    file: file.path,
    range: line === undefined ? undefined : lineRange(line),
    column: name,
    suggestions: suggestions.length > 0 ? suggestions : undefined,
  };
}

/** @param namesOnly stop once the columns are known */
async function readText(
  file: DataFile,
  wanted: WantedColumn[],
  sink: RecordSink,
  { problems, pace, signal }: ReadOptions,
  progress: (done: number) => void,
  namesOnly = false,
): Promise<string[]> {
  let columns: string[] = [];
  let fatal = false;

  function fault({ code, message, line, character, fatal: ends }: RecordFault): void {
    if (ends) fatal = true;
    if (!problems.wants(code, file.path)) return;
    problems.add({ severity: "error", code, message, file: file.path, range: lineRange(line, character) });
  }

  function openParser(): DelimitedParser | JsonParser {
    if (file.format === "csv" || file.format === "tsv") {
      let places: number[] = [];
      return parseDelimited(
        {
          header(names, line) {
            columns = names;
            const found = matchColumns(names, wanted, file, line, problems);
            if (!found) return false;
            places = found;
            return !namesOnly;
          },
          row(fields, line) {
            sink.row(line);
            for (let i = 0; i < places.length; i++) {
              if (places[i]! < 0) sink.appendText(i, "");
              else sink.appendField(i, fields, places[i]!);
            }
          },
          fault,
        },
        file.format === "tsv" ? "\t" : undefined,
      );
    }
    const open = file.format === "jsonl" ? parseJsonLines : parseJsonList;
    return open({
      object(object, source, line) {
        if (columns.length === 0) columns = Object.keys(object);
        sink.row(line);
        for (const [i, { name }] of wanted.entries()) {
          if (Object.hasOwn(object, name)) found[i] = 1;
          sink.appendText(i, cellText(object, source, name));
        }
      },
      fault,
    });
  }

  const found = new Uint8Array(wanted.length);
  const parser = openParser();
  let first = true;
  let bytes = 0;
  /** The beginning of a character whose other bytes are still to come. */
  let broken: Buffer = Buffer.alloc(0);
  const raw = createReadStream(file.path, { highWaterMark: CHUNK, signal });
  raw.on("data", (chunk) => progress((bytes += chunk.length)));
  const stream: Readable = file.gzip ? raw.pipe(createGunzip({ chunkSize: CHUNK })) : raw;
  if (file.gzip) raw.on("error", (error) => stream.destroy(error));
  let offset = 0;
  const start = sink.count;
  const errorsBefore = problems.errors;
  try {
    for await (const read of stream) {
      await pace();
      let chunk = broken.length > 0 ? Buffer.concat([broken, read as Buffer]) : (read as Buffer);
      if (first) {
        // A short first read is only met in tests of files of a few bytes: a byte order mark is whole or absent.
        const wide = utf16Fault(chunk);
        if (wide) {
          fault(wide);
          break;
        }
        if (chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) {
          chunk = chunk.subarray(3);
          offset += 3;
        }
        first = false;
      }
      const whole = chunk.length - unfinishedBytes(chunk);
      broken = chunk.subarray(whole);
      chunk = chunk.subarray(0, whole);
      const bad = firstBadByte(chunk);
      if (bad >= 0) {
        parser.push(chunk.subarray(0, bad));
        fault(encodingFault(chunk, bad, offset + bad, parser.nextLine()));
        break;
      }
      offset += chunk.length;
      const more = chunk.length === 0 || parser.push(chunk);
      if (namesOnly && columns.length > 0) return columns;
      if (!more) break;
    }
    if (broken.length > 0 && !fatal) fault(encodingFault(broken, 0, offset, parser.nextLine()));
    else if (!fatal) parser.end();
  } catch (error) {
    signal?.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const gzip = code.startsWith("Z_") || code.startsWith("ERR_ZLIB");
    problems.add({
      severity: "error",
      code: gzip ? "bad-gzip" : "unreadable-file",
      message: gzip
        ? `${file.name} is not a whole gzip file (${(error as Error).message}): pack it again, or name it without .gz if it is not packed.`
        : `${file.name} cannot be read: ${(error as Error).message}.`,
      file: file.path,
    });
    fatal = true;
  } finally {
    stream.destroy();
    raw.destroy();
  }
  if (columns.length === 0 && problems.errors === errorsBefore) {
    problems.add({ severity: "error", code: "empty-file", message: `${file.name} is empty.`, file: file.path });
  } else if ((file.format === "jsonl" || file.format === "json") && sink.count > start) {
    for (const [i, { name, optionalInPool }] of wanted.entries()) {
      if (found[i] === 1 || (file.role === "pool" && optionalInPool)) continue;
      problems.add(missingColumn(name, columns, file));
    }
  }
  return columns;
}

/** How many bytes at the end begin a character that is not finished. */
function unfinishedBytes(chunk: Buffer): number {
  for (let back = 1; back <= Math.min(3, chunk.length); back++) {
    const byte = chunk[chunk.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** Place of the first byte that is not UTF-8, or is NUL; -1 when there is none. */
function firstBadByte(chunk: Buffer): number {
  const nul = chunk.indexOf(0);
  if (isUtf8(chunk)) return nul;
  let at = 0;
  while (at < chunk.length) {
    const byte = chunk[at]!;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (byte === 0 || (byte >= 0x80 && !isUtf8(chunk.subarray(at, at + length)))) break;
    at += length;
  }
  return at;
}

function encodingFault(chunk: Buffer, at: number, offset: number, line: number): RecordFault {
  const byte = chunk[at]!;
  if (byte === 0) {
    return {
      code: "nul-byte",
      message: `A NUL byte stands at byte ${offset.toLocaleString("en-US")}. The file is binary, damaged, or UTF-16: save it as UTF-8 text.`,
      line,
      fatal: true,
    };
  }
  return {
    code: "not-utf8",
    message: `The file is not UTF-8: byte 0x${byte.toString(16)} at byte ${offset.toLocaleString("en-US")}. It is probably Windows-1252 or Latin-1; save it as UTF-8 (in Excel: "CSV UTF-8"). Nothing from here on is read.`,
    line,
    fatal: true,
  };
}

function utf16Fault(chunk: Buffer): RecordFault | undefined {
  const little = chunk[0] === 0xff && chunk[1] === 0xfe;
  if (!little && !(chunk[0] === 0xfe && chunk[1] === 0xff)) return undefined;
  return {
    code: "utf16",
    message: `The file is UTF-16 (${little ? "little" : "big"} endian), as Excel's "Unicode text" and PowerShell write it. Save it as UTF-8.`,
    line: 1,
    fatal: true,
  };
}

/** Cells come as strings in messages: both processes hold a batch, and what of the ones before is not yet collected. */
const ROWS_A_BATCH = 4096;

async function readParquet(
  file: DataFile,
  wanted: WantedColumn[],
  sink: RecordSink,
  { duckdb, problems, pace, signal }: ReadOptions,
  namesOnly = false,
): Promise<string[]> {
  try {
    const path = plainPath(file.path);
    const described = await duckdb.query("DESCRIBE SELECT * FROM read_parquet($1)", [path], signal);
    const names = described.data[0] as string[];
    const types = described.data[1] as string[];
    const places = matchColumns(names, wanted, file, 1, problems);
    if (!places || namesOnly) return names;
    const cells = places.map((place, i) => (place < 0 ? "''" : textOf(wanted[i]!.name, types[place]!)));
    let line = 1;
    const rows = `SELECT ${cells.join(", ")} FROM read_parquet($1)`;
    for await (const { data } of duckdb.stream(rows, [path], signal, ROWS_A_BATCH)) {
      for (let row = 0; row < (data[0]?.length ?? 0); row++) {
        sink.row(line++);
        for (let i = 0; i < data.length; i++) sink.appendText(i, data[i]![row] as string);
      }
      await pace();
    }
    return names;
  } catch (error) {
    if (!(error instanceof DuckDbError)) throw error;
    problems.add({
      severity: "error",
      code: "unreadable-file",
      message: `${file.name} cannot be read as Parquet: ${error.message.split("\n")[0]}`,
      file: file.path,
    });
    return [];
  }
}
