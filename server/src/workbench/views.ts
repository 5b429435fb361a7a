/** Rows and predictions as the editor's views show them. */
import { pathToFileURL } from "node:url";
import type {
  EvaluationSummary,
  FlaggedItem,
  ProjectSummary,
  RowDetail,
  TargetView,
} from "../../../schemas/protocol.ts";
import type { Report } from "../../../schemas/report.ts";
import { indexOf, type Rows, rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import type { ModelFigures } from "../language/figures.ts";
import { RUNNABLE_ENGINES } from "../project/engines.ts";
import { projectStem } from "../project/resolve.ts";
import { decisionOf, isDecided, type Verdict, type Verdicts, verdictOf } from "../review/fold.ts";
import type { QueuedItem } from "../review/queue.ts";
import { currentFineTune, isFineTuned, newestEvaluation } from "../workflow/artifacts.ts";
import {
  blindDraw,
  type JudgedRow,
  type JudgedRows,
  type NothingJudged,
  reasonsToReview,
} from "../workflow/flagged.ts";
import type { Session } from "../workflow/session.ts";
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
    name: session?.project.name ?? spec?.name ?? projectStem(file),
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
  return (await project.files()).slice(0, MOST_FILES).map(uriOf);
}

/**
 * All targets of a judged row, with the reasons of the Flagged list. A prediction of a row that is to be judged without it is left out
 * until that is done; for rows that are labelled again so is the label.
 * @param inFile the row stands in its file beside its label, where nobody is asked to label it again
 */
export function targetViews(
  session: Session,
  judged: JudgedRows,
  known: JudgedRow,
  verdicts: Verdicts,
  inFile = false,
): TargetView[] {
  const { row, targets } = known;
  return targets.map(({ target, label, confidence, top, accepted, set }): TargetView => {
    const verdict = verdictOf(verdicts, row.row, target);
    const given = labelBy(verdict) ?? row.labels[target] ?? null;
    const kind = verdict?.current?.kind ?? (verdict?.skipped ? "skipped" : null);
    const decided = isDecided(verdict);
    const drawn = blindDraw(session, judged, known, target);
    const blind = decided || (inFile && drawn?.why === "relabel") ? null : drawn;
    return {
      target,
      given: blind?.why === "relabel" ? null : given,
      ...(blind ? { predicted: null, confidence: 0, top: [] } : { predicted: label, confidence, top }),
      accepted,
      reasons: reasonsToReview(known, target, blind),
      set: blind ? null : (set ?? null),
      decided: kind === "undone" ? null : kind,
      blind: blind !== null,
    };
  });
}

/** The label that a decision gives. */
const labelBy = (verdict: Verdict | undefined): string | null => decisionOf(verdict)?.after ?? null;

const SHOWN_TEXT = 300;

/** The beginning of the first input. */
export function shownText(inputs: Readonly<Record<string, string>>): string {
  const text = Object.values(inputs)[0] ?? "";
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
}

export function flaggedItem(item: QueuedItem, inputs: Readonly<Record<string, string>>): FlaggedItem {
  return {
    row: item.row,
    target: item.target,
    split: item.split,
    text: shownText(inputs),
    predicted: item.label,
    given: item.given,
    confidence: item.confidence,
    margin: item.margin,
    reasons: [...item.reasons],
    blind: item.draw !== undefined,
  };
}

/** A row of a megabyte would make the panel crawl. */
const LONGEST_INPUT = 20_000;

/** Where a row stands in its file. */
export function placeOf(rows: Rows, at: number): RowDetail["place"] {
  const file = rows.files[rows.file[at]!]!;
  if (file.format === "parquet") return null;
  const line = rows.line[at]! - 1;
  const next = at + 1 < rows.count && rows.file[at + 1] === rows.file[at] ? rows.line[at + 1]! - 2 : line;
  return { uri: uriOf(file.path), line, end_line: Math.max(line, next) };
}

/**
 * A row as the review panel shows it. Null when neither the data nor the model knows it; of a row that the model has not judged
 * there are its labels and what people said.
 */
export function rowDetail(
  session: Session,
  rows: Rows,
  judged: JudgedRows | NothingJudged,
  row: string,
  verdicts: Verdicts,
): RowDetail | null {
  const at = indexOf(rows).get(row);
  const known = "why" in judged ? undefined : judged.rows.get(row);
  if (known === undefined && at === undefined) return null;
  const inputs = known?.row.inputs ?? rowInputs(session.project, rows, at!);
  const seen = known ? targetViews(session, judged as JudgedRows, known, verdicts) : [];
  const unseen =
    at === undefined
      ? []
      : rows.targets
          .map(({ name }, t) => unjudgedView(name, rowLabel(rows, t, at), verdictOf(verdicts, row, name)))
          .filter(({ target }) => seen.every((each) => each.target !== target));
  const targets = [...seen, ...unseen].map((view) => ({
    ...view,
    said: saidOf(verdictOf(verdicts, row, view.target)),
  }));
  // In its file the row stands beside its label.
  const hidden = targets.some(({ blind, reasons }) => blind && reasons.includes("relabel"));
  return {
    row,
    split: at === undefined ? known!.row.split : SPLITS[rows.split[at]!]!,
    inputs: Object.entries(inputs).map(([name, text]) => ({
      name,
      text: text.length > LONGEST_INPUT ? text.slice(0, LONGEST_INPUT) : text,
      cut: text.length > LONGEST_INPUT,
    })),
    targets,
    place: at === undefined || hidden ? null : placeOf(rows, at),
  };
}

function unjudgedView(target: string, given: string | null, verdict: Verdict | undefined): TargetView {
  const kind = verdict?.current?.kind ?? (verdict?.skipped ? "skipped" : null);
  return {
    target,
    given: labelBy(verdict) ?? given,
    ...{ predicted: null, confidence: 0, top: [], accepted: false, set: null, blind: false },
    reasons: verdict?.conflict ? ["conflict"] : [],
    decided: kind === "undone" ? null : kind,
  };
}

const saidOf = (verdict: Verdict | undefined): RowDetail["targets"][number]["said"] =>
  (verdict?.standing ?? []).map(({ who, when, kind, after, note }) => ({
    ...{ who, when, kind },
    label: after,
    note: note ?? null,
  }));
