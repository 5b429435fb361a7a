import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Diagnostic } from "vscode-languageserver-types";
import type { DataResult } from "../../../server/src/language/data-protocol.ts";
import type { DataReader } from "../../../server/src/language/data-reader.ts";
import { createDiagnosticBoard } from "../../../server/src/language/diagnostics.ts";
import { createProjectDocuments } from "../../../server/src/language/project-documents.ts";
import { readText } from "../../../server/src/project/text.ts";
import { DATA } from "./sample.ts";

const TEXT = "version: 1\ndataset: { source: a.csv }\ntask:\n  inputs: [Text]\n  targets: [{ column: Nature }]\n";

interface Check {
  signal: AbortSignal;
  finish(result: DataResult): void;
}

describe("open projects", () => {
  let folder: string;
  let checks: Check[];
  let published: { uri: string; diagnostics: Diagnostic[]; version?: number }[];
  let projects: ReturnType<typeof createProjectDocuments>;
  let document: TextDocument;
  const logged: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "clf-projects-"));
    writeFileSync(join(folder, "a.csv"), "Text,Nature\na,b\n");
    checks = [];
    published = [];
    const data: DataReader = {
      sample: async () => [],
      // Ends when the test says so: as long as that it hangs.
      check: (_project, signal) => new Promise((resolve) => checks.push({ signal, finish: resolve })),
      close: async () => {},
    };
    projects = createProjectDocuments({
      data,
      board: createDiagnosticBoard((uri, diagnostics, version) => published.push({ uri, diagnostics, version })),
      read: readText,
      delays: { check: 0, reread: 0, data: 0 },
      log: (message) => logged.push(message),
      onFigures: () => {},
    });
    document = TextDocument.create(pathToFileURL(join(folder, "p.clf.yaml")).href, "clf-yaml", 1, TEXT);
    projects.open(document);
  });
  afterEach(() => {
    projects.close(document.uri);
    rmSync(folder, { recursive: true });
    assert.deepEqual(logged, []);
  });

  const until = async (condition: () => boolean) => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(condition(), `waited in vain: ${JSON.stringify(published)}`);
  };
  const type = (find: string, put: string) => {
    const start = document.positionAt(document.getText().indexOf(find));
    const end = document.positionAt(document.getText().indexOf(find) + find.length);
    document = TextDocument.update(document, [{ range: { start, end }, text: put }], document.version + 1);
    projects.change(document);
  };
  const found = (message: string): DataResult => ({
    figures: DATA,
    problems: [
      {
        severity: "warning",
        code: "found-in-data",
        message,
        file: join(folder, "p.clf.yaml"),
        path: ["dataset", "source"],
      },
    ],
  });
  const last = () => published.at(-1);

  it("mark what is wrong in the text while a data check hangs", async () => {
    await until(() => checks.length === 1);
    type("Nature", "Text");
    await until(() => last()?.version === 2 && last()!.diagnostics.some(({ code }) => code === "input-is-target"));
  });

  it("end a data check with the next keystroke, and drop what it finds all the same", async () => {
    await until(() => checks.length === 1);
    type("[Text]", "[Other]");
    assert.ok(checks[0]!.signal.aborted);
    checks[0]!.finish(found("old"));
    await until(() => checks.length === 2);
    checks[1]!.finish(found("new"));
    await until(() => last()?.diagnostics[0]?.message === "new");
    assert.ok(published.every(({ diagnostics }) => diagnostics.every(({ message }) => message !== "old")));
  });

  it("read data again only when it, or what is asked of it, has changed", async () => {
    await until(() => checks.length === 1);
    checks[0]!.finish(found("once"));
    await until(() => last()?.diagnostics.length === 1);
    type("version: 1", "version: 1 # a comment");
    await until(() => last()?.version === 2);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(checks.length, 1);
    assert.equal(last()!.diagnostics[0]!.message, "once");
    writeFileSync(join(folder, "a.csv"), "Text,Nature\na,b\nc,d\n");
    projects.filesChanged([join(folder, "a.csv")]);
    await until(() => checks.length === 2);
  });

  it("take back what they said when they are closed", async () => {
    await until(() => checks.length === 1);
    checks[0]!.finish({
      figures: DATA,
      problems: [{ severity: "error", code: "bad-row", message: "bad", file: join(folder, "a.csv") }],
    });
    const data = pathToFileURL(join(folder, "a.csv")).href;
    await until(() => published.some(({ uri, diagnostics }) => uri === data && diagnostics.length === 1));
    projects.close(document.uri);
    assert.deepEqual(published.findLast(({ uri }) => uri === data)!.diagnostics, []);
  });

  it("show an error at once where only a part was read, and what follows from it a moment later", async () => {
    type("[Text]", "[Text");
    await until(() => last()?.diagnostics.some(({ code }) => code === "yaml-syntax") === true);
    type("[Text", "[Text]");
    await until(() => last()!.version === 3 && last()!.diagnostics.length === 0);
  });
});

describe("diagnostic board", () => {
  it("unites what several projects say of one file, bounded, and takes back what is no longer said", () => {
    const sent: [string, number][] = [];
    const board = createDiagnosticBoard((uri, diagnostics) => sent.push([uri, diagnostics.length]));
    const at = (line: number, message: string): Diagnostic => ({
      range: { start: { line, character: 0 }, end: { line, character: 1 } },
      message,
    });
    board.publish("p", [], 1, new Map([["data", [at(1, "a"), at(2, "b")]]]));
    board.publish("q", [], 1, new Map([["data", [at(1, "a"), at(3, "c")]]]));
    assert.deepEqual(
      sent.filter(([uri]) => uri === "data"),
      [
        ["data", 2],
        ["data", 3],
      ],
    );
    board.publish("p", [], 2, new Map());
    assert.deepEqual(sent.at(-1), ["data", 2]);
    board.clear("q");
    assert.deepEqual(
      sent.findLast(([uri]) => uri === "data"),
      ["data", 0],
    );
    const many = new Map(Array.from({ length: 500 }, (_, i) => [`f${i}`, [at(i, "x")]]));
    board.publish(
      "p",
      Array.from({ length: 5000 }, (_, i) => at(i, "y")),
      3,
      many,
    );
    assert.ok(sent.at(-1)![0] === "f49" && sent.find(([uri, n]) => uri === "p" && n === 200));
  });
});
