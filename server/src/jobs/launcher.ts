/** Starts a supervisor on this machine, apart from this process (DESIGN §4). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { RunnerCommand } from "./hosts/host.ts";

/** The POSIX supervisor. In a bundle it lies beside it. */
export const SUPERVISOR_SCRIPT = fileURLToPath(new URL("./supervisor.sh", import.meta.url));

/** The same for Windows, in Node. In a bundle `supervisor.mjs`. */
const NODE_SUPERVISOR = fileURLToPath(
  new URL(import.meta.url.endsWith(".mjs") ? "./supervisor.mjs" : "./supervisor-windows.ts", import.meta.url),
);

/** The launch command of an attempt, on this platform. */
export function launchCommand(
  folder: string,
  attempt: number,
  runner: RunnerCommand,
  platform: NodeJS.Platform = process.platform,
): [string, ...string[]] {
  const order = ["launch", folder, String(attempt), runner.lock ?? "-", ...runner.command, folder];
  return platform === "win32"
    ? [process.execPath, NODE_SUPERVISOR, ...order]
    : ["/bin/sh", SUPERVISOR_SCRIPT, ...order];
}

/**
 * Launches an attempt of a job in `folder`.
 * @throws with what the launcher said, when it could not
 */
export async function launchHere(
  folder: string,
  attempt: number,
  runner: RunnerCommand,
  platform: NodeJS.Platform = process.platform,
): Promise<"launched" | "already launched"> {
  const [file, ...args] = launchCommand(folder, attempt, runner, platform);
  const env = platform === "win32" ? { ELECTRON_RUN_AS_NODE: "1", ...runner.env } : { ...runner.env };
  const { stdout, stderr, exitCode } = await execa(file, args, { env, stdin: "ignore", reject: false });
  if (stdout === "launched" || stdout === "already launched") return stdout;
  // A supervisor that died before it could say so has recorded itself all the same: the job is launched, and soon lost.
  if (existsSync(join(folder, "attempts", String(attempt), "launch.json"))) return "already launched";
  throw new Error(`The job could not be started: ${stderr || stdout || `the launcher ended with code ${exitCode}`}`);
}
