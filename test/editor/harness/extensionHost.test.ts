import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";
import { eventually } from "../eventually.ts";

describe("A mocha suite in VS Code's extension host", () => {
  const folder = () => vscode.workspace.workspaceFolders![0]!.uri.fsPath;
  const open = async () => {
    const document = await vscode.workspace.openTextDocument(join(folder(), "fruits.harness.txt"));
    await vscode.window.showTextDocument(document);
    return document;
  };

  it("runs in real VS Code with the extension active", async () => {
    const extension = vscode.extensions.getExtension("clf.harness");
    assert.ok(extension);
    assert.deepEqual(await extension.activate(), { activated: true });
    assert.match(vscode.version, /^1\.\d+\.\d+$/);
    assert.equal(vscode.env.uiKind === vscode.UIKind.Web, vscode.env.remoteName !== undefined);
  });

  it("sees the extension's problems and applies its quick fix", async () => {
    const document = await open();
    const [problem] = await eventually(
      () => vscode.languages.getDiagnostics(document.uri),
      (found) => found.length === 1,
    );
    assert.equal(problem!.message, '"wrong" is not a fruit');
    assert.equal(problem!.range.start.line, 1);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      problem!.range,
    );
    assert.deepEqual(
      actions.map((action) => action.title),
      ['Replace with "apple"'],
    );
    await vscode.workspace.applyEdit(actions[0]!.edit!);
    assert.equal(document.getText(), "apple\napple\npear\n");
    const rest = await eventually(
      () => vscode.languages.getDiagnostics(document.uri),
      (found) => found.length === 0,
    );
    assert.deepEqual(rest, []);
  });

  it("writes to a copy of the workspace", async () => {
    const document = await open();
    assert.ok(await document.save());
    assert.doesNotMatch(folder(), /fixtures/);
  });
});
