/**
 * The two inner loops of the linear engine as WebAssembly SIMD: the scores of one sparse row for every label, and the
 * update of the weights by one sparse row. They take about 90 % of a fit; 128-bit SIMD makes them several times faster
 * than the same loops in JavaScript (figures in bench/linear/README.md).
 *
 * The module is generated here, byte by byte, for one number of labels (the loop over labels is unrolled into blocks of
 * twenty vectors that stay near the registers), so that no compiler or binary file belongs to the build. Encoding:
 * https://webassembly.github.io/spec/core/binary/. Only plain SIMD (`f32x4.mul`, `f32x4.add`) is used, no relaxed
 * instruction, so that every machine computes the same bits.
 */

/** The little of the WebAssembly JavaScript interface used here (TypeScript has it only in its DOM library). */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
};

/** Bytes kept free before the scratch rows; address 0 is never used. */
const HEADER_BYTES = 64;
/** Most bytes a WebAssembly memory may have. */
const MAX_MEMORY_BYTES = 65536 * 65536;
const PAGE_BYTES = 65536;
const BLOCK_VECTORS = 20;

/** One set of weights in memory with the kernels that work on it. A row of `weights` is one feature, padded to `stride` labels. */
export interface Kernel {
  /** Columns (feature numbers) of the current row: fill the first `n`. */
  readonly columns: Int32Array;
  /** Values of the current row, beside `columns`. */
  readonly values: Float32Array;
  /** Scores of the last `scores` call; the padding lanes stay 0. */
  readonly output: Float32Array;
  /** Multipliers that `update` reads. */
  readonly delta: Float32Array;
  /** features × stride. */
  readonly weights: Float32Array;
  /** Labels padded to a multiple of four. */
  readonly stride: number;
  /** output[k] = Σ values[j] · weights[columns[j]][k] over the first `n` entries. */
  scores(n: number): void;
  /** weights[columns[j]][k] += values[j] · delta[k] over the first `n` entries. */
  update(n: number): void;
}

/** Labels padded to whole SIMD vectors. */
export function paddedLabels(labels: number): number {
  return Math.ceil(labels / 4) * 4;
}

/** Number of features whose weights take at most so many bytes. */
export function featuresWithin(bytes: number, labels: number): number {
  return Math.floor(bytes / (paddedLabels(labels) * 4));
}

/**
 * @param features rows of the weight matrix (all 0 at first)
 * @param labels columns of the weight matrix
 * @param rowCapacity most entries one sparse row may have
 * @throws RangeError when the weights do not fit in 4 GiB
 */
export function createKernel(features: number, labels: number, rowCapacity: number): Kernel {
  const stride = paddedLabels(labels);
  const align = (n: number) => Math.ceil(n / 64) * 64;
  const columnsAt = HEADER_BYTES;
  const valuesAt = align(columnsAt + rowCapacity * 4);
  const outputAt = align(valuesAt + rowCapacity * 4);
  const deltaAt = align(outputAt + stride * 4);
  const weightsAt = align(deltaAt + stride * 4);
  const bytes = weightsAt + features * stride * 4;
  if (bytes > MAX_MEMORY_BYTES) {
    throw new RangeError(
      `${features} features × ${labels} labels do not fit in memory: lower the number of features or of labels.`,
    );
  }
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(encodeModule({ stride, columnsAt, valuesAt, outputAt, deltaAt, weightsAt }));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return {
    columns: new Int32Array(memory.buffer, columnsAt, rowCapacity),
    values: new Float32Array(memory.buffer, valuesAt, rowCapacity),
    output: new Float32Array(memory.buffer, outputAt, stride),
    delta: new Float32Array(memory.buffer, deltaAt, stride),
    weights: new Float32Array(memory.buffer, weightsAt, features * stride),
    stride,
    scores: exports.scores as (n: number) => void,
    update: exports.update as (n: number) => void,
  };
}

interface Layout {
  stride: number;
  columnsAt: number;
  valuesAt: number;
  outputAt: number;
  deltaAt: number;
  weightsAt: number;
}

// Locals of both functions: the parameter n, then these.
const N = 0;
const CURSOR = 1;
const END = 2;
const BASE = 3;
const VALUE = 4;
const FIRST_VECTOR = 5;

const I32 = 0x7f;
const V128 = 0x7b;
const EMPTY_BLOCK = 0x40;

function encodeModule(layout: Layout): Uint8Array<ArrayBuffer> {
  const functionType = [0x60, 1, I32, 0];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([functionType])),
    ...section(2, vector([[...name("env"), ...name("memory"), 0x02, 0x00, ...unsigned(1)]])),
    ...section(3, vector([[0], [0]])),
    ...section(
      7,
      vector([
        [...name("scores"), 0x00, 0],
        [...name("update"), 0x00, 1],
      ]),
    ),
    ...section(10, vector([functionBody(layout, scoresBlock), functionBody(layout, updateBlock)])),
  ]);
}

function functionBody(layout: Layout, block: (layout: Layout, first: number, count: number) => number[]): number[] {
  const vectors = layout.stride / 4;
  const code: number[] = [];
  for (let first = 0; first < vectors; first += BLOCK_VECTORS) {
    code.push(...block(layout, first, Math.min(BLOCK_VECTORS, vectors - first)));
  }
  const locals = vector([
    [...unsigned(3), I32],
    [...unsigned(1 + BLOCK_VECTORS), V128],
  ]);
  const body = [...locals, ...code, 0x0b];
  return [...unsigned(body.length), ...body];
}

/** for each entry: acc[i] += value · weights[base][i]; then store the accumulators. */
function scoresBlock(layout: Layout, first: number, count: number): number[] {
  const at = layout.weightsAt + first * 16;
  const zero: number[] = [];
  const body: number[] = [];
  const store: number[] = [];
  for (let i = 0; i < count; i++) {
    const acc = FIRST_VECTOR + i;
    zero.push(...simd(12), ...new Array<number>(16).fill(0), ...localSet(acc));
    body.push(...localGet(acc), ...localGet(VALUE), ...localGet(BASE), ...loadVector(at + i * 16));
    body.push(...simd(230), ...simd(228), ...localSet(acc));
    store.push(...i32Const(0), ...localGet(acc), ...storeVector(layout.outputAt + (first + i) * 16));
  }
  return [...zero, ...forEachEntry(layout, body), ...store];
}

/** load delta; for each entry: weights[base][i] += value · delta[i]. */
function updateBlock(layout: Layout, first: number, count: number): number[] {
  const at = layout.weightsAt + first * 16;
  const load: number[] = [];
  const body: number[] = [];
  for (let i = 0; i < count; i++) {
    const delta = FIRST_VECTOR + i;
    load.push(...i32Const(0), ...loadVector(layout.deltaAt + (first + i) * 16), ...localSet(delta));
    body.push(...localGet(BASE), ...localGet(BASE), ...loadVector(at + i * 16), ...localGet(VALUE), ...localGet(delta));
    body.push(...simd(230), ...simd(228), ...storeVector(at + i * 16));
  }
  return [...load, ...forEachEntry(layout, body)];
}

/** cursor = 0; end = 4n; while cursor < end: base = 4·stride·columns[cursor]; value = splat(values[cursor]); body; cursor += 4 */
function forEachEntry(layout: Layout, body: number[]): number[] {
  return [
    ...[...i32Const(0), ...localSet(CURSOR)],
    ...[...localGet(N), ...i32Const(4), 0x6c, ...localSet(END)],
    ...[0x02, EMPTY_BLOCK, 0x03, EMPTY_BLOCK],
    ...[...localGet(CURSOR), ...localGet(END), 0x4f, 0x0d, 1],
    ...[
      ...localGet(CURSOR),
      0x28,
      2,
      ...unsigned(layout.columnsAt),
      ...i32Const(layout.stride * 4),
      0x6c,
      ...localSet(BASE),
    ],
    ...[...localGet(CURSOR), ...simd(9), 2, ...unsigned(layout.valuesAt), ...localSet(VALUE)],
    ...body,
    ...[...localGet(CURSOR), ...i32Const(4), 0x6a, ...localSet(CURSOR)],
    ...[0x0c, 0, 0x0b, 0x0b],
  ];
}

const localGet = (index: number) => [0x20, index];
const localSet = (index: number) => [0x21, index];
const i32Const = (value: number) => [0x41, ...signed(value)];
const simd = (opcode: number) => [0xfd, ...unsigned(opcode)];
const loadVector = (offset: number) => [...simd(0), 4, ...unsigned(offset)];
const storeVector = (offset: number) => [...simd(11), 4, ...unsigned(offset)];

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: number[][]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text, "ascii")];
}

/** LEB128, unsigned. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** LEB128, signed; only used for values of at least 0. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest];
}
