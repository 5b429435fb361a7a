/**
 * Reads delimited text (RFC 4180) from buffers as they arrive. Written here because rows must be mapped to exact lines,
 * also where a text has line breaks, and bad rows must be named: docs/decisions/0001-reading-data.md.
 *
 * A record ends at LF, CRLF or a lone CR outside quotes. Blank lines are skipped. A quote only has a meaning at the
 * start of a field. Bytes are not decoded here; no delimiter, quote or line break is part of a longer UTF-8 character.
 */
import { characterAt, type Fields, type RecordFault } from "./record.ts";

/** A record longer than this means a quote that was never closed. Bytes. */
export const LONGEST_RECORD = 64 * 1024 * 1024;

export interface DelimitedHandlers {
  /** Called once, with the names of the first record. False stops the reading. */
  header(names: string[], line: number): boolean;
  /** Called for each later record with as many fields as the header. `line` is where it starts, 1-based. */
  row(fields: Fields, line: number): void;
  fault(fault: RecordFault): void;
}

export interface DelimitedParser {
  /** Takes bytes; false when nothing more is wanted. */
  push(chunk: Buffer): boolean;
  end(): void;
  /** The 1-based line of the byte that would come next. */
  nextLine(): number;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Delimiters tried, in this order, when none is given: the first that divides the header. */
const DELIMITERS = [",", ";", "\t", "|"];

export function parseDelimited(handlers: DelimitedHandlers, delimiterGiven?: string): DelimitedParser {
  let pending: Buffer = Buffer.alloc(0);
  /** Do not look at an unfinished record again before the buffer is this long: keeps long records linear. */
  let enough = 0;
  let line = 1;
  let columns = -1;
  let names: string[] = [];
  let delimiter = delimiterGiven?.charCodeAt(0) ?? 0;
  let stopped = false;

  const fields: Fields = { buffer: pending, count: 0, starts: [], ends: [], doubled: [] };
  /** Of the record last read. */
  let linesInside = 0;
  let stray = -1;
  let openQuote = -1;
  let openQuoteLine = 0;

  /** Reads one record. Returns where the next one starts, or -1 when its end has not arrived. */
  function readRecord(buffer: Buffer, start: number, end: number, final: boolean): number {
    let at = start;
    let n = 0;
    linesInside = 0;
    stray = -1;
    openQuote = -1;
    for (;;) {
      let fieldStart = at;
      let fieldEnd = -1;
      let doubled = 0;
      if (at < end && buffer[at] === QUOTE) {
        openQuote = at;
        openQuoteLine = line + linesInside;
        fieldStart = ++at;
        for (;;) {
          if (at >= end) return -1;
          const byte = buffer[at]!;
          if (byte === QUOTE) {
            if (at + 1 >= end && !final) return -1;
            if (at + 1 >= end || buffer[at + 1] !== QUOTE) break;
            doubled = 1;
            at += 2;
            continue;
          }
          if (byte === LF) linesInside++;
          else if (byte === CR) {
            if (at + 1 >= end && !final) return -1;
            if (buffer[at + 1] !== LF || at + 1 >= end) linesInside++;
          }
          at++;
        }
        fieldEnd = at;
        openQuote = -1;
        at++;
        if (stray < 0 && at < end) {
          const byte = buffer[at]!;
          if (byte !== delimiter && byte !== LF && byte !== CR) stray = at;
        }
      }
      while (at < end) {
        const byte = buffer[at]!;
        if (byte === delimiter || byte === LF || byte === CR) break;
        at++;
      }
      if (at >= end && !final) return -1;
      fields.starts[n] = fieldStart;
      fields.ends[n] = fieldEnd >= 0 ? fieldEnd : at;
      fields.doubled[n] = doubled;
      n++;
      if (at >= end) break;
      const byte = buffer[at]!;
      if (byte === delimiter) {
        at++;
        continue;
      }
      if (byte === CR) {
        if (at + 1 >= end && !final) return -1;
        at += at + 1 < end && buffer[at + 1] === LF ? 2 : 1;
      } else at++;
      linesInside++;
      break;
    }
    fields.buffer = buffer;
    fields.count = n;
    return at;
  }

  /** The delimiter that divides the header line, a comma when none does. */
  function detectDelimiter(buffer: Buffer, start: number, end: number): number {
    for (const candidate of DELIMITERS) {
      delimiter = candidate.charCodeAt(0);
      readRecord(buffer, start, end, true);
      if (fields.count > 1) return delimiter;
    }
    return DELIMITERS[0]!.charCodeAt(0);
  }

  function take(start: number): void {
    const buffer = fields.buffer;
    if (fields.count === 1 && fields.starts[0] === fields.ends[0] && buffer[start] !== QUOTE) return;
    if (stray >= 0) {
      handlers.fault({
        code: "stray-quote",
        message:
          'Text follows a closing quote. A quote inside a quoted text is written twice (""); the row is left out.',
        line,
        character: characterAt(buffer, stray, start),
        fatal: false,
      });
      if (columns >= 0) return;
    }
    if (columns < 0) {
      names = [];
      for (let i = 0; i < fields.count; i++) names.push(fieldText(fields, i));
      columns = fields.count;
      if (!handlers.header(names, line)) stopped = true;
      return;
    }
    if (fields.count !== columns) {
      const few = fields.count < columns;
      const through = linesInside > 1 ? ` (it goes on to line ${line + linesInside - 1})` : "";
      const missing = few ? `: ${names.slice(fields.count, fields.count + 3).join(", ")} missing` : "";
      const remedy = few
        ? ""
        : ` A text that contains ${delimiter === 9 ? "a tab" : `"${String.fromCharCode(delimiter)}"`} must stand in double quotes.`;
      handlers.fault({
        code: "ragged-row",
        message: `The row has ${fields.count} ${fields.count === 1 ? "field" : "fields"}${through}, the header has ${columns}${missing}.${remedy} The row is left out.`,
        line,
        character: few ? undefined : characterAt(buffer, fields.starts[columns]!, start),
        fatal: false,
      });
      return;
    }
    handlers.row(fields, line);
  }

  function consume(final: boolean): void {
    const buffer = pending;
    const end = buffer.length;
    let start = 0;
    if (columns < 0 && delimiter === 0) {
      // The header must be there whole before its delimiter can be told.
      delimiter = 0x2c;
      while (start < end && (buffer[start] === LF || buffer[start] === CR)) start++;
      const whole = readRecord(buffer, start, end, final) >= 0;
      if (!whole && !final) {
        delimiter = 0;
        if (end > LONGEST_RECORD) unterminated(buffer, start, end);
        return;
      }
      start = 0;
      let from = 0;
      while (from < end && (buffer[from] === LF || buffer[from] === CR)) from++;
      delimiter = detectDelimiter(buffer, from, end);
    }
    while (start < end && !stopped) {
      const next = readRecord(buffer, start, end, final);
      if (next < 0) {
        if (final || end - start > LONGEST_RECORD) unterminated(buffer, start, end);
        break;
      }
      take(start);
      line += linesInside;
      start = next;
    }
    pending = buffer.subarray(start);
    enough = pending.length * 2;
  }

  function unterminated(buffer: Buffer, start: number, end: number): void {
    stopped = true;
    const place = openQuote >= 0 ? openQuote : start;
    if (openQuote < 0) {
      handlers.fault({
        code: "long-row",
        message: `The row that starts here is longer than ${LONGEST_RECORD.toLocaleString("en-US")} bytes: no line ends in it. Check that the file is what its name says.`,
        line,
        fatal: true,
      });
      return;
    }
    handlers.fault({
      code: "unterminated-quote",
      message: `The quote that opens here is never closed: everything after it (${(end - place).toLocaleString("en-US")} bytes) would be one text. Close it, or write a quote inside a text twice ("").`,
      line: openQuote >= 0 ? openQuoteLine : line,
      character: characterAt(buffer, place, start),
      fatal: true,
    });
  }

  return {
    nextLine() {
      let ends = 0;
      for (let i = 0; i < pending.length; i++) {
        if (pending[i] === LF || (pending[i] === CR && pending[i + 1] !== LF)) ends++;
      }
      return line + ends;
    },
    push(chunk) {
      if (stopped) return false;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      if (pending.length >= enough || pending.length > LONGEST_RECORD) consume(false);
      return !stopped;
    },
    end() {
      if (!stopped && pending.length > 0) consume(true);
    },
  };
}

/** A field as text, doubled quotes made single. */
export function fieldText(fields: Fields, i: number): string {
  const text = fields.buffer.toString("utf8", fields.starts[i]!, fields.ends[i]!);
  return fields.doubled[i] === 1 ? text.replaceAll('""', '"') : text;
}
