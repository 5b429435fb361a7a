/** What Clf's engine makes of a model's answers, beside what the model says of each label when it is asked directly. */
import type { z } from "zod";
import { Prompt } from "../../../schemas/project.ts";
import { chatEngine } from "../../../server/src/engines/chat/engine.ts";
import { labelCode } from "../../../server/src/engines/chat/labels.ts";
import { planPrompt, responseFormat } from "../../../server/src/engines/chat/prompt.ts";
import { jobOf, ran, remove, rowsOf, temporary } from "../../unit/engines/chat/run.ts";
import { type DirectScorer, directScorer } from "./direct.ts";
import type { ModelServer } from "./server.ts";

/** One label of one row. */
export interface Scored {
  row: number;
  label: string;
  /** Clf's probability, and what it says is uncovered in that row. */
  clf: number;
  uncovered: number;
  /** The model's own probability among the labels: of the tokens that decide for the label. */
  decided: number;
  /** The same of the whole label with its end. */
  whole: number;
}

/** @param codes labels are asked for as A, B, … */
export async function scoredBoth(
  server: ModelServer,
  { labels, texts, codes }: { labels: readonly string[]; texts: readonly string[]; codes: boolean },
): Promise<Scored[]> {
  const prompt: z.output<typeof Prompt> = Prompt.parse({ answer: "json", codes });
  const given = {
    labels: { label: [...labels] },
    rows: rowsOf(texts),
    endpoint: { base_url: server.url, logprobs: 20, structured: true, concurrency: 2 },
    spec: { model: "smollm2", prompt, timeout: 300 },
  };
  const folder = temporary();
  try {
    const { predictions, error } = await ran(chatEngine, given, folder);
    if (error) throw error;
    const direct = directScorer(server.origin);
    const plan = planPrompt(jobOf(given).task, prompt, true);
    const scored: Scored[] = [];
    for (const [row, { row: id, inputs }] of given.rows.entries()) {
      const prediction = predictions.find((one) => one.row === id)!;
      if (prediction.label === null) continue;
      const before = await direct.beforeLabel(plan.messages(inputs, []), responseFormat(plan));
      const { decided, whole } = codes
        ? await codeMasses(direct, before, labels.length)
        : await direct.labels(before, labels);
      const shares = [decided, whole].map((masses) => {
        const total = masses.reduce((sum, p) => sum + p, 0);
        return masses.map((p) => p / total);
      });
      for (const [l, label] of labels.entries()) {
        scored.push({
          row,
          label,
          clf: prediction.top.find(([name]) => name === label)?.[1] ?? 0,
          uncovered: prediction.uncovered ?? 0,
          decided: shares[0]![l]!,
          whole: shares[1]![l]!,
        });
      }
    }
    return scored;
  } finally {
    remove(folder);
  }
}

/** Codes are one token, with or without a mark after it. */
async function codeMasses(direct: DirectScorer, before: readonly number[], count: number) {
  const list = await direct.next(before);
  const masses = Array.from({ length: count }, (_, i) => {
    const spelt = new RegExp(`^${labelCode(i, count)}(?![\\p{L}\\p{N}])`, "u");
    return list.reduce((sum, { text, p }) => (spelt.test(text) ? sum + p : sum), 0);
  });
  return { decided: masses, whole: masses };
}
