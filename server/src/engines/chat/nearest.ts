/** The train rows most like a row, by the terms of the linear engine (TF-IDF, cosine). */
import type { JobRow } from "../../../../schemas/rows.ts";
import { lowerCase, type TermOptions, visitTerms } from "../linear/terms.ts";

/** Words and pairs of words; of characters, as few as tell inflections apart: the index is kept in memory. */
const TERMS: TermOptions = { wordNgrams: 2, characterNgrams: [4, 4] };
/** Terms in more rows than this say little, and would be most of the work. */
const MOST_ROWS_A_TERM = 0.1;

/** @returns for a row the positions of at most `count` of `rows`, likest first; never the row itself nor its duplicates */
export function nearestRows(
  rows: readonly JobRow[],
  inputs: readonly string[],
): (row: JobRow, count: number) => number[] {
  const postings = new Map<number, { rows: number[]; weights: number[] }>();
  const counts = rows.map((row) => termsOf(row, inputs));
  const rowsWith = new Map<number, number>();
  for (const terms of counts) for (const term of terms.keys()) rowsWith.set(term, (rowsWith.get(term) ?? 0) + 1);
  const idf = (term: number) => 1 + Math.log((1 + rows.length) / (1 + (rowsWith.get(term) ?? 0)));
  const common = Math.max(50, rows.length * MOST_ROWS_A_TERM);
  for (const [position, terms] of counts.entries()) {
    const weighted = weights(terms, idf);
    for (const [term, weight] of weighted) {
      if (rowsWith.get(term)! > common) continue;
      const of = postings.get(term) ?? { rows: [], weights: [] };
      postings.set(term, of);
      of.rows.push(position);
      of.weights.push(weight);
    }
  }
  const scores = new Float64Array(rows.length);
  return (row, count) => {
    scores.fill(0);
    for (const [term, weight] of weights(termsOf(row, inputs), idf)) {
      const of = postings.get(term);
      if (of) for (let i = 0; i < of.rows.length; i++) scores[of.rows[i]!]! += weight * of.weights[i]!;
    }
    const group = row.group;
    return Array.from(scores, (_, i) => i)
      .filter((i) => scores[i]! > 0 && rows[i]!.row !== row.row && (group === undefined || rows[i]!.group !== group))
      .sort((a, b) => scores[b]! - scores[a]! || a - b)
      .slice(0, count);
  };
}

function termsOf(row: JobRow, inputs: readonly string[]): Map<number, number> {
  const terms = new Map<number, number>();
  for (const [column, name] of inputs.entries()) {
    visitTerms(
      lowerCase(row.inputs[name] ?? ""),
      column,
      TERMS,
      (hash) => void terms.set(hash, (terms.get(hash) ?? 0) + 1),
    );
  }
  return terms;
}

function weights(terms: ReadonlyMap<number, number>, idf: (term: number) => number): [number, number][] {
  const list = [...terms].map(([term, count]): [number, number] => [term, (1 + Math.log(count)) * idf(term)]);
  const length = Math.sqrt(list.reduce((sum, [, weight]) => sum + weight * weight, 0)) || 1;
  return list.map(([term, weight]) => [term, weight / length]);
}
