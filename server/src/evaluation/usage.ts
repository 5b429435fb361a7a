/** What asking an endpoint took: tokens, dollars, time, and answers without a label. */
import type { JobModel } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { ModelReport } from "../../../schemas/report.ts";

export type Usage = Pick<ModelReport, "tokens" | "cost" | "calls" | "stages">;

type Predictions = ReadonlyMap<string, ReadonlyMap<string, Prediction>>;

/**
 * Of all predictions of a model. What a row took stands on one of its predictions. Dollars are those of the answers that are used,
 * whenever they were paid.
 */
export function usageOf(model: JobModel, predictions: Predictions, outOfFold: Predictions): Usage {
  let prompt = 0;
  let completion = 0;
  let dollars = 0;
  let priced = 0;
  const seconds: number[] = [];
  const rows = new Set<string>();
  const asked = new Set<string>();
  const problems: Record<string, number> = {};
  const decided = new Map<string, Set<string>>();
  const paid = new Map<string, { dollars: number; rows: number }>();
  for (const part of [predictions, outOfFold]) {
    for (const of of part.values()) {
      for (const { row, tokens, seconds: took, dollars: cost, problem, stage } of of.values()) {
        rows.add(row);
        if (problem) problems[problem] = (problems[problem] ?? 0) + 1;
        if (stage !== undefined) {
          const own = decided.get(stage) ?? new Set<string>();
          decided.set(stage, own.add(row));
        }
        if (tokens) {
          asked.add(row);
          prompt += tokens.prompt;
          completion += tokens.completion;
        }
        if (took !== undefined && took > 0) seconds.push(took);
        if (cost !== undefined) {
          dollars += cost;
          priced++;
          if (stage !== undefined) {
            const before = paid.get(stage) ?? { dollars: 0, rows: 0 };
            paid.set(stage, { dollars: before.dollars + cost, rows: before.rows + 1 });
          }
        }
      }
    }
  }
  const remote = asked.size > 0 || seconds.length > 0;
  const from =
    model.endpoint?.price_from ??
    model.stages?.find(({ endpoint }) => endpoint?.price_from)?.endpoint?.price_from ??
    (model.spec.engine === "qlora" ? "the host's price_per_hour" : undefined);
  return {
    tokens: asked.size > 0 ? { prompt, completion } : null,
    cost: priced > 0 ? dollars : null,
    ...(remote
      ? {
          calls: {
            rows: Math.max(asked.size, seconds.length),
            latency: latencyOf(seconds),
            cost_per_row: priced > 0 ? dollars / priced : null,
            price_from: priced > 0 ? (from ?? null) : null,
            problems,
          },
        }
      : {}),
    ...(model.stages && decided.size > 0 ? { stages: stagesOf(model.stages, rows.size, decided, paid) } : {}),
  };
}

function latencyOf(seconds: number[]): { median: number; p95: number } | null {
  if (seconds.length === 0) return null;
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), p95: at(0.95) };
}

/** A stage sees what those before it did not decide. */
function stagesOf(
  stages: NonNullable<JobModel["stages"]>,
  rows: number,
  decided: ReadonlyMap<string, ReadonlySet<string>>,
  paid: ReadonlyMap<string, { dollars: number; rows: number }>,
): NonNullable<ModelReport["stages"]> {
  let left = rows;
  return stages.map(({ name }) => {
    const own = decided.get(name)?.size ?? 0;
    const cost = paid.get(name);
    const stage = {
      name,
      seen: left,
      decided: own,
      cost: cost?.dollars ?? null,
      cost_alone: cost ? (cost.dollars / cost.rows) * rows : null,
    };
    left -= own;
    return stage;
  });
}
