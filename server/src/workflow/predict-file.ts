/** Predicts the rows of any data file at once, in this process: for `clf predict PROJECT FILE`. Engine `linear` only. */
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import { createDuckDb } from "../dataset/duckdb.ts";
import { dataFormat } from "../dataset/files.ts";
import { keepPace } from "../dataset/pace.ts";
import { listProblems } from "../dataset/problems.ts";
import { readTable, type Table } from "../dataset/read.ts";
import { textAt } from "../dataset/text-column.ts";
import { type InstantPrediction, predictRows } from "./predict.ts";
import { type Session, WorkflowError } from "./session.ts";

export interface FilePrediction {
  /** Where the row starts, from 1; in a Parquet file its number. */
  line: number;
  inputs: Record<string, string>;
  targets: InstantPrediction[];
}

const ROWS_A_BATCH = 256;

/**
 * The file's rows in their order. It may lie anywhere and needs the input columns alone.
 * @throws WorkflowError when the file is of no known format or the model cannot predict at once
 */
export async function readFileToPredict(
  session: Session,
  file: string,
): Promise<{ table: Table; problems: Problem[] }> {
  const path = resolve(file);
  const known = dataFormat(path);
  if (!known) throw new WorkflowError(`${file} must be a csv, tsv, jsonl, json or parquet file (.gz is fine).`);
  const problems = listProblems();
  const duckdb = createDuckDb({ folder: dirname(path) });
  try {
    const table = await readTable(
      [{ path, name: basename(path), role: "source", ...known, bytes: (await stat(path)).size }],
      session.project.inputs.map(({ column }) => ({ name: column, as: "text", optionalInPool: false })),
      { duckdb, problems, pace: keepPace() },
    );
    return { table, problems: problems.finish() };
  } finally {
    await duckdb.close();
  }
}

export async function* predictTable(session: Session, model: string, table: Table): AsyncGenerator<FilePrediction> {
  const columns = session.project.inputs.map(({ name, column }) => ({ name, text: table.text.get(column)! }));
  for (let start = 0; start < table.count; start += ROWS_A_BATCH) {
    const count = Math.min(ROWS_A_BATCH, table.count - start);
    const rows = Array.from({ length: count }, (_, k) =>
      Object.fromEntries(columns.map(({ name, text }) => [name, textAt(text, start + k)])),
    );
    const predicted = await predictRows(session, model, rows, { words: false });
    for (const [k, targets] of predicted.entries()) {
      yield { line: table.line[start + k]!, inputs: rows[k]!, targets };
    }
  }
}
