/** A project's rows with people's decisions on them. */

import type { Problem } from "../../../schemas/problem.ts";
import { type Dataset, type OpenOptions, openDataset } from "../dataset/dataset.ts";
import { indexRows, type Rows, rowId, rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import { type RowLookup, rowsKeptInTrain } from "../review/apply.ts";
import { attachDecisions } from "../review/attach.ts";
import type { DecisionsRead } from "../review/decisions.ts";
import { foldDecisions, type Verdicts } from "../review/fold.ts";
import type { JudgedRows } from "./flagged.ts";
import { type Session, WorkflowError } from "./session.ts";

export interface ProjectData {
  dataset: Dataset;
  /** What people said, re-attached to the rows as they are now. */
  verdicts: Verdicts;
  /** Of the data and of the decisions file. */
  problems: Problem[];
}

type ReadOptions = Pick<OpenOptions, "signal" | "onProgress" | "locate" | "saveSplits" | "columns">;

/** Reads the data and the decisions. Never throws for bad data: look at `problems`. */
export async function readData(session: Session, options: ReadOptions = {}): Promise<ProjectData> {
  const read = await session.decisions.read();
  const keepInTrain = rowsKeptInTrain(foldDecisions(read.decisions));
  const dataset = await openDataset(session.project, { duckdb: session.duckdb, keepInTrain, ...options });
  return joined(session, dataset, read);
}

/** The same data with the decisions as they are now. */
export async function withVerdicts(session: Session, { dataset }: ProjectData): Promise<ProjectData> {
  return joined(session, dataset, await session.decisions.read());
}

/** What people said of the rows that a model has judged: for that the data need not be read. */
export async function verdictsOnJudged(session: Session, judged: JudgedRows): Promise<Verdicts> {
  const { decisions } = await session.decisions.read();
  const rows = {
    *[Symbol.iterator]() {
      for (const { row } of judged.rows.values()) yield row;
    },
  };
  return foldDecisions(attachDecisions(decisions, rows).decisions);
}

function joined(session: Session, dataset: Dataset, read: DecisionsRead): ProjectData {
  const attached = attachDecisions(read.decisions, attachable(session, dataset.rows));
  const problems = [...dataset.problems, ...read.problems];
  if (attached.orphaned.length > 0) {
    problems.push({
      severity: "warning",
      code: "orphaned-decisions",
      message: `Decisions on ${attached.orphaned.length.toLocaleString("en-US")} ${attached.orphaned.length === 1 ? "row" : "rows"} have no effect: no row of the data has that id or those inputs any more. They stay in the file.`,
      file: session.project.decisionsFile,
    });
  }
  return { dataset, verdicts: foldDecisions(attached.decisions), problems };
}

/** Iterated lazily, and only when there are decisions to attach. */
function attachable(session: Session, rows: Rows): Iterable<{ row: string; inputs: Record<string, string> }> {
  return {
    *[Symbol.iterator]() {
      for (let i = 0; i < rows.count; i++) yield { row: rowId(rows, i), inputs: rowInputs(session.project, rows, i) };
    },
  };
}

/** @throws WorkflowError that quotes the first errors, when there are any */
export function requireSound(problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const shown = errors.slice(0, 3).map(({ message }) => message);
  const more = errors.length > 3 ? ` (and ${errors.length - 3} more)` : "";
  throw new WorkflowError(
    `The project's data has errors, so no job was started: ${shown.join(" ")}${more} Run check for all of them.`,
  );
}

/** Looks rows up by id, as the review rules see them. The index is made when the first row is asked for. */
export function jobRowState(rows: Rows): RowLookup {
  let index: Map<string, number> | undefined;
  return (id) => {
    index ??= indexRows(rows);
    const i = index.get(id);
    if (i === undefined) return undefined;
    const labels = Object.fromEntries(rows.targets.map(({ name }, t) => [name, rowLabel(rows, t, i)]));
    return { split: SPLITS[rows.split[i]!]!, labels };
  };
}
