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
import { buildTextColumn, type TextColumn, textAt } from "./text-column.ts";
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

async function findExact(inputs: TextColumn[], counts: (row: number) => boolean, pace: Pace) {
  const rows = inputs[0]?.count ?? 0;
  const exact = new Int32Array(rows);
  /** First rows, and their normalised texts. */
  const first: number[] = [];
  const normal = buildTextColumn();
  const texts: string[] = [];
  const table = hashTable(rows);
  for (let i = 0; i < rows; i++) {
    if ((i & 0x3ff) === 0) await pace();
    exact[i] = i;
    if (!counts(i)) continue;
    for (let k = 0; k < inputs.length; k++) texts[k] = normalise(textAt(inputs[k]!, i));
    const bytes = Buffer.from(texts.join("\u001f"));
    const same = table.find(hashBytes(bytes, 0, bytes.length, 1), first.length, (n) => normal.equals(n, bytes));
    if (same < 0) {
      first.push(i);
      normal.appendBytes(bytes, 0, bytes.length);
    } else exact[i] = first[same]!;
  }
  return { exact, first, normal: normal.finish() };
}

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
  const bins = new Uint32Array(BINS);
  const filled = new Uint8Array(BINS);
  for (let i = 0; i < n; i++) {
    if ((i & 0xff) === 0) await pace();
    sign(textAt(normal, i), seed, bins, filled);
    for (let band = 0; band < BANDS; band++) {
      let key = mix(band + 1);
      for (let k = band * ROWS_A_BAND; k < (band + 1) * ROWS_A_BAND; k++) key = mix(key ^ bins[k]!);
      keys[band]![i] = key | 0;
    }
  }

  const sets = disjointSets(n);
  const pairs: number[] = [];
  let left = -1;
  let leftShingles = new Uint32Array(0);
  /** Joins two texts when they are near. */
  function compare(a: number, b: number): boolean {
    if (sets.find(a) === sets.find(b)) return true;
    if (left !== b) {
      left = b;
      leftShingles = shingleSet(textAt(normal, b));
    }
    if (jaccard(leftShingles, shingleSet(textAt(normal, a))) < NEAR) return false;
    sets.join(a, b);
    pairs.push(first[a]!, first[b]!);
    return true;
  }
  for (const bandKeys of keys) {
    const table = hashTable(n);
    const latest = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      if ((i & 0xff) === 0) await pace();
      const head = table.find(bandKeys[i]!, i, () => true);
      if (head >= 0 && !compare(head, i) && latest[head]! > head) compare(latest[head]!, i);
      latest[head >= 0 ? head : i] = i;
    }
  }
  return Int32Array.from(pairs);
}

/** Calls `each` with a 32-bit hash of every shingle; a shorter text is one shingle. */
function eachShingle(text: string, each: (hash: number) => void): void {
  if (text.length <= SHINGLE) {
    let hash = text.length;
    for (let i = 0; i < text.length; i++) hash = mix(hash ^ text.charCodeAt(i)) ^ i;
    each(mix(hash));
    return;
  }
  // A polynomial of the last five characters, rolled.
  let rolled = 0;
  for (let i = 0; i < text.length; i++) {
    rolled = (Math.imul(rolled, BASE) + text.charCodeAt(i)) | 0;
    if (i >= SHINGLE) rolled = (rolled - Math.imul(text.charCodeAt(i - SHINGLE), BASE_TO_SHINGLE)) | 0;
    if (i >= SHINGLE - 1) each(mix(rolled));
  }
}
const BASE = 0x01000193;
let power = 1;
for (let i = 0; i < SHINGLE; i++) power = Math.imul(power, BASE);
const BASE_TO_SHINGLE = power;

/** The MinHash signature: smallest hash of the shingles that fall into each bin, empty bins filled from others. */
function sign(text: string, seed: number, bins: Uint32Array, filled: Uint8Array): void {
  bins.fill(0xffffffff);
  filled.fill(0);
  eachShingle(text, (shingle) => {
    const hash = mix(shingle ^ seed);
    const bin = Math.floor((hash / 4294967296) * BINS);
    const value = mix(hash + 0x9e3779b9);
    filled[bin] = 1;
    if (value < bins[bin]!) bins[bin] = value;
  });
  for (let bin = 0; bin < BINS; bin++) {
    if (filled[bin] !== 0) continue;
    let donor = bin;
    for (let attempt = 1; filled[donor] !== 1; attempt++) donor = mix(Math.imul(bin + 1, 0x01000193) ^ attempt) % BINS;
    bins[bin] = bins[donor]!;
  }
}

/** Distinct shingle hashes, ascending. */
function shingleSet(text: string): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(Math.max(1, text.length - SHINGLE + 1));
  let used = 0;
  eachShingle(text, (hash) => {
    all[used++] = hash;
  });
  all.sort();
  let distinct = 0;
  for (let i = 0; i < used; i++) if (i === 0 || all[i] !== all[i - 1]) all[distinct++] = all[i]!;
  return all.slice(0, distinct);
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
  return jaccard(shingleSet(a), shingleSet(b));
}
