/**
 * Label probabilities from the log-probabilities of an answer's tokens.
 *
 * Along the answer, at each token, the endpoint tells the likeliest alternatives. An alternative that leaves one label alone
 * (its spelling so far begins no other label) gives that label the probability of writing so far times its own: all labels are
 * taken at the token that decides for them, so that long labels are not at a disadvantage. Where several labels are left, the path that
 * was written is followed; other such paths are not known any further. What no alternative tells, and what several labels
 * share, is uncovered mass: it is given to no label (DESIGN §5.1). The end of the label counts as a token, so that a label that begins
 * another is told from it.
 *
 * An answer that is held to a schema can only be a label, whatever the model would rather say (most endpoints tell log-probabilities from
 * before the mask). Then what is not told is at most as likely as the least alternative that is, once for each label that none leads to.
 */
import type { ChatCompletionTokenLogprob } from "openai/resources";
import { foldInside, type KnownLabels } from "./labels.ts";

/** One token of an answer: its text, and the likeliest tokens in its place with their log-probabilities, itself included. */
export interface AnswerToken {
  text: string;
  logprob: number;
  top: readonly (readonly [text: string, logprob: number])[];
}

export interface LabelMasses {
  /** By label: probability that the answer is it, as far as it can be seen; not normalised. */
  mass: Float64Array;
  /** Probability of what cannot be told from here: below the top alternatives, or shared by several labels. */
  unseen: number;
  /** Probability of what is seen and is no label. */
  other: number;
  /** The written label, token by token to its end: product of the tokens' probabilities, and their number. */
  sequence: { probability: number; tokens: number };
  /** Probability of the label's first token alone, as others compute it. */
  first: number;
}

/** A spelling and its label, folded like what is compared with it. */
interface Spelling {
  text: string;
  label: number;
}

const ENDS = /^[^\p{L}\p{N}]/u;

/** Codes and names apart: an answer is written in the one or the other. */
interface Comparable {
  exact: boolean;
  /** The answer is held to a schema of the labels. */
  held: boolean;
  names: Spelling[];
  codes: Spelling[];
}

/**
 * The spellings of a target in the form they are compared in. Made once a target.
 * @param held the answer is held to a schema: no other spelling can be written
 */
export function comparableSpellings({ labels, folded }: KnownLabels, held = false): Comparable {
  // Labels that differ in case or dashes alone can only be told apart by exact text.
  const exact = held || [...folded.values()].includes(-1);
  const of = (texts: (known: KnownLabels["labels"][number]) => readonly string[]) => {
    const list: Spelling[] = [];
    for (const [label, known] of labels.entries()) {
      for (const text of new Set(texts(known).map((spelling) => (exact ? spelling : foldInside(spelling))))) {
        if (text !== "") list.push({ text, label });
      }
    }
    return list;
  };
  return {
    exact,
    held,
    names: of(({ name, aliases }) => (held ? [name] : [name, ...aliases])),
    codes: of(({ code }) => (code === undefined ? [] : [code])),
  };
}

/**
 * @param tokens of the whole answer
 * @param at where the label stands in the answer
 * @returns null when the tokens do not reach there
 */
export function labelMasses(
  tokens: readonly AnswerToken[],
  at: { start: number; end: number },
  target: KnownLabels,
  { exact, held, names, codes }: Comparable = comparableSpellings(target),
): LabelMasses | null {
  const mass = new Float64Array(target.labels.length);
  const result: LabelMasses = { mass, unseen: 0, other: 0, sequence: { probability: 1, tokens: 0 }, first: 0 };
  let position = 0;
  let index = 0;
  while (index < tokens.length && position + tokens[index]!.text.length <= at.start)
    position += tokens[index++]!.text.length;
  if (index >= tokens.length) return null;

  const shape = (text: string): string => {
    if (held) return text;
    const bare = text.replace(/^[\s"'`*“‘([{:=]+/, "");
    return exact ? bare : foldInside(bare);
  };
  const span = tokens
    .map(({ text }) => text)
    .join("")
    .slice(at.start, at.end);
  const list = codes.some(({ text }) => text === (exact ? span : foldInside(span))) ? codes : names;
  /** Before the label in its first token: `: "`, or nothing. */
  let before = tokens[index]!.text.slice(0, Math.max(0, at.start - position));
  let written = "";
  let path = 1;
  let decided = false;
  const spell = (text: string): string =>
    written === "" ? shape(startsAs(text, before)) : written + (exact ? text : foldInside(text));

  for (; index < tokens.length && position <= at.end; index++) {
    const token = tokens[index]!;
    const start = position;
    position += token.text.length;
    const p = Math.exp(token.logprob);
    if (start < at.end) {
      result.sequence.probability *= p;
      result.sequence.tokens++;
      if (result.sequence.tokens === 1) result.first = p;
    }
    if (decided) continue;
    let seen = 0;
    const shown = new Set<number>();
    let chosen: { labels: Set<number> } | undefined;
    const alternatives = token.top.some(([text]) => text === token.text)
      ? token.top
      : [...token.top, [token.text, token.logprob] as const];
    const counted = new Set<string>();
    for (const [text, logprob] of alternatives) {
      // Some endpoints list a token twice (bytes that make no whole character).
      if (counted.has(text)) continue;
      counted.add(text);
      const share = Math.exp(logprob);
      seen += share;
      const isWritten = text === token.text;
      const spelt = spell(text);
      const labels = candidates(list, spelt, written, text);
      for (const label of labels) shown.add(label);
      if (isWritten) chosen = { labels };
      else if (labels.size === 1) mass[[...labels][0]!]! += path * share;
      else if (labels.size === 0) result.other += path * share;
      else result.unseen += path * share;
    }
    const below = Math.max(0, 1 - seen);
    if (held) {
      const possible = new Set(list.filter(({ text }) => text.startsWith(written)).map(({ label }) => label));
      const least = Math.exp(Math.min(0, ...token.top.map(([, logprob]) => logprob)));
      result.unseen += path * Math.min(below, [...possible].filter((label) => !shown.has(label)).length * least);
    } else result.unseen += path * below;
    const here = chosen!.labels;
    path *= p;
    if (here.size === 1) {
      mass[[...here][0]!]! += path;
      decided = true;
    } else if (here.size === 0) {
      result.other += path;
      decided = true;
    } else written = spell(token.text);
    before = "";
  }
  if (!decided) {
    // The answer ended while several labels were possible: the one that is wholly written is meant.
    const whole = new Set(list.filter(({ text }) => text === written.trimEnd()).map(({ label }) => label));
    if (whole.size === 1) mass[[...whole][0]!]! += path;
    else result.unseen += path;
  }
  return result;
}

const startsAs = (text: string, before: string): string => (text.startsWith(before) ? text.slice(before.length) : text);

/** The labels that what is spelt so far can still become, or is. An empty token ends the answer. */
function candidates(list: readonly Spelling[], spelt: string, before: string, token: string): Set<number> {
  if (token === "" && before !== "") {
    return new Set(list.filter(({ text }) => text === before.trimEnd()).map(({ label }) => label));
  }
  const going = new Set<number>();
  const ended = new Set<number>();
  let longest = 0;
  for (const { text, label } of list) {
    if (text.startsWith(spelt)) going.add(label);
    else if (text.length >= longest && spelt.startsWith(text) && ENDS.test(spelt.slice(text.length))) {
      if (text.length > longest) ended.clear();
      longest = text.length;
      ended.add(label);
    }
  }
  if (going.size === 0) return ended;
  // After a space both are possible: the label has ended, or a longer one goes on.
  if (spelt.endsWith(" ")) for (const label of ended) going.add(label);
  return going;
}

/** Probabilities over the label set, likeliest first, and what is left uncovered. Null when no label has any. */
export function normalised({
  mass,
  unseen,
}: LabelMasses): { probabilities: [label: number, p: number][]; uncovered: number } | null {
  const total = mass.reduce((sum, p) => sum + p, 0);
  if (!(total > 0)) return null;
  const all = total + unseen;
  const probabilities = Array.from(mass, (p, label): [number, number] => [label, p / all])
    .filter(([, p]) => p > 0)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return { probabilities, uncovered: unseen / all };
}

/** Divides out what the model says of rows without content (Zhao et al. 2021, "Calibrate before use"). */
export function withoutPrior(masses: LabelMasses, prior: Float64Array): LabelMasses {
  const mass = masses.mass.map((p, label) => p / prior[label]!);
  // Renormalised to the same covered mass, so that the uncovered share keeps its size.
  const scale = masses.mass.reduce((a, b) => a + b, 0) / (mass.reduce((a, b) => a + b, 0) || 1);
  return { ...masses, mass: mass.map((p) => p * scale) };
}

/** The geometric mean of the written label's token probabilities. */
export const perToken = ({ sequence }: LabelMasses): number =>
  sequence.tokens === 0 ? 0 : sequence.probability ** (1 / sequence.tokens);

/**
 * Where the text of an answer begins in its tokens: endpoints leave reasoning and code fences out of the one and in the other. Null
 * when it is not there.
 */
export function textStart(tokens: readonly Pick<AnswerToken, "text">[], text: string): number | null {
  const start = tokens
    .map((token) => token.text)
    .join("")
    .lastIndexOf(text);
  return start < 0 ? null : start;
}

/** The tokens of an answer as the endpoint tells them. Tokens that are parts of one character are put together. */
export function answerTokens(content: readonly ChatCompletionTokenLogprob[]): AnswerToken[] {
  const tokens: AnswerToken[] = [];
  let parts: { bytes: number[]; logprob: number; top: AnswerToken["top"] } | null = null;
  for (const { token, bytes, logprob, top_logprobs } of content) {
    const top = (top_logprobs ?? []).map((one): [string, number] => [textOf(one), one.logprob]);
    const whole = textOf({ token, bytes });
    if (!parts && !whole.includes("\ufffd")) {
      tokens.push({ text: whole, logprob, top });
      continue;
    }
    parts = parts
      ? { bytes: [...parts.bytes, ...(bytes ?? [])], logprob: parts.logprob + logprob, top: parts.top }
      : { bytes: [...(bytes ?? [])], logprob, top };
    const text = decoder.decode(Uint8Array.from(parts.bytes));
    if (text.includes("\ufffd")) continue;
    tokens.push({ text, logprob: parts.logprob, top: parts.top });
    parts = null;
  }
  return tokens;
}

const decoder = new TextDecoder();
const textOf = ({ token, bytes }: { token: string; bytes: number[] | null }): string =>
  bytes ? decoder.decode(Uint8Array.from(bytes)) : token;
