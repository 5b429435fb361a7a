/** Reading job.json of this and every older version of the job-folder contract. */
import * as z from "zod";
import { JOB_CONTRACT, Job } from "../../../schemas/job.ts";

/** `MIGRATIONS[n]` turns a job of contract n into one of contract n + 1. */
export type Migrations = Readonly<Record<number, (job: Record<string, unknown>) => Record<string, unknown>>>;
export const MIGRATIONS: Migrations = { 1: withoutPackingAndFolds };

/** A job that cannot be read: shown with this message, left on the disk as it is. */
export class UnreadableJob extends Error {}

/** @throws UnreadableJob */
export function parseJob(text: string, migrations: Migrations = MIGRATIONS, contract = JOB_CONTRACT): Job {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnreadableJob(`job.json is not JSON: ${(error as Error).message}`);
  }
  const version = (value as { contract?: unknown } | null)?.contract;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 0) {
    throw new UnreadableJob("job.json names no contract version: it is not a job of Clf's.");
  }
  if (version > contract) {
    throw new UnreadableJob(
      `The job was made by a newer version of Clf (contract ${version}, this one knows ${contract}). Update Clf to open it.`,
    );
  }
  let job = value as Record<string, unknown>;
  for (let from = version; from < contract; from++) {
    const migrate = migrations[from];
    if (!migrate) throw new UnreadableJob(`There is no way from contract ${from} to ${contract} for this job.`);
    job = { ...migrate(job), contract: from + 1 };
  }
  const parsed = Job.safeParse({ ...job, contract: JOB_CONTRACT });
  if (!parsed.success) throw new UnreadableJob(`job.json is not as it should be:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Contract 1 had two settings of `qlora` models, `packing` and `folds`, that did nothing. */
function withoutPackingAndFolds(job: Record<string, unknown>): Record<string, unknown> {
  type Settings = { engine?: unknown; packing?: unknown; folds?: unknown };
  type Entry = { spec?: Settings; stages?: Entry[] };
  const mended = (entry: Entry): Entry => {
    const stages = entry.stages ? { stages: entry.stages.map(mended) } : {};
    if (entry.spec?.engine !== "qlora") return { ...entry, ...stages };
    const { packing: _, folds: __, ...spec } = entry.spec;
    return { ...entry, ...stages, spec };
  };
  return { ...job, models: Array.isArray(job.models) ? job.models.map(mended) : job.models };
}
