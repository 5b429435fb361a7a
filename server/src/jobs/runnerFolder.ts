/** The job folder as a Node runner uses it: everything it takes and everything it writes. */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { JobEvent, NewEvent } from "../../../schemas/events.ts";
import type { Job } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import { fileErrorMessage } from "../file-error.ts";
import { attemptFolder, attemptNumbers, parseEvent } from "./attempt.ts";
import { changes } from "./changes.ts";
import { parseJob } from "./contract.ts";
import { cutTornLine, wholeLines } from "./lines.ts";
import { cleanUpCompaction, compactPredictions, type ToParquet } from "./predictions.ts";

/** Why a runner should stop: a person cancelled the job, or the system ends the process. */
export type StopReason = "cancel" | "signal";

export interface RunnerFolder {
  readonly folder: string;
  readonly job: Job;
  readonly attempt: number;
  /** Aborted when the runner should stop soon; `reason` is a StopReason. */
  readonly stop: AbortSignal;
  readonly predictions: PredictionWriter;
  /** Appends an event, numbered and dated. */
  event(event: NewEvent): void;
  /** Writes a file or folder of the job under a temporary name, gives it its name, and tells of it. */
  artifact(name: string, path: string, write: (temporary: string) => Promise<void>): Promise<void>;
  checkpoint(path: string, write: (temporary: string) => Promise<void>, step?: number): Promise<void>;
  /**
   * Runs the work and writes the attempt's end: `succeeded` when it returns, `cancelled` when it was stopped by a cancel,
   * else `failed`, with the error's message. Returns the exit code.
   */
  run(work: () => Promise<void>): Promise<number>;
}

export interface PredictionWriter {
  /** All predictions are there and in Parquet: nothing can be added. */
  readonly compacted: boolean;
  readonly count: number;
  /** Whether the prediction is there already, from this attempt or an earlier one. */
  has(model: string, row: string, target: string): boolean;
  /** Appends those that are not there yet, as whole lines in one write, and returns them. */
  append(predictions: readonly Prediction[]): Prediction[];
  /** Turns predictions.jsonl into predictions.parquet; does nothing when that has been done. */
  compact(toParquet: ToParquet): Promise<void>;
}

/**
 * Opens a job folder for its one runner. The attempt is CLF_ATTEMPT, which the supervisor sets, else the last one.
 * Half-written last lines of a runner that was killed are cut off.
 */
export async function openRunnerFolder(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<RunnerFolder> {
  const job = parseJob(await readFile(join(folder, "job.json"), "utf8"));
  const attempt = Number(env.CLF_ATTEMPT) || (await attemptNumbers(folder)).at(-1) || 1;
  const at = attemptFolder(folder, attempt);
  await mkdir(at, { recursive: true });

  const eventsPath = join(at, "events.jsonl");
  await cutTornLine(eventsPath);
  let seq = 0;
  for await (const line of wholeLines(eventsPath)) seq = parseEvent(line.text)?.seq ?? seq;
  const events = openSync(eventsPath, "a");
  const stop = stopSignal(folder);

  function event(body: NewEvent): void {
    const whole = { seq: ++seq, time: new Date().toISOString(), ...body } as JobEvent;
    writeSync(events, `${JSON.stringify(whole)}\n`);
  }

  /** The end is on the disk before the process ends, also if the machine goes down right after. */
  function end(state: "succeeded" | "failed" | "cancelled", message?: string): void {
    event({ type: "state", state, ...(message === undefined ? {} : { message }) });
    fsyncSync(events);
    closeSync(events);
  }

  async function place(path: string, write: (temporary: string) => Promise<void>): Promise<string> {
    const to = join(folder, path);
    const temporary = join(dirname(to), `.${basename(to)}.tmp`);
    const old = join(dirname(to), `.${basename(to)}.old`);
    await mkdir(dirname(to), { recursive: true });
    await rm(temporary, { recursive: true, force: true });
    await write(temporary);
    const isFolder = (await stat(temporary)).isDirectory();
    // A folder cannot be renamed over another one.
    if (isFolder && existsSync(to)) {
      await rm(old, { recursive: true, force: true });
      await rename(to, old);
    }
    await rename(temporary, to);
    if (isFolder) await rm(old, { recursive: true, force: true });
    return to;
  }

  return {
    folder,
    job,
    attempt,
    stop: stop.signal,
    predictions: await predictionWriter(folder),
    event,

    async artifact(name, path, write) {
      const to = await place(path, write);
      event({ type: "artifact", name, path, bytes: await bytesOf(to) });
    },

    async checkpoint(path, write, step) {
      await place(path, write);
      event({ type: "checkpoint", path, ...(step === undefined ? {} : { step }) });
    },

    async run(work) {
      event({ type: "state", state: "running" });
      try {
        await work();
        end("succeeded");
        return 0;
      } catch (error) {
        if (stop.signal.aborted) {
          if (stop.signal.reason === "cancel") end("cancelled");
          else
            end("failed", "The runner was asked to end by the system (SIGTERM). Resume goes on from where it stopped.");
          return 1;
        }
        const message = fileErrorMessage(error) ?? (error instanceof Error ? error.message : String(error));
        // Where it happened is for the log, not for people.
        if (error instanceof Error && error.stack) console.error(error.stack);
        const { remedy } = error as { remedy?: unknown };
        event({ type: "error", message, ...(typeof remedy === "string" ? { remedy } : {}) });
        end("failed", message);
        return 1;
      } finally {
        stop.close();
      }
    },
  };
}

/** Watches for the cancel file and for SIGTERM. */
function stopSignal(folder: string): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const cancel = join(folder, "cancel");
  const watcher = changes([folder], "cancel");
  const onTerm = () => controller.abort(existsSync(cancel) ? "cancel" : "signal");
  process.on("SIGTERM", onTerm);
  let closed = false;
  void (async () => {
    while (!closed && !controller.signal.aborted) {
      if (existsSync(cancel)) controller.abort("cancel" satisfies StopReason);
      else await watcher.next();
    }
    watcher.close();
  })();
  return {
    signal: controller.signal,
    close() {
      closed = true;
      watcher.close();
      process.off("SIGTERM", onTerm);
    },
  };
}

async function predictionWriter(folder: string): Promise<PredictionWriter> {
  const path = join(folder, "predictions.jsonl");
  let compacted = (await cleanUpCompaction(folder)) === "parquet";
  const known = new Set<string>();
  if (!compacted) {
    await cutTornLine(path);
    for await (const line of wholeLines(path)) {
      const { model, row, target } = JSON.parse(line.text) as Prediction;
      known.add(key(model, row, target));
    }
  }
  return {
    get compacted() {
      return compacted;
    },
    get count() {
      return known.size;
    },
    has: (model, row, target) => compacted || known.has(key(model, row, target)),
    append(predictions) {
      if (compacted) throw new Error("The predictions are complete and compacted: nothing can be added.");
      let text = "";
      const added: Prediction[] = [];
      for (const prediction of predictions) {
        const id = key(prediction.model, prediction.row, prediction.target);
        if (known.has(id)) continue;
        known.add(id);
        text += `${JSON.stringify(prediction)}\n`;
        added.push(prediction);
      }
      if (added.length > 0) appendFileSync(path, text);
      return added;
    },
    async compact(toParquet) {
      if (compacted) return;
      await compactPredictions(folder, toParquet);
      compacted = true;
    },
  };
}

function key(model: string, row: string, target: string): string {
  return JSON.stringify([model, row, target]);
}

async function bytesOf(path: string): Promise<number> {
  const status = await stat(path);
  if (!status.isDirectory()) return status.size;
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
