/** The columns of a project's data and their values, from the first megabytes: for completion and hover. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { fieldText, parseDelimited } from "../dataset/delimited.ts";
import type { DuckDb } from "../dataset/duckdb.ts";
import { type DataFile, findFiles } from "../dataset/files.ts";
import { cellText, parseJsonLines, parseJsonList } from "../dataset/json-records.ts";
import { listProblems } from "../dataset/problems.ts";
import { confine } from "../project/paths.ts";
import type { Project } from "../project/project.ts";
import { MOST_VALUES, type SampledColumn } from "./data-protocol.ts";

/** Bytes (unpacked) read of each file, and files looked into. */
const BYTES = 4 << 20;
const FILES = 10;
const LONGEST_VALUE = 100;

type Source = Project["spec"]["dataset"]["source"];

/** Columns in the order of the files. Files that cannot be read are passed over: the data check speaks of them. */
export async function sampleColumns(
  folder: string,
  source: Source,
  duckdb: DuckDb,
  signal: AbortSignal,
): Promise<SampledColumn[]> {
  const columns = new Map<string, Tally>();
  const files = await filesOf(folder, source);
  for (const file of files.slice(0, FILES)) {
    signal.throwIfAborted();
    try {
      if (file.format === "parquet") await sampleParquet(file, columns, duckdb, signal);
      else await sampleText(file, columns, signal);
    } catch {
      signal.throwIfAborted();
    }
  }
  return [...columns.values()].map(({ name, rows, empty, counts, overflown }) => ({
    name,
    rows,
    empty,
    values: [...counts].sort((a, b) => b[1] - a[1]),
    distinct: overflown ? null : counts.size,
  }));
}

/** The labelled data's files, as far as the project may read them. */
export async function filesOf(folder: string, source: Source): Promise<DataFile[]> {
  const named = typeof source === "object" && !Array.isArray(source) ? Object.values(source).flat() : [source].flat();
  for (const path of named) {
    if (path !== undefined && "refused" in (await confine(folder, path))) return [];
  }
  const project = { folder, file: "", spec: { dataset: { source } } } as unknown as Project;
  return findFiles(project, listProblems()).catch(() => []);
}

interface Tally {
  name: string;
  rows: number;
  empty: number;
  counts: Map<string, number>;
  overflown: boolean;
}

function add(columns: Map<string, Tally>, name: string, text: string): void {
  let tally = columns.get(name);
  if (!tally) columns.set(name, (tally = { name, rows: 0, empty: 0, counts: new Map(), overflown: false }));
  tally.rows++;
  const value = text.trim().slice(0, LONGEST_VALUE);
  if (value === "") tally.empty++;
  else if (tally.counts.has(value) || tally.counts.size < MOST_VALUES) {
    tally.counts.set(value, (tally.counts.get(value) ?? 0) + 1);
  } else tally.overflown = true;
}

async function sampleText(file: DataFile, columns: Map<string, Tally>, signal: AbortSignal): Promise<void> {
  const ignore = { fault: () => {} };
  let names: string[] = [];
  const object = (record: Record<string, unknown>, source: () => Record<string, unknown>) => {
    for (const name of Object.keys(record)) add(columns, name, cellText(record, source, name));
  };
  const parser =
    file.format === "jsonl"
      ? parseJsonLines({ object, ...ignore })
      : file.format === "json"
        ? parseJsonList({ object, ...ignore })
        : parseDelimited(
            {
              header(found) {
                names = found;
                for (const name of names) if (name !== "" && !columns.has(name)) columns.set(name, newTally(name));
                return true;
              },
              row(fields) {
                for (const [i, name] of names.entries()) if (name !== "") add(columns, name, fieldText(fields, i));
              },
              ...ignore,
            },
            file.format === "tsv" ? "\t" : undefined,
          );
  const raw = createReadStream(file.path, { signal, end: file.gzip ? undefined : BYTES - 1 });
  const stream: Readable = file.gzip ? raw.pipe(createGunzip()) : raw;
  if (file.gzip) raw.on("error", (error) => stream.destroy(error));
  let read = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const mark = read === 0 && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 3 : 0;
      read += chunk.length;
      if (!parser.push(chunk.subarray(mark)) || read >= BYTES) break;
    }
    if (read < BYTES) parser.end();
  } finally {
    stream.destroy();
    raw.destroy();
  }
}

const newTally = (name: string): Tally => ({ name, rows: 0, empty: 0, counts: new Map(), overflown: false });

async function sampleParquet(
  file: DataFile,
  columns: Map<string, Tally>,
  duckdb: DuckDb,
  signal: AbortSignal,
): Promise<void> {
  const { columns: found, data } = await duckdb.query("SELECT * FROM read_parquet(?) LIMIT 5000", [file.path], signal);
  for (const [i, { name }] of found.entries()) {
    if (!columns.has(name)) columns.set(name, newTally(name));
    for (const cell of data[i] ?? []) add(columns, name, cell === null || cell === undefined ? "" : String(cell));
  }
}
