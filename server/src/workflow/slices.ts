/** A model's test figures by the values of any column of the data (DESIGN §5.5): where it is worse than on the whole. */
import type { JobRow } from "../../../schemas/rows.ts";
import { calibrate } from "../confidence/calibrate.ts";
import { testRows } from "../confidence/roles.ts";
import { indexOf } from "../dataset/rows.ts";
import { textAt } from "../dataset/text-column.ts";
import { reportSlices, type SliceReport } from "../evaluation/metrics.ts";
import { scoredRowsOf } from "../evaluation/scored.ts";
import { newestEvaluation, readReport } from "./artifacts.ts";
import type { ProjectData } from "./data.ts";
import { judgeManyRows } from "./judge.ts";
import { addPrediction, type PredictionsByTarget, readJobRows, readPredictions } from "./predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

export interface Slices {
  job: string;
  /** By target name, most frequent value first; rows whose value is empty, or that left the data, are left out. */
  targets: Record<string, SliceReport[]>;
}

async function evaluationAt(session: Session, id: string) {
  const report = await readReport(session, id);
  return report && { job: (await session.jobs.store.read(id)).job, report };
}

/**
 * @param data read with `column` kept (`columns` of its options)
 * @param evaluation by default the model's newest
 * @throws WorkflowError when the model has not been evaluated on test rows
 */
export async function slicesOf(
  session: Session,
  data: ProjectData,
  model: string,
  column: string,
  evaluation?: string,
): Promise<Slices> {
  const found = await (evaluation === undefined ? newestEvaluation(session, model) : evaluationAt(session, evaluation));
  if (!found?.report.models[model])
    throw new WorkflowError(`Model "${model}" has not been evaluated yet. Evaluate it first.`);
  const { job, report } = found;
  const rows: JobRow[] = [];
  for await (const row of readJobRows(session, job.id)) if (row.split === "test") rows.push(row);
  if (rows.length === 0) throw new WorkflowError(`Job ${job.id} has no test rows: there is nothing to report on.`);
  const predictions: PredictionsByTarget = new Map();
  for await (const prediction of readPredictions(session, job.id, { model, splits: ["test"] })) {
    addPrediction(predictions, prediction);
  }
  const rules = { model: report.models[model]!, targets: job.task.targets };
  const judged = await judgeManyRows("test", rows, predictions, rules);

  const { dataset } = data;
  const values = dataset.rows.columns.get(column)!;
  const at = indexOf(dataset.rows);
  const numbers = new Map<string, number>();
  const codes = rows.map(({ row }) => {
    const i = at.get(row);
    const value = i === undefined ? "" : textAt(values, i).trim();
    if (value === "") return -1;
    const code = numbers.get(value) ?? numbers.size;
    numbers.set(value, code);
    return code;
  });
  const targets: Slices["targets"] = {};
  for (const target of job.task.targets) {
    const scored = scoredRowsOf(rows, target, predictions.get(target.name) ?? new Map());
    const set = calibrate(testRows(scored), rules.model.targets[target.name]!.calibrator);
    const accepted = Uint8Array.from(judged, (of) =>
      of.some((seen) => seen.target === target.name && seen.accepted) ? 1 : 0,
    );
    targets[target.name] = reportSlices(set, codes, [...numbers.keys()], accepted);
  }
  return { job: job.id, targets };
}
