/** The report of an evaluation or comparison: every model assessed, every pair compared, and what changed since the last time. */
import type { Job } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { Change, Comparison, Report } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { subset, testRows } from "../confidence/roles.ts";
import { type Assessment, assessModel, type RunFigures } from "./assess.ts";
import { compareModels, comparePair } from "./compare.ts";
import type { ModelPredictions } from "./reported.ts";
import { scoredRowsOf } from "./scored.ts";
import { verdictOf } from "./verdict.ts";

/** What is known of one model when its predictions are complete. */
export interface EvaluatedModel {
  predictions: ModelPredictions;
  figures: RunFigures;
  /** Models and rounds certified on the same validation rows, this one included. */
  uses: number;
  /** The evaluation before of the same model, if there is one. */
  previous: PreviousEvaluation | null;
}

/** What a later evaluation needs of an earlier one. */
export interface PreviousEvaluation {
  job: string;
  date: string;
  decisions: number;
  /** Accepted share of test rows then; null when nothing could be accepted. */
  accepted: number | null;
  /** Its test predictions, by target name, then row id. */
  predictions: ReadonlyMap<string, ReadonlyMap<string, Prediction>>;
}

/**
 * @param models by model name; every model of the job
 * @param date of the report, ISO
 */
export function buildReport(
  job: Job,
  rows: readonly JobRow[],
  models: ReadonlyMap<string, EvaluatedModel>,
  date: string,
): Report {
  const assessments = new Map<string, Assessment>();
  for (const model of job.models) {
    const evaluated = models.get(model.name)!;
    assessments.set(
      model.name,
      assessModel(job, model, rows, evaluated.predictions, evaluated.figures, evaluated.uses),
    );
  }
  const counts: Partial<Record<JobRow["split"], number>> = {};
  for (const row of rows) counts[row.split] = (counts[row.split] ?? 0) + 1;
  const report: Report = {
    contract: 1,
    job: job.id,
    kind: job.kind === "compare" ? "compare" : "evaluate",
    project: job.project.name,
    date,
    rows: counts,
    decisions: job.data.decisions,
    data: job.data.fingerprint,
    seed: job.seed,
    versions: job.versions,
    verdict: [],
    models: Object.fromEntries([...assessments].map(([name, { report }]) => [name, report])),
    comparisons: comparisonsOf(job, assessments),
    changes: job.models.flatMap((model) => {
      const { previous } = models.get(model.name)!;
      return previous ? [changeOf(job, model.name, rows, assessments.get(model.name)!, previous)] : [];
    }),
  };
  return { ...report, verdict: verdictOf(report) };
}

function comparisonsOf(job: Job, assessments: ReadonlyMap<string, Assessment>): Comparison[] {
  return job.task.targets.flatMap((target) => {
    const sets = [...assessments].flatMap(([name, { reported }]) => {
      const set = reported.get(target.name);
      return set ? [{ name, set }] : [];
    });
    return compareModels(sets, { seed: job.seed }).map(({ a, b, ...pair }) => ({ a, b, target: target.name, pair }));
  });
}

/** Accepted share of the reported rows under the first accept decision; null when nothing can be accepted. */
export function acceptedShare(report: Report["models"][string]): number | null {
  return report.accept[0]?.measured?.coverage?.value ?? null;
}

function changeOf(
  job: Job,
  model: string,
  rows: readonly JobRow[],
  assessment: Assessment,
  previous: PreviousEvaluation,
): Change {
  const targets: Change["targets"] = {};
  for (const target of job.task.targets) {
    const before = previous.predictions.get(target.name);
    const now = assessment.reported.get(target.name);
    if (!before || now?.role !== "test") continue;
    const common = rows.filter((row) => row.split === "test" && before.has(row.row));
    if (common.length === 0) continue;
    const ids = new Set(common.map((row) => row.row));
    const which = (now.rows.ids ?? []).flatMap((id, i) => (ids.has(id) ? [i] : []));
    const then = testRows(scoredRowsOf(common, target, before));
    targets[target.name] = comparePair(subset(now, which), then, { seed: job.seed });
  }
  return {
    model,
    previous: previous.job,
    previous_date: previous.date,
    decisions_before: previous.decisions,
    decisions_now: job.data.decisions,
    targets,
    accepted_before: previous.accepted,
    accepted_now: acceptedShare(assessment.report),
  };
}
