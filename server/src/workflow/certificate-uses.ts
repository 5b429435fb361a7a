/**
 * How often the project's validation rows have been used to certify (DESIGN §5.3): the certainty of a promise is shared by all
 * models and rounds that were certified on them.
 *
 * `.clf/uses.jsonl` is the record, one line a use, written before a job starts: deleting jobs gives nothing back. A line that
 * cannot be read counts as a use of its own.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import * as z from "zod";
import type { JobModel } from "../../../schemas/job.ts";
import { wholeLines } from "../jobs/lines.ts";
import { isJobOf, type Session } from "./session.ts";

const Line = z.object({
  /** Name of the project file: the projects of a folder share `.clf`. */
  project: z.string(),
  use: z.string(),
});

/** What was certified of a model, and so one use: its artifact, its file of predictions, or its prompt. */
export const useOf = ({ name, artifact, source, identity }: JobModel): string =>
  [name, artifact?.job ?? source?.sha256 ?? "", ...(identity === undefined ? [] : [identity])].join("\n");

/**
 * By model: how many models and rounds share the certainty, those of the job included. They are recorded.
 * An artifact, or a file of predictions, that is evaluated again is the same use.
 */
export async function spendCertificateUses(
  session: Session,
  models: readonly JobModel[],
): Promise<Record<string, number>> {
  const { project, jobs } = session;
  const file = join(project.stateFolder, "uses.jsonl");
  const name = basename(project.file);
  const recorded = new Set<string>();
  for await (const { text } of wholeLines(file)) {
    const line = readLine(text);
    if (line === null) recorded.add(text);
    else if (line.project === name) recorded.add(line.use);
  }
  const spent = models.map(useOf);
  // Evaluations from before there was a record.
  for (const id of await jobs.store.ids()) {
    const snapshot = await jobs.store.read(id).catch(() => null);
    if (snapshot?.state !== "succeeded" || !isJobOf(project, snapshot.job)) continue;
    if (snapshot.job.kind !== "evaluate" && snapshot.job.kind !== "compare") continue;
    spent.push(...snapshot.job.models.map(useOf));
  }
  const unrecorded = new Set(spent.filter((use) => !recorded.has(use)));
  if (unrecorded.size > 0) {
    await mkdir(project.stateFolder, { recursive: true });
    // One write that appends: lines of two windows never mix.
    await appendFile(file, [...unrecorded].map((use) => `${JSON.stringify({ project: name, use })}\n`).join(""));
  }
  const uses = recorded.size + unrecorded.size;
  return Object.fromEntries(models.map((model) => [model.name, uses]));
}

function readLine(text: string): z.output<typeof Line> | null {
  try {
    return Line.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
