/** Texts from templates. A template's `(a|b|)` is one of its alternatives, `{name}` the value of a variable. */
import type { Random } from "../../server/src/confidence/random.ts";

export type Variables = Record<string, string>;

/** One of the values, all equally likely. */
export function pick<T>(random: Random, values: readonly T[]): T {
  if (values.length === 0) throw new RangeError("Nothing to pick from.");
  return values[random.below(values.length)]!;
}

/** One of the keys, with probability proportional to its weight. */
export function pickWeighted<K extends string>(random: Random, weights: Readonly<Partial<Record<K, number>>>): K {
  const entries = Object.entries(weights) as [K, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError("All weights are zero.");
  let left = random.uniform() * total;
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  return entries.findLast(([, weight]) => weight > 0)![0];
}

export function chance(random: Random, probability: number): boolean {
  return random.uniform() < probability;
}

/** Fills a template in. Values of variables may be templates themselves. */
export function expand(random: Random, template: string, variables: Variables): string {
  let text = template;
  for (let depth = 0; /[{(]/.test(text); depth++) {
    if (depth > 50) throw new Error(`The template does not end: ${template}`);
    const next = text
      .replace(/\(([^(){}]*)\)/g, (_whole, alternatives: string) => pick(random, alternatives.split("|")))
      .replace(/\{(\w+)\}/g, (_whole, name: string) => {
        const value = variables[name];
        if (value === undefined) throw new Error(`The template needs {${name}}: ${template}`);
        return value;
      });
    if (next === text) throw new Error(`Unbalanced brackets in the template: ${template}`);
    text = next;
  }
  return text
    .replace(/ {2,}/g, " ")
    .replace(/ ([,.;])/g, "$1")
    .trim();
}

/** A sentence: first letter upper case, a full stop at the end. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** The text with one slip of the keyboard in a word of five letters or more: two letters swapped, or one dropped or doubled. */
export function mistype(random: Random, text: string): string {
  const words = [...text.matchAll(/[a-z]{5,}/g)];
  if (words.length === 0) return text;
  const word = pick(random, words);
  const at = word.index + 1 + random.below(word[0].length - 2);
  const slip = random.below(3);
  if (slip === 0) return text.slice(0, at) + text[at + 1]! + text[at]! + text.slice(at + 2);
  if (slip === 1) return text.slice(0, at) + text.slice(at + 1);
  return text.slice(0, at) + text[at]! + text.slice(at);
}
