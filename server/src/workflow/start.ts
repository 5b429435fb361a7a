/** Starts the jobs that a person asks for. */
import type { Job, JobEndpoint } from "../../../schemas/job.ts";
import { currentFineTune, isFineTuned, modelSpec } from "./artifacts.ts";
import { type ProjectData, requireSound } from "./data.ts";
import { requireKeys } from "./keys.ts";
import { type JobRequest, prepareJob } from "./prepare.ts";
import { jobEndpoint } from "./prompted.ts";
import { seenRows } from "./seen.ts";
import type { Session } from "./session.ts";

/**
 * Makes the job's folder and starts it. Once this resolves the job goes on whatever happens to this process.
 * @throws WorkflowError with what is wrong and what to do; no job was made then
 */
export async function startJob(session: Session, data: ProjectData, request: JobRequest): Promise<Job> {
  requireSound(data.problems);
  for (const model of request.models) modelSpec(session, model);
  // A person is asked for keys, or told of them, before anything is made.
  await requireKeys(endpointsOf(session, request.models), session.project.file, session.keyOf);
  const name = request.kind === "compare" ? "compare" : request.models[0]!;
  return session.jobs.submit(name, (folder) => prepareJob(session, data, request, folder));
}

/** The model; of a cascade its stages. */
export function withStages(session: Session, model: string): string[] {
  const spec = modelSpec(session, model);
  return spec.engine === "cascade" ? spec.stages : [model];
}

/** The endpoints that the models ask. */
export function endpointsOf(session: Session, models: readonly string[]): JobEndpoint[] {
  return models
    .flatMap((name) => withStages(session, name))
    .flatMap((name) => {
      const spec = modelSpec(session, name);
      return spec.engine === "chat" || spec.engine === "openai" ? [jobEndpoint(session.project, spec)] : [];
    });
}

/** The models that have to be fine-tuned before they can predict, as the project and its rows now stand. */
export async function modelsToFineTune(
  session: Session,
  data: ProjectData,
  models: readonly string[],
): Promise<string[]> {
  const missing: string[] = [];
  for (const model of new Set(models.flatMap((name) => withStages(session, name)))) {
    if (!isFineTuned(session, model)) continue;
    const current = await currentFineTune(session, model);
    if (!current || (await seenRows(session, data, current.id))) missing.push(model);
  }
  return missing;
}
