import { seededRandom, shuffle } from "./random.ts";

/**
 * Deals rows into folds: rows of one group into the same fold, every label spread evenly.
 * Greedy: large groups first, each into the fold that has fewest rows of its labels, then fewest rows.
 * @param labels label of each row
 * @param groups key of each row (duplicates share one); absent: every row for itself
 * @returns the fold of each row, from 0
 */
export function assignFolds(
  labels: Int32Array,
  groups: Int32Array | undefined,
  folds: number,
  seed: number,
): Uint8Array {
  const members = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const key = groups ? groups[row]! : row;
    const group = members.get(key);
    if (group) group.push(row);
    else members.set(key, [row]);
  }
  const keys = shuffle([...members.keys()], seededRandom(seed));
  keys.sort((a, b) => members.get(b)!.length - members.get(a)!.length);

  const classes = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const labelRows = new Int32Array(folds * classes);
  const foldRows = new Int32Array(folds);
  const fold = new Uint8Array(labels.length);
  for (const key of keys) {
    const rows = members.get(key)!;
    let best = 0;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let f = 0; f < folds; f++) {
      let cost = 0;
      for (const row of rows) cost += labelRows[f * classes + labels[row]!]!;
      if (cost < bestCost || (cost === bestCost && foldRows[f]! < foldRows[best]!)) {
        best = f;
        bestCost = cost;
      }
    }
    for (const row of rows) {
      fold[row] = best;
      labelRows[best * classes + labels[row]!]!++;
    }
    foldRows[best]! += rows.length;
  }
  return fold;
}
