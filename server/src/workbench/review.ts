/** The requests of the review panel (clf/flagged/*, clf/rows/*, clf/review/*), answered in the workbench thread. */
import type * as z from "zod";
import type { Requests, requests } from "../../../schemas/protocol.ts";
import { indexOf, type Rows, rowId, rowInputs, rowLabel } from "../dataset/rows.ts";
import { decisionOf, foldDecisions, type Verdicts, verdictOf } from "../review/fold.ts";
import { whoDecides } from "../review/identity.ts";
import { progressOf } from "../review/progress.ts";
import { type LabelPair, type ReviewFilter, type ReviewItem, type ReviewOrder, reviewQueue } from "../review/queue.ts";
import { currentFineTune, isFineTuned, modelSpec, newestEvaluation } from "../workflow/artifacts.ts";
import { decide, decideTogether, inFrontOf, undo } from "../workflow/decide.ts";
import { drawNotes } from "../workflow/draw-notes.ts";
import { blindDraw, type JudgedRows, type NothingJudged, reviewItems, unjudgedConflicts } from "../workflow/flagged.ts";
import { predictRows } from "../workflow/predict.ts";
import { type Session, WorkflowError } from "../workflow/session.ts";
import { similarityOfRows, withDensity } from "../workflow/similar.ts";
import type { HandlerContext, Handlers } from "./handlers.ts";
import { pathOf } from "./path-of.ts";
import type { OpenProject } from "./projects.ts";
import { flaggedItem, rowDetail, shownText } from "./views.ts";

export type ReviewRequestName = Extract<
  keyof Handlers,
  `clf/flagged/${string}` | `clf/rows/${string}` | `clf/review/${string}`
>;
type ListParams = z.output<(typeof requests)["clf/flagged/list"]["params"]>;
type Filter = Pick<ListParams, "model" | "target" | "reason" | "label" | "pair">;

/** Pairs of labels that can be chosen from. */
const MOST_PAIRS = 60;
const MOST_LABELLED = 6;
const MOST_ALIKE = 100;
/** Cosines from which a row is worth showing beside another, and from which it may be decided with it. */
const SIMILAR = 0.15;
const ALIKE = 0.25;

export function createReviewHandlers({
  projects,
  notify,
}: Pick<HandlerContext, "projects" | "notify">): Pick<Handlers, ReviewRequestName> {
  const sound = (uri: string) => projects.sound(pathOf(uri));
  const decided = (file: string, project: string) => {
    projects.decided(file);
    notify("clf/flagged/changed", { project });
  };

  return {
    "clf/flagged/list": async ({ project, order, offset, limit, find, ...filter }) => {
      const of = await sound(project);
      const { session } = of;
      const model = modelOf(session, filter.model);
      const judged = await of.judged(model);
      if ("why" in judged && !(await hasConflicts(session))) return nothingJudged(session, model, judged.why);
      const { dataset } = await of.data();
      const by = order ?? session.project.spec.review.order;
      const { items, counts } = await queueOf(of, judged, filter, by);
      const found = find ? items.findIndex(({ row, target }) => row === find.row && target === find.target) : -1;
      const start = found < 0 ? offset : Math.floor(found / limit) * limit;
      const why = "why" in judged ? judged.why : emptyList(counts.total, counts.decided);
      const pairs = [...counts.pairs].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, MOST_PAIRS);
      return {
        items: items
          .slice(start, start + limit)
          .map((item) => flaggedItem(item, inputsOf(session, dataset.rows, judged, item.row))),
        offset: start,
        found: found < 0 ? null : found,
        total: counts.total,
        decided: counts.decided,
        empty: items.length > 0 ? null : why,
        notes: "why" in judged ? [] : await drawNotes(session, judged, filter.reason),
        targets: dataset.rows.targets.map(({ name, labels }) => ({ name, labels: labels.map((each) => each.name) })),
        reasons: Object.fromEntries(counts.reasons),
        pairs: pairs.map(([pair, rows]) => ({ labels: JSON.parse(pair) as [string, string], rows })),
        models: await evaluatedModels(session),
        model,
        job: "why" in judged ? null : judged.evaluation.job.id,
      };
    },

    "clf/rows/detail": async ({ project, model, row }) => {
      const of = await sound(project);
      const judged = await of.judged(modelOf(of.session, model));
      const { dataset, verdicts } = await of.data();
      return rowDetail(of.session, dataset.rows, judged, row, verdicts);
    },

    "clf/rows/explain": async ({ project, model: asked, row, target }) => {
      const of = await sound(project);
      const model = modelOf(of.session, asked);
      if (modelSpec(of.session, model).engine !== "linear") return null;
      const judged = await of.judged(model);
      if ("why" in judged) return null;
      const known = judged.rows.get(row);
      if (!known || blindDraw(of.session, judged, known, target)) return null;
      const [predicted] = await predictRows(of.session, model, [known.row.inputs]);
      const found = predicted!.find((each) => each.target === target);
      if (!found?.label) return null;
      return { label: found.label, against: found.top[1]?.[0] ?? null, words: found.words };
    },

    "clf/rows/similar": async ({ project, row, target, ...filter }) => {
      const of = await sound(project);
      const judged = await of.judged(modelOf(of.session, filter.model));
      const { dataset, verdicts } = await of.data();
      const known = "why" in judged ? undefined : judged.rows.get(row);
      if (known && blindDraw(of.session, judged as JudgedRows, known, target)) return null;
      return similarTo(of, judged, { row, target, rows: dataset.rows, verdicts, filter });
    },

    "clf/review/decide": async ({ project, model, row, target, kind, label, note, blind }) => {
      const of = await sound(project);
      const { session } = of;
      const { dataset } = await of.data();
      const judged = await of.judged(modelOf(session, model));
      const labels = labelsOf(dataset.rows, target);
      const on = inFrontOf(session, dataset.rows, judged, { row, target, blind });
      if (!on) throw new WorkflowError("This row is not known to the review model. Evaluate it again.");
      const chosen = label ?? (kind === "confirmed" ? on.prediction?.label : undefined) ?? undefined;
      if ((kind === "confirmed" || kind === "corrected") && chosen === undefined)
        throw new WorkflowError("Choose a label.");
      const decision = await decide(
        session,
        { ...on, ...(note ? { note } : {}) },
        kind === "none" || kind === "skipped" ? kind : { label: chosen! },
        labels,
      );
      decided(of.file, project);
      return { decision: decision.id };
    },

    "clf/review/decideTogether": async ({ project, model, rows, target, label, note }) => {
      const of = await sound(project);
      const { session } = of;
      const { dataset } = await of.data();
      const judged = await of.judged(modelOf(session, model));
      const on = rows.map((row) => {
        const each = inFrontOf(session, dataset.rows, judged, { row, target });
        if (!each) throw new WorkflowError(`The row ${row} is not in the data any more. Nothing was recorded.`);
        // Drawn to be judged each by itself: an audit of rows that were waved through would say nothing.
        if (each.blind) throw new WorkflowError(`The row ${row} is to be judged by itself. Nothing was recorded.`);
        return { ...each, ...(note ? { note } : {}) };
      });
      const decisions = await decideTogether(session, on, { label }, labelsOf(dataset.rows, target));
      decided(of.file, project);
      return { decisions: decisions.length };
    },

    "clf/review/undo": async ({ project }) => {
      const of = await sound(project);
      const lines = await undo(of.session);
      decided(of.file, project);
      const last = lines.at(-1);
      return { undone: last ? { row: last.row, target: last.target } : null, rows: lines.length };
    },

    "clf/review/progress": async ({ project, model: asked, day }) => {
      const { session } = await sound(project);
      const model = modelOf(session, asked);
      const newest = isFineTuned(session, model)
        ? await currentFineTune(session, model)
        : ((await newestEvaluation(session, model))?.job ?? null);
      const { decisions } = await session.decisions.read();
      return progressOf(decisions, await whoDecides(session.project.folder), { day, since: newest?.created ?? null });
    },
  };
}

/** What there is to say while a model has judged nothing: the data is not read for it. */
async function nothingJudged(
  session: Session,
  model: string,
  why: string,
): Promise<Requests["clf/flagged/list"]["result"]> {
  const targets = session.project.targets.map(({ name, labels }) => ({
    name,
    labels: labels?.map((each) => each.name) ?? [],
  }));
  return {
    ...{ items: [], offset: 0, found: null, total: 0, decided: 0, empty: why, notes: [] },
    ...{ targets, reasons: {}, pairs: [], models: await evaluatedModels(session), model, job: null },
  };
}

/** Whether people disagree on any row: that is to be settled whatever a model says. */
async function hasConflicts(session: Session): Promise<boolean> {
  for (const targets of foldDecisions((await session.decisions.read()).decisions).values()) {
    for (const { conflict } of targets.values()) if (conflict) return true;
  }
  return false;
}

function modelOf(session: Session, asked: string | undefined): string {
  if (asked === undefined) return session.project.reviewModel;
  modelSpec(session, asked);
  return asked;
}

async function evaluatedModels(session: Session): Promise<string[]> {
  const models = Object.keys(session.project.spec.models);
  const found = await Promise.all(models.map((name) => newestEvaluation(session, name)));
  return models.filter((_, i) => found[i]);
}

function labelsOf(rows: Rows, target: string): string[] {
  const labels = rows.targets.find(({ name }) => name === target)?.labels.map(({ name }) => name);
  if (!labels) throw new WorkflowError(`There is no target "${target}".`);
  return labels;
}

function inputsOf(
  session: Session,
  rows: Rows,
  judged: JudgedRows | NothingJudged,
  row: string,
): Record<string, string> {
  const known = "why" in judged ? undefined : judged.rows.get(row);
  return known?.row.inputs ?? rowInputs(session.project, rows, indexOf(rows).get(row)!);
}

const pairFilter = (pair: Filter["pair"]): LabelPair | undefined =>
  pair && (pair[0] < pair[1] ? pair : [pair[1], pair[0]]);

/** The rows that wait, as the panel filters and orders them. */
async function queueOf(
  of: OpenProject & { session: Session },
  judged: JudgedRows | NothingJudged,
  { target, reason, label, pair }: Filter,
  order: ReviewOrder,
) {
  const { session } = of;
  const { dataset, verdicts } = await of.data();
  const hidden = await drawnForReviewModel(of, judged);
  let items: Iterable<ReviewItem> = flaggedOf(session, judged, dataset.rows, verdicts, hidden);
  if (order === "informative") items = await withDensity([...items], dataset.rows);
  const filter: ReviewFilter = {
    targets: target ? [target] : undefined,
    reasons: reason ? [reason] : undefined,
    labels: label ? [label] : undefined,
    pair: pairFilter(pair),
  };
  return reviewQueue(items, verdicts, { order, filter, seed: session.project.spec.dataset.split.seed });
}

function* flaggedOf(
  session: Session,
  judged: JudgedRows | NothingJudged,
  rows: Rows,
  verdicts: Verdicts,
  hidden: (row: string, target: string) => boolean,
): Generator<ReviewItem> {
  if (!("why" in judged)) {
    for (const item of reviewItems(session, judged)) if (!hidden(item.row, item.target)) yield item;
  }
  yield* unjudgedConflicts(rows, judged, verdicts);
}

/** Rows that the review model's audit or re-labelling has drawn: another model's prediction of them would give its own away. */
async function drawnForReviewModel(
  of: OpenProject & { session: Session },
  judged: JudgedRows | NothingJudged,
): Promise<(row: string, target: string) => boolean> {
  const { session } = of;
  const { reviewModel } = session.project;
  if ("why" in judged || judged.model === reviewModel) return () => false;
  const review = await of.judged(reviewModel);
  if ("why" in review) return () => false;
  return (row, target) => {
    const known = review.rows.get(row);
    return known !== undefined && blindDraw(session, review, known, target) !== null;
  };
}

async function similarTo(
  of: OpenProject & { session: Session },
  judged: JudgedRows | NothingJudged,
  at: { row: string; target: string; rows: Rows; verdicts: Verdicts; filter: Filter },
): Promise<Requests["clf/rows/similar"]["result"]> {
  const { row, target, rows, verdicts, filter } = at;
  const { session } = of;
  const { similarity, rows: compared, placeOf } = await similarityOfRows(rows);
  const place = placeOf.get(indexOf(rows).get(row) ?? -1);
  const t = rows.targets.findIndex(({ name }) => name === target);
  if (place === undefined || t < 0) return { labelled: [], alike: [] };
  const text = (other: number) => shownText(rowInputs(session.project, rows, other));
  const idOf = (other: number) => rowId(rows, compared[other]!);
  const labelOf = (other: number): { label: string | null; decided: boolean } => {
    const decision = decisionOf(verdictOf(verdicts, idOf(other), target));
    return { label: decision ? decision.after : rowLabel(rows, t, compared[other]!), decided: decision !== undefined };
  };
  const labelled = similarity
    .nearest(place, { most: MOST_LABELLED, least: SIMILAR, among: (other) => labelOf(other).label !== null })
    .map(({ at: other, similarity }) => {
      const { label, decided } = labelOf(other);
      return { row: idOf(other), text: text(compared[other]!), label: label!, decided, similarity };
    });
  const own = "why" in judged ? undefined : judged.rows.get(row)?.targets.find((each) => each.target === target);
  if (own?.label == null) return { labelled, alike: [] };
  const { items } = await queueOf(of, judged, { ...filter, target, label: own.label }, "file");
  const waiting = new Map(
    items.filter(({ draw, skipped }) => draw === undefined && !skipped).map((item) => [item.row, item]),
  );
  const alike = similarity
    .nearest(place, { most: MOST_ALIKE, least: ALIKE, among: (other) => waiting.has(idOf(other)) })
    .map(({ at: other, similarity }) => {
      const { row, confidence } = waiting.get(idOf(other))!;
      return { row, text: text(compared[other]!), confidence, similarity };
    });
  return { labelled, alike };
}

function emptyList(total: number, decided: number): string {
  if (total === 0) return "No row is flagged. Add rows without labels under dataset.pool, and evaluate again.";
  return decided === total
    ? `All ${total.toLocaleString("en-US")} flagged rows are decided. Fine-tune again to use what you decided.`
    : "No flagged row passes the filters.";
}
