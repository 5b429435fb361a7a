/**
 * Figures that follow from the table of given against predicted labels: precision, recall, F1, balanced accuracy, MCC.
 *
 * A row without an answer (failed, unparsed, out of list) is a miss of its given label and no prediction of any other. Macro
 * averages run over the labels that are given or predicted at least once in these rows; 0/0 counts as 0 (scikit-learn's
 * zero_division=0).
 */

import { wilson } from "../confidence/binomial.ts";
import { seededRandom } from "../confidence/random.ts";
import type { ScoredRows } from "../confidence/scoredRows.ts";
import { quantile } from "./bins.ts";

/** Non-empty cells of the table. `predicted` −1: no answer. */
export interface ConfusionTable {
  labels: readonly string[];
  n: number;
  truth: Int32Array;
  predicted: Int32Array;
  count: Float64Array;
}

/** Counts the labelled rows. */
export function confusionTable(rows: ScoredRows): ConfusionTable {
  const width = rows.labels.length + 1;
  const counts = new Map<number, number>();
  let n = 0;
  for (let i = 0; i < rows.n; i++) {
    const truth = rows.truth[i]!;
    if (truth < 0) continue;
    n++;
    const key = truth * width + rows.predicted[i]! + 1;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const keys = Float64Array.from(counts.keys()).sort();
  return {
    labels: rows.labels,
    n,
    truth: Int32Array.from(keys, (key) => Math.floor(key / width)),
    predicted: Int32Array.from(keys, (key) => (key % width) - 1),
    count: Float64Array.from(keys, (key) => counts.get(key)!),
  };
}

/** Counts by label: given, predicted, and both. */
interface Margins {
  given: Float64Array;
  predicted: Float64Array;
  hits: Float64Array;
  unanswered: number;
  n: number;
}

function marginsOf(table: ConfusionTable, count: Float64Array, into: Margins): Margins {
  into.given.fill(0);
  into.predicted.fill(0);
  into.hits.fill(0);
  into.unanswered = 0;
  into.n = 0;
  for (let c = 0; c < count.length; c++) {
    const truth = table.truth[c]!;
    const predicted = table.predicted[c]!;
    const rows = count[c]!;
    into.n += rows;
    into.given[truth]! += rows;
    if (predicted < 0) into.unanswered += rows;
    else into.predicted[predicted]! += rows;
    if (truth === predicted) into.hits[truth]! += rows;
  }
  return into;
}

function emptyMargins(labels: number): Margins {
  const column = () => new Float64Array(labels);
  return { given: column(), predicted: column(), hits: column(), unanswered: 0, n: 0 };
}

/** The averages, in the order they are resampled. */
const AVERAGES = [
  "accuracy",
  "balancedAccuracy",
  "macroPrecision",
  "macroRecall",
  "macroF1",
  "weightedPrecision",
  "weightedRecall",
  "weightedF1",
  "mcc",
] as const;
type Average = (typeof AVERAGES)[number];

function averagesOf(margins: Margins): Record<Average, number> {
  const { given, predicted, hits, unanswered, n } = margins;
  let seen = 0;
  let supported = 0;
  let right = 0;
  let precisionSum = 0;
  let recallSum = 0;
  let f1Sum = 0;
  let weightedPrecision = 0;
  let weightedF1 = 0;
  let product = 0;
  let givenSquares = 0;
  let predictedSquares = unanswered * unanswered;
  for (let k = 0; k < given.length; k++) {
    const g = given[k]!;
    const p = predicted[k]!;
    if (g === 0 && p === 0) continue;
    const h = hits[k]!;
    const precision = p > 0 ? h / p : 0;
    const recall = g > 0 ? h / g : 0;
    const f1 = (2 * h) / (g + p);
    seen++;
    if (g > 0) supported++;
    right += h;
    precisionSum += precision;
    recallSum += recall;
    f1Sum += f1;
    weightedPrecision += g * precision;
    weightedF1 += g * f1;
    product += g * p;
    givenSquares += g * g;
    predictedSquares += p * p;
  }
  // Gorodkin (2004): the correlation of two label columns; rows without an answer are a column of their own.
  const spread = Math.sqrt(n * n - givenSquares) * Math.sqrt(n * n - predictedSquares);
  const per = (sum: number, count: number): number => (count === 0 ? 0 : sum / count);
  return {
    accuracy: per(right, n),
    balancedAccuracy: per(recallSum, supported),
    macroPrecision: per(precisionSum, seen),
    macroRecall: per(recallSum, seen),
    macroF1: per(f1Sum, seen),
    weightedPrecision: per(weightedPrecision, n),
    weightedRecall: per(right, n),
    weightedF1: per(weightedF1, n),
    mcc: spread > 0 ? (right * n - product) / spread : 0,
  };
}

/** A figure with its 95 % interval. */
export interface Measure {
  value: number;
  low: number;
  high: number;
}

/** Averages over labels; accuracy and weighted recall with Wilson's interval, the others by Poisson bootstrap on counts. */
export type ConfusionAverages = Record<Average, Measure>;

/** Draws of the bootstrap: fewer when the table has many cells, so that the time stays bounded. */
const CELL_DRAWS = 4_000_000;

/** All averages with intervals. The bootstrap resamples the cells of the table, which is resampling rows, by count. */
export function confusionAverages(table: ConfusionTable, seed = 42): ConfusionAverages {
  const margins = emptyMargins(table.labels.length);
  const values = averagesOf(marginsOf(table, table.count, margins));
  const right = Math.round(values.accuracy * table.n);
  const random = seededRandom(seed);
  const replicates = Math.max(100, Math.min(500, Math.floor(CELL_DRAWS / Math.max(1, table.count.length))));
  const drawn = new Map(AVERAGES.map((name) => [name, new Float64Array(replicates)]));
  const count = new Float64Array(table.count.length);
  for (let r = 0; r < replicates; r++) {
    for (let c = 0; c < count.length; c++) count[c] = random.poisson(table.count[c]!);
    const replicate = averagesOf(marginsOf(table, count, margins));
    for (const name of AVERAGES) drawn.get(name)![r] = replicate[name];
  }
  const measure = (name: Average): Measure => {
    if (name === "accuracy" || name === "weightedRecall") return { value: values[name], ...wilson(right, table.n) };
    const sorted = drawn.get(name)!.sort();
    // The percentile interval may miss a figure that resampling shifts (macro averages of rare labels): keep it inside.
    return {
      value: values[name],
      low: Math.min(values[name], quantile(sorted, 0.025)),
      high: Math.max(values[name], quantile(sorted, 0.975)),
    };
  };
  return Object.fromEntries(AVERAGES.map((name) => [name, measure(name)])) as ConfusionAverages;
}

/** One label's figures; plain JSON. */
export interface LabelFigures {
  label: string;
  /** Rows with this given label. */
  support: number;
  /** Rows with this predicted label. */
  predicted: number;
  /** Wilson intervals; null where there is nothing to divide by. */
  precision: Measure | null;
  recall: Measure | null;
  /** From Wilson's interval of hits among rows where the label is given or predicted: F1 = 2J/(1 + J). */
  f1: Measure | null;
}

/** Figures of every label that is given or predicted, in the order of the label list. */
export function labelFigures(table: ConfusionTable): LabelFigures[] {
  const { given, predicted, hits } = marginsOf(table, table.count, emptyMargins(table.labels.length));
  const proportion = (k: number, n: number): Measure | null => (n === 0 ? null : { value: k / n, ...wilson(k, n) });
  const figures: LabelFigures[] = [];
  for (let k = 0; k < table.labels.length; k++) {
    const g = given[k]!;
    const p = predicted[k]!;
    if (g === 0 && p === 0) continue;
    const jaccard = proportion(hits[k]!, g + p - hits[k]!)!;
    const f1 = (j: number): number => (2 * j) / (1 + j);
    figures.push({
      label: table.labels[k]!,
      support: g,
      predicted: p,
      precision: proportion(hits[k]!, p),
      recall: proportion(hits[k]!, g),
      f1: { value: f1(jaccard.value), low: f1(jaccard.low), high: f1(jaccard.high) },
    });
  }
  return figures;
}

/** A pair of labels that are confused; plain JSON. */
export interface ConfusionPair {
  given: string;
  /** Null: no answer. */
  predicted: string | null;
  count: number;
  /** Share of the rows with the given label. */
  share: number;
}

/** Wrong cells, most frequent first. */
export function confusionPairs(table: ConfusionTable, most = 50): ConfusionPair[] {
  const { given } = marginsOf(table, table.count, emptyMargins(table.labels.length));
  const pairs: ConfusionPair[] = [];
  for (let c = 0; c < table.count.length; c++) {
    const truth = table.truth[c]!;
    const predicted = table.predicted[c]!;
    if (truth === predicted) continue;
    const count = table.count[c]!;
    pairs.push({
      given: table.labels[truth]!,
      predicted: predicted < 0 ? null : table.labels[predicted]!,
      count,
      share: count / given[truth]!,
    });
  }
  return pairs.sort((a, b) => b.count - a.count || b.share - a.share || (a.given < b.given ? -1 : 1)).slice(0, most);
}
