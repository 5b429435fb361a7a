/** A job's predictions, whichever form they are in. */
import { Prediction } from "../../../schemas/predictions.ts";
import { readPredictionsParquet } from "../dataset/predictions-parquet.ts";
import { wholeLines } from "../jobs/lines.ts";
import { predictionsFile } from "../jobs/predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

/**
 * In the order in which they were made; nothing for a job without any.
 * @throws WorkflowError when the file cannot be read
 */
export async function* readPredictions(session: Session, job: string): AsyncGenerator<Prediction> {
  const file = predictionsFile(session.jobs.store.folder(job));
  try {
    if (file?.format === "parquet") yield* readPredictionsParquet(session.duckdb, file.path);
    else if (file) for await (const line of wholeLines(file.path)) yield Prediction.parse(JSON.parse(line.text));
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    throw new WorkflowError(`The predictions of job ${job} cannot be read: ${why} Delete the job and run it again.`);
  }
}
