/** Predictions in Parquet: what a finished job keeps. One column a field, nested ones as JSON text. */
import { Prediction } from "../../../schemas/predictions.ts";
import type { SplitName } from "../../../schemas/rows.ts";
import type { DuckDb } from "./duckdb.ts";
import { keepPace } from "./pace.ts";
import { literal } from "./sql.ts";

/** Bytes: 10,000 labels take a tenth of it. DuckDB's buffers grow with it, a set for each thread. */
const LONGEST_LINE = 2_000_000;

/**
 * Writes the lines of a predictions.jsonl into a Parquet file. The line itself is kept as text in `line`, so that reading
 * gives back exactly what was written; the columns beside it are for people who open the file with other tools.
 */
export async function predictionsToParquet(duckdb: DuckDb, jsonl: string, parquet: string): Promise<void> {
  await duckdb.query(
    `COPY (
      SELECT line->>'model' AS model, line->>'row' AS "row", line->>'target' AS target, line->>'split' AS split,
             line->>'label' AS label, CAST(line->>'score' AS DOUBLE) AS score, line->>'problem' AS problem,
             CAST(line AS VARCHAR) AS line
      FROM read_csv(${literal(jsonl)}, columns = {'line': 'JSON'}, delim = '\\x01', quote = '', escape = '', header = false,
                    max_line_size = ${LONGEST_LINE}, buffer_size = ${2 * LONGEST_LINE}, auto_detect = false)
    ) TO ${literal(parquet)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 16384)`,
  );
}

/** Lines taken at once: with hundreds of labels a line has kilobytes. */
const LINES_A_BATCH = 1000;

/** Which predictions of a file are wanted; of what is left out, all. */
export interface WantedPredictions {
  model?: string;
  splits?: readonly SplitName[];
}

/**
 * The predictions of a Parquet file, in the order in which they were made. Others of the thread get their turn meanwhile: with hundreds
 * of labels thousands of rows take seconds.
 */
export async function* readPredictionsParquet(
  duckdb: DuckDb,
  parquet: string,
  { model, splits }: WantedPredictions = {},
): AsyncGenerator<Prediction> {
  const wanted = [
    ...(model === undefined ? [] : [`model = ${literal(model)}`]),
    ...(splits === undefined ? [] : [`split IN (${splits.map(literal).join(", ")})`]),
  ];
  const where = wanted.length === 0 ? "" : ` WHERE ${wanted.join(" AND ")}`;
  const sql = `SELECT line FROM read_parquet(${literal(parquet)})${where}`;
  const pace = keepPace();
  for await (const { data } of duckdb.stream(sql, [], undefined, LINES_A_BATCH)) {
    for (const line of data[0] ?? []) {
      await pace();
      yield Prediction.parse(JSON.parse(line as string));
    }
  }
}
