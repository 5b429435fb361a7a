/**
 * The Node runner: `runner JOBFOLDER`. Takes everything from the folder, writes everything into it, and can be started
 * again on the same folder. The composition root of engines, evaluation and the job folder.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import * as z from "zod";
import type { Job, JobModel } from "../../schemas/job.ts";
import { Prediction } from "../../schemas/predictions.ts";
import type { Engine as EngineName } from "../../schemas/project.ts";
import type { LearningPoint, Report } from "../../schemas/report.ts";
import { JobRow, SplitName } from "../../schemas/rows.ts";
import { createDuckDb, type DuckDb } from "./dataset/duckdb.ts";
import { predictionsToParquet, readPredictionsParquet } from "./dataset/predictions-parquet.ts";
import { cascadeEngine } from "./engines/cascade/engine.ts";
import { keysOf } from "./engines/chat/endpoint.ts";
import { chatEngine } from "./engines/chat/engine.ts";
import { type Engine, EngineError, type EngineRun } from "./engines/engine.ts";
import { learningPoints, trainedRows } from "./engines/learning-curve.ts";
import { linearEngine } from "./engines/linear/engine.ts";
import { openaiEngine } from "./engines/openai/engine.ts";
import { predictionsEngine } from "./engines/predictions/engine.ts";
import { qloraEngine } from "./engines/qlora/engine.ts";
import { REPORT_ROWS, rowsDetail } from "./evaluation/detail.ts";
import { withLearningCurves } from "./evaluation/learningCurves.ts";
import { buildReport, type EvaluatedModel, type PreviousEvaluation } from "./evaluation/report.ts";
import type { ModelPredictions } from "./evaluation/reported.ts";
import { usageOf } from "./evaluation/usage.ts";
import { wholeLines } from "./jobs/lines.ts";
import { predictionsFile } from "./jobs/predictions.ts";
import { openRunnerFolder, type RunnerFolder } from "./jobs/runnerFolder.ts";

/** The engines this runner can run. `qlora` works in Python; the engine passes on what its worker writes. */
const engines: Partial<Record<EngineName, Engine>> = {
  linear: linearEngine,
  predictions: predictionsEngine,
  qlora: qloraEngine,
  chat: chatEngine,
  openai: openaiEngine,
  cascade: cascadeEngine((model) => engineOf(model)),
};

/** What job.json's `options` hold for the Node runner. */
const Options = z.looseObject({
  /** Splits to predict. */
  splits: z.array(SplitName).default([]),
  outOfFold: z.boolean().default(false),
  /** By model: models and rounds certified on these validation rows, this one included. */
  uses: z.record(z.string(), z.int().min(1)).default({}),
  threads: z.int().min(1).optional(),
  /** Accuracy against training rows, for engine `linear`. */
  learningCurve: z.boolean().default(false),
});

/** data/previous.json: the evaluations before of the job's models. Their test predictions are in data/previous.jsonl. */
const Previous = z.array(
  z.strictObject({
    model: z.string(),
    job: z.string(),
    date: z.string(),
    decisions: z.int(),
    accepted: z.number().nullable(),
  }),
);

const FLUSH_ROWS = 256;
const PROGRESS_MILLISECONDS = 200;

async function readRows(folder: string): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for await (const line of wholeLines(join(folder, "data", "rows.jsonl")))
    rows.push(JobRow.parse(JSON.parse(line.text)));
  return rows;
}

function engineOf(model: Pick<JobModel, "name" | "spec">): Engine {
  const engine = engines[model.spec.engine];
  if (!engine) {
    throw new EngineError(
      `Engine "${model.spec.engine}" of model "${model.name}" cannot be run by this version of Clf.`,
      `Runs: ${Object.keys(engines).join(", ")}.`,
    );
  }
  return engine;
}

/** Passes events on, progress at most a few times a second: the file is followed over slow lines. */
function quietly(folder: RunnerFolder): EngineRun["emit"] {
  let last = 0;
  let step = "";
  return (event) => {
    if (event.type === "progress") {
      const now = Date.now();
      const due = event.step !== step || now - last >= PROGRESS_MILLISECONDS || event.done === event.total;
      if (!due) return;
      last = now;
      step = event.step;
    }
    folder.event(event);
  };
}

function runOf(folder: RunnerFolder, model: JobModel, rows: JobRow[], threads: number): EngineRun {
  const jobs = dirname(folder.folder);
  return {
    job: folder.job,
    model,
    rows,
    threads,
    folder: folder.folder,
    work: join(folder.folder, "work"),
    // Beside the project's jobs, where this folder is one of them.
    ...(basename(jobs) === "jobs" ? { cache: join(dirname(jobs), "cache") } : {}),
    keys: keysOf(process.env),
    signal: folder.stop,
    emit: quietly(folder),
  };
}

async function fineTune(folder: RunnerFolder, rows: JobRow[], threads: number): Promise<void> {
  const model = folder.job.models[0]!;
  const engine = engineOf(model);
  if (!engine.fineTune) {
    throw new EngineError(`Model "${model.name}" has nothing to fine-tune.`, "Evaluate it as it is.");
  }
  await folder.artifact("model", "model", async (temporary) => {
    await mkdir(temporary);
    await engine.fineTune!({ ...runOf(folder, model, rows, threads), artifact: temporary });
  });
}

/**
 * Predicts with every model of the job; what an earlier attempt predicted is not asked again. `keep` is told of each new
 * prediction. Returns seconds by model.
 */
async function predict(
  folder: RunnerFolder,
  rows: JobRow[],
  options: z.output<typeof Options>,
  threads: number,
  keep: (prediction: Prediction) => void,
) {
  const seconds = new Map<string, number>();
  for (const model of folder.job.models) {
    const engine = engineOf(model);
    const started = performance.now();
    let waiting: Prediction[] = [];
    const flush = () => {
      for (const prediction of folder.predictions.append(waiting)) keep(prediction);
      waiting = [];
    };
    if (!folder.predictions.compacted) {
      await engine.predict({
        ...runOf(folder, model, rows, threads),
        ...(model.artifact ? { artifact: join(folder.folder, model.artifact.path) } : {}),
        ...(model.source ? { source: join(folder.folder, model.source.path) } : {}),
        splits: options.splits,
        outOfFold: options.outOfFold,
        done: (row, target) => folder.predictions.has(model.name, row, target),
        predicted(prediction) {
          waiting.push(prediction);
          if (waiting.length >= FLUSH_ROWS) flush();
        },
      });
      flush();
    }
    seconds.set(model.name, (performance.now() - started) / 1000);
  }
  return seconds;
}

/** Predictions that an earlier attempt left. */
async function* earlierPredictions(folder: string, duckdb: DuckDb): AsyncGenerator<Prediction> {
  const file = predictionsFile(folder);
  if (file?.format === "parquet") yield* readPredictionsParquet(duckdb, file.path);
  else if (file) for await (const line of wholeLines(file.path)) yield Prediction.parse(JSON.parse(line.text));
}

type Nested = Map<string, Map<string, Prediction>>;

function put(nested: Nested, prediction: Prediction): void {
  const rows = nested.get(prediction.target) ?? new Map<string, Prediction>();
  rows.set(prediction.row, prediction);
  nested.set(prediction.target, rows);
}

/** A model's predictions, gathered as they are made. */
interface Gathered {
  plain: Nested;
  outOfFold: Nested;
  count: number;
}

async function evaluate(
  folder: RunnerFolder,
  rows: JobRow[],
  options: z.output<typeof Options>,
  seconds: ReadonlyMap<string, number>,
  gathered: ReadonlyMap<string, Gathered>,
): Promise<Report> {
  const { job } = folder;
  const previous = await readPrevious(folder.folder);
  const models = new Map(
    job.models.map(({ name }): [string, EvaluatedModel] => {
      const { plain, outOfFold, count } = gathered.get(name)!;
      const predictions: ModelPredictions = { plain, outOfFold };
      const usage = usageOf(job.models.find((model) => model.name === name)!, plain, outOfFold);
      const figures = { seconds: seconds.get(name) ?? 0, predictions: count, ...usage };
      return [name, { predictions, figures, uses: options.uses[name] ?? 1, previous: previous.get(name) ?? null }];
    }),
  );
  return buildReport(job, rows, models, new Date().toISOString());
}

async function readPrevious(folder: string): Promise<Map<string, PreviousEvaluation>> {
  const index = join(folder, "data", "previous.json");
  const found = new Map<string, PreviousEvaluation & { predictions: Nested }>();
  if (!existsSync(index)) return found;
  for (const { model, ...rest } of Previous.parse(JSON.parse(await readFile(index, "utf8")))) {
    found.set(model, { ...rest, predictions: new Map() });
  }
  for await (const line of wholeLines(join(folder, "data", "previous.jsonl"))) {
    const prediction = Prediction.parse(JSON.parse(line.text));
    const evaluation = found.get(prediction.model);
    if (evaluation) put(evaluation.predictions, prediction);
  }
  return found;
}

/** Learning curves of the models that are fitted here in seconds. */
async function measureCurves(folder: RunnerFolder, report: Report, rows: JobRow[], threads: number): Promise<Report> {
  const points = new Map<string, Map<string, LearningPoint[]>>();
  for (const model of folder.job.models) {
    if (model.spec.engine !== "linear") continue;
    points.set(
      model.name,
      await learningPoints(linearEngine, runOf(folder, model, rows, threads), join(folder.folder, "data")),
    );
  }
  return withLearningCurves(report, points, (target) => trainedRows(rows, target));
}

/** The figure that stands for each model and target in lists. */
function emitAccuracies(folder: RunnerFolder, report: Report): void {
  for (const [model, { targets }] of Object.entries(report.models)) {
    for (const [target, { report: figures }] of Object.entries(targets)) {
      if (!figures) continue;
      const value = figures.averages.accuracy.value;
      folder.event({ type: "metric", name: "accuracy", value, target, model, split: "test" });
    }
  }
}

async function work(folder: RunnerFolder): Promise<void> {
  const { job }: { job: Job } = folder;
  const options = Options.parse(job.options);
  const threads = options.threads ?? availableParallelism();
  const rows = await readRows(folder.folder);
  if (job.kind === "fine-tune") return fineTune(folder, rows, threads);

  const duckdb = createDuckDb({ folder: folder.folder, threads });
  try {
    // Its process starts beside the predictions. What goes wrong is told to whoever asks it something.
    duckdb.start().catch(() => {});
    const compacting = (handedOver: () => void) =>
      folder.predictions.compact((jsonl, parquet) => {
        const written = predictionsToParquet(duckdb, jsonl, parquet);
        handedOver();
        return written;
      });
    if (job.kind === "predict") {
      await predict(folder, rows, options, threads, () => {});
      folder.stop.throwIfAborted();
      await compacting(() => {});
      return;
    }
    const gathered = new Map(
      job.models.map(({ name }): [string, Gathered] => [name, { plain: new Map(), outOfFold: new Map(), count: 0 }]),
    );
    const gather = (prediction: Prediction) => {
      const model = gathered.get(prediction.model)!;
      put(prediction.fold === undefined ? model.plain : model.outOfFold, prediction);
      model.count++;
    };
    for await (const prediction of earlierPredictions(folder.folder, duckdb)) gather(prediction);
    const seconds = await predict(folder, rows, options, threads, gather);
    folder.stop.throwIfAborted();
    folder.event({ type: "progress", step: "figures", done: 0, total: null });
    // Figures keep this thread busy: DuckDB's process is given its work first, and does it meanwhile.
    const handedOver = Promise.withResolvers<void>();
    const compacted = compacting(handedOver.resolve);
    await Promise.race([handedOver.promise, compacted]);
    await new Promise(setImmediate);
    let report = await evaluate(folder, rows, options, seconds, gathered);
    if (options.learningCurve) report = await measureCurves(folder, report, rows, threads);
    await compacted;
    await writeFileAtomic(join(folder.folder, REPORT_ROWS), JSON.stringify(rowsDetail(job, rows, gathered, report)));
    const text = JSON.stringify(report);
    await folder.artifact("report", "report.json", (temporary) => writeFile(temporary, text));
    emitAccuracies(folder, report);
  } finally {
    await duckdb.close();
  }
}

const path = process.argv[2];
if (path === undefined) {
  console.error("Usage: runner JOBFOLDER");
  process.exit(2);
}
const folder = await openRunnerFolder(path);
process.exitCode = await folder.run(() => work(folder));
