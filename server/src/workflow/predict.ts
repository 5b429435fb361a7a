/** Predicts a few rows at once, in this process: for "try it", hovers and `clf predict --text`. Engine `linear` only. */
import { join } from "node:path";
import type { FlagReason } from "../../../schemas/decisions.ts";
import type { LabelSet } from "../../../schemas/predictions.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import type { WordWeight } from "../engines/engine.ts";
import { explainRow, type LoadedLinear, loadLinear, predictRow } from "../engines/linear/engine.ts";
import { currentFineTune, modelSpec, newestEvaluation } from "./artifacts.ts";
import { judgeRows } from "./judge.ts";
import { addPrediction, type PredictionsByTarget } from "./predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

export interface InstantPrediction {
  target: string;
  label: string | null;
  /** Null while the model has not been evaluated: an uncalibrated score is no confidence. */
  confidence: number | null;
  /** Likeliest labels; calibrated where `confidence` is. */
  top: [string, number][];
  /** Null while there is no accept rule. */
  accepted: boolean | null;
  reasons: FlagReason[];
  /** Null where the row is accepted, or nothing is known of the model's rows yet. */
  set: LabelSet | null;
  /** The words that mattered, heaviest first. */
  words: WordWeight[];
}

/** Models stay loaded while their artifact is the current one. */
const loaded = new Map<string, Promise<LoadedLinear[]>>();

async function modelsOf(session: Session, model: string): Promise<{ job: string; models: LoadedLinear[] }> {
  if (modelSpec(session, model).engine !== "linear") {
    throw new WorkflowError(
      `Model "${model}" cannot predict at once: only engine linear can. Start a prediction job instead.`,
    );
  }
  const job = await currentFineTune(session, model);
  if (!job) throw new WorkflowError(`Model "${model}" has not been fine-tuned as it now stands. Fine-tune it first.`);
  const folder = join(session.jobs.store.folder(job.id), "model");
  let found = loaded.get(folder);
  if (!found) {
    loaded.clear();
    loaded.set(folder, (found = loadLinear(folder)));
    found.catch(() => loaded.delete(folder));
  }
  return { job: job.id, models: await found };
}

/** @param inputs names of the inputs, in the order of the fine-tune */
export async function linearPredictions(
  loaded: readonly LoadedLinear[],
  rows: readonly JobRow[],
  inputs: readonly string[],
  model: string,
): Promise<PredictionsByTarget> {
  const predictions: PredictionsByTarget = new Map();
  for (const each of loaded) {
    for (const row of rows) addPrediction(predictions, await predictRow(each, row, inputs, model));
  }
  return predictions;
}

/**
 * @param rows the inputs of each row, by input name; a missing input is the empty text
 * @param options.words false leaves the words that mattered out
 */
export async function predictRows(
  session: Session,
  model: string,
  rows: readonly Record<string, string>[],
  options: { words?: boolean } = {},
): Promise<InstantPrediction[][]> {
  const { job, models } = await modelsOf(session, model);
  const names = session.project.inputs.map(({ name }) => name);
  const evaluation = await newestEvaluation(session, model);
  const found = evaluation?.report.models[model];
  // Calibration and certificate are of the artifact that was evaluated, and of no other.
  const report = found?.artifact === job ? found : undefined;
  const jobRows = rows.map((inputs, i): JobRow => ({ row: `${i}`, split: "pool", inputs, labels: {} }));
  const predictions = await linearPredictions(models, jobRows, names, model);
  const judged =
    evaluation && report
      ? judgeRows("pool", jobRows, predictions, { model: report, targets: evaluation.job.task.targets })
      : null;
  return jobRows.map((row, i) =>
    models.map((each): InstantPrediction => {
      const prediction = predictions.get(each.target)!.get(row.row)!;
      const seen = judged?.[i]?.find(({ target }) => target === each.target);
      return {
        target: each.target,
        label: prediction.label,
        confidence: seen?.confidence ?? null,
        top: seen?.top ?? prediction.top.slice(0, 10),
        accepted: seen?.accepted ?? null,
        reasons: seen?.reasons ?? [],
        set: seen?.set ?? null,
        words: options.words === false ? [] : explainRow(each, row, names),
      };
    }),
  );
}
