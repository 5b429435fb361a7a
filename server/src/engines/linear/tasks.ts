import { featuresWithin } from "./kernel.ts";
import { quantise } from "./model.ts";
import type { LinearOptions } from "./options.ts";
import { softmaxInto } from "./softmax.ts";
import { loadRow, Solver } from "./solver.ts";
import type { TermCounts } from "./term-counts.ts";
import { fitWeighting, type Weighting, weighRows } from "./weighting.ts";

/** Weights of one fit take at most this (1 GiB): with many labels there are fewer features. */
const MAX_WEIGHT_BYTES = 2 ** 30;

/** What worker threads are asked to do. One task runs on one thread from start to end, so its result does not depend on how many there are. */
export type Task = SearchTask | FitTask | FoldTask;

interface TaskBase {
  readonly counts: TermCounts;
  /** By row of `counts`. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** By row of `counts`; absent: all 1. */
  readonly rowWeights?: Float32Array;
  readonly train: Int32Array;
  readonly options: LinearOptions;
  readonly seed: number;
}

/** Log loss on the tune rows for each C of the grid. */
export interface SearchTask extends TaskBase {
  readonly kind: "search";
  readonly tune: Int32Array;
}

/** Weights at one C. */
export interface FitTask extends TaskBase {
  readonly kind: "fit";
  readonly c: number;
  /** Dual variables that a search has found at this C, and the rows of `counts` they are of: a start nearer to the end. */
  readonly start?: { readonly rows: Int32Array; readonly alpha: Float32Array };
}

/** Probabilities of the rows held out of a fit at one C. */
export interface FoldTask extends TaskBase {
  readonly kind: "fold";
  readonly c: number;
  readonly heldOut: Int32Array;
}

export interface SearchStep {
  c: number;
  /** Mean log loss on the tune rows. */
  logLoss: number;
  accuracy: number;
  epochs: number;
}

export interface FittedWeights {
  hashes: Int32Array<ArrayBuffer>;
  idf: Float32Array<ArrayBuffer>;
  weights: Int8Array<ArrayBuffer>;
  scales: Float32Array<ArrayBuffer>;
  epochs: number;
}

export interface SearchResult {
  /** In the order tried. */
  steps: SearchStep[];
  /** Probabilities of the tune rows at the best C, by a model that has not seen them: rows × classes. */
  probabilities: Float32Array<ArrayBuffer>;
  /** Dual variables of the train rows at the best C: rows × classes. */
  alpha: Float32Array<ArrayBuffer>;
}

export interface TaskResults {
  search: SearchResult;
  fit: FittedWeights;
  fold: Float32Array<ArrayBuffer>;
}

/** `checkpoint` is called often; it reports progress (0 to 1) and throws to stop the task. */
export type Checkpoint = (done: number) => void;

export function runTask(task: SearchTask, checkpoint: Checkpoint): SearchResult;
export function runTask(task: FitTask, checkpoint: Checkpoint): FittedWeights;
export function runTask(task: FoldTask, checkpoint: Checkpoint): Float32Array<ArrayBuffer>;
export function runTask(task: Task, checkpoint: Checkpoint): TaskResults[Task["kind"]];
export function runTask(task: Task, checkpoint: Checkpoint): TaskResults[Task["kind"]] {
  const { options, counts, train, labels, classes } = task;
  const room = featuresWithin(MAX_WEIGHT_BYTES, classes);
  const weighting = fitWeighting(counts, train, counts.options.minRows, Math.min(options.maxFeatures, room));
  const solver = new Solver({
    rows: weighRows(counts, weighting, train),
    features: weighting.idf.length,
    labels: Int32Array.from(train, (row) => labels[row]!),
    classes,
    rowCapacity: counts.longestRow + 1,
    weights: lossWeights(task),
    seed: task.seed,
  });
  switch (task.kind) {
    case "search":
      return search(task, solver, weighting, checkpoint);
    case "fit": {
      if (task.start) solver.startFrom(task.c, positionsOf(task.start.rows, train), task.start.alpha);
      const epochs = solver.fit(task.c, options, checkpoint);
      return { hashes: weighting.hashes, idf: weighting.idf, ...quantise(solver.kernel, classes), epochs };
    }
    case "fold":
      solver.fit(task.c, options, checkpoint);
      return probabilities(task, solver, weighting, task.heldOut);
  }
}

/**
 * From the middle of the grid towards weaker regularisation while the log loss falls, each C starting from the last; when the first step
 * there is no better, towards stronger regularisation instead. The log loss has one minimum along the grid, near enough.
 */
function search(task: SearchTask, solver: Solver, weighting: Weighting, checkpoint: Checkpoint): SearchResult {
  const { grid, maxEpochs, searchTolerance } = task.options;
  const steps: SearchStep[] = [];
  let best = Number.POSITIVE_INFINITY;
  let bestProbabilities = new Float32Array(0);
  let bestAlpha = new Float32Array(0);
  /** Whether this C is the best so far. */
  const improves = (c: number) => {
    const done = steps.length;
    const limits = { maxEpochs, tolerance: searchTolerance };
    const epochs = solver.fit(c, limits, (part) => checkpoint((done + part) / grid.length));
    const tuneProbabilities = probabilities(task, solver, weighting, task.tune);
    const step = { c, epochs, ...score(task, tuneProbabilities) };
    steps.push(step);
    if (step.logLoss >= best) return false;
    best = step.logLoss;
    bestProbabilities = tuneProbabilities;
    bestAlpha = solver.dualVariables();
    return true;
  };
  const start = Math.floor(grid.length / 2);
  let i = start;
  while (i < grid.length && improves(grid[i]!)) i++;
  if (i === start + 1) {
    i = start - 1;
    while (i >= 0 && improves(grid[i]!)) i--;
  }
  return { steps, probabilities: bestProbabilities, alpha: bestAlpha };
}

/** Where `rows` stand in `train`, which holds them all, both ascending. */
function positionsOf(rows: Int32Array, train: Int32Array): Int32Array {
  let at = 0;
  return rows.map((row) => {
    while (train[at] !== row) at++;
    return at;
  });
}

function score(task: SearchTask, probability: Float32Array): { logLoss: number; accuracy: number } {
  const { tune, labels, classes } = task;
  let loss = 0;
  let right = 0;
  for (let i = 0; i < tune.length; i++) {
    const row = probability.subarray(i * classes, (i + 1) * classes);
    const label = labels[tune[i]!]!;
    // The smallest positive float32 keeps a probability that rounds to 0 from making the mean infinite.
    loss -= Math.log(Math.max(row[label]!, 1.2e-38));
    if (row.every((p, k) => k === label || p < row[label]!)) right++;
  }
  return { logLoss: loss / tune.length, accuracy: right / tune.length };
}

function probabilities(
  { counts, classes }: Task,
  solver: Solver,
  weighting: Weighting,
  rows: Int32Array,
): Float32Array<ArrayBuffer> {
  const weighted = weighRows(counts, weighting, rows);
  const result = new Float32Array(rows.length * classes);
  for (let i = 0; i < rows.length; i++) {
    solver.kernel.scores(loadRow(weighted, i, solver.kernel));
    softmaxInto(solver.kernel.output, classes, result, i * classes);
  }
  return result;
}

/** Row weights times class weights, by position in `train`; undefined when all are 1. */
function lossWeights({ train, labels, rowWeights, options }: Task): Float32Array | undefined {
  if (!rowWeights && options.classWeight === "none") return undefined;
  const weights = Float32Array.from(train, (row) => (rowWeights ? rowWeights[row]! : 1));
  if (options.classWeight === "balanced") {
    const rowsOf = new Map<number, number>();
    for (const row of train) rowsOf.set(labels[row]!, (rowsOf.get(labels[row]!) ?? 0) + 1);
    for (let i = 0; i < train.length; i++)
      weights[i]! *= train.length / (rowsOf.size * rowsOf.get(labels[train[i]!]!)!);
  }
  return weights;
}
