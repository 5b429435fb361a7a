/** The rows that wait for a person: the review model's predictions, judged, less what has been decided. */
import type { FlagReason } from "../../../schemas/decisions.ts";
import type { Job } from "../../../schemas/job.ts";
import type { Report } from "../../../schemas/report.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import { indexOf, type Rows, rowLabel, SPLITS } from "../dataset/rows.ts";
import { predictionsFile } from "../jobs/predictions.ts";
import { whole } from "../numbers.ts";
import { drawCount, drawPosition } from "../review/draws.ts";
import type { Verdicts } from "../review/fold.ts";
import type { ReviewItem } from "../review/queue.ts";
import { newestEvaluation, newestPredictions } from "./artifacts.ts";
import { auditPlace, auditStream } from "./audit.ts";
import { type Judged, judgeManyRows, judgeRows, type Rules } from "./judge.ts";
import { addPrediction, type PredictionsByTarget, readJobRows, readPredictions } from "./predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

/** A row with what the model says of each target. */
export interface JudgedRow {
  row: JobRow;
  targets: Judged[];
  /** Place among the rows of its job. */
  position: number;
}

export interface JudgedRows {
  model: string;
  evaluation: { job: Job; report: Report };
  /** The jobs the predictions come from. */
  jobs: string[];
  rows: Map<string, JudgedRow>;
  /** The validation rows that are drawn to be labelled again (`review.relabel`). */
  relabel: Map<string, { place: number; inclusion: number }>;
}

/** Why there is nothing to show, and what to do about it. */
export interface NothingJudged {
  why: string;
}

/**
 * All rows that the model has predicted: pool, validation and test rows from its newest evaluation and predictions, the rows
 * it was trained on from its newest out-of-fold predictions.
 * @param options `most`: of more rows nothing is read, but why is said
 */
export async function judgedRows(
  session: Session,
  model: string,
  { most = Number.POSITIVE_INFINITY }: { most?: number } = {},
): Promise<JudgedRows | NothingJudged> {
  const evaluation = await newestEvaluation(session, model);
  if (!evaluation) {
    return {
      why: `Model "${model}" has not been evaluated yet, so nothing is known of its confidence. Evaluate it first.`,
    };
  }
  const { plain, outOfFold } = await newestPredictions(session, model);
  const rows = new Map<string, JudgedRow>();
  const jobs = new Set<string>();
  const rules = {
    model: evaluation.report.models[model]!,
    targets: evaluation.job.task.targets,
    audited: auditOf(session, evaluation.job, model),
  };
  const parts: Part[] = [
    part(evaluation.job, false, ["validation", "test"]),
    part(judges(evaluation.job, plain, model) ? plain! : evaluation.job, false, ["pool"]),
    part(outOfFold ?? evaluation.job, true, ["train", "tune"]),
  ];
  const count = parts.reduce(
    (sum, { job, splits }) => sum + splits.reduce((rows, split) => rows + (job.data.rows[split] ?? 0), 0),
    0,
  );
  if (count > most) {
    return {
      why: `Model "${model}" has predicted ${whole(count)} rows, and at most ${whole(most)} can be shown here. Review them in parts: name fewer files under dataset.pool. On the command line "clf flagged" and "clf export" take them all.`,
    };
  }
  for (const job of new Set(parts.map((each) => each.job))) {
    await readParts(
      session,
      model,
      job,
      parts.filter((each) => each.job === job),
    );
  }
  for (const { job, folds, splits, predictions, jobRows, positions, open } of parts) {
    if (predictions.size === 0) continue;
    jobs.add(job.id);
    for (const { row, position } of open) {
      rows.set(row.row, { row, targets: judgeOpen(row, predictions, rules), position });
    }
    for (const split of folds ? (["out-of-fold"] as const) : (splits as ("validation" | "test" | "pool")[])) {
      const which = jobRows.flatMap((row, i) => (folds || row.split === split ? [i] : []));
      const judgedPart = which.map((i) => jobRows[i]!);
      for (const [k, targets] of (await judgeManyRows(split, judgedPart, predictions, rules)).entries()) {
        const row = judgedPart[k]!;
        // A row decided for one target is judged out of fold there, and as a row of the pool for the others.
        const waiting = rows.get(row.row)?.targets ?? [];
        rows.set(row.row, { row, targets: [...waiting, ...targets], position: positions[which[k]!]! });
      }
    }
    predictions.clear();
  }
  return { model, evaluation, jobs: [...jobs], rows, relabel: relabelDraw(session, rows.values()) };
}

/** Rows that are judged together, and the job that predicted them. */
interface Part {
  job: Job;
  /** Out of fold. */
  folds: boolean;
  splits: SplitName[];
  predictions: PredictionsByTarget;
  jobRows: JobRow[];
  /** Of each of `jobRows`: its place among the rows of the job. */
  positions: number[];
  /** Rows that joined train for some of their targets, and are predicted as rows of the pool for the others. */
  open: { row: JobRow; position: number }[];
}

const part = (job: Job, folds: boolean, splits: SplitName[]): Part => ({
  job,
  folds,
  splits,
  predictions: new Map(),
  jobRows: [],
  positions: [],
  open: [],
});

/** Fills the parts of one job, whose files are read once. */
async function readParts(session: Session, model: string, job: Job, parts: readonly Part[]): Promise<void> {
  requirePredictions(session, job);
  for await (const prediction of readPredictions(session, job.id, { model })) {
    const folds = prediction.fold !== undefined;
    const into = parts.find((each) => each.folds === folds && each.splits.includes(prediction.split));
    if (into) addPrediction(into.predictions, prediction);
  }
  let position = 0;
  for await (const row of readJobRows(session, job.id)) {
    const into = parts.find(({ splits }) => splits.includes(row.split));
    // Out of fold, a row has predictions of the targets it has a label for.
    if (into && [...into.predictions.values()].some((of) => of.has(row.row))) {
      into.jobRows.push(row);
      into.positions.push(position);
    }
    const pool = row.joined ? parts.find(({ splits }) => splits.includes("pool")) : undefined;
    if (pool && [...pool.predictions.values()].some((of) => of.has(row.row))) pool.open.push({ row, position });
    position++;
  }
}

/**
 * A row of the pool that a person has decided for some of its targets. It waits for the others: a row is accepted when all its
 * targets are, and this one was not.
 */
function judgeOpen(row: JobRow, predictions: Parameters<typeof judgeRows>[2], { model, targets }: Rules): Judged[] {
  const open = targets.filter(({ name }) => predictions.get(name)?.has(row.row));
  const accept = model.accept.map((decision) => ({ ...decision, rule: null }));
  const [judged] = judgeRows("pool", [{ ...row, split: "pool" }], predictions, {
    model: { ...model, accept: accept.filter((decision) => open.some(({ name }) => decision.targets.includes(name))) },
    targets: open,
  });
  return judged!.map((target) => {
    const { rule = null } = model.accept.find((decision) => decision.targets.includes(target.target)) ?? {};
    if (rule === null) return target;
    const reasons = target.reasons.map((reason) => (reason === "no-accept-rule" ? "below-threshold" : reason));
    return { ...target, reasons };
  });
}

/** Name of the draw of validation rows that are labelled again. */
const RELABEL = "relabel";

/** The first `review.relabel` of the validation rows in the order of the draw: any first part of them is a random sample. */
function relabelDraw(session: Session, rows: Iterable<JudgedRow>): JudgedRows["relabel"] {
  const { review, dataset } = session.project.spec;
  const key = { seed: dataset.split.seed, stream: RELABEL };
  const validation: string[] = [];
  for (const { row } of rows) if (row.split === "validation") validation.push(row.row);
  return new Map(
    drawCount(validation, review.relabel, key).map(({ row, inclusion }) => [
      row,
      { place: drawPosition(row, key), inclusion },
    ]),
  );
}

/** @throws WorkflowError when the predictions that the job made are gone: without them nothing would seem to be flagged */
function requirePredictions(session: Session, job: Job): void {
  const { splits, outOfFold } = job.options as { splits?: SplitName[]; outOfFold?: boolean };
  const predicted = (splits ?? []).some((split) => (job.data.rows[split] ?? 0) > 0) || outOfFold === true;
  if (!predicted || predictionsFile(session.jobs.store.folder(job.id)) !== null) return;
  throw new WorkflowError(`The predictions of job ${job.id} are missing. Delete the job and run it again.`);
}

/** Whether predictions are of the artifact that was evaluated: its calibration and certificate hold for no other. */
function judges(evaluation: Job, predictions: Job | null, model: string): boolean {
  const made = (job: Job) => {
    const of = job.models.find(({ name }) => name === model);
    return `${of?.artifact?.job} ${of?.identity}`;
  };
  return predictions !== null && made(predictions) === made(evaluation);
}

/** A seeded hash draws the share `confidence.audit` of accepted rows; the same rows whoever looks. */
export function auditOf(session: Session, job: Job, model: string): NonNullable<Rules["audited"]> {
  const rate = session.project.spec.confidence.audit;
  return (decision) => {
    const stream = auditStream(job, model, decision);
    return (row) => auditPlace(session, stream, row) < rate;
  };
}

/** Why a row is judged without the prediction, and where it stands in the draw. */
export interface Blind {
  why: "audit" | "relabel";
  /** Name of the draw. */
  stream: string;
  /** Place in the draw, 0 to 1. */
  place: number;
  /** Probability with which the row was drawn. */
  inclusion: number;
}

/**
 * Whether a target of a row has been drawn to be judged blind: accepted rows for the audit, random validation rows to be
 * labelled again (DESIGN §5.4, §5.7). Null for all others.
 */
export function blindDraw(
  session: Session,
  judged: JudgedRows,
  { row, targets }: JudgedRow,
  target: string,
): Blind | null {
  const seen = targets.find((each) => each.target === target);
  if (seen === undefined) return null;
  if (row.split === "pool" && seen.reasons.includes("audit")) {
    const { job, report } = judged.evaluation;
    const decision = report.models[judged.model]!.accept.find((each) => each.targets.includes(target))!;
    const stream = auditStream(job, judged.model, decision);
    const inclusion = session.project.spec.confidence.audit;
    return { why: "audit", stream, place: auditPlace(session, stream, row.row), inclusion };
  }
  const drawn = judged.relabel.get(row.row);
  if (drawn === undefined || row.labels[target] == null) return null;
  return { why: "relabel", stream: RELABEL, ...drawn };
}

/** Why a row waits for a person. A row of the pool: whatever keeps it from being accepted. Others: a doubtful label. */
export function reasonsToReview({ row, targets }: JudgedRow, target: string, blind: Blind | null): FlagReason[] {
  const { reasons = [] } = targets.find((each) => each.target === target) ?? {};
  if (row.split === "pool" || (row.labels[target] ?? null) === null) return reasons;
  const doubtful = reasons.filter((reason) => reason === "label-issue");
  return blind?.why === "relabel" ? [...doubtful, "relabel"] : doubtful;
}

/**
 * Judged rows as items of the review queue. Rows of the pool are flagged when they are not accepted. Rows with a label are
 * there already: they come up only when their label is doubtful, or to be labelled again. Of rows that are judged blind the items do not
 * hold what must not be seen.
 */
export function* reviewItems(session: Session, judged: JudgedRows): Generator<ReviewItem> {
  for (const known of judged.rows.values()) {
    const { row, targets, position } = known;
    for (const { target, label, confidence, margin, top, set, issue } of targets) {
      const blind = blindDraw(session, judged, known, target);
      yield {
        row: row.row,
        target,
        ...(blind ? UNSEEN : { label, confidence, margin, top, set: set ?? null }),
        reasons: reasonsToReview(known, target, blind),
        given: blind?.why === "relabel" ? null : (row.labels[target] ?? null),
        issue,
        // Of a row that was decided for another target alone this one waits as in the pool.
        split: row.joined && row.labels[target] == null ? "pool" : row.split,
        position,
        draw: blind?.place,
      };
    }
  }
}

/** Rows on which people disagree and of which the model says nothing: they wait for somebody to settle it all the same. */
export function* unjudgedConflicts(
  rows: Rows,
  judged: JudgedRows | NothingJudged,
  verdicts: Verdicts,
): Generator<ReviewItem> {
  for (const [row, targets] of verdicts) {
    const position = indexOf(rows).get(row);
    if (position === undefined) continue;
    const known = "why" in judged ? [] : (judged.rows.get(row)?.targets ?? []);
    for (const { target, conflict } of targets.values()) {
      const t = rows.targets.findIndex(({ name }) => name === target);
      if (!conflict || t < 0 || known.some((each) => each.target === target)) continue;
      const given = rowLabel(rows, t, position);
      yield { ...UNSEEN, row, target, reasons: [], given, split: SPLITS[rows.split[position]!]!, position };
    }
  }
}

/** What is shown of a prediction that must not be seen. */
const UNSEEN: Pick<ReviewItem, "label" | "confidence" | "margin" | "top" | "set"> = {
  label: null,
  confidence: 0,
  margin: 0,
  top: [],
  set: null,
};
