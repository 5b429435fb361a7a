/**
 * Reads JSON records from buffers as they arrive: an object a line (jsonl), or a list of objects (json; also objects one
 * after the other). Written here because rows must be mapped to exact lines and numbers kept as written:
 * docs/decisions/0001-reading-data.md.
 */

import { LONGEST_RECORD } from "./delimited.ts";
import { characterAt, type RecordFault } from "./record.ts";

export interface JsonHandlers {
  /** `line` is where the object starts, 1-based. */
  object(object: Record<string, unknown>, source: () => Record<string, unknown>, line: number): void;
  fault(fault: RecordFault): void;
}

export interface JsonParser {
  /** Takes bytes; false when nothing more is wanted. */
  push(chunk: Buffer): boolean;
  end(): void;
  /** The 1-based line of the byte that would come next. */
  nextLine(): number;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === LF || byte === CR;

/** The text of a JSON value as a cell: strings as they are, null and absent empty, numbers as written, the rest as JSON. */
export function cellText(object: Record<string, unknown>, source: () => Record<string, unknown>, key: string): string {
  const value = object[key];
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return String(value);
  return JSON.stringify(source()[key]);
}

/** JSON.rawJSON and the reviver's third argument (ES2026; V8 11.4): numbers stay as they were written. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
function parseKeepingNumbers(text: string): Record<string, unknown> {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === "number" && context?.source !== undefined ? rawJson(context.source) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** Reads one record's bytes; says what is wrong with it. */
function readObject(buffer: Buffer, start: number, end: number, line: number, handlers: JsonHandlers): void {
  const text = buffer.toString("utf8", start, end);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    handlers.fault(invalidJson(text, line, characterAt(buffer, start), error as Error));
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const kind = Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
    handlers.fault({
      code: "not-an-object",
      message: `Each record must be an object like {"text": "…", "label": "…"}; this one is ${kind}. It is left out.`,
      line,
      character: characterAt(buffer, start),
      fatal: false,
    });
    return;
  }
  handlers.object(value as Record<string, unknown>, () => parseKeepingNumbers(text), line);
}

function invalidJson(text: string, line: number, character: number, error: Error): RecordFault {
  const at = errorPosition(text, error.message);
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  const reason = error.message.replace(/, (?:\.\.\.|").*$/su, "").replace(/ in JSON at position.*$/su, "");
  return {
    code: "invalid-json",
    message: `This is not valid JSON: ${reason}. The record is left out.`,
    line: line + before.length - 1,
    character: before.length === 1 ? character + at : before.at(-1)!.length,
    fatal: false,
  };
}

/** Where parsing failed. V8 says "at position 17", but not of an unexpected token: the shortest beginning that has it ends there. */
function errorPosition(text: string, message: string): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (!message.startsWith("Unexpected token")) return text.length;
  let short = 0;
  let long = text.length;
  while (long - short > 1) {
    const middle = (short + long) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) long = middle;
    else short = middle;
  }
  return long - 1;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith("Unexpected token");
  }
}

const countLines = (buffer: Buffer, start: number, end: number): number => {
  let lines = 0;
  for (let i = start; i < end; i++) {
    if (buffer[i] === LF || (buffer[i] === CR && buffer[i + 1] !== LF)) lines++;
  }
  return lines;
};

/** An object a line. Blank lines are skipped. */
export function parseJsonLines(handlers: JsonHandlers): JsonParser {
  let pending: Buffer = Buffer.alloc(0);
  let line = 1;
  let stopped = false;

  function consume(final: boolean): void {
    const buffer = pending;
    let start = 0;
    while (start < buffer.length && !stopped) {
      let end = buffer.indexOf(LF, start);
      if (end < 0) {
        if (!final) {
          if (buffer.length - start > LONGEST_RECORD) tooLong();
          break;
        }
        end = buffer.length;
      }
      let first = start;
      while (first < end && isBlank(buffer[first]!)) first++;
      let last = end;
      while (last > first && isBlank(buffer[last - 1]!)) last--;
      if (last > first) readObject(buffer, first, last, line, handlers);
      line++;
      start = end + 1;
    }
    pending = buffer.subarray(Math.min(start, buffer.length));
  }
  function tooLong(): void {
    stopped = true;
    handlers.fault({
      code: "record-too-long",
      message: "This line is longer than 64 MB. In jsonl every record stands on a line of its own.",
      line,
      fatal: true,
    });
  }
  return {
    nextLine: () => line + countLines(pending, 0, pending.length),
    push(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      consume(false);
      return !stopped;
    },
    end: () => consume(true),
  };
}

/** A list of objects, or objects one after the other. */
export function parseJsonList(handlers: JsonHandlers): JsonParser {
  let pending: Buffer = Buffer.alloc(0);
  let enough = 0;
  let line = 1;
  let stopped = false;
  /** Inside the brackets of the list; null before the first value. */
  let inList: boolean | null = null;
  let closed = false;
  let wantsComma = false;

  function fault(message: string, at: number): void {
    stopped = true;
    handlers.fault({ code: "invalid-json", message, line, character: characterAt(pending, at), fatal: true });
  }

  /** End of the value that starts at `start`, or -1 when it has not arrived. */
  function valueEnd(buffer: Buffer, start: number, final: boolean): number {
    const first = buffer[start]!;
    let depth = 0;
    let inString = false;
    for (let at = start; at < buffer.length; at++) {
      const byte = buffer[at]!;
      if (inString) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) return at + 1;
        }
      } else if (byte === QUOTE) inString = true;
      else if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) {
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
      } else if (depth === 0 && (byte === 0x2c || isBlank(byte)) && first !== QUOTE) return at;
    }
    return final && depth === 0 && !inString ? buffer.length : -1;
  }

  function consume(final: boolean): void {
    const buffer = pending;
    let start = 0;
    while (start < buffer.length && !stopped) {
      const byte = buffer[start]!;
      if (isBlank(byte)) {
        if (byte === CR && start + 1 >= buffer.length && !final) break;
        if (byte === LF || (byte === CR && buffer[start + 1] !== LF)) line++;
        start++;
        continue;
      }
      if (closed) {
        fault("Something follows the end of the list.", start);
        break;
      }
      if (inList === null && byte === 0x5b) {
        inList = true;
        start++;
        continue;
      }
      inList ??= false;
      if (inList && byte === 0x5d) {
        closed = true;
        start++;
        continue;
      }
      if (inList && byte === 0x2c && wantsComma) {
        wantsComma = false;
        start++;
        continue;
      }
      if (byte === 0x2c || (inList && wantsComma)) {
        fault(wantsComma ? "A comma is missing between two records." : "There is a comma too many here.", start);
        break;
      }
      const end = valueEnd(buffer, start, final);
      if (end < 0) {
        if (final || buffer.length - start > LONGEST_RECORD)
          fault("The record that starts here is never closed.", start);
        break;
      }
      if (end === start) {
        fault(`Unexpected "${String.fromCharCode(byte)}".`, start);
        break;
      }
      readObject(buffer, start, end, line, handlers);
      line += countLines(buffer, start, end);
      wantsComma = inList;
      start = end;
    }
    if (final && !stopped && inList && !closed) {
      fault("The list is never closed: a ] is missing at the end. The file may have been cut off.", buffer.length);
    }
    pending = buffer.subarray(start);
    enough = pending.length * 2;
  }
  return {
    nextLine: () => line + countLines(pending, 0, pending.length),
    push(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      if (pending.length >= enough) consume(false);
      return !stopped;
    },
    end: () => consume(true),
  };
}
