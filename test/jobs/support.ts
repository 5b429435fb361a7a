/** Jobs for tests: a tiny job of the fake runner, and looking at what it left. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Job, ProcessIdentity } from "../../schemas/job.ts";
import { Confidence, Model } from "../../schemas/project.ts";
import type { RunnerCommand } from "../../server/src/jobs/hosts/host.ts";
import { localHost } from "../../server/src/jobs/hosts/local.ts";
import { wholeLines } from "../../server/src/jobs/lines.ts";
import { type JobManager, type JobManagerOptions, jobManager } from "../../server/src/jobs/manager.ts";
import { predictionsFile } from "../../server/src/jobs/predictions.ts";
import type { NewJob } from "../../server/src/jobs/store.ts";

export const FAKE_RUNNER: RunnerCommand = {
  command: [process.execPath, fileURLToPath(new URL("./fake-runner.ts", import.meta.url))],
  env: { NODE_OPTIONS: "", NODE_NO_WARNINGS: "1" },
};

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "clf-jobs-"));
}

export function newJob(options: Job["options"], host = "local"): NewJob {
  return {
    kind: "predict",
    project: { name: "test", file: "test.clf.yaml" },
    models: [{ name: "baseline", spec: Model.parse({ engine: "linear" }), training_spec: "0" }],
    host: { name: host, kind: "local" },
    task: {
      inputs: [{ column: "text", name: "text" }],
      targets: [{ name: "label", column: "label", labels: [{ name: "a" }, { name: "b" }] }],
    },
    data: {
      fingerprint: "0",
      rows: { test: 10 },
      decisions: 0,
      sampling: { left_out: 0, dropped_labels: {}, applied: "train" },
      validation: true,
      grouped: false,
    },
    confidence: Confidence.parse({}),
    seed: 1,
    versions: {},
    options,
  };
}

export function testManager(root: string, options: Partial<JobManagerOptions> = {}): JobManager {
  return jobManager({ root, host: () => localHost({ jobs: root }), runner: () => FAKE_RUNNER, ...options });
}

/** The fake runner's predictions: its "Parquet" is a copy of the lines. */
export async function predictedRows(folder: string): Promise<string[]> {
  const file = predictionsFile(folder);
  const rows: string[] = [];
  if (file) for await (const line of wholeLines(file.path)) rows.push(JSON.parse(line.text).row);
  return rows;
}

export async function readEventSeqs(folder: string, attempt: number): Promise<number[]> {
  const seqs: number[] = [];
  for await (const line of wholeLines(join(folder, "attempts", String(attempt), "events.jsonl"))) {
    seqs.push(JSON.parse(line.text).seq);
  }
  return seqs;
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Command lines of running processes that name the folder, by pid. */
export function processesNaming(folder: string): string[] {
  const rows = execFileSync("ps", ["-A", "-ww", "-o", "pid=,stat=,args="], { encoding: "utf8" }).split("\n");
  return rows.filter((row) => row.includes(folder) && !/^\s*\d+\s+Z/.test(row));
}

/** Waits for the last process that names the folder to go, within reason: a supervisor ends just after its runner's last word. */
export async function leftProcesses(folder: string): Promise<string[]> {
  for (let tries = 0; tries < 50 && processesNaming(folder).length > 0; tries++) await sleep(100);
  return processesNaming(folder);
}

/** Names of the folders of control sockets that connections of this machine have made, and not removed. */
export function socketFolders(): string[] {
  const tops = new Set([process.env.XDG_RUNTIME_DIR ?? "", tmpdir(), "/tmp"]);
  return [...tops]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => name.startsWith("clf-ssh-")));
}

/** Whether the process was still there to be signalled. */
export function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}

/** `kill -9`, if there is somebody: a moment may be a late one. */
export function kill(identity: ProcessIdentity | null): void {
  if (identity) signalled(identity.pid, "SIGKILL");
}

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, "utf8")) as T;
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
