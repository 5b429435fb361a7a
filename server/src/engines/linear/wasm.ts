/**
 * The few bytes of WebAssembly that the kernels are made of (https://webassembly.github.io/spec/core/binary/). Code is a list of bytes; an
 * expression is code that leaves one value.
 */
export type Code = readonly number[];

/** The little of the WebAssembly JavaScript interface used here (TypeScript has it only in its DOM library). */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
};

export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
const EMPTY_BLOCK = 0x40;
const PAGE_BYTES = 65536;

/** Most bytes a WebAssembly memory may have (4 GiB). */
export const MAX_MEMORY_BYTES = 65536 * PAGE_BYTES;

export interface FunctionSource {
  name: string;
  parameters: readonly number[];
  result?: number;
  /** Types of the locals after the parameters. */
  locals: readonly number[];
  code: Code;
}

/** Compiles the functions over one new memory of at least `bytes`. */
export function instantiate(functions: readonly FunctionSource[], bytes: number) {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(encode(functions)), { env: { memory } });
  return { buffer: memory.buffer, exports };
}

function encode(functions: readonly FunctionSource[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, result }) => [
    ...[0x60, ...unsigned(parameters.length), ...parameters],
    ...(result === undefined ? [0] : [1, result]),
  ]);
  const bodies = functions.map(({ locals, code }) => {
    const body = [...vector(locals.map((type) => [1, type])), ...code, 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([[...name("env"), ...name("memory"), 0x02, 0x00, ...unsigned(1)]])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map((f, i) => [...name(f.name), 0x00, ...unsigned(i)]))),
    ...section(10, vector(bodies)),
  ]);
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const i32Add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const i32Multiply = (a: Code, b: Code): Code => [...a, ...b, 0x6c];

/** Repeats the body while cursor < end (unsigned); the body moves the cursor. */
export function loopWhileBelow(cursor: number, end: Code, body: Code): Code {
  const leave = [...get(cursor), ...end, 0x4f, 0x0d, 1];
  return [0x02, EMPTY_BLOCK, 0x03, EMPTY_BLOCK, ...leave, ...body, 0x0c, 0, 0x0b, 0x0b];
}

export const ifThen = (condition: Code, body: Code): Code => [...condition, 0x04, EMPTY_BLOCK, ...body, 0x0b];

export const loadI32 = (address: Code, offset: number): Code => [...address, 0x28, 2, ...unsigned(offset)];
export const loadSplat = (address: Code, offset: number): Code => [...address, ...simd(9), 2, ...unsigned(offset)];
export const load = (address: Code, offset: number): Code => [...address, ...simd(0), 4, ...unsigned(offset)];
export const store = (address: Code, offset: number, value: Code): Code => [
  ...[...address, ...value],
  ...[...simd(11), 4, ...unsigned(offset)],
];

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const unary =
  (opcode: number) =>
  (a: Code): Code => [...a, ...simd(opcode)];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];

// Four float32 at once.
export const splat = unary(19);
export const add = binary(228);
export const subtract = binary(229);
export const multiply = binary(230);
export const divide = binary(231);
export const minimum = binary(232);
export const maximum = binary(233);
export const absolute = unary(224);
export const nearest = unary(106);
export const lessThan = binary(67);
export const toIntegers = unary(248);
export const fromIntegers = unary(250);
// Four int32 at once.
export const integersAdd = binary(174);
export const integersSubtract = binary(177);
export const shiftLeft = (a: Code, bits: number): Code => [...a, ...i32(bits), ...simd(171)];
export const shiftRight = (a: Code, bits: number): Code => [...a, ...i32(bits), ...simd(173)];
// Bits.
export const and = binary(78);
export const or = binary(80);
/** Bits of `a` where the mask is set, of `b` elsewhere. */
export const select = (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(82)];
export const anyTrue = unary(83);

/** A vector of four times this float32. */
export const constant = (value: number): Code => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return repeated(bytes);
};
/** A vector of four times this int32. */
export const integers = (value: number): Code => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return repeated(bytes);
};

function repeated(bytes: Uint8Array): Code {
  return [...simd(12), ...bytes, ...bytes, ...bytes, ...bytes];
}

/** The four lanes added up, in a fixed order. */
export const laneSum = (local: number): Code => {
  const lane = (index: number) => [...get(local), ...simd(31), index];
  return [...lane(0), ...lane(1), 0x92, ...lane(2), 0x92, ...lane(3), 0x92];
};

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text, "ascii")];
}

/** LEB128, unsigned. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** LEB128, signed; only used for values of at least 0. */
function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest];
}
