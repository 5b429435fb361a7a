/** Sets of rows that belong together: duplicates, near-duplicates, and rows of one group. */
import type { Project } from "../project/project.ts";
import type { Duplicates } from "./duplicates.ts";
import type { Locate } from "./files.ts";
import { count, type ProblemList, quoted } from "./problems.ts";
import type { CodedColumn } from "./read.ts";
import type { Rows } from "./rows.ts";
import { type DisjointSets, disjointSets } from "./union-find.ts";

/** A set linked through near-duplicates may hold this share of the rows … */
const LARGEST_SHARE = 0.1;
/** … or this many rows, before the weaker of its links are dropped. */
const LARGEST_ROWS = 50;

export interface RowSets {
  /** Row → set of its duplicates and near-duplicates, named by its first row. */
  duplicates: Int32Array;
  /** Row → set of rows that stay together, by duplicates or by group, directly or through others between. */
  together: Int32Array;
}

/**
 * Links chain: a near-duplicate of a near-duplicate, or two employers that share one boilerplate text. Where a chain would
 * hold more than a tenth of all rows, so that no division were possible, the weaker links give way, and it is said: near-duplicates
 * among templated texts, and duplicates between groups (rows on the wrong side are then left out by assignSplits).
 */
export function joinRows(
  project: Project,
  rows: Rows,
  { exact, near }: Duplicates,
  groups: CodedColumn | undefined,
  problems: ProblemList,
  locate?: Locate,
): RowSets {
  const most = Math.max(LARGEST_ROWS, LARGEST_SHARE * rows.count);
  const place = { file: project.file, range: locate?.(["dataset", groups ? "group" : "source"]) };

  const all = disjointSets(rows.count);
  for (let i = 0; i < rows.count; i++) all.join(i, exact[i]!);
  for (let i = 0; i < near.length; i += 2) all.join(near[i]!, near[i + 1]!);
  const sizes = sizesOf(all, rows.count);
  const copies = disjointSets(rows.count);
  for (let i = 0; i < rows.count; i++) copies.join(i, exact[i]!);
  let templated = 0;
  for (let i = 0; i < near.length; i += 2) {
    const root = all.find(near[i]!);
    if (sizes[root]! <= most) copies.join(near[i]!, near[i + 1]!);
    else templated = Math.max(templated, sizes[root]!);
  }
  if (templated > 0) {
    problems.add({
      severity: "warning",
      code: "templated-texts",
      message: `${count(templated, "row")} of ${rows.count.toLocaleString("en-US")} are near-duplicates of one another, as texts made from a template are. Among them only equal texts are kept in one split, so results may look better than they are on really new texts.`,
      ...place,
    });
  }
  const duplicates = rootsOf(copies, rows.count);
  if (!groups) return { duplicates, together: duplicates };

  const grouped = disjointSets(rows.count);
  const first = new Map<number, number>();
  for (let i = 0; i < rows.count; i++) {
    const group = groups.codes[i]!;
    // The empty cell is no group.
    if (group === 0) continue;
    const head = first.get(group);
    if (head === undefined) first.set(group, i);
    else grouped.join(head, i);
  }
  const both = disjointSets(rows.count);
  for (let i = 0; i < rows.count; i++) {
    both.join(i, grouped.find(i));
    both.join(i, duplicates[i]!);
  }
  const bothSizes = sizesOf(both, rows.count);
  let chained = 0;
  for (let i = 0; i < rows.count; i++) {
    const root = both.find(i);
    if (bothSizes[root]! <= most) grouped.join(i, duplicates[i]!);
    else if (grouped.find(i) !== grouped.find(duplicates[i]!)) chained = Math.max(chained, bothSizes[root]!);
  }
  if (chained > 0) {
    problems.add({
      severity: "warning",
      code: "chained-groups",
      message: `Duplicates link the groups of ${quoted(project.spec.dataset.group!)} to one set of ${count(chained, "row")}, too large to stay in one split. Its groups are divided all the same; rows whose duplicates are in another split are left out.`,
      ...place,
    });
  }
  return { duplicates, together: rootsOf(grouped, rows.count) };
}

function rootsOf(sets: DisjointSets, n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => sets.find(i));
}

/** Root → rows in its set. */
function sizesOf(sets: DisjointSets, n: number): Int32Array {
  const sizes = new Int32Array(n);
  for (let i = 0; i < n; i++) sizes[sets.find(i)]!++;
  return sizes;
}

/** Rows ordered by their set, then as given: the rows of a set stand together. Counting sort. */
export function orderBySet(chosen: ArrayLike<number>, sets: Int32Array): Int32Array {
  const places = new Int32Array(sets.length + 1);
  for (let i = 0; i < chosen.length; i++) places[sets[chosen[i]!]! + 1]!++;
  for (let set = 0; set < sets.length; set++) places[set + 1]! += places[set]!;
  const order = new Int32Array(chosen.length);
  for (let i = 0; i < chosen.length; i++) order[places[sets[chosen[i]!]!]!++] = chosen[i]!;
  return order;
}
