import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { contentId, indexRows, rowAtLine, rowId, rowInputs, rowLabel } from "../../../server/src/dataset/rows.ts";
import { textsOf } from "../../../server/src/dataset/text-column.ts";
import { toCsv, withProject } from "./made-project.ts";

const sha = (json: string): string => createHash("sha256").update(json).digest("hex");

describe("rows", () => {
  it("are known by the SHA-256 of the JSON of their inputs, repeats by a number", () =>
    withProject(
      {
        dataset: { source: "data.csv" },
        task: { inputs: ["text", { column: "place", name: "where" }], targets: [{ column: "label" }] },
        files: { "data.csv": 'label,place,text\nx, Ohio,"say ""hi"" é"\ny,,a\nx,,a\ny,,a\n' },
      },
      async ({ open, project }) => {
        const { rows } = await open();
        const first = sha('[["text","say \\"hi\\" é"],["place"," Ohio"]]');
        const second = sha('[["text","a"],["place",""]]');
        assert.deepEqual([...textsOf(rows.ids)], [first, second, `${second}#2`, `${second}#3`]);
        assert.equal(contentId(["text", "place"], ["a", ""]), second);
        assert.deepEqual(rowInputs(project, rows, 0), { text: 'say "hi" é', where: " Ohio" });
        assert.equal(indexRows(rows).get(`${second}#3`), 3);
      },
    ));

  it("take the id column, and stay apart when it repeats or clashes", () =>
    withProject(
      {
        dataset: { source: "data.csv", id: "id" },
        files: { "data.csv": "id,text,label\na#2,t1,x\na,t2,y\na,t3,x\n007,t4,y\na,t5,x\n" },
      },
      async ({ open }) => {
        const { rows } = await open();
        assert.deepEqual([...textsOf(rows.ids)], ["a#2", "a", "a#3", "007", "a#4"]);
      },
    ));

  it("keep their ids when labels change", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: "grapheme", minLength: 1 }), fc.constantFrom("x", "y", "")), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.array(fc.constantFrom("x", "y", "z", ""), { minLength: 8, maxLength: 8 }),
        async (cells, labels) => {
          const files = { "data.csv": toCsv(["text", "label"], cells) };
          await withProject({ dataset: { source: "data.csv" }, files }, async ({ open, write }) => {
            const before = [...textsOf((await open({ saveSplits: false })).rows.ids)];
            await write(
              "data.csv",
              toCsv(
                ["text", "label"],
                cells.map(([text], i) => [text, labels[i]!]),
              ),
            );
            const after = [...textsOf((await open({ saveSplits: false })).rows.ids)];
            assert.deepEqual(after, before);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("are found from their line and the other way round, over files and multi-line texts", () =>
    withProject(
      {
        dataset: { source: ["b.csv", "a.jsonl.gz"], pool: "inbox/*.tsv" },
        files: {
          "b.csv": '\ufefftext,label\r\n"one\r\ntwo\r\nthree",x\r\n\r\nshort,y\r\n',
          "a.jsonl.gz": gzipSync('{"text":"j1","label":"x"}\n\n{"label":"y","text":"j2"}\n'),
          "inbox/1.tsv": "text\nnew one\nnew two\n",
        },
      },
      async ({ open }) => {
        const { rows, problems } = await open();
        assert.deepEqual(
          problems.filter((p) => p.severity === "error"),
          [],
        );
        assert.deepEqual(
          rows.files.map((f) => f.name),
          ["b.csv", "a.jsonl.gz", "inbox/1.tsv"],
        );
        assert.deepEqual([...rows.file], [0, 0, 1, 1, 2, 2]);
        assert.deepEqual([...rows.line], [2, 6, 1, 3, 2, 3]);
        assert.deepEqual(
          [1, 2, 3, 4, 5, 6, 9].map((line) => rowAtLine(rows, 0, line)),
          [undefined, 0, 0, 0, 0, 1, 1],
        );
        assert.equal(rowAtLine(rows, 2, 3), 5);
        assert.equal(rowAtLine(rows, 2, 1), undefined);
        assert.deepEqual(
          [0, 1, 2, 3, 4].map((i) => rowLabel(rows, 0, i)),
          ["x", "y", "x", "y", null],
        );
      },
    ));

  it("resolve aliases and trimmed labels, and ignore labels in the pool", () =>
    withProject(
      {
        dataset: { source: "data.csv", pool: "pool.csv" },
        task: {
          inputs: ["text"],
          targets: [{ column: "label", labels: ["Finger", { name: "Toe", aliases: ["toes"] }] }],
        },
        files: { "data.csv": "text,label\na,Finger \nb, toes\nc,Toe\nd,Hand\n", "pool.csv": "text,label\ne,Toe\n" },
      },
      async ({ open }) => {
        const { rows, profile } = await open();
        assert.deepEqual(
          Array.from({ length: 5 }, (_, i) => rowLabel(rows, 0, i)),
          ["Finger", "Toe", "Toe", null, null],
        );
        assert.deepEqual(profile.splits.pool, 2);
        assert.equal(profile.unlabelled, 1);
      },
    ));

  it("come from Parquet as text", () =>
    withProject({ dataset: { source: "data.parquet" }, files: {} }, async ({ open, duckdb, folder }) => {
      await duckdb.query(
        `COPY (SELECT * FROM (VALUES ('007', 'x', 1.0::DOUBLE, {'k': 1.5}), (NULL, 'y', NULL, NULL), ('b', 'y', 2.5, {'k': 2})) t(text, label, n, nested)) TO '${folder}/data.parquet'`,
      );
      const { rows, profile } = await open({ columns: ["n", "nested"] });
      assert.deepEqual([...textsOf(rows.inputs[0]!)], ["007", "", "b"]);
      assert.deepEqual([...textsOf(rows.columns.get("n")!)], ["1.0", "", "2.5"]);
      assert.deepEqual([...textsOf(rows.columns.get("nested")!)], ['{"k":1.5}', "", '{"k":2.0}']);
      assert.deepEqual([...rows.line], [1, 2, 3]);
      assert.deepEqual(profile.files[0]!.columns, ["text", "label", "n", "nested"]);
      assert.equal(profile.empty, 1);
      assert.equal(rowId(rows, 0), contentId(["text"], ["007"]));
    }));
});
