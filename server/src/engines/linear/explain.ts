import type { LinearModel } from "./model.ts";
import { predictorOf } from "./predict.ts";
import { BIAS } from "./solver.ts";
import { lowerCase, visitTerms } from "./terms.ts";

/** One word of a text and how much it spoke for the label. */
export interface WordContribution {
  /** Input column, from 0. */
  column: number;
  /** Place in that column's text, in UTF-16 code units: [start, end). */
  start: number;
  end: number;
  word: string;
  /** Share of the lead of `label` over `other`, in units of log odds; negative speaks for `other`. */
  contribution: number;
}

export interface Explanation {
  label: number;
  /** The most probable label besides `label`. */
  other: number;
  /** ln(p(label) / p(other)), uncalibrated. Equals the intercept plus all contributions. */
  lead: number;
  /** What the model says of a text without words. */
  intercept: number;
  /** In the order of the text; pieces of white-space-separated text, punctuation included. */
  words: WordContribution[];
}

/**
 * The words that mattered for one row: each term's part of the lead, shared out evenly over the characters it stands on,
 * and added up by word. A linear model's lead is the sum of its terms' parts, so nothing is estimated.
 * @param texts the text of each input column
 * @param label absent: the most probable
 */
export function explain(model: LinearModel, texts: readonly string[], label?: number): Explanation {
  const predictor = predictorOf(model);
  const { kernel } = predictor;
  const n = predictor.fill(texts);
  kernel.scores(n);
  const scores = kernel.output.slice(0, model.classes);
  const chosen = label ?? bestLabel(scores);
  const other = bestLabel(scores, chosen);
  const margin = (feature: number) =>
    kernel.weights[feature * kernel.stride + chosen]! - kernel.weights[feature * kernel.stride + other]!;

  // Several occurrences of a term share its part equally.
  const parts = new Map<number, { part: number; occurrences: number }>();
  for (let i = 0; i < n - 1; i++) {
    const feature = kernel.columns[i]!;
    parts.set(feature, { part: kernel.values[i]! * margin(feature), occurrences: 0 });
  }
  const visitFeatures = (visit: (feature: number, column: number, start: number, end: number) => void) => {
    for (const [column, text] of texts.entries()) {
      visitTerms(lowerCase(text), column, model.options, (hash, start, end) => {
        const feature = predictor.vocabulary.find(hash);
        if (feature >= 0) visit(feature, column, start, end);
      });
    }
  };
  visitFeatures((feature) => {
    parts.get(feature)!.occurrences++;
  });
  const byCharacter = texts.map((text) => new Float64Array(text.length));
  visitFeatures((feature, column, start, end) => {
    const { part, occurrences } = parts.get(feature)!;
    const text = texts[column]!;
    let characters = 0;
    for (let i = start; i < end; i++) if (!isSpace(text, i)) characters++;
    for (let i = start; i < end; i++) {
      if (!isSpace(text, i)) byCharacter[column]![i]! += part / occurrences / characters;
    }
  });

  const words: WordContribution[] = [];
  for (const [column, text] of texts.entries()) {
    for (const match of text.matchAll(/\S+/gu)) {
      const end = match.index + match[0].length;
      const contribution = byCharacter[column]!.subarray(match.index, end).reduce((sum, part) => sum + part, 0);
      words.push({ column, start: match.index, end, word: match[0], contribution });
    }
  }
  return {
    label: chosen,
    other,
    lead: scores[chosen]! - scores[other]!,
    intercept: BIAS * margin(model.hashes.length),
    words,
  };
}

function isSpace(text: string, index: number): boolean {
  return /\s/u.test(text[index]!);
}

/** On a tie the lower label number. */
function bestLabel(scores: Float32Array, except = -1): number {
  let best = -1;
  for (let k = 0; k < scores.length; k++) {
    if (k !== except && (best < 0 || scores[k]! > scores[best]!)) best = k;
  }
  return best < 0 ? except : best;
}
