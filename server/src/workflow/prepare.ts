/** Fills a job folder: everything its runner needs, so that the folder alone says what the job is (DESIGN §4). */
import { createHash } from "node:crypto";
import { constants, createReadStream, existsSync } from "node:fs";
import { copyFile, cp, link, mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Job, JobKind, JobModel, JobTarget } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { Model } from "../../../schemas/project.ts";
import type { SplitName } from "../../../schemas/rows.ts";
import { writeJobRows } from "../dataset/job-rows.ts";
import { acceptedShare } from "../evaluation/report.ts";
import type { NewJob } from "../jobs/store.ts";
import { confine } from "../project/paths.ts";
import type { Project } from "../project/project.ts";
import { trainingSpecHash } from "../project/training-spec.ts";
import { trainingDecisions } from "../review/apply.ts";
import { versions } from "../versions.ts";
import { currentFineTune, isFineTuned, modelSpec, newestEvaluation } from "./artifacts.ts";
import { spendCertificateUses, useOf } from "./certificate-uses.ts";
import { jobRowState, type ProjectData } from "./data.ts";
import { ownBases, whyNotOn } from "./hosts.ts";
import { readPredictions } from "./predictions.ts";
import { identityOf, jobEndpoint, readRows, shotsOf, templateOf, tryTemplate } from "./prompted.ts";
import { seenRows } from "./seen.ts";
import { type Session, WorkflowError } from "./session.ts";

/** What a person asks for. */
export interface JobRequest {
  kind: JobKind;
  models: string[];
  /** Default: the model's host, else `local`. */
  host?: string;
  /** Splits to predict, beside those the kind needs. */
  splits?: SplitName[];
  /** Out-of-fold probabilities of the rows trained on. */
  outOfFold?: boolean;
  /** Use this fine-tune's artifact instead of the current one. */
  artifact?: string;
  /** Note every signal of confidence beside each prediction (`clf signals`). */
  signals?: boolean;
  threads?: number;
  /** Measure accuracy against training rows as well: about as long as another fine-tune. Engine `linear`. */
  learningCurve?: boolean;
  /** What is to be started once this has succeeded: see `goOn`. */
  next?: JobRequest;
}

/** Splits each kind predicts. A fine-tune predicts nothing itself. */
const SPLITS: Record<JobKind, SplitName[]> = {
  "fine-tune": [],
  evaluate: ["tune", "validation", "test"],
  compare: ["tune", "validation", "test"],
  predict: [],
};

/** Puts data and artifacts into `folder` and returns what goes into job.json. */
export async function prepareJob(
  session: Session,
  data: ProjectData,
  request: JobRequest,
  folder: string,
): Promise<NewJob> {
  const { project } = session;
  const { dataset, verdicts } = data;
  await mkdir(join(folder, "data"));
  const { decisions } = trainingDecisions(verdicts, jobRowState(dataset.rows), dataset.rows.targets);
  const written = await writeJobRows(dataset, { decisions }, join(folder, "data", "rows.jsonl"));
  if (request.kind === "fine-tune" && written.rows.train === 0) {
    throw new WorkflowError("There are no labelled train rows to fine-tune on. Label some rows, or look at `split`.");
  }
  const task: Job["task"] = {
    ...(project.spec.task.instructions ? { instructions: project.spec.task.instructions } : {}),
    inputs: project.inputs,
    targets: dataset.rows.targets.map(({ name, column, labels }, t): JobTarget => {
      const { never, risk } = project.targets[t]!;
      return { name, column, labels, never, risk };
    }),
  };
  const models: JobModel[] = [];
  for (const name of request.models) models.push(await prepareModel(session, data, request, name, folder, task));
  const splits = [...new Set([...SPLITS[request.kind], ...(request.splits ?? [])])].filter(
    (split) => split !== "pool" || written.rows.pool > 0,
  );
  const validation = written.rows.validation > 0;
  const certifies = request.kind === "evaluate" || request.kind === "compare";
  if (certifies) await writePrevious(session, request.models, folder);
  return {
    kind: request.kind,
    project: { name: project.name, file: project.file },
    models,
    host: await jobHost(session, request),
    task,
    data: {
      fingerprint: written.fingerprint,
      rows: written.rows,
      decisions: written.decisions,
      sampling: dataset.sampling,
      validation,
      grouped: project.spec.dataset.group !== undefined,
    },
    confidence: project.spec.confidence,
    seed: project.spec.dataset.split.seed,
    versions: versions(),
    options: {
      splits,
      outOfFold: request.outOfFold === true || (certifies && !validation),
      ...(certifies ? { uses: await spendCertificateUses(session, models) } : {}),
      ...(request.threads === undefined ? {} : { threads: request.threads }),
      ...(request.learningCurve ? { learningCurve: true } : {}),
      ...(request.signals ? { signals: true } : {}),
      ...(request.next ? { next: request.next } : {}),
    },
  };
}

async function prepareModel(
  session: Session,
  data: ProjectData,
  request: JobRequest,
  name: string,
  folder: string,
  task: Job["task"],
): Promise<JobModel> {
  const { engine } = modelSpec(session, name);
  if (engine === "cascade") return prepareCascade(session, data, request, name, folder, task);
  const model = await prepareOwn(session, data, request, name, folder);
  return engine === "chat" || engine === "openai" ? prepareEndpoint(session, model, folder, task) : model;
}

/** The endpoint, and what the prompt is made of. */
async function prepareEndpoint(
  session: Session,
  model: JobModel,
  folder: string,
  task: Job["task"],
): Promise<JobModel> {
  const { project } = session;
  const spec = model.spec as Extract<Model, { engine: "chat" | "openai" }>;
  const endpoint = jobEndpoint(project, spec);
  if (spec.engine === "openai") return { ...model, endpoint, identity: identityOf(project, spec, { endpoint }) };
  const template = await templateOf(project, model.name, spec);
  tryTemplate(task, spec, template);
  const wantsShots = spec.prompt.shots !== undefined && spec.prompt.style !== "zero-shot";
  const shots = wantsShots ? await shotsOf(session, model.name, spec, await readRows(folder), task.targets) : undefined;
  return {
    ...model,
    endpoint,
    ...(template === undefined ? {} : { template }),
    ...(shots === undefined ? {} : { shots }),
    identity: identityOf(project, spec, { endpoint, template, shots }),
  };
}

/** Engines that the Node runner does not run: as a stage they take part by the predictions of their newest evaluation. */
const ELSEWHERE: ReadonlySet<string> = new Set(["qlora"]);

async function prepareCascade(
  session: Session,
  data: ProjectData,
  request: JobRequest,
  name: string,
  folder: string,
  task: Job["task"],
): Promise<JobModel> {
  const spec = modelSpec(session, name) as Extract<Model, { engine: "cascade" }>;
  const { artifact: _, ...others } = request;
  const stages: NonNullable<JobModel["stages"]> = [];
  for (const stage of spec.stages) {
    const prepared = ELSEWHERE.has(modelSpec(session, stage).engine)
      ? await preparePredicted(session, stage, folder)
      : await prepareModel(session, data, { ...others, kind: "evaluate" }, stage, folder, task);
    const { stages: __, ...own } = prepared;
    stages.push(own);
  }
  const identity = createHash("sha256")
    .update(JSON.stringify([spec.agree || (spec.take ?? session.project.spec.confidence.accept), ...stages.map(useOf)]))
    .digest("hex");
  return { name, spec, training_spec: trainingSpecHash(session.project, name), stages, identity };
}

/** A stage by what it predicted when it was last evaluated. */
async function preparePredicted(session: Session, name: string, folder: string): Promise<JobModel> {
  const evaluation = await newestEvaluation(session, name);
  if (!evaluation) {
    throw new WorkflowError(
      `Stage "${name}" takes part by its predictions, and it has not been evaluated. Evaluate it first.`,
    );
  }
  const job = evaluation.job.id;
  const of = evaluation.job.models.find((model) => model.name === name)!;
  const path = `data/stages/${name}.jsonl`;
  await mkdir(dirname(join(folder, path)), { recursive: true });
  let lines = "";
  for await (const prediction of readPredictions(session, job)) {
    if (prediction.model === name) lines += `${JSON.stringify(brief(prediction))}\n`;
  }
  await writeFile(join(folder, path), lines);
  return { name, spec: of.spec, training_spec: of.training_spec, predictions: { path, job }, identity: useOf(of) };
}

/** A model whose files are in the project's folder or in its own fine-tune. */
async function prepareOwn(
  session: Session,
  data: ProjectData,
  request: JobRequest,
  name: string,
  folder: string,
): Promise<JobModel> {
  const model: JobModel = {
    name,
    spec: modelSpec(session, name),
    training_spec: trainingSpecHash(session.project, name),
  };
  if (model.spec.engine === "predictions") {
    return { ...model, source: await copySource(session, name, model.spec.source, folder) };
  }
  if (request.kind === "fine-tune" || !isFineTuned(session, name)) return model;
  const from = request.artifact ?? (await currentFineTune(session, name))?.id;
  if (!from) throw new WorkflowError(`Model "${name}" has not been fine-tuned as it now stands. Fine-tune it first.`);
  await requireFineTuneOf(session, from, name);
  const seen = await seenRows(session, data, from);
  if (seen) {
    const { count, row, split } = seen;
    throw new WorkflowError(
      `Job ${from} fine-tuned "${name}" on ${count.toLocaleString("en-US")} ${count === 1 ? "row that is" : "rows that are"} validation, test or pool rows now (${row} is in ${split}): figures on them would look better than the model is. Fine-tune "${name}" again.`,
    );
  }
  const source = join(session.jobs.store.folder(from), "model");
  if (!existsSync(source)) throw new WorkflowError(`Job ${from} holds no model. Fine-tune "${name}" again.`);
  const path = `data/models/${name}`;
  // It is there already where the job compares the model with a cascade of it.
  if (!existsSync(join(folder, path))) await linkFolder(source, join(folder, path));
  return { ...model, artifact: { job: from, path } };
}

/** A copy, not a link: other systems write such a file anew in its place. */
async function copySource(
  { project }: Session,
  model: string,
  source: string,
  folder: string,
): Promise<NonNullable<JobModel["source"]>> {
  const confined = await confine(project.folder, source);
  if ("refused" in confined) throw new WorkflowError(`Model "${model}": ${confined.refused}`);
  const path = `data/models/${model}/${basename(confined.path)}`;
  const to = join(folder, path);
  await mkdir(dirname(to), { recursive: true });
  try {
    await copyFile(confined.path, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file in the project's folder" : message;
    throw new WorkflowError(`The predictions of model "${model}" in ${source} cannot be read: ${why}.`);
  }
  const hash = createHash("sha256");
  await pipeline(createReadStream(to), hash);
  const { id } = project.spec.dataset;
  return { path, name: source, sha256: hash.digest("hex"), ...(id === undefined ? {} : { id }) };
}

/** @throws WorkflowError unless the job is a fine-tune of the model, with the inputs that the project has */
async function requireFineTuneOf(session: Session, id: string, name: string): Promise<void> {
  const { job } = await session.jobs.store.read(id);
  const of = job.models[0]!.name;
  if (job.kind !== "fine-tune") throw new WorkflowError(`Job ${id} is no fine-tune, so it holds no model.`);
  if (of !== name) throw new WorkflowError(`Job ${id} is a fine-tune of "${of}", not of "${name}".`);
  const inputs = (task: Job["task"]["inputs"]) => JSON.stringify(task.map((input) => input.name));
  if (inputs(job.task.inputs) === inputs(session.project.inputs)) return;
  throw new WorkflowError(
    `Job ${id} fine-tuned "${name}" on other inputs than the project's: ${job.task.inputs.map((input) => input.name).join(", ")}. Fine-tune it again.`,
  );
}

/** The files of a folder under a second name: an artifact is never changed, so it need not be copied. */
async function linkFolder(source: string, target: string): Promise<void> {
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(target, from.slice(source.length + 1));
    await mkdir(dirname(to), { recursive: true });
    // File systems without hard links get a copy.
    await link(from, to).catch(() => cp(from, to));
  }
}

/** The host that a job runs on, as the project calls it. */
export function hostName({ spec }: Project, request: JobRequest): string {
  const first = spec.models[request.models[0]!];
  return request.host ?? (first && "host" in first ? first.host : undefined) ?? "local";
}

async function jobHost({ project }: Session, request: JobRequest): Promise<Job["host"]> {
  const name = hostName(project, request);
  if (name === "local") return { name, kind: "local" };
  const host = project.spec.hosts[name];
  if (!host) throw new WorkflowError(`There is no host "${name}" in ${project.name}.`);
  const models = request.models.map((model) => ({ name: model, spec: project.spec.models[model]! }));
  const why = whyNotOn(name, models);
  if (why) throw new WorkflowError(why);
  // What cannot be brought there is told before there is a job.
  await ownBases(project, models);
  const { price_per_hour } = host;
  return { name, kind: host.kind, ...(price_per_hour === undefined ? {} : { price_per_hour }) };
}

/** The evaluations before of these models, with their test predictions: for the report's "what changed". */
async function writePrevious(session: Session, models: readonly string[], folder: string): Promise<void> {
  const index = [];
  let lines = "";
  for (const model of models) {
    const before = await newestEvaluation(session, model);
    if (!before) continue;
    const { job, report } = before;
    // An old evaluation whose predictions are damaged must not stand in the way of a new one: nothing is compared then.
    const predictions = await testLines(session, job.id, model).catch(() => null);
    if (predictions === null) continue;
    lines += predictions;
    index.push({
      model,
      job: job.id,
      date: report.date,
      decisions: report.decisions,
      accepted: acceptedShare(report.models[model]!),
    });
  }
  if (index.length === 0) return;
  await writeFile(join(folder, "data", "previous.jsonl"), lines);
  await writeFile(join(folder, "data", "previous.json"), JSON.stringify(index));
}

async function testLines(session: Session, job: string, model: string): Promise<string> {
  let lines = "";
  for await (const prediction of readPredictions(session, job)) {
    if (prediction.model === model && prediction.split === "test") lines += `${JSON.stringify(brief(prediction))}\n`;
  }
  return lines;
}

/** A comparison of labels needs no full vectors. */
function brief({ all: _, ...prediction }: Prediction): Prediction {
  return prediction;
}
