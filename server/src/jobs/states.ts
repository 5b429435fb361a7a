/** The states of an attempt: one transition table, and the state as a pure function of the attempt's files. */
import type { JobEvent } from "../../../schemas/events.ts";
import type { Exit, JobState, Launch, ManagerRecord, RunnerIdentity } from "../../../schemas/job.ts";

/** What may come right after each state. A terminal state has nothing after it. */
export const TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  // The files are on their way to the host, or the supervisor has not started.
  preparing: ["queued", "running", "failed", "cancelled", "lost"],
  // Waiting for the GPU, after the files are there.
  queued: ["running", "failed", "cancelled", "lost"],
  running: ["succeeded", "failed", "cancelled", "lost"],
  succeeded: [],
  failed: [],
  cancelled: [],
  // The end cannot be known. Never taken for a success.
  lost: [],
};

export function isTerminal(state: JobState): boolean {
  return TRANSITIONS[state].length === 0;
}

/** Whether `to` can be seen after `from`: whoever looks seldom misses states in between. */
export function canBecome(from: JobState, to: JobState): boolean {
  return from === to || TRANSITIONS[from].some((next) => canBecome(next, to));
}

/** What the files of one attempt say. */
export interface AttemptFacts {
  launch?: Launch | undefined;
  runner?: RunnerIdentity | undefined;
  exit?: Exit | undefined;
  /** Whole lines in events.jsonl. */
  events: number;
  /** A `running` state event is among them. */
  ran: boolean;
  /** The first terminal state event, with its line number from 1. */
  final?: { state: JobState; line: number; message?: string | undefined } | undefined;
  /** Records of manager.jsonl that are about this attempt, in their order. */
  records: readonly ManagerRecord[];
}

export const NO_FACTS: AttemptFacts = { events: 0, ran: false, records: [] };

/** Adds an event to the facts. Events must come in the order of their lines. */
export function withEvent(facts: AttemptFacts, event: JobEvent | null): AttemptFacts {
  const line = facts.events + 1;
  if (event?.type !== "state") return { ...facts, events: line };
  if (event.state === "running") return { ...facts, events: line, ran: true };
  return { ...facts, events: line, final: facts.final ?? { state: event.state, line, message: event.message } };
}

/**
 * The state of an attempt. Facts only ever get added (files are written once, or appended to), in whatever order a reader
 * comes across them; a terminal state stays what it is whatever is added later:
 *
 * 1. What was counted when the end was recorded stands: lines of events.jsonl beyond the number in a `lost` record, or in
 *    exit.json, come too late and mean nothing.
 * 2. The runner's own first final state event is the best evidence.
 * 3. A `lost` record: supervisor and runner were both gone. After a cancel that is what was asked for.
 * 4. exit.json without a final event: the runner died, or never began. It counts once all events it speaks of are there.
 */
export function attemptState(facts: AttemptFacts): JobState {
  const lost = facts.records.find((record) => record.type === "lost");
  const counted = Math.min(lost?.events ?? Number.POSITIVE_INFINITY, facts.exit?.events ?? Number.POSITIVE_INFINITY);
  if (facts.final && facts.final.line <= counted) return facts.final.state;
  if (lost) return cancelAsked(facts, lost) ? "cancelled" : "lost";
  if (facts.exit && facts.events >= facts.exit.events) return facts.exit.cancelled ? "cancelled" : "failed";
  if (facts.runner || facts.ran) return "running";
  if (facts.launch?.lock) return "queued";
  return "preparing";
}

/** Whether the attempt was asked to stop (before a given record, if one is given). */
export function cancelAsked(facts: AttemptFacts, before?: ManagerRecord): ManagerRecord | undefined {
  return facts.records.find((r) => r.type === "cancel-asked" && (before === undefined || r.seq < before.seq));
}

/** Why the attempt ended as it did, in a sentence for people; undefined while it goes on or when nothing is to be said. */
export function endMessage(facts: AttemptFacts): string | undefined {
  const state = attemptState(facts);
  if (!isTerminal(state)) return undefined;
  if (facts.final?.state === state) return facts.final.message;
  if (state === "lost") {
    return (
      facts.records.find((r) => r.type === "lost")?.message ??
      "Its processes are gone and left no word of how they ended."
    );
  }
  if (state === "cancelled") return undefined;
  const exit = facts.exit;
  if (!exit) return undefined;
  if (exit.message) return exit.message;
  if (exit.signal === "KILL") return "The runner was killed (SIGKILL). Often that is the system being out of memory.";
  if (exit.signal) return `The runner was ended by a signal (SIG${exit.signal}).`;
  if (exit.code === 0) return "The runner ended without saying that its work is done.";
  if (exit.code === 126 || exit.code === 127) return `The runner could not be started (code ${exit.code}).`;
  return `The runner ended with code ${exit.code} without saying why.`;
}
