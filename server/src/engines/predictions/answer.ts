/** What the cells of one record say of one target. Pure. */
import { type Prediction, TOP_LABELS } from "../../../../schemas/predictions.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { rounded } from "../prediction.ts";

/** Why a record has no usable answer. `failed`: nothing stands there. */
export type Fault = "failed" | "not-a-number" | "outside" | "sum" | "out-of-list";

/** A distribution as far as the record tells it: listed labels, likeliest first, and the mass it leaves to the others. */
export interface Told {
  /** Position of the predicted label. The first that is listed. */
  label: number;
  labels: number[];
  /** In [0, 1]; with `rest` they sum to 1. */
  probabilities: number[];
  rest: number;
  /** What the probabilities summed to, where they had to be divided by it: beyond rounding. */
  sum?: number;
  /** The label column names another label than the likeliest: it counts, and only its probability is kept. */
  overruled?: true;
}

export type Answer = Told | { fault: Fault; text: string };

/** Sums this far from 1 are rounding (of float32, of four digits). */
export const ROUNDING = 0.001;
/** Sums this far from 1 are still read as probabilities, divided by their sum; beyond, they are none. */
export const CLOSE = 0.05;
/** Single values this far outside [0, 1] are rounding: sums in float32 give 1.0000012. */
const EDGE = ROUNDING;

/** What programs write where there is nothing. */
const NOTHING = new Set(["", "nan", "null", "none", "na", "n/a", "<na>"]);

/** Undefined where nothing stands; NaN where no number does. */
export function numberOf(cell: string): number | undefined {
  const text = cell.trim();
  const number = Number(text);
  if (text !== "" && !Number.isNaN(number)) return number;
  const word = text.toLowerCase();
  if (NOTHING.has(word)) return undefined;
  if (word === "-inf" || word === "-infinity") return Number.NEGATIVE_INFINITY;
  return Number.NaN;
}

/** A label alone, or with its probability. Without one the system is as good as certain of each: 1. */
export function fromLabel(numbers: ReadonlyMap<string, number>, cell: string, probability: string | undefined): Answer {
  const label = numbers.get(cell.trim());
  if (label === undefined)
    return NOTHING.has(cell.trim().toLowerCase()) ? failed : { fault: "out-of-list", text: cell };
  if (probability === undefined) return { label, labels: [label], probabilities: [1], rest: 0 };
  const p = numberOf(probability);
  if (p === undefined) return { fault: "not-a-number", text: probability };
  const fault = faultOf(p);
  if (fault) return { fault, text: probability };
  const listed = clamp(p);
  return { label, labels: [label], probabilities: [listed], rest: 1 - listed };
}

const failed: Answer = { fault: "failed", text: "" };

function faultOf(p: number): "not-a-number" | "outside" | null {
  if (Number.isNaN(p)) return "not-a-number";
  return p < -EDGE || p > 1 + EDGE ? "outside" : null;
}

const clamp = (p: number): number => Math.min(1, Math.max(0, p));

/**
 * A probability a label. What is left of 1 belongs to the labels whose cells are empty or that have no column: all of it to
 * the one where only one is missing.
 * @param labelOf position of each cell's label
 * @param count of all labels of the target
 */
export function fromProbabilities(labelOf: ArrayLike<number>, cells: readonly string[], count: number): Answer {
  const labels: number[] = [];
  const probabilities: number[] = [];
  let sum = 0;
  for (let i = 0; i < cells.length; i++) {
    const p = numberOf(cells[i]!);
    if (p === undefined) continue;
    const fault = faultOf(p);
    if (fault) return { fault, text: cells[i]! };
    labels.push(labelOf[i]!);
    probabilities.push(clamp(p));
    sum += clamp(p);
  }
  if (labels.length === 0) return failed;
  if (labels.length === count - 1 && sum < 1) {
    // One label without a number: the others tell it.
    const missing = Array.from({ length: count }, (_, label) => label).find((label) => !labels.includes(label))!;
    labels.push(missing);
    probabilities.push(1 - sum);
    sum = 1;
  }
  const whole = labels.length === count;
  const off = whole ? Math.abs(sum - 1) : Math.max(0, sum - 1);
  if (off > CLOSE || sum <= 0) return { fault: "sum", text: sum.toPrecision(4) };
  const divide = whole || sum > 1;
  if (divide) for (let i = 0; i < probabilities.length; i++) probabilities[i]! /= sum;
  const told = sorted(labels, probabilities, divide ? 0 : 1 - sum);
  return off > ROUNDING ? { ...told, sum } : told;
}

/** A logit a label: their softmax. A label without a logit is impossible. */
export function fromLogits(labelOf: ArrayLike<number>, cells: readonly string[]): Answer {
  const labels: number[] = [];
  const logits: number[] = [];
  for (let i = 0; i < cells.length; i++) {
    const logit = numberOf(cells[i]!);
    if (logit === undefined || logit === Number.NEGATIVE_INFINITY) continue;
    if (!Number.isFinite(logit)) return { fault: "not-a-number", text: cells[i]! };
    labels.push(labelOf[i]!);
    logits.push(logit);
  }
  if (labels.length === 0) return failed;
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const weights = logits.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((a, b) => a + b);
  return sorted(
    labels,
    weights.map((weight) => weight / sum),
    0,
  );
}

/** Likeliest first, equals in the order of the labels. */
function sorted(labels: number[], probabilities: number[], rest: number): Told {
  const order = labels
    .map((_, i) => i)
    .sort((a, b) => probabilities[b]! - probabilities[a]! || labels[a]! - labels[b]!);
  return {
    label: labels[order[0]!]!,
    labels: order.map((i) => labels[i]!),
    probabilities: order.map((i) => probabilities[i]!),
    rest,
  };
}

/**
 * The label column beside probabilities of all labels: it decides. Among equally likely labels it says which is meant; where
 * it names a less likely one, that label's probability is kept and the others go to the rest.
 */
export function overrule(told: Answer, numbers: ReadonlyMap<string, number>, cell: string): Answer {
  const label = numbers.get(cell.trim());
  if (label === undefined) return NOTHING.has(cell.trim().toLowerCase()) ? told : { fault: "out-of-list", text: cell };
  if ("fault" in told || told.label === label) return told;
  const at = told.labels.indexOf(label);
  const p = at < 0 ? 0 : told.probabilities[at]!;
  if (at >= 0 && p === told.probabilities[0]) {
    const first = <T>(list: readonly T[]): T[] => [list[at]!, ...list.filter((_, i) => i !== at)];
    return { ...told, label, labels: first(told.labels), probabilities: first(told.probabilities) };
  }
  return { label, labels: [label], probabilities: [p], rest: 1 - p, overruled: true };
}

const PROBLEM = {
  failed: "failed",
  "not-a-number": "unparsed",
  outside: "unparsed",
  sum: "unparsed",
  "out-of-list": "out-of-list",
} as const satisfies Record<Fault, Prediction["problem"]>;

/** Of the answer that has no place among the labels or numbers so much is kept. */
const LONGEST_ANSWER = 200;

/** The prediction line of an answer. */
export function predictionOfAnswer(
  answer: Answer,
  row: Pick<JobRow, "row" | "split">,
  of: { target: string; model: string; labels: readonly string[]; labelled: boolean },
): Prediction {
  const head = { row: row.row, target: of.target, model: of.model, split: row.split };
  if ("fault" in answer) {
    const text = answer.text.slice(0, LONGEST_ANSWER);
    const none = { ...head, label: null, score: 0, top: [], rest: 0, problem: PROBLEM[answer.fault] };
    return text === "" ? none : { ...none, answer: text };
  }
  const { label, labels, probabilities, rest } = answer;
  const top = labels
    .slice(0, TOP_LABELS)
    .map((number, i): [string, number] => [of.labels[number]!, rounded(probabilities[i]!)]);
  let left = rest;
  for (let i = TOP_LABELS; i < probabilities.length; i++) left += probabilities[i]!;
  const prediction: Prediction = { ...head, label: of.labels[label]!, score: top[0]![1], top, rest: rounded(left) };
  if (!of.labelled || labels.length <= TOP_LABELS) return prediction;
  const all = new Array<number>(of.labels.length).fill(rounded(rest / (of.labels.length - labels.length || 1)));
  for (const [i, number] of labels.entries()) all[number] = rounded(probabilities[i]!);
  // Read back, the likeliest of `all` is the prediction, the first of equals: only where that is the label it may stand.
  return all.indexOf(Math.max(...all)) === label ? { ...prediction, all } : prediction;
}
