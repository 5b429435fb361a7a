/**
 * Rounds of fine-tune, review, fine-tune: what the decisions of each bought. Two rounds are compared on the test rows both have, with
 * the same labels, so that nothing but the model differs.
 */
import type { Job } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { Report, Round, Rounds, RoundsChange } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { testRows } from "../confidence/roles.ts";
import { comparePair, pairedDifference } from "../evaluation/compare.ts";
import { roundsWords } from "../evaluation/roundsWords.ts";
import { scoredRowsOf } from "../evaluation/scored.ts";
import { predictionsFile } from "../jobs/predictions.ts";
import { evaluationsOf } from "./artifacts.ts";
import { judgeManyRows } from "./judge.ts";
import { addPrediction, type PredictionsByTarget, readJobRows, readPredictions } from "./predictions.ts";
import type { Session } from "./session.ts";

/** Rounds looked at: older ones are left out. */
const MOST_ROUNDS = 20;

/** A model's rounds, oldest first: its newest evaluation of each artifact. */
export async function roundsOf(session: Session, model: string): Promise<Rounds> {
  const seen = new Set<string>();
  const evaluations: { job: Job; report: Report }[] = [];
  for await (const evaluation of evaluationsOf(session, model)) {
    const { artifact, source } = evaluation.job.models.find(({ name }) => name === model)!;
    const made = artifact?.job ?? source?.sha256 ?? evaluation.job.id;
    if (seen.has(made)) continue;
    seen.add(made);
    evaluations.unshift(evaluation);
    if (evaluations.length === MOST_ROUNDS) break;
  }
  const rounds: Round[] = [];
  let first: TestRows | null = null;
  let before: TestRows | null = null;
  for (const evaluation of evaluations) {
    // A single round is compared with none: its rows, which take long, need not be read.
    const now = evaluations.length > 1 ? await testRowsOf(session, model, evaluation) : null;
    rounds.push({
      ...roundOf(evaluation, model),
      change: before && now && changeBetween(before, now, evaluation.job.seed),
    });
    if (now) first ??= now;
    before = now ?? before;
  }
  const last = evaluations.at(-1);
  const total = first && before && last && first !== before ? changeBetween(first, before, last.job.seed) : null;
  return { model, rounds, total, words: roundsWords({ rounds, total }) };
}

function roundOf({ job, report }: { job: Job; report: Report }, model: string): Omit<Round, "change"> {
  const of = report.models[model]!;
  const rule = of.accept[0]?.rule ?? null;
  const targets: Round["targets"] = {};
  for (const [name, { report: figures }] of Object.entries(of.targets)) {
    if (figures) targets[name] = { n: figures.n, accuracy: figures.averages.accuracy };
  }
  const { train = 0, tune = 0 } = job.data.rows;
  return {
    job: job.id,
    date: report.date,
    decisions: report.decisions,
    trained: train + tune,
    targets,
    coverage: of.accept[0]?.measured?.coverage ?? null,
    certified: rule?.certified ?? false,
    uses: rule && "parts" in rule ? rule.uses : null,
    certainty: rule && "parts" in rule ? rule.certainty : null,
  };
}

/** A round's test rows with its predictions of them, and which it accepts (all their targets). */
interface TestRows {
  job: Job;
  decisions: number;
  rows: Map<string, JobRow>;
  predictions: PredictionsByTarget;
  accepted: Set<string>;
}

/** Null when the predictions are gone, or there were no test rows. */
async function testRowsOf(
  session: Session,
  model: string,
  { job, report }: { job: Job; report: Report },
): Promise<TestRows | null> {
  if (predictionsFile(session.jobs.store.folder(job.id)) === null) return null;
  const rows = new Map<string, JobRow>();
  const predictions: PredictionsByTarget = new Map();
  try {
    for await (const row of readJobRows(session, job.id)) if (row.split === "test") rows.set(row.row, row);
    const wanted = { model, splits: ["test"] } as const;
    for await (const { all: _, ...prediction } of readPredictions(session, job.id, wanted)) {
      addPrediction(predictions, prediction);
    }
  } catch {
    // Damaged files of an old job: its figures stand in its report, they cannot be paired.
    return null;
  }
  if (rows.size === 0 || predictions.size === 0) return null;
  const list = [...rows.values()];
  const { targets } = job.task;
  const judged = await judgeManyRows("test", list, predictions, { model: report.models[model]!, targets });
  const accepted = new Set<string>();
  for (const [i, of] of judged.entries()) {
    if (of.length > 0 && of.every((target) => target.accepted)) accepted.add(list[i]!.row);
  }
  return { job, decisions: report.decisions, rows, predictions, accepted };
}

function changeBetween(before: TestRows, now: TestRows, seed: number): RoundsChange {
  const targets: RoundsChange["targets"] = {};
  for (const target of now.job.task.targets) {
    const [then, since] = [before.predictions.get(target.name), now.predictions.get(target.name)];
    const common = [...now.rows.values()].filter(
      ({ row, labels }) =>
        then?.has(row) && since?.has(row) && labels[target.name] === before.rows.get(row)?.labels[target.name],
    );
    if (common.length === 0) continue;
    const set = (predictions: ReadonlyMap<string, Prediction>) => testRows(scoredRowsOf(common, target, predictions));
    const { n, difference, mcnemar, onlyA, onlyB } = comparePair(set(since!), set(then!), { seed });
    targets[target.name] = { n, difference, mcnemar, gained: onlyA, lost: onlyB };
  }
  const both = [...now.rows.keys()].filter((row) => before.rows.has(row));
  const only = (a: TestRows, b: TestRows) => both.filter((row) => a.accepted.has(row) && !b.accepted.has(row)).length;
  const coverage =
    both.length === 0
      ? null
      : { n: both.length, difference: pairedDifference(both.length, only(now, before), only(before, now)) };
  return { since: before.job.id, decisions: now.decisions - before.decisions, targets, coverage };
}
