/** Sampling: which train rows are used (DESIGN §3). Acts on train alone, or on dropped labels everywhere with `apply: all`. */
import type { Project } from "../project/project.ts";
import { seedFor } from "./hash.ts";
import { leftOutCode, POOL, type Rows, TRAIN } from "./rows.ts";
import { rowHash } from "./splits.ts";

export interface SamplingReport {
  /** Train rows that were left out. */
  left_out: number;
  /** Target name → labels without any train row, in their order. */
  dropped_labels: Record<string, string[]>;
  applied: "train" | "all";
}

/**
 * Marks the rows that sampling leaves out. First `min_examples`, for every target: a train row goes when one of its labels
 * is too rare. Then, by the labels of `sampling.target`: `balanced` keeps the `labels` most frequent ones and equal
 * numbers of each (at most `per_label`); `undersample` keeps at most `max_ratio` times the rarest. Which rows stay is
 * decided by a seeded hash of their ids: the order of the file plays no part.
 */
export function applySampling(project: Project, rows: Rows): SamplingReport {
  const { strategy, min_examples, labels, per_label, max_ratio, target, apply } = project.spec.dataset.sampling;
  const chosen = Math.max(
    0,
    target === undefined ? 0 : project.targets.findIndex((t) => t.name === target || t.column === target),
  );
  const dropped = rows.targets.map(() => new Set<number>());
  const tallies = rows.labels.map((codes, t) => tally(rows, codes, t));

  for (const [t, counts] of tallies.entries()) {
    for (const [code, n] of counts.entries()) if (n < min_examples) dropped[t]!.add(code);
  }
  if (strategy === "balanced" && labels !== undefined) {
    const byFrequency = [...tallies[chosen]!.keys()].sort(
      (a, b) => tallies[chosen]![b]! - tallies[chosen]![a]! || a - b,
    );
    for (const code of byFrequency.slice(labels)) dropped[chosen]!.add(code);
  }
  const droppedCode = leftOutCode("dropped-label");
  let left_out = 0;
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0 || rows.split[i] === POOL || (apply === "train" && rows.split[i] !== TRAIN)) continue;
    const drops = rows.labels.some((codes, t) => codes[i]! >= 0 && dropped[t]!.has(codes[i]!));
    // Equal numbers of each label: a row without one has no place among them.
    const unlabelled = strategy === "balanced" && rows.split[i] === TRAIN && rows.labels[chosen]![i]! < 0;
    if (!drops && !unlabelled) continue;
    rows.leftOut[i] = droppedCode;
    if (rows.split[i] === TRAIN) left_out++;
  }
  if (strategy !== "natural") {
    const counts = tally(rows, rows.labels[chosen]!, chosen).filter((n) => n > 0);
    const least = counts.length === 0 ? 0 : Math.min(...counts);
    left_out += keepAtMost(
      project,
      rows,
      chosen,
      strategy === "balanced"
        ? Math.min(least, per_label ?? Number.POSITIVE_INFINITY)
        : Math.floor(least * (max_ratio ?? 1)),
    );
  }

  const dropped_labels: Record<string, string[]> = {};
  for (const [t, { name, labels: all }] of rows.targets.entries()) {
    const after = tally(rows, rows.labels[t]!, t);
    const gone = all.filter((_, code) => tallies[t]![code]! > 0 && after[code] === 0).map((label) => label.name);
    if (gone.length > 0) dropped_labels[name] = gone;
  }
  return { left_out, dropped_labels, applied: apply };
}

/** Train rows that take part, by label. */
function tally(rows: Rows, codes: Int32Array, target: number): number[] {
  const counts = new Array<number>(rows.targets[target]!.labels.length).fill(0);
  for (let i = 0; i < rows.count; i++) {
    if (rows.split[i] === TRAIN && rows.leftOut[i] === 0 && codes[i]! >= 0) counts[codes[i]!]!++;
  }
  return counts;
}

/** Leaves out all but `most` train rows of each label. */
function keepAtMost(project: Project, rows: Rows, target: number, most: number): number {
  const seed = seedFor(project.spec.dataset.split.seed, "sample");
  const byLabel = new Map<number, { row: number; hash: number }[]>();
  for (let i = 0; i < rows.count; i++) {
    const code = rows.labels[target]![i]!;
    if (rows.split[i] !== TRAIN || rows.leftOut[i] !== 0 || code < 0) continue;
    const entry = { row: i, hash: rowHash(rows, i, seed) };
    const list = byLabel.get(code);
    if (list) list.push(entry);
    else byLabel.set(code, [entry]);
  }
  const code = leftOutCode("sampling");
  let left = 0;
  for (const list of byLabel.values()) {
    list.sort((a, b) => a.hash - b.hash || a.row - b.row);
    for (const { row } of list.slice(most)) {
      rows.leftOut[row] = code;
      left++;
    }
  }
  return left;
}
