/** Prompts before anything is sent: what a row's request would be, and what a job's requests would cost. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as z from "zod";
import type { Job, JobTarget } from "../../../schemas/job.ts";
import { type Model, Prompt } from "../../../schemas/project.ts";
import type { DryRunDocument, PromptPreview } from "../../../schemas/prompt.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import { writeJobRows } from "../dataset/job-rows.ts";
import { examplesOf } from "../engines/chat/examples.ts";
import { dollarsOf, estimatePrompt, estimateTokens, type KnownPrice, priceIn } from "../engines/chat/price.ts";
import { answersJson, answerText, planPrompt } from "../engines/chat/prompt.ts";
import { closingNotes } from "../engines/openai/lifecycle.ts";
import { trainingDecisions } from "../review/apply.ts";
import { modelSpec } from "./artifacts.ts";
import { jobRowState, type ProjectData } from "./data.ts";
import { jobEndpoint, readRows, shotsOf, templateOf } from "./prompted.ts";
import { type Session, WorkflowError } from "./session.ts";
import { withStages } from "./start.ts";

interface Prompting {
  spec: Extract<Model, { engine: "chat" | "openai" }>;
  rows: JobRow[];
  messages(row: JobRow): { role: string; content: string }[];
  shots: { row: string; why: string }[];
  price: KnownPrice | null;
  /** Tokens of a usual answer, about. */
  completion: number;
  /** Answers a row: more than one for votes. */
  samples: number;
  address: string;
}

/** A model's prompt with everything that is known before the endpoint is asked. @throws WorkflowError for models without a prompt */
async function promptingOf(session: Session, { dataset, verdicts }: ProjectData, name: string): Promise<Prompting> {
  const spec = modelSpec(session, name);
  if (spec.engine !== "chat" && spec.engine !== "openai") {
    throw new WorkflowError(`Model "${name}" has no prompt: its engine is ${spec.engine}.`);
  }
  const { project } = session;
  const folder = await mkdtemp(join(tmpdir(), "clf-prompt-"));
  let rows: JobRow[];
  try {
    await mkdir(join(folder, "data"));
    const { decisions } = trainingDecisions(verdicts, jobRowState(dataset.rows), dataset.rows.targets);
    await writeJobRows(dataset, { decisions }, join(folder, "data", "rows.jsonl"));
    rows = await readRows(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const task: Job["task"] = {
    ...(project.spec.task.instructions ? { instructions: project.spec.task.instructions } : {}),
    inputs: project.inputs,
    targets: dataset.rows.targets.map(
      ({ name: target, column, labels }): JobTarget => ({ name: target, column, labels }),
    ),
  };
  const endpoint = jobEndpoint(project, spec);
  const prompt = spec.engine === "chat" ? spec.prompt : Prompt.parse({});
  const template = spec.engine === "chat" ? await templateOf(project, name, spec) : undefined;
  const json = answersJson(prompt, task.targets.length, endpoint.structured ?? false);
  const plan = planPrompt(task, prompt, json, template);
  const shots = spec.engine === "chat" ? ((await shotsOf(session, name, spec, rows, task.targets)) ?? []) : [];
  const examples = examplesOf(task, prompt, rows, shots);
  const usual = Object.fromEntries(task.targets.map((target) => [target.name, target.labels[0]?.name ?? null]));
  const answer = estimateTokens(answerText(plan.targets, usual, json)) + 2;
  const { signal, samples } = spec.confidence;
  return {
    spec,
    rows,
    messages: (row) =>
      plan.messages(row.inputs, examples(row)).map(({ role, content }) => ({ role, content: String(content) })),
    shots,
    price: priceIn(endpoint),
    // Reasoning is as long as it is: two hundred tokens are a guess.
    completion: plan.reasoned ? 200 : answer,
    samples: signal === "votes" || (signal === "auto" && endpoint.logprobs === 0) ? samples : 1,
    address: endpoint.base_url,
  };
}

/** The request for a row; without an id, for the first row that would be asked. @throws WorkflowError when there is no such row */
export async function previewPrompt(
  session: Session,
  data: ProjectData,
  model: string,
  id?: string,
): Promise<PromptPreview> {
  const of = await promptingOf(session, data, model);
  const row =
    id === undefined
      ? (of.rows.find(({ split }) => split === "tune") ?? of.rows[0])
      : of.rows.find((each) => each.row === id);
  if (!row) throw new WorkflowError(id === undefined ? "There is no row." : `There is no row ${id}.`);
  const messages = of.messages(row);
  const prompt = estimatePrompt(messages);
  const completion = of.completion * of.samples;
  return {
    model,
    row: row.row,
    split: row.split,
    messages,
    shots: of.shots.map(({ row: shot, why }) => ({ row: shot, why })),
    tokens: { prompt, completion },
    samples: of.samples,
    cost: of.price ? dollarsOf({ prompt, completion }, of.price.price) : null,
    price_from: of.price?.from ?? null,
    notes: notesOf(of),
  };
}

function notesOf({ spec, address }: Prompting): string[] {
  const notes = closingNotes(
    { base_url: address },
    spec.engine === "chat" ? spec.model : spec.base,
    spec.engine === "openai",
  );
  if (spec.engine === "chat" && spec.prompt.answer === "auto") {
    notes.push(
      "Where the endpoint keeps to a JSON schema, a JSON object is asked for: that is tried with the first call.",
    );
  }
  return notes;
}

type CostEstimate = z.output<typeof DryRunDocument>["models"][string];

/** Rows of a large job that are looked at for its estimate. */
const LOOKED_AT = 1000;

/**
 * What predicting the splits would cost at most, before anything is sent: answers that were paid for already cost nothing. Of a cascade:
 * as if each stage were asked every row. Null for models that ask no endpoint.
 */
export async function estimateCost(
  session: Session,
  data: ProjectData,
  model: string,
  splits: readonly SplitName[],
): Promise<CostEstimate | null> {
  const parts: CostEstimate[] = [];
  for (const stage of withStages(session, model)) {
    const { engine } = modelSpec(session, stage);
    if (engine !== "chat" && engine !== "openai") continue;
    const of = await promptingOf(session, data, stage);
    const rows = of.rows.filter(({ split }) => splits.includes(split));
    const step = Math.max(1, Math.ceil(rows.length / LOOKED_AT));
    const looked = rows.filter((_, i) => i % step === 0);
    const scale = looked.length === 0 ? 0 : rows.length / looked.length;
    const tokens = {
      prompt: Math.round(looked.reduce((sum, row) => sum + estimatePrompt(of.messages(row)), 0) * scale),
      completion: of.completion * of.samples * rows.length,
    };
    const cost = of.price ? dollarsOf(tokens, of.price.price) : null;
    parts.push({ rows: rows.length, tokens, cost, price_from: of.price?.from ?? null, notes: notesOf(of) });
  }
  if (parts.length === 0) return null;
  return parts.reduce((sum, part) => ({
    rows: Math.max(sum.rows, part.rows),
    tokens: {
      prompt: sum.tokens.prompt + part.tokens.prompt,
      completion: sum.tokens.completion + part.tokens.completion,
    },
    cost: sum.cost === null || part.cost === null ? null : sum.cost + part.cost,
    price_from: sum.price_from ?? part.price_from,
    notes: [...sum.notes, ...part.notes],
  }));
}
