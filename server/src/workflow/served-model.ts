/**
 * A finished model that answers rows at once, for `clf serve`: the artifact, the calibration and the certificate of its newest
 * evaluation, as they were when it was opened. Engine `linear` stays in memory, `qlora` in a worker of its own. Engines `chat`, `openai` and
 * `cascade` are run as a job runs them, one run after the other; rows that come meanwhile are asked together by the next one.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Job, JobModel } from "../../../schemas/job.ts";
import { Prediction } from "../../../schemas/predictions.ts";
import type { ModelReport, TargetReport } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import type { ConfidenceBand, ServedCertificate, ServedInput, ServedRow } from "../../../schemas/serve.ts";
import { contentId } from "../dataset/rows.ts";
import { cascadeEngine } from "../engines/cascade/engine.ts";
import { keysOf } from "../engines/chat/endpoint.ts";
import { chatEngine } from "../engines/chat/engine.ts";
import type { EndpointKey, Engine } from "../engines/engine.ts";
import { linearEngine, loadLinear } from "../engines/linear/engine.ts";
import { openaiEngine } from "../engines/openai/engine.ts";
import { openScorer, type Scorer } from "../engines/qlora/scorer.ts";
import { openWorkerFolder } from "../engines/qlora/worker-folder.ts";
import { binOf } from "../evaluation/bins.ts";
import { isVoidInPool } from "../evaluation/drift.ts";
import { wholeLines } from "../jobs/lines.ts";
import { currentFineTune, isFineTuned, modelSpec, newestEvaluation } from "./artifacts.ts";
import { WorkflowError } from "./error.ts";
import { auditOf } from "./flagged.ts";
import { judgeRows } from "./judge.ts";
import { keyEnvironment } from "./keys.ts";
import { linearPredictions } from "./predict.ts";
import { addPrediction, type PredictionsByTarget, readJobRows } from "./predictions.ts";
import type { Session } from "./session.ts";

export interface ServedModel {
  name: string;
  engine: string;
  /** The evaluation. */
  job: string;
  artifact: string | null;
  targets: { name: string; labels: string[] }[];
  certificates: ServedCertificate[];
  /** `loading`: rows wait. `failed`: what the model is held by has ended; the next rows start it again. `message`: what is done, or why. */
  readonly state: Scorer["state"];
  /** Resolves once rows can be answered; loads what has to be loaded. @throws EngineError when it cannot be */
  ready(): Promise<void>;
  /**
   * What the model says of each row, in their order; whether a row joins the pool is for the caller to see to.
   * @throws EngineError when an endpoint or a worker does not answer
   */
  classify(rows: readonly ServedInput[]): Promise<Omit<ServedRow, "pool">[]>;
  /** Ends calls in flight and workers; what waits is turned away. */
  close(): Promise<void>;
}

/** Predicts rows whose ids are their places. */
type Predict = (rows: JobRow[]) => Promise<PredictionsByTarget>;

/** @throws WorkflowError when the model has no evaluation that holds for it as it now stands, or cannot answer at once */
export async function openServedModel(
  session: Session,
  name: string,
  { warn }: { warn(message: string): void },
): Promise<ServedModel> {
  const { engine } = modelSpec(session, name);
  if (engine === "predictions") {
    throw new WorkflowError(
      `Model "${name}" is another system's predictions: it knows no new row. Serve another model.`,
    );
  }
  const evaluation = await newestEvaluation(session, name);
  if (!evaluation) {
    throw new WorkflowError(
      `Model "${name}" has not been evaluated, so nothing is known of its confidence. Evaluate it first.`,
    );
  }
  const { job, report } = evaluation;
  const model = job.models.find((each) => each.name === name)!;
  if (isFineTuned(session, name)) {
    const current = await currentFineTune(session, name);
    if (current?.id !== model.artifact?.job) {
      throw new WorkflowError(`Model "${name}" has changed since it was evaluated. Evaluate it again.`);
    }
  }
  const stop = new AbortController();
  // A name of its own: each file of answers has one writer.
  const id = `serve-${process.pid}-${randomBytes(4).toString("hex")}`;
  const work = join(session.project.stateFolder, "cache", "serve", id);
  const scorers = engine === "linear" ? [] : await scorersOf(session, job, model, { work, warn });
  const predict =
    engine === "linear"
      ? await linearPredict(session, job, model)
      : inTurn(await enginePredict(session, job, model, { id, work, scorers, signal: stop.signal, warn }));
  const found = report.models[name]!;
  const certificates = found.accept.map((decision) => certificateOf(decision, found.drift));
  const audited = auditOf(session, job, name);
  const columns = session.project.inputs.map(({ column }) => column);
  const names = session.project.inputs.map((input) => input.name);
  return {
    name,
    engine,
    job: job.id,
    artifact: model.artifact?.job ?? null,
    targets: job.task.targets.map((target) => ({
      name: target.name,
      labels: target.labels.map((label) => label.name),
    })),
    certificates,
    get state() {
      return (
        scorers.find(({ scorer }) => scorer.state.status !== "ok")?.scorer.state ?? { status: "ok", message: null }
      );
    },
    async ready() {
      for (const { scorer } of scorers) await scorer.ready();
    },
    async classify(given) {
      const ids = given.map(
        ({ id, inputs }) =>
          id ??
          contentId(
            columns,
            names.map((input) => inputs[input] ?? ""),
          ),
      );
      const rows = given.map(({ inputs }, i) => rowOf(i, inputs, job));
      const predictions = await predict(rows);
      const rules = {
        model: found,
        targets: job.task.targets,
        audited: (decision: ModelReport["accept"][number]) => {
          const drawn = audited(decision);
          return (row: string) => drawn(ids[Number(row)]!);
        },
      };
      return judgeRows("pool", rows, predictions, rules).map((targets, i) => ({
        row: ids[i]!,
        accepted: targets.every(({ accepted }) => accepted),
        targets: targets.map(({ target, label, confidence, accepted, reasons, top, set }) => ({
          target,
          label,
          confidence,
          accepted,
          reasons,
          band: label === null ? null : bandOf(found.targets[target]!.report, confidence),
          top,
          set: set ?? null,
          certificate: found.accept.findIndex((decision) => decision.targets.includes(target)),
        })),
      }));
    },
    async close() {
      stop.abort(new WorkflowError("The server is stopping."));
      await Promise.all(scorers.map(({ scorer }) => scorer.close()));
      await rm(work, { recursive: true, force: true });
    },
  };
}

/** Rows of one request may share an id, and one may be that of a train row: within a run each is known by its place. */
function rowOf(place: number, inputs: Record<string, string>, { task }: Job): JobRow {
  const labels = Object.fromEntries(task.targets.map(({ name }) => [name, null]));
  return { row: `${place}`, split: "pool", inputs, labels };
}

async function linearPredict(session: Session, job: Job, { name, artifact }: JobModel): Promise<Predict> {
  const loaded = await loadLinear(join(session.jobs.store.folder(job.id), artifact!.path));
  const inputs = job.task.inputs.map((input) => input.name);
  return (rows) => linearPredictions(loaded, rows, inputs, name);
}

const ENGINES: Partial<Record<string, Engine>> = { linear: linearEngine, chat: chatEngine, openai: openaiEngine };

/** A model of engine `qlora`, the served one or a stage of it, that a worker keeps loaded. */
interface Loaded {
  name: string;
  scorer: Scorer;
  /** Of a stage: the file of what it said of the rows of its evaluation. */
  said: string | null;
}

/** @throws WorkflowError when a model cannot answer new rows, or its files are gone */
async function scorersOf(
  session: Session,
  job: Job,
  model: JobModel,
  { work, warn }: { work: string; warn(message: string): void },
): Promise<Loaded[]> {
  const loaded: Loaded[] = [];
  for (const each of model.stages ?? [model]) {
    const { name, spec, predictions } = each;
    if (spec.engine === "qlora") {
      const [of, own] = predictions ? await evaluated(session, name, predictions.job) : [job, each];
      const folder = session.jobs.store.folder(of.id);
      requireFiles(own, of.id, folder);
      const { path } = await openWorkerFolder({ ...of, models: [own] }, folder, join(work, name));
      const said = predictions ? join(session.jobs.store.folder(job.id), predictions.path) : null;
      loaded.push({ name, scorer: openScorer({ folder: path, model: name, warn }), said });
    } else if (!ENGINES[spec.engine] || predictions) {
      throw new WorkflowError(`Model "${name}" of engine ${spec.engine} cannot answer new rows. Serve another model.`);
    }
  }
  return loaded;
}

/** A stage as it was when it made the predictions that the cascade was evaluated with. */
async function evaluated(session: Session, name: string, id: string): Promise<[Job, JobModel]> {
  const found = await session.jobs.store.read(id).catch(() => null);
  const model = found?.job.models.find((each) => each.name === name);
  if (!found || !model) {
    throw new WorkflowError(
      `Job ${id}, in which stage "${name}" was evaluated, is not there any more. Evaluate "${name}" again, then the cascade.`,
    );
  }
  return [found.job, model];
}

function requireFiles({ name, artifact }: JobModel, job: string, folder: string): void {
  if (artifact && !existsSync(join(folder, artifact.path))) {
    throw new WorkflowError(`Job ${job} holds no model any more. Evaluate "${name}" again.`);
  }
}

/** Asks the worker that keeps the model loaded; what a stage said of tune rows is read. */
function scoringEngine({ scorer, said }: Loaded): Engine {
  return {
    async predict({ rows, splits, predicted }) {
      const tune = new Set(rows.filter(({ split }) => split === "tune").map(({ row }) => row));
      if (said !== null && splits.includes("tune")) {
        for await (const { text } of wholeLines(said)) {
          const prediction = Prediction.parse(JSON.parse(text));
          const row = keptId(prediction.row);
          if (tune.has(row) && prediction.fold === undefined) predicted({ ...prediction, row });
        }
      }
      const asked = rows.filter(({ split }) => split === "pool");
      if (asked.length > 0) for (const prediction of await scorer.predict(asked)) predicted(prediction);
    },
  };
}

/** Rows of one request are known by their places: those of the project by their id with something before it. */
const keptId = (id: string): string => `of ${id}`;

interface EnginePredict {
  id: string;
  work: string;
  scorers: readonly Loaded[];
  signal: AbortSignal;
  warn(message: string): void;
}

async function enginePredict(
  session: Session,
  job: Job,
  model: JobModel,
  { id, work, scorers, signal, warn }: EnginePredict,
): Promise<Predict> {
  const folder = session.jobs.store.folder(job.id);
  const at = (path: string): string => join(folder, path);
  const keys: EndpointKey[] = keysOf(
    await keyEnvironment({ ...job, models: [model] }, session.project.file, session.keyOf),
  );
  const { engine } = model.spec;
  // Examples come from train; the stages of a cascade are brought to one scale by the tune rows, whose answers are kept and not paid again.
  const splits: readonly string[] = engine === "cascade" ? ["train", "tune"] : engine === "qlora" ? [] : ["train"];
  const kept: JobRow[] = [];
  if (splits.length > 0) {
    for await (const row of readJobRows(session, job.id)) {
      if (splits.includes(row.split)) kept.push({ ...row, row: keptId(row.row) });
    }
  }
  const shots = (of: { shots?: JobModel["shots"] }) =>
    of.shots ? { shots: of.shots.map((shot) => ({ ...shot, row: keptId(shot.row) })) } : {};
  const served: JobModel = {
    ...withoutBatch(model),
    ...shots(model),
    ...(model.stages ? { stages: model.stages.map((stage) => ({ ...asked(stage), ...shots(stage) })) } : {}),
  };
  const cache = join(session.project.stateFolder, "cache");
  requireFiles(model, job.id, folder);
  const engineOf = ({ name, spec }: Pick<JobModel, "name" | "spec">): Engine => {
    const loaded = scorers.find((each) => each.name === name);
    return loaded ? scoringEngine(loaded) : ENGINES[spec.engine]!;
  };
  const asking = engine === "cascade" ? cascadeEngine(engineOf) : engineOf(model);
  return async (rows) => {
    const predictions: PredictionsByTarget = new Map();
    await asking.predict({
      job: { ...job, id, options: {} },
      model: served,
      rows: [...kept, ...rows],
      threads: 1,
      folder,
      work,
      cache,
      keys,
      signal,
      emit: (event) => {
        if (event.type === "log" && event.level === "warning") warn(event.message);
      },
      ...(model.artifact ? { artifact: at(model.artifact.path) } : {}),
      splits: engine === "cascade" ? ["tune", "pool"] : ["pool"],
      outOfFold: false,
      done: () => false,
      predicted: (prediction: Prediction) => {
        if (prediction.split === "pool") addPrediction(predictions, prediction);
      },
    });
    return predictions;
  };
}

type Stage = NonNullable<JobModel["stages"]>[number];

/** A stage that is asked, where the evaluation read what it had said. */
function asked(stage: Stage): Stage {
  const { predictions: _, ...own } = stage;
  return withoutBatch(own);
}

/** A person waits: the Batch API takes hours. */
function withoutBatch<M extends Pick<JobModel, "spec">>(model: M): M {
  return model.spec.engine === "chat" ? { ...model, spec: { ...model.spec, batch: false } } : model;
}

/** One run at a time; what comes meanwhile goes together into the next. */
function inTurn(predict: Predict): Predict {
  interface Waiting {
    rows: JobRow[];
    answer(predictions: PredictionsByTarget): void;
    fail(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  let running = false;

  async function work(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const now = waiting;
      waiting = [];
      const starts: number[] = [];
      let count = 0;
      for (const { rows } of now) {
        starts.push(count);
        count += rows.length;
      }
      try {
        const all = now.flatMap(({ rows }, k) => rows.map((row, i) => ({ ...row, row: `${starts[k]! + i}` })));
        const predictions = await predict(all);
        for (const [k, { rows, answer }] of now.entries()) answer(part(predictions, starts[k]!, rows.length));
      } catch (error) {
        for (const { fail } of now) fail(error);
      }
    }
    running = false;
  }

  return (rows) =>
    new Promise((answer, fail) => {
      waiting.push({ rows, answer, fail });
      if (!running) void work();
    });
}

/** The predictions of `count` rows from `start` on, as if they stood alone. */
function part(predictions: PredictionsByTarget, start: number, count: number): PredictionsByTarget {
  const own: PredictionsByTarget = new Map();
  for (const of of predictions.values()) {
    for (let i = 0; i < count; i++) {
      const prediction = of.get(`${start + i}`);
      if (prediction) addPrediction(own, { ...prediction, row: `${i}` });
    }
  }
  return own;
}

/** The reliability bin of the reported rows that the confidence falls into; null where none of them did. */
function bandOf(report: TargetReport | null, confidence: number): ConfidenceBand | null {
  if (!report) return null;
  const { bins, convention } = report.calibration;
  const { low, high, count, accuracy } = bins[binOf(confidence, bins.length, convention)]!;
  return accuracy === null ? null : { low, high, rows: count, accuracy };
}

function certificateOf(
  { targets, rule, why }: ModelReport["accept"][number],
  drift: ModelReport["drift"],
): ServedCertificate {
  const nothing = {
    risk: null,
    certainty: null,
    bound: null,
    threshold: null,
    coverage: null,
    population: null,
    label_source: null,
    rows: null,
    uses: null,
    date: null,
  };
  if (rule === null) return { targets, certified: false, why, ...nothing };
  if (!("parts" in rule)) {
    const { bound, threshold, coverage, rows } = rule;
    return { targets, certified: false, why: rule.why, ...nothing, bound, threshold, coverage, rows };
  }
  const { risk, certainty, coverage, population, labelSource, rows, uses, date } = rule;
  const [general] = rule.parts;
  const voided = isVoidInPool(rule, drift);
  return {
    targets,
    certified: rule.certified && !voided,
    why: voided
      ? "The pool does not look like the rows that certified: the certificate does not hold, and every row is flagged. Evaluate again with labels of new rows."
      : rule.why,
    risk,
    certainty,
    bound: general?.bound ?? null,
    threshold: voided ? null : (general?.threshold ?? null),
    coverage,
    population,
    label_source: labelSource,
    rows,
    uses,
    date,
  };
}
