/**
 * A model of engine `qlora` that stays loaded: a worker of its own answers rows until it is closed. One question is asked at a time.
 * A worker that ended is started again by the next question, which is not answered before the model is loaded.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Prediction } from "../../../../schemas/predictions.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { ScorerLine, type ScorerQuestion } from "../../../../schemas/scorer.ts";
import { EngineError } from "../engine.ts";
import { startScoringWorker } from "./worker.ts";

export interface Scorer {
  /** `failed`: the worker ended; the next question starts another one. `message`: what it is doing, or why it ended. */
  readonly state: { status: "loading" | "ok" | "failed"; message: string | null };
  /** Resolves once the model is loaded; starts a worker where there is none. @throws EngineError when it cannot be loaded */
  ready(): Promise<void>;
  /**
   * A prediction for every target of each row, in no order.
   * @throws EngineError with what the worker says went wrong, or when it ended or was silent for too long
   */
  predict(rows: readonly JobRow[]): Promise<Prediction[]>;
  /** Ends the worker: a question in hand is not answered. Resolves when it is gone. */
  close(): Promise<void>;
}

export interface ScorerOptions {
  /** A folder with job.json and the model's files, as `openWorkerFolder` makes it. */
  folder: string;
  model: string;
  warn(message: string): void;
  /** Seconds. */
  limits?: Limits;
}

interface Limits {
  /** Until the model is loaded, its environment made where there is none. */
  loading: number;
  /** Without a word about a question. */
  silent: number;
}

const LIMITS: Limits = { loading: 1800, silent: 300 };
/** Seconds in which a worker may end by itself. */
const END = 5;

interface Worker {
  ready: Promise<void>;
  ask(question: ScorerQuestion): Promise<Prediction[]>;
  end(): Promise<void>;
}

export function openScorer(options: ScorerOptions): Scorer {
  let worker: Worker | undefined;
  let closed = false;
  let state: Scorer["state"] = { status: "loading", message: "starting the worker" };

  function start(): Worker {
    if (closed) throw new EngineError("The model is not served any more.");
    state = { status: "loading", message: "starting the worker" };
    const started: Worker = startWorker(options, {
      step: (message) => {
        state = { status: "loading", message };
      },
      ready: () => {
        state = { status: "ok", message: null };
      },
      gone: ({ message }) => {
        state = { status: "failed", message };
        if (worker === started) worker = undefined;
      },
    });
    return started;
  }

  const running = (): Worker => {
    worker ??= start();
    return worker;
  };
  return {
    get state() {
      return state;
    },
    // Not at once: a scorer that cannot be started says so to whoever waits for it.
    ready: async () => running().ready,
    async predict(rows) {
      const asked = running();
      await asked.ready;
      return asked.ask({ rows: rows.map(({ row, inputs }) => ({ row, inputs })) });
    },
    async close() {
      closed = true;
      await worker?.end();
    },
  };
}

interface Told {
  step(step: string): void;
  ready(): void;
  /** Once, at the end. */
  gone(why: EngineError): void;
}

function startWorker({ folder, model, warn, limits = LIMITS }: ScorerOptions, told: Told): Worker {
  if (process.platform === "win32") {
    throw new EngineError(
      "Engine qlora needs Linux or macOS: its worker is started by a shell script.",
      "Open the project in WSL.",
    );
  }
  const child = startScoringWorker(folder, model);
  const loading = Promise.withResolvers<void>();
  loading.promise.catch(() => {});
  let question:
    | { predictions: Prediction[]; answer(predictions: Prediction[]): void; fail(error: Error): void }
    | undefined;
  /** Why the worker is being ended, or what it said before it ended by itself. */
  let why: EngineError | undefined;
  let loaded = false;
  let gone: EngineError | undefined;
  let timer: NodeJS.Timeout | undefined;

  const kill = (signal: NodeJS.Signals): void => {
    // The whole group: uv may be making the environment.
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  const wait = (seconds: number, late: EngineError): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      why = late;
      kill("SIGKILL");
    }, seconds * 1000);
  };
  const answered = (): typeof question => {
    clearTimeout(timer);
    const of = question;
    question = undefined;
    return of;
  };
  const silent = () =>
    wait(limits.silent, new EngineError(`The worker was silent for ${limits.silent} s and has been ended.`, AGAIN));

  wait(
    limits.loading,
    new EngineError(
      `The model was not loaded within ${limits.loading / 60} minutes.`,
      "What the worker said stands in the log.",
    ),
  );

  function take(line: ScorerLine): void {
    switch (line.type) {
      case "progress":
        told.step(line.step);
        return;
      case "ready":
        clearTimeout(timer);
        loaded = true;
        told.ready();
        loading.resolve();
        return;
      case "log":
        if (line.level === "warning") warn(line.message);
        return;
      case "predictions":
        question?.predictions.push(...line.predictions);
        if (question) silent();
        return;
      case "answered": {
        const of = answered();
        of?.answer(of.predictions);
        return;
      }
      case "error": {
        const error = new EngineError(line.message, line.remedy);
        const of = answered();
        if (of) of.fail(error);
        else why = error;
      }
    }
  }

  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    try {
      take(ScorerLine.parse(JSON.parse(text)));
    } catch {
      why ??= new EngineError("The worker said something that cannot be read.", AGAIN);
      kill("SIGKILL");
    }
  });
  // A worker that ended takes no question; its end is told below.
  child.stdin.on("error", () => {});

  const ended = Promise.race([
    // Its last lines are read first.
    Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code, signal]]) => why ?? endError(code, signal)),
    once(child, "error").then(
      ([error]) => new EngineError(`The worker could not be started: ${(error as Error).message}.`),
    ),
  ]).then((error) => {
    gone = error;
    told.gone(error);
    loading.reject(error);
    answered()?.fail(error);
  });

  return {
    ready: loading.promise,
    ask: (of) =>
      new Promise((answer, fail) => {
        if (gone) return fail(gone);
        question = { predictions: [], answer, fail };
        silent();
        child.stdin.write(`${JSON.stringify(of)}\n`);
      }),
    async end() {
      why = new EngineError("The model is not served any more.");
      child.stdin.end();
      // While it loads, or has rows in hand, it does not look at its input.
      if (question || !loaded) kill("SIGTERM");
      const late = setTimeout(() => kill("SIGKILL"), END * 1000);
      await ended;
      clearTimeout(late);
    },
  };
}

const AGAIN = "Ask again: it is started anew.";

function endError(code: number | null, signal: NodeJS.Signals | null): EngineError {
  return new EngineError(
    `The worker ${signal ? `was ended by ${signal}` : `ended with code ${code}`} without a word of why.`,
    signal === "SIGKILL"
      ? "The machine may have run out of memory: close what else uses it, then ask again."
      : "What it said stands in the log; ask again to start it anew.",
  );
}
