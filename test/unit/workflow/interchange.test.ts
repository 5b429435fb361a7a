/** Data out to other tools and back: chat JSONL, and Hugging Face dataset folders. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { splitOfPath } from "../../../server/src/dataset/huggingface.ts";
import { loadProject } from "../../../server/src/project/load.ts";
import { readData } from "../../../server/src/workflow/data.ts";
import { type DataExport, exportData } from "../../../server/src/workflow/export-data.ts";
import { importData } from "../../../server/src/workflow/import.ts";
import { openSession, WorkflowError } from "../../../server/src/workflow/session.ts";

type Row = Record<string, string>;

describe("interchange", () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "clf-interchange-")));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const at = (...path: string[]) => join(folder, ...path);
  const lines = (file: string): Row[] =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Row);
  const jsonl = (file: string, rows: unknown[]) =>
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

  /** Texts that files of other formats would change. */
  const TEXTS = [
    '=1+1, with "quotes"',
    "two\nlines\r\nand a tab\t",
    "ünïcode 🙂",
    "007",
    "null",
    " spaces ",
    '{"a": 1}',
    "true",
  ];
  const ROWS = Array.from(
    { length: 40 },
    (_, i): Row => ({
      id: `r${i}`,
      text: `${TEXTS[i % TEXTS.length]!} of row ${i}`,
      place: `place ${i}`,
      label: i === 39 ? "" : ["good", "bad"][i % 2]!,
      part: i === 39 ? "" : ["arm", "leg", "head"][i % 3]!,
      split: ["train", "train", "train", "validation", "test"][i % 5]!,
    }),
  );

  async function exported(format: DataExport, task: string): Promise<Record<string, number>> {
    jsonl(at("data.jsonl"), ROWS);
    writeFileSync(
      at("p.clf.yaml"),
      `version: 1\ndataset: { source: data.jsonl, id: id, split: { column: split, tune: 0.2 } }\ntask: ${task}\n`,
    );
    const { project } = await loadProject(at("p.clf.yaml"));
    const session = openSession(project!);
    try {
      return await exportData(session, await readData(session), format, at("out"));
    } finally {
      await session.close();
    }
  }

  const ONE = "{ instructions: Say which., inputs: [text], targets: [{ column: label }] }";
  const TWO = "{ inputs: [text, place], targets: [{ column: label }, { column: part }] }";
  const byId = (rows: Row[]) => new Map(rows.map((row) => [row.id, row]));

  it("a dataset folder comes back with every text, label and split", async () => {
    const files = await exported("huggingface", TWO);
    assert.deepEqual(Object.keys(files), [
      "data/train-00000-of-00001.parquet",
      "data/validation-00000-of-00001.parquet",
      "data/test-00000-of-00001.parquet",
      "data/unlabeled-00000-of-00001.parquet",
    ]);
    assert.deepEqual(readdirSync(at("out")).sort(), ["README.md", "data"]);
    const found = await importData([at("out")], at("back.jsonl"));
    assert.deepEqual([found.from, found.rows, found.split], ["huggingface", 40, "split"]);
    const back = byId(lines(at("back.jsonl")));
    for (const row of ROWS) {
      const { split, ...rest } = back.get(row.id!)!;
      assert.deepEqual(
        { ...rest, split: row.label === "" ? "unlabeled" : split },
        row.label === "" ? { ...row, split: "unlabeled" } : row,
      );
    }
  });

  it("chat JSONL comes back: a label alone, and a field a target", async () => {
    for (const [task, targets] of [
      [ONE, ["label"]],
      [TWO, ["label", "part"]],
    ] as const) {
      const files = await exported("openai-chat", task);
      assert.deepEqual(Object.keys(files), ["train.jsonl", "tune.jsonl", "validation.jsonl", "test.jsonl"]);
      const sources = Object.keys(files).map((file) => at("out", file));
      const found = await importData(sources, at("back.jsonl"));
      assert.deepEqual(found.columns, ["text", ...targets, "split"]);
      assert.equal(found.rows, 39);
      assert.match(found.instructions!, targets.length === 1 ? /^Say which\.\n\n[\s\S]*- good/ : /Labels of part/);
      const back = lines(at("back.jsonl"));
      for (const row of ROWS.filter(({ label }) => label !== "")) {
        const text = targets.length === 1 ? row.text! : `text: ${row.text}\nplace: ${row.place}`;
        const again = back.find((one) => one.text === text);
        assert.ok(again, text);
        assert.equal(again.split, row.split);
        for (const target of targets) assert.equal(again[target], row[target]);
      }
      rmSync(at("out"), { recursive: true });
      rmSync(at("back.jsonl"));
    }
  });

  it("a folder that is there is left alone, and nothing half made stays", async () => {
    mkdirSync(at("out"));
    await assert.rejects(exported("huggingface", ONE), /is there already/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("out")),
      ["out"],
    );
  });

  /** A Parquet file as the `datasets` library writes it: labels as numbers, their names in the file's metadata. */
  async function parquet(file: string, rows: [string, number][], metadata: unknown): Promise<void> {
    const connection = await (await DuckDBInstance.create()).connect();
    const values = rows.map(([text, label]) => `('${text}', ${label}::BIGINT)`).join(", ");
    const meta =
      metadata === null ? "" : `, KV_METADATA {huggingface: '${JSON.stringify(metadata).replaceAll("'", "''")}'}`;
    await connection.run(
      `COPY (SELECT * FROM (VALUES ${values}) AS t(text, label)) TO '${file}' (FORMAT parquet${meta})`,
    );
    connection.closeSync();
  }
  const CLASSES = {
    info: {
      features: {
        text: { dtype: "string", _type: "Value" },
        label: { names: ["neg", "it's pos"], _type: "ClassLabel" },
      },
    },
  };

  it("numbers of class labels become names, from the file or from the card; -1 is no label", async () => {
    mkdirSync(at("hf", "data"), { recursive: true });
    await parquet(at("hf", "data", "train-00000-of-00002.parquet"), [["a", 0]], CLASSES);
    await parquet(at("hf", "data", "train-00001-of-00002.parquet"), [["b", 1]], CLASSES);
    await parquet(at("hf", "data", "test-00000-of-00001.parquet"), [["c", 1]], CLASSES);
    await parquet(at("hf", "data", "unsupervised-00000-of-00001.parquet"), [["d", -1]], CLASSES);
    const wanted = [
      { text: "c", label: "it's pos", split: "test" },
      { text: "a", label: "neg", split: "train" },
      { text: "b", label: "it's pos", split: "train" },
      { text: "d", label: "", split: "unsupervised" },
    ];
    await importData([at("hf")], at("a.jsonl"));
    assert.deepEqual(lines(at("a.jsonl")), wanted);

    mkdirSync(at("card", "x"), { recursive: true });
    await parquet(at("card", "x", "one.parquet"), [["a", 0]], null);
    await parquet(at("card", "x", "two.parquet"), [["c", 1]], null);
    writeFileSync(
      at("card", "README.md"),
      `---
configs:
  - config_name: default
    data_files: [{ split: train, path: x/one.parquet }, { split: test, path: "x/tw*.parquet" }]
dataset_info:
  features:
    - { name: text, dtype: string }
    - { name: label, dtype: { class_label: { names: { "0": neg, "1": pos } } } }
---
# A card
`,
    );
    const { splits } = await importData([at("card")], at("b.jsonl"));
    assert.deepEqual(splits, { train: 1, test: 1 });
    assert.deepEqual(lines(at("b.jsonl")), [
      { text: "a", label: "neg", split: "train" },
      { text: "c", label: "pos", split: "test" },
    ]);
  });

  it("says what a folder is that cannot be read", async () => {
    const refused = (says: RegExp) =>
      assert.rejects(
        importData([at("hf")], at("out.jsonl")),
        (error) => error instanceof WorkflowError && says.test(error.message),
      );
    mkdirSync(at("hf"));
    await refused(/holds no Parquet file/);
    writeFileSync(at("hf", "dataset_dict.json"), "{}");
    await refused(/save_to_disk.*to_parquet/);
    writeFileSync(at("hf", "train.parquet"), "PAR1 and no more");
    await refused(/cannot be read: /);
    rmSync(at("hf", "train.parquet"));
    writeFileSync(
      at("hf", "README.md"),
      "---\nconfigs:\n  - { config_name: a, data_files: a/*.parquet }\n  - { config_name: b, data_files: ../*.parquet }\n---\n",
    );
    await refused(/holds 2 data sets \(a, b\)/);
    assert.equal(existsSync(at("out.jsonl")), false);
  });

  it("a card cannot lead out of its folder", async () => {
    mkdirSync(at("hf"));
    await parquet(at("secret.parquet"), [["secret", 0]], null);
    for (const path of ["../secret.parquet", at("secret.parquet"), "../*.parquet"]) {
      writeFileSync(at("hf", "README.md"), `---\nconfigs:\n  - { config_name: a, data_files: "${path}" }\n---\n`);
      await assert.rejects(importData([at("hf")], at("out.jsonl")), WorkflowError);
      assert.equal(existsSync(at("out.jsonl")), false);
    }
  });

  it("the split that a path names is a word of its own", () => {
    assert.deepEqual(
      [
        "data/train-00000-of-00001.parquet",
        "plain_text/test/0000.parquet",
        "contest.parquet",
        "my_valid.jsonl",
        "trainer/dev.parquet",
      ].map(splitOfPath),
      ["train", "test", null, "validation", "validation"],
    );
  });

  it("reads conversations as they come, and says which line is none", async () => {
    const chat = (...contents: unknown[]) => ({
      messages: contents.map((content, i) => ({ role: ["user", "assistant"][i % 2], content })),
    });
    jsonl(at("ok.jsonl"), [
      chat("an example", "bad", "the row", " good "),
      {
        messages: [
          { role: "developer", content: "Say." },
          ...chat([{ type: "text", text: "in parts" }], "bad").messages,
        ],
        weight: 1,
      },
    ]);
    const found = await importData([at("ok.jsonl")], at("out.jsonl"));
    assert.deepEqual([found.split, found.instructions], [null, null]);
    assert.deepEqual(lines(at("out.jsonl")), [
      { text: "the row", label: "good" },
      { text: "in parts", label: "bad" },
    ]);
    const wrong: [unknown, RegExp][] = [
      ["{", /bad\.jsonl:2: this line is not JSON/],
      [{ prompt: "x", completion: "y" }, /bad\.jsonl:2: this line is no conversation/],
      [chat("x"), /no conversation/],
      [chat("x", "y", "z"), /bad\.jsonl:2: the last message is not an answer/],
      [chat("x", '{"a": ["b"]}'), /not an object of labels/],
      [chat("x", '{"a": "b"}'), /bad\.jsonl:2: the answer is JSON with a, the first one is a label alone/],
    ];
    for (const [line, says] of wrong) {
      writeFileSync(
        at("bad.jsonl"),
        `${JSON.stringify(chat("x", "good"))}\n${typeof line === "string" ? line : JSON.stringify(line)}`,
      );
      await assert.rejects(importData([at("bad.jsonl")], at("wrong.jsonl")), says);
      assert.equal(existsSync(at("wrong.jsonl")), false);
    }
    await assert.rejects(importData([at("ok.jsonl")], at("out.csv")), /must end in \.jsonl/);
  });
});
