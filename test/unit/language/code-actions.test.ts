import assert from "node:assert/strict";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction, Diagnostic } from "vscode-languageserver-types";
import { codeActions, FIX_ALL, removeKey } from "../../../server/src/language/code-actions.ts";
import { diagnosticOf } from "../../../server/src/language/diagnostics.ts";
import { loadRead } from "../../../server/src/language/load-read.ts";
import { loadProject } from "../../../server/src/project/load.ts";
import { readText } from "../../../server/src/project/text.ts";
import type { Path } from "../../../server/src/project/yaml.ts";
import { read } from "./sample.ts";

const uri = "file:///projects/sample/p.clf.yaml";
const whole = { start: { line: 0, character: 0 }, end: { line: 1e6, character: 0 } };

async function problemsOf(text: string): Promise<Diagnostic[]> {
  const file = read(text);
  const loaded = (await loadRead(file, readText)) ?? (await loadProject(file.file, { text }));
  return loaded.problems.map((problem) => diagnosticOf(problem));
}

async function actionsOf(text: string, only?: string[]): Promise<CodeAction[]> {
  const all = await problemsOf(text);
  return codeActions({ file: read(text), uri, range: whole, diagnostics: all, only, all });
}

function applied(text: string, action: CodeAction | undefined): string {
  if (!action) throw new Error("No such action");
  return TextDocument.applyEdits(TextDocument.create(uri, "clf-yaml", 1, text), action.edit!.changes![uri]!);
}

const HEAD = "version: 1\ndataset:\n  source: a.csv\ntask:\n  inputs: [Text]\n  targets:\n    - column: Nature\n";
const errorsOf = async (text: string) =>
  (await problemsOf(text)).filter(({ severity }) => severity === 1).map(({ code }) => code);

describe("quick fixes", () => {
  it("change a mistyped key, engine and name, preferred when there is one suggestion", async () => {
    for (const [wrong, right] of [
      ["modles:\n  a: { engine: linear }\n", "models:\n  a: { engine: linear }\n"],
      ["models:\n  a: { engine: liner }\n", "models:\n  a: { engine: linear }\n"],
      ["models:\n  a: { engine: linear }\nreview: { model: b }\n", undefined],
      [
        "models:\n  first: { engine: linear }\nreview: { model: fist }\n",
        "models:\n  first: { engine: linear }\nreview: { model: first }\n",
      ],
    ] as const) {
      const preferred = (await actionsOf(HEAD + wrong)).filter(({ isPreferred }) => isPreferred);
      if (right === undefined) assert.deepEqual(preferred, []);
      else assert.equal(applied(HEAD + wrong, preferred[0]), HEAD + right);
    }
  });

  it("add what is missing, so that it is no longer missing", async () => {
    for (const text of [
      "version: 1\ntask:\n  inputs: [Text]\n  targets:\n    - column: Nature\n",
      "version: 1\ndataset:\n  source: a.csv\n",
      HEAD.replace("    - column: Nature\n", "    - name: x\n"),
      HEAD.replace("version: 1\n", ""),
      `${HEAD}hosts:\n  a: { kind: ssh }\n`,
      `${HEAD}models:\n  a:\n    engine: chat\n`,
      `${HEAD}models:\n  a: {}\n`,
      `${HEAD}models:\r\n  a:\r\n    engine: chat\r\n    model: x\r\n`,
    ]) {
      const missing = (await problemsOf(text)).filter(({ code }) => /^missing-(key|version)$/.test(String(code)));
      assert.ok(missing.length > 0, text);
      let mended = text;
      for (let round = 0; round < missing.length; round++) {
        const add = (await actionsOf(mended)).find(({ title }) => title.startsWith("Add "));
        mended = applied(mended, add);
      }
      assert.deepEqual(
        (await errorsOf(mended)).filter((code) => /missing-(key|version)|yaml|duplicate/.test(String(code))),
        [],
        mended,
      );
    }
  });

  it("take away what does not belong", async () => {
    for (const [text, rest] of [
      [`${HEAD}foo: 1\n`, HEAD],
      [`${HEAD}foo:\n  a: 1\n  b: [\n    2 ]\nname: x\n`, `${HEAD}name: x\n`],
      [HEAD.replace("source: a.csv", "source: a.csv\n  qqq: |\n    one\n    two"), HEAD],
      [HEAD.replace("- column: Nature", "- qqq: 1\n      column: Nature"), HEAD],
      [`${HEAD}models:\n  a: { engine: linear, qqq: 1 }\n`, `${HEAD}models:\n  a: { engine: linear }\n`],
      [`${HEAD}models:\n  a: { qqq: 1, engine: linear }\n`, `${HEAD}models:\n  a: { engine: linear }\n`],
      [`${HEAD}review: { qqq: 1 }\n`, `${HEAD}review: {}\n`],
      [`${HEAD}review:\n  qqq: 1\n`, `${HEAD}review:\n  {}\n`],
    ] as const) {
      const remove = (await actionsOf(text)).find(({ title }) => /^Remove "(qqq|foo)"/.test(title));
      assert.equal(applied(text, remove), rest);
      assert.deepEqual(await errorsOf(rest), []);
    }
  });

  it("write a suggestion as YAML that means it", async () => {
    const text = `${HEAD.replace("Nature\n", 'Nature\n      labels: ["on", Off]\n      never: ["o n"]\n')}`;
    const change = (await actionsOf(text)).find(({ title }) => title === 'Change to "on"');
    assert.match(applied(text, change), /never: \["on"\]/);
  });

  it("fix all that is safe at once, when it is asked for", async () => {
    const text = `${HEAD}modles:\n  a: { engine: linear }\nhosts:\n  h: { kind: shh, address: me@there }\n`;
    assert.equal((await actionsOf(text)).filter(({ kind }) => kind === FIX_ALL).length, 0);
    const [all, ...others] = await actionsOf(text, ["source.fixAll"]);
    assert.deepEqual(others, []);
    const mended = applied(text, all);
    assert.match(mended, /^models:/m);
    assert.match(mended, /kind: ssh/);
  });
});

describe("removing a key", () => {
  it("leaves the others as they were, whichever it is", () => {
    const text =
      "a: 1 # one\nb:\n  c: {d: 1, e: [2, 3]}\n  f:\n    - g: 1\n      h: 2\n    - 3\ni: |\n  text\n\nj: 5\n";
    const paths: Path[] = [
      ["a"],
      ["b"],
      ["b", "c"],
      ["b", "c", "d"],
      ["b", "c", "e"],
      ["b", "f"],
      ["b", "f", 0, "g"],
      ["b", "f", 0, "h"],
      ["i"],
      ["j"],
    ];
    for (const path of paths) {
      const file = read(text);
      const value = structuredClone(file.value) as Record<string, unknown>;
      const holder = path
        .slice(0, -1)
        .reduce<Record<string, unknown>>((at, step) => at[step] as Record<string, unknown>, value);
      delete holder[String(path.at(-1))];
      const mended = TextDocument.applyEdits(TextDocument.create(uri, "clf-yaml", 1, text), [removeKey(file, path)]);
      const after = read(mended);
      assert.deepEqual(after.problems, [], mended);
      assert.deepEqual(after.value, value, `${path.join(".")}\n${mended}`);
    }
  });
});
