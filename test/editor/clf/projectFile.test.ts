import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";
import { eventually } from "../eventually.ts";

describe("Clf in VS Code's extension host", () => {
  let document: vscode.TextDocument;
  const problems = () => vscode.languages.getDiagnostics(document.uri).map((problem) => problem.message);
  const replace = async (from: string, to: string) => {
    const at = document.getText().indexOf(from);
    assert.ok(at >= 0, from);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(document.positionAt(at), document.positionAt(at + from.length)), to);
    assert.ok(await vscode.workspace.applyEdit(edit));
  };

  before(async () => {
    const folder = vscode.workspace.workspaceFolders![0]!.uri.fsPath;
    document = await vscode.workspace.openTextDocument(join(folder, "weather.clf.yaml"));
    await vscode.window.showTextDocument(document);
  });

  it("activates for a project, in its own language", async () => {
    assert.equal(document.languageId, "clf-yaml");
    const extension = vscode.extensions.getExtension("clf.clf")!;
    await eventually(
      () => extension.isActive,
      (active) => active,
    );
    assert.ok(extension.isActive);
  });

  it("contributes every command that its manifest names", async () => {
    const { commands } = vscode.extensions.getExtension("clf.clf")!.packageJSON.contributes;
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = commands
      .map(({ command }: { command: string }) => command)
      .filter((id: string) => !registered.has(id));
    assert.deepEqual(missing, []);
  });

  it("finds a label that is not in the data, and fixes it", async () => {
    const [problem] = await eventually(
      () => vscode.languages.getDiagnostics(document.uri).filter(({ message }) => message.includes("snaw")),
      (found) => found.length > 0,
    );
    assert.match(problem!.message, /snow/);
    assert.equal(document.getText(problem!.range), "snaw");
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      problem!.range,
      vscode.CodeActionKind.QuickFix.value,
    );
    const fix = actions.find(({ title }) => title.includes("snow"));
    assert.ok(fix, actions.map(({ title }) => title).join(" | "));
    assert.ok(await vscode.workspace.applyEdit(fix.edit!));
    const rest = await eventually(problems, (found) => !found.some((message) => message.includes("snaw")));
    assert.ok(!rest.some((message) => message.includes("snaw")), rest.join("\n"));
    assert.match(document.getText(), /labels: \[rain, sun, snow\]/);
  });

  it("marks a mistyped key as it is typed and takes the mark away again", async () => {
    await replace("name: weather", "nmae: weather");
    const found = await eventually(problems, (all) => all.some((message) => /nmae/.test(message)));
    assert.ok(
      found.some((message) => /nmae/.test(message)),
      found.join("\n"),
    );
    await replace("nmae: weather", "name: weather");
    const rest = await eventually(problems, (all) => all.length === 0);
    assert.deepEqual(rest, []);
  });

  it("explains a key and completes an engine", async () => {
    const at = document.positionAt(document.getText().indexOf("inputs"));
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      "vscode.executeHoverProvider",
      document.uri,
      at,
    );
    const text = hovers.flatMap(({ contents }) =>
      contents.map((part) => (typeof part === "string" ? part : part.value)),
    );
    assert.match(text.join("\n"), /columns that models read/i);
    const inside = document.positionAt(document.getText().indexOf("linear"));
    const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
      "vscode.executeCompletionItemProvider",
      document.uri,
      inside,
    );
    const labels = items.map(({ label }) => (typeof label === "string" ? label : label.label));
    for (const engine of ["linear", "chat", "qlora"]) assert.ok(labels.includes(engine), labels.join(" "));
  });
});
