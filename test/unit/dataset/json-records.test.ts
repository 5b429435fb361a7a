import assert from "node:assert/strict";
import fc from "fast-check";
import { cellText, parseJsonLines, parseJsonList } from "../../../server/src/dataset/json-records.ts";
import type { RecordFault } from "../../../server/src/dataset/record.ts";

function read(open: typeof parseJsonLines, text: string | Buffer, pieces: number[] = []) {
  const rows: { cells: Record<string, string>; line: number }[] = [];
  const faults: RecordFault[] = [];
  const parser = open({
    object: (object, source, line) => {
      const cells: Record<string, string> = {};
      for (const key of Object.keys(object)) cells[key] = cellText(object, source, key);
      rows.push({ cells, line });
    },
    fault: (fault) => faults.push(fault),
  });
  const bytes = Buffer.from(text);
  let at = 0;
  for (const size of pieces) {
    parser.push(bytes.subarray(at, at + size));
    at += size;
  }
  parser.push(bytes.subarray(at));
  parser.end();
  return { rows, faults };
}

describe("JSON records", () => {
  it("keeps values as they are written", () => {
    const line = '{"a": 1.0, "b": 007e0, "c": 0}';
    assert.equal(read(parseJsonLines, line).faults[0]!.code, "invalid-json");
    const { rows } = read(
      parseJsonLines,
      '{"whole":1.0,"big":12345678901234567890,"exp":1E5,"yes":true,"none":null,"nest":{"x":[1.50,"a"]},"text":"007"}',
    );
    assert.deepEqual(rows[0]!.cells, {
      whole: "1.0",
      big: "12345678901234567890",
      exp: "1E5",
      yes: "true",
      none: "",
      nest: '{"x":[1.50,"a"]}',
      text: "007",
    });
  });

  it("reads a list, objects one after the other, and lines, each with its line", () => {
    const list = '[\n  {"a": "x"},\n\n  {\n "a": "y,]"\n },{"a":"z"}\n]\n';
    assert.deepEqual(
      read(parseJsonList, list).rows.map((r) => [r.cells.a, r.line]),
      [
        ["x", 2],
        ["y,]", 4],
        ["z", 6],
      ],
    );
    const lines = '{"a":"x"}\r\n\r\n{"a":"y"}';
    for (const open of [parseJsonLines, parseJsonList]) {
      assert.deepEqual(
        read(open, lines).rows.map((r) => [r.cells.a, r.line]),
        [
          ["x", 1],
          ["y", 3],
        ],
      );
    }
  });

  it("says where JSON breaks", () => {
    const { rows, faults } = read(parseJsonLines, '{"a":"x"}\n{"a":oops}\n[1]\n"text"\n{"a":"y"}\n');
    assert.equal(rows.length, 2);
    assert.deepEqual(
      faults.map((f) => [f.code, f.line, f.character]),
      [
        ["invalid-json", 2, 5],
        ["not-an-object", 3, 0],
        ["not-an-object", 4, 0],
      ],
    );
    assert.deepEqual(
      read(parseJsonList, '[{"a":1},\n{"a":2}').faults.map((f) => [f.code, f.line]),
      [["invalid-json", 2]],
    );
    assert.deepEqual(
      read(parseJsonList, '[{"a":1}\n{"a":2}]').faults.map((f) => [f.code, f.line]),
      [["invalid-json", 2]],
    );
    assert.deepEqual(
      read(parseJsonList, '[{"a":1},\n\n{"a":\n x}]').faults.map((f) => [f.code, f.line]),
      [["invalid-json", 4]],
    );
  });

  it("reads back what was written, however the bytes arrive", () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 100 });
    const objects = fc.array(fc.record({ text: fc.string({ unit: "grapheme" }), n: fc.integer() }), { maxLength: 6 });
    fc.assert(
      fc.property(objects, pieces, fc.constantFrom(0, 1, 2), (rows, sizes, indent) => {
        const expected = rows.map(({ text, n }) => ({ text, n: String(n) }));
        const list = read(parseJsonList, JSON.stringify(rows, null, indent), sizes);
        assert.deepEqual(list.faults, []);
        assert.deepEqual(
          list.rows.map((r) => r.cells),
          expected,
        );
        const lines = read(parseJsonLines, rows.map((row) => JSON.stringify(row)).join("\n"), sizes);
        assert.deepEqual(
          lines.rows.map((r) => r.cells),
          expected,
        );
      }),
      { numRuns: 200 },
    );
  });

  it("never throws", () => {
    const bytes = fc.array(fc.constantFrom(...'[]{},:"\\ \n1ae'.split("")), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, (characters) => {
        for (const open of [parseJsonLines, parseJsonList]) read(open, characters.join(""), [3, 5, 7]);
      }),
      { numRuns: 1000 },
    );
  });
});
