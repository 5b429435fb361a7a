/**
 * Engine `openai`: fine-tuning through the OpenAI fine-tuning API, at OpenAI or whoever offers the same one.
 *
 * One click makes one fine-tune there, whatever happens on the way: the job's own id goes along as metadata (and in the file's name), and before
 * anything is uploaded or asked for, it is looked for. What has been learnt of it stands in the job's folder, so that another
 * attempt follows the same one.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type OpenAI from "openai";
import { toFile } from "openai";
import type { FineTuningJob, JobCreateParams } from "openai/resources/fine-tuning/jobs";
import writeFileAtomic from "write-file-atomic";
import * as z from "zod";
import type { JobEndpoint } from "../../../../schemas/job.ts";
import { type OpenAIModel, Prompt } from "../../../../schemas/project.ts";
import { patient } from "../chat/batch.ts";
import { endpointClient, judgeFailure, keyFor } from "../chat/endpoint.ts";
import { predictChat, workOf } from "../chat/engine.ts";
import { backOff, pauseFor, TRIES } from "../chat/pace.ts";
import { dollars, estimateTokens } from "../chat/price.ts";
import { answersJson, planPrompt } from "../chat/prompt.ts";
import { type Engine, EngineError, type EngineRun, type FineTuneRun, type PredictRun } from "../engine.ts";
import { closingNotes, shutdownNote } from "./lifecycle.ts";
import { requireEnough, type TrainingFile, trainingFile } from "./training-file.ts";

/** model/openai.json: what a fine-tune left. */
const Manifest = z.strictObject({
  format: z.literal(1),
  /** The fine-tune at the endpoint. */
  fine_tune: z.string(),
  /** The model's name there. */
  model: z.string(),
  base: z.string(),
  trained_tokens: z.number().nullable(),
});

/** work/openai.json: how far this job has come. */
const State = z.strictObject({
  training_file: z.string().optional(),
  validation_file: z.string().optional(),
  fine_tune: z.string().optional(),
  /** Events that have been told already. */
  told: z.array(z.string()).default([]),
});
type State = z.output<typeof State>;

const MANIFEST = "openai.json";
type Spec = z.output<typeof OpenAIModel>;
const specOf = (run: EngineRun): Spec => run.model.spec as Spec;

/** The prompt of training and prediction alike: instructions and labels in the system message, the row, the answer. */
const PROMPT = Prompt.parse({});

/** What the file does not say of JSON schemas is not tried: the model is asked as it was trained. */
function endpointOf({ model: { endpoint, name } }: EngineRun): JobEndpoint & { structured: boolean } {
  if (endpoint) return { ...endpoint, structured: endpoint.structured ?? false };
  throw new EngineError(`Model "${name}" has no endpoint.`);
}

async function fineTune(run: FineTuneRun): Promise<void> {
  const spec = specOf(run);
  const endpoint = endpointOf(run);
  const client = endpointClient(endpoint, keyFor(endpoint, run.keys ?? []), spec);
  await sayClosing(run, client, endpoint, spec.base, true);

  const { task } = run.job;
  const plan = planPrompt(task, PROMPT, answersJson(PROMPT, task.targets.length, endpoint.structured));
  const train = trainingFile(
    run.rows.filter(({ split }) => split === "train"),
    plan,
  );
  requireEnough(train);
  // Tune rows tell the endpoint when to stop; validation rows calibrate and certify, and nothing else.
  const tune = trainingFile(
    run.rows.filter(({ split }) => split === "tune"),
    plan,
  );
  sayPrice(run, endpoint, train, spec);

  const state = await openState(workOf(run));
  const of: Remote = { run, client, endpoint, id: clientId(run), state };
  let job = await current(of, train, tune);
  job = await follow(of, job);
  if (job.status !== "succeeded" || !job.fine_tuned_model) {
    const why = job.error?.message ? `: ${job.error.message}` : "";
    throw new EngineError(
      `The fine-tune ${job.id} at ${endpoint.base_url} ended as ${job.status}${why}`,
      "Start another fine-tune once that is mended: a fine-tune that has ended is not taken up again.",
    );
  }
  await resultMetrics(of, job);
  const price = endpoint.price?.training_per_million;
  const cost =
    price !== undefined && job.trained_tokens !== null ? `, ${dollars((job.trained_tokens * price) / 1e6)}` : "";
  run.emit({
    type: "log",
    level: "info",
    message: `${job.fine_tuned_model} is ready: ${(job.trained_tokens ?? 0).toLocaleString("en-US")} tokens trained${cost}.`,
  });
  const manifest: z.output<typeof Manifest> = {
    format: 1,
    fine_tune: job.id,
    model: job.fine_tuned_model,
    base: spec.base,
    trained_tokens: job.trained_tokens,
  };
  await writeFileAtomic(join(run.artifact, MANIFEST), JSON.stringify(manifest, null, 2));
}

async function predict(run: PredictRun): Promise<void> {
  const spec = specOf(run);
  const endpoint = endpointOf(run);
  if (run.outOfFold) {
    run.emit({
      type: "log",
      level: "warning",
      message:
        "A model fine-tuned at an endpoint has no out-of-fold predictions: without validation rows nothing can be calibrated or certified.",
    });
  }
  const { model } = readManifest(run);
  await sayClosing(run, endpointClient(endpoint, keyFor(endpoint, run.keys ?? []), spec), endpoint, model, false);
  await predictChat(
    { ...run, outOfFold: false },
    {
      endpoint,
      model,
      prompt: PROMPT,
      confidence: spec.confidence,
      temperature: 0,
      timeout: spec.timeout,
      budget: spec.budget,
      batch: false,
    },
  );
}

export const openaiEngine: Engine = { fineTune, predict };

function readManifest(run: PredictRun): z.output<typeof Manifest> {
  try {
    return Manifest.parse(JSON.parse(readFileSync(join(run.artifact ?? "", MANIFEST), "utf8")));
  } catch {
    throw new EngineError(
      `What the fine-tune of "${run.model.name}" left is missing or damaged.`,
      "Fine-tune it again.",
    );
  }
}

/** Tokens trained, from the text of a fine-tune's manifest; null where it does not say. */
export function fineTunedTokens(manifest: string): number | null {
  try {
    return Manifest.parse(JSON.parse(manifest)).trained_tokens;
  } catch {
    return null;
  }
}

/** What is known of the model's end, and what the endpoint itself says of it. An endpoint that says nothing keeps nobody waiting. */
async function sayClosing(
  run: EngineRun,
  client: OpenAI,
  endpoint: JobEndpoint,
  model: string,
  training: boolean,
): Promise<void> {
  const listed = await client.models.retrieve(model, { signal: run.signal, timeout: LISTED }).catch(() => null);
  run.signal.throwIfAborted();
  const shutdown = shutdownNote(model, listed);
  for (const message of [...closingNotes(endpoint, model, training), ...(shutdown === null ? [] : [shutdown])])
    run.emit({ type: "log", level: "warning", message });
}

/** Milliseconds that an endpoint has to say what it knows of a model. */
const LISTED = 10_000;

function sayPrice(run: FineTuneRun, endpoint: JobEndpoint, { text, rows }: TrainingFile, { epochs }: Spec): void {
  const tokens = estimateTokens(text) * (epochs === "auto" ? 3 : epochs);
  const price = endpoint.price?.training_per_million;
  const cost =
    price === undefined
      ? "its price is not known (endpoints: price: training_per_million)"
      : `about ${dollars((tokens * price) / 1e6)}`;
  run.emit({
    type: "log",
    level: "info",
    message: `${rows.toLocaleString("en-US")} train rows, about ${tokens.toLocaleString("en-US")} tokens to train: ${cost}.`,
  });
}

// --- the fine-tune at the endpoint ------------------------------------------------------------------------------

interface Remote {
  run: FineTuneRun;
  client: OpenAI;
  endpoint: JobEndpoint;
  /** This job's name for it: in the metadata there, and in the names of files. */
  id: string;
  state: { value: State; save(): Promise<void> };
}

const clientId = (run: EngineRun): string => createHash("sha256").update(run.job.id).digest("hex").slice(0, 24);
const METADATA = "clf_job";

async function openState(folder: string): Promise<Remote["state"]> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, "openai.json");
  const value = existsSync(file) ? State.parse(JSON.parse(readFileSync(file, "utf8"))) : State.parse({});
  return { value, save: () => writeFileAtomic(file, JSON.stringify(value)) };
}

/** The fine-tune of this job: the one that is known, or found at the endpoint; else a new one. */
async function current(of: Remote, train: TrainingFile, tune: TrainingFile): Promise<FineTuningJob> {
  const { client, run, state } = of;
  const { signal } = run;
  const known = state.value.fine_tune;
  if (known !== undefined) return patient(of, async () => client.fineTuning.jobs.retrieve(known, { signal }));
  const found = await lookup(of);
  if (found) return found;
  state.value.training_file ??= await upload(of, "train", train);
  await state.save();
  if (tune.rows > 0) {
    state.value.validation_file ??= await upload(of, "tune", tune);
    await state.save();
  }
  return create(of);
}

async function remember({ run, state }: Remote, job: FineTuningJob): Promise<FineTuningJob> {
  state.value.fine_tune = job.id;
  await state.save();
  run.emit({ type: "log", level: "info", message: `The fine-tune is ${job.id}.` });
  return job;
}

/** Looks for this job's fine-tune among those made since the job was. */
async function lookup(of: Remote): Promise<FineTuningJob | undefined> {
  const { client, run, id, state } = of;
  const since = Date.parse(run.job.created) - 86_400_000;
  const found = await patient(of, async () => {
    for await (const job of client.fineTuning.jobs.list({ limit: 100 }, { signal: run.signal })) {
      if (job.metadata?.[METADATA] === id || isNamed(job, id) || hasFile(job, state.value)) return job;
      if (job.created_at * 1000 < since) return undefined;
    }
    return undefined;
  });
  return found && remember(of, found);
}

const suffixOf = (id: string): string => `clf-${id.slice(0, 12)}`;
/** The file was uploaded by this job, for one fine-tune. */
const hasFile = (job: FineTuningJob, { training_file }: State): boolean =>
  training_file !== undefined && job.training_file === training_file;
/** Endpoints that keep no metadata keep the suffix, in the model's name. */
const isNamed = (job: FineTuningJob, id: string): boolean => job.fine_tuned_model?.includes(suffixOf(id)) === true;

/** Uploads a file, unless it is there already. */
async function upload(of: Remote, kind: "train" | "tune", { text }: TrainingFile): Promise<string> {
  const { client, run, id } = of;
  const { signal } = run;
  const name = `clf-${id}-${kind}.jsonl`;
  const bytes = Buffer.byteLength(text);
  run.emit({ type: "progress", step: `uploading ${kind} rows`, done: 0, total: bytes, unit: "bytes" });
  return patient(of, async () => {
    for await (const known of client.files.list({ purpose: "fine-tune", limit: 1000 }, { signal })) {
      if (known.filename === name && known.bytes === bytes && known.status !== "error") return known.id;
      if (known.created_at * 1000 < Date.parse(run.job.created) - 86_400_000) break;
    }
    const file = await client.files.create(
      { file: await toFile(Buffer.from(text), name), purpose: "fine-tune" },
      { signal },
    );
    return file.id;
  });
}

/** After an error nobody knows whether it was made: it is looked for before it is asked for again. */
async function create(of: Remote): Promise<FineTuningJob> {
  const { client, run, endpoint, id, state } = of;
  const { base, epochs, batch_size, learning_rate_multiplier } = specOf(run);
  let metadata = true;
  for (let tries = 1; ; tries++) {
    const hyperparameters = { n_epochs: epochs, batch_size, learning_rate_multiplier };
    const body: JobCreateParams = {
      model: base,
      training_file: state.value.training_file!,
      ...(state.value.validation_file === undefined ? {} : { validation_file: state.value.validation_file }),
      method: { type: "supervised", supervised: { hyperparameters } },
      seed: run.job.seed % 2 ** 31,
      suffix: suffixOf(id),
      ...(metadata ? { metadata: { [METADATA]: id } } : {}),
    };
    try {
      return await remember(of, await client.fineTuning.jobs.create(body, { signal: run.signal, idempotencyKey: id }));
    } catch (error) {
      run.signal.throwIfAborted();
      const verdict = judgeFailure(error, endpoint, base);
      if (verdict.do === "stop") throw verdict.error;
      if (verdict.do !== "again" && metadata && /metadata/i.test(verdict.why)) {
        metadata = false;
        continue;
      }
      if (verdict.do !== "again" || tries >= TRIES) {
        throw new EngineError(
          `${endpoint.base_url} does not take the fine-tune: ${verdict.why}`,
          "Look at `base` and at the settings of the model.",
        );
      }
      await pauseFor(Math.max(verdict.after, backOff(tries)), run.signal);
      const made = await lookup(of);
      if (made) return made;
    }
  }
}

const ENDED = new Set<string>(["succeeded", "failed", "cancelled"]);
/** Milliseconds between two looks, growing. */
const LOOK = { least: 2000, most: 30_000 };

/** Follows the fine-tune to its end. States that are not known (the set is open) are waited through. */
async function follow(of: Remote, first: FineTuningJob): Promise<FineTuningJob> {
  const { client, run } = of;
  const { signal } = run;
  let job = first;
  let said = "";
  for (let wait = LOOK.least; ; wait = Math.min(wait * 1.5, LOOK.most)) {
    await tellEvents(of, job.id);
    const status: string = job.status;
    if (status !== said) {
      run.emit({ type: "progress", step: `the endpoint says: ${status.replaceAll("_", " ")}`, done: 0, total: null });
      said = status;
    }
    if (ENDED.has(status)) return job;
    try {
      await pauseFor(Number(process.env.CLF_POLL_MILLISECONDS) || wait, signal);
    } catch (error) {
      // A person cancelled: the fine-tune must not go on costing. The end of this process is no reason to.
      if (signal.reason === "cancel") await client.fineTuning.jobs.cancel(job.id).catch(() => {});
      throw error;
    }
    job = await patient(of, async () => client.fineTuning.jobs.retrieve(job.id, { signal }));
  }
}

const MOST_TOLD = 5000;

/** The endpoint's events as ours, each once over all attempts. */
async function tellEvents({ client, run, state, endpoint }: Remote, id: string): Promise<void> {
  const fresh = await patient({ endpoint, run }, async () => {
    const events = [];
    const told = new Set(state.value.told);
    for await (const event of client.fineTuning.jobs.listEvents(id, { limit: 100 }, { signal: run.signal })) {
      if (told.has(event.id) || events.length >= MOST_TOLD) break;
      events.push(event);
    }
    return events.reverse();
  });
  for (const { message, level, type, data, id: event } of fresh) {
    state.value.told.push(event);
    const metrics = type === "metrics" ? Metrics.safeParse(data) : undefined;
    if (!metrics?.success) {
      run.emit({ type: "log", level: level === "info" ? "info" : "warning", message });
      continue;
    }
    const { step, train_loss, valid_loss } = metrics.data;
    if (train_loss !== undefined) run.emit({ type: "metric", name: "loss", value: train_loss, step, split: "train" });
    if (valid_loss !== undefined) run.emit({ type: "metric", name: "loss", value: valid_loss, step, split: "tune" });
  }
  if (fresh.length > 0) await state.save();
}

const Metrics = z.looseObject({
  step: z.number(),
  train_loss: z.number().optional(),
  valid_loss: z
    .number()
    .nullish()
    .transform((value) => value ?? undefined),
});

/** The result file's last line: loss and token accuracy at the end. The file is CSV, in base64 at OpenAI. */
async function resultMetrics({ client, run, endpoint }: Remote, { result_files }: FineTuningJob): Promise<void> {
  const [file] = result_files;
  if (file === undefined) return;
  const raw = await patient({ endpoint, run }, async () =>
    (await client.files.content(file, { signal: run.signal })).text(),
  ).catch(() => "");
  const text = raw.startsWith("step") ? raw : Buffer.from(raw, "base64").toString("utf8");
  const [head, ...lines] = text.trim().split("\n");
  const names = head?.split(",") ?? [];
  const last = lines.at(-1)?.split(",");
  if (!last || !names.includes("step")) return;
  const step = Number(last[names.indexOf("step")]);
  for (const [i, name] of names.entries()) {
    const value = Number(last[i]);
    if (name === "step" || last[i] === "" || !Number.isFinite(value)) continue;
    run.emit({ type: "metric", name, value, step });
  }
}
