/**
 * Jobs that are made on the way to another one: a fine-tune that an evaluation needs first holds, in its job.json, what it is for.
 * Whoever sees it succeed starts that, this window or the next one: a wish is not lost with the window in which it was made.
 */
import * as z from "zod";
import { type Job, JobKind } from "../../../schemas/job.ts";
import { appendRecord } from "../jobs/records.ts";
import type { ProjectData } from "./data.ts";
import type { JobRequest } from "./prepare.ts";
import { isJobOf, type Session, WorkflowError } from "./session.ts";
import { endpointsOf, modelsToFineTune, startJob } from "./start.ts";

/** What a job is for, as its options hold it. */
const Wish = z.strictObject({
  kind: JobKind,
  models: z.array(z.string()).min(1),
  host: z.string().optional(),
  splits: z.array(z.enum(["train", "tune", "validation", "test", "pool"])).optional(),
  outOfFold: z.boolean().optional(),
  learningCurve: z.boolean().optional(),
});

/**
 * Starts what a person asks for, or the fine-tune of engine `linear` that it needs first, which goes on to it.
 * @throws WorkflowError when another engine's model has to be fine-tuned first: that is nothing to be started unasked
 */
export async function startWanted(session: Session, data: ProjectData, request: JobRequest): Promise<Job> {
  const [first] = request.kind === "fine-tune" ? [] : await modelsToFineTune(session, data, request.models);
  if (first === undefined) return startJob(session, data, request);
  if (session.project.spec.models[first]!.engine !== "linear") {
    throw new WorkflowError(`Model "${first}" has not been fine-tuned as it now stands. Fine-tune it first.`);
  }
  return startJob(session, data, { kind: "fine-tune", models: [first], next: request });
}

/** Whether a job was made on the way to another one. */
export const isOnTheWay = ({ options }: Job): boolean => options.next !== undefined;

/**
 * Goes on with what a succeeded job is for: once, whoever asks and however often.
 * @returns the job that came of it; null when there is none
 * @throws WorkflowError when it could not be started; it is not tried again then
 */
export async function goOn(session: Session, id: string, dataOf: () => Promise<ProjectData>): Promise<string | null> {
  const { store } = session.jobs;
  const { job, state, folder, records } = await store.read(id);
  if (state !== "succeeded" || !isOnTheWay(job)) return null;
  const followed = records.find(({ type }) => type === "followed");
  if (followed) return followed.job ?? null;
  await session.jobs.arrived(id);
  // Not under the lock: it may take long.
  const data = await dataOf();
  let next: string | null = null;
  let failure: unknown;
  await appendRecord(folder, async (now) => {
    const before = now.find(({ type }) => type === "followed");
    if (before) {
      next = before.job ?? null;
      return null;
    }
    try {
      const wish = Wish.parse(job.options.next);
      // A project that was changed meanwhile wants another model: what is to become of that is for a person to say.
      const missing = await modelsToFineTune(session, data, wish.models);
      const [made] = job.models;
      if (missing.includes(made!.name)) throw new WorkflowError(`The project has changed since ${id} was started.`);
      next = (await startWanted(session, data, wish)).id;
      return { type: "followed", job: next };
    } catch (error) {
      failure = error;
      return { type: "followed", message: error instanceof Error ? error.message : String(error) };
    }
  });
  if (failure !== undefined) throw failure;
  return next;
}

/**
 * Goes on with all that succeeded while nobody looked. What cannot be started is handed to `log`. Where endpoints would be asked a
 * person has to say so again: a folder that came from elsewhere shall not spend anybody's money by being opened.
 */
export async function goOnWithAll(
  session: Session,
  dataOf: () => Promise<ProjectData>,
  log: (message: string) => void,
): Promise<void> {
  for (const id of await session.jobs.store.ids()) {
    const snapshot = await session.jobs.store.read(id).catch(() => null);
    if (!snapshot || !isJobOf(session.project, snapshot.job)) continue;
    const wish = Wish.safeParse(snapshot.job.options.next);
    if (!wish.success || asksEndpoints(session, wish.data.models)) continue;
    await goOn(session, id, dataOf).catch((error) => log(`${id}: ${error instanceof Error ? error.message : error}`));
  }
}

function asksEndpoints(session: Session, models: readonly string[]): boolean {
  // A model that has left the project since: what is wrong is said where it is started.
  return (
    endpointsOf(
      session,
      models.filter((name) => name in session.project.spec.models),
    ).length > 0
  );
}
