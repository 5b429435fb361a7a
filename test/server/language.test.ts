import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  CodeAction,
  CodeLens,
  CompletionList,
  Diagnostic,
  DocumentLink,
  DocumentSymbol,
  FoldingRange,
  Hover,
  InlayHint,
  Location,
  TextEdit,
  WorkspaceEdit,
} from "vscode-languageserver-protocol";
import { type Client, type OpenDocument, startClient, uriOf } from "./client.ts";
import { csv, type Folder, makeFolder, PROJECT } from "./workspace.ts";

const codes = (diagnostics: Diagnostic[]) => diagnostics.map(({ code }) => code);
const isClean = (diagnostics: Diagnostic[]) => diagnostics.length === 0;
const has = (code: string) => (diagnostics: Diagnostic[]) => codes(diagnostics).includes(code);
const WHOLE = { start: { line: 0, character: 0 }, end: { line: 1_000_000, character: 0 } };

describe("language server over stdio", function () {
  this.timeout(60_000);
  let folder: Folder;
  let client: Client;
  let document: OpenDocument;
  let counter = 0;

  const ask = <T>(method: string, params: object = {}, of = document) =>
    client.request<T>(`textDocument/${method}`, { textDocument: { uri: of.uri }, ...params });
  const openProject = (text: string) => client.open(folder.file(`p${++counter}.clf.yaml`), text);
  const fixesOf = async (diagnostic: Diagnostic, of = document) =>
    ask<CodeAction[]>("codeAction", { range: diagnostic.range, context: { diagnostics: [diagnostic] } }, of);
  const editsOf = (action: CodeAction | undefined, of = document) => action!.edit!.changes![of.uri]!;

  before(async () => {
    folder = makeFolder();
    folder.write("data/a.csv", csv(["Burns", "Cuts"]));
    client = await startClient({ folders: [folder.path] });
    document = openProject(PROJECT);
    await client.diagnostics(document.uri, isClean);
    await hintsArrive(document, 2);
  });
  after(async () => {
    assert.equal(await client.stop(), 0);
    folder.remove();
    assert.deepEqual(ownLog(), []);
  });

  /** What went wrong in our own code. The library may stumble over an unfinished file. */
  const ownLog = () => client.log.filter((message) => !message.startsWith("yaml-language-server: "));

  /** The data check is over when its figures are shown. */
  async function hintsArrive(of: OpenDocument, number: number): Promise<InlayHint[]> {
    for (let i = 0; i < 200; i++) {
      const hints = await ask<InlayHint[]>("inlayHint", { range: WHOLE }, of);
      if (hints.length >= number) return hints;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("No hints");
  }

  it("marks a typing error, offers its fix, and is content when it is applied", async () => {
    const typed = openProject(PROJECT);
    await client.diagnostics(typed.uri, isClean);
    typed.replace("engine: linear", "engine: liner");
    const [found] = await client.diagnostics(typed.uri, has("unknown-engine"));
    assert.equal(typed.textIn(found!.range), "liner");
    assert.equal(found!.severity, 1);
    const [fix] = await fixesOf(found!, typed);
    assert.equal(fix!.title, 'Change to "linear"');
    assert.equal(fix!.isPreferred, true);
    typed.apply(editsOf(fix, typed));
    await client.diagnostics(typed.uri, isClean);
    assert.equal(typed.text(), PROJECT);
    typed.close();
  });

  it("says which version diagnostics are of", async () => {
    const typed = openProject(PROJECT);
    typed.replace("version: 1", "version: 2");
    await client.diagnostics(typed.uri, (_, version) => version === 2);
    typed.close();
  });

  it("checks labels against the data, in the background", async () => {
    const typed = openProject(PROJECT.replace("Burns", "Burnz"));
    const found = (await client.diagnostics(typed.uri, has("absent-label"))).find(
      ({ code }) => code === "absent-label",
    )!;
    assert.equal(typed.textIn(found.range), "Burnz");
    assert.match(String(found.message), /Did you mean "Burns" \(60 rows\)/);
    const fixes = await fixesOf(found, typed);
    typed.apply(
      editsOf(
        fixes.find(({ title }) => title === 'Change to "Burns"'),
        typed,
      ),
    );
    await client.diagnostics(typed.uri, isClean);
    typed.close();
  });

  it("keeps what it says of the data at its place while lines are put above", async () => {
    const typed = openProject(PROJECT.replace("Burns", "Burnz"));
    await client.diagnostics(typed.uri, has("absent-label"));
    typed.replace("version: 1\n", "# one more line\nversion: 1\n");
    const found = await client.diagnostics(typed.uri, (all, version) => version === 2 && has("absent-label")(all));
    assert.equal(typed.textIn(found.find(({ code }) => code === "absent-label")!.range), "Burnz");
    typed.close();
  });

  it("marks a column that the data lacks in the project file, and the data file where rows are wrong", async () => {
    folder.write("data/ragged.csv", `${csv(["Burns", "Cuts"])}1,2,3,4,5,6\n`);
    const typed = openProject(PROJECT.replace("a.csv", "ragged.csv"));
    const data = uriOf(folder.file("data/ragged.csv"));
    const [wrong] = await client.diagnostics(data, (all) => all.length > 0);
    assert.equal(wrong!.range.start.line, 121);
    typed.replace("[text]", "[txt]");
    const found = (await client.diagnostics(typed.uri, has("missing-column"))).find(
      ({ code }) => code === "missing-column",
    )!;
    assert.equal(typed.textIn(found.range), "txt");
    typed.close();
    await client.diagnostics(data, isClean);
  });

  it("completes keys, values and names", async () => {
    const labels = async (find: string, into: number, of = document) =>
      (await ask<CompletionList>("completion", { position: of.at(find, into) }, of)).items.map(({ label }) => label);
    assert.ok((await labels("engine: linear\n    folds", 8)).includes("qlora"));
    assert.deepEqual(await labels("model: baseline", 8), ["baseline", "second"]);
    const typed = openProject(`${PROJECT}conf`);
    assert.ok((await labels("conf", 4, typed)).includes("confidence"));
    typed.close();
  });

  it("hovers with the schema's words and the data's figures", async () => {
    const at = async (find: string, into: number) =>
      ((await ask<Hover>("hover", { position: document.at(find, into) })).contents as { value: string }).value;
    assert.match(await at("folds", 2), /out-of-fold/i);
    assert.match(await at("Burns", 1), /60 rows[\s\S]*\| train \|/);
    assert.match(await at("- column: label", 11), /2 labels, 120 labelled rows/);
  });

  it("gives symbols, folding and selections", async () => {
    const symbols = await ask<DocumentSymbol[]>("documentSymbol");
    assert.deepEqual(
      symbols.map(({ name }) => name),
      ["version", "dataset", "task", "models", "review"],
    );
    const folding = await ask<FoldingRange[]>("foldingRange");
    assert.ok(folding.some(({ startLine, endLine }) => startLine === 8 && endLine === 12));
    const [selection] = await ask<{ parent?: object }[]>("selectionRange", { positions: [document.at("Burns", 1)] });
    assert.ok(selection!.parent);
  });

  it("formats without changing what the file says, and leaves a broken file alone", async () => {
    const options = { options: { tabSize: 2, insertSpaces: true } };
    const typed = openProject(PROJECT.replace("{ engine: linear }", "{engine:   linear}"));
    typed.apply(await ask<TextEdit[]>("formatting", options, typed));
    assert.equal(typed.text(), PROJECT);
    typed.set("a: [\n");
    assert.deepEqual(await ask<TextEdit[]>("formatting", options, typed), []);
    typed.close();
  });

  it("links files, and goes from a name to its definition", async () => {
    const links = await ask<DocumentLink[]>("documentLink");
    assert.deepEqual(
      links.map(({ target, range }) => [target, document.textIn(range)]),
      [[uriOf(folder.file("data/a.csv")), "data/a.csv"]],
    );
    const definition = await ask<Location>("definition", { position: document.at("model: baseline", 9) });
    assert.deepEqual(definition.range.start, document.at("  baseline:", 2));
    const file = await ask<Location>("definition", { position: document.at("data/a.csv", 3) });
    assert.equal(file.uri, uriOf(folder.file("data/a.csv")));
  });

  it("renames a model everywhere, and says why a name will not do", async () => {
    const position = document.at("model: baseline", 9);
    const edit = await ask<WorkspaceEdit>("rename", { position, newName: "first" });
    assert.equal(edit.changes![document.uri]!.length, 2);
    await assert.rejects(ask("rename", { position, newName: "no good" }), /cannot be a name/);
  });

  it("shows lenses and hints", async () => {
    const lenses = await ask<CodeLens[]>("codeLens");
    assert.deepEqual(lenses.map(({ command }) => [command!.title, command!.arguments]).slice(0, 5), [
      ["▷ Fine-tune", [document.uri]],
      ["▷ Evaluate", [document.uri]],
      ["▷ Compare", [document.uri]],
      ["▷ Preview data", [document.uri]],
      ["▷ Fine-tune", [document.uri, "baseline"]],
    ]);
    assert.equal(client.initialized.capabilities.executeCommandProvider, undefined);
    const hints = await hintsArrive(document, 2);
    assert.match(String(hints[0]!.label), /^120 rows · \d+\/\d+\/\d+/);
    assert.equal(hints[1]!.label, "2 labels");
  });

  it("notices data changed outside", async () => {
    folder.write("data/outside.csv", csv(["Burns", "Cuts"]));
    const typed = openProject(PROJECT.replace("a.csv", "outside.csv"));
    await hintsArrive(typed, 2);
    folder.write("data/outside.csv", csv(["Burns", "Bruises"]));
    client.changed(folder.file("data/outside.csv"));
    const found = await client.diagnostics(typed.uri, has("absent-label"));
    assert.equal(typed.textIn(found.find(({ code }) => code === "absent-label")!.range), "Cuts");
    typed.close();
  });

  it("takes labels from an open file that is not saved", async () => {
    const path = folder.write("labels.yaml", "- Burns\n- Cuts\n");
    const typed = openProject(PROJECT.replace("[Burns, Cuts]", "labels.yaml"));
    await client.diagnostics(typed.uri, isClean);
    const labels = client.open(path, "- Burns\n- Burns\n", "yaml");
    const [found] = await client.diagnostics(labels.uri, has("duplicate-label"));
    assert.equal(found!.range.start.line, 1);
    labels.close();
    typed.close();
  });

  it("counts places in UTF-16 units", async () => {
    const typed = openProject(
      PROJECT.replace("{ engine: linear }", "{ engine: linear } # 😀é").replace("Burns, Cuts", '"😀é", Burns'),
    );
    const found = (await client.diagnostics(typed.uri, has("absent-label"))).find(
      ({ code }) => code === "absent-label",
    )!;
    assert.equal(typed.textIn(found.range), '"😀é"');
    typed.replace("model: baseline", "😀: baseline");
    const [unknown] = await client.diagnostics(typed.uri, has("unknown-key"));
    assert.equal(typed.textIn(unknown!.range), "😀");
    typed.close();
  });

  it("is not impressed by a bomb, deep nesting, or a megabyte", async () => {
    const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 20; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    const labels = Array.from({ length: 40_000 }, (_, i) => `        - label number ${i}`).join("\n");
    for (const text of [
      `version: 1\n${bomb.join("\n")}\n`,
      `version: ${"[".repeat(50_000)}`,
      `version: ${"{a: ".repeat(5000)}`,
      PROJECT.replace("[Burns, Cuts]", `\n${labels}`),
    ]) {
      const typed = openProject(text);
      await client.diagnostics(typed.uri, (all) => all.length > 0);
      const position = { line: 0, character: 3 };
      await ask("completion", { position }, typed);
      await ask("hover", { position }, typed);
      await ask("documentSymbol", {}, typed);
      await ask("foldingRange", {}, typed);
      await ask("codeLens", {}, typed);
      typed.close();
    }
  });

  it("answers with errors a person can read", async () => {
    await assert.rejects(client.request("clf/projects", { nonsense: 1 }), /not available|clf\/projects/);
    assert.equal(
      await ask("hover", { position: { line: 0, character: 0 } }, { ...document, uri: "file:///nowhere.clf.yaml" }),
      null,
    );
  });

  it("survives whatever is typed, wherever", async () => {
    const typed = openProject(PROJECT);
    const piece = fc.oneof(
      fc.constantFrom(
        "",
        " ",
        "\n",
        "  ",
        "- ",
        ":",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        "|",
        ">",
        "&a",
        "*a",
        "<<: *a",
        "#",
        "?",
        "!",
        "%",
        "\t",
        "---\n",
      ),
      fc.string({ unit: "grapheme", maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.nat(12),
        piece,
        fc.nat(20),
        fc.nat(30),
        async (at, length, put, line, character) => {
          const text = typed.text();
          const start = text.length === 0 ? 0 : at % text.length;
          typed.set(text.slice(0, start) + put + text.slice(start + length));
          const position = { line, character };
          await Promise.all([
            ask("completion", { position }, typed),
            ask("hover", { position }, typed),
            ask("definition", { position }, typed),
            ask("codeLens", {}, typed),
            ask("inlayHint", { range: WHOLE }, typed),
            ask("documentSymbol", {}, typed),
            ask("foldingRange", {}, typed),
            ask("codeAction", { range: WHOLE, context: { diagnostics: [] } }, typed),
          ]);
          if (typed.text().length < 100 || typed.text().length > 2000) typed.set(PROJECT);
        },
      ),
      { numRuns: 150 },
    );
    typed.set(PROJECT);
    await client.diagnostics(typed.uri, isClean);
    typed.close();
    assert.deepEqual(ownLog(), []);
  });
});

describe("language server of several folders", function () {
  this.timeout(60_000);

  it("keeps projects apart, shares a data file between two, and starts nothing without trust", async () => {
    const [one, two] = [makeFolder(), makeFolder()];
    const data = one.write("data/a.csv", `${csv(["Burns", "Cuts"])}1,2\n`);
    two.write("data/a.csv", csv(["Yes", "No"]));
    const client = await startClient({ folders: [one.path, two.path], trusted: false });
    const first = client.open(one.file("p.clf.yaml"), PROJECT);
    const second = client.open(one.file("q.clf.yaml"), PROJECT);
    const other = client.open(two.file("p.clf.yaml"), PROJECT);
    await client.diagnostics(other.uri, has("absent-label"));
    await client.diagnostics(uriOf(data), (all) => all.length === 1);
    first.close();
    await client.diagnostics(first.uri, isClean);
    second.replace("[text]", "[id]");
    await client.diagnostics(second.uri, (_, version) => version === 2);
    await client.diagnostics(uriOf(data), (all) => all.length === 1);
    second.close();
    await client.diagnostics(uriOf(data), isClean);
    const titles = async () =>
      (await client.request<CodeLens[]>("textDocument/codeLens", { textDocument: { uri: other.uri } })).map(
        ({ command }) => command!.title,
      );
    assert.deepEqual(await titles(), ["▷ Preview data"]);
    client.notify("clf/trust", { trusted: true });
    assert.ok((await titles()).length > 4);
    assert.equal(await client.stop(), 0);
    one.remove();
    two.remove();
  });

  it("checks a file that was never saved, but for the files it names", async () => {
    const client = await startClient();
    const document = client.open(
      "",
      PROJECT.replace("[Burns, Cuts]", "labels.yaml"),
      "clf-yaml",
      "untitled:Untitled-1",
    );
    document.replace("engine: linear", "engine: liner");
    const found = await client.diagnostics(document.uri, has("unknown-engine"));
    assert.deepEqual(codes(found), ["unknown-engine"]);
    assert.equal(await client.stop(), 0);
  });

  it("serves a client that can do next to nothing", async () => {
    const folder = makeFolder();
    folder.write("data/a.csv", csv(["Burns", "Cuts"]));
    const client = await startClient({ capabilities: {} });
    const document = client.open(folder.write("p.clf.yaml", PROJECT), PROJECT, "yaml");
    const [hover] = [
      await client.request<Hover>("textDocument/hover", {
        textDocument: { uri: document.uri },
        position: document.at("folds", 1),
      }),
    ];
    assert.ok(hover);
    document.replace("linear", "liner");
    await client.diagnostics(document.uri, has("unknown-engine"));
    assert.equal(await client.stop(), 0);
    folder.remove();
  });
});
