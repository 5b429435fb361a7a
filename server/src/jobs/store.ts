/** Job folders on this machine's disk: make, read, list, measure, delete. */
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import {
  JOB_CONTRACT,
  type Job,
  JobId,
  type JobState,
  type JobSummary,
  type ManagerRecord,
} from "../../../schemas/job.ts";
import { type Attempt, attemptFolder, attemptNumbers, type EventsSummary, readAttempt } from "./attempt.ts";
import { parseJob, UnreadableJob } from "./contract.ts";
import { newestFirst, newJobId } from "./id.ts";
import { isMissing } from "./lines.ts";
import { readRecords } from "./records.ts";
import { cancelAsked, endMessage, isTerminal } from "./states.ts";

/** What a job is made of; the store adds contract version, id and time. */
export type NewJob = Omit<Job, "contract" | "id" | "created">;

/** A job's folder at a moment. */
export interface JobSnapshot {
  id: string;
  folder: string;
  job: Job;
  /** The last attempt, and with it the job. */
  attempt: Attempt;
  state: JobState;
  records: ManagerRecord[];
}

/** No such job, or something that cannot be done with it in its state. Meant for people. */
export class JobError extends Error {}

/** A folder that is being made or removed begins with a dot, and is nobody's job. */
const NEW = ".new-";
const OLD = ".old-";
const ABANDONED_AFTER = 24 * 3600 * 1000;

export interface JobStore {
  readonly root: string;
  folder(id: string): string;
  /**
   * Makes a job folder with its first attempt. `prepare` puts data/ and whatever else the runner needs into the folder
   * it is given, and says what the job is. Nobody sees the folder before it is complete.
   */
  create(name: string, prepare: (folder: string, id: string) => Promise<NewJob>): Promise<Job>;
  /** Ids of all job folders, newest first. */
  ids(): Promise<string[]>;
  /** @throws JobError when there is no such job; UnreadableJob when job.json cannot be read */
  read(id: string): Promise<JobSnapshot>;
  /** All jobs, newest first. A folder that cannot be read is listed with its problem. */
  list(): Promise<JobSummary[]>;
  /** Bytes of the job's files. */
  size(id: string): Promise<number>;
  /** Removes the folder; first by a rename, so that no half of a job is ever seen. */
  remove(id: string): Promise<void>;
  /** Removes what interrupted makings and removals left. */
  clean(now?: number): Promise<void>;
}

/** @param root the `.clf/jobs` folder beside the project file; made when the first job is */
export function jobStore(root: string): JobStore {
  /** Events are only ever appended: what was read is not read again. */
  const summaries = new Map<string, EventsSummary>();

  async function read(id: string): Promise<JobSnapshot> {
    const folder = folderOf(id);
    let text: string;
    try {
      text = await readFile(join(folder, "job.json"), "utf8");
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (await exists(folder)) throw new UnreadableJob("The folder has no job.json.");
      throw new JobError(`There is no job ${id} in ${root}.`);
    }
    const job = parseJob(text);
    const records = await readRecords(folder);
    const number = (await attemptNumbers(folder)).at(-1) ?? 1;
    const key = attemptFolder(folder, number);
    const attempt = await readAttempt(folder, number, records, summaries.get(key));
    summaries.set(key, attempt.events);
    return { id, folder, job, attempt, state: attempt.state, records };
  }

  function folderOf(id: string): string {
    // Ids become paths: one that is no id must not get further.
    if (!JobId.safeParse(id).success) throw new JobError(`"${id}" is not a job id.`);
    return join(root, id);
  }

  async function ids(): Promise<string[]> {
    try {
      const entries = await readdir(root, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && JobId.safeParse(entry.name).success)
        .map((entry) => entry.name)
        .sort(newestFirst);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  return {
    root,
    folder: folderOf,
    ids,
    read,

    async create(name, prepare) {
      await mkdir(root, { recursive: true });
      await ignoreInGit(root);
      const { id, making } = await takeId(root, name);
      try {
        const created = new Date().toISOString();
        const job: Job = { contract: JOB_CONTRACT, id, created, ...(await prepare(making, id)) };
        const submitted: ManagerRecord = { seq: 1, time: created, type: "submitted", attempt: 1 };
        await mkdir(attemptFolder(making, 1), { recursive: true });
        await writeFile(join(making, "manager.jsonl"), `${JSON.stringify(submitted)}\n`);
        await writeFileAtomic(join(making, "job.json"), `${JSON.stringify(job, null, 2)}\n`);
        await rename(making, join(root, id));
        return job;
      } catch (error) {
        await rm(making, { recursive: true, force: true });
        throw error;
      }
    },

    async list() {
      const jobs: JobSummary[] = [];
      for (const id of await ids()) {
        try {
          jobs.push(summarize(await read(id)));
        } catch (error) {
          if (error instanceof UnreadableJob) jobs.push({ id, problem: error.message });
          else if (!(error instanceof JobError)) throw error;
        }
      }
      return jobs;
    },

    size: (id) => bytesUnder(folderOf(id)),

    async remove(id) {
      const folder = folderOf(id);
      const removing = join(root, `${OLD}${id}`);
      try {
        await rename(folder, removing);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      for (const key of summaries.keys()) if (key.startsWith(folder)) summaries.delete(key);
      await rm(removing, { recursive: true, force: true, maxRetries: 3 });
    },

    async clean(now = Date.now()) {
      for (const name of await readdir(root).catch(() => [])) {
        const path = join(root, name);
        // Other windows make and remove jobs meanwhile: what is gone is no matter.
        const age = await stat(path).then(
          (status) => now - status.mtimeMs,
          () => 0,
        );
        const abandoned = name.startsWith(NEW) && age > ABANDONED_AFTER;
        if (abandoned || name.startsWith(OLD)) await rm(path, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

/** A snapshot as a line in a list. */
export function summarize(snapshot: JobSnapshot): JobSummary {
  const { job, attempt, state } = snapshot;
  const { progress, error } = attempt.events;
  const over = isTerminal(state);
  return {
    id: job.id,
    kind: job.kind,
    models: job.models.map((model) => model.name),
    project: job.project.file,
    host: job.host.name,
    created: job.created,
    state,
    attempt: attempt.number,
    started: attempt.facts.runner?.time ?? attempt.events.first,
    ended: over ? (attempt.facts.exit?.time ?? attempt.events.last) : undefined,
    cancel_asked: over ? undefined : cancelAsked(attempt.facts) !== undefined || undefined,
    message: over ? why(attempt) : undefined,
    remedy: state === "failed" ? error?.remedy : undefined,
    progress: progress && {
      step: progress.step,
      done: progress.done,
      total: progress.total,
      unit: progress.unit,
      left: over ? undefined : progress.left,
    },
  };
}

/** Why an attempt ended: its runner's own words first, unless it was killed. */
function why({ state, facts, events }: Attempt): string | undefined {
  if (state === "failed" && facts.final?.message === undefined && !facts.exit?.signal && events.error) {
    return events.error.message;
  }
  return endMessage(facts);
}

/** An id that no job has, with the folder in which the job is made: making the folder is what takes the id. */
async function takeId(root: string, name: string): Promise<{ id: string; making: string }> {
  while (true) {
    const id = newJobId(name);
    const making = join(root, NEW + id);
    try {
      await mkdir(making);
      if (!(await exists(join(root, id)))) return { id, making };
      await rm(making, { recursive: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** `.clf/` holds what can be made again: git leaves it alone, unless the user has written a .gitignore there. */
async function ignoreInGit(root: string): Promise<void> {
  try {
    await writeFile(join(root, "..", ".gitignore"), "# Made by Clf: jobs and caches.\n*\n", { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

async function bytesUnder(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A runner may rename or remove files meanwhile.
    bytes += await lstat(join(entry.parentPath, entry.name)).then(
      (status) => status.size,
      () => 0,
    );
  }
  return bytes;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
