/** Predicts the rows of any data file at once, in this process: for `clf predict PROJECT FILE` and the editor. Engine `linear` only. */
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import { createDuckDb } from "../dataset/duckdb.ts";
import { dataFormat } from "../dataset/files.ts";
import { keepPace } from "../dataset/pace.ts";
import { listProblems } from "../dataset/problems.ts";
import { readTable, type Table } from "../dataset/read.ts";
import { textAt } from "../dataset/text-column.ts";
import { setCell } from "./export.ts";
import { type InstantPrediction, predictRows } from "./predict.ts";
import { writeRowsFile } from "./rows-file.ts";
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

/** Columns of a file of predicted rows. */
export function predictedColumns({ project: { inputs, targets } }: Session): string[] {
  const of = (target: string) =>
    ["predicted", "confidence", "accepted", "why_flagged", "set"].map((part) => `${target} ${part}`);
  return ["line", ...inputs.map(({ name }) => name), ...targets.flatMap(({ name }) => of(name))];
}

/** The cells of {@link predictedColumns}, a row at a time. */
export async function* predictedCells(predictions: AsyncIterable<FilePrediction>): AsyncGenerator<string[]> {
  for await (const { line, inputs, targets } of predictions) {
    const of = targets.flatMap(({ label, confidence, accepted, reasons, set }) => [
      label ?? "",
      confidence?.toFixed(4) ?? "",
      accepted === null ? "" : accepted ? "yes" : "no",
      reasons.join(" "),
      set ? setCell(set) : "",
    ]);
    yield [`${line}`, ...Object.values(inputs), ...of];
  }
}

/**
 * Writes the predicted rows of a table into a csv, tsv or jsonl file, whole or not at all.
 * @returns how many
 * @throws WorkflowError when the file cannot be written or the model cannot predict at once; the signal's reason when it is given up
 */
export function writePredictions(
  session: Session,
  model: string,
  table: Table,
  output: string,
  signal?: AbortSignal,
): Promise<number> {
  async function* untilGivenUp(): AsyncGenerator<FilePrediction> {
    for await (const prediction of predictTable(session, model, table)) {
      signal?.throwIfAborted();
      yield prediction;
    }
  }
  return writeRowsFile(output, predictedColumns(session), predictedCells(untilGivenUp()));
}
