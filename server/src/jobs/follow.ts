/** A job as it goes on: its events and states, in order, until its end. */
import { join } from "node:path";
import type { JobEvent } from "../../../schemas/events.ts";
import type { JobState } from "../../../schemas/job.ts";
import { attemptFolder, parseEvent } from "./attempt.ts";
import { changes } from "./changes.ts";
import { wholeLines } from "./lines.ts";
import { isTerminal } from "./states.ts";
import type { JobSnapshot, JobStore } from "./store.ts";

export type JobUpdate =
  | { type: "state"; attempt: number; state: JobState; snapshot: JobSnapshot }
  /** `end`: byte offset after the event's line, to go on from. */
  | { type: "event"; attempt: number; event: JobEvent; end: number };

export interface FollowOptions {
  signal?: AbortSignal;
  /** Where to begin; by default at the beginning of the last attempt. */
  from?: { attempt: number; offset: number };
}

/** Follows a job to the end of its last attempt. Reads only: whoever follows does no harm. */
export async function* followJob(store: JobStore, id: string, options: FollowOptions = {}): AsyncGenerator<JobUpdate> {
  const { signal } = options;
  const folder = store.folder(id);
  const watcher = changes([folder, join(folder, "attempts")]);
  const stop = () => watcher.close();
  signal?.addEventListener("abort", stop);
  let attempt = options.from?.attempt;
  let offset = options.from?.offset ?? 0;
  let state: JobState | undefined;
  try {
    while (!signal?.aborted) {
      // The snapshot first: events that its state rests on are then there to be read.
      const snapshot = await store.read(id);
      const last = snapshot.attempt.number;
      attempt ??= last;
      watcher.add(attemptFolder(folder, last));
      let found = false;
      for (; attempt <= last; attempt++) {
        for await (const line of wholeLines(join(attemptFolder(folder, attempt), "events.jsonl"), offset)) {
          offset = line.end;
          found = true;
          const event = parseEvent(line.text);
          if (event) yield { type: "event", attempt, event, end: line.end };
          if (signal?.aborted) return;
        }
        if (attempt === last) break;
        offset = 0;
        state = undefined;
      }
      if (snapshot.state !== state) {
        state = snapshot.state;
        found = true;
        yield { type: "state", attempt: last, state, snapshot };
        if (isTerminal(state)) return;
      }
      if (found) watcher.found();
      await watcher.next();
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    watcher.close();
  }
}
