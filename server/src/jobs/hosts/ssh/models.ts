/**
 * Folders of models that jobs read, on a host: each under a name that its content gives it, so that a second job finds it there. The host
 * keeps one while any of its jobs needs it.
 */
import type { Connection } from "./connection.ts";
import { PATIENCE } from "./connection.ts";
import { jobName, jobPath } from "./paths.ts";
import { collect, type File, nameOf, send, summed } from "./put.ts";

/** Brings the files of a folder, of which the job has need. Returns its path below the host's folder. */
export type BringModel = (job: string, folder: string, files: readonly string[]) => Promise<string>;

export function openModels(connection: Connection): BringModel {
  /** Uploads that go on: of jobs that want the same model at the same time one sends it. */
  const sending = new Map<string, Promise<void>>();

  return async (job, folder, files) => {
    const found: File[] = [];
    for (const file of files) await collect(job, folder, jobPath(job, file), found);
    const entries = await summed(found);
    const path = `models/${nameOf(entries)}`;
    // The need is noted first: between two calls another window may remove what nobody needs.
    const there = await connection.call(["hold", jobName(job), path], (channel) => channel.line(), PATIENCE.long);
    if (there === "yes") return path;
    let sent = sending.get(path);
    if (!sent) {
      sent = send(connection, path, ["."], entries).finally(() => sending.delete(path));
      sending.set(path, sent);
    }
    await sent;
    return path;
  };
}
