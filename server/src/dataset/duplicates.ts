/**
 * Duplicates and near-duplicates among rows.
 *
 * Exact: equal after Unicode NFKC, lower case, and with every run of white space and punctuation made one space.
 * Near: Jaccard similarity of the sets of character {@link SHINGLE}-grams of the normalised texts at least
 * {@link NEAR}. Candidates come from locality-sensitive hashing of MinHash signatures (Broder 1997; banding: Leskovec,
 * Rajaraman, Ullman, Mining of Massive Datasets, ch. 3) made by one-permutation hashing (Li, Owen, Zhang 2012) with optimal
 * densification (Shrivastava 2017); each candidate pair is verified on the shingles themselves, so that none is reported
 * by chance. A pair at similarity 0.8 is found with probability 1 − (1 − 0.8^6)^21 = 0.998. Time and memory grow with the
 * number of rows, not of pairs: within a bucket a row is compared with the bucket's first row and its latest.
 */
import { hashBytes, mix } from "./hash.ts";
import type { Pace } from "./pace.ts";
import { buildTextColumn, byteLengthAt, decodeText, type TextColumn, textAt } from "./text-column.ts";
import { disjointSets } from "./union-find.ts";

/** Characters (UTF-16 units) a shingle. */
export const SHINGLE = 5;
/** Jaccard similarity from which two texts are near-duplicates. */
export const NEAR = 0.8;
const BANDS = 21;
const ROWS_A_BAND = 6;
const BINS = BANDS * ROWS_A_BAND;

export interface Duplicates {
  /** Row → the first row with the same normalised inputs (itself when there is none before). */
  exact: Int32Array;
  /** Verified near-duplicates, pairs of such first rows: [a, b, a, b, …], a < b. Enough pairs to connect each cluster. */
  near: Int32Array;
}

/** Finds duplicates among the rows for which `counts` holds; the others are duplicates of nothing. */
export async function findDuplicates(
  inputs: TextColumn[],
  counts: (row: number) => boolean,
  seed: number,
  pace: Pace,
): Promise<Duplicates> {
  const { exact, first, normal } = await findExact(inputs, counts, pace);
  const near = await findNear(first, normal, seed, pace);
  return { exact, near };
}

/** A text as it is compared. */
export function normalise(text: string): string {
  const plain = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{P}\s]+/gu, " ")
    .trim();
  return plain === "" ? text.trim() : plain;
}

const SPACE = 0x20;
/** What {@link normalise} makes of each ASCII character: its lower case, or a space. */
const ASCII = Uint8Array.from({ length: 128 }, (_, code) => normalise(`a${String.fromCharCode(code)}a`).charCodeAt(1));

/** Appends the normalised form of UTF-8 bytes at `to`; returns where it ends. ASCII needs no decoding. */
function normaliseInto(out: Buffer, to: number, bytes: Uint8Array, start: number, end: number): number {
  let at = to;
  let space = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return to + out.write(normalise(decodeText(bytes, start, end)), to, "utf8");
    const code = ASCII[byte]!;
    if (code === SPACE) space = true;
    else {
      if (space && at > to) out[at++] = SPACE;
      space = false;
      out[at++] = code;
    }
  }
  return at > to ? at : to + out.write(normalise(decodeText(bytes, start, end)), to, "utf8");
}

async function findExact(inputs: TextColumn[], counts: (row: number) => boolean, pace: Pace) {
  const rows = inputs[0]?.count ?? 0;
  const exact = new Int32Array(rows);
  /** First rows, and their normalised texts. */
  const first: number[] = [];
  const normal = buildTextColumn();
  const table = hashTable(rows);
  let scratch = Buffer.allocUnsafe(1 << 16);
  for (let i = 0; i < rows; i++) {
    if ((i & 0xff) === 0) await pace();
    exact[i] = i;
    if (!counts(i)) continue;
    let bytes = inputs.length;
    for (const column of inputs) bytes += byteLengthAt(column, i);
    // NFKC makes at most 18 characters of one, UTF-8 at most 3 bytes of a UTF-16 unit.
    if (scratch.length < bytes * 54) scratch = Buffer.allocUnsafe(bytes * 54);
    let end = 0;
    for (const [k, column] of inputs.entries()) {
      if (k > 0) scratch[end++] = UNIT_SEPARATOR;
      end = normaliseInto(scratch, end, column.bytes, column.offsets[i]!, column.offsets[i + 1]!);
    }
    const text = scratch.subarray(0, end);
    const same = table.find(hashBytes(text, 0, end, 1), first.length, (n) => normal.equals(n, text));
    if (same < 0) {
      first.push(i);
      normal.appendBytes(text, 0, end);
    } else exact[i] = first[same]!;
  }
  return { exact, first, normal: normal.finish() };
}
/** Stands between inputs. */
const UNIT_SEPARATOR = 0x1f;

/** Numbers by hash, open addressing. */
function hashTable(capacity: number) {
  let size = 16;
  while (size < capacity * 2) size *= 2;
  const slots = new Int32Array(size).fill(-1);
  const hashes = new Int32Array(size);
  return {
    /** The number under `hash` that `matches`; if none, puts `added` there and returns −1. */
    find(hash: number, added: number, matches: (n: number) => boolean): number {
      let at = mix(hash) & (size - 1);
      for (; slots[at]! >= 0; at = (at + 1) & (size - 1)) {
        if (hashes[at] === (hash | 0) && matches(slots[at]!)) return slots[at]!;
      }
      slots[at] = added;
      hashes[at] = hash | 0;
      return -1;
    },
  };
}

async function findNear(first: number[], normal: TextColumn, seed: number, pace: Pace): Promise<Int32Array> {
  const n = first.length;
  const keys = Array.from({ length: BANDS }, () => new Int32Array(n));
  const shingles = shingler();
  const bins = new Uint32Array(BINS);
  const filled = new Uint8Array(BINS);
  for (let i = 0; i < n; i++) {
    if ((i & 0x3f) === 0) await pace();
    sign(shingles.of(normal, i), seed, bins, filled);
    for (let band = 0; band < BANDS; band++) {
      let key = band + 1;
      for (let k = band * ROWS_A_BAND; k < (band + 1) * ROWS_A_BAND; k++)
        key = Math.imul(key ^ bins[k]!, 0x9e3779b1) ^ (key >>> 15);
      keys[band]![i] = key;
    }
  }

  const sets = disjointSets(n);
  const pairs: number[] = [];
  let left = -1;
  let leftSet = new Uint32Array(0);
  /** Joins two texts when they are near. */
  function compare(a: number, b: number): boolean {
    if (sets.find(a) === sets.find(b)) return true;
    if (left !== b) {
      left = b;
      leftSet = distinct(shingles.of(normal, b));
    }
    const right = distinct(shingles.of(normal, a));
    // Sets of such different sizes cannot be that similar.
    if (Math.min(leftSet.length, right.length) < NEAR * Math.max(leftSet.length, right.length)) return false;
    if (jaccard(leftSet, right) < NEAR) return false;
    sets.join(a, b);
    pairs.push(first[a]!, first[b]!);
    return true;
  }
  const latest = new Int32Array(n);
  for (const bandKeys of keys) {
    const table = hashTable(n);
    for (let i = 0; i < n; i++) {
      if ((i & 0x3f) === 0) await pace();
      const head = table.find(bandKeys[i]!, i, anything);
      if (head >= 0 && !compare(head, i) && latest[head]! > head) compare(latest[head]!, i);
      latest[head >= 0 ? head : i] = i;
    }
  }
  return Int32Array.from(pairs);
}
const anything = (): boolean => true;

/** Hashes shingles into one buffer that is used again. */
function shingler() {
  let codes = new Uint16Array(1 << 12);
  let hashes = new Uint32Array(1 << 12);
  function hashCodes(length: number): Uint32Array<ArrayBuffer> {
    if (length <= SHINGLE) {
      let hash = length;
      for (let i = 0; i < length; i++) hash = mix(hash ^ codes[i]!) ^ i;
      hashes[0] = mix(hash);
      return hashes.subarray(0, 1);
    }
    // A polynomial of the last five characters, rolled.
    let rolled = 0;
    for (let i = 0; i < length; i++) {
      rolled = (Math.imul(rolled, BASE) + codes[i]!) | 0;
      if (i >= SHINGLE) rolled = (rolled - Math.imul(codes[i - SHINGLE]!, BASE_TO_SHINGLE)) | 0;
      if (i >= SHINGLE - 1) hashes[i - SHINGLE + 1] = mix(rolled);
    }
    return hashes.subarray(0, length - SHINGLE + 1);
  }
  function reserve(length: number): void {
    if (codes.length >= length) return;
    codes = new Uint16Array(length * 2);
    hashes = new Uint32Array(length * 2);
  }
  return {
    /** 32-bit hashes of the shingles of text `i`, repeats included; a text no longer than a shingle is one. */
    of(column: TextColumn, i: number): Uint32Array<ArrayBuffer> {
      const start = column.offsets[i]!;
      const length = column.offsets[i + 1]! - start;
      reserve(length);
      for (let k = 0; k < length; k++) {
        const byte = column.bytes[start + k]!;
        if (byte >= 0x80) return this.ofText(textAt(column, i));
        codes[k] = byte;
      }
      return hashCodes(length);
    },
    ofText(text: string): Uint32Array<ArrayBuffer> {
      reserve(text.length);
      for (let k = 0; k < text.length; k++) codes[k] = text.charCodeAt(k);
      return hashCodes(text.length);
    },
  };
}
const BASE = 0x01000193;
let power = 1;
for (let i = 0; i < SHINGLE; i++) power = Math.imul(power, BASE);
const BASE_TO_SHINGLE = power;

/** The MinHash signature: smallest hash of the shingles that fall into each bin, empty bins filled from others. */
function sign(shingles: Uint32Array, seed: number, bins: Uint32Array, filled: Uint8Array): void {
  bins.fill(0xffffffff);
  filled.fill(0);
  for (let i = 0; i < shingles.length; i++) {
    const hash = Math.imul(shingles[i]! ^ seed, 0x9e3779b1) >>> 0;
    const bin = Math.imul(hash >>> 16, BINS) >>> 16;
    const value = mix(hash);
    filled[bin] = 1;
    if (value < bins[bin]!) bins[bin] = value;
  }
  for (let bin = 0; bin < BINS; bin++) {
    if (filled[bin] === 1) continue;
    let donor = bin;
    for (let attempt = 1; filled[donor] !== 1; attempt++) donor = mix(Math.imul(bin + 1, 0x01000193) ^ attempt) % BINS;
    bins[bin] = bins[donor]!;
  }
}

/** Distinct numbers, ascending. */
function distinct(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const all = Uint32Array.from(numbers).sort();
  let kept = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[kept++] = all[i]!;
  return all.subarray(0, kept);
}

/** Jaccard similarity of two sets given as ascending numbers. */
function jaccard(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    if (a[i]! === b[k]!) {
      shared++;
      i++;
      k++;
    } else if (a[i]! < b[k]!) i++;
    else k++;
  }
  return shared / (a.length + b.length - shared);
}

/** Jaccard similarity of the shingles of two normalised texts, 0 to 1. */
export function similarity(a: string, b: string): number {
  const shingles = shingler();
  const first = distinct(shingles.ofText(a));
  return jaccard(first, distinct(shingles.ofText(b)));
}
