/** Rows that say much the same as another: the labelled ones for a person to compare with, the waiting ones to be decided with it. */
import { keepPace } from "../dataset/pace.ts";
import { indexOf, POOL, type Rows, TRAIN, TUNE } from "../dataset/rows.ts";
import { textAt } from "../dataset/text-column.ts";
import type { ReviewItem } from "../review/queue.ts";
import { type Similarity, similarityOf } from "../review/similar.ts";

/** Rows that are compared at most; of more, rows of the pool and then the first ones of train. */
const MOST_COMPARED = 200_000;

/** Validation and test rows are left out: nobody's label should come from them. */
export interface RowSimilarity {
  similarity: Similarity;
  /** Numbers of the rows that are compared; a place in `similarity` is one in here. */
  rows: readonly number[];
  /** By row number. */
  placeOf: ReadonlyMap<number, number>;
  /** Rows that might be compared: more than `rows` where there are too many. */
  of: number;
}

const made = new WeakMap<Rows, Promise<RowSimilarity>>();

/** Made once for each reading of the data: seconds for the largest. */
export function similarityOfRows(rows: Rows): Promise<RowSimilarity> {
  let found = made.get(rows);
  if (!found) made.set(rows, (found = makeSimilarity(rows)));
  found.catch(() => made.delete(rows));
  return found;
}

async function makeSimilarity(rows: Rows): Promise<RowSimilarity> {
  const pool: number[] = [];
  const train: number[] = [];
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0) continue;
    const split = rows.split[i]!;
    if (split === POOL) pool.push(i);
    else if (split === TRAIN || split === TUNE) train.push(i);
  }
  const compared = [...pool, ...train].slice(0, MOST_COMPARED);
  const similarity = await similarityOf(
    compared.length,
    (at) => rows.inputs.map((column) => textAt(column, compared[at]!)),
    keepPace(),
  );
  return {
    similarity,
    rows: compared,
    placeOf: new Map(compared.map((row, at) => [row, at])),
    of: pool.length + train.length,
  };
}

/** The items with the density that the order `informative` asks for: among all that are flagged, decided or not. */
export async function withDensity(items: readonly ReviewItem[], rows: Rows): Promise<ReviewItem[]> {
  const { similarity, placeOf } = await similarityOfRows(rows);
  const index = indexOf(rows);
  const place = (row: string) => placeOf.get(index.get(row) ?? -1);
  const group = new Set<number>();
  for (const { row, reasons } of items) {
    const at = reasons.length > 0 ? place(row) : undefined;
    if (at !== undefined) group.add(at);
  }
  const density = similarity.density([...group]);
  return items.map((item) => {
    const at = place(item.row);
    return at === undefined ? item : { ...item, density: density(at) };
  });
}
