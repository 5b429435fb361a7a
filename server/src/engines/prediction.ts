import { type Prediction, TOP_LABELS } from "../../../schemas/predictions.ts";
import type { SplitName } from "../../../schemas/rows.ts";

/** Probabilities are written with so many significant digits: far below any interval we print, half the bytes. */
const DIGITS = 6;

export const rounded = (p: number): number => Math.min(1, Math.max(0, Number(p.toPrecision(DIGITS))));

/** Labels, likeliest first, as far as they are known; with `rest` their probabilities sum to 1. */
export interface Distribution<Label> {
  labels: Label[];
  probabilities: number[];
  rest: number;
  /** Part of `rest` that belongs to no label we know. */
  uncovered: number;
}

/** Gives the first label another probability; the others keep their proportions, and it stays the likeliest. */
export function rescaled<Label>(of: Distribution<Label>, to: number): Distribution<Label> {
  const [first, second = 0] = of.probabilities as [number, number?];
  const others = 1 - first;
  if (others <= 0) return { labels: of.labels.slice(0, 1), probabilities: [to], rest: 1 - to, uncovered: 0 };
  // At this value the second would be as likely as the first.
  const least = second / (others + second);
  const p = Math.min(1, Math.max(to, least));
  const scale = (1 - p) / others;
  return {
    labels: of.labels,
    probabilities: [p, ...of.probabilities.slice(1).map((other) => Math.min(p, other * scale))],
    rest: of.rest * scale,
    uncovered: of.uncovered * scale,
  };
}

/**
 * A prediction line from the probabilities of all labels.
 * @param probabilities aligned with `labels`; they sum to 1
 * @param labelled whether the row has a label: its whole vector is then written too (for log loss and Brier score)
 */
export function predictionOf(of: {
  row: string;
  target: string;
  model: string;
  split: SplitName;
  fold?: number;
  labels: readonly string[];
  probabilities: ArrayLike<number>;
  labelled: boolean;
}): Prediction {
  const { labels, probabilities } = of;
  const order = Array.from(labels, (_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  const listed = order.slice(0, TOP_LABELS);
  const top = listed.map((i): [string, number] => [labels[i]!, rounded(probabilities[i]!)]);
  const rest = labels.length > TOP_LABELS ? 1 - listed.reduce((sum, i) => sum + probabilities[i]!, 0) : 0;
  return {
    row: of.row,
    target: of.target,
    model: of.model,
    split: of.split,
    ...(of.fold === undefined ? {} : { fold: of.fold }),
    label: top[0]![0],
    score: top[0]![1],
    top,
    rest: rounded(rest),
    ...(of.labelled && labels.length > TOP_LABELS ? { all: Array.from(probabilities, rounded) } : {}),
  };
}
