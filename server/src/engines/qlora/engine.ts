/**
 * Engine `qlora`: a local language model, fine-tuned with QLoRA and scored label by label (docs/qlora.md). The work is the Python
 * worker's; this starts it on a folder of its own and passes on what it tells and predicts.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobEvent } from "../../../../schemas/events.ts";
import type { Prediction } from "../../../../schemas/predictions.ts";
import { type Engine, EngineError, type EngineRun, type FineTuneRun, type PredictRun } from "../engine.ts";
import { startWorker } from "./worker.ts";
import { openWorkerFolder, type WorkerFolder } from "./worker-folder.ts";

/** Milliseconds between two looks at what the worker has written. */
const LOOK = 200;

type ErrorEvent = Extract<JobEvent, { type: "error" }>;

/** Folders whose worker has done all: it predicts with every model of the job in one go, so that a base is loaded once. */
const done = new Set<string>();

async function fineTune(run: FineTuneRun): Promise<void> {
  const folder = await workerFolder(run);
  await runWorker(run, folder, () => {});
  await cp(join(folder.path, "model"), run.artifact, { recursive: true });
}

async function predict(run: PredictRun): Promise<void> {
  const folder = await workerFolder(run);
  const pass = (prediction: Prediction) => {
    const { model, row, target } = prediction;
    if (model === run.model.name && !run.done(row, target)) run.predicted(prediction);
  };
  if (!done.has(folder.path)) await runWorker(run, folder, pass);
  done.add(folder.path);
  for await (const prediction of folder.newPredictions()) pass(prediction);
}

async function workerFolder({ job, folder, work, model }: EngineRun): Promise<WorkerFolder> {
  if (folder === undefined || work === undefined) {
    throw new EngineError(`Model "${model.name}" is run as a job of its own.`, "Start a prediction job.");
  }
  return openWorkerFolder(job, folder, work);
}

/** @throws EngineError with what the worker says went wrong; the signal's reason when the job was stopped */
async function runWorker(run: EngineRun, folder: WorkerFolder, predicted: (of: Prediction) => void): Promise<void> {
  if (process.platform === "win32") {
    throw new EngineError(
      "Engine qlora needs Linux or macOS: its worker is started by a shell script.",
      "Run it on a host with a GPU, or open the project in WSL.",
    );
  }
  const child = startWorker(folder.path, folder.attempt);
  const ended = once(child, "exit").then(() => {});
  const failed = once(child, "error").then(([error]) => Promise.reject(error as Error));
  failed.catch(() => {});
  const stop = () => askToStop(run.signal, child, folder);
  if (run.signal.aborted) stop();
  run.signal.addEventListener("abort", stop);
  const told = listener(run);
  try {
    for (let over = false; !over; ) {
      over = await Promise.race([ended.then(() => true), failed, sleep(LOOK).then(() => false)]);
      for await (const event of folder.newEvents()) told.event(event);
      for await (const prediction of folder.newPredictions()) predicted(prediction);
    }
  } finally {
    run.signal.removeEventListener("abort", stop);
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
  run.signal.throwIfAborted();
  told.end(child);
}

function askToStop(signal: AbortSignal, child: ChildProcess, folder: WorkerFolder): void {
  // The worker looks for the file at every step; the signal is for one that is still being started.
  if (signal.reason === "cancel") void folder.cancel();
  else child.kill("SIGTERM");
}

/** Passes events on. The error that ends the worker is kept back: it becomes the job's. */
function listener(run: EngineRun) {
  let last: ErrorEvent | undefined;
  let state: string | undefined;
  let message: string | undefined;
  return {
    event(event: JobEvent): void {
      if (event.type === "state") {
        state = event.state;
        message = event.message;
        return;
      }
      if (last) emit(run, last);
      last = undefined;
      switch (event.type) {
        case "error":
          last = event;
          return;
        case "progress":
        case "metric":
        case "log":
          emit(run, event);
      }
    },
    end(child: ChildProcess): void {
      if (state === "succeeded" && child.exitCode === 0) {
        if (last) emit(run, last);
        return;
      }
      if (last && state === "failed" && last.message === message) {
        throw new EngineError(last.message, last.remedy, last.row);
      }
      if (last) emit(run, last);
      if (message !== undefined && state === "failed") throw new EngineError(message);
      const how = child.signalCode ? `was ended by ${child.signalCode}` : `ended with code ${child.exitCode}`;
      throw new EngineError(
        `The worker ${how} without a word of why.`,
        child.signalCode === "SIGKILL"
          ? "The machine may have run out of memory: lower max_tokens or batch_size, or use a smaller base."
          : "The job's log says more.",
      );
    },
  };
}

function emit(run: EngineRun, event: JobEvent): void {
  const { seq: _, time: __, ...body } = event;
  run.emit(body);
}

export const qloraEngine: Engine = { fineTune, predict };
