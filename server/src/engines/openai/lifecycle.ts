/** What is known of the closing of OpenAI's fine-tuning, and what to say of it before money is spent. Dated: November 2026. */
import * as z from "zod";

/** No new job of anybody from this day on. */
const NO_NEW_JOBS = "2027-01-06";
/** These models, and every fine-tune built on them, stop on this day. */
const SHUTDOWN = "2027-01-14";
const STOPPING = /^(ft:)?gpt-(4o|4o-mini|4\.1|4\.1-mini)(-\d{4}-\d{2}-\d{2})?(:|$)/;

const Listed = z.looseObject({ shutdown_date: z.union([z.number(), z.string()]) });

/** Of a model as the endpoint lists it: the day on which it stops, where `shutdown_date` (seconds, or a date) tells one. */
export function shutdownNote(model: string, listed: unknown, now = new Date()): string | null {
  const parsed = Listed.safeParse(listed);
  if (!parsed.success) return null;
  const { shutdown_date } = parsed.data;
  const time = typeof shutdown_date === "number" ? shutdown_date * 1000 : Date.parse(shutdown_date);
  if (!Number.isFinite(time)) return null;
  const day = new Date(time).toISOString().slice(0, 10);
  return now.getTime() >= time
    ? `The endpoint says that ${model} stopped on ${day}.`
    : `The endpoint says that ${model} stops on ${day}.`;
}

/** Sentences; none for other addresses than OpenAI's own. */
export function closingNotes(
  endpoint: { base_url: string },
  model: string,
  training: boolean,
  now = new Date(),
): string[] {
  if (!/(^|\.)openai\.com$/.test(new URL(endpoint.base_url).hostname)) return [];
  const notes: string[] = [];
  const over = (day: string) => now.getTime() >= Date.parse(day);
  if (training) {
    notes.push(
      over(NO_NEW_JOBS)
        ? `OpenAI has taken no new fine-tuning jobs since ${NO_NEW_JOBS}.`
        : `OpenAI takes no new fine-tuning jobs from ${NO_NEW_JOBS} on.`,
    );
  }
  if (STOPPING.test(model)) {
    notes.push(
      over(SHUTDOWN)
        ? `${model} stopped on ${SHUTDOWN}, and with it every fine-tune built on it.`
        : `${model} stops on ${SHUTDOWN}, and with it every fine-tune built on it.`,
    );
  }
  if (notes.length > 0 && training) {
    notes.push(
      "An open model fine-tuned on a host of your own (engine qlora) does not go away, and other services offer the same API (endpoints: base_url).",
    );
  }
  return notes;
}
