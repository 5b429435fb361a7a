/** What every model of a project costs: training once, then predictions, reviews and errors a row (`clf cost`). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CostDocument, ModelCost } from "../../../schemas/cost.ts";
import type { Job, JobModel } from "../../../schemas/job.ts";
import type { ModelReport } from "../../../schemas/report.ts";
import { fineTunedTokens } from "../engines/openai/engine.ts";
import { breakEven, machineDollars, reviewDollars, totalDollars } from "../evaluation/cost.ts";
import { newestEvaluation } from "./artifacts.ts";
import type { Session } from "./session.ts";

export interface CostQuestion {
  /** Volumes. */
  rows: readonly number[];
  /** Dollars an hour of this machine, and of hosts without a price of their own. Default: 0. */
  hour?: number | undefined;
  /** Dollars; default: `confidence.price`. */
  review?: number | undefined;
  error?: number | undefined;
}

export async function costOf(session: Session, question: CostQuestion): Promise<CostDocument> {
  const { project } = session;
  const own = project.spec.confidence.price;
  const review = question.review ?? own?.review;
  const error = question.error ?? own?.error;
  const prices = review === undefined && error === undefined ? null : { review: review ?? 0, error: error ?? 0 };
  const models: ModelCost[] = [];
  for (const name of Object.keys(project.spec.models)) models.push(await costOfModel(session, name, question, prices));
  const known = models.flatMap(({ model, training, row }) =>
    training === null || row === null ? [] : [{ name: model, once: training, row }],
  );
  return {
    project: project.name,
    rows: [...question.rows],
    prices,
    models,
    break_evens: known.flatMap((a, i) => known.slice(i + 1).map((b) => breakEven(a, b))),
  };
}

async function costOfModel(
  session: Session,
  name: string,
  question: CostQuestion,
  prices: CostDocument["prices"],
): Promise<ModelCost> {
  const { engine } = session.project.spec.models[name]!;
  const evaluation = await newestEvaluation(session, name);
  if (!evaluation) {
    const nothing = { training: null, inference: null, reviews: null, errors: null, review: null, row: null };
    const totals = question.rows.map(() => null);
    return {
      model: name,
      engine,
      job: null,
      ...nothing,
      totals,
      notes: ["It has not been evaluated: nothing is known."],
    };
  }
  const { job, report } = evaluation;
  const of = report.models[name]!;
  const model = job.models.find((each) => each.name === name)!;
  const notes = new Set<string>();
  const training = await trainingOf(session, model, question, notes);
  const inference = await inferenceOf(session, { job, model, of }, question, notes);
  const people = peopleOf(of, notes);
  const review = prices && people ? reviewDollars(people, prices) : null;
  const row = inference === null ? null : inference + (review ?? 0);
  if (prices === null) notes.add("Reviews and errors are not counted: they have no price.");
  return {
    model: name,
    engine,
    job: job.id,
    training,
    inference,
    reviews: people?.reviews ?? null,
    errors: people?.errors ?? null,
    review,
    row,
    totals: question.rows.map((rows) =>
      training === null || row === null ? null : totalDollars({ once: training, row }, rows),
    ),
    notes: [...notes],
  };
}

type Stage = Pick<JobModel, "name" | "spec" | "artifact" | "endpoint">;

/** Of the fine-tune whose artifact was evaluated; of a cascade, of all its stages. */
async function trainingOf(
  session: Session,
  model: JobModel,
  question: CostQuestion,
  notes: Set<string>,
): Promise<number | null> {
  if (!model.stages) return trainingOfStage(session, model, question, notes);
  let sum: number | null = 0;
  for (const stage of model.stages) {
    const of: number | null = await trainingOfStage(session, stage, question, notes);
    sum = sum === null || of === null ? null : sum + of;
  }
  return sum;
}

async function trainingOfStage(
  session: Session,
  { name, spec, artifact, endpoint }: Stage,
  question: CostQuestion,
  notes: Set<string>,
): Promise<number | null> {
  if (spec.engine === "predictions") {
    notes.add(`What "${name}" took to make is another system's to say.`);
    return null;
  }
  if (!artifact) return 0;
  if (spec.engine === "openai") {
    const tokens = await trainedTokens(session, artifact.job);
    const price = endpoint?.price?.training_per_million;
    if (tokens !== null && price !== undefined) return (tokens * price) / 1e6;
    notes.add(
      price === undefined
        ? `What training "${name}" cost is not known: endpoints: price: training_per_million says it.`
        : `How many tokens "${name}" was trained on is not known.`,
    );
    return null;
  }
  const run = await runOf(session, artifact.job);
  if (run === null) {
    notes.add(`The fine-tune of "${name}" (${artifact.job}) is not there any more: what it took is not known.`);
    return null;
  }
  return machineDollars(run.seconds, hourOf(run.job, question, notes));
}

async function inferenceOf(
  session: Session,
  { job, model, of }: { job: Job; model: JobModel; of: ModelReport },
  question: CostQuestion,
  notes: Set<string>,
): Promise<number | null> {
  const { engine } = model.spec;
  if (engine === "predictions") {
    notes.add("What its predictions cost is another system's to say.");
    return null;
  }
  const rows = of.predictions / job.task.targets.length;
  if (rows === 0) return null;
  const asks = [model, ...(model.stages ?? [])].some(({ endpoint }) => endpoint !== undefined);
  let endpoint = 0;
  if (asks) {
    if (of.cost === null || of.calls?.cost_per_row == null) {
      notes.add("The endpoint's price is not known: give it one in the project file (endpoints: price).");
      return null;
    }
    endpoint = engine === "cascade" ? of.cost / rows : of.calls.cost_per_row;
    notes.add(`Prices of tokens are from ${of.calls.price_from ?? "the project file"}.`);
    if (engine === "cascade")
      notes.add(
        "What a stage was paid for rows that it passed on is in the figure only as far as the report counts it.",
      );
    if (engine !== "cascade") return endpoint;
  }
  const seconds = job.models.length === 1 ? (await runOf(session, job.id))?.seconds : of.seconds;
  if (seconds === undefined) {
    notes.add("How long its evaluation took is not known.");
    return null;
  }
  return endpoint + machineDollars(seconds, hourOf(job, question, notes)) / rows;
}

/** A job's seconds at work, from its runner's first word to its last: loading the model and making the report are in it. */
async function runOf(session: Session, id: string): Promise<{ job: Job; seconds: number } | null> {
  const snapshot = await session.jobs.store.read(id).catch(() => null);
  if (snapshot === null) return null;
  const { first, last } = snapshot.attempt.events;
  if (first === undefined || last === undefined) return null;
  return { job: snapshot.job, seconds: Math.max(0, Date.parse(last) - Date.parse(first)) / 1000 };
}

/** Dollars an hour of the machine that ran the job. */
function hourOf({ host }: Job, { hour }: CostQuestion, notes: Set<string>): number {
  if (host.price_per_hour !== undefined) {
    notes.add(
      `${host.name} costs $${host.price_per_hour} an hour; the last attempt of its jobs is counted, from start to end.`,
    );
    return host.price_per_hour;
  }
  const where = host.kind === "local" ? "this machine" : host.name;
  notes.add(
    hour === undefined
      ? `The time of ${where} is free: it has no price.`
      : `${where} costs $${hour} an hour, as you said.`,
  );
  return hour ?? 0;
}

/** By the accept rules, on the test rows; a row that no rule decides is reviewed. */
function peopleOf({ accept }: ModelReport, notes: Set<string>): { reviews: number; errors: number } | null {
  if (accept.length === 0) return null;
  const sum = { reviews: 0, errors: 0 };
  for (const { rule, measured } of accept) {
    if (rule === null) {
      sum.reviews++;
      continue;
    }
    if (!measured || measured.n === 0) {
      notes.add("There are no test rows: how many rows people review is not known.");
      return null;
    }
    sum.reviews += measured.reviewShare ?? 1 - measured.accepted / measured.n;
    sum.errors += measured.errors / measured.n;
  }
  return sum;
}

async function trainedTokens(session: Session, job: string): Promise<number | null> {
  const text = await readFile(join(session.jobs.store.folder(job), "model", "openai.json"), "utf8").catch(() => null);
  return text === null ? null : fineTunedTokens(text);
}
