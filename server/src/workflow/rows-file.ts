/** Writes rows of text cells as csv, tsv or jsonl. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { WorkflowError } from "./session.ts";

export type RowsFormat = "csv" | "tsv" | "jsonl";

/** @throws WorkflowError when the file's name tells none of the formats */
export function rowsFormat(file: string): RowsFormat {
  const format = /\.(csv|tsv|jsonl)$/i.exec(file)?.[1]?.toLowerCase();
  if (!format) throw new WorkflowError(`${file} must end in .csv, .tsv or .jsonl.`);
  return format as RowsFormat;
}

/** A cell that spreadsheets read as text: one that would start a formula gets an apostrophe (OWASP, CSV injection). */
function delimited(cell: string, delimiter: string): string {
  const text = /^[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
  return text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line without its end. In jsonl the keys are `columns`; csv and tsv have a header line: `rowLine(columns, columns)`. */
export function rowLine(columns: readonly string[], cells: readonly string[], format: RowsFormat): string {
  if (format === "jsonl") return JSON.stringify(Object.fromEntries(columns.map((name, c) => [name, cells[c]])));
  const delimiter = format === "tsv" ? "\t" : ",";
  return cells.map((cell) => delimited(cell, delimiter)).join(delimiter);
}

/** All lines, the header of csv and tsv first. */
export async function* rowLines(
  columns: readonly string[],
  rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  format: RowsFormat,
): AsyncGenerator<string> {
  if (format !== "jsonl") yield rowLine(columns, columns, format);
  for await (const cells of rows) yield rowLine(columns, cells, format);
}

/** Writes the file whole or not at all. Returns how many rows. @throws WorkflowError when it cannot be written */
export async function writeRowsFile(
  file: string,
  columns: readonly string[],
  rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
): Promise<number> {
  const format = rowsFormat(file);
  const partial = `${file}.${process.pid}.partial`;
  let lines = 0;
  try {
    await pipeline(async function* () {
      for await (const line of rowLines(columns, rows, format)) {
        lines++;
        yield `${line}\n`;
      }
    }, createWriteStream(partial));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new WorkflowError(`${file} could not be written: ${(error as Error).message}`);
  }
  return format === "jsonl" ? lines : lines - 1;
}
