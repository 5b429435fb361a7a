/** Waiting for something to happen in folders: told by the system where it can, looked up ever less often where it cannot. */
import { type FSWatcher, watch } from "node:fs";

/** Milliseconds: soon after something happened, and at most, with and without a working watcher. */
const SOON = 60;
/** Milliseconds in which several changes count as one: whoever looks is not kept busy by a file that grows fast. */
const TOGETHER = 25;
const SELDOM_WATCHED = 3000;
const SELDOM = 1000;

export interface Changes {
  /**
   * Resolves when a folder seems to have changed, when it is time to look anyway, or when closed; after `within` milliseconds
   * at the latest. One caller at a time.
   */
  next(within?: number): Promise<void>;
  /** Watches another folder as well. One that does not exist is left to looking. */
  add(folder: string): void;
  /** Says that looking found something, so that the next look comes soon. */
  found(): void;
  /** Something happened that no folder shows: ends the wait. */
  wake(): void;
  close(): void;
}

/** @param only the name that counts, of all that changes in the folders */
export function changes(folders: readonly string[], only?: string): Changes {
  const watchers = new Map<string, FSWatcher>();
  let delay = SOON;
  let changed = false;
  let closed = false;
  let wake: (() => void) | undefined;

  function notify(_kind: string, name: string | null): void {
    // Not every system names what has changed.
    if (only !== undefined && name !== null && name !== only) return;
    changed = true;
    wake?.();
  }

  const result: Changes = {
    async next(within = Number.POSITIVE_INFINITY) {
      if (!changed && !closed) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(delay, within));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      if (changed && !closed) await new Promise((resolve) => setTimeout(resolve, TOGETHER));
      if (changed) delay = SOON;
      else delay = Math.min(delay * 2, watchers.size > 0 ? SELDOM_WATCHED : SELDOM);
      changed = false;
    },
    add(folder) {
      if (closed || watchers.has(folder)) return;
      try {
        const watcher = watch(folder, { persistent: false }, notify);
        watcher.on("error", () => {
          watcher.close();
          watchers.delete(folder);
        });
        watchers.set(folder, watcher);
      } catch {
        // No folder yet, or no watches left: looking will do.
      }
    },
    found() {
      delay = SOON;
    },
    wake() {
      changed = true;
      wake?.();
    },
    close() {
      closed = true;
      for (const watcher of watchers.values()) watcher.close();
      wake?.();
    },
  };
  for (const folder of folders) result.add(folder);
  return result;
}
