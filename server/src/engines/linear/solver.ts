import { createKernel, type Kernel } from "./kernel.ts";
import { seededRandom, shuffle } from "./random.ts";
import { solveRow } from "./row-solution.ts";
import type { WeightedRows } from "./weighting.ts";

/**
 * Multinomial logistic regression by dual coordinate ascent.
 *
 * Minimises ½‖W‖² + Σᵢ cᵢ (log Σₖ exp(zᵢₖ) − zᵢ,yᵢ) with zᵢ = W xᵢ and cᵢ = C · weightᵢ (scikit-learn's C). Its dual has one
 * probability vector αᵢ a row; W = Σᵢ cᵢ (e_yᵢ − αᵢ) xᵢᵀ, and at the optimum αᵢ = softmax(zᵢ). One row is visited at a
 * time and its αᵢ set to the exact optimum given all others (Yu, Huang & Lin, "Dual coordinate descent methods for
 * logistic regression and maximum entropy models", Machine Learning 85, 2011; Shalev-Shwartz & Zhang, SDCA, 2013), so there is no step
 * size to tune, the regularisation costs nothing, and α of one C starts the next C.
 */
export interface Problem {
  readonly rows: WeightedRows;
  readonly features: number;
  /** By row. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** By row: weight in the loss; absent: all 1. */
  readonly weights?: Float32Array;
  /** Most entries a row has, the bias counted. */
  readonly rowCapacity: number;
  readonly seed: number;
}

/**
 * The value of the feature that every row has: its weights are the intercepts, regularised like the others. Below 1, because rows that share
 * a large feature disturb each other: 0.3 halves the passes needed (bench/linear/README.md) and still lets the intercepts grow freely.
 */
export const BIAS = 0.3;

export class Solver {
  readonly kernel: Kernel;
  private readonly problem: Problem;
  private readonly alpha: Float32Array;
  private readonly logNormaliser: Float32Array;
  private readonly order: Int32Array;
  private readonly random: () => number;
  private c = 0;

  constructor(problem: Problem) {
    const { features, classes, labels, rowCapacity } = problem;
    this.problem = problem;
    this.kernel = createKernel(features + 1, classes, rowCapacity);
    this.alpha = new Float32Array(labels.length * classes);
    for (let i = 0; i < labels.length; i++) this.alpha[i * classes + labels[i]!] = 1;
    this.logNormaliser = new Float32Array(labels.length).fill(Number.NaN);
    this.order = Int32Array.from(labels, (_, i) => i);
    this.random = seededRandom(problem.seed);
  }

  /** The dual variables as they stand: rows × classes. */
  dualVariables(): Float32Array<ArrayBuffer> {
    return this.alpha.slice();
  }

  /**
   * Before the first `fit`: starts from dual variables that another fit has found at this C for some of the rows; the others
   * stay at their given labels, where they add nothing to the weights.
   * @param positions the rows they are of, by position in this problem
   * @param alpha positions × classes
   */
  startFrom(c: number, positions: Int32Array, alpha: Float32Array): void {
    const { kernel, problem } = this;
    const { classes, labels, weights } = problem;
    for (const [n, i] of positions.entries()) {
      const own = alpha.subarray(n * classes, (n + 1) * classes);
      this.alpha.set(own, i * classes);
      const entries = loadRow(problem.rows, i, kernel);
      const weight = c * (weights ? weights[i]! : 1);
      for (let k = 0; k < classes; k++) kernel.delta[k] = weight * ((k === labels[i] ? 1 : 0) - own[k]!);
      kernel.update(entries);
    }
    this.c = c;
  }

  /**
   * Moves to another C with α still on the simplex. Up: the weights stay, and α moves towards the given label, which is where
   * a larger C takes it. Down: α stays, and the weights shrink with C.
   */
  private setC(c: number): void {
    const ratio = this.c / c;
    if (ratio > 1) {
      const { weights } = this.kernel;
      for (let i = 0; i < weights.length; i++) weights[i]! /= ratio;
    } else if (ratio > 0 && ratio < 1) {
      const { alpha } = this;
      const { labels, classes } = this.problem;
      for (let i = 0; i < alpha.length; i++) alpha[i]! *= ratio;
      for (let i = 0; i < labels.length; i++) alpha[i * classes + labels[i]!]! += 1 - ratio;
    }
    this.c = c;
  }

  /**
   * Fits at one C, starting from what was fitted before, until a pass moves the scores less than the tolerance
   * (and probabilities less than 0.02, which matters where C is small).
   * @param checkpoint told the share done (0 to 1); may throw to stop
   * @returns passes made
   */
  fit(c: number, limits: { maxEpochs: number; tolerance: number }, checkpoint: (done: number) => void): number {
    const fresh = this.c === 0;
    this.setC(c);
    for (let epoch = 0; epoch < limits.maxEpochs; epoch++) {
      const movement = this.epoch((part) => checkpoint((epoch + part) / limits.maxEpochs));
      // The first pass over fresh weights says little.
      const settled = movement * Math.max(20, c * (1 + BIAS * BIAS)) < limits.tolerance;
      if (settled && (epoch > 0 || !fresh)) return epoch + 1;
    }
    return limits.maxEpochs;
  }

  /** Visits every row once, in a fresh random order; returns the mean over the rows of ½ Σₖ |change of αₖ| (0 at the optimum). */
  private epoch(checkpoint: (part: number) => void): number {
    const rows = shuffle(this.order, this.random);
    let movement = 0;
    for (let n = 0; n < rows.length; n++) {
      if (n % 64 === 0) checkpoint(n / rows.length);
      movement += this.visit(rows[n]!);
    }
    return movement / rows.length;
  }

  private visit(i: number): number {
    const { problem, kernel, alpha } = this;
    const { classes, weights } = problem;
    const n = loadRow(problem.rows, i, kernel);
    kernel.scores(n);
    const c = this.c * (weights ? weights[i]! : 1);
    if (c === 0) return 0;
    // Every row has length 1, and the bias beside it; a row without a known term has the bias alone.
    const q = c * ((n > 1 ? 1 : 0) + BIAS * BIAS);
    const own = alpha.subarray(i * classes, (i + 1) * classes);
    kernel.alpha.set(own);
    const { tau, movement } = solveRow(kernel, { q, c, start: this.logNormaliser[i]! });
    this.logNormaliser[i] = tau;
    for (let k = 0; k < classes; k++) own[k] = kernel.alpha[k]!;
    kernel.update(n);
    return movement;
  }
}

/** Puts row i and the bias into the kernel; returns the number of entries. */
export function loadRow({ starts, columns, values }: WeightedRows, i: number, kernel: Kernel): number {
  const from = starts[i]!;
  const n = starts[i + 1]! - from;
  for (let j = 0; j < n; j++) {
    kernel.columns[j] = columns[from + j]!;
    kernel.values[j] = values[from + j]!;
  }
  kernel.columns[n] = kernel.weights.length / kernel.stride - 1;
  kernel.values[n] = BIAS;
  return n + 1;
}
