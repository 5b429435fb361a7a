/** Which job holds a model's current artifact, and its newest evaluation (DESIGN §1: current). */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "../../../schemas/job.ts";
import { Report } from "../../../schemas/report.ts";
import type { JobSnapshot } from "../jobs/store.ts";
import { trainingSpecHash } from "../project/training-spec.ts";
import { isJobOf, type Session, WorkflowError } from "./session.ts";

/** Engines whose models are made by a fine-tune. */
const FINE_TUNED: ReadonlySet<string> = new Set(["linear", "qlora", "openai"]);

export function isFineTuned(session: Session, model: string): boolean {
  const spec = modelSpec(session, model);
  // Without an epoch a base model is used as it is.
  return FINE_TUNED.has(spec.engine) && !(spec.engine === "qlora" && spec.epochs === 0);
}

/** @throws WorkflowError when the project has no such model */
export function modelSpec({ project }: Session, model: string) {
  const spec = project.spec.models[model];
  if (!spec) {
    const names = Object.keys(project.spec.models).join(", ");
    throw new WorkflowError(`There is no model "${model}" in ${project.name}. Models: ${names}.`);
  }
  return spec;
}

/** Succeeded jobs of this project that satisfy `wanted`, newest first. */
async function* succeeded(session: Session, wanted: (job: Job) => boolean): AsyncGenerator<Job> {
  for (const id of await session.jobs.store.ids()) {
    let snapshot: Awaited<ReturnType<typeof session.jobs.store.read>>;
    try {
      snapshot = await session.jobs.store.read(id);
    } catch {
      // Listed with its problem where jobs are listed; it is nobody's artifact.
      continue;
    }
    const { job, state } = snapshot;
    if (state === "succeeded" && isJobOf(session.project, job) && wanted(job)) yield job;
  }
}

/** The newest succeeded fine-tune whose training spec is unchanged; null when the model has to be fine-tuned first. */
export async function currentFineTune(session: Session, model: string): Promise<Job | null> {
  const hash = trainingSpecHash(session.project, model);
  for await (const job of succeeded(session, ({ kind }) => kind === "fine-tune")) {
    if (job.models[0]!.name === model && job.models[0]!.training_spec === hash) return job;
  }
  return null;
}

/** The newest succeeded evaluation or comparison that has the model. */
export async function newestEvaluation(session: Session, model: string): Promise<{ job: Job; report: Report } | null> {
  for await (const evaluation of evaluationsOf(session, model)) return evaluation;
  return null;
}

/** The model's succeeded evaluations and comparisons with a report that can be read, newest first. */
export async function* evaluationsOf(session: Session, model: string): AsyncGenerator<{ job: Job; report: Report }> {
  const has = (job: Job) =>
    (job.kind === "evaluate" || job.kind === "compare") && job.models.some(({ name }) => name === model);
  for await (const job of succeeded(session, has)) {
    const report = await readReport(session, job.id);
    if (report) yield { job, report };
  }
}

/** The newest succeeded job of the model that holds predictions of pool rows, and, apart, out-of-fold predictions. */
export async function newestPredictions(session: Session, model: string) {
  const holds = (job: Job) => job.kind !== "fine-tune" && job.models.some(({ name }) => name === model);
  let plain: Job | null = null;
  let outOfFold: Job | null = null;
  for await (const job of succeeded(session, holds)) {
    if (job.options.file !== undefined) continue;
    if (job.options.outOfFold === true) outOfFold ??= job;
    else if ((job.options.splits as string[] | undefined)?.includes("pool")) plain ??= job;
    if (plain && outOfFold) break;
  }
  return { plain, outOfFold };
}

/** The job of the same kind and models before this one, however it ended; null when there is none. */
export async function previousJob(session: Session, job: Job): Promise<JobSnapshot | null> {
  const named = ({ kind, models }: Job) => JSON.stringify([kind, models.map(({ name }) => name)]);
  const ids = await session.jobs.store.ids();
  for (const id of ids.slice(ids.indexOf(job.id) + 1)) {
    const snapshot = await session.jobs.store.read(id).catch(() => null);
    if (snapshot && isJobOf(session.project, snapshot.job) && named(snapshot.job) === named(job)) return snapshot;
  }
  return null;
}

/** Reports that were read last, by file. They are asked for at every keystroke of a person who tries a text, and can be large. */
const reports = new Map<string, { stamp: string; report: Report }>();
const MOST_REPORTS = 4;

/** report.json of a job; null when there is none that can be read. Not to be changed: others may hold the same one. */
export async function readReport(session: Session, job: string): Promise<Report | null> {
  try {
    const file = join(session.jobs.store.folder(job), "report.json");
    const { size, mtimeMs } = await stat(file);
    const stamp = `${size} ${mtimeMs}`;
    const known = reports.get(file);
    if (known?.stamp === stamp) return known.report;
    const report = Report.parse(JSON.parse(await readFile(file, "utf8")));
    reports.delete(file);
    reports.set(file, { stamp, report });
    for (const old of reports.keys()) if (reports.size > MOST_REPORTS) reports.delete(old);
    return report;
  } catch {
    return null;
  }
}

/** Jobs that retention must not take: current artifacts, what the panels show, and whatever is another project's. */
export async function neededJobs(session: Session): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const id of await session.jobs.store.ids()) {
    const snapshot = await session.jobs.store.read(id).catch(() => null);
    if (snapshot === null || !isJobOf(session.project, snapshot.job)) needed.add(id);
  }
  for (const model of Object.keys(session.project.spec.models)) {
    const [fineTune, evaluation, { plain, outOfFold }] = await Promise.all([
      currentFineTune(session, model),
      newestEvaluation(session, model),
      newestPredictions(session, model),
    ]);
    for (const job of [fineTune, evaluation?.job, plain, outOfFold]) if (job) needed.add(job.id);
  }
  return needed;
}
