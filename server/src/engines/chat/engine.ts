/** Engine `chat`: prompted models behind an OpenAI-compatible endpoint. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ChatCompletionMessageParam } from "openai/resources";
import type * as z from "zod";
import type { JobEndpoint } from "../../../../schemas/job.ts";
import type { ChatModel, ModelConfidence, Prompt } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { type Engine, EngineError, type EngineRun, type PredictRun } from "../engine.ts";
import { type Asker, createAsker, type Request } from "./ask.ts";
import { fillFromBatches } from "./batch.ts";
import { endpointClient, keyFor, tokenLimit } from "./endpoint.ts";
import { examplesOf } from "./examples.ts";
import { type Choice, openJournal, type StoredAnswer } from "./journal.ts";
import { dollarsOf, type KnownPrice, priceIn } from "./price.ts";
import { type Capabilities, probeEndpoint } from "./probe.ts";
import { answersJson, type PromptPlan, planPrompt, responseFormat } from "./prompt.ts";
import { createScorer, type Outcome, predictionOfOutcome, type Scorer } from "./score.ts";

/** What predicting through an endpoint needs: the same for a prompted model and for one fine-tuned there. */
interface ChatSettings {
  endpoint: JobEndpoint;
  /** The model's name at the endpoint. */
  model: string;
  prompt: z.output<typeof Prompt>;
  confidence: z.output<typeof ModelConfidence>;
  temperature: number;
  maxTokens?: number | undefined;
  reasoningEffort?: "minimal" | "low" | "medium" | "high" | undefined;
  seed?: number | undefined;
  timeout: number;
  budget?: number | undefined;
  batch: boolean;
}

async function predict(run: PredictRun): Promise<void> {
  const spec = run.model.spec as z.output<typeof ChatModel>;
  const { endpoint } = run.model;
  if (!endpoint) throw new EngineError(`Model "${run.model.name}" has no endpoint.`);
  await predictChat(run, {
    endpoint,
    model: spec.model,
    prompt: spec.prompt,
    confidence: spec.confidence,
    temperature: spec.temperature,
    maxTokens: spec.max_tokens,
    reasoningEffort: spec.reasoning_effort,
    seed: spec.seed,
    timeout: spec.timeout,
    budget: spec.budget,
    batch: spec.batch,
  });
}

export const chatEngine: Engine = { predict };

/** Rows without content, for what the model says by itself. */
const CONTENT_FREE = ["N/A", "", "[MASK]"];
/** Rows without an answer in a row, after all tries, that mean that there will be none. */
const HOPELESS = 20;

/** Predicts the rows asked for, and puts every answer into the journal first. */
export async function predictChat(run: PredictRun, settings: ChatSettings): Promise<void> {
  const { endpoint, confidence } = settings;
  const warn = (message: string) => run.emit({ type: "log", level: "warning", message });
  const inform = (message: string) => run.emit({ type: "log", level: "info", message });
  const client = endpointClient(endpoint, keyFor(endpoint, run.keys ?? []), settings);
  const price = priceIn(endpoint);
  const journal = await openJournal(
    join(run.cache ?? workOf(run), "chat", folderOf(endpoint, settings.model)),
    run.job.id,
  );
  try {
    const asker = createAsker({ client, endpoint, journal, signal: run.signal, price, budget: settings.budget, warn });
    if (price) inform(`Prices are from ${price.from}.`);
    if (asker.asked.lost > 0) {
      warn(
        `${asker.asked.lost} calls of an earlier attempt were sent and never answered: they may have been paid, and are sent again.`,
      );
    }
    const bakeOff = run.job.options.signals === true;
    const looksAt = bakeOff || confidence.signal !== "votes" ? "logprobs" : "votes";
    const able = await capabilities(asker, settings, run.job.seed, looksAt);
    if (confidence.signal === "logprobs" && able.logprobs === 0) {
      throw new EngineError(
        `"${run.model.name}" takes its score from log-probabilities, and "${endpoint.name}" gives none for ${settings.model}.`,
        "Set confidence: { signal: votes }, or auto.",
      );
    }
    const plan = planPrompt(
      run.job.task,
      settings.prompt,
      answersJson(settings.prompt, run.job.task.targets.length, able.structured),
      run.model.template,
    );
    inform(describe(able, endpoint, plan, signalOf(confidence, able)));
    const requests = requestMaker(run, settings, plan, looksAt === "logprobs" ? able : { ...able, logprobs: 0 });
    const held = able.structured && plan.json;
    const corrects = confidence.length_bias === "content-free" && signalOf(confidence, able) === "logprobs";
    const priors =
      corrects || (bakeOff && able.logprobs > 0) ? await contentFree(run, asker, requests, plan, held) : [];
    const scorer = createScorer(plan, { bias: confidence.length_bias, priors, held });
    const rows = rowsToAsk(run);
    if (settings.batch) {
      const voted = signalOf(confidence, able) === "votes";
      const bodies = rows
        .map((row) => (voted ? requests.votes(row, confidence.samples, 0) : requests.single(row)))
        .filter((body) => !asker.known(body));
      const left = settings.budget === undefined ? undefined : Math.max(0, settings.budget - asker.asked.spent!);
      await fillFromBatches({ client, endpoint, run, work: workOf(run), journal, bodies, price, left, inform, warn });
    }
    await askRows(run, rows, { settings, asker, requests, scorer, price, able });
    report(asker, inform, warn);
  } finally {
    journal.close();
  }
}

/** @throws EngineError when the runner lends no folder: nothing would be kept that was paid for */
export function workOf(run: EngineRun): string {
  if (run.work === undefined) throw new EngineError(`Model "${run.model.name}" has no folder for its answers.`);
  return run.work;
}

/** Names the folder of a model's answers; not for people. */
function folderOf({ base_url }: JobEndpoint, model: string): string {
  return createHash("sha256").update(`${base_url}\n${model}`).digest("hex").slice(0, 16);
}

/** The smallest of what the file says and of what one call shows; nothing is asked where the file says all. */
async function capabilities(
  asker: Asker,
  settings: ChatSettings,
  seed: number,
  looksAt: "logprobs" | "votes",
): Promise<Capabilities> {
  const { endpoint, prompt } = settings;
  const { structured, logprobs } = endpoint;
  if (structured !== undefined && (logprobs !== undefined || looksAt === "votes")) {
    return { structured, logprobs: logprobs ?? 0, masked: null };
  }
  if (prompt.answer === "text" && logprobs !== undefined) return { structured: false, logprobs, masked: null };
  return probeEndpoint(asker, { structured, logprobs }, baseOf(settings, seed), tokenLimit(endpoint));
}

const signalOf = ({ signal }: ChatSettings["confidence"], able: Capabilities): "logprobs" | "votes" =>
  signal === "auto" ? (able.logprobs > 0 ? "logprobs" : "votes") : signal;

function describe(able: Capabilities, endpoint: JobEndpoint, plan: PromptPlan, signal: "logprobs" | "votes"): string {
  const masked = able.masked === null ? "" : able.masked ? ", after the schema's mask" : ", before the schema's mask";
  return [
    `${endpoint.name}: ${able.structured ? "answers keep to a JSON schema" : "answers are read as they come"}`,
    able.logprobs > 0 ? `log-probabilities of ${able.logprobs} alternatives a token${masked}` : "no log-probabilities",
    `${plan.json ? "JSON" : "the label alone"} is asked for`,
    `the score comes from ${signal}${plan.reasoned && signal === "logprobs" ? ", given one rationale" : ""}.`,
  ].join("; ");
}

function baseOf(settings: ChatSettings, seed: number): Omit<Request, "messages"> {
  return {
    model: settings.model,
    seed: settings.seed ?? seed,
    ...(settings.reasoningEffort === undefined ? {} : { reasoning_effort: settings.reasoningEffort }),
  };
}

interface RequestMaker {
  messages(row: JobRow): ChatCompletionMessageParam[];
  /** One answer, with log-probabilities where there are some. */
  single(row: JobRow): Request;
  /** `n` sampled answers; `from` of them are there already. */
  votes(row: JobRow, n: number, from: number): Request;
}

/** The requests of a model: everything in them decides the answer, and with it whether one that was paid for is of use. */
function requestMaker(run: PredictRun, settings: ChatSettings, plan: PromptPlan, able: Capabilities): RequestMaker {
  const base = baseOf(settings, run.job.seed);
  const limit = tokenLimit(settings.endpoint);
  const examples = examplesOf(run.job.task, settings.prompt, run.rows, run.model.shots);
  const format = able.structured && plan.json ? { response_format: responseFormat(plan) } : {};
  const tokens = settings.maxTokens ?? (settings.reasoningEffort === undefined ? answerTokens(plan) : undefined);
  const fixed = { ...base, ...format, ...(tokens === undefined ? {} : limit(tokens)) };
  const logprobs = able.logprobs > 0 ? { logprobs: true, top_logprobs: able.logprobs } : {};
  const messages = (row: JobRow) => plan.messages(row.inputs, examples(row));
  return {
    messages,
    single: (row) => ({ ...fixed, ...logprobs, temperature: settings.temperature, messages: messages(row) }),
    votes: (row, n, from) => ({
      ...fixed,
      seed: fixed.seed! + from,
      temperature: settings.confidence.temperature,
      ...(n > 1 ? { n } : {}),
      messages: messages(row),
    }),
  };
}

/** Room for the longest answer, a token a character and some more; reasoning needs as much as it needs. */
function answerTokens({ targets, json, reasoned }: PromptPlan): number | undefined {
  if (reasoned) return undefined;
  const longest = targets.map(
    ({ target, labels }) => Math.max(...labels.map(({ written }) => written.length)) + (json ? target.length : 0),
  );
  return 24 + longest.reduce((sum, length) => sum + length, 0);
}

/** Folds of an untrained model mean nothing but that it has not seen the row: its examples are left out. */
const FOLDS = 5;

/** The rows that still want an answer, in the order of the job. */
function rowsToAsk(run: PredictRun): JobRow[] {
  const shots = new Set(run.model.shots?.map(({ row }) => row));
  const splits = new Set(run.splits);
  return run.rows.filter((row) => {
    const trained = row.split === "train" || row.split === "tune";
    const wanted = splits.has(row.split) || (run.outOfFold && trained && !shots.has(row.row));
    return wanted && run.job.task.targets.some(({ name }) => !run.done(row.row, name));
  });
}

function foldOf(run: PredictRun, row: JobRow): number | undefined {
  if (!run.outOfFold || (row.split !== "train" && row.split !== "tune")) return undefined;
  return (
    createHash("sha256")
      .update(`${run.job.seed}\n${row.group ?? row.row}`)
      .digest()
      .readUInt32BE() % FOLDS
  );
}

/** By target: the mean share that each label gets of rows without content. */
async function contentFree(
  run: PredictRun,
  asker: Asker,
  requests: RequestMaker,
  plan: PromptPlan,
  held: boolean,
): Promise<(Float64Array | null)[]> {
  const plain = createScorer(plan, { bias: "none", held });
  const sums = plan.targets.map(({ labels }) => new Float64Array(labels.length));
  const seen = plan.targets.map(() => 0);
  for (const text of CONTENT_FREE) {
    const inputs = Object.fromEntries(run.job.task.inputs.map(({ name }) => [name, text]));
    const asked = await asker.ask(requests.single({ row: "", split: "pool", inputs, labels: {} }));
    if (!("answer" in asked)) continue;
    for (const [t, masses] of plain.masses(asked.answer.choices[0]!).entries()) {
      const total = masses?.mass.reduce((a, b) => a + b, 0) ?? 0;
      if (!masses || total <= 0) continue;
      seen[t]!++;
      for (const [label, p] of masses.mass.entries()) sums[t]![label]! += p / total;
    }
  }
  return sums.map((sum, t) => {
    if (seen[t] === 0) {
      run.emit({
        type: "log",
        level: "warning",
        message: `${plan.targets[t]!.target}: rows without content get no label, so nothing is divided out.`,
      });
      return null;
    }
    // A label that was not seen at all gets the share of the least that was.
    const least = Math.min(...sum.filter((p) => p > 0));
    return sum.map((p) => (p > 0 ? p : least) / seen[t]!);
  });
}

interface Context {
  settings: ChatSettings;
  asker: Asker;
  requests: RequestMaker;
  scorer: Scorer;
  price: KnownPrice | null;
  able: Capabilities;
}

/** All answers to one row. */
interface RowAnswers {
  single: StoredAnswer | null;
  votes: Choice[];
  all: StoredAnswer[];
  failure: { problem: "failed" | "refused"; why: string } | null;
}

async function answersTo(row: JobRow, context: Context, samples: number, single: boolean): Promise<RowAnswers> {
  const { asker, requests } = context;
  const answers: RowAnswers = { single: null, votes: [], all: [], failure: null };
  if (single) {
    const asked = await asker.ask(requests.single(row));
    if (!("answer" in asked)) return { ...answers, failure: asked };
    answers.single = asked.answer;
    answers.all.push(asked.answer);
  }
  for (let tries = 0; answers.votes.length < samples && tries < samples; tries++) {
    const left = asker.refused.has("n") ? 1 : samples - answers.votes.length;
    const asked = await asker.ask(requests.votes(row, left, answers.votes.length), answers.votes.length);
    if (!("answer" in asked)) return { ...answers, failure: asked };
    answers.all.push(asked.answer);
    answers.votes.push(...asked.answer.choices.slice(0, left));
  }
  return answers;
}

async function askRows(run: PredictRun, rows: readonly JobRow[], context: Context): Promise<void> {
  const { settings, scorer, price, able } = context;
  const targets = run.job.task.targets.map(({ name, labels }) => ({ name, labels: labels.map((label) => label.name) }));
  const signal = signalOf(settings.confidence, able);
  const bakeOff = run.job.options.signals === true;
  const samples = bakeOff || signal === "votes" ? settings.confidence.samples : 0;
  const single = bakeOff || signal === "logprobs";
  if (bakeOff && able.logprobs === 0) {
    run.emit({
      type: "log",
      level: "warning",
      message: "The endpoint gives no log-probabilities: only votes can be looked at.",
    });
  }
  const started = Date.now();
  const problems = new Map<string, number>();
  let done = 0;
  /**
   * Rows that got no answer since the last one that did. They are written when another row gets one: of an endpoint that is
   * gone they are left for the next attempt.
   */
  const unanswered: (() => void)[] = [];
  let firstError: unknown;

  async function one(row: JobRow): Promise<void> {
    const { single: answer, votes, all, failure } = await answersTo(row, context, samples, single);
    if (failure) {
      const outcomes = targets.map((): Outcome => ({ problem: failure.problem, answer: failure.why }));
      unanswered.push(() => write(row, outcomes, all, null));
      if (failure.problem === "failed") {
        if (unanswered.length < Math.max(HOPELESS, 2 * settings.endpoint.concurrency)) return;
        throw new EngineError(
          `${unanswered.length} rows in a row got no answer from ${settings.endpoint.base_url}: ${failure.why}.`,
          "See to the endpoint, then resume the job: it goes on from here.",
        );
      }
    }
    for (const late of unanswered.splice(0)) late();
    if (failure) return;
    const outcomes = signal === "votes" ? scorer.fromVotes(votes) : scorer.fromLogprobs(answer!.choices[0]!);
    write(row, outcomes, all, bakeOff ? scorer.signals(answer?.choices[0] ?? null, votes) : null);
  }

  function write(
    row: JobRow,
    outcomes: readonly Outcome[],
    all: readonly StoredAnswer[],
    signals: ReturnType<Scorer["signals"]> | null,
  ): void {
    const fold = foldOf(run, row);
    for (const [t, outcome] of outcomes.entries()) {
      const { name, labels } = targets[t]!;
      if ("problem" in outcome) problems.set(outcome.problem, (problems.get(outcome.problem) ?? 0) + 1);
      if (run.done(row.row, name)) continue;
      run.predicted({
        ...predictionOfOutcome(outcome, row, { target: name, model: run.model.name, labels, fold }),
        ...(t === 0 ? usageOf(all, price) : {}),
        ...(signals ? { signals: signals[t]! } : {}),
      });
    }
    done++;
    const left = ((Date.now() - started) / 1000 / done) * (rows.length - done);
    run.emit({ type: "progress", step: `asking ${settings.model}`, done, total: rows.length, unit: "rows", left });
  }

  let next = 0;
  async function inTurn(): Promise<void> {
    while (next < rows.length && firstError === undefined && !run.signal.aborted) {
      try {
        await one(rows[next++]!);
      } catch (error) {
        firstError ??= error;
      }
    }
  }
  // As many rows at a time as calls can be in flight, and as many again that wait for their next try. Calls in flight are paid for:
  // their answers are kept whatever happens meanwhile.
  await Promise.all(Array.from({ length: Math.min(2 * settings.endpoint.concurrency, rows.length) }, inTurn));
  run.signal.throwIfAborted();
  if (firstError instanceof EngineError) {
    throw new EngineError(
      `${firstError.message} ${done.toLocaleString("en-US")} of ${rows.length.toLocaleString("en-US")} rows are answered.`,
      firstError.remedy,
    );
  }
  if (firstError !== undefined) throw firstError;
  for (const late of unanswered) late();
  if (problems.size > 0) {
    const said = [...problems].map(([problem, count]) => `${count.toLocaleString("en-US")} ${problem}`);
    run.emit({
      type: "log",
      level: "warning",
      message: `Predictions without a label: ${said.join(", ")}. They count as wrong and are flagged.`,
    });
  }
}

function usageOf(answers: readonly StoredAnswer[], price: KnownPrice | null) {
  const counted = answers.flatMap(({ usage, batch }) => (usage ? [{ ...usage, batch }] : []));
  const seconds = answers.reduce((sum, answer) => sum + answer.seconds, 0);
  if (answers.length === 0) return {};
  if (counted.length < answers.length) return { seconds };
  const sum = (of: (usage: (typeof counted)[number]) => number) =>
    counted.reduce((total, usage) => total + of(usage), 0);
  const cached = sum((usage) => usage.cached ?? 0);
  return {
    seconds,
    tokens: {
      prompt: sum(({ prompt }) => prompt),
      completion: sum(({ completion }) => completion),
      ...(cached > 0 ? { cached } : {}),
    },
    ...(price ? { dollars: sum((usage) => dollarsOf(usage, price.price, usage.batch)) } : {}),
  };
}

function report({ asked }: Asker, inform: (message: string) => void, warn: (message: string) => void): void {
  const { calls, own, cached, retries, spent } = asked;
  const count = (n: number) => n.toLocaleString("en-US");
  const parts = [`${count(calls)} calls`];
  if (own > 0) parts.push(`${count(own)} answers that this job had paid for already`);
  if (cached > 0) parts.push(`${count(cached)} answers that other jobs had paid for`);
  if (spent !== null) parts.push(`$${spent.toFixed(4)} paid`);
  inform(`${parts.join(", ")}.`);
  if (retries > 0) warn(`${count(retries)} tries were turned away or broke off, and were made again.`);
}
