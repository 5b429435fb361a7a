import { assignFolds } from "../../server/src/engines/linear/folds.ts";

/** A stratified share of the rows, by seed; rows with the same text stay together. */
export function carve(
  rows: readonly number[],
  labels: Int32Array,
  texts: readonly string[],
  share: number,
  seed: number,
) {
  const keys = new Map<string, number>();
  const groups = Int32Array.from(rows, (row) => {
    const text = texts[row]!;
    if (!keys.has(text)) keys.set(text, keys.size);
    return keys.get(text)!;
  });
  const parts = 100;
  const part = assignFolds(
    Int32Array.from(rows, (row) => labels[row]!),
    groups,
    parts,
    seed,
  );
  const carved = rows.filter((_, i) => part[i]! < share * parts);
  return { carved, rest: rows.filter((_, i) => part[i]! >= share * parts) };
}
