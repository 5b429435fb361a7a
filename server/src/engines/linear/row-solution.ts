import type { Kernel } from "./kernel.ts";
import * as wasm from "./wasm.ts";

/**
 * The dual variables of one row given all others: α = softmax(v − qα) on the simplex, with v = z + q α_old.
 *
 * Each qαₖ is ω(vₖ + ln q − τ), with ω the Wright omega function (ω + ln ω = x) and τ, the log normaliser, the root of Σ ω = q,
 * found by Newton's method: the sum is convex and falls with τ, so it converges from anywhere. The sums over labels run four labels
 * at a time in WebAssembly, in float32; Newton's few steps run here.
 *
 * @param kernel holds the scores z and α_old; receives α and delta = −c (α − α_old)
 * @param q c times the squared length of the row
 * @param start τ of the row's last solution; NaN when there is none
 * @returns τ, and ½ Σ |α − α_old|
 */
export function solveRow(
  kernel: Kernel,
  { q, c, start }: { q: number; c: number; start: number },
): { tau: number; movement: number } {
  const logQ = Math.log(q);
  let tau = Number.isNaN(start) ? lowerBound(kernel, q) : start;
  let origin = Number.NaN;
  for (let iteration = 1; ; iteration++) {
    // Exponentials are made once and follow τ by a factor, as long as that keeps them well inside float32.
    if (!(Math.abs(tau - origin) < FARTHEST)) {
      origin = tau;
      kernel.prepare(q, logQ - origin);
    }
    const sum = kernel.evaluate(Math.exp(origin - tau), logQ - tau);
    const step = (sum - q) / kernel.slope();
    // From far above the root, where all ω vanish, Newton's step shoots far below it.
    tau = step < -FARTHEST ? lowerBound(kernel, q) : tau + step;
    // When small enough, the Taylor series of ω(x − step) in `finish` stands for another evaluation, right to 1e-4.
    if (Math.abs(step) < 0.05 || iteration === MOST_STEPS) return { tau, movement: kernel.finish(step, 1 / q, -c) / 2 };
  }
}

const FARTHEST = 20;
const MOST_STEPS = 50;

/** τ is at least max v − q: there a single label's ω is already q. */
function lowerBound({ labels, output, alpha }: Kernel, q: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < labels; k++) largest = Math.max(largest, output[k]! + q * alpha[k]!);
  return largest - q;
}

export interface SolutionLayout {
  stride: number;
  outputAt: number;
  deltaAt: number;
  alphaAt: number;
  targetAt: number;
  exponentialAt: number;
  omegaAt: number;
  /** 1 for labels, 0 for the padding. */
  maskAt: number;
}

/** Where {@link lambertW} holds; beyond it ω comes from its logarithm. */
const LAMBERT_LIMIT = 8;

/** The functions `prepare`, `evaluate`, `slope` and `finish` of a {@link Kernel}. */
export function rowSolution(layout: SolutionLayout): wasm.FunctionSource[] {
  return [prepare(layout), evaluate(layout), slope(layout), finish(layout)];
}

const V = wasm.V128;

/** (q, shift = ln q − τ): target = z + q α; exponential = exp(target + shift), 0 in the padding. */
function prepare({ stride, outputAt, alphaAt, targetAt, exponentialAt, maskAt }: SolutionLayout): wasm.FunctionSource {
  const [q, shift, at, qs, shifts, v, x, n, r] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
  const here = wasm.get(at);
  const code = [
    ...wasm.set(qs, wasm.splat(wasm.get(q))),
    ...wasm.set(shifts, wasm.splat(wasm.get(shift))),
    ...forEachVector(stride, at, [
      ...wasm.set(v, wasm.add(wasm.load(here, outputAt), wasm.multiply(wasm.get(qs), wasm.load(here, alphaAt)))),
      ...wasm.store(here, targetAt, wasm.get(v)),
      ...wasm.set(x, wasm.add(wasm.get(v), wasm.get(shifts))),
      ...exponential(x, n, r),
      ...wasm.store(here, exponentialAt, wasm.multiply(wasm.get(x), wasm.load(here, maskAt))),
    ]),
  ];
  return { name: "prepare", parameters: [wasm.F32, wasm.F32], locals: [wasm.I32, V, V, V, V, V, V], code };
}

/**
 * (factor, shift = ln q − τ): omega = ω(target + shift), where factor takes the exponentials from the τ they were made at to this one.
 * Returns Σ omega; the slope −dΣ/dτ = Σ omega / (1 + omega) is read with `slope`.
 */
function evaluate(layout: SolutionLayout): wasm.FunctionSource {
  const { stride, targetAt, exponentialAt, omegaAt } = layout;
  const [factor, shift, at, factors, shifts, sum, slopes, e, w, x, log, mask, scratch] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  ] as const;
  const here = wasm.get(at);
  const code = [
    ...wasm.set(factors, wasm.splat(wasm.get(factor))),
    ...wasm.set(shifts, wasm.splat(wasm.get(shift))),
    ...wasm.set(sum, wasm.constant(0)),
    ...wasm.set(slopes, wasm.constant(0)),
    ...forEachVector(stride, at, [
      ...wasm.set(e, wasm.multiply(wasm.load(here, exponentialAt), wasm.get(factors))),
      ...wasm.set(mask, wasm.lessThan(wasm.constant(LAMBERT_LIMIT), wasm.get(e))),
      ...wasm.set(w, lambertW(wasm.minimum(wasm.get(e), wasm.constant(LAMBERT_LIMIT)), scratch)),
      // Few labels are this probable, so most vectors skip this.
      ...wasm.ifThen(wasm.anyTrue(wasm.get(mask)), [
        ...wasm.set(x, wasm.maximum(wasm.add(wasm.load(here, targetAt), wasm.get(shifts)), wasm.constant(2))),
        ...largeOmega(x, log, e, scratch),
        ...wasm.set(w, wasm.select(wasm.get(e), wasm.get(w), wasm.get(mask))),
      ]),
      ...wasm.store(here, omegaAt, wasm.get(w)),
      ...wasm.set(sum, wasm.add(wasm.get(sum), wasm.get(w))),
      ...wasm.set(
        slopes,
        wasm.add(wasm.get(slopes), wasm.divide(wasm.get(w), wasm.add(wasm.constant(1), wasm.get(w)))),
      ),
    ]),
    ...wasm.store(wasm.i32(0), SLOPE_AT, wasm.get(slopes)),
    ...wasm.laneSum(sum),
  ];
  const locals = [wasm.I32, V, V, V, V, V, V, V, V, V, V];
  return { name: "evaluate", parameters: [wasm.F32, wasm.F32], result: wasm.F32, locals, code };
}

/** A place in the kernel's header for the four partial slopes. */
const SLOPE_AT = 16;

function slope(_: SolutionLayout): wasm.FunctionSource {
  const code = [...wasm.set(0, wasm.load(wasm.i32(0), SLOPE_AT)), ...wasm.laneSum(0)];
  return { name: "slope", parameters: [], result: wasm.F32, locals: [V], code };
}

/** (step, 1/q, −c): alpha = ω(x − step) / q by Taylor's series; delta = −c · its change. Returns Σ |change|. */
function finish({ stride, alphaAt, deltaAt, omegaAt }: SolutionLayout): wasm.FunctionSource {
  const [step, inverseQ, minusC, at, steps, inverses, cs, total, w, p, s, change] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ] as const;
  const here = wasm.get(at);
  const one = wasm.constant(1);
  const code = [
    ...wasm.set(steps, wasm.splat(wasm.get(step))),
    ...wasm.set(inverses, wasm.splat(wasm.get(inverseQ))),
    ...wasm.set(cs, wasm.splat(wasm.get(minusC))),
    ...wasm.set(total, wasm.constant(0)),
    ...forEachVector(stride, at, [
      ...wasm.set(w, wasm.load(here, omegaAt)),
      // ω(x − step) = ω (1 − s (1 − s / 2(1 + ω))) with s = step / (1 + ω), to second order
      ...wasm.set(p, wasm.divide(one, wasm.add(one, wasm.get(w)))),
      ...wasm.set(s, wasm.multiply(wasm.get(steps), wasm.get(p))),
      ...wasm.set(p, wasm.multiply(wasm.multiply(wasm.get(s), wasm.get(p)), wasm.constant(0.5))),
      ...wasm.set(
        w,
        wasm.multiply(
          wasm.multiply(wasm.get(w), wasm.get(inverses)),
          wasm.subtract(one, wasm.multiply(wasm.get(s), wasm.subtract(one, wasm.get(p)))),
        ),
      ),
      ...wasm.set(change, wasm.subtract(wasm.get(w), wasm.load(here, alphaAt))),
      ...wasm.store(here, alphaAt, wasm.get(w)),
      ...wasm.store(here, deltaAt, wasm.multiply(wasm.get(cs), wasm.get(change))),
      ...wasm.set(total, wasm.add(wasm.get(total), wasm.absolute(wasm.get(change)))),
    ]),
    ...wasm.laneSum(total),
  ];
  const parameters = [wasm.F32, wasm.F32, wasm.F32];
  const locals = [wasm.I32, V, V, V, V, V, V, V, V];
  return { name: "finish", parameters, result: wasm.F32, locals, code };
}

function forEachVector(stride: number, at: number, body: wasm.Code): wasm.Code {
  return [
    ...wasm.set(at, wasm.i32(0)),
    ...wasm.loopWhileBelow(at, wasm.i32(stride * 4), [
      ...body,
      ...wasm.set(at, wasm.i32Add(wasm.get(at), wasm.i32(16))),
    ]),
  ];
}

/** c0 + x (c1 + x (c2 + …)) */
function polynomial(x: wasm.Code, coefficients: readonly number[]): wasm.Code {
  const [last, ...rest] = coefficients.toReversed();
  return rest.reduce<wasm.Code>(
    (sum, coefficient) => wasm.add(wasm.multiply(sum, x), wasm.constant(coefficient)),
    wasm.constant(last!),
  );
}

/** Replaces local x by exp(x), kept between exp(−40) and exp(87) (Cephes expf: exp(n ln 2) by its exponent bits, the rest by a polynomial). */
function exponential(x: number, n: number, r: number): wasm.Code {
  const clamped = wasm.maximum(wasm.minimum(wasm.get(x), wasm.constant(87)), wasm.constant(-40));
  const reduced = wasm.subtract(
    wasm.subtract(wasm.get(x), wasm.multiply(wasm.get(n), wasm.constant(0.693359375))),
    wasm.multiply(wasm.get(n), wasm.constant(-2.1219444e-4)),
  );
  const exponent = wasm.shiftLeft(wasm.integersAdd(wasm.toIntegers(wasm.get(n)), wasm.integers(127)), 23);
  const coefficients = [
    1, 1, 0.50000001201, 0.16666665459, 0.041665795894, 0.0083334519073, 0.0013981999507, 1.98756915e-4,
  ];
  return [
    ...wasm.set(x, clamped),
    ...wasm.set(n, wasm.nearest(wasm.multiply(wasm.get(x), wasm.constant(Math.LOG2E)))),
    ...wasm.set(r, reduced),
    ...wasm.set(x, wasm.multiply(polynomial(wasm.get(r), coefficients), exponent)),
  ];
}

/** Lambert's W (W exp W = e) for 0 ≤ e ≤ 8, to 8e-7 relative: a rational fit of W(e) / e by weighted least squares. */
function lambertW(e: wasm.Code, scratch: number): wasm.Code {
  const x = wasm.get(scratch);
  const numerator = [0.999999233, 2.523215957, 1.418268494, 0.1539412151, 0.0007619564259];
  const denominator = [1, 3.523123757, 3.443149028, 0.9651904999, 0.05425665848];
  return [
    ...wasm.set(scratch, e),
    ...wasm.divide(wasm.multiply(x, polynomial(x, numerator)), polynomial(x, denominator)),
  ];
}

/**
 * ω(x) for x ≥ 2 into `result`: x − ln x + ln x / x and one iteration of Lawrence, Corless & Jeffrey, "Algorithm 917" (2012).
 */
function largeOmega(x: number, log: number, result: number, scratch: number): wasm.Code {
  const [X, L, W] = [wasm.get(x), wasm.get(log), wasm.get(result)];
  const p = wasm.add(W, wasm.constant(1));
  // After the first lines, log holds r and scratch holds t.
  const t = wasm.multiply(p, wasm.add(p, wasm.multiply(L, wasm.constant(2 / 3))));
  const T = wasm.get(scratch);
  const correction = wasm.multiply(
    wasm.divide(L, p),
    wasm.divide(wasm.subtract(T, wasm.multiply(L, wasm.constant(0.5))), wasm.subtract(T, L)),
  );
  return [
    ...logarithm(x, log, scratch),
    ...wasm.set(result, wasm.add(wasm.subtract(X, L), wasm.divide(L, X))),
    ...logarithm(result, log, scratch),
    ...wasm.set(log, wasm.subtract(wasm.subtract(X, W), L)),
    ...wasm.set(scratch, t),
    ...wasm.set(result, wasm.multiply(W, wasm.add(wasm.constant(1), correction))),
  ];
}

/** ln x of a positive local x into `log`: the exponent, and 2 artanh((m − 1) / (m + 1)) for the mantissa m in [1, 2). */
function logarithm(x: number, log: number, scratch: number): wasm.Code {
  const mantissa = wasm.or(wasm.and(wasm.get(x), wasm.integers(0x7fffff)), wasm.constant(1));
  const exponent = wasm.fromIntegers(wasm.integersSubtract(wasm.shiftRight(wasm.get(x), 23), wasm.integers(127)));
  const S = wasm.get(scratch);
  const series = polynomial(wasm.multiply(S, S), [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11]);
  return [
    ...wasm.set(scratch, mantissa),
    ...wasm.set(scratch, wasm.divide(wasm.subtract(S, wasm.constant(1)), wasm.add(S, wasm.constant(1)))),
    ...wasm.set(log, wasm.add(wasm.multiply(S, series), wasm.multiply(exponent, wasm.constant(Math.LN2)))),
  ];
}
