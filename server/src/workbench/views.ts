/** Rows and predictions as the editor's views show them. */
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type {
  EvaluationSummary,
  FlaggedItem,
  ProjectSummary,
  RowDetail,
  TargetView,
} from "../../../schemas/protocol.ts";
import type { Report } from "../../../schemas/report.ts";
import { indexRows, type Rows, rowLabel, SPLITS } from "../dataset/rows.ts";
import type { ModelFigures } from "../language/figures.ts";
import { RUNNABLE_ENGINES } from "../project/engines.ts";
import { type Verdicts, verdictOf } from "../review/fold.ts";
import type { QueuedItem } from "../review/queue.ts";
import { currentFineTune, isFineTuned, newestEvaluation } from "../workflow/artifacts.ts";
import type { JudgedRow } from "../workflow/flagged.ts";
import type { OpenProject } from "./projects.ts";

const uriOf = (path: string): string => pathToFileURL(path).href;

/** The three figures of a model's evaluation that have a place in one line. */
export function evaluationSummary(report: Report, model: string): EvaluationSummary | null {
  const of = report.models[model];
  if (!of) return null;
  const targets: EvaluationSummary["targets"] = {};
  for (const [name, { report: figures }] of Object.entries(of.targets)) {
    if (!figures) continue;
    const { value, low, high } = figures.averages.accuracy;
    targets[name] = { accuracy: value, interval: [low, high], n: figures.n };
  }
  const decision = of.accept[0];
  const rule = decision?.rule ?? null;
  const takes = rule !== null && (!("parts" in rule) || rule.parts.some(({ threshold }) => threshold !== null));
  return {
    job: report.job,
    time: report.date,
    targets,
    joint_accuracy: of.joint?.jointAccuracy?.value ?? 0,
    coverage: takes ? (decision?.measured?.coverage?.value ?? null) : null,
    certified: rule?.certified ?? false,
  };
}

export async function modelFigures({ session }: OpenProject): Promise<Record<string, ModelFigures>> {
  const figures: Record<string, ModelFigures> = {};
  for (const model of Object.keys(session?.project.spec.models ?? {})) {
    const found = await newestEvaluation(session!, model);
    const evaluation = found && evaluationSummary(found.report, model);
    if (!evaluation) continue;
    const labels: NonNullable<ModelFigures["labels"]> = {};
    for (const [target, { report }] of Object.entries(found.report.models[model]!.targets)) {
      labels[target] = Object.fromEntries(
        (report?.labels ?? []).map(({ label, support, recall }) => [
          label,
          { rows: support, right: Math.round((recall?.value ?? 0) * support) },
        ]),
      );
    }
    figures[model] = { evaluation, labels };
  }
  return figures;
}

const MOST_FILES = 100;

export async function projectSummary(project: OpenProject): Promise<ProjectSummary> {
  const { session, loaded, file } = project;
  const count = (severity: string) => loaded.problems.filter((problem) => problem.severity === severity).length;
  const spec = session?.project.spec ?? loaded.spec;
  const models: ProjectSummary["models"] = [];
  for (const [name, { engine }] of Object.entries(spec?.models ?? {})) {
    const found = session ? await newestEvaluation(session, name) : null;
    models.push({
      name,
      engine,
      runs: RUNNABLE_ENGINES.includes(engine),
      fine_tunes: session ? isFineTuned(session, name) : false,
      current: session && isFineTuned(session, name) ? ((await currentFineTune(session, name))?.id ?? null) : null,
      evaluation: found ? evaluationSummary(found.report, name) : null,
    });
  }
  const data = session ? await dataFiles(project) : [];
  return {
    project: uriOf(file),
    name: session?.project.name ?? spec?.name ?? file,
    valid: session !== undefined,
    errors: count("error"),
    warnings: count("warning"),
    inputs: session?.project.inputs.map(({ name }) => name) ?? [],
    targets: session?.project.targets.map(({ name }) => name) ?? [],
    hosts: Object.keys(spec?.hosts ?? {}),
    review_model: session?.project.reviewModel ?? "",
    models,
    decisions: session ? (await session.decisions.read()).decisions.length : 0,
    data,
  };
}

async function dataFiles(project: OpenProject): Promise<string[]> {
  const { dataset } = await project.data();
  return dataset.rows.files
    .filter(({ path }) => statSync(path, { throwIfNoEntry: false }))
    .slice(0, MOST_FILES)
    .map(({ path }) => uriOf(path));
}

/** All targets of a judged row. Reasons are those of the Flagged list: a labelled row comes up only when its label is doubtful. */
export function targetViews({ row, targets }: JudgedRow, verdicts: Verdicts): TargetView[] {
  return targets.map(({ target, label, confidence, top, accepted, reasons }): TargetView => {
    const inData = row.labels[target] ?? null;
    const verdict = verdictOf(verdicts, row.row, target);
    const given = verdict?.current?.after ?? inData;
    const kind = verdict?.current?.kind ?? (verdict?.skipped ? "skipped" : null);
    return {
      target,
      given,
      predicted: label,
      confidence,
      top,
      accepted,
      reasons: row.split === "pool" || inData === null ? reasons : reasons.filter((reason) => reason === "label-issue"),
      decided: kind === "undone" ? null : kind,
    };
  });
}

const SHOWN_TEXT = 300;

export function flaggedItem(item: QueuedItem, inputs: Readonly<Record<string, string>>): FlaggedItem {
  const text = Object.values(inputs)[0] ?? "";
  return {
    row: item.row,
    target: item.target,
    split: item.split,
    text: text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text,
    predicted: item.label,
    given: item.given,
    confidence: item.confidence,
    margin: item.margin,
    reasons: [...item.reasons],
  };
}

/** A row of a megabyte would make the panel crawl. */
const LONGEST_INPUT = 20_000;

/** Where a row stands in its file. */
function placeOf(rows: Rows, at: number): RowDetail["place"] {
  const file = rows.files[rows.file[at]!]!;
  if (file.format === "parquet") return null;
  const line = rows.line[at]! - 1;
  const next = at + 1 < rows.count && rows.file[at + 1] === rows.file[at] ? rows.line[at + 1]! - 2 : line;
  return { uri: uriOf(file.path), line, end_line: Math.max(line, next) };
}

const indices = new WeakMap<Rows, Map<string, number>>();

/** Row id → row, made once for each reading of the data. */
export function indexOf(rows: Rows): Map<string, number> {
  let index = indices.get(rows);
  if (!index) indices.set(rows, (index = indexRows(rows)));
  return index;
}

export function rowDetail(rows: Rows, known: JudgedRow, verdicts: Verdicts): RowDetail {
  const at = indexOf(rows).get(known.row.row);
  return {
    row: known.row.row,
    split: at === undefined ? known.row.split : SPLITS[rows.split[at]!]!,
    inputs: Object.entries(known.row.inputs).map(([name, text]) => ({
      name,
      text: text.length > LONGEST_INPUT ? text.slice(0, LONGEST_INPUT) : text,
      cut: text.length > LONGEST_INPUT,
    })),
    targets: targetViews(known, verdicts),
    place: at === undefined ? null : placeOf(rows, at),
  };
}

/** The label in the data, which may have changed since the row was predicted. */
export function givenLabel(rows: Rows, row: string, target: string): string | null {
  const at = indexOf(rows).get(row);
  const t = rows.targets.findIndex(({ name }) => name === target);
  return at === undefined || t < 0 ? null : rowLabel(rows, t, at);
}
