/** One attempt's folder, read: `attempts/<n>/`. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { JobEvent } from "../../../schemas/events.ts";
import { Exit, type JobState, Launch, type ManagerRecord, RunnerIdentity } from "../../../schemas/job.ts";
import { isMissing, wholeLines } from "./lines.ts";
import { type AttemptFacts, attemptState, NO_FACTS, withEvent } from "./states.ts";

/** What the events of an attempt amount to, so far. */
export interface EventsSummary {
  /** Byte offset after the last whole line. */
  end: number;
  facts: AttemptFacts;
  progress?: Extract<JobEvent, { type: "progress" }>;
  /** The newest that says how good the model is. */
  metric?: Extract<JobEvent, { type: "metric" }>;
  error?: Extract<JobEvent, { type: "error" }>;
  first?: string;
  last?: string;
  /** Lines that are no event known here. */
  unreadable: number;
}

export interface Attempt {
  number: number;
  state: JobState;
  facts: AttemptFacts;
  events: EventsSummary;
}

export const NO_EVENTS: EventsSummary = { end: 0, facts: NO_FACTS, unreadable: 0 };

export function attemptFolder(folder: string, attempt: number): string {
  return join(folder, "attempts", String(attempt));
}

/** Numbers of the attempts, ascending. */
export async function attemptNumbers(folder: string): Promise<number[]> {
  try {
    const names = await readdir(join(folder, "attempts"));
    return names
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A line of events.jsonl; null when it is no event known here (a newer worker's, say). */
export function parseEvent(text: string): JobEvent | null {
  try {
    return JobEvent.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Names of figures of a model; the others are of the run: its speed, memory, cost. */
const OF_QUALITY = /accuracy|loss/;

/** Reads on from an earlier summary of the same file. */
export async function readEvents(
  folder: string,
  attempt: number,
  since: EventsSummary = NO_EVENTS,
): Promise<EventsSummary> {
  const summary = { ...since };
  for await (const line of wholeLines(join(attemptFolder(folder, attempt), "events.jsonl"), since.end)) {
    const event = parseEvent(line.text);
    summary.end = line.end;
    summary.facts = withEvent(summary.facts, event);
    if (!event) {
      summary.unreadable++;
      continue;
    }
    summary.first ??= event.time;
    summary.last = event.time;
    if (event.type === "progress") summary.progress = event;
    if (event.type === "metric" && OF_QUALITY.test(event.name)) summary.metric = event;
    if (event.type === "error") summary.error = event;
  }
  return summary;
}

export async function readAttempt(
  folder: string,
  number: number,
  records: readonly ManagerRecord[],
  since?: EventsSummary,
): Promise<Attempt> {
  const at = attemptFolder(folder, number);
  const [launch, runner, exit] = await Promise.all([
    readShape(join(at, "launch.json"), Launch),
    readShape(join(at, "runner.json"), RunnerIdentity),
    readShape(join(at, "exit.json"), Exit),
  ]);
  const events = await readEvents(folder, number, since);
  const facts = {
    ...events.facts,
    launch,
    runner,
    exit,
    records: records.filter((record) => record.attempt === number),
  };
  return { number, state: attemptState(facts), facts, events };
}

/** The supervisor gives its files their names when they are complete: one that does not parse is treated as absent. */
async function readShape<T>(path: string, shape: { parse(value: unknown): T }): Promise<T | undefined> {
  try {
    return shape.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
