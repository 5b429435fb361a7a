/** Tells of every change of a project's jobs, whoever made it: this window, another one, or the command line. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { JobView } from "../../../schemas/protocol.ts";
import { attemptFolder } from "../jobs/attempt.ts";
import { changes } from "../jobs/changes.ts";
import { isFetched } from "../jobs/manager.ts";
import { isTerminal } from "../jobs/states.ts";
import { isJobOf, type Session } from "../workflow/session.ts";
import { jobView } from "./job-view.ts";

export interface JobWatch {
  /** Looks again now. */
  nudge(): void;
  close(): void;
  /** Closes, and tells that all its jobs are gone: their project is no longer there. */
  leave(): void;
}

export interface JobWatchOptions {
  onChange(view: JobView): void;
  onRemoved(job: string): void;
  /** A job of the project has come to an end that it had not before. */
  onEnd(view: JobView): void;
  log(message: string): void;
}

export function watchJobs(session: Session, options: JobWatchOptions): JobWatch {
  const { store } = session.jobs;
  const known = new Map<string, string>();
  /** Jobs to look at: those under way, and those that somebody may have resumed. */
  const live = new Set<string>();
  const ended = new Set<string>();
  /** When the folder of a job's attempts last changed, by id: another window may have resumed it. */
  const attempts = new Map<string, number>();
  /** The jobs that were there at the start have been seen: what is new and over from now on was too quick to be seen before. */
  let started = false;
  let closed = false;
  let watcher: ReturnType<typeof changes> | undefined;

  async function isResumed(id: string): Promise<boolean> {
    if (known.get(id) === "") return false;
    const status = await stat(join(store.folder(id), "attempts")).catch(() => null);
    const before = attempts.get(id);
    if (status) attempts.set(id, status.mtimeMs);
    return status !== null && before !== undefined && status.mtimeMs !== before;
  }

  async function look(): Promise<void> {
    const ids = new Set(await store.ids());
    for (const id of known.keys()) {
      if (ids.has(id)) continue;
      known.delete(id);
      live.delete(id);
      ended.delete(id);
      options.onRemoved(id);
    }
    for (const id of ids) {
      if (known.has(id) && !live.has(id) && !(await isResumed(id))) continue;
      const snapshot = await store.read(id).catch(() => null);
      if (!snapshot || !isJobOf(session.project, snapshot.job)) {
        known.set(id, "");
        continue;
      }
      const first = !known.has(id);
      const view = jobView(snapshot, session.project.file, session.jobs);
      const text = JSON.stringify(view);
      if (text !== known.get(id)) {
        known.set(id, text);
        options.onChange(view);
        watcher?.found();
      }
      // What it has made may still be on its way from another machine: until that is here there is nothing to show.
      const arriving = snapshot.job.host.kind !== "local" && !isFetched(snapshot);
      if (!isTerminal(snapshot.state) || arriving) {
        live.add(id);
        ended.delete(id);
        watcher?.add(snapshot.folder);
        watcher?.add(attemptFolder(snapshot.folder, snapshot.attempt.number));
      } else {
        live.delete(id);
        await isResumed(id);
        if ((started || !first) && !ended.has(id)) options.onEnd(view);
        ended.add(id);
      }
    }
  }

  async function keepLooking(): Promise<void> {
    await mkdir(store.root, { recursive: true }).catch(() => {});
    watcher = changes([store.root]);
    while (!closed) {
      await look().catch((error) => options.log(String(error)));
      started = true;
      if (!closed) await watcher.next();
    }
  }

  void keepLooking();
  const watch: JobWatch = {
    nudge() {
      // A job that had ended may have been resumed.
      for (const [id, text] of known) if (text !== "") live.add(id);
      watcher?.wake();
    },
    close() {
      closed = true;
      watcher?.close();
    },
    leave() {
      watch.close();
      for (const [id, text] of known) if (text !== "") options.onRemoved(id);
    },
  };
  return watch;
}
