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
  const floor = leastRows(rowsWith, minRows, maxFeatures);
  const featureOf = new Int32Array(hashes.length).fill(-1);
  let features = 0;
  let atFloor = floor.atFloor;
  for (let term = 0; term < rowsWith.length; term++) {
    if (rowsWith[term]! > floor.rows || (rowsWith[term] === floor.rows && atFloor-- > 0)) featureOf[term] = features++;
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

/** The fewest rows a term must be in for at most `maxFeatures` to remain, and how many terms with just so many rows still fit. */
function leastRows(rowsWith: Int32Array, minRows: number, maxFeatures: number): { rows: number; atFloor: number } {
  const least = Math.max(1, minRows);
  let most = 0;
  for (const n of rowsWith) most = Math.max(most, n);
  const termsWith = new Int32Array(most + 1);
  for (const n of rowsWith) termsWith[n]!++;
  let room = maxFeatures;
  for (let n = most; n >= least; n--) {
    if (termsWith[n]! > room) return { rows: n, atFloor: room };
    room -= termsWith[n]!;
  }
  return { rows: least, atFloor: Number.POSITIVE_INFINITY };
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
