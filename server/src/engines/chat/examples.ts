/** The examples that a row's prompt shows: those of the job, then those of the row. */
import type { Job, JobShot } from "../../../../schemas/job.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { EngineError } from "../engine.ts";
import { nearestRows } from "./nearest.ts";
import type { Example, PromptSpec } from "./prompt.ts";

/**
 * @param shots the examples of the job, chosen when it was made
 * @throws EngineError when one of them is no train row of the job
 */
export function examplesOf(
  task: Job["task"],
  prompt: PromptSpec,
  rows: readonly JobRow[],
  shots: readonly Pick<JobShot, "row">[] = [],
): (row: JobRow) => Example[] {
  const shared = sharedExamples(rows, shots);
  const similar = similarExamples(task, prompt, rows);
  return (row) => [...shared.filter((shot) => shot.row !== row.row), ...similar(row)];
}

function sharedExamples(rows: readonly JobRow[], shots: readonly Pick<JobShot, "row">[]): JobRow[] {
  if (shots.length === 0) return [];
  const byId = new Map(rows.map((row) => [row.row, row]));
  return shots.map(({ row }) => {
    const found = byId.get(row);
    if (found?.split === "train") return found;
    throw new EngineError(`Row ${row}, an example of the prompt, is no train row of this job.`);
  });
}

/** Strategy `similar`: the nearest train rows, the likest last, next to the row itself. */
function similarExamples(
  { inputs, targets }: Job["task"],
  { shots, style }: PromptSpec,
  rows: readonly JobRow[],
): (row: JobRow) => JobRow[] {
  if (shots?.strategy !== "similar" || style === "zero-shot") return () => [];
  const train = rows.filter((row) => row.split === "train" && targets.some(({ name }) => row.labels[name] != null));
  const count = shots.count ?? Math.min(8, shots.per_label * Math.max(...targets.map(({ labels }) => labels.length)));
  const nearest = nearestRows(
    train,
    inputs.map(({ name }) => name),
  );
  return (row) =>
    nearest(row, count)
      .reverse()
      .map((i) => train[i]!);
}
