/** What the columns of a data file look like, for a new project. Looks at the first rows only. */
import type { DuckDb } from "./duckdb.ts";
import { dataFormat } from "./files.ts";
import { literal } from "./sql.ts";

/** What a column is probably for. */
export type ColumnUse = "input" | "target" | "id" | "group" | "split" | "other";

export interface GuessedColumn {
  name: string;
  guess: ColumnUse;
  /** Different values among the rows looked at. */
  distinct: number;
  empty: number;
  /** The most frequent values, most frequent first, cut to 80 characters. */
  examples: string[];
  /** For a target: its labels among the rows looked at, most frequent first. */
  labels: { name: string; rows: number }[];
}

export interface Guess {
  /** Rows looked at, at most {@link LOOKED_AT}. */
  rows: number;
  columns: GuessedColumn[];
}

const LOOKED_AT = 5000;
/** A target has at most this many labels, and each of them stands for several rows on average. */
const MOST_LABELS = 400;
const ROWS_A_LABEL = 3;
const SPLIT_NAMES = new Set(["train", "validation", "valid", "val", "dev", "test"]);
/** Words in the names of columns that people call labels. */
const LABEL_NAME =
  /(^|[^a-z])(label|class|category|intent|topic|type|sentiment|target|cause|nature|part|status|reason)/i;

function reader(file: string): string {
  const known = dataFormat(file);
  if (!known) throw new Error(`${file} is not a kind of file that can be read. Use csv, tsv, jsonl, json or parquet.`);
  const path = literal(file);
  switch (known.format) {
    case "parquet":
      return `read_parquet(${path})`;
    case "csv":
    case "tsv":
      return `read_csv(${path}, all_varchar = true, header = true, ignore_errors = true, null_padding = true${known.format === "tsv" ? ", delim = '\\t'" : ""})`;
    case "jsonl":
      return `read_json(${path}, format = 'newline_delimited', ignore_errors = true)`;
    case "json":
      return `read_json(${path}, format = 'array')`;
  }
}

/** @throws Error for a person when the file cannot be read */
export async function guessColumns(file: string, duckdb: DuckDb): Promise<Guess> {
  const { columns, data } = await duckdb.query(
    `SELECT COLUMNS(*)::VARCHAR FROM (SELECT * FROM ${reader(file)} LIMIT ${LOOKED_AT})`,
  );
  const rows = data[0]?.length ?? 0;
  const guessed = columns.map(({ name }, i) =>
    describe(
      name,
      data[i]!.map((cell) => String(cell ?? "")),
    ),
  );
  assignUses(guessed, rows);
  return { rows, columns: guessed.map(({ length: _, ...column }) => column) };
}

interface Described extends GuessedColumn {
  /** Mean length of the values that are not empty. */
  length: number;
}

function describe(name: string, values: string[]): Described {
  const counts = new Map<string, number>();
  let empty = 0;
  let characters = 0;
  for (const value of values) {
    const text = value.trim();
    if (text === "") empty++;
    else {
      counts.set(text, (counts.get(text) ?? 0) + 1);
      characters += text.length;
    }
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]);
  return {
    name,
    guess: "other",
    distinct: counts.size,
    empty,
    examples: frequent.slice(0, 5).map(([text]) => (text.length > 80 ? `${text.slice(0, 79)}…` : text)),
    labels: frequent.slice(0, MOST_LABELS).map(([label, n]) => ({ name: label, rows: n })),
    length: characters / Math.max(1, values.length - empty),
  };
}

/** The longest varied text is the input, columns of few short values are targets, a column of distinct short values is the id. */
function assignUses(columns: Described[], rows: number): void {
  for (const column of columns) {
    const filled = rows - column.empty;
    const values = column.labels.map(({ name }) => name.toLowerCase());
    if (column.distinct >= 2 && values.length > 0 && values.every((value) => SPLIT_NAMES.has(value)))
      column.guess = "split";
    else if (
      filled === rows &&
      column.distinct === rows &&
      rows > 1 &&
      column.length <= 64 &&
      /(^|_|\b)(id|uuid|key|number|no)$/i.test(column.name)
    )
      column.guess = "id";
  }
  const free = columns.filter(({ guess }) => guess === "other");
  const text = [...free].sort(
    (a, b) => b.length * Math.min(1, b.distinct / 20) - a.length * Math.min(1, a.distinct / 20),
  )[0];
  if (text && text.distinct > 1) text.guess = "input";
  const candidates = free.filter(
    (column) =>
      column !== text &&
      column.distinct >= 2 &&
      column.distinct <= MOST_LABELS &&
      rows - column.empty >= ROWS_A_LABEL * column.distinct &&
      column.length <= 80 &&
      !column.labels.slice(0, 20).every(({ name }) => /^[-+]?[\d.,:/ ]+$/.test(name)),
  );
  const named = candidates.filter(({ name }) => LABEL_NAME.test(name));
  for (const column of named.length > 0 ? named : candidates.slice(-1)) column.guess = "target";
  for (const column of columns) if (column.guess !== "target") column.labels = [];
}
