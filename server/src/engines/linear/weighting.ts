import type { TermCounts } from "./term-counts.ts";

/**
 * TF-IDF as fitted on some rows: which terms are features, and their inverse document frequency. As scikit-learn's
 * TfidfVectorizer(sublinear_tf=True): (1 + ln tf) · (1 + ln((1 + rows) / (1 + rows with the term))), rows scaled to length 1.
 */
export interface Weighting {
  /** Term number → feature, or -1 where the term is not one. */
  readonly featureOf: Int32Array<ArrayBuffer>;
  /** By feature. */
  readonly idf: Float32Array<ArrayBuffer>;
  /** By feature: the hash of its term. */
  readonly hashes: Int32Array<ArrayBuffer>;
}

/** 1 + ln tf for tf up to 255. */
export const SUBLINEAR = Float32Array.from({ length: 256 }, (_, count) => (count === 0 ? 0 : 1 + Math.log(count)));

/**
 * @param rows the rows trained on
 * @param minRows a term must be in at least so many of them
 * @param maxFeatures beyond this the terms in most rows are kept (on a tie: those met first)
 */
export function fitWeighting(counts: TermCounts, rows: Int32Array, minRows: number, maxFeatures: number): Weighting {
  const { starts, terms, hashes } = counts;
  const rowsWith = new Int32Array(hashes.length);
  for (const row of rows) {
    const end = starts[row + 1]!;
    for (let i = starts[row]!; i < end; i++) rowsWith[terms[i]!]!++;
  }
  const { first, features } = rankByRows(rowsWith, minRows, maxFeatures);
  const featureOf = new Int32Array(hashes.length).fill(-1);
  for (let term = 0; term < rowsWith.length; term++) {
    const n = rowsWith[term]!;
    if (n >= Math.max(1, minRows) && first[n]! < features) featureOf[term] = first[n]!++;
  }
  const idf = new Float32Array(features);
  const featureHashes = new Int32Array(features);
  for (let term = 0; term < rowsWith.length; term++) {
    const feature = featureOf[term]!;
    if (feature < 0) continue;
    idf[feature] = 1 + Math.log((1 + rows.length) / (1 + rowsWith[term]!));
    featureHashes[feature] = hashes[term]!;
  }
  return { featureOf, idf, hashes: featureHashes };
}

/**
 * Features are numbered from the most frequent term down, so that the weights used most lie together in memory.
 * @returns for each number of rows the first feature with so many, and how many features there are
 */
function rankByRows(rowsWith: Int32Array, minRows: number, maxFeatures: number) {
  let most = 0;
  for (const n of rowsWith) most = Math.max(most, n);
  const first = new Int32Array(most + 2);
  for (const n of rowsWith) first[n]!++;
  let ranked = 0;
  for (let n = most; n >= Math.max(1, minRows); n--) {
    const terms = first[n]!;
    first[n] = ranked;
    ranked += terms;
  }
  return { first, features: Math.min(ranked, maxFeatures) };
}

/** Rows as features with values, ready to multiply with weights: compressed sparse rows. */
export interface WeightedRows {
  /** Entries of row i: starts[i] up to starts[i + 1]. */
  readonly starts: Float64Array;
  readonly columns: Int32Array;
  /** The values of a row have length 1 together; a row without a known term has no entries. */
  readonly values: Float32Array;
}

/** The given rows of `counts`, in the order given. */
export function weighRows(counts: TermCounts, weighting: Weighting, rows: Int32Array): WeightedRows {
  const { starts: from, terms, counts: tf } = counts;
  const { featureOf, idf } = weighting;
  const starts = new Float64Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    const end = from[rows[i]! + 1]!;
    let n = 0;
    for (let j = from[rows[i]!]!; j < end; j++) if (featureOf[terms[j]!]! >= 0) n++;
    starts[i + 1] = starts[i]! + n;
  }
  const columns = new Int32Array(starts[rows.length]!);
  const values = new Float32Array(starts[rows.length]!);
  for (let i = 0; i < rows.length; i++) {
    const end = from[rows[i]! + 1]!;
    let at = starts[i]!;
    let squares = 0;
    for (let j = from[rows[i]!]!; j < end; j++) {
      const feature = featureOf[terms[j]!]!;
      if (feature < 0) continue;
      const value = SUBLINEAR[tf[j]!]! * idf[feature]!;
      columns[at] = feature;
      values[at++] = value;
      squares += value * value;
    }
    const scale = 1 / Math.sqrt(squares);
    for (let j = starts[i]!; j < at; j++) values[j]! *= scale;
  }
  return { starts, columns, values };
}
