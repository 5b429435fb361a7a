/** The one way to a project's data: read, identify, divide, sample, describe. */
import type { Problem } from "../../../schemas/problem.ts";
import type { Profile } from "../../../schemas/profile.ts";
import type { Project } from "../project/project.ts";
import type { DuckDb } from "./duckdb.ts";
import { findDuplicates } from "./duplicates.ts";
import { findFiles, type Locate } from "./files.ts";
import { codeLabels } from "./labels.ts";
import { keepPace } from "./pace.ts";
import { count, listProblems, type ProblemList, quoted } from "./problems.ts";
import { profileRows } from "./profile.ts";
import { readTable, type WantedColumn } from "./read.ts";
import { joinRows } from "./row-sets.ts";
import { assignIds, leaveOutEmpty, type Rows, TRAIN, TUNE } from "./rows.ts";
import { applySampling, type SamplingReport } from "./sample.ts";
import { assignSplits, reportLeaks, sliceTune } from "./splits.ts";
import { readSplits, writeSplits } from "./splits-file.ts";
import type { TextColumn } from "./text-column.ts";

export interface Dataset {
  project: Project;
  rows: Rows;
  profile: Profile;
  sampling: SamplingReport;
  /** Errors, warnings and information, those of one kind and file together. With an error among them no job should start. */
  problems: Problem[];
}

export interface OpenOptions {
  duckdb: DuckDb;
  signal?: AbortSignal;
  /** What is being done, and how far: `done` of `total`, in bytes while reading; total null where it is unknown. */
  onProgress?: (step: string, done: number, total: number | null) => void;
  /** Where keys of the project file stand, so that problems can point there. */
  locate?: Locate;
  /** Write new assignments to the splits file (the default). Without it the same ones are computed again next time. */
  saveSplits?: boolean;
  /** Ids of rows that must not be placed in validation or test, since people judged them as flagged. */
  keepInTrain?: ReadonlySet<string>;
  /** Other columns to keep, for slices and views. */
  columns?: string[];
}

/**
 * Reads all data of a project and works out ids, labels, duplicates, splits, sampling and profile. Bad rows and files become
 * problems; nothing of what they are throws. Throws when the signal is aborted, and when the splits cannot be written.
 * Gives other work of the thread a turn every 20 ms.
 */
export async function openDataset(project: Project, options: OpenOptions): Promise<Dataset> {
  const { duckdb, signal, onProgress, locate } = options;
  const problems = listProblems();
  const pace = keepPace(signal);
  const { dataset } = project.spec;

  const files = await findFiles(project, problems, locate);
  const table = await readTable(files, wantedColumns(project, options.columns ?? []), {
    duckdb,
    problems,
    pace,
    signal,
    onProgress: (done, total) => onProgress?.("reading", done, total),
  });
  const inputs = project.inputs.map(({ column }) => table.text.get(column)!);

  onProgress?.("identifying rows", 0, null);
  const inPool = (row: number): boolean => files[table.file[row]!]!.role === "pool";
  const leftOut = new Uint8Array(table.count);
  leaveOutEmpty(project, table, inputs, leftOut, problems);
  const ids = await assignIds(project, table, inputs, problems, pace);
  // Where rows of the source could not be read it has been said why; that none of them has a label says no more.
  const labelled = table.file.some((file) => files[file]!.role !== "pool") || problems.errors === 0;
  const coded = project.targets.map((_, t) =>
    codeLabels(project, t, table, (row) => !inPool(row) && leftOut[row] === 0, problems, labelled, locate),
  );
  const rows: Rows = {
    count: table.count,
    ids,
    inputs,
    labels: coded.map(({ codes }) => codes),
    targets: coded.map(({ target }) => target),
    split: new Uint8Array(table.count),
    leftOut,
    group: new Int32Array(table.count),
    duplicates: new Int32Array(table.count),
    files,
    file: table.file,
    line: table.line,
    columns: new Map((options.columns ?? []).flatMap((name) => pair(name, table.text.get(name)))),
  };

  onProgress?.("finding duplicates", 0, null);
  const duplicates = await findDuplicates(inputs, (row) => leftOut[row] === 0, dataset.split.seed, pace);
  const groupColumn = dataset.group === undefined ? undefined : table.coded.get(dataset.group);
  const sets = joinRows(project, rows, duplicates, groupColumn, problems, locate);
  rows.group = sets.together;
  rows.duplicates = sets.duplicates;

  onProgress?.("dividing", 0, null);
  const saved = await readSplits(project.splitsFile, problems);
  const splitColumn = dataset.split.column === undefined ? undefined : table.coded.get(dataset.split.column);
  const added = assignSplits(project, rows, splitColumn, saved, { problems, locate, keepInTrain: options.keepInTrain });
  const leaks = reportLeaks(rows, problems);
  const sampling = applySampling(project, rows);
  sliceTune(project, rows);
  // A splits file that cannot be read, or data that cannot, must not decide anything for good.
  if (added && options.saveSplits !== false && problems.errors === 0) {
    const aside = await writeSplits(project.splitsFile, saved);
    if (aside !== undefined) {
      problems.add({
        severity: "warning",
        code: "splits-set-aside",
        message: `The damaged splits file was kept as ${aside}; its readable lines are in the new one. Compare the two, and delete the old one when nothing is missing.`,
        file: project.splitsFile,
      });
    }
  }

  const profile = profileRows(project, rows, table, duplicates, leaks);
  checkRows(project, rows, profile, problems, locate);
  return { project, rows, profile, sampling, problems: problems.finish() };
}

function pair(name: string, column: TextColumn | undefined): [string, TextColumn][] {
  return column ? [[name, column]] : [];
}

/** Every column the project names, each once. A column that is read as text and as codes is read as both. */
function wantedColumns(project: Project, others: string[]): WantedColumn[] {
  const { id, group, split } = project.spec.dataset;
  const wanted: WantedColumn[] = [];
  const want = (name: string | undefined, as: WantedColumn["as"], optionalInPool: boolean): void => {
    if (name === undefined) return;
    const known = wanted.find((column) => column.name === name && column.as === as);
    if (!known) wanted.push({ name, as, optionalInPool });
    else if (!optionalInPool) known.optionalInPool = false;
  };
  for (const { column } of project.inputs) want(column, "text", false);
  want(id, "text", false);
  for (const { column } of project.targets) want(column, "coded", true);
  want(group, "coded", true);
  want(split.column, "coded", true);
  for (const column of others) want(column, "text", true);
  return wanted;
}

/** What only shows in the whole. */
function checkRows(project: Project, rows: Rows, profile: Profile, problems: ProblemList, locate?: Locate): void {
  const place = (key: (string | number)[]) => ({ file: project.file, range: locate?.(key) });
  if (profile.unlabelled > 0) {
    problems.add({
      severity: "information",
      code: "unlabelled-rows",
      message: `${count(profile.unlabelled, "row")} of ${profile.rows.toLocaleString("en-US")} ${profile.unlabelled === 1 ? "has" : "have"} no label: they are the pool, predicted and flagged.`,
      ...place(["dataset", "source"]),
    });
  }
  for (const [t, target] of rows.targets.entries()) {
    const inTrain = new Int32Array(target.labels.length);
    const seen = new Uint8Array(target.labels.length);
    for (let i = 0; i < rows.count; i++) {
      const code = rows.labels[t]![i]!;
      if (code < 0) continue;
      seen[code] = 1;
      if (rows.split[i] === TRAIN || rows.split[i] === TUNE) inTrain[code]!++;
    }
    const rare = target.labels.filter((_, code) => seen[code] === 1 && inTrain[code]! < 2);
    if (rare.length > 0) {
      const shown = rare.slice(0, 5).map((label) => quoted(label.name, 40));
      if (rare.length > 5) shown.push(`and ${rare.length - 5} more`);
      problems.add({
        severity: "warning",
        code: "rare-label",
        message: `${count(rare.length, "label")} of ${quoted(target.column)} ${rare.length === 1 ? "has" : "have"} fewer than 2 train rows, too few to learn from: ${shown.join(", ")}. Label more such rows, merge labels (aliases), or leave them out with sampling.min_examples.`,
        ...place(["task", "targets", t, "column"]),
        column: target.column,
      });
    }
    const conflicts = profile.conflicts[target.name]!;
    if (conflicts.sets > 0) {
      problems.add({
        severity: "warning",
        code: "conflicting-labels",
        message: `${count(conflicts.sets, "text")} ${conflicts.sets === 1 ? "stands" : "stand"} in several rows (${conflicts.rows.toLocaleString("en-US")}) with different labels of ${quoted(target.column)}. No model can be right on all of them.`,
        ...place(["task", "targets", t, "column"]),
        column: target.column,
      });
    }
  }
}
