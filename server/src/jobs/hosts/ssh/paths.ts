/** Names that cross between a host and this machine. Neither side may lead the other out of a job's folder. */
import { JobId } from "../../../../../schemas/job.ts";

/** A job id fit for a path. @throws when it is none */
export function jobName(job: string): string {
  if (!JobId.safeParse(job).success) throw new Error(`"${job}" leads out of the folder of jobs.`);
  return job;
}

/** Control characters break the line they stand on; a backslash means a folder on Windows, and an escape to sha256sum. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const UNFIT = /[\u0000-\u001f\u007f\\]/;

/** A path below a job's folder, with `/`, normalised. @throws when it leads out, or cannot be named on one line */
export function jobPath(job: string, path: string): string {
  const parts = path.split("/").filter((part) => part !== "." && part !== "");
  if (path.startsWith("/") || parts.length === 0 || parts.includes("..")) {
    throw new Error(`"${path}" leads out of the folder of job ${job}.`);
  }
  if (UNFIT.test(path)) throw new Error(`The name "${path}" cannot be sent to a host. Rename the file.`);
  return parts.join("/");
}

/** Windows' own names, drives and streams must not come from a host either. */
const WINDOWS = /[:*?"<>|]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Whether a host's file may be written under `roots` here, under the name that the host gives it. */
export function mayBeWritten(path: string, roots: readonly string[], platform = process.platform): boolean {
  if (UNFIT.test(path) || path.startsWith("/") || path.length > 1000) return false;
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return false;
  if (platform === "win32" && parts.some((part) => WINDOWS.test(part))) return false;
  return roots.some((root) => path === root || path.startsWith(`${root}/`));
}
