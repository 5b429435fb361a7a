/** Tells of every change of a project's jobs, whoever made it: this window, another one, or the command line. */
import { mkdir } from "node:fs/promises";
import type { JobView } from "../../../schemas/protocol.ts";
import { attemptFolder } from "../jobs/attempt.ts";
import { changes } from "../jobs/changes.ts";
import { isTerminal } from "../jobs/states.ts";
import { isJobOf, type Session } from "../workflow/session.ts";
import { jobView } from "./job-view.ts";

export interface JobWatch {
  /** Looks again now. */
  nudge(): void;
  close(): void;
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
  /** The jobs that were there at the start have been seen: what is new and over from now on was too quick to be seen before. */
  let started = false;
  let closed = false;
  let watcher: ReturnType<typeof changes> | undefined;

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
      if (known.has(id) && !live.has(id)) continue;
      const snapshot = await store.read(id).catch(() => null);
      if (!snapshot || !isJobOf(session.project, snapshot.job)) {
        known.set(id, "");
        continue;
      }
      const first = !known.has(id);
      const view = jobView(snapshot, session.project.file);
      const text = JSON.stringify(view);
      if (text !== known.get(id)) {
        known.set(id, text);
        options.onChange(view);
        watcher?.found();
      }
      if (!isTerminal(snapshot.state)) {
        live.add(id);
        ended.delete(id);
        watcher?.add(snapshot.folder);
        watcher?.add(attemptFolder(snapshot.folder, snapshot.attempt.number));
      } else {
        live.delete(id);
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
  return {
    nudge() {
      // A job that had ended may have been resumed.
      for (const [id, text] of known) if (text !== "") live.add(id);
      watcher?.found();
    },
    close() {
      closed = true;
      watcher?.close();
    },
  };
}
