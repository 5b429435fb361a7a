/** Writes `data/rows.jsonl` of a job folder: the rows, with the decisions that may train. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import type { Project } from "../project/project.ts";
import { leftOutCode, POOL, type Rows, rowId, rowInputs, rowLabel, SPLITS, TEST, TRAIN, VALIDATION } from "./rows.ts";

/** What a person decided of a row and target: a label, or null for none of these labels. */
export interface TrainDecision {
  label: string | null;
  /** Id of the decision. */
  decision: string;
}

/** Row id → target name → decision. Only decisions that train: the review module chooses them. */
export type TrainDecisions = Map<string, Map<string, TrainDecision>>;

export interface JobRowsOptions {
  decisions?: TrainDecisions;
  /** Only these splits. Default: all. */
  splits?: SplitName[];
  signal?: AbortSignal;
}

export interface JobRowsReport {
  /** SHA-256, in hex, over row ids, splits, inputs and labels, in order. */
  fingerprint: string;
  /** Rows written, by split. */
  rows: Record<SplitName, number>;
  /** Rows written that have a decision. */
  decisions: number;
  /** Decided rows of the pool that did not join train: they belong to rows of validation or test. */
  withheld: string[];
}

/**
 * Streams the rows that take part to `path`, whole or not at all. Decisions change the labels of train rows (tune
 * included), bring back rows that sampling left out, and move rows of the pool to train, unless those are duplicates of
 * validation or test rows or of their group. They never touch validation and test.
 */
export async function writeJobRows(
  { project, rows }: { project: Project; rows: Rows },
  { decisions, splits, signal }: JobRowsOptions,
  path: string,
): Promise<JobRowsReport> {
  const setSizes = new Int32Array(rows.count);
  /** Sets of rows with a row of validation or test in them. */
  const heldOut = new Uint8Array(rows.count);
  const heldOutTexts = new Uint8Array(rows.count);
  for (let i = 0; i < rows.count; i++) {
    setSizes[rows.group[i]!]!++;
    if (rows.leftOut[i] !== 0 || (rows.split[i] !== VALIDATION && rows.split[i] !== TEST)) continue;
    heldOut[rows.group[i]!] = 1;
    heldOutTexts[rows.duplicates[i]!] = 1;
  }
  const bySampling = [leftOutCode("sampling"), leftOutCode("dropped-label")];
  const wanted = splits ? new Set<SplitName>(splits) : undefined;
  const labelNames = rows.targets.map((target) => new Set(target.labels.map((label) => label.name)));
  const hash = createHash("sha256");
  const report: JobRowsReport = {
    fingerprint: "",
    rows: { train: 0, tune: 0, validation: 0, test: 0, pool: 0 },
    decisions: 0,
    withheld: [],
  };

  /** The row as the job sees it; undefined when it takes no part. */
  function jobRow(i: number): JobRow | undefined {
    let split = rows.split[i]!;
    const id = rowId(rows, i);
    const decided = split === VALIDATION || split === TEST ? undefined : decisions?.get(id);
    if (rows.leftOut[i] !== 0 && !(decided && split !== POOL && bySampling.includes(rows.leftOut[i]!)))
      return undefined;
    const labels: Record<string, string | null> = {};
    let decision: string | undefined;
    let labelled = false;
    let joined = false;
    const given: Record<string, string | null> = {};
    for (const [t, { name }] of rows.targets.entries()) {
      labels[name] = rowLabel(rows, t, i);
      const made = decided?.get(name);
      if (!made || (made.label !== null && !labelNames[t]!.has(made.label))) continue;
      if (made.label !== labels[name]) given[name] = labels[name]!;
      labels[name] = made.label;
      decision = made.decision;
      if (made.label !== null) labelled = true;
    }
    if (split === POOL && labelled) {
      if (heldOut[rows.group[i]!] === 0 && heldOutTexts[rows.duplicates[i]!] === 0) {
        split = TRAIN;
        joined = true;
      } else {
        report.withheld.push(id);
        decision = undefined;
        for (const { name } of rows.targets) labels[name] = null;
      }
    }
    const name = SPLITS[split]!;
    if (wanted && !wanted.has(name)) return undefined;
    const row: JobRow = { row: id, split: name, inputs: rowInputs(project, rows, i), labels };
    if (setSizes[rows.group[i]!]! > 1) row.group = `g${rows.group[i]}`;
    if (joined) row.joined = true;
    else if (decision !== undefined && Object.keys(given).length > 0) row.given = given;
    if (decision !== undefined) row.decision = decision;
    return row;
  }

  function* lines(): Generator<string> {
    let text = "";
    for (let i = 0; i < rows.count; i++) {
      const row = jobRow(i);
      if (!row) continue;
      report.rows[row.split]++;
      if (row.decision !== undefined) report.decisions++;
      hash.update(JSON.stringify([row.row, row.split, row.inputs, row.labels]));
      text += `${JSON.stringify(row)}\n`;
      if (text.length < 1 << 18) continue;
      yield text;
      text = "";
    }
    yield text;
  }

  signal?.throwIfAborted();
  const partial = `${path}.partial`;
  try {
    await pipeline(lines, createWriteStream(partial), { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  report.fingerprint = hash.digest("hex");
  return report;
}
