/** Chat JSONL for fine-tuning: one conversation a line, whose last message is the answer to be learnt. */
import * as z from "zod";
import type { JobRow } from "../../../../schemas/rows.ts";
import { answerText, type PromptPlan } from "../chat/prompt.ts";
import { EngineError } from "../engine.ts";

/** What the endpoint asks of a line; https://platform.openai.com/docs/guides/supervised-fine-tuning */
const Line = z.strictObject({
  messages: z
    .array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string().min(1) }))
    .min(2)
    .refine((messages) => messages.at(-1)!.role === "assistant", "the last message is not the assistant's"),
});

export interface TrainingFile {
  text: string;
  rows: number;
}

/** Fewer are refused by the endpoint. */
const FEWEST = 10;

/**
 * A line, without its end, for each row that has a label of every target (in the answer each field is learnt; a gap would be learnt too).
 * @throws EngineError when a line is not what the endpoint takes
 */
export function* trainingLines(rows: readonly JobRow[], plan: PromptPlan): Generator<string> {
  for (const row of rows) {
    if (plan.targets.some(({ target, labels }) => !labels.some(({ name }) => name === row.labels[target]))) continue;
    const messages = [
      ...plan.messages(row.inputs, []),
      { role: "assistant", content: answerText(plan.targets, row.labels, plan.json) },
    ];
    const line = Line.safeParse({ messages });
    // An empty text teaches nothing.
    if (!line.success) {
      if (messages.some(({ content }) => content === "")) continue;
      throw new EngineError(`Row ${row.row} makes no training line: ${line.error.issues[0]!.message}.`);
    }
    yield JSON.stringify(line.data);
  }
}

/** All lines, to be uploaded. @throws EngineError as {@link trainingLines} */
export function trainingFile(rows: readonly JobRow[], plan: PromptPlan): TrainingFile {
  const lines = [...trainingLines(rows, plan)];
  return { text: lines.map((line) => `${line}\n`).join(""), rows: lines.length };
}

/** @throws EngineError when there are too few */
export function requireEnough({ rows }: TrainingFile): void {
  if (rows >= FEWEST) return;
  throw new EngineError(
    `There are ${rows} train rows with a text and a label of every target; the endpoint wants ${FEWEST} at least.`,
    "Label more rows.",
  );
}
