/** What blind re-labelling of random validation rows says of certificates (DESIGN §5.4). */
import type { Decision } from "../../../schemas/decisions.ts";
import type { Job } from "../../../schemas/job.ts";
import type { AcceptDecision, ModelReport, Report } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { type BlindJudgement, estimateLabelNoise, type LabelNoiseEstimate } from "../confidence/labelNoise.ts";
import { verdictOf } from "../evaluation/verdict.ts";
import { isRandomBlind } from "../review/apply.ts";
import { foldDecisions } from "../review/fold.ts";
import type { JudgedRow } from "./flagged.ts";
import { type Judged, judgeRows } from "./judge.ts";
import { addPrediction, type PredictionsByTarget, readJobRows, readPredictions } from "./predictions.ts";
import type { Session } from "./session.ts";

/** Row → target → the label of a person who saw neither label nor prediction; null: skipped, or none of the labels fits. */
export type Relabelled = ReadonlyMap<string, ReadonlyMap<string, string | null>>;

const isRelabel = (decision: Decision | undefined): decision is Decision =>
  decision !== undefined && isRandomBlind(decision) && decision.reasons.includes("relabel");

/** What people said of the rows drawn for re-labelling. */
export function relabelledRows(decisions: readonly Decision[]): Relabelled {
  const relabelled = new Map<string, Map<string, string | null>>();
  for (const [row, targets] of foldDecisions(decisions)) {
    const of = new Map<string, string | null>();
    for (const [target, { current, skipped }] of targets) {
      if (isRelabel(current)) of.set(target, current.after);
      else if (current === undefined && isRelabel(skipped)) of.set(target, null);
    }
    if (of.size > 0) relabelled.set(row, of);
  }
  return relabelled;
}

/** The report with the estimate beside each certificate; as it is while nobody has labelled a row of it again. */
export async function withLabelNoise(session: Session, job: Job, report: Report): Promise<Report> {
  const relabelled = relabelledRows((await session.decisions.read()).decisions);
  if (relabelled.size === 0) return report;
  const rows: JobRow[] = [];
  for await (const row of readJobRows(session, job.id)) {
    if (row.split === "validation" && relabelled.has(row.row)) rows.push(row);
  }
  if (rows.length === 0) return report;
  const wanted = new Set(rows.map(({ row }) => row));
  const predictions = new Map<string, PredictionsByTarget>();
  for await (const prediction of readPredictions(session, job.id, { splits: ["validation"] })) {
    if (!wanted.has(prediction.row)) continue;
    const ofModel: PredictionsByTarget = predictions.get(prediction.model) ?? new Map();
    addPrediction(ofModel, prediction);
    predictions.set(prediction.model, ofModel);
  }
  const models: Report["models"] = {};
  for (const [name, model] of Object.entries(report.models)) {
    const judged = judgeRows("validation", rows, predictions.get(name) ?? new Map(), {
      model,
      targets: job.task.targets,
    });
    models[name] = { ...model, accept: model.accept.map((decision) => beside(decision, rows, judged, relabelled)) };
  }
  const known = { ...report, models };
  return { ...known, verdict: verdictOf(known) };
}

function beside(
  decision: AcceptDecision,
  rows: readonly JobRow[],
  judged: readonly Judged[][],
  relabelled: Relabelled,
): ModelReport["accept"][number] {
  const labelNoise = noiseBeside(
    decision,
    rows.map((row, i) => ({ row, targets: judged[i]! })),
    relabelled,
  );
  const { rule } = decision;
  if (labelNoise === null) return decision;
  if (rule === null || !("parts" in rule)) return { ...decision, labelNoise };
  const labelSource = `${rule.labelSource}; ${labelNoise.judged} random validation rows labelled again, blind`;
  return { ...decision, rule: { ...rule, labelSource }, labelNoise };
}

/**
 * The estimate for one accept decision; null without a row of which all its targets were labelled again.
 * @param rows validation rows that were labelled again
 */
export function noiseBeside(
  decision: Pick<AcceptDecision, "targets">,
  rows: readonly Pick<JudgedRow, "row" | "targets">[],
  relabelled: Relabelled,
): LabelNoiseEstimate | null {
  const sample = rows.flatMap(({ row, targets }): BlindJudgement[] => {
    const of = decision.targets.map((target) => {
      const seen = targets.find((each) => each.target === target);
      const said = relabelled.get(row.row)!.get(target);
      return { given: row.labels[target] ?? null, said, predicted: seen?.label ?? null, accepted: seen?.accepted };
    });
    // A row that is decided as a whole counts once each of its targets has been labelled again.
    if (of.some(({ given, said }) => given === null || said === undefined)) return [];
    const whole = (labels: readonly (string | null | undefined)[]): string | null =>
      labels.some((label) => label == null) ? null : JSON.stringify(labels);
    return [
      {
        given: whole(of.map(({ given }) => given))!,
        judged: whole(of.map(({ said }) => said)),
        predicted: whole(of.map(({ predicted }) => predicted)),
        accepted: of.every(({ accepted }) => accepted === true),
      },
    ];
  });
  return sample.length === 0 ? null : estimateLabelNoise(sample);
}
