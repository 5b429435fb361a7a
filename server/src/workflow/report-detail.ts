/** What the plots of a report are drawn from, and what its fine-tunes reported as they went. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { Report } from "../../../schemas/report.ts";
import { type ReportDetail, RowsDetail, type TrainingSeries } from "../../../schemas/reportPanel.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { REPORT_ROWS, rowsDetail } from "../evaluation/detail.ts";
import type { ModelPredictions } from "../evaluation/reported.ts";
import { attemptFolder, parseEvent } from "../jobs/attempt.ts";
import { wholeLines } from "../jobs/lines.ts";
import { costOf } from "./cost.ts";
import { addPrediction, readJobRows, readPredictions } from "./predictions.ts";
import { reportOf } from "./report.ts";
import type { Session } from "./session.ts";

/** Rows that costs are given for. */
const VOLUMES = [10_000, 100_000, 1_000_000];
/** More points of one figure than a plot can show. */
const MOST_POINTS = 2000;
/** Characters of a row's inputs that are shown. */
const LONGEST_TEXT = 400;

/** @throws WorkflowError when the job's rows or predictions cannot be read */
export async function reportDetail(session: Session, id: string): Promise<ReportDetail> {
  const report = await reportOf(session, id);
  const { ids, models } = (await readDetail(session, id)) ?? (await makeDetail(session, id, report));
  const whole: ReportDetail["models"] = {};
  for (const [name, of] of Object.entries(models)) {
    const artifact = report.models[name]?.artifact ?? null;
    whole[name] = { ...of, training: artifact === null ? [] : await trainingOf(session, artifact) };
  }
  return { ids, models: whole, cost: await costOfModels(session, Object.keys(report.models)) };
}

/** The report stands without: a model may have left the project since. */
async function costOfModels(session: Session, names: readonly string[]): Promise<ReportDetail["cost"]> {
  const cost = await costOf(session, { rows: VOLUMES }).catch(() => null);
  if (!cost) return null;
  const models = cost.models.filter(({ model, row }) => names.includes(model) && row !== null);
  const known = (model: string) => models.some((of) => of.model === model);
  return { ...cost, models, break_evens: cost.break_evens.filter(({ first, later }) => known(first) && known(later)) };
}

/** As the evaluation left it; null where it did not, or where it cannot be read. */
async function readDetail(session: Session, job: string): Promise<RowsDetail | null> {
  try {
    return RowsDetail.parse(JSON.parse(await readFile(fileOf(session, job), "utf8")));
  } catch {
    return null;
  }
}

const fileOf = (session: Session, job: string): string => join(session.jobs.store.folder(job), REPORT_ROWS);

/** Works it out again from the job's predictions, and keeps it: evaluations elsewhere, and older ones, come without. */
async function makeDetail(session: Session, id: string, report: Report): Promise<RowsDetail> {
  const { job } = await session.jobs.store.read(id);
  const rows: JobRow[] = [];
  for await (const row of readJobRows(session, id)) if (row.split !== "pool") rows.push(row);
  const tested = rows.some(({ split }) => split === "test");
  const predictions = new Map(
    job.models.map(({ name }) => [name, { plain: new Map(), outOfFold: new Map() } satisfies ModelPredictions]),
  );
  for await (const prediction of readPredictions(session, id, tested ? { splits: ["test"] } : {})) {
    const folds = prediction.fold !== undefined;
    if (!tested && !folds) continue;
    const of = predictions.get(prediction.model);
    if (of) addPrediction(folds ? of.outOfFold : of.plain, prediction);
  }
  const detail = rowsDetail(job, rows, predictions, report);
  // Where nothing can be written it is made again next time.
  await writeFileAtomic(fileOf(session, id), JSON.stringify(detail)).catch(() => {});
  return detail;
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
