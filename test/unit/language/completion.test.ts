import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompletionItem } from "vscode-languageserver-types";
import { merged, nameCompletions } from "../../../server/src/language/completion.ts";
import { readYaml, type YamlFile } from "../../../server/src/project/yaml.ts";
import { COLUMNS, cursor, DATA, inSample, SAMPLE } from "./sample.ts";

const at = async ({ file, offset }: { file: YamlFile; offset: number }) =>
  (await nameCompletions({ file, offset, onDisk: false, data: DATA, columns: COLUMNS }))?.items;

const labels = (items: CompletionItem[] | undefined) => items?.map(({ label }) => label);
const newText = (item: CompletionItem | undefined) => (item?.textEdit as { newText: string } | undefined)?.newText;

describe("completion of names", () => {
  it("knows where a name stands", async () => {
    assert.deepEqual(labels(await at(inSample("host: a│10g"))), ["a10g", "local"]);
    assert.deepEqual(labels(await at(inSample("endpoint: here│"))), ["here", "openai"]);
    assert.deepEqual(labels(await at(inSample("review: { model: base│line }"))), ["baseline", "zero", "tuned", "both"]);
  });

  it("leaves out a cascade itself and the stages it has", async () => {
    assert.deepEqual(labels(await at(inSample("stages: [base│line, tuned]"))), ["baseline", "zero"]);
  });

  it("proposes at an empty value, after a dash and between brackets", async () => {
    assert.deepEqual(labels(await at(cursor(SAMPLE.replace("host: a10g", "host: │")))), ["a10g", "local"]);
    assert.deepEqual(
      labels(await at(cursor(SAMPLE.replace("labels: [Burns, Cuts]", "labels:\n        - Burns\n        - │")))),
      ["Cuts", "on"],
    );
    assert.deepEqual(labels(await at(cursor(SAMPLE.replace("[Burns, Cuts]", "[Burns, │]")))), ["Cuts", "on"]);
    assert.deepEqual(labels(await at(cursor(SAMPLE.replace("[Burns, Cuts]", "[│]")))), ["Burns", "Cuts", "on"]);
  });

  it("tells how many rows a label has, and quotes what YAML would read as something else", async () => {
    const items = await at(cursor(SAMPLE.replace("[Burns, Cuts]", "[│]")));
    assert.equal(items?.[0]?.detail, "3,100 rows");
    assert.equal(newText(items?.[2]), '"on"');
  });

  it("proposes columns: few values for targets, many for inputs, none twice", async () => {
    assert.deepEqual(labels(await at(inSample("column: Na│ture")))?.sort(), ["Employer", "Nature"]);
    assert.equal(labels(await at(cursor(SAMPLE.replace("[Text]", "[]").replace("Nature", "│"))))?.at(-1), "Text");
    assert.deepEqual(labels(await at(inSample("inputs: [Te│xt]"))), ["Text", "Employer"]);
    assert.equal(labels(await at(inSample("group: Emplo│yer")))?.length, 3);
  });

  it("writes all labels of the data", async () => {
    const items = await at(cursor(SAMPLE.replace("labels: [Burns, Cuts]", "labels: │")));
    const all = items?.find(({ label }) => label === "all 3 labels of the data");
    assert.equal(newText(all), '\n        - Burns\n        - Cuts\n        - "on"');
  });

  it("replaces the whole value, and matches it with its quote", async () => {
    const [item] = (await at(cursor(SAMPLE.replace("[Burns, Cuts]", '["Bu│r", Cuts]')))) ?? [];
    assert.equal(item?.filterText, '"Burns');
    const { range } = item!.textEdit as { range: { start: { character: number }; end: { character: number } } };
    assert.equal(range.end.character - range.start.character, '"Bur"'.length);
  });

  it("proposes keys between braces, those of the engine alone, and none that is there", async () => {
    const items = labels(
      await at(cursor(SAMPLE.replace("baseline: { engine: linear }", "baseline: { engine: linear, │ }"))),
    );
    assert.ok(items?.includes("folds"));
    assert.ok(!items?.includes("engine") && !items?.includes("endpoint"), String(items));
    assert.ok(labels(await at(cursor(`${SAMPLE}confidence: { accept: { │ } }\n`)))?.includes("risk"));
  });

  it("proposes the fixed values, whichever stands there now", async () => {
    const engines = ["linear", "chat", "openai", "qlora", "predictions", "cascade"];
    assert.deepEqual(labels(await at(inSample("engine: ch│at"))), engines);
    assert.deepEqual(labels(await at(cursor(SAMPLE.replace("{ engine: linear }", "{ engine: │ }")))), engines);
    assert.deepEqual(labels(await at(cursor(`${SAMPLE}confidence: { accept: { scope: │ } }\n`))), ["row", "target"]);
    assert.deepEqual(labels(await at(cursor(SAMPLE.replace("cascade, ", "cascade, agree: │, ")))), ["true", "false"]);
  });

  it("says nothing where no name can stand", async () => {
    assert.equal(await at(inSample("model: m│")), undefined);
    assert.equal(await at(cursor(`│${SAMPLE}`)), undefined);
  });

  it("never gives examples of the schema where only names fit", async () => {
    const names = await nameCompletions({ ...inSample("host: a│10g"), onDisk: false, columns: [] });
    const schema = { isIncomplete: false, items: [{ label: "gpu-box", kind: 12 as const, insertText: "gpu-box" }] };
    assert.deepEqual(labels(merged(names, schema, false).items), ["a10g", "local"]);
    assert.deepEqual(labels(merged(undefined, schema, false).items), ["gpu-box"]);
  });

  describe("of files", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "clf-completion-"));
      mkdirSync(join(folder, "data"));
      for (const name of ["a.csv", "b.parquet", "notes.md", ".hidden.csv"])
        writeFileSync(join(folder, "data", name), "");
      writeFileSync(join(folder, "labels.yaml"), "");
    });
    after(() => rmSync(folder, { recursive: true, force: true }));
    const files = async (text: string) => {
      const offset = text.indexOf("│");
      const file = readYaml(join(folder, "p.clf.yaml"), text.replace("│", ""));
      return labels((await nameCompletions({ file, offset, onDisk: true, columns: [] }))?.items);
    };

    it("proposes those of the kind that is asked for", async () => {
      assert.deepEqual(await files("dataset:\n  source: │"), ["data/"]);
      assert.deepEqual(await files("dataset:\n  source: data/│"), ["data/a.csv", "data/b.parquet"]);
      assert.deepEqual(await files("task:\n  targets:\n    - labels: l│"), ["labels.yaml", "data/"]);
    });

    it("never looks outside the project's folder", async () => {
      assert.deepEqual(await files("dataset:\n  source: ../│"), []);
      assert.deepEqual(await files("dataset:\n  source: /etc/│"), []);
    });
  });
});
