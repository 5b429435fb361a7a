/** What the plots of a report are drawn from, worked out again from the job's predictions with the report's own calibrators. */
import { join } from "node:path";
import type { Job, JobTarget } from "../../../schemas/job.ts";
import type { Report } from "../../../schemas/report.ts";
import {
  type AcceptCurve,
  CONFIDENCE_UNIT,
  type ReportDetail,
  type ReportedRows,
  type TrainingSeries,
} from "../../../schemas/reportPanel.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { acceptRows } from "../confidence/acceptRule.ts";
import type { ReportRows } from "../confidence/roles.ts";
import { type ModelPredictions, reportedRows, rowsInCommon } from "../evaluation/reported.ts";
import { attemptFolder, parseEvent } from "../jobs/attempt.ts";
import { wholeLines } from "../jobs/lines.ts";
import { readReport } from "./artifacts.ts";
import { addPrediction, readJobRows, readPredictions } from "./predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

/** More points of one figure than a plot can show. */
const MOST_POINTS = 2000;
/** Characters of a row's inputs that are shown. */
const LONGEST_TEXT = 400;

/** @throws WorkflowError when the job's rows or predictions cannot be read */
export async function reportDetail(session: Session, id: string): Promise<ReportDetail> {
  const report = await reportOf(session, id);
  const { job } = await session.jobs.store.read(id);
  const rows: JobRow[] = [];
  for await (const row of readJobRows(session, id)) if (row.split !== "pool") rows.push(row);
  const tested = rows.some(({ split }) => split === "test");
  const wanted = rows.filter(({ split }) => split === (tested ? "test" : "train") || (!tested && split === "tune"));
  const predictions = new Map(
    job.models.map(({ name }) => [name, { plain: new Map(), outOfFold: new Map() } satisfies ModelPredictions]),
  );
  for await (const prediction of readPredictions(session, id)) {
    const folds = prediction.fold !== undefined;
    if (tested ? prediction.split !== "test" : !folds) continue;
    const of = predictions.get(prediction.model);
    if (of) addPrediction(folds ? of.outOfFold : of.plain, prediction);
  }
  const places = new Map<string, number>();
  const models: ReportDetail["models"] = {};
  for (const [name, model] of Object.entries(report.models)) {
    const sets = new Map<string, ReportRows>();
    for (const target of job.task.targets) {
      const of = model.targets[target.name];
      const set = of && reportedRows(job, wanted, target, predictions.get(name)!, of.calibrator);
      if (set) sets.set(target.name, set);
    }
    models[name] = {
      targets: Object.fromEntries([...sets].map(([target, set]) => [target, inColumns(set, tested ? places : null)])),
      curves: model.accept.map(({ targets }) => curveOf(job, targets, sets)),
      training: model.artifact === null ? [] : await trainingOf(session, model.artifact),
    };
  }
  return { ids: [...places.keys()], models };
}

async function reportOf(session: Session, job: string): Promise<Report> {
  const report = await readReport(session, job);
  if (!report) throw new WorkflowError(`Job ${job} has no report that can be read.`);
  return report;
}

const quantised = (confidence: number): number => Math.floor(confidence * CONFIDENCE_UNIT + 1e-9);

/**
 * @param places of the ids so far; null: the rows are not to be shown. Rows that were trained on may be drawn for blind judgement,
 * which nobody should meet with their prediction before.
 */
function inColumns({ rows }: ReportRows, places: Map<string, number> | null): ReportedRows {
  const columns: ReportedRows = { rows: places && [], given: [], predicted: [], confidence: [] };
  for (let i = 0; i < rows.n; i++) {
    if (rows.truth[i]! < 0) continue;
    const predicted = rows.predicted[i]!;
    columns.given.push(rows.truth[i]!);
    columns.predicted.push(predicted);
    columns.confidence.push(predicted < 0 ? 0 : quantised(rows.confidence[i]!));
    if (!places) continue;
    const id = rows.ids![i]!;
    const place = places.get(id) ?? places.size;
    places.set(id, place);
    columns.rows!.push(place);
  }
  return columns;
}

/** By confidence, as the report's table of thresholds. */
function curveOf(job: Job, names: readonly string[], sets: ReadonlyMap<string, ReportRows>): AcceptCurve | null {
  const group = job.task.targets.filter(({ name }) => names.includes(name));
  const found = group.map(({ name }) => sets.get(name));
  if (!found.every((set) => set !== undefined)) return null;
  const common = rowsInCommon(found);
  const targets = group.map(({ name, never = [] }: JobTarget, i) => ({ target: name, set: common[i]!, never }));
  const rows = acceptRows(job.confidence.accept.scope, targets, { by: "confidence" });
  const counts = new Map<number, { rows: number; wrong: number }>();
  let n = 0;
  for (let i = 0; i < rows.n; i++) {
    if (!rows.labelled[i]) continue;
    n++;
    if (rows.score[i]! < 0) continue;
    const confidence = quantised(rows.score[i]!);
    const count = counts.get(confidence) ?? { rows: 0, wrong: 0 };
    count.rows++;
    count.wrong += rows.wrong[i]!;
    counts.set(confidence, count);
  }
  const falling = [...counts].sort(([a], [b]) => b - a);
  return {
    n,
    confidence: falling.map(([confidence]) => confidence),
    rows: falling.map(([, count]) => count.rows),
    wrong: falling.map(([, count]) => count.wrong),
  };
}

/** What the last attempt of a fine-tune reported as it went; nothing when the job is gone. */
async function trainingOf(session: Session, id: string): Promise<TrainingSeries[]> {
  const snapshot = await session.jobs.store.read(id).catch(() => null);
  if (!snapshot) return [];
  const series = new Map<string, TrainingSeries>();
  const file = join(attemptFolder(snapshot.folder, snapshot.attempt.number), "events.jsonl");
  try {
    for await (const { text } of wholeLines(file)) {
      const event = parseEvent(text);
      if (event?.type !== "metric" || event.step === undefined) continue;
      const { name, target = null, split = null, step, value } = event;
      const key = JSON.stringify([name, target, split]);
      const of = series.get(key) ?? { name, target, split, points: [] };
      of.points.push([step, value]);
      series.set(key, of);
    }
  } catch {
    // The report stands without.
    return [];
  }
  return [...series.values()].map((of) => ({ ...of, points: thinned(of.points) }));
}

/** Evenly chosen points, the last one among them. */
function thinned<T>(points: readonly T[]): T[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => (points.length - 1 - i) % every === 0);
}

/** The beginnings of some rows' inputs as the job read them, in the order asked for; rows it does not have are left out. */
export async function reportRowTexts(
  session: Session,
  job: string,
  wanted: readonly string[],
): Promise<{ row: string; text: string }[]> {
  const texts = new Map<string, string>();
  const missing = new Set(wanted);
  for await (const { row, inputs } of readJobRows(session, job)) {
    if (!missing.delete(row)) continue;
    texts.set(row, Object.values(inputs).join(" · ").slice(0, LONGEST_TEXT));
    if (missing.size === 0) break;
  }
  return wanted.flatMap((row) => (texts.has(row) ? [{ row, text: texts.get(row)! }] : []));
}
