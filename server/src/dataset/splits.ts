/**
 * Which row is in which split (DESIGN §3). Rows that a file or `split.column` places are fixed: never moved, never left
 * out, only warned about. The others are divided stratified, groups and duplicates together, when first made; a row that
 * has a saved split keeps it; a new row follows the rows it belongs to, else a seeded hash of its id places it, so that the
 * order in which rows arrive plays no part. A new row that belongs to rows of two splits is left out.
 */
import type { Project } from "../project/project.ts";
import type { Locate } from "./files.ts";
import { hashBytes, mix, seedFor } from "./hash.ts";
import { count, lineRange, type ProblemList, quoted } from "./problems.ts";
import type { CodedColumn } from "./read.ts";
import { leftOutCode, POOL, type Rows, rowId, SPLITS, TEST, TRAIN, TUNE, VALIDATION } from "./rows.ts";
import type { SavedSplit, SavedSplits } from "./splits-file.ts";
import { stratify, type Units } from "./stratify.ts";

export interface Shares {
  train: number;
  validation: number;
  test: number;
}

const DEFAULT: Shares = { train: 0.64, validation: 0.16, test: 0.2 };

/**
 * The shares meant by what is given. Validation and test default to 0.16 and 0.20, train to the rest; when train is given,
 * what it leaves is divided among the ones that are not, in proportion to their defaults. Scaled to add up to 1.
 */
export function resolveShares({ train, validation, test }: Partial<Shares>): Shares {
  let shares: Shares;
  if (train === undefined) {
    const v = validation ?? DEFAULT.validation;
    const t = test ?? DEFAULT.test;
    shares = { train: Math.max(0, 1 - v - t), validation: v, test: t };
  } else {
    const left = Math.max(0, 1 - train - (validation ?? 0) - (test ?? 0));
    const open = (validation === undefined ? DEFAULT.validation : 0) + (test === undefined ? DEFAULT.test : 0);
    const part = open === 0 ? 0 : left / open;
    shares = { train, validation: validation ?? DEFAULT.validation * part, test: test ?? DEFAULT.test * part };
  }
  const sum = shares.train + shares.validation + shares.test;
  return { train: shares.train / sum, validation: shares.validation / sum, test: shares.test / sum };
}

/** Shares of the rows that no file places: a split that has files of its own gets none of them. */
export function carvedShares(project: Project): Shares {
  const { source, split } = project.spec.dataset;
  const shares = resolveShares(split);
  if (typeof source === "string" || Array.isArray(source)) return shares;
  if (source.validation !== undefined) shares.validation = 0;
  if (source.test !== undefined) shares.test = 0;
  const sum = shares.train + shares.validation + shares.test;
  if (sum === 0) return { train: 1, validation: 0, test: 0 };
  return { train: shares.train / sum, validation: shares.validation / sum, test: shares.test / sum };
}

const CODES: Record<SavedSplit, number> = { train: TRAIN, validation: VALIDATION, test: TEST };
const NAMES: SavedSplit[] = ["train", "validation", "test"];

/** Names of splits in a split column, as data sets write them. */
const COLUMN_VALUES: Record<string, number> = {
  train: TRAIN,
  training: TRAIN,
  validation: VALIDATION,
  valid: VALIDATION,
  val: VALIDATION,
  dev: VALIDATION,
  test: TEST,
  testing: TEST,
  pool: POOL,
};

/** Puts every row into its split. Returns whether `saved` got new assignments, which the caller writes. */
export function assignSplits(
  project: Project,
  rows: Rows,
  column: CodedColumn | undefined,
  saved: SavedSplits,
  problems: ProblemList,
  locate?: Locate,
): boolean {
  const free = placeFixed(project, rows, column, problems);
  if (free.length === 0) return false;
  const shares = carvedShares(project);
  const made = saved.splits.size === 0 && !saved.damaged;

  // Free rows by the set of rows they belong to.
  const order = Int32Array.from(free).sort((a, b) => rows.group[a]! - rows.group[b]! || a - b);
  const fresh: number[][] = [];
  const places: (number | "bridge" | undefined)[] = [];
  let known = 0;
  for (let start = 0; start < order.length; ) {
    const group = rows.group[order[start]!]!;
    let end = start;
    const splits = new Set<number>();
    const unplaced: number[] = [];
    for (; end < order.length && rows.group[order[end]!] === group; end++) {
      const row = order[end]!;
      const split = made ? undefined : saved.splits.get(rowId(rows, row));
      if (split === undefined) unplaced.push(row);
      else {
        known++;
        rows.split[row] = CODES[split];
        splits.add(CODES[split]);
      }
    }
    if (unplaced.length > 0) {
      fresh.push(unplaced);
      places.push(splits.size > 1 ? "bridge" : [...splits][0]);
    }
    start = end;
  }

  if (made) {
    const parts = stratify(
      describeUnits(rows, fresh, seedFor(project.spec.dataset.split.seed, "split")),
      [shares.train, shares.validation, shares.test],
      countLabels(rows),
    );
    for (const [unit, members] of fresh.entries()) {
      for (const row of members) rows.split[row] = CODES[NAMES[parts[unit]!]!];
    }
  } else placeByHash(project, rows, fresh, places, shares);
  reportBridges(rows, fresh, places, problems);
  if (!made) checkSaved(project, rows, free, saved, known, shares, problems, locate);

  let added = false;
  for (const [unit, members] of fresh.entries()) {
    if (places[unit] === "bridge") continue;
    for (const row of members) saved.splits.set(rowId(rows, row), SPLITS[rows.split[row]!] as SavedSplit);
    added = true;
  }
  return added;
}

/** Places pool rows and what files and the split column fix; returns the rows that are free. */
function placeFixed(project: Project, rows: Rows, column: CodedColumn | undefined, problems: ProblemList): number[] {
  const { source } = project.spec.dataset;
  const roles = new Map<string, number | undefined>([
    ["source", undefined],
    ["train", undefined],
    ["validation", VALIDATION],
    ["test", TEST],
    ["pool", POOL],
  ]);
  if (
    typeof source === "object" &&
    !Array.isArray(source) &&
    source.validation !== undefined &&
    source.test !== undefined
  ) {
    roles.set("train", TRAIN);
  }
  const values = column?.values.map((value) => COLUMN_VALUES[value.trim().toLowerCase()]);
  const noSplit = leftOutCode("no-split");
  const free: number[] = [];
  for (let i = 0; i < rows.count; i++) {
    const file = rows.files[rows.file[i]!]!;
    if (file.role === "pool") {
      rows.split[i] = POOL;
      continue;
    }
    const labelled = rows.labels.some((codes) => codes[i]! >= 0);
    if (!labelled) {
      rows.split[i] = POOL;
      continue;
    }
    if (rows.leftOut[i] !== 0) {
      rows.split[i] = TRAIN;
      continue;
    }
    if (column && values) {
      const split = values[column.codes[i]!];
      if (split !== undefined) rows.split[i] = split;
      else {
        rows.split[i] = TRAIN;
        rows.leftOut[i] = noSplit;
        if (!problems.wants("unknown-split", file.path)) continue;
        problems.add({
          severity: "warning",
          code: "unknown-split",
          message: `The split column holds ${quoted(column.values[column.codes[i]!]!)} here. Write train, validation or test; the row is left out.`,
          file: file.path,
          range: lineRange(rows.line[i]!),
          column: project.spec.dataset.split.column,
          row: rowId(rows, i),
        });
      }
      continue;
    }
    const fixed = roles.get(file.role);
    if (fixed === undefined) free.push(i);
    else rows.split[i] = fixed;
  }
  return free;
}

/** Labels of all targets together. */
export function countLabels(rows: Rows): number {
  return rows.targets.reduce((sum, target) => sum + target.labels.length, 0);
}

/** Sets of rows as units to stratify. */
export function describeUnits(rows: Rows, sets: number[][], seed: number): Units {
  const sizes = Int32Array.from(sets, (members) => members.length);
  const hashes = Uint32Array.from(sets, (members) => unitHash(rows, members, seed));
  const starts = new Int32Array(sets.length + 1);
  const labels: number[] = [];
  for (const [unit, members] of sets.entries()) {
    for (const row of members) {
      let first = 0;
      for (const [t, codes] of rows.labels.entries()) {
        if (codes[row]! >= 0) labels.push(first + codes[row]!);
        first += rows.targets[t]!.labels.length;
      }
    }
    starts[unit + 1] = labels.length;
  }
  return { count: sets.length, sizes, hashes, starts, labels: Int32Array.from(labels) };
}

/** Seeded hash of a row's id, 32 bits. */
export function rowHash(rows: Rows, row: number, seed: number): number {
  return hashBytes(rows.ids.bytes, rows.ids.offsets[row]!, rows.ids.offsets[row + 1]!, seed);
}

/** The same for a set of rows, in whatever order they come. Hashed again: a smallest number is not uniform. */
function unitHash(rows: Rows, members: number[], seed: number): number {
  let least = 0xffffffff;
  for (const row of members) least = Math.min(least, rowHash(rows, row, seed));
  return mix(least ^ seed);
}

function placeByHash(
  project: Project,
  rows: Rows,
  fresh: number[][],
  places: (number | "bridge" | undefined)[],
  shares: Shares,
): void {
  const seed = seedFor(project.spec.dataset.split.seed, "split");
  const bridge = leftOutCode("bridge");
  for (const [unit, members] of fresh.entries()) {
    let place = places[unit];
    if (place === undefined) {
      const u = unitHash(rows, members, seed) / 4294967296;
      place = u < shares.train ? TRAIN : u < shares.train + shares.validation ? VALIDATION : TEST;
    }
    for (const row of members) {
      if (place === "bridge") {
        rows.split[row] = TRAIN;
        rows.leftOut[row] = bridge;
      } else rows.split[row] = place;
    }
  }
}

function reportBridges(
  rows: Rows,
  fresh: number[][],
  places: (number | "bridge" | undefined)[],
  problems: ProblemList,
): void {
  for (const [unit, members] of fresh.entries()) {
    if (places[unit] !== "bridge") continue;
    for (const row of members) {
      const file = rows.files[rows.file[row]!]!;
      if (!problems.wants("bridge", file.path)) continue;
      problems.add({
        severity: "warning",
        code: "bridge",
        message:
          "This new row belongs, by its group or its near-duplicates, to rows of two splits. It is left out, since wherever it went one split would leak into another.",
        file: file.path,
        range: lineRange(rows.line[row]!),
        row: rowId(rows, row),
      });
    }
  }
}

/** Says when the saved splits are not what the project file asks for. */
function checkSaved(
  project: Project,
  rows: Rows,
  free: number[],
  saved: SavedSplits,
  known: number,
  shares: Shares,
  problems: ProblemList,
  locate?: Locate,
): void {
  const place = { file: project.file, range: locate?.(["dataset", "split"]) };
  if (known === 0 && saved.splits.size > 0) {
    problems.add({
      severity: "warning",
      code: "unknown-splits",
      message: `None of the ${count(saved.splits.size, "row")} of ${project.splitsFile} is in the data: all rows are placed anew. If the inputs or ids have changed on purpose, delete that file.`,
      ...place,
    });
    return;
  }
  if (free.length < 100) return;
  const found = { train: 0, validation: 0, test: 0 };
  for (const row of free) if (rows.leftOut[row] === 0) found[SPLITS[rows.split[row]!] as SavedSplit]++;
  const off = NAMES.filter((name) => Math.abs(found[name] / free.length - shares[name]) > 0.05);
  if (off.length === 0) return;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  problems.add({
    severity: "warning",
    code: "saved-splits-differ",
    message: `The saved splits hold ${NAMES.map((name) => `${percent(found[name] / free.length)} ${name}`).join(", ")}; the project asks for ${NAMES.map((name) => `${percent(shares[name])} ${name}`).join(", ")}. Saved rows never move: to divide anew, delete ${project.splitsFile} (results before and after are then not comparable).`,
    ...place,
  });
}

/** Moves a seeded, stratified slice of the train rows that take part to tune, duplicates and groups together. */
export function sliceTune(project: Project, rows: Rows): void {
  const { tune, seed } = project.spec.dataset.split;
  if (tune === 0) return;
  const train: number[] = [];
  for (let i = 0; i < rows.count; i++) if (rows.split[i] === TRAIN && rows.leftOut[i] === 0) train.push(i);
  train.sort((a, b) => rows.group[a]! - rows.group[b]! || a - b);
  const sets: number[][] = [];
  for (const row of train) {
    const last = sets.at(-1);
    if (last && rows.group[last[0]!] === rows.group[row]) last.push(row);
    else sets.push([row]);
  }
  const parts = stratify(describeUnits(rows, sets, seedFor(seed, "tune")), [1 - tune, tune], countLabels(rows));
  for (const [unit, members] of sets.entries()) {
    if (parts[unit] === 1) for (const row of members) rows.split[row] = TUNE;
  }
}

/**
 * Warns about validation and test rows that have a duplicate, near-duplicate or row of their group in train (and test rows
 * that have one in validation). Returns how many there are.
 */
export function reportLeaks(rows: Rows, problems: ProblemList): number {
  // First row of each set that is in train, and that is in validation.
  const inTrain = new Int32Array(rows.count).fill(-1);
  const inValidation = new Int32Array(rows.count).fill(-1);
  for (let i = rows.count - 1; i >= 0; i--) {
    if (rows.leftOut[i] !== 0) continue;
    if (rows.split[i] === TRAIN || rows.split[i] === TUNE) inTrain[rows.group[i]!] = i;
    else if (rows.split[i] === VALIDATION) inValidation[rows.group[i]!] = i;
  }
  let leaks = 0;
  let example: { row: number; other: number } | undefined;
  const leaking = { validation: 0, test: 0 };
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0 || (rows.split[i] !== VALIDATION && rows.split[i] !== TEST)) continue;
    const group = rows.group[i]!;
    const other = inTrain[group]! >= 0 ? inTrain[group]! : rows.split[i] === TEST ? inValidation[group]! : -1;
    if (other < 0) continue;
    leaks++;
    leaking[rows.split[i] === TEST ? "test" : "validation"]++;
    example ??= { row: i, other };
  }
  if (!example) return 0;
  const where = (row: number): string => `${rows.files[rows.file[row]!]!.name}, line ${rows.line[row]}`;
  const parts = [];
  if (leaking.validation > 0) parts.push(`${count(leaking.validation, "validation row")}`);
  if (leaking.test > 0) parts.push(`${count(leaking.test, "test row")}`);
  problems.add({
    severity: "warning",
    code: "split-leak",
    message: `${parts.join(" and ")} ${leaks === 1 ? "belongs" : "belong"}, as duplicate, near-duplicate or by group, to rows of another split, so results look better than they are. For example ${where(example.row)} and ${where(example.other)}. The rows stay where the files or saved splits put them.`,
    file: rows.files[rows.file[example.row]!]!.path,
    range: lineRange(rows.line[example.row]!),
    row: rowId(rows, example.row),
  });
  return leaks;
}
