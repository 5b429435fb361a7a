/** Jobs as the editor shows them. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JobView } from "../../../schemas/protocol.ts";
import { attemptFolder } from "../jobs/attempt.ts";
import type { JobManager } from "../jobs/manager.ts";
import { isTerminal } from "../jobs/states.ts";
import { type JobSnapshot, summarize } from "../jobs/store.ts";

/** The figure worth a place in one line: the newest accuracy or loss. */
function metricOf({ attempt }: JobSnapshot): JobView["metric"] {
  const { metric } = attempt.events;
  return metric ? { name: metric.name, value: metric.value } : null;
}

/** Dollars so far, where the host has a price. */
function costOf(snapshot: JobSnapshot, started: string | null, ended: string | null): number | null {
  const price = snapshot.job.host.price_per_hour;
  if (price === undefined || started === null) return null;
  const hours = (ended === null ? soFar(snapshot, started) : Date.parse(ended) - Date.parse(started)) / 3_600_000;
  return Math.max(0, hours) * price;
}

/**
 * Milliseconds since the start. The host's clock may be another than ours: between its own times it is asked, since its last word came ours is.
 */
function soFar({ folder, attempt }: JobSnapshot, started: string): number {
  const last = attempt.events.last;
  if (last === undefined) return 0;
  const came = statSync(join(attemptFolder(folder, attempt.number), "events.jsonl"), { throwIfNoEntry: false });
  return Date.parse(last) - Date.parse(started) + (came ? Date.now() - came.mtimeMs : 0);
}

/** @param file the project file as it lies now: a project that was moved keeps its jobs */
export function jobView(snapshot: JobSnapshot, file: string, jobs: Pick<JobManager, "condition" | "place">): JobView {
  const { job, state } = snapshot;
  const summary = summarize(snapshot);
  const started = summary.started ?? null;
  const ended = summary.ended ?? null;
  const over = isTerminal(state);
  // Of a job that has ended: why its results have not come, or what is left of it on its host.
  const condition = jobs.condition(job.id);
  const message = [summary.message, summary.remedy, over ? condition : null].filter(Boolean).join(" ");
  return {
    project: pathToFileURL(file).href,
    job: job.id,
    kind: job.kind,
    models: job.models.map(({ name }) => name),
    host: job.host.name,
    state,
    attempt: snapshot.attempt.number,
    created: job.created,
    started,
    ended,
    progress: over || !summary.progress ? null : { ...summary.progress, total: summary.progress.total ?? null },
    metric: metricOf(snapshot),
    message: message === "" ? null : message,
    cost: costOf(snapshot, started, ended),
    connection: over ? null : condition,
    place: state === "queued" ? jobs.place(job.id) : null,
    bytes: null,
    can: {
      cancel: !over,
      resume: over && state !== "succeeded",
      delete: over,
      report: state === "succeeded" && existsSync(join(snapshot.folder, "report.json")),
    },
  };
}
