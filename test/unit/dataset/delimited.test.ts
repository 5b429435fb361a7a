import assert from "node:assert/strict";
import fc from "fast-check";
import { fieldText, LONGEST_RECORD, parseDelimited } from "../../../server/src/dataset/delimited.ts";
import type { RecordFault } from "../../../server/src/dataset/record.ts";
import { toCsv } from "./made-project.ts";

interface Read {
  header: string[];
  rows: string[][];
  lines: number[];
  faults: RecordFault[];
}

/** Reads bytes that arrive in pieces of the given sizes. */
function read(bytes: Buffer, pieces: number[] = [], delimiter?: string): Read {
  const result: Read = { header: [], rows: [], lines: [], faults: [] };
  const parser = parseDelimited(
    {
      header: (names) => {
        result.header = names;
        return true;
      },
      row: (fields, line) => {
        result.rows.push(Array.from({ length: fields.count }, (_, i) => fieldText(fields, i)));
        result.lines.push(line);
      },
      fault: (fault) => result.faults.push(fault),
    },
    delimiter,
  );
  let at = 0;
  for (const size of pieces) {
    parser.push(bytes.subarray(at, at + size));
    at += size;
  }
  parser.push(bytes.subarray(at));
  parser.end();
  return result;
}

/** Any text, rich in what has a meaning in csv. */
const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "\r\n", "a", " ", "é", "🙂", "\t", ";") }),
  fc.string({ unit: "grapheme" }),
);
const pieces = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 200 });

describe("delimited text", () => {
  it("reads back what was written, however the bytes arrive", () => {
    const table = fc.integer({ min: 2, max: 5 }).chain((width) =>
      fc.record({
        rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 8 }),
        end: fc.constantFrom("\n", "\r\n", "\r"),
        lastEnd: fc.boolean(),
        pieces,
      }),
    );
    fc.assert(
      fc.property(table, ({ rows, end, lastEnd, pieces: sizes }) => {
        const header = Array.from({ length: rows[0]?.length ?? 2 }, (_, i) => `column ${i}`);
        let csv = toCsv(header, rows, end);
        if (!lastEnd) csv = csv.slice(0, -end.length);
        const result = read(Buffer.from(csv), sizes);
        assert.deepEqual(result.faults, []);
        assert.deepEqual(result.header, header);
        assert.deepEqual(result.rows, rows);
        // The line of a row: one more than the line ends before it.
        let before = toCsv(header, [], end);
        for (const [i, row] of rows.entries()) {
          assert.equal(result.lines[i], (before.match(/\r\n|\r|\n/g)?.length ?? 0) + 1);
          before += toCsv(row, [], end);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never throws, and reads the same whole or in pieces", () => {
    const bytes = fc
      .uint8Array({ maxLength: 200 })
      .map((b) => Buffer.from(b.map((x) => [0x22, 0x2c, 0x0a, 0x0d, 0x61, x][x % 6]!)));
    fc.assert(
      fc.property(bytes, pieces, (input, sizes) => {
        assert.deepEqual(read(input, sizes), read(input));
      }),
      { numRuns: 500 },
    );
  });

  it("finds the delimiter in the header", () => {
    assert.deepEqual(read(Buffer.from("text;label\na,b;c\n")).rows, [["a,b", "c"]]);
    assert.deepEqual(read(Buffer.from("text\tlabel\na,b\tc\n")).rows, [["a,b", "c"]]);
    assert.deepEqual(read(Buffer.from('"a;b",label\nx;y,z\n')).rows, [["x;y", "z"]]);
  });

  it("skips blank lines but counts them", () => {
    const result = read(Buffer.from("\n\ntext,label\n\na,b\n\n\nc,d\n\n"));
    assert.deepEqual(result.rows, [
      ["a", "b"],
      ["c", "d"],
    ]);
    assert.deepEqual(result.lines, [5, 8]);
  });

  it("keeps a quote inside an unquoted field", () => {
    assert.deepEqual(read(Buffer.from('text,label\n5" pipe,x\n')).rows, [['5" pipe', "x"]]);
  });

  it("goes on after a ragged row", () => {
    const result = read(Buffer.from('text,label\n"two\nlines",x,y\nb\nc,d\n'));
    assert.deepEqual(result.rows, [["c", "d"]]);
    assert.deepEqual(
      result.faults.map((f) => [f.code, f.line]),
      [
        ["ragged-row", 2],
        ["ragged-row", 4],
      ],
    );
  });

  it("names the line and character of a quote that never closes", () => {
    const result = read(Buffer.from('text,label\n"two\nlines","é"\nab,"open\nrest\n'));
    assert.deepEqual(result.rows, [["two\nlines", "é"]]);
    assert.equal(result.faults.length, 1);
    assert.equal(result.faults[0]!.code, "unterminated-quote");
    assert.deepEqual([result.faults[0]!.line, result.faults[0]!.character], [4, 3]);
  });

  it("a row without end is told from a quote without end", () => {
    const result = read(Buffer.concat([Buffer.from("text,label\nab,c\nxy,"), Buffer.alloc(LONGEST_RECORD + 1, "z")]));
    assert.deepEqual(result.rows, [["ab", "c"]]);
    assert.deepEqual(
      result.faults.map(({ code, line }) => [code, line]),
      [["long-row", 3]],
    );
  });
});
