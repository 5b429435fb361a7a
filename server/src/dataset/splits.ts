/**
 * Which row is in which split (DESIGN §3). Rows that a file or `split.column` places are fixed: never moved, never left
 * out, only warned about. The others are divided stratified, groups and duplicates together, when first made; a row that
 * has a saved split keeps it; a new row follows the rows it belongs to, else a seeded hash of its id places it, so that the
 * order in which rows arrive plays no part. A new row that belongs to rows of two splits is left out.
 */
import type { Project } from "../project/project.ts";
import type { SplitShares } from "../project/split.ts";
import type { Locate } from "./files.ts";
import { hashBytes, mix, seedFor } from "./hash.ts";
import { count, lineRange, type ProblemList, quoted } from "./problems.ts";
import type { CodedColumn } from "./read.ts";
import { orderBySet } from "./row-sets.ts";
import { leftOutCode, POOL, type Rows, rowId, SPLITS, TEST, TRAIN, TUNE, VALIDATION } from "./rows.ts";
import type { SavedSplit, SavedSplits } from "./splits-file.ts";
import { stratify, type Units } from "./stratify.ts";

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

export interface SplitOptions {
  problems: ProblemList;
  locate?: Locate;
  /** Ids of rows that must not be placed in validation or test, since people judged them as flagged. A saved split stays. */
  keepInTrain?: ReadonlySet<string>;
}

/** Puts every row into its split. Returns whether `saved` got new assignments, which the caller writes. */
export function assignSplits(
  project: Project,
  rows: Rows,
  column: CodedColumn | undefined,
  saved: SavedSplits,
  { problems, locate, keepInTrain }: SplitOptions,
): boolean {
  const free = placeFixed(project, rows, column, problems);
  if (free.length === 0) return false;
  const { shares } = project;
  const made = saved.splits.size === 0 && !saved.damaged;

  // Free rows by the set of rows they belong to.
  const isNew = new Uint8Array(rows.count);
  const order = orderBySet(free, rows.group);
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
      if (split === undefined) {
        unplaced.push(row);
        isNew[row] = 1;
      } else {
        known++;
        rows.split[row] = CODES[split];
        splits.add(CODES[split]);
      }
    }
    if (unplaced.length > 0) {
      fresh.push(unplaced);
      const kept = keepInTrain !== undefined && unplaced.some((row) => keepInTrain.has(rowId(rows, row)));
      places.push(splits.size > 1 ? "bridge" : splits.size === 1 ? [...splits][0] : kept ? TRAIN : undefined);
    }
    start = end;
  }

  const seed = seedFor(project.spec.dataset.split.seed, "split");
  if (made) {
    const open = [...places.keys()].filter((unit) => places[unit] === undefined);
    const units = describeUnits(
      rows,
      open.map((unit) => fresh[unit]!),
      seed,
    );
    const parts = stratify(units, [shares.train, shares.validation, shares.test], countLabels(rows));
    for (const [k, unit] of open.entries()) places[unit] = CODES[NAMES[parts[k]!]!];
  }
  const bridge = leftOutCode("bridge");
  for (const [unit, members] of fresh.entries()) {
    const place = places[unit] ?? placeByHash(unitHash(rows, members, seed), shares);
    for (const row of members) {
      rows.split[row] = place === "bridge" ? TRAIN : place;
      if (place === "bridge") rows.leftOut[row] = bridge;
    }
  }
  leaveOutStraddling(rows, order, isNew);
  reportBridges(rows, order, made, problems);
  if (!made) checkSaved(project, rows, free, saved, known, shares, problems, locate);

  let added = false;
  for (const row of order) {
    if (isNew[row] === 0 || rows.leftOut[row] !== 0) continue;
    saved.splits.set(rowId(rows, row), SPLITS[rows.split[row]!] as SavedSplit);
    added = true;
  }
  return added;
}

/**
 * Leaves out new rows that have duplicates or near-duplicates in another split (where joinRows let them part). Rows that
 * were saved before stay, and decide; else the split with most of the rows does, the first of SPLITS among equals.
 */
function leaveOutStraddling(rows: Rows, free: Int32Array, isNew: Uint8Array): void {
  const { duplicates } = rows;
  // Only sets of duplicates that are in several sets of rows that stay together.
  const firstOf = new Int32Array(rows.count).fill(-1);
  const parted = new Map<number, number[]>();
  for (const row of free) {
    const set = duplicates[row]!;
    if (firstOf[set]! < 0) firstOf[set] = row;
    else if (rows.group[row] !== rows.group[firstOf[set]!]) parted.set(set, []);
  }
  for (const row of free) if (rows.leftOut[row] === 0) parted.get(duplicates[row]!)?.push(row);
  const bridge = leftOutCode("bridge");
  for (const members of parted.values()) {
    const old = members.filter((row) => isNew[row] === 0);
    const votes = new Array<number>(SPLITS.length).fill(0);
    for (const row of old.length > 0 ? old : members) votes[rows.split[row]!]!++;
    const contested = old.length > 0 && votes.filter((n) => n > 0).length > 1;
    const home = votes.indexOf(Math.max(...votes));
    for (const row of members) {
      if (isNew[row] === 1 && (contested || rows.split[row] !== home)) rows.leftOut[row] = bridge;
    }
  }
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

function placeByHash(hash: number, shares: SplitShares): number {
  const u = hash / 4294967296;
  return u < shares.train ? TRAIN : u < shares.train + shares.validation ? VALIDATION : TEST;
}

function reportBridges(rows: Rows, free: Int32Array, made: boolean, problems: ProblemList): void {
  const bridge = leftOutCode("bridge");
  const bridging = free.filter((row) => rows.leftOut[row] === bridge).sort();
  for (const row of bridging) {
    const file = rows.files[rows.file[row]!]!;
    if (!problems.wants("bridge", file.path)) continue;
    problems.add({
      severity: "warning",
      code: "bridge",
      message: `This ${made ? "" : "new "}row belongs, by its group or its near-duplicates, to rows of two splits. It is left out, since wherever it went one split would leak into another.`,
      file: file.path,
      range: lineRange(rows.line[row]!),
      row: rowId(rows, row),
    });
  }
}

/** Says when the saved splits are not what the project file asks for. */
function checkSaved(
  project: Project,
  rows: Rows,
  free: number[],
  saved: SavedSplits,
  known: number,
  shares: SplitShares,
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
  const sets: number[][] = [];
  for (const row of orderBySet(train, rows.group)) {
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
  const bySet = [rows.group, rows.duplicates].map((sets) => {
    /** A row of each set that is in train, and one that is in validation. */
    const train = new Int32Array(rows.count).fill(-1);
    const validation = new Int32Array(rows.count).fill(-1);
    for (let i = rows.count - 1; i >= 0; i--) {
      if (rows.leftOut[i] !== 0) continue;
      if (rows.split[i] === TRAIN || rows.split[i] === TUNE) train[sets[i]!] = i;
      else if (rows.split[i] === VALIDATION) validation[sets[i]!] = i;
    }
    return { sets, train, validation };
  });
  let leaks = 0;
  let example: { row: number; other: number } | undefined;
  const leaking = { validation: 0, test: 0 };
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0 || (rows.split[i] !== VALIDATION && rows.split[i] !== TEST)) continue;
    let other = -1;
    for (const { sets, train, validation } of bySet) {
      if (other < 0) other = train[sets[i]!]!;
      if (other < 0 && rows.split[i] === TEST) other = validation[sets[i]!]!;
    }
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
