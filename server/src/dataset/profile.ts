/** What is in the data, as plain JSON (schemas/profile.ts). */
import type { Profile, Quantiles } from "../../../schemas/profile.ts";
import type { Project } from "../project/project.ts";
import type { Duplicates } from "./duplicates.ts";
import type { Table } from "./read.ts";
import { countSplits, LEFT_OUT, type Rows, SPLITS } from "./rows.ts";
import { isBlankAt, type TextColumn } from "./text-column.ts";

export function profileRows(
  project: Project,
  rows: Rows,
  table: Table,
  duplicates: Duplicates,
  leaks: number,
): Profile {
  const rowsOfFile = new Array<number>(rows.files.length).fill(0);
  for (const file of rows.file) rowsOfFile[file]!++;
  const leftOut: Record<string, number> = {};
  let unlabelled = 0;
  const setSizes = new Int32Array(rows.count);
  let largest = 0;
  let exact = 0;
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0) {
      const reason = LEFT_OUT[rows.leftOut[i]!]!;
      leftOut[reason] = (leftOut[reason] ?? 0) + 1;
    }
    if (rows.files[rows.file[i]!]!.role !== "pool" && rows.labels.every((codes) => codes[i]! < 0)) unlabelled++;
    largest = Math.max(largest, ++setSizes[rows.group[i]!]!);
    if (duplicates.exact[i] !== i) exact++;
  }
  return {
    files: rows.files.map(({ name, role, format, bytes }, i) => ({
      name,
      role,
      format,
      bytes,
      rows: rowsOfFile[i]!,
      columns: table.columns[i]!,
    })),
    rows: rows.count,
    empty: leftOut["empty-text"] ?? 0,
    unlabelled,
    splits: countSplits(rows),
    left_out: leftOut,
    duplicates: { exact, near: duplicates.near.length / 2, largest_group: largest },
    conflicts: Object.fromEntries(
      rows.targets.map(({ name }, t) => [name, countConflicts(rows.labels[t]!, duplicates.exact)]),
    ),
    leaks,
    inputs: project.inputs.map(({ column, name }, i) => ({ column, name, ...describeTexts(rows.inputs[i]!) })),
    targets: rows.targets.map(({ name, column, labels }, t) => {
      const codes = rows.labels[t]!;
      const counts = labels.map((label) => ({ name: label.name, rows: 0, splits: {} as Record<string, number> }));
      let labelled = 0;
      for (let i = 0; i < rows.count; i++) {
        if (codes[i]! < 0) continue;
        labelled++;
        const split = SPLITS[rows.split[i]!]!;
        const counted = counts[codes[i]!]!;
        counted.rows++;
        counted.splits[split] = (counted.splits[split] ?? 0) + 1;
      }
      return { name, column, labelled, labels: counts };
    }),
  };
}

/** Sets of rows with equal normalised inputs that do not all have one label. */
function countConflicts(codes: Int32Array, exact: Int32Array): { sets: number; rows: number } {
  const label = new Int32Array(codes.length).fill(-1);
  const size = new Int32Array(codes.length);
  const conflicting = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i]! < 0) continue;
    const head = exact[i]!;
    size[head]!++;
    if (label[head]! < 0) label[head] = codes[i]!;
    else if (label[head] !== codes[i]) conflicting[head] = 1;
  }
  let sets = 0;
  let rows = 0;
  for (let i = 0; i < codes.length; i++) {
    if (conflicting[i] === 0) continue;
    sets++;
    rows += size[i]!;
  }
  return { sets, rows };
}

/** How many texts are empty, and the lengths of the others in code points. */
function describeTexts(column: TextColumn): { empty: number; characters: Quantiles | null } {
  const lengths = new Float64Array(column.count);
  let used = 0;
  let sum = 0;
  for (let i = 0; i < column.count; i++) {
    if (isBlankAt(column, i)) continue;
    let length = 0;
    for (let at = column.offsets[i]!; at < column.offsets[i + 1]!; at++)
      if ((column.bytes[at]! & 0xc0) !== 0x80) length++;
    lengths[used++] = length;
    sum += length;
  }
  if (used === 0) return { empty: column.count, characters: null };
  const sorted = lengths.subarray(0, used).sort();
  const quantile = (q: number): number => {
    const at = q * (used - 1);
    const below = Math.floor(at);
    return sorted[below]! + (at - below) * (sorted[Math.min(below + 1, used - 1)]! - sorted[below]!);
  };
  return {
    empty: column.count - used,
    characters: {
      min: quantile(0),
      q05: quantile(0.05),
      q25: quantile(0.25),
      median: quantile(0.5),
      q75: quantile(0.75),
      q95: quantile(0.95),
      max: quantile(1),
      mean: sum / used,
    },
  };
}
