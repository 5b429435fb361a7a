/** Predictions beside the source columns, as csv, tsv, jsonl or parquet. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { rowId, rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import { verdictOf } from "../review/fold.ts";
import type { ProjectData } from "./data.ts";
import type { JudgedRows } from "./flagged.ts";
import { type Session, WorkflowError } from "./session.ts";

/** Row id, split, inputs, then for each target: label in the data, decision, prediction, confidence, accepted, reasons. */
function columnsOf(session: Session): string[] {
  const { inputs, targets } = session.project;
  return [
    "row",
    "split",
    ...inputs.map(({ name }) => name),
    ...targets.flatMap(({ name }) =>
      [name, "decided", "predicted", "confidence", "accepted", "why_flagged"].map((part) =>
        part === name ? name : `${name} ${part}`,
      ),
    ),
  ];
}

/** A cell that spreadsheets read as text: one that would start a formula gets an apostrophe. */
function delimited(cell: string, delimiter: string): string {
  const text = /^[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
  return text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes all rows that the model has judged, in the order of the data. Whole or not at all. Returns how many. */
export async function exportPredictions(
  session: Session,
  { dataset, verdicts }: ProjectData,
  judged: JudgedRows,
  file: string,
): Promise<number> {
  const format = /\.(csv|tsv|jsonl)$/i.exec(file)?.[1]?.toLowerCase();
  if (!format) throw new WorkflowError(`${file} must end in .csv, .tsv or .jsonl.`);
  const { rows } = dataset;
  const columns = columnsOf(session);
  const delimiter = format === "tsv" ? "\t" : ",";
  const partial = `${file}.partial`;
  const out = createWriteStream(partial);
  let written = 0;
  try {
    if (format !== "jsonl") out.write(`${columns.map((name) => delimited(name, delimiter)).join(delimiter)}\n`);
    for (let i = 0; i < rows.count; i++) {
      const id = rowId(rows, i);
      const of = judged.rows.get(id);
      if (!of) continue;
      const cells = [id, SPLITS[rows.split[i]!]!, ...Object.values(rowInputs(session.project, rows, i))];
      for (const [t, { name }] of session.project.targets.entries()) {
        const seen = of.targets.find(({ target }) => target === name);
        const decision = verdictOf(verdicts, id, name)?.current;
        cells.push(
          rowLabel(rows, t, i) ?? "",
          decision ? (decision.after ?? decision.kind) : "",
          seen?.label ?? "",
          seen?.label == null ? "" : seen.confidence.toFixed(4),
          seen ? (seen.accepted ? "yes" : "no") : "",
          seen?.reasons.join(" ") ?? "",
        );
      }
      const line =
        format === "jsonl"
          ? JSON.stringify(Object.fromEntries(columns.map((name, c) => [name, cells[c]])))
          : cells.map((cell) => delimited(cell, delimiter)).join(delimiter);
      if (!out.write(`${line}\n`)) await once(out, "drain");
      written++;
    }
    out.end();
    await finished(out);
    await rename(partial, file);
  } catch (error) {
    out.destroy();
    await rm(partial, { force: true });
    throw new WorkflowError(`${file} could not be written: ${(error as Error).message}`);
  }
  return written;
}
