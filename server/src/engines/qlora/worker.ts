/** The Python worker (worker/): where it is and how it is started. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The script that makes the worker's environment and runs a job folder in it. In a package `worker/` lies beside `dist/`. */
export const WORKER_SCRIPT = fileURLToPath(
  new URL(import.meta.url.endsWith(".mjs") ? "../worker/run.sh" : "../../../../worker/run.sh", import.meta.url),
);

/** The worker as a runner, for a host that has a shell: started as `command… FOLDER`. */
export const workerCommand = (): [string, ...string[]] => ["sh", WORKER_SCRIPT];

/** Starts the worker on a folder, in this process's own group: who ends the group ends it. What it prints goes to the log. */
export function startWorker(folder: string, attempt: number): ChildProcess {
  const [command, ...args] = workerCommand();
  const env: NodeJS.ProcessEnv = { ...process.env, CLF_ATTEMPT: String(attempt) };
  return spawn(command, [...args, folder], { env, stdio: ["ignore", "inherit", "inherit"] });
}

/** Starts a worker that keeps a model of a folder loaded and answers on its pipes, in a group of its own: Ctrl+C is not for it. */
export function startScoringWorker(folder: string, model: string): ChildProcessByStdio<Writable, Readable, null> {
  const [command, ...args] = workerCommand();
  return spawn(command, [...args, "--python", "-m", "clf_worker.serve", folder, model], {
    detached: true,
    // What it says stands on a person's terminal: no bars of a hundred lines, no warnings for those who write programs.
    env: { ...process.env, TQDM_DISABLE: "1", PYTHONWARNINGS: "ignore::FutureWarning" },
    stdio: ["pipe", "pipe", "inherit"],
  });
}
