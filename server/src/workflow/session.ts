/** One open project: what every operation of this folder works on. */
import { basename, join } from "node:path";
import type { Job } from "../../../schemas/job.ts";
import { createDuckDb, type DuckDb } from "../dataset/duckdb.ts";
import { entryPath } from "../entry.ts";
import { localHost } from "../jobs/hosts/local.ts";
import { type JobManager, type JobManagerOptions, jobManager } from "../jobs/manager.ts";
import type { Project } from "../project/project.ts";
import { type DecisionLog, openDecisionLog } from "../review/decisions.ts";
import { WorkflowError } from "./error.ts";
import { finishJob } from "./finish.ts";
import { localLock, type ProjectHosts, projectHosts, remoteRunner } from "./hosts.ts";
import { type KeyOf, keyEnvironment, keysFromEnvironment } from "./keys.ts";

export interface Session {
  project: Project;
  /** Where keys of endpoints come from, once the person has agreed. */
  keyOf: KeyOf;
  jobs: JobManager;
  hosts: ProjectHosts;
  duckdb: DuckDb;
  decisions: DecisionLog;
  /** For a session that nobody is given any more: what still uses its data goes on, and its process ends after that. */
  retire(): Promise<void>;
  close(): Promise<void>;
}

export { WorkflowError };

/** Whether a job in the project's jobs folder is this project's. A folder that was moved since takes its jobs along. */
export function isJobOf(project: Project, job: Job): boolean {
  return basename(job.project.file.replaceAll("\\", "/")) === basename(project.file);
}

/** `<folder>/.clf/jobs`. Job folders of all projects of a folder stand side by side. */
export function jobsFolder(project: Project): string {
  return join(project.stateFolder, "jobs");
}

export function openSession(
  project: Project,
  {
    keyOf = keysFromEnvironment(process.env),
    ...options
  }: Pick<JobManagerOptions, "onCondition" | "onPlace"> & { keyOf?: KeyOf } = {},
): Session {
  const root = jobsFolder(project);
  const hosts = projectHosts(project, localHost({ jobs: root }));
  const duckdb = createDuckDb({ folder: project.folder });
  const jobs = jobManager({
    root,
    host: (job) => hosts.named(job.host.name),
    // VS Code's own Node runs the runner: a machine needs no Node of its own.
    runner: async (job) =>
      job.host.kind === "local"
        ? {
            command: [process.execPath, entryPath("runner")],
            env: { ELECTRON_RUN_AS_NODE: "1", ...(await keyEnvironment(job, project.file, keyOf)) },
            ...localLock(job.models),
          }
        : remoteRunner(job, project, keyOf),
    finish: (snapshot) => finishJob(snapshot, duckdb),
    ...options,
  });
  return {
    project,
    keyOf,
    jobs,
    hosts,
    duckdb,
    decisions: openDecisionLog(project.decisionsFile),
    async retire() {
      duckdb.retire();
      await jobs.close();
      hosts.close();
    },
    async close() {
      await Promise.all([jobs.close(), duckdb.close()]);
      hosts.close();
    },
  };
}
