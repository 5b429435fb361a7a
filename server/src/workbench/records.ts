/**
 * Records of a data file in an editor's text, with the place of every cell. Tolerant: the text is a window on the file and may
 * begin or end anywhere. What a record means is dataset/'s business; this only finds it again on the screen.
 */
import type { Range } from "../../../schemas/problem.ts";

export interface DocumentRecord {
  /** First and last line, from 0. */
  line: number;
  end_line: number;
  cells: Map<string, { text: string; range: Range | null }>;
}

interface Cell {
  text: string;
  range: Range;
}

/**
 * The possible readings of the window: one for JSON lines; for delimited text one that begins at a record, and one that begins
 * inside a quoted cell.
 */
export function readRecords(file: { name: string; header: string; first: number; text: string }): DocumentRecord[][] {
  if (/\.(jsonl|ndjson)$/i.test(file.name)) return [jsonRecords(file.text, file.first)];
  const delimiter = /\.(tsv|tab)$/i.test(file.name) ? "\t" : delimiterOf(file.header);
  const names = cellsOf(file.header.replace(/^\uFEFF/, ""), 0, delimiter)[0]?.map(({ text }) => text) ?? [];
  const window = { text: file.text, first: file.first };
  if (file.first === 0) {
    // The header is no row.
    const end = endOfRecord(file.text, delimiter);
    window.text = file.text.slice(end.offset);
    window.first = end.lines;
  }
  const readings = [delimitedRecords(names, window.text, window.first, delimiter)];
  if (file.first > 0) {
    const inside = /"[ \t]*(?=[,;\t\r\n]|$)/.exec(window.text);
    const newline = inside ? window.text.indexOf("\n", inside.index) : -1;
    if (newline >= 0) {
      const skipped = window.text.slice(0, newline + 1);
      readings.push(
        delimitedRecords(
          names,
          window.text.slice(newline + 1),
          window.first + skipped.split("\n").length - 1,
          delimiter,
        ),
      );
    }
  }
  return readings;
}

/** The delimiter that the header has most of, outside quotes. */
function delimiterOf(header: string): string {
  const plain = header.replace(/"[^"]*"/g, "");
  return [",", ";", "\t", "|"].reduce((best, each) =>
    plain.split(each).length > plain.split(best).length ? each : best,
  );
}

function endOfRecord(text: string, delimiter: string): { offset: number; lines: number } {
  let quoted = false;
  let start = true;
  let lines = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '"') quoted = false;
      else if (c === "\n") lines++;
    } else if (c === '"' && start) quoted = true;
    else if (c === "\n") return { offset: i + 1, lines: lines + 1 };
    start = !quoted && c === delimiter;
  }
  return { offset: text.length, lines };
}

function delimitedRecords(names: readonly string[], text: string, first: number, delimiter: string): DocumentRecord[] {
  return cellsOf(text, first, delimiter).flatMap((cells) => {
    if (cells.length !== names.length) return [];
    const record: DocumentRecord = {
      line: cells[0]!.range.start.line,
      end_line: cells.at(-1)!.range.end.line,
      cells: new Map(),
    };
    for (const [i, name] of names.entries()) record.cells.set(name, cells[i]!);
    return [record];
  });
}

/** RFC 4180, with the place of every cell. */
function cellsOf(text: string, first: number, delimiter: string): Cell[][] {
  const records: Cell[][] = [];
  let cells: Cell[] = [];
  let line = first;
  let lineStart = 0;
  let i = 0;
  const at = (offset: number) => ({ line, character: offset - lineStart });
  while (i < text.length) {
    const start = at(i);
    let value = "";
    if (text[i] === '"') {
      i++;
      while (i < text.length) {
        if (text[i] === '"' && text[i + 1] === '"') {
          value += '"';
          i += 2;
        } else if (text[i] === '"') {
          i++;
          break;
        } else {
          if (text[i] === "\n") {
            line++;
            lineStart = i + 1;
          }
          value += text[i++];
        }
      }
    }
    const rest = i;
    while (i < text.length && text[i] !== delimiter && text[i] !== "\n") i++;
    const plain = text.slice(rest, i).replace(/\r$/, "");
    cells.push({ text: value + plain, range: { start, end: at(rest + plain.length) } });
    if (text[i] === delimiter) {
      i++;
      if (i < text.length && text[i] !== "\n") continue;
      if (i >= text.length || text[i] === "\n") cells.push({ text: "", range: { start: at(i), end: at(i) } });
    }
    records.push(cells);
    cells = [];
    if (text[i] === "\n") {
      i++;
      line++;
      lineStart = i;
    }
  }
  return records;
}

function jsonRecords(text: string, first: number): DocumentRecord[] {
  return text.split("\n").flatMap((source, i): DocumentRecord[] => {
    let object: unknown;
    try {
      object = JSON.parse(source);
    } catch {
      return [];
    }
    if (typeof object !== "object" || object === null || Array.isArray(object)) return [];
    const line = first + i;
    const cells: DocumentRecord["cells"] = new Map();
    for (const [name, value] of Object.entries(object)) {
      const shown = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
      cells.set(name, { text: shown, range: rangeOfValue(source, line, name, value) });
    }
    return [{ line, end_line: line, cells }];
  });
}

/** Where a value stands behind its key; null when the same key-and-value stands twice. */
function rangeOfValue(source: string, line: number, name: string, value: unknown): Range | null {
  const key = JSON.stringify(name);
  const written = JSON.stringify(value);
  let found: Range | null = null;
  for (let at = source.indexOf(key); at >= 0; at = source.indexOf(key, at + key.length)) {
    const behind = /^\s*:\s*/.exec(source.slice(at + key.length));
    if (!behind) continue;
    const start = at + key.length + behind[0].length;
    if (!source.startsWith(written, start)) continue;
    if (found) return null;
    found = { start: { line, character: start }, end: { line, character: start + written.length } };
  }
  return found;
}
