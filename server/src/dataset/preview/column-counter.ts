/** What is kept of a column's cells while a file is read: codes as long as values repeat, numbers as long as all are, lengths. */
import type { PreviewType } from "../../../../schemas/preview.ts";
import { growingInts, growingNumbers } from "./growing.ts";
import type { TableColumn } from "./table.ts";

export interface ColumnCounter {
  /** Takes the next cell: its UTF-8 bytes, and how many characters they are. */
  add(bytes: Buffer, start: number, end: number, characters: number): void;
  finish(rows: number): void;
  now(): TableColumn;
}

/** A column with more different values than this has no codes. */
export const MOST_VALUES = 10_000;
/** Nor has one with a longer value: it is prose. Bytes. */
const LONGEST_VALUE = 200;
/** After this many rows a column of which more than half of the cells differ is taken for one without repeats. */
const ENOUGH_ROWS = 5000;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const INTEGER = /^-?(0|[1-9]\d{0,14})$/;
const DATE = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;
const BOOLEAN = /^(true|false|yes|no)$/i;

export function columnCounter(name: string, place: number): ColumnCounter {
  const codes = growingInts();
  let index: Map<string, number> | undefined = new Map([["", 0]]);
  let values: string[] = [""];
  const lengths = growingInts();
  let numbers: ReturnType<typeof growingNumbers> | undefined = growingNumbers();
  const could = { integer: true, number: true, date: true, boolean: true };
  let rows = 0;
  let filled = 0;
  let finished: { codes?: Int32Array; lengths?: Int32Array; numbers?: Float64Array } | undefined;

  function look(text: string): void {
    filled++;
    if (could.integer && !INTEGER.test(text)) could.integer = false;
    if (could.number && !NUMBER.test(text)) {
      could.number = false;
      numbers = undefined;
    }
    if (could.date && !DATE.test(text)) could.date = false;
    if (could.boolean && !BOOLEAN.test(text)) could.boolean = false;
  }

  function type(): PreviewType {
    if (filled === 0) return "empty";
    if (could.boolean) return "boolean";
    if (could.integer) return "integer";
    if (could.number) return "number";
    if (could.date) return "date";
    return index ? "label" : "text";
  }

  return {
    add(bytes, start, end, characters) {
      rows++;
      lengths.push(characters);
      if (end === start) {
        if (index) codes.push(0);
        numbers?.push(Number.NaN);
        return;
      }
      if (index && (end - start > LONGEST_VALUE || (rows > ENOUGH_ROWS && index.size > rows / 2))) forgetValues();
      if (!index && !could.number && !could.date && !could.boolean) {
        filled++;
        return;
      }
      const text = bytes.toString("utf8", start, Math.min(end, start + LONGEST_VALUE + 1));
      if (index) {
        let code = index.get(text);
        if (code === undefined) {
          if (index.size > MOST_VALUES) forgetValues();
          else {
            code = index.size;
            index.set(text, code);
            values.push(text);
          }
        }
        if (code !== undefined) codes.push(code);
      }
      look(text);
      numbers?.push(Number(text));
    },
    finish(count) {
      finished = {
        ...(index ? { codes: codes.values.slice(0, count) } : { lengths: lengths.values.slice(0, count) }),
        ...(numbers && filled > 0 ? { numbers: numbers.values.slice(0, count) } : {}),
      };
    },
    now() {
      const kept = finished ?? {
        codes: index ? codes.values : undefined,
        lengths: index ? undefined : lengths.values,
        numbers: numbers?.values,
      };
      return {
        key: `c${place}`,
        name,
        role: "plain",
        type: type(),
        target: null,
        ...(kept.codes && index ? { coded: { codes: kept.codes, values } } : {}),
        ...(kept.numbers && could.number && filled > 0 ? { numbers: kept.numbers } : {}),
        ...(kept.lengths ? { lengths: kept.lengths } : {}),
      };
    },
  };

  function forgetValues(): void {
    index = undefined;
    values = [];
  }
}
