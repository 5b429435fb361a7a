import { rowSolution, type SolutionLayout } from "./row-solution.ts";
import * as wasm from "./wasm.ts";

/**
 * The inner loops of the linear engine as WebAssembly SIMD: the scores of one sparse row for every label, the update of the
 * weights by one sparse row, and the solution of one row's dual variables. Nearly all the time of a fit is spent here; 128-bit
 * SIMD makes it several times faster than the same loops in JavaScript.
 *
 * The module is generated for one number of labels (the loop over labels is unrolled into blocks of twenty vectors, which
 * stay near the registers), so that no compiler or binary file belongs to the build. Only plain SIMD (multiply, then add)
 * is used, no relaxed instruction, so that every machine computes the same bits.
 */
export interface Kernel {
  /** Columns (feature numbers) of the current row: fill the first `n`. */
  readonly columns: Int32Array;
  /** Values of the current row, beside `columns`. */
  readonly values: Float32Array;
  /** Scores of the last `scores` call; the padding lanes stay 0. */
  readonly output: Float32Array;
  /** Multipliers that `update` reads and `finish` writes. */
  readonly delta: Float32Array;
  /** Dual variables of the current row: `prepare` reads, `finish` replaces them. */
  readonly alpha: Float32Array;
  /** features × stride; a row is one feature. */
  readonly weights: Float32Array;
  readonly labels: number;
  /** Labels padded to a multiple of four. */
  readonly stride: number;
  /** output[k] = Σ values[j] · weights[columns[j]][k] over the first `n` entries. */
  scores(n: number): void;
  /** weights[columns[j]][k] += values[j] · delta[k] over the first `n` entries. */
  update(n: number): void;
  /** The three steps of one row's solution: see {@link ./row-solution.ts}. */
  prepare(q: number, shift: number): void;
  evaluate(factor: number, shift: number): number;
  slope(): number;
  finish(step: number, inverseQ: number, minusC: number): number;
}

/** Bytes kept free before the scratch rows; address 0 is never used. */
const HEADER_BYTES = 64;
const BLOCK_VECTORS = 20;

/** Labels padded to whole SIMD vectors. */
export function paddedLabels(labels: number): number {
  return Math.ceil(labels / 4) * 4;
}

/** Number of features whose weights take at most so many bytes. */
export function featuresWithin(bytes: number, labels: number): number {
  return Math.floor(bytes / (paddedLabels(labels) * 4));
}

interface Layout extends SolutionLayout {
  columnsAt: number;
  valuesAt: number;
  weightsAt: number;
}

/**
 * @param features rows of the weight matrix (all 0 at first)
 * @param labels columns of the weight matrix
 * @param rowCapacity most entries one sparse row may have
 * @throws RangeError when the weights do not fit in 4 GiB
 */
export function createKernel(features: number, labels: number, rowCapacity: number): Kernel {
  const stride = paddedLabels(labels);
  let end = HEADER_BYTES;
  const place = (numbers: number) => {
    const at = end;
    end = Math.ceil((at + numbers * 4) / 64) * 64;
    return at;
  };
  const layout: Layout = {
    stride,
    columnsAt: place(rowCapacity),
    valuesAt: place(rowCapacity),
    outputAt: place(stride),
    deltaAt: place(stride),
    alphaAt: place(stride),
    targetAt: place(stride),
    exponentialAt: place(stride),
    omegaAt: place(stride),
    maskAt: place(stride),
    weightsAt: place(features * stride),
  };
  if (end > wasm.MAX_MEMORY_BYTES) {
    throw new RangeError(
      `${features} features × ${labels} labels do not fit in memory: lower the number of features or of labels.`,
    );
  }
  const { buffer, exports } = wasm.instantiate([scores(layout), update(layout), ...rowSolution(layout)], end);
  new Float32Array(buffer, layout.maskAt, labels).fill(1);
  return {
    columns: new Int32Array(buffer, layout.columnsAt, rowCapacity),
    values: new Float32Array(buffer, layout.valuesAt, rowCapacity),
    output: new Float32Array(buffer, layout.outputAt, stride),
    delta: new Float32Array(buffer, layout.deltaAt, stride),
    alpha: new Float32Array(buffer, layout.alphaAt, stride),
    weights: new Float32Array(buffer, layout.weightsAt, features * stride),
    labels,
    stride,
    ...(exports as Pick<Kernel, "scores" | "update" | "prepare" | "evaluate" | "slope" | "finish">),
  };
}

// Locals of scores and update: the parameter n, then these.
const N = 0;
const CURSOR = 1;
const END = 2;
const BASE = 3;
const VALUE = 4;
const FIRST_VECTOR = 5;

const sweepLocals = [wasm.I32, wasm.I32, wasm.I32, wasm.V128, ...new Array<number>(BLOCK_VECTORS).fill(wasm.V128)];

function scores(layout: Layout): wasm.FunctionSource {
  const code = blocks(layout).flatMap(({ first, count }) => {
    const vectors = Array.from({ length: count }, (_, i) => i);
    const accumulator = (i: number) => FIRST_VECTOR + i;
    const weight = (i: number) => wasm.load(wasm.get(BASE), layout.weightsAt + (first + i) * 16);
    return [
      ...vectors.flatMap((i) => wasm.set(accumulator(i), wasm.constant(0))),
      ...forEachEntry(
        layout,
        vectors.flatMap((i) =>
          wasm.set(accumulator(i), wasm.add(wasm.get(accumulator(i)), wasm.multiply(wasm.get(VALUE), weight(i)))),
        ),
      ),
      ...vectors.flatMap((i) => wasm.store(wasm.i32(0), layout.outputAt + (first + i) * 16, wasm.get(accumulator(i)))),
    ];
  });
  return { name: "scores", parameters: [wasm.I32], locals: sweepLocals, code };
}

function update(layout: Layout): wasm.FunctionSource {
  const code = blocks(layout).flatMap(({ first, count }) => {
    const vectors = Array.from({ length: count }, (_, i) => i);
    const delta = (i: number) => FIRST_VECTOR + i;
    const at = (i: number) => layout.weightsAt + (first + i) * 16;
    return [
      ...vectors.flatMap((i) => wasm.set(delta(i), wasm.load(wasm.i32(0), layout.deltaAt + (first + i) * 16))),
      ...forEachEntry(
        layout,
        vectors.flatMap((i) =>
          wasm.store(
            wasm.get(BASE),
            at(i),
            wasm.add(wasm.load(wasm.get(BASE), at(i)), wasm.multiply(wasm.get(VALUE), wasm.get(delta(i)))),
          ),
        ),
      ),
    ];
  });
  return { name: "update", parameters: [wasm.I32], locals: sweepLocals, code };
}

function blocks({ stride }: Layout): { first: number; count: number }[] {
  const vectors = stride / 4;
  return Array.from({ length: Math.ceil(vectors / BLOCK_VECTORS) }, (_, block) => {
    const first = block * BLOCK_VECTORS;
    return { first, count: Math.min(BLOCK_VECTORS, vectors - first) };
  });
}

/** For each of the n entries: base = address of the feature's weights, value = its value four times; then the body. */
function forEachEntry(layout: Layout, body: wasm.Code): wasm.Code {
  const column = wasm.loadI32(wasm.get(CURSOR), layout.columnsAt);
  return [
    ...wasm.set(CURSOR, wasm.i32(0)),
    ...wasm.set(END, wasm.i32Multiply(wasm.get(N), wasm.i32(4))),
    ...wasm.loopWhileBelow(CURSOR, wasm.get(END), [
      ...wasm.set(BASE, wasm.i32Multiply(column, wasm.i32(layout.stride * 4))),
      ...wasm.set(VALUE, wasm.loadSplat(wasm.get(CURSOR), layout.valuesAt)),
      ...body,
      ...wasm.set(CURSOR, wasm.i32Add(wasm.get(CURSOR), wasm.i32(4))),
    ]),
  ];
}
