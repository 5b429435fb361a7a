/** What the figures of a model cannot say of themselves. */
import type { Job, JobModel } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { Drift } from "../../../schemas/report.ts";
import { driftNote } from "./drift.ts";

/** Sentences for the report: of another system's predictions, and of a pool whose texts have changed. */
export function notesOf(
  job: Job,
  model: JobModel,
  predictions: ReadonlyMap<string, ReadonlyMap<string, Prediction>>,
  drift: Drift | null,
): { notes?: string[] } {
  const moved = driftNote(drift);
  const notes = [
    ...(model.spec.engine === "predictions" ? predictionNotes(job, model, predictions) : []),
    ...(moved ? [moved] : []),
  ];
  return notes.length > 0 ? { notes } : {};
}

function predictionNotes(
  job: Job,
  model: JobModel,
  predictions: ReadonlyMap<string, ReadonlyMap<string, Prediction>>,
): string[] {
  const notes = [
    `Nothing is known of what "${model.name}" was trained on. If validation or test rows were among it, its figures and its certificate are better than it is.`,
  ];
  for (const { name, labels } of job.task.targets) {
    let answered = 0;
    let alone = 0;
    let certain = 0;
    for (const { label, top, rest } of predictions.get(name)?.values() ?? []) {
      if (label === null) continue;
      answered++;
      if (top.length > 1 || labels.length < 2) continue;
      if (rest > 0) alone++;
      else certain++;
    }
    const many = answered.toLocaleString("en-US");
    if (answered > 0 && certain === answered) {
      notes.push(
        `${name}: no probability is known of any of the ${many} predictions, so all have the same confidence.`,
      );
    } else if (alone > 0 && labels.length > 2) {
      const which = alone + certain === answered ? `the ${many}` : `${alone.toLocaleString("en-US")} of the ${many}`;
      notes.push(
        `${name}: of ${which} predictions only the predicted label's probability is known. Log loss and Brier score take the rest as spread evenly over the other labels; do not compare them with those of a model that gives a probability a label.`,
      );
    }
  }
  return notes;
}
