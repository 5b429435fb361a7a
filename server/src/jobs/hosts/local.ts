import { constants } from "node:fs";
import { access, cp, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { launchHere } from "../launcher.ts";
import { isMissing } from "../lines.ts";
import { liveness, signalGroup } from "../process.ts";
import type { Host, HostCheck, Piece } from "./host.ts";

const READ_LIMIT = 4 << 20;

/**
 * This machine. `jobs` is the folder of job folders, usually the manager's own (`.clf/jobs`); any other makes a host whose
 * files have to be put and fetched, as a remote one's do.
 */
export function localHost(options: { name?: string; jobs: string; shared?: boolean }): Host {
  const { name = "local", jobs, shared = true } = options;

  /** A path of a job, or an error when it leads out of its folder. */
  function inside(job: string, path = "."): string {
    const folder = resolve(jobs, job);
    const full = resolve(folder, path);
    if (dirname(folder) !== resolve(jobs) || (full !== folder && !full.startsWith(folder + sep))) {
      throw new Error(`"${path}" leads out of the folder of job ${job}.`);
    }
    return full;
  }

  return {
    name,
    shared,

    async check() {
      const checks: HostCheck[] = [];
      const writable = await mkdir(jobs, { recursive: true })
        .then(() => access(jobs, constants.W_OK))
        .then(
          () => true,
          () => false,
        );
      checks.push({
        name: "job folder",
        ok: writable,
        detail: jobs,
        ...(writable ? {} : { remedy: "Give yourself write access to the folder, or move the project." }),
      });
      return checks;
    },

    async put(job, folder, paths) {
      for (const path of paths.length === 0 ? ["."] : paths) {
        await replace(paths.length === 0 ? folder : join(folder, path), inside(job, path), true);
      }
    },

    launch: (job, attempt, runner) => launchHere(inside(job), attempt, runner),

    async read(job, path, offset, limit = READ_LIMIT): Promise<Piece | null> {
      let handle: Awaited<ReturnType<typeof open>>;
      try {
        handle = await open(inside(job, path), "r");
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
      try {
        const { size } = await handle.stat();
        const data = Buffer.alloc(Math.max(0, Math.min(limit, size - offset)));
        const { bytesRead } = await handle.read(data, 0, data.length, offset);
        return { data: data.subarray(0, bytesRead), size };
      } finally {
        await handle.close();
      }
    },

    alive: liveness,
    signal: signalGroup,

    async fetch(job, folder, paths) {
      for (const path of paths) await replace(inside(job, path), join(folder, path), false);
    },
  };
}

/** Copies a file or folder under a temporary name, then gives it its own. An absent source removes the target, if so asked. */
async function replace(from: string, to: string, removeAbsent: boolean): Promise<void> {
  const copy = join(dirname(to), `.${basename(to)}.${process.pid}.tmp`);
  try {
    await mkdir(dirname(to), { recursive: true });
    await rm(copy, { recursive: true, force: true });
    // Links are not followed: what they lead to is not the job's.
    await cp(from, copy, { recursive: true, filter: async (source) => !(await isLink(source)) });
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (removeAbsent) await rm(to, { recursive: true, force: true });
    return;
  }
  await rename(copy, to).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await rename(copy, to);
  });
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path)).isSymbolicLink();
}
