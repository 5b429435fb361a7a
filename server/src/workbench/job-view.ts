/** Jobs as the editor shows them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JobView } from "../../../schemas/protocol.ts";
import { isTerminal } from "../jobs/states.ts";
import { type JobSnapshot, summarize } from "../jobs/store.ts";

/** The figure worth a place in one line: the newest accuracy, else the newest loss. */
function metricOf({ attempt }: JobSnapshot): JobView["metric"] {
  const { metric } = attempt.events;
  return metric ? { name: metric.name, value: metric.value } : null;
}

/** Dollars so far, where the host has a price. */
function costOf({ job }: JobSnapshot, started: string | null, ended: string | null): number | null {
  if (job.host.price_per_hour === undefined || started === null) return null;
  const hours = (Date.parse(ended ?? new Date().toISOString()) - Date.parse(started)) / 3_600_000;
  return Math.max(0, hours) * job.host.price_per_hour;
}

/** @param file the project file as it lies now: a project that was moved keeps its jobs */
export function jobView(snapshot: JobSnapshot, file: string): JobView {
  const { job, state } = snapshot;
  const summary = summarize(snapshot);
  const started = summary.started ?? null;
  const ended = summary.ended ?? null;
  const over = isTerminal(state);
  const message = [summary.message, summary.remedy].filter(Boolean).join(" ");
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
    bytes: null,
    can: {
      cancel: !over,
      resume: over && state !== "succeeded",
      delete: over,
      report: state === "succeeded" && existsSync(join(snapshot.folder, "report.json")),
    },
  };
}
