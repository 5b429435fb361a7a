/** Starts the jobs that a person asks for. */
import type { Job } from "../../../schemas/job.ts";
import { currentFineTune, isFineTuned, modelSpec } from "./artifacts.ts";
import { type ProjectData, requireSound } from "./data.ts";
import { type JobRequest, prepareJob } from "./prepare.ts";
import { seenRows } from "./seen.ts";
import type { Session } from "./session.ts";

/**
 * Makes the job's folder and starts it. Once this resolves the job goes on whatever happens to this process.
 * @throws WorkflowError with what is wrong and what to do; no job was made then
 */
export async function startJob(session: Session, data: ProjectData, request: JobRequest): Promise<Job> {
  requireSound(data.problems);
  for (const model of request.models) modelSpec(session, model);
  const name = request.kind === "compare" ? "compare" : request.models[0]!;
  return session.jobs.submit(name, (folder) => prepareJob(session, data, request, folder));
}

/** The models that have to be fine-tuned before they can predict, as the project and its rows now stand. */
export async function modelsToFineTune(
  session: Session,
  data: ProjectData,
  models: readonly string[],
): Promise<string[]> {
  const missing: string[] = [];
  for (const model of models) {
    if (!isFineTuned(session, model)) continue;
    const current = await currentFineTune(session, model);
    if (!current || (await seenRows(session, data, current.id))) missing.push(model);
  }
  return missing;
}
