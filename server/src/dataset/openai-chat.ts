/**
 * Chat JSONL as OpenAI's fine-tuning takes it: a conversation a line, whose last message is the answer. As data: the last text of the
 * user, and the answer's label, or a column for each field of an answer in JSON.
 */
import * as z from "zod";

/** A line cannot be read as a row; the message says what is wrong, without the place. */
export class ChatLineError extends Error {
  override name = "ChatLineError";
}

const Content = z.union([
  z.string(),
  z
    .array(z.looseObject({ type: z.literal("text"), text: z.string() }))
    .transform((parts) => parts.map(({ text }) => text).join("")),
]);
const Line = z.looseObject({
  messages: z.array(z.looseObject({ role: z.string(), content: Content.nullish() })).min(2),
});
/** Fields of an answer in JSON: a label each. */
const Fields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

export interface ChatRow {
  text: string;
  /** Under "" where the answer is the label itself. */
  labels: Record<string, string>;
  /** What the system says; the same for all rows as a rule. */
  system: string | null;
}

/** @throws ChatLineError */
export function readChatLine(line: string): ChatRow {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new ChatLineError("this line is not JSON.");
  }
  const parsed = Line.safeParse(json);
  if (!parsed.success) {
    throw new ChatLineError(
      'this line is no conversation: it wants "messages", each with a role and a text as content.',
    );
  }
  const { messages } = parsed.data;
  const answer = messages.at(-1)!;
  if (answer.role !== "assistant" || typeof answer.content !== "string") {
    throw new ChatLineError("the last message is not an answer of the assistant.");
  }
  const asked = messages.findLast(({ role }) => role === "user");
  if (typeof asked?.content !== "string") throw new ChatLineError("no message of the user comes before the answer.");
  const system = messages.find(({ role }) => role === "system" || role === "developer")?.content;
  return { text: asked.content, labels: labelsOf(answer.content), system: typeof system === "string" ? system : null };
}

function labelsOf(answer: string): Record<string, string> {
  const text = answer.trim();
  if (text.startsWith("{")) {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new ChatLineError("the answer begins like JSON and is not.");
    }
    const fields = Fields.safeParse(json);
    if (!fields.success) throw new ChatLineError("the answer's JSON is not an object of labels.");
    return Object.fromEntries(
      Object.entries(fields.data).map(([name, value]) => [name, value === null ? "" : String(value)]),
    );
  }
  return { "": text };
}
