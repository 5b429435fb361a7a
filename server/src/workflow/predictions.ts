/** A job's rows and predictions, whichever form they are in. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Prediction } from "../../../schemas/predictions.ts";
import { JobRow } from "../../../schemas/rows.ts";
import { readPredictionsParquet, type WantedPredictions } from "../dataset/predictions-parquet.ts";
import { wholeLines } from "../jobs/lines.ts";
import { predictionsFile } from "../jobs/predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

/** The rows of a job, in the order of the data. @throws WorkflowError when they are missing or cannot be read */
export async function* readJobRows(session: Session, job: string): AsyncGenerator<JobRow> {
  const file = join(session.jobs.store.folder(job), "data", "rows.jsonl");
  if (!existsSync(file)) throw new WorkflowError(`The rows of job ${job} are missing. ${AGAIN}`);
  for await (const line of wholeLines(file)) {
    const row = JobRow.safeParse(jsonOf(line.text));
    if (!row.success) throw new WorkflowError(`The rows of job ${job} are damaged. ${AGAIN}`);
    yield row.data;
  }
}

const AGAIN = "Delete the job and run it again.";

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * In the order in which they were made; nothing for a job without any.
 * @param wanted saves reading the others
 * @throws WorkflowError when the file cannot be read
 */
export async function* readPredictions(
  session: Session,
  job: string,
  wanted: WantedPredictions = {},
): AsyncGenerator<Prediction> {
  const file = predictionsFile(session.jobs.store.folder(job));
  try {
    if (file?.format === "parquet") yield* readPredictionsParquet(session.duckdb, file.path, wanted);
    else if (file) {
      for await (const line of wholeLines(file.path)) {
        const prediction = Prediction.parse(JSON.parse(line.text));
        if (isWanted(prediction, wanted)) yield prediction;
      }
    }
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    throw new WorkflowError(`The predictions of job ${job} cannot be read: ${why} ${AGAIN}`);
  }
}

const isWanted = (of: Prediction, { model = of.model, splits = [of.split] }: WantedPredictions): boolean =>
  of.model === model && splits.includes(of.split);

/** By target, then row. */
export type PredictionsByTarget = Map<string, Map<string, Prediction>>;

export function addPrediction(to: PredictionsByTarget, prediction: Prediction): void {
  const of = to.get(prediction.target) ?? new Map<string, Prediction>();
  to.set(prediction.target, of.set(prediction.row, prediction));
}
