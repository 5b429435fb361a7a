/** The Python worker (worker/): where it is and how it is started. */
import { type ChildProcess, spawn } from "node:child_process";
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
