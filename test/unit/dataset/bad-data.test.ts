/** Bad data, and what a person is told: which file and line, what is wrong. Nothing throws. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { ProjectFileInput } from "../../../schemas/project.ts";
import { withProject } from "./made-project.ts";

interface Case {
  name: string;
  dataset?: Partial<ProjectFileInput["dataset"]>;
  task?: ProjectFileInput["task"];
  models?: ProjectFileInput["models"];
  files: Record<string, string | Buffer>;
  severity?: "error" | "warning" | "information";
  code: string;
  /** File and 1-based line, or only the file. */
  at: string;
  /** 1-based character, where one is told. */
  character?: number;
  says: RegExp;
  rows?: number;
}

/** Rows enough that nothing else is wrong. */
const good = ["a cat sat,x", "the dog ran,y", "one bird flew,x", "two fish swam,y", "red cow,x", "old hen,y"].join(
  "\n",
);
const csv = (extra: string): string => `text,label\n${good}\n${extra}`;

const cases: Case[] = [
  {
    name: "no such file",
    dataset: { source: "data.csv" },
    files: { "date.csv": csv("") },
    code: "missing-file",
    at: "made.clf.yaml",
    says: /no file "data\.csv".*Did you mean "date\.csv"/,
  },
  {
    name: "glob without a match",
    dataset: { source: "*.tsv" },
    files: {},
    code: "glob-without-match",
    at: "made.clf.yaml",
    says: /No file in .* matches "\*\.tsv"/,
  },
  {
    name: "a kind of file that cannot be read",
    dataset: { source: "data.xlsx" },
    files: { "data.xlsx": "PK" },
    code: "unsupported-format",
    at: "made.clf.yaml",
    says: /data\.xlsx.*csv, tsv, jsonl, json or parquet/,
  },
  {
    name: "a folder",
    dataset: { source: "data.csv" },
    files: { "data.csv/inner.csv": "text,label\n" },
    code: "not-a-file",
    at: "made.clf.yaml",
    says: /data\.csv\/\*\.csv/,
  },
  {
    name: "one file with two uses",
    dataset: { source: { train: "data.csv", test: "data.csv" } },
    files: { "data.csv": csv("") },
    code: "file-named-twice",
    at: "made.clf.yaml",
    says: /as train and as test/,
  },
  { name: "empty file", files: { "data.csv": "" }, code: "empty-file", at: "data.csv", says: /is empty/ },
  {
    name: "a byte order mark alone",
    files: { "data.csv": "\ufeff" },
    code: "empty-file",
    at: "data.csv",
    says: /is empty/,
  },
  {
    name: "header only",
    files: { "data.csv": "text,label\n" },
    code: "no-rows",
    at: "data.csv:1",
    says: /header but no rows/,
  },
  {
    name: "missing column",
    files: { "data.csv": csv("").replace("label", "Labels") },
    code: "missing-column",
    at: "data.csv:1",
    says: /no column "label"\. Did you mean "Labels"\? Its columns: "text", "Labels"/,
  },
  {
    name: "missing column in jsonl",
    dataset: { source: "data.jsonl" },
    files: { "data.jsonl": '{"txt":"a","label":"x"}\n{"txt":"b","label":"y"}\n' },
    code: "missing-column",
    at: "data.jsonl",
    says: /no column "text".*Did you mean "txt"/,
  },
  {
    name: "two columns of one name",
    files: { "data.csv": "text,label,text\na,x,b\n" },
    code: "duplicate-column",
    at: "data.csv:1",
    says: /Two columns of data\.csv are named "text"/,
  },
  {
    name: "too many fields",
    files: { "data.csv": csv("a, b,x\nlast,y\n") },
    code: "ragged-row",
    at: "data.csv:8",
    character: 6,
    says: /has 3 fields, the header has 2\. .*double quotes/,
    rows: 7,
  },
  {
    name: "too few fields",
    files: { "data.csv": csv('"over\ntwo lines"\nlast,y\n') },
    code: "ragged-row",
    at: "data.csv:8",
    says: /has 1 field \(it goes on to line 9\), the header has 2: label missing/,
    rows: 7,
  },
  {
    name: "quote never closed",
    files: { "data.csv": csv('"no end,x\nlast,y\n') },
    code: "unterminated-quote",
    at: "data.csv:8",
    character: 1,
    says: /never closed: everything after it \(17 bytes\)/,
    rows: 6,
  },
  {
    name: "text after a closing quote",
    files: { "data.csv": csv('"so" he said,x\nlast,y\n') },
    code: "stray-quote",
    at: "data.csv:8",
    character: 5,
    says: /Text follows a closing quote/,
    rows: 7,
  },
  {
    name: "Windows-1252",
    files: { "data.csv": Buffer.concat([Buffer.from(csv("caf")), Buffer.from([0xe9]), Buffer.from(",x\n")]) },
    code: "not-utf8",
    at: "data.csv:8",
    says: /byte 0xe9 at byte 92\. .*Windows-1252/,
    rows: 6,
  },
  {
    name: "a character cut off at the end",
    files: { "data.csv": Buffer.concat([Buffer.from(csv("caf")), Buffer.from([0xc3])]) },
    code: "not-utf8",
    at: "data.csv:8",
    says: /byte 0xc3/,
  },
  {
    name: "UTF-16",
    files: { "data.csv": Buffer.from(`\ufeff${csv("")}`, "utf16le") },
    code: "utf16",
    at: "data.csv:1",
    says: /UTF-16 \(little endian\)/,
  },
  { name: "NUL bytes", files: { "data.csv": csv("a\0b,x\n") }, code: "nul-byte", at: "data.csv:8", says: /NUL byte/ },
  {
    name: "not gzip",
    dataset: { source: "data.csv.gz" },
    files: { "data.csv.gz": csv("") },
    code: "bad-gzip",
    at: "data.csv.gz",
    says: /not a whole gzip file/,
  },
  {
    name: "gzip cut off",
    dataset: { source: "data.csv.gz" },
    files: { "data.csv.gz": gzipSync(csv("")).subarray(0, 60) },
    code: "bad-gzip",
    at: "data.csv.gz",
    says: /not a whole gzip file/,
  },
  {
    name: "not Parquet",
    dataset: { source: "data.parquet" },
    files: { "data.parquet": csv("") },
    code: "unreadable-file",
    at: "data.parquet",
    says: /cannot be read as Parquet/,
  },
  {
    name: "JSON that breaks",
    dataset: { source: "data.jsonl" },
    files: { "data.jsonl": '{"text":"a","label":"x"}\n{"text":"b" "label":"y"}\n' },
    code: "invalid-json",
    at: "data.jsonl:2",
    character: 13,
    says: /not valid JSON/,
  },
  {
    name: "a JSON line that is no object",
    dataset: { source: "data.jsonl" },
    files: { "data.jsonl": '{"text":"a","label":"x"}\n["b","y"]\n' },
    code: "not-an-object",
    at: "data.jsonl:2",
    says: /must be an object.*this one is a list/,
  },
  {
    name: "a JSON list that was cut off",
    dataset: { source: "data.json" },
    files: { "data.json": '[{"text":"a","label":"x"},\n{"text":"b","label":"y"}' },
    code: "invalid-json",
    at: "data.json:2",
    says: /never closed/,
  },
  {
    name: "empty text",
    files: { "data.csv": csv(" ,x\n") },
    severity: "warning",
    code: "empty-text",
    at: "data.csv:8",
    says: /no text in "text"/,
    rows: 7,
  },
  {
    name: "an id that stands twice",
    dataset: { id: "id" },
    files: { "data.csv": "id,text,label\n1,a,x\n2,b,y\n1,c,x\n4,d,y\n" },
    severity: "warning",
    code: "duplicate-id",
    at: "data.csv:4",
    says: /"1" stands here for the second time \(first in data\.csv, line 2\).*"1#2"/,
  },
  {
    name: "an empty id",
    dataset: { id: "id" },
    files: { "data.csv": "id,text,label\n1,a,x\n,b,y\n" },
    severity: "warning",
    code: "empty-id",
    at: "data.csv:3",
    says: /"id" is empty/,
  },
  {
    name: "only one label",
    files: { "data.csv": "text,label\na,x\nb,x\n" },
    code: "one-label",
    at: "made.clf.yaml",
    says: /the same label in "label", "x"/,
  },
  {
    name: "no label",
    files: { "data.csv": "text,label\na,\nb,\n" },
    code: "no-labels",
    at: "made.clf.yaml",
    says: /No row has a label/,
  },
  {
    name: "a label with one row",
    files: { "data.csv": csv("new,z\n") },
    severity: "warning",
    code: "rare-label",
    at: "made.clf.yaml",
    says: /fewer than 2 train rows.*"z"/,
  },
  {
    name: "a label that is not listed",
    task: { inputs: ["text"], targets: [{ column: "label", labels: ["x", "yellow", "z"] }] },
    files: { "data.csv": csv("new,z\nother,z\n").replaceAll(",y", ",yelow") },
    severity: "warning",
    code: "unlisted-label",
    at: "data.csv:3",
    says: /"yelow" is not among the labels of "label"\. Did you mean "yellow"\? 3 rows/,
  },
  {
    name: "a listed label that is absent",
    task: { inputs: ["text"], targets: [{ column: "label", labels: ["x", "yellow", "z"] }] },
    files: { "data.csv": csv("new,z\nother,z\n").replaceAll(",y", ",yelow") },
    severity: "warning",
    code: "absent-label",
    at: "made.clf.yaml",
    says: /"yellow" is not in the data\. Did you mean "yelow" \(3 rows\)/,
  },
  {
    name: "one label, two spellings",
    files: { "data.csv": csv("new,X\n") },
    severity: "warning",
    code: "label-spellings",
    at: "data.csv:8",
    says: /"x" \(3\), "X" \(1\)/,
  },
  {
    name: "a label that begins with another, where a model writes its answer",
    models: { tuned: { engine: "qlora", base: "some/model" } },
    files: { "data.csv": csv("new,xy\nother,xy\n") },
    severity: "information",
    code: "prefix-labels",
    at: "made.clf.yaml",
    says: /"xy" begins with "x"\. A model that writes/,
  },
  {
    name: "what a spreadsheet writes for nothing",
    files: { "data.csv": csv("new,#N/A\n") },
    severity: "warning",
    code: "suspicious-label",
    at: "data.csv:8",
    says: /"#N\/A" is read as a label/,
  },
  {
    name: "equal texts, different labels",
    files: { "data.csv": csv("A cat  sat!,y\n") },
    severity: "warning",
    code: "conflicting-labels",
    at: "made.clf.yaml",
    says: /1 text stands in several rows \(2\)/,
  },
  {
    name: "a split that is none",
    dataset: { split: { column: "split" } },
    files: { "data.csv": "text,label,split\na,x,train\nb,y,training\nc,x,hold-out\nd,y,test\n" },
    severity: "warning",
    code: "unknown-split",
    at: "data.csv:4",
    says: /holds "hold-out" here/,
    rows: 4,
  },
  {
    name: "unlabelled rows",
    files: { "data.csv": csv("new,\n") },
    severity: "information",
    code: "unlabelled-rows",
    at: "made.clf.yaml",
    says: /1 row of 7 has no label/,
  },
  {
    name: "test rows that stand in train",
    dataset: { source: { train: "data.csv", test: "test.csv" } },
    files: { "data.csv": csv(""), "test.csv": "text,label\nThe dog ran.,y\nnew,x\n" },
    severity: "warning",
    code: "split-leak",
    at: "test.csv:2",
    says: /1 test row belongs.*test\.csv, line 2 and data\.csv, line 3/,
  },
];

describe("bad data", () => {
  for (const { name, dataset, task, models, files, severity = "error", code, at, character, says, rows } of cases) {
    it(name, () =>
      withProject({ dataset: { source: "data.csv", ...dataset }, task, models, files }, async ({ open, folder }) => {
        const { problems, profile } = await open();
        const problem = problems.find((p) => p.code === code);
        assert.ok(problem, `no ${code} among ${JSON.stringify(problems, null, 1)}`);
        assert.equal(problem.severity, severity);
        assert.match(problem.message, says);
        const file = problem.file?.startsWith(folder) ? problem.file.slice(folder.length + 1) : problem.file;
        assert.equal(problem.range ? `${file}:${problem.range.start.line + 1}` : file, at);
        if (character !== undefined) assert.equal(problem.range!.start.character + 1, character);
        if (rows !== undefined) assert.equal(profile.rows, rows);
        if (severity !== "error")
          assert.deepEqual(
            problems.filter((p) => p.severity === "error"),
            [],
          );
        for (const { message } of problems) assert.doesNotMatch(message, /\n\s+at |undefined|NaN|\[object/);
      }),
    );
  }

  it("finds a bad byte in a long file, and no fault in characters that two reads divide", async () => {
    // Three bytes a character: no power of two is a multiple.
    const line = `${"€".repeat(50)},x\n`;
    const many = Buffer.from(`text,label\n${line.repeat(20_000)}last,y\n`);
    await withProject({ dataset: { source: "data.csv" }, files: { "data.csv": many } }, async ({ open, write }) => {
      const whole = await open({ saveSplits: false });
      assert.equal(whole.profile.rows, 20_001);
      assert.deepEqual(
        whole.problems.filter((p) => p.severity === "error"),
        [],
      );
      assert.equal(whole.profile.inputs[0]!.characters!.max, 50);
      const bad = Buffer.from(many);
      bad[11 + 15_000 * Buffer.byteLength(line) + 4] = 0xff;
      await write("data.csv", bad);
      const { problems } = await open();
      assert.deepEqual(
        problems.filter((p) => p.code === "not-utf8").map((p) => p.range!.start.line + 1),
        [15_002],
      );
    });
  });

  it("says of a source that cannot be read why, and not that its rows in the pool have no labels", () =>
    withProject(
      {
        dataset: { source: "data.csv", pool: "pool.csv" },
        files: { "data.csv": "body,label\na,x\n", "pool.csv": "text\na\n" },
      },
      async ({ open }) => {
        const { problems } = await open();
        assert.deepEqual(
          problems.map(({ code }) => code),
          ["missing-column"],
        );
      },
    ));

  it("lists ten of a kind and counts the rest", () =>
    withProject(
      { dataset: { source: "data.csv" }, files: { "data.csv": csv("a,b,c\n".repeat(500)) } },
      async ({ open }) => {
        const ragged = (await open()).problems.filter((p) => p.code === "ragged-row");
        assert.equal(ragged.length, 11);
        assert.match(ragged[10]!.message, /and 490 more/);
      },
    ));

  it("writes no splits while the data has errors", () =>
    withProject(
      { dataset: { source: "data.csv" }, files: { "data.csv": csv("a,b,c\n") } },
      async ({ open, project }) => {
        await open();
        const { existsSync } = await import("node:fs");
        assert.equal(existsSync(project.splitsFile), false);
      },
    ));
});
