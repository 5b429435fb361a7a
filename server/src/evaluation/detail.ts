/** What the plots of a report are drawn from: the rows that it was made from, with its own calibrators, in columns. */
import type { Job, JobTarget } from "../../../schemas/job.ts";
import type { Report } from "../../../schemas/report.ts";
import { type AcceptCurve, CONFIDENCE_UNIT, type ReportedRows, type RowsDetail } from "../../../schemas/reportPanel.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { acceptRows } from "../confidence/acceptRule.ts";
import type { ReportRows } from "../confidence/roles.ts";
import { type ModelPredictions, reportedRows, rowsInCommon } from "./reported.ts";

/** The file beside report.json. It can be made again from the predictions. */
export const REPORT_ROWS = "report-rows.json";

/**
 * @param rows those of the report at least
 * @param predictions by model
 */
export function rowsDetail(
  job: Job,
  rows: readonly JobRow[],
  predictions: ReadonlyMap<string, ModelPredictions>,
  report: Report,
): RowsDetail {
  const tested = rows.some(({ split }) => split === "test");
  const places = new Map<string, number>();
  const models: RowsDetail["models"] = {};
  for (const [name, model] of Object.entries(report.models)) {
    const sets = new Map<string, ReportRows>();
    for (const target of job.task.targets) {
      const of = model.targets[target.name];
      const set = of && reportedRows(job, rows, target, predictions.get(name)!, of.calibrator);
      if (set) sets.set(target.name, set);
    }
    models[name] = {
      targets: Object.fromEntries([...sets].map(([target, set]) => [target, inColumns(set, tested ? places : null)])),
      curves: model.accept.map(({ targets }) => curveOf(job, targets, sets)),
    };
  }
  return { ids: [...places.keys()], models };
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
