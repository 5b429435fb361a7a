/** A text cut into the words that mattered and what is between them. */
import type { WordSpan } from "../../../schemas/tryIt.ts";

export interface Part {
  text: string;
  /** 0: did not matter; 1 to 3: how much it spoke for the label; below 0: against it. */
  strength: number;
}

/**
 * @param words of all inputs
 * @param input the one whose text it is
 */
export function partsOf(text: string, words: readonly WordSpan[], input: string): Part[] {
  const heaviest = Math.max(...words.map(({ weight }) => Math.abs(weight)), 0);
  const own = words.filter((word) => word.input === input).sort((a, b) => a.start - b.start);
  const parts: Part[] = [];
  let at = 0;
  for (const { start, end, weight } of own) {
    // Words of an answer to an earlier text are of no use.
    if (start < at || end > text.length) continue;
    if (start > at) parts.push({ text: text.slice(at, start), strength: 0 });
    const step = Math.ceil((3 * Math.abs(weight)) / heaviest);
    parts.push({ text: text.slice(start, end), strength: weight < 0 ? -step : step });
    at = end;
  }
  if (at < text.length) parts.push({ text: text.slice(at), strength: 0 });
  return parts;
}

/** "+7.08" */
export const weightWords = (weight: number): string => `${weight < 0 ? "−" : "+"}${Math.abs(weight).toFixed(2)}`;

/** Whether there is anything to predict. */
export const isEmpty = (inputs: Readonly<Record<string, string>>): boolean =>
  Object.values(inputs).every((text) => text.trim() === "");
