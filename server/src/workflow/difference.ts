/** What differs between a job and the one of the same kind and models before it: what they were made from, and what they reported. */
import { join } from "node:path";
import type { JobDifference, JobResult } from "../../../schemas/jobPanel.ts";
import { attemptFolder, parseEvent } from "../jobs/attempt.ts";
import { jobChanges } from "../jobs/difference.ts";
import { wholeLines } from "../jobs/lines.ts";
import type { JobSnapshot } from "../jobs/store.ts";
import { previousJob } from "./artifacts.ts";
import type { Session } from "./session.ts";

/** Null: there is no earlier job of the same kind and models. */
export async function differenceFromBefore(session: Session, after: JobSnapshot): Promise<JobDifference | null> {
  const before = await previousJob(session, after.job);
  return before && differenceOf(before, after);
}

async function differenceOf(before: JobSnapshot, after: JobSnapshot): Promise<JobDifference> {
  const [then, now] = await Promise.all([lastFigures(before), lastFigures(after)]);
  const results: JobResult[] = [...new Set([...now.keys(), ...then.keys()])].map((name) => ({
    name,
    before: then.get(name) ?? null,
    after: now.get(name) ?? null,
  }));
  return {
    job: before.id,
    created: before.job.created,
    state: before.state,
    same_data: before.job.data.fingerprint === after.job.data.fingerprint,
    changes: jobChanges(before.job, after.job),
    results,
  };
}

/** The last value of each figure that a job has reported, by its name with model, target and split. */
async function lastFigures(snapshot: JobSnapshot): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  for await (const { text } of wholeLines(
    join(attemptFolder(snapshot.folder, snapshot.attempt.number), "events.jsonl"),
  )) {
    if (!text.includes('"metric"')) continue;
    const event = parseEvent(text);
    if (event?.type !== "metric") continue;
    const { name, model, target, split, value } = event;
    last.set([name, model, target, split].filter((part) => part !== undefined).join(" · "), value);
  }
  return last;
}
