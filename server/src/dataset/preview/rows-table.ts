/** The rows that a project has read as a table: nothing is read twice. */
import type { PreviewRole, PreviewType } from "../../../../schemas/preview.ts";
import type { Project } from "../../project/project.ts";
import type { Pace } from "../pace.ts";
import { type Rows, SPLITS } from "../rows.ts";
import type { TextColumn } from "../text-column.ts";
import { cutText } from "./file-table.ts";
import { markMatches } from "./search.ts";
import { type Coded, countCharacters, type DataTable, type TableColumn } from "./table.ts";

/** A column that is known of the rows and stands in no file: `codes` and `numbers` of the table's rows, in their order. */
export interface KnownColumn {
  key: string;
  name: string;
  role: PreviewRole;
  target: string | null;
  coded?: Coded;
  numbers?: Float64Array;
}

export interface RowsTableOptions {
  project: Project;
  rows: Rows;
  /** Index into `rows.files`. */
  file: number;
  /** Labels that hold, by target: those of the file, where nobody decided otherwise. */
  labels: Coded[];
  /** Columns after the file's own. */
  known: KnownColumn[];
  pace: Pace;
}

/** Rows [from, to) of a file. */
export function rowsOfFile(rows: Rows, file: number): { from: number; to: number } {
  let from = 0;
  while (from < rows.count && rows.file[from]! < file) from++;
  let to = from;
  while (to < rows.count && rows.file[to] === file) to++;
  return { from, to };
}

const IN_FILE: ReadonlySet<PreviewRole> = new Set(["id", "input", "target"]);

interface Source extends TableColumn {
  text?: TextColumn;
}

export async function rowsTable({ project, rows, file, labels, known, pace }: RowsTableOptions): Promise<DataTable> {
  const { from, to } = rowsOfFile(rows, file);
  const count = to - from;
  const sources: Source[] = [];

  async function addText(key: string, name: string, role: PreviewRole, text: TextColumn): Promise<void> {
    const lengths = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      if ((row & 0xfff) === 0) await pace();
      lengths[row] = countCharacters(text.bytes, text.offsets[from + row]!, text.offsets[from + row + 1]!);
    }
    sources.push({ key, name, role, type: "text", target: null, lengths, text });
  }
  const add = (column: KnownColumn, type: PreviewType): void => void sources.push({ ...column, type });

  const { id } = project.spec.dataset;
  if (id !== undefined) await addText("id", id, "id", rows.ids);
  for (const [i, { name }] of project.inputs.entries()) await addText(`i${i}`, name, "input", rows.inputs[i]!);
  for (const [t, { name }] of rows.targets.entries()) {
    add({ key: `t${t}`, name, role: "target", target: name, coded: labels[t]! }, "label");
  }
  const split = new Int32Array(count);
  for (let row = 0; row < count; row++) split[row] = rows.split[from + row]!;
  add({ key: "split", name: "split", role: "split", target: null, coded: { codes: split, values: SPLITS } }, "label");
  for (const column of known) add(column, column.coded ? "label" : "number");

  const sets = new Map<number, number>();
  for (let row = 0; row < rows.count; row++)
    sets.set(rows.duplicates[row]!, (sets.get(rows.duplicates[row]!) ?? 0) + 1);
  const repeated = new Uint8Array(count);
  for (let row = 0; row < count; row++) if (sets.get(rows.duplicates[from + row]!)! > 1) repeated[row] = 1;

  function cell({ text, coded, numbers }: Source, row: number, longest: number): string {
    if (text) {
      const bytes = Buffer.from(text.bytes.buffer, text.bytes.byteOffset, text.bytes.byteLength);
      return cutText(bytes, text.offsets[from + row]!, text.offsets[from + row + 1]!, longest);
    }
    if (coded) return coded.values[coded.codes[row]!]!;
    const number = numbers![row]!;
    return Number.isNaN(number) ? "" : number.toFixed(3);
  }

  return {
    count,
    columns: sources.map(({ text: _, ...column }) => column),
    cells: async (wanted, longest) => Array.from(wanted, (row) => sources.map((source) => cell(source, row, longest))),
    async search(needle, column, turn) {
      const marks = new Uint8Array(count);
      for (const [i, { role, text, coded }] of sources.entries()) {
        // A search of everything is a search of what stands in the file.
        if (column === undefined ? !IN_FILE.has(role) : column !== i) continue;
        if (text) {
          const bytes = Buffer.from(text.bytes.buffer, text.bytes.byteOffset, text.bytes.byteLength);
          const stored = {
            count,
            offsets: text.offsets.subarray(from, to + 1),
            latin1: (start: number, end: number) => bytes.toString("latin1", start, end),
          };
          await markMatches(stored, needle, marks, turn);
        } else if (coded) {
          const wanted = Uint8Array.from(coded.values, (value) => (needle.isIn(value) ? 1 : 0));
          for (let row = 0; row < count; row++) marks[row] = marks[row]! | wanted[coded.codes[row]!]!;
        }
      }
      return marks;
    },
    async beginnings(column, bytes, turn) {
      const found: string[] = new Array(count);
      for (let row = 0; row < count; row++) {
        if ((row & 0xfff) === 0) await turn();
        found[row] = cell(sources[column]!, row, bytes).toLowerCase();
      }
      return found;
    },
    repeated: () => repeated,
    async alike(row, limit) {
      const set = rows.duplicates[from + row]!;
      const others: number[] = [];
      for (let other = 0; other < count && others.length < limit; other++) {
        if (other !== row && rows.duplicates[from + other] === set) others.push(other);
      }
      return others;
    },
    lines(row) {
      if (rows.files[file]!.format === "parquet") return undefined;
      const first = rows.line[from + row]!;
      const last = row + 1 < count ? rows.line[from + row + 1]! - 1 : first;
      return { first, last: Math.max(first, last) };
    },
  };
}
