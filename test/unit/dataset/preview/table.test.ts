import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { PreviewFilter, type PreviewSort } from "../../../../schemas/preview.ts";
import { createDuckDb, type DuckDb } from "../../../../server/src/dataset/duckdb.ts";
import { dataFormat } from "../../../../server/src/dataset/files.ts";
import { keepPace } from "../../../../server/src/dataset/pace.ts";
import { type FileTable, openFileTable } from "../../../../server/src/dataset/preview/file-table.ts";
import { profileOf } from "../../../../server/src/dataset/preview/profile.ts";
import { needleOf } from "../../../../server/src/dataset/preview/search.ts";
import { orderOf } from "../../../../server/src/dataset/preview/view.ts";

const pace = keepPace();
const filterOf = (filter: object): PreviewFilter => PreviewFilter.parse(filter);
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const csvOf = (rows: string[][]): string => `${rows.map((cells) => cells.map(quoted).join(",")).join("\n")}\n`;

describe("data preview: tables of files", () => {
  let folder: string;
  let duckdb: DuckDb;
  let files = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "clf-preview-test-"));
    duckdb = createDuckDb({ folder });
  });
  after(async () => {
    await duckdb.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function tableOf(name: string, content: string | Buffer, mostRows?: number): Promise<FileTable> {
    const path = join(folder, `${files++}-${name}`);
    writeFileSync(path, content);
    const file = { path, name, role: "source" as const, ...dataFormat(path)!, bytes: statSync(path).size };
    const table = await openFileTable(file, { duckdb, ...(mostRows ? { mostRows } : {}) });
    await table.reading;
    return table;
  }
  const all = (n: number) => Array.from({ length: n }, (_, i) => i);

  it("has every cell as it stands in the file, in any format", async () => {
    const rows = [
      ["plain", "1"],
      ['with, comma and "quotes"', "2"],
      ["two\nlines", "3"],
      ["", "4"],
      ["<script>alert(1)</script>", "5"],
      ["שלום עולם 👩‍👩‍👧 é", "6"],
    ];
    const csv = csvOf([["text", "n"], ...rows]);
    const jsonl = rows.map(([text, n]) => JSON.stringify({ text, n })).join("\n");
    for (const [name, content] of [
      ["a.csv", csv],
      ["b.csv.gz", gzipSync(csv)],
      ["c.tsv", csv.replaceAll(/",(?=")/g, '"\t')],
      ["d.jsonl", jsonl],
      ["e.json", `[${jsonl.replaceAll("\n", ",")}]`],
    ] as const) {
      const table = await tableOf(name, content);
      const now = table.now();
      assert.equal(now.count, rows.length, name);
      assert.deepEqual(await now.cells(all(rows.length), 1e6), rows, name);
      assert.deepEqual(
        now.columns.map((column) => [column.name, column.type]),
        [
          ["text", "label"],
          ["n", "integer"],
        ],
        name,
      );
      await table.close();
    }
  });

  it("has the cells of a Parquet file, which has no lines", async () => {
    const path = join(folder, "cells.parquet");
    const values = "('a', 1), ('two\nlines', 22), (NULL, NULL)";
    await duckdb.query(`COPY (SELECT * FROM (VALUES ${values}) AS t(text, n)) TO '${path}' (FORMAT parquet)`);
    const file = {
      path,
      name: "cells.parquet",
      role: "source" as const,
      ...dataFormat(path)!,
      bytes: statSync(path).size,
    };
    const table = await openFileTable(file, { duckdb });
    await table.reading;
    const now = table.now();
    assert.deepEqual(await now.cells([0, 1, 2], 1e6), [
      ["a", "1"],
      ["two\nlines", "22"],
      ["", ""],
    ]);
    assert.equal(now.columns[1]!.type, "integer");
    assert.equal(now.lines(0), undefined);
    await table.close();
  });

  it("knows the lines of a row, also where texts have line breaks", async () => {
    const table = await tableOf("lines.csv", csvOf([["text"], ["a\nb\nc"], ["d"], ["e"]]));
    const now = table.now();
    assert.deepEqual(
      [0, 1, 2].map((row) => now.lines(row)),
      [
        { first: 2, last: 4 },
        { first: 5, last: 5 },
        { first: 6, last: 6 },
      ],
    );
    await table.close();
  });

  it("reads no more of a file than is asked for", async () => {
    const table = await tableOf(
      "long.csv",
      csvOf([["n"], ...all(60_000).map((n) => [`${n} ${"x".repeat(20)}`])]),
      1000,
    );
    assert.ok(table.now().count >= 1000 && table.now().count < 50_000, String(table.now().count));
    assert.equal(table.complete, false);
    await table.close();
  });

  it("cuts a cell of a megabyte, never inside a character", async () => {
    const table = await tableOf(
      "huge.csv",
      csvOf([
        ["text", "after"],
        ["é".repeat(600_000), "here"],
      ]),
    );
    const [cells] = await table.now().cells([0], 301);
    assert.deepEqual(cells, ["é".repeat(150), "here"]);
    await table.close();
  });

  it("drops what is known of a column's values when there are too many, and keeps lengths", async () => {
    const table = await tableOf(
      "ids.csv",
      csvOf([["id", "label"], ...all(12_000).map((n) => [`row ${n}`, `l${n % 3}`])]),
    );
    const [id, label] = table.now().columns;
    assert.deepEqual([id!.type, id!.coded, id!.lengths?.length], ["text", undefined, 12_000]);
    assert.deepEqual([label!.type, label!.coded?.values], ["label", ["", "l0", "l1", "l2"]]);
    await table.close();
  });

  it("says what is wrong with a file that cannot be read", async () => {
    const table = await tableOf("broken.csv", 'text\n"never closed\n');
    assert.match(table.problems()[0]!.message, /quote that opens here is never closed/);
    await table.close();
  });

  // A page is the slice of the whole, whatever is filtered and how it is sorted. The whole is worked out row by row here.
  const cell = fc.constantFrom(
    "",
    "a",
    "b",
    "Ab c",
    "x,y",
    'say "a"',
    "ä",
    "Ä",
    "two\nlines",
    "<b>",
    "-1",
    "10",
    "9.5",
    "👍 a",
  );
  const table = fc.array(
    fc.tuple(cell, fc.constantFrom("", "red", "green", "blue 2", "blue 10"), fc.integer({ min: -5, max: 20 })),
    {
      maxLength: 30,
    },
  );
  const filter: fc.Arbitrary<PreviewFilter> = fc.record({
    text: fc.constantFrom("", "", "a", "Ä", "x,y", '"', "e", "two\n", "zzz"),
    column: fc.constantFrom(null, "c0", "c1"),
    values: fc.constantFrom<PreviewFilter["values"]>([], [{ column: "c1", values: ["red", ""] }]),
    ranges: fc.constantFrom<PreviewFilter["ranges"]>(
      [],
      [{ column: "c2", of: "value", min: 0, max: 10 }],
      [{ column: "c0", of: "length", min: 2, max: null }],
    ),
    duplicates: fc.boolean(),
  });
  const sort = fc.constantFrom<PreviewSort | null>(
    null,
    { column: "c0", by: "length", descending: true },
    { column: "c1", by: "value", descending: false },
    { column: "c2", by: "value", descending: false },
    { column: "c2", by: "value", descending: true },
  );

  it("pages are slices of the whole, filtered and sorted", async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        filter,
        sort,
        fc.nat(10),
        fc.integer({ min: 1, max: 10 }),
        async (rows, wanted, by, offset, limit) => {
          const cells = rows.map(([text, label, n]) => [text, label, String(n)]);
          const file = await tableOf("property.csv", csvOf([["text", "label", "n"], ...cells]));
          const now = file.now();
          const order = await orderOf(now, filterOf(wanted), by, pace);
          const page = await now.cells(order.subarray(offset, offset + limit), 1e6);
          await file.close();

          const count = (row: string[]) => cells.filter((other) => other.join("\0") === row.join("\0")).length;
          let whole = cells.filter((row) => {
            const searched = wanted.column === null ? row : [row[Number(wanted.column[1])]!];
            const found = searched.some((each) => each.toLowerCase().includes(wanted.text.toLowerCase()));
            const valued = wanted.values.every((each) => each.values.includes(row[1]!));
            const ranged = wanted.ranges.every(({ of, min, max }) => {
              const x = of === "value" ? Number(row[2]) : [...row[0]!].length;
              return x >= (min ?? Number.NEGATIVE_INFINITY) && x <= (max ?? Number.POSITIVE_INFINITY);
            });
            return found && valued && ranged && (!wanted.duplicates || count(row) > 1);
          });
          if (by) {
            const colours = ["blue 2", "blue 10", "green", "red", ""];
            const place = (row: string[]) =>
              by.by === "length" ? [...row[0]!].length : by.column === "c1" ? colours.indexOf(row[1]!) : Number(row[2]);
            whole = whole.toSorted((a, b) => (by.descending ? place(b) - place(a) : place(a) - place(b)));
          }
          assert.equal(order.length, whole.length);
          assert.deepEqual(page, whole.slice(offset, offset + limit));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("finds texts in either case, and nothing across cells or rows", async () => {
    const file = await tableOf(
      "search.csv",
      csvOf([
        ["a", "b"],
        ["Straße ÉTÉ", "one"],
        ["end", "start"],
        ["ein", "d"],
      ]),
    );
    const now = file.now();
    const found = async (text: string, column?: number) => [...(await now.search(needleOf(text), column, pace))];
    assert.deepEqual(await found("été"), [1, 0, 0]);
    assert.deepEqual(await found("STRA"), [1, 0, 0]);
    assert.deepEqual(await found("d"), [0, 1, 1]);
    assert.deepEqual(await found("start", 0), [0, 0, 0]);
    assert.deepEqual(await found("T", 1), [0, 1, 0]);
    assert.deepEqual(await found("endstart"), [0, 0, 0]);
    assert.deepEqual(await found("onee"), [0, 0, 0]);
    await file.close();
  });

  it("plots labels and lengths per split, each over what the other filters leave", async () => {
    const rows = all(100).map((n) => [
      `${"x".repeat(n % 10)}y`,
      n % 4 === 0 ? "rare" : "common",
      n % 2 === 0 ? "train" : "test",
    ]);
    const file = await tableOf("plots.csv", csvOf([["text", "label", "split"], ...rows]));
    const filter = filterOf({ values: [{ column: "c1", values: ["rare"] }] });
    const profile = await profileOf(file.now(), filter, { label: null, text: "c0" }, pace);
    await file.close();
    assert.deepEqual(profile.splits, ["train", "test"]);
    assert.deepEqual(profile.labels, {
      column: "c1",
      bars: [
        { value: "common", rows: [25, 50] },
        { value: "rare", rows: [25, 0] },
      ],
      others: { values: 0, rows: 0 },
    });
    const lengths = profile.lengths!;
    const total = lengths.bins.flat().reduce((a, b) => a + b, 0);
    assert.equal(total, 25);
    assert.equal(lengths.edges.length, lengths.bins[0]!.length);
    const [text] = profile.columns;
    assert.deepEqual([text!.type, text!.distinct, text!.values.length], ["label", 10, 10]);
    assert.equal(profile.duplicates, 100);
  });
});
