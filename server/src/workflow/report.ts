/** A job's report as people see it: what it measured, and what decisions made since say of it. */
import type { Report } from "../../../schemas/report.ts";
import { readReport } from "./artifacts.ts";
import { withLabelNoise } from "./label-noise.ts";
import { type Session, WorkflowError } from "./session.ts";

/** @throws WorkflowError when the job has no report that can be read */
export async function reportOf(session: Session, job: string): Promise<Report> {
  const report = await readReport(session, job);
  if (!report) throw new WorkflowError(`Job ${job} has no report that can be read.`);
  return report;
}

/** @throws WorkflowError when the job has no report that can be read */
export async function reportToShow(session: Session, job: string): Promise<Report> {
  const report = await reportOf(session, job);
  return withLabelNoise(session, (await session.jobs.store.read(job)).job, report);
}
