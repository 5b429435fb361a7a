/** The confusion matrix as its cells that are not empty, and orders of its labels. */
import type { ReportedRows } from "../../../schemas/reportPanel.ts";

export interface MatrixCell {
  /** Number of the given label. */
  given: number;
  /** Number of the predicted label; −1: no answer. */
  predicted: number;
  count: number;
}

export interface Matrix {
  cells: MatrixCell[];
  /** Rows by given label, and by predicted one. */
  given: number[];
  predicted: number[];
  /** Rows without an answer. */
  unanswered: number;
}

export function matrixOf({ given, predicted }: ReportedRows, labels: number): Matrix {
  const counts = new Map<number, number>();
  const matrix: Matrix = {
    cells: [],
    given: new Array<number>(labels).fill(0),
    predicted: new Array<number>(labels).fill(0),
    unanswered: 0,
  };
  for (let i = 0; i < given.length; i++) {
    const key = given[i]! * (labels + 1) + predicted[i]! + 1;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    matrix.given[given[i]!]!++;
    if (predicted[i]! < 0) matrix.unanswered++;
    else matrix.predicted[predicted[i]!]!++;
  }
  for (const [key, count] of counts) {
    matrix.cells.push({ given: Math.floor(key / (labels + 1)), predicted: (key % (labels + 1)) - 1, count });
  }
  return matrix;
}

export const ORDERS = {
  alike: "confused ones together",
  errors: "most errors first",
  rows: "most rows first",
  list: "as in the list",
  name: "by name",
} as const;
export type Order = keyof typeof ORDERS;

/** The labels that are given or predicted, in an order; numbers into the label list. */
export function orderLabels(matrix: Matrix, labels: readonly string[], order: Order): number[] {
  const seen = labels.flatMap((_, i) => (matrix.given[i]! + matrix.predicted[i]! > 0 ? [i] : []));
  switch (order) {
    case "alike":
      return together(matrix, seen);
    case "errors": {
      const errors = new Array<number>(labels.length).fill(0);
      for (const { given, predicted, count } of matrix.cells) {
        if (given === predicted) continue;
        errors[given]! += count;
        if (predicted >= 0) errors[predicted]! += count;
      }
      return seen.sort((a, b) => errors[b]! - errors[a]! || a - b);
    }
    case "rows":
      return seen.sort((a, b) => matrix.given[b]! - matrix.given[a]! || a - b);
    case "list":
      return seen;
    case "name":
      return seen.sort((a, b) => labels[a]!.localeCompare(labels[b]!) || a - b);
  }
}

/**
 * Labels that are confused with each other, side by side: chains are joined at the pair that is confused most, for the size of
 * its labels, and turned so that the pair lies as close as it can (single-linkage clustering over the cells that are not empty).
 * Chains stand largest error first.
 */
function together({ cells, given, predicted }: Matrix, seen: readonly number[]): number[] {
  const pairs = new Map<string, { a: number; b: number; count: number }>();
  for (const { given: g, predicted: p, count } of cells) {
    if (p < 0 || g === p) continue;
    const [a, b] = g < p ? [g, p] : [p, g];
    const pair = pairs.get(`${a} ${b}`) ?? { a, b, count: 0 };
    pair.count += count;
    pairs.set(`${a} ${b}`, pair);
  }
  const size = (label: number): number => given[label]! + predicted[label]!;
  const closeness = ({ a, b, count }: { a: number; b: number; count: number }): number =>
    count / Math.sqrt(size(a) * size(b));
  const byCloseness = [...pairs.values()].sort((x, y) => closeness(y) - closeness(x) || x.a - y.a || x.b - y.b);
  const chains = new Map(seen.map((label) => [label, { labels: [label], errors: 0 }]));
  for (const { a, b, count } of byCloseness) {
    const left = chains.get(a)!;
    const right = chains.get(b)!;
    left.errors += count;
    if (left === right) continue;
    // `a` towards the end of the first, `b` towards the beginning of the second.
    if (left.labels.indexOf(a) < (left.labels.length - 1) / 2) left.labels.reverse();
    if (right.labels.indexOf(b) > (right.labels.length - 1) / 2) right.labels.reverse();
    left.labels.push(...right.labels);
    left.errors += right.errors;
    for (const label of right.labels) chains.set(label, left);
  }
  return [...new Set(chains.values())].sort((x, y) => y.errors - x.errors).flatMap((chain) => chain.labels);
}
