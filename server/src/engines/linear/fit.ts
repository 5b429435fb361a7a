import { assignFolds } from "./folds.ts";
import type { LinearModel } from "./model.ts";
import { defaultOptions, type LinearOptions, type RunOptions } from "./options.ts";
import type { FitTask, FittedWeights, FoldTask, SearchStep } from "./tasks.ts";
import type { TermCounts } from "./term-counts.ts";
import { openWorkers, type Workers } from "./workers.ts";

/** Texts and labels of one target. Row numbers everywhere are rows of `features`. */
export interface TrainingData {
  /** From {@link extractFeatures}; shared by all targets. */
  readonly features: Features;
  /** Label number of every row of `features`, from 0; not read for rows that take no part. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** Weight of every row of `features` in the loss, at least 0; absent: all 1. */
  readonly rowWeights?: Float32Array;
  readonly options?: Partial<LinearOptions>;
  readonly seed: number;
}

/** Term counts of all rows a job works with. */
export interface Features extends TermCounts {
  /** Input columns a row has. */
  readonly columns: number;
}

export interface Chosen {
  c: number;
  /** What was tried on the tune rows; empty when C was given or there was nothing to choose on. */
  search: SearchStep[];
  /** Passes of the final fit. */
  epochs: number;
  /**
   * Probabilities of the tune rows (rows × classes) by a fit on the train rows alone, for the choices that are still to
   * be made on them: never from the model itself, which has seen them. Absent without tune rows.
   */
  tuneProbabilities?: Float32Array;
}

/** C when there are no tune rows to choose on. */
export const DEFAULT_C = 100;

export interface FitInput extends TrainingData {
  readonly train: Int32Array;
  readonly tune?: Int32Array;
  /** Given: no search (a resumed run, or the user's own choice). */
  readonly c?: number;
  /** Told as soon as C is known. */
  readonly onChosen?: (c: number, search: SearchStep[]) => void;
}

/** Chooses C on the tune rows by log loss after fitting on the train rows, then fits on both. */
export async function fitLinear(input: FitInput & RunOptions): Promise<{ model: LinearModel; chosen: Chosen }> {
  const workers = openWorkers(input.threads, input.signal);
  try {
    return await chooseAndFit(input, workers, input.onProgress);
  } finally {
    await workers.close();
  }
}

async function chooseAndFit(
  input: FitInput,
  workers: Workers,
  onProgress: RunOptions["onProgress"],
): Promise<{ model: LinearModel; chosen: Chosen }> {
  const { features, train, tune = new Int32Array(0) } = input;
  const base = taskBase(input);
  checkRows(input, [train, tune]);
  let steps: SearchStep[] = [];
  let tuneProbabilities: Float32Array | undefined;
  let start: FitTask["start"];
  let c = input.c ?? (base.options.grid.length === 1 ? base.options.grid[0]! : undefined);
  if (c === undefined && tune.length > 0) {
    const [found] = await workers.run<"search">([{ kind: "search", ...base, train, tune }], (done) =>
      onProgress?.({ step: "search", done, total: 1 }),
    );
    ({ steps, probabilities: tuneProbabilities } = found!);
    start = { rows: train, alpha: found!.alpha };
    c = steps.reduce((best, step) => (step.logLoss < best.logLoss ? step : best)).c;
  }
  c ??= DEFAULT_C;
  input.onChosen?.(c, steps);

  const all = new Int32Array(train.length + tune.length);
  all.set(train);
  all.set(tune, train.length);
  all.sort();
  const heldOut: FoldTask[] =
    tune.length > 0 && !tuneProbabilities ? [{ kind: "fold", ...base, train, heldOut: tune, c }] : [];
  const tasks: (FitTask | FoldTask)[] = [{ kind: "fit", ...base, train: all, c, start }, ...heldOut];
  const [fitted, held] = await workers.run<"fit" | "fold">(tasks, (done) =>
    onProgress?.({ step: "fit", done, total: tasks.length }),
  );
  const { hashes, idf, weights, scales, epochs } = fitted as FittedWeights;
  tuneProbabilities ??= held as Float32Array | undefined;
  const { wordNgrams, characterNgrams } = features.options;
  const { classes } = input;
  return {
    model: {
      classes,
      columns: features.columns,
      options: { wordNgrams, characterNgrams },
      c,
      hashes,
      idf,
      weights,
      scales,
    },
    chosen: { c, search: steps, epochs, tuneProbabilities },
  };
}

/**
 * Probabilities of every row by a model that has not seen it nor any row of its group: one fit a fold, with document
 * frequencies of that fold's own training rows.
 * @param rows the labelled rows to use
 * @param groups key of every row of `features`: rows with one key (duplicates) share a fold
 * @returns by position in `rows`: probabilities (rows × classes) and fold
 */
export async function outOfFold(
  input: TrainingData & RunOptions & { rows: Int32Array; c: number; groups?: Int32Array; folds?: number },
): Promise<{ probabilities: Float32Array; fold: Uint8Array }> {
  const { rows, groups, labels, classes, c, threads, signal, onProgress } = input;
  const folds = Math.min(input.folds ?? 5, rows.length, 255);
  const base = taskBase(input);
  checkRows(input, [rows]);
  const rowLabels = Int32Array.from(rows, (row) => labels[row]!);
  const rowGroups = groups && Int32Array.from(rows, (row) => groups[row]!);
  const fold = assignFolds(rowLabels, rowGroups, folds, input.seed);
  const tasks: FoldTask[] = Array.from({ length: folds }, (_, f) => ({
    kind: "fold",
    ...base,
    c,
    train: rows.filter((_, i) => fold[i] !== f),
    heldOut: rows.filter((_, i) => fold[i] === f),
  }));
  if (tasks.some((task) => task.train.length === 0)) {
    throw new RangeError(
      "Out-of-fold probabilities need labelled rows of at least two groups, and all of these are duplicates of one another or share one group. Add rows with other texts.",
    );
  }
  const workers = openWorkers(threads, signal);
  let results: Float32Array[];
  try {
    results = await workers.run<"fold">(tasks, (done) => onProgress?.({ step: "folds", done, total: folds }));
  } finally {
    await workers.close();
  }
  const probabilities = new Float32Array(rows.length * classes);
  const next = new Int32Array(folds);
  for (let i = 0; i < rows.length; i++) {
    const f = fold[i]!;
    const from = next[f]!++ * classes;
    probabilities.set(results[f]!.subarray(from, from + classes), i * classes);
  }
  return { probabilities, fold };
}

function taskBase({ features: counts, labels, classes, rowWeights, options, seed }: TrainingData) {
  return { counts, labels, classes, rowWeights, options: { ...defaultOptions, ...options }, seed };
}

/** Rows × labels of one fit: each is a float32 during the fit (8 GB). */
const MAX_CELLS = 2e9;

/** @throws RangeError for no rows, a label out of range, or more than memory holds. */
function checkRows({ labels, classes, features }: TrainingData, sets: Int32Array[]): void {
  const cells = sets.reduce((sum, rows) => sum + rows.length, 0) * classes;
  if (cells > MAX_CELLS) {
    throw new RangeError(
      `Too much to fit in memory: rows × labels is ${cells}, at most ${MAX_CELLS} is possible. Use fewer rows (sampling) or labels.`,
    );
  }
  if (sets[0]!.length === 0) throw new RangeError("There are no rows to train on.");
  for (const rows of sets) {
    for (const row of rows) {
      if (!(row >= 0 && row < features.rows))
        throw new RangeError(`Row ${row} is not one of the ${features.rows} rows.`);
      const label = labels[row]!;
      if (!(label >= 0 && label < classes))
        throw new RangeError(`Label ${label} of row ${row} is not below ${classes}.`);
    }
  }
}
