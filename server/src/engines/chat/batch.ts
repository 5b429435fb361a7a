/**
 * The Batch API: requests in a file, answers within a day at a discount. The answers go into the journal under the keys that single
 * calls have, so that what follows finds them there; what a batch did not answer is asked one by one.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type OpenAI from "openai";
import { toFile } from "openai";
import type { Batch, ChatCompletion } from "openai/resources";
import writeFileAtomic from "write-file-atomic";
import type { JobEndpoint } from "../../../../schemas/job.ts";
import { EngineError, type PredictRun } from "../engine.ts";
import { type Request, storedAnswer } from "./ask.ts";
import { judgeFailure } from "./endpoint.ts";
import { callKey, type Journal } from "./journal.ts";
import { backOff, pauseFor, TRIES } from "./pace.ts";
import { dollars, estimateDollars, type KnownPrice } from "./price.ts";

interface BatchRun {
  client: OpenAI;
  endpoint: JobEndpoint;
  run: PredictRun;
  /** The run's own folder. */
  work: string;
  journal: Journal;
  bodies: readonly Request[];
  price: KnownPrice | null;
  /** Dollars that are left of the budget; absent: no budget. */
  left?: number | undefined;
  inform(message: string): void;
  warn(message: string): void;
}

/** The endpoint's limits of one batch are 50,000 requests and 200 MB. */
const MOST_REQUESTS = 50_000;
const MOST_BYTES = 190_000_000;
/** Milliseconds between two looks at a batch, growing. */
const LOOK = { least: 2000, most: 60_000 };
const ENDED = new Set<string>(["completed", "failed", "expired", "cancelled"]);

/**
 * Sends the bodies in batches and keeps the answers. A batch that an earlier attempt sent is found again, and not sent twice.
 * @throws EngineError before anything is sent when the budget may not be enough
 */
export async function fillFromBatches(of: BatchRun): Promise<void> {
  const { endpoint, bodies, price, inform } = of;
  if (bodies.length === 0) return;
  if (price) {
    const estimate = bodies.reduce((sum, body) => sum + estimateDollars(body, price, true), 0);
    if (of.left !== undefined && estimate > of.left) {
      throw new EngineError(
        `The batch may take ${dollars(estimate)}, and ${dollars(of.left)} are left of the budget: nothing was sent.`,
        "Raise `budget`, or leave out `batch: true`: the rows are then asked one by one until the budget is spent.",
      );
    }
    inform(`The Batch API is asked for ${bodies.length.toLocaleString("en-US")} answers, about ${dollars(estimate)}.`);
  }
  let part: { key: string; line: string }[] = [];
  let bytes = 0;
  const seen = new Set<string>();
  for (const body of bodies) {
    const key = callKey(endpoint.base_url, body);
    if (seen.has(key)) continue;
    seen.add(key);
    const line = `${JSON.stringify({ custom_id: key, method: "POST", url: "/v1/chat/completions", body })}\n`;
    if (part.length >= MOST_REQUESTS || bytes + line.length > MOST_BYTES) {
      await oneBatch(of, part);
      part = [];
      bytes = 0;
    }
    part.push({ key, line });
    bytes += Buffer.byteLength(line);
  }
  await oneBatch(of, part);
}

async function oneBatch(of: BatchRun, part: readonly { key: string; line: string }[]): Promise<void> {
  const { client, run, journal, inform, warn } = of;
  const { signal } = run;
  // The same requests of the same job are the same batch, whichever attempt sends them.
  const id = createHash("sha256")
    .update(run.job.id)
    .update(part.map(({ key }) => key).join())
    .digest("hex")
    .slice(0, 32);
  const state = join(of.work, `batch-${id}.json`);
  await mkdir(of.work, { recursive: true });
  let batch = existsSync(state)
    ? await retrieve((JSON.parse(readFileSync(state, "utf8")) as { batch: string }).batch)
    : await lookup();
  if (!batch) {
    const name = `clf-${id}.jsonl`;
    const file = await patient(of, async () =>
      client.files.create(
        { file: await toFile(Buffer.from(part.map(({ line }) => line).join("")), name), purpose: "batch" },
        { signal },
      ),
    );
    batch = await createOnce(file.id);
  }
  await writeFileAtomic(state, JSON.stringify({ batch: batch.id }));
  inform(`Batch ${batch.id} of ${part.length.toLocaleString("en-US")} requests is ${batch.status}.`);

  for (let wait = LOOK.least; !ENDED.has(batch.status); wait = Math.min(wait * 1.5, LOOK.most)) {
    try {
      await pauseFor(Number(process.env.CLF_POLL_MILLISECONDS) || wait, signal);
    } catch (error) {
      // A person cancelled: the batch must not go on costing. A restart of the machine is no reason.
      if (signal.reason === "cancel") await client.batches.cancel(batch.id).catch(() => {});
      throw error;
    }
    batch = await retrieve(batch.id);
    const { completed = 0, total = part.length } = batch.request_counts ?? {};
    run.emit({ type: "progress", step: `batch ${batch.status}`, done: completed, total, unit: "rows" });
  }
  if (batch.status === "failed") {
    const why = batch.errors?.data?.map(({ message }) => message).join(" ") ?? "no reason given";
    throw new EngineError(
      `The endpoint refused batch ${batch.id}: ${why}`,
      "Without `batch: true` the rows are asked one by one.",
    );
  }
  const wanted = new Set(part.map(({ key }) => key));
  let answered = 0;
  let strange = 0;
  if (batch.output_file_id) {
    const output = batch.output_file_id;
    const content = await patient(of, async () => (await client.files.content(output, { signal })).text());
    for (const line of content.split("\n")) {
      if (line.trim() === "") continue;
      try {
        const { custom_id, response } = JSON.parse(line) as {
          custom_id: string;
          response: { status_code: number; body: ChatCompletion } | null;
        };
        if (!wanted.delete(custom_id)) strange++;
        else if (response?.status_code === 200) {
          journal.answered(custom_id, { ...storedAnswer(response.body, 0), batch: true });
          answered++;
        }
      } catch {
        strange++;
      }
    }
  }
  inform(`Batch ${batch.id} is ${batch.status}: ${answered.toLocaleString("en-US")} answers.`);
  if (strange > 0)
    warn(`${strange} lines of batch ${batch.id} are no answers to what was asked: they are passed over.`);
  if (answered < part.length)
    warn(
      `${(part.length - answered).toLocaleString("en-US")} rows got no answer from the batch: they are asked one by one.`,
    );

  function retrieve(batchId: string): Promise<Batch> {
    return patient(of, () => client.batches.retrieve(batchId, { signal }));
  }

  async function lookup(): Promise<Batch | undefined> {
    return patient(of, async () => {
      for await (const known of client.batches.list({ limit: 100 }, { signal })) {
        if (known.metadata?.clf === id) return known;
        if (known.created_at * 1000 < Date.parse(run.job.created) - 86_400_000) return undefined;
      }
      return undefined;
    });
  }

  /** After an error nobody knows whether the batch was made: it is looked for before it is asked for again. */
  async function createOnce(input: string): Promise<Batch> {
    for (let tries = 1; ; tries++) {
      try {
        return await client.batches.create(
          { input_file_id: input, endpoint: "/v1/chat/completions", completion_window: "24h", metadata: { clf: id } },
          { signal },
        );
      } catch (error) {
        signal.throwIfAborted();
        const verdict = judgeFailure(error, of.endpoint, "batch");
        if (verdict.do === "stop") throw verdict.error;
        if (verdict.do !== "again" || tries >= TRIES)
          throw new EngineError(`The batch could not be sent: ${verdict.why}`);
        await pauseFor(Math.max(verdict.after, backOff(tries)), signal);
        const made = await lookup();
        if (made) return made;
      }
    }
  }
}

/** A call that may be made twice without harm, tried again while that makes sense. */
export async function patient<T>(
  { endpoint, run }: { endpoint: JobEndpoint; run: { signal: AbortSignal } },
  call: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      run.signal.throwIfAborted();
      if (error instanceof EngineError) throw error;
      const verdict = judgeFailure(error, endpoint, "");
      if (verdict.do === "stop") throw verdict.error;
      if (verdict.do !== "again" || tries >= TRIES) throw new EngineError(`${endpoint.base_url}: ${verdict.why}`);
      await pauseFor(Math.max(verdict.after, backOff(tries)), run.signal);
    }
  }
}
