import type { TermOptions } from "./terms.ts";

/** How texts become features and how weights are fitted. Every field has a default (see {@link defaultOptions}). */
export interface LinearOptions extends TermOptions {
  /** Terms in fewer training rows are no features. `auto`: 2 from {@link MANY_ROWS} rows on (a third fewer features, accuracy the same), else 1. */
  readonly minRows: number | "auto";
  /** At most so many features; those in most rows are kept. */
  readonly maxFeatures: number;
  /** `balanced`: a row of label k weighs rows / (labels · rows of k), as scikit-learn. */
  readonly classWeight: "none" | "balanced";
  /**
   * The values of C to choose from, ascending: the inverse strength of the L2 regularisation, as in scikit-learn. The search starts in the
   * middle and goes up, then down, while the log loss falls.
   */
  readonly grid: readonly number[];
  /** Passes over the rows, at most. */
  readonly maxEpochs: number;
  /**
   * A fit ends when a pass moves the rows less than this: the mean over the rows of the step in the row's own score.
   * Smaller changes no accuracy that can be measured (bench/linear/README.md).
   */
  readonly tolerance: number;
  /** The same while C is being chosen. */
  readonly searchTolerance: number;
}

export const MANY_ROWS = 2000;

export const defaultOptions: LinearOptions = {
  wordNgrams: 2,
  characterNgrams: [2, 5],
  minRows: "auto",
  maxFeatures: 500_000,
  classWeight: "none",
  grid: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000],
  maxEpochs: 30,
  tolerance: 0.4,
  searchTolerance: 1,
};

/** What a long computation tells its caller: `done` of `total` of one step (in any unit). */
export interface Progress {
  step: "features" | "search" | "fit" | "folds";
  done: number;
  total: number;
}

export interface RunOptions {
  /** Worker threads; results are the same for any number. */
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}
