/** Confidences beside the rows of a data file: rows are found again by their content, never by their line. */

import type { Range } from "../../../schemas/problem.ts";
import type { InlineRow, TargetView } from "../../../schemas/protocol.ts";
import type { Project } from "../project/project.ts";
import type { JudgedRow } from "../workflow/flagged.ts";
import { type DocumentRecord, readRecords } from "./records.ts";

/** Rows by the texts of their inputs. */
export type RowIndex = ReadonlyMap<string, JudgedRow>;

const keyOf = (texts: readonly string[]): string => JSON.stringify(texts);

/** Of rows with equal inputs the first stands for all: the model says the same of them. */
export function indexByContent(project: Project, rows: Iterable<JudgedRow>): RowIndex {
  const index = new Map<string, JudgedRow>();
  for (const known of rows) {
    const key = keyOf(project.inputs.map(({ name }) => known.row.inputs[name] ?? ""));
    if (!index.has(key)) index.set(key, known);
  }
  return index;
}

/**
 * The rows that stand in the given lines of a document.
 * @param view what people see of a row: made for these rows alone, as there may be a great many others
 * @param file `header`: the document's first line; `first`: the line, from 0, that `text` begins with
 */
export function inlineRows(
  project: Project,
  index: RowIndex,
  view: (known: JudgedRow) => TargetView[],
  file: { name: string; header: string; first: number; text: string },
): InlineRow[] {
  const found = (records: readonly DocumentRecord[]): InlineRow[] =>
    records.flatMap((record) => {
      const texts = project.inputs.map(({ column }) => record.cells.get(column)?.text);
      if (texts.some((text) => text === undefined)) return [];
      const known = index.get(keyOf(texts as string[]));
      if (!known) return [];
      const targets = view(known).map((target) => ({ ...target, cell: cellOf(project, record, target.target) }));
      return [
        {
          row: known.row.row,
          split: known.row.split,
          line: record.line,
          end_line: record.end_line,
          trained: targets.length === 0,
          targets,
        },
      ];
    });
  // The text may begin inside a quoted record: of the two readings the one that finds more rows is right.
  const readings = readRecords(file).map(found);
  return readings.reduce((best, reading) => (reading.length > best.length ? reading : best), []);
}

function cellOf(project: Project, record: DocumentRecord, target: string): Range | null {
  const column = project.targets.find(({ name }) => name === target)?.column;
  return (column !== undefined && record.cells.get(column)?.range) || null;
}
