import { createKernel, type Kernel } from "./kernel.ts";
import { seededRandom, shuffle } from "./random.ts";
import type { TermCounts } from "./term-counts.ts";
import { type Weighting, weighRow } from "./weighting.ts";

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
  readonly counts: TermCounts;
  readonly weighting: Weighting;
  /** Rows fitted on. */
  readonly rows: Int32Array;
  /** Label of every row of `counts` (those not in `rows` are not read). */
  readonly labels: Int32Array;
  readonly classes: number;
  /** Weight of each of `rows` in the loss, by position; all 1 when absent. */
  readonly weights?: Float32Array;
  readonly seed: number;
}

/** The value of the feature that every row has: its weights are the intercepts. They are regularised like the others. */
export const BIAS = 1;

export class Solver {
  readonly kernel: Kernel;
  private readonly problem: Problem;
  private readonly alpha: Float32Array;
  private readonly logNormaliser: Float32Array;
  private readonly order: Int32Array;
  private readonly random: () => number;
  private readonly target: Float64Array;
  private readonly omega: Float64Array;
  private c = 0;

  constructor(problem: Problem) {
    const { rows, classes, weighting, counts, labels } = problem;
    this.problem = problem;
    this.kernel = createKernel(weighting.idf.length + 1, classes, counts.longestRow + 1);
    this.alpha = new Float32Array(rows.length * classes);
    for (let i = 0; i < rows.length; i++) this.alpha[i * classes + labels[rows[i]!]!] = 1;
    this.logNormaliser = new Float32Array(rows.length).fill(Number.NaN);
    this.order = Int32Array.from(rows, (_, i) => i);
    this.random = seededRandom(problem.seed);
    this.target = new Float64Array(classes);
    this.omega = new Float64Array(classes);
  }

  /** Keeps α: the weights scale with it. */
  private setC(c: number): void {
    if (this.c !== 0) {
      const scale = c / this.c;
      const { weights } = this.kernel;
      for (let i = 0; i < weights.length; i++) weights[i]! *= scale;
    }
    this.c = c;
  }

  /**
   * Fits at one C, starting from what was fitted before.
   * @param checkpoint told the share done (0 to 1); may throw to stop
   * @returns passes made
   */
  fit(c: number, limits: { maxEpochs: number; tolerance: number }, checkpoint: (done: number) => void): number {
    this.setC(c);
    for (let epoch = 0; epoch < limits.maxEpochs; epoch++) {
      const movement = this.epoch((part) => checkpoint((epoch + part) / limits.maxEpochs));
      if (movement < limits.tolerance) return epoch + 1;
    }
    return limits.maxEpochs;
  }

  /** The weights without the padding: (features + 1) × classes. */
  unpaddedWeights(): Float32Array<ArrayBuffer> {
    const { weights, stride } = this.kernel;
    const { classes } = this.problem;
    const rows = weights.length / stride;
    const result = new Float32Array(rows * classes);
    for (let row = 0; row < rows; row++) {
      result.set(weights.subarray(row * stride, row * stride + classes), row * classes);
    }
    return result;
  }

  /** Visits every row once, in a fresh random order; returns the mean over the rows of ½ Σₖ |change of αₖ| (0 at the optimum). */
  private epoch(checkpoint: (part: number) => void): number {
    const { rows } = this.problem;
    shuffle(this.order, this.random);
    let movement = 0;
    for (let n = 0; n < rows.length; n++) {
      if (n % 64 === 0) checkpoint(n / rows.length);
      movement += this.visit(this.order[n]!);
    }
    return movement / rows.length;
  }

  private visit(i: number): number {
    const { problem, kernel, alpha, target, omega } = this;
    const { classes, weights } = problem;
    const { output, delta } = kernel;
    const n = fillRow(problem.counts, problem.weighting, problem.rows[i]!, kernel);
    kernel.scores(n);
    const c = this.c * (weights ? weights[i]! : 1);
    if (c === 0) return 0;
    // Every row has length 1, and the bias beside it; a row without a known term has the bias alone.
    const q = c * ((n > 1 ? 1 : 0) + BIAS * BIAS);
    const at = i * classes;
    for (let k = 0; k < classes; k++) target[k] = output[k]! + q * alpha[at + k]!;
    this.logNormaliser[i] = solveRow(target, q, this.logNormaliser[i]!, omega);
    let movement = 0;
    for (let k = 0; k < classes; k++) {
      const next = omega[k]! / q;
      const change = next - alpha[at + k]!;
      alpha[at + k] = next;
      delta[k] = -c * change;
      movement += Math.abs(change);
    }
    kernel.update(n);
    return movement / 2;
  }
}

/** Puts a row and the bias into the kernel; returns the number of entries. */
export function fillRow(counts: TermCounts, weighting: Weighting, row: number, kernel: Kernel): number {
  const n = weighRow(counts, weighting, row, kernel.columns, kernel.values);
  kernel.columns[n] = weighting.idf.length;
  kernel.values[n] = BIAS;
  return n + 1;
}

/**
 * Solves α = softmax(v − qα) on the simplex. Each qαₖ is ω(vₖ + ln q − τ), with ω the Wright omega function (ω + ln ω = x) and τ, the log
 * normaliser, the root of Σ ω = q, found by Newton's method: the sum is convex and falls with τ, so it converges from anywhere.
 * @param omega receives qα
 * @returns τ
 */
export function solveRow(v: Float64Array, q: number, start: number, omega: Float64Array): number {
  const classes = v.length;
  const logQ = Math.log(q);
  let tau = start;
  if (Number.isNaN(tau)) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, v[k]!);
    tau = largest - q;
  }
  for (let iteration = 0; iteration < 50; iteration++) {
    let sum = 0;
    let slope = 0;
    for (let k = 0; k < classes; k++) {
      const w = wrightOmega(v[k]! + logQ - tau);
      omega[k] = w;
      sum += w;
      slope += w / (1 + w);
    }
    const step = (sum - q) / slope;
    tau += step;
    if (Math.abs(step) < 0.01) {
      // Small enough for the first-order change of ω to stand for another evaluation.
      for (let k = 0; k < classes; k++) {
        const w = omega[k]!;
        omega[k] = Math.max(0, w - (w / (1 + w)) * step);
      }
      break;
    }
  }
  return tau;
}

/** ω with ω + ln ω = x, to about 1e-7 relative (Lawrence, Corless & Jeffrey, "Algorithm 917", 2012, one iteration). */
export function wrightOmega(x: number): number {
  if (x < -4) {
    const e = Math.exp(x);
    return e * (1 - e * (1 - e * (1.5 - e * (8 / 3))));
  }
  let w: number;
  if (x < 1) {
    const e = Math.exp(x);
    // ω(x) between its series at −∞ and ω(1) = 1
    w = e / (1 + e * 0.7);
    if (x > -1) w = 0.5671432904 + 0.3618962567 * x + 0.0736778 * x * x;
  } else {
    const l = Math.log(x);
    w = x - l + l / x;
    if (x < 4) w = 1 + (x - 1) / 2 + ((x - 1) * (x - 1)) / 16;
  }
  const r = x - w - Math.log(w);
  const p = 1 + w;
  const t = p * (p + (2 / 3) * r);
  return w * (1 + (r / p) * ((t - r / 2) / (t - r)));
}
