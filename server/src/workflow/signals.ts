/** The bake-off of confidence signals: which of them ranks right answers before wrong ones best, on the user's own tune rows. */
import type * as z from "zod";
import type { SignalsDocument } from "../../../schemas/prompt.ts";
import { aurc, auroc, rankIntervals, rankRows } from "../evaluation/ranking.ts";
import { readJobRows, readPredictions } from "./predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

type Found = z.output<typeof SignalsDocument>["targets"][string];

/**
 * By target, the signals of a job's tune predictions, lowest area under the risk-coverage curve first.
 * @throws WorkflowError when the job has none
 */
export async function signalsOf(session: Session, job: string, model: string): Promise<Record<string, Found>> {
  const labels = new Map<string, Record<string, string | null>>();
  for await (const row of readJobRows(session, job)) if (row.split === "tune") labels.set(row.row, row.labels);
  const gathered = new Map<string, Map<string, { score: number[]; right: number[] }>>();
  for await (const { row, target, signals } of readPredictions(session, job, { model, splits: ["tune"] })) {
    const truth = labels.get(row)?.[target];
    if (truth == null) continue;
    const bySignal = gathered.get(target) ?? new Map<string, { score: number[]; right: number[] }>();
    gathered.set(target, bySignal);
    for (const [name, [label, score]] of Object.entries(signals ?? {})) {
      const rows = bySignal.get(name) ?? { score: [], right: [] };
      bySignal.set(name, rows);
      rows.score.push(label === null ? -1 : score);
      rows.right.push(label === truth ? 1 : 0);
    }
  }
  if ([...gathered.values()].every((of) => of.size === 0)) {
    throw new WorkflowError(`No tune row with a label was answered in job ${job}, so nothing can be compared.`);
  }
  return Object.fromEntries(
    [...gathered].map(([target, of]): [string, Found] => {
      const rows = Math.max(0, ...[...of.values()].map(({ right }) => right.length));
      const signals = [...of]
        // A signal that is missing on some rows speaks of other rows.
        .filter(([, { right }]) => right.length === rows)
        .map(([name, { score, right }]) => {
          const ranked = rankRows(Float64Array.from(score), Uint8Array.from(right));
          const { low, high } = rankIntervals(ranked, [], session.project.spec.dataset.split.seed).aurc;
          const accuracy = right.reduce((sum, one) => sum + one, 0) / right.length;
          return { name, accuracy, aurc: { value: aurc(ranked), low, high }, auroc: auroc(ranked)?.value ?? null };
        })
        .sort((a, b) => a.aurc.value - b.aurc.value);
      return [target, { rows, signals }];
    }),
  );
}
