/** The bundles as they are shipped, started the ways editors start them. */
import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { IPCMessageReader, IPCMessageWriter } from "vscode-jsonrpc/node";
import {
  type CompletionList,
  createProtocolConnection,
  type Hover,
  type InitializeResult,
} from "vscode-languageserver-protocol/node";
import { root, startClient } from "./client.ts";
import { csv, makeFolder, PROJECT } from "./workspace.ts";

const bundle = join(root, "dist/server.mjs");

describe("bundled language server", function () {
  this.timeout(60_000);
  before(function () {
    if (!existsSync(bundle)) this.skip();
  });

  for (const [name, server, args] of [
    ["node server.mjs --stdio", bundle, ["--stdio"]],
    ["clf lsp --stdio", join(root, "bin/clf"), ["lsp", "--stdio"]],
    ["clf lsp", join(root, "bin/clf"), ["lsp"]],
  ] as const) {
    it(`completes, hovers, formats and reads data: ${name}`, async () => {
      const folder = makeFolder();
      folder.write("data/a.csv", csv(["Burns", "Cuts"]));
      const client = await startClient({ server, args: [...args], folders: [folder.path] });
      const document = client.open(folder.file("p.clf.yaml"), PROJECT.replace("Burns", "Burnz"));
      // Found in the data, so that the worker thread's bundle has been at work.
      await client.diagnostics(document.uri, (all) => all.some(({ code }) => code === "absent-label"));
      const textDocument = { uri: document.uri };
      const list = await client.request<CompletionList>("textDocument/completion", {
        textDocument,
        position: { line: 14, character: 0 },
      });
      assert.ok(list.items.some(({ label }) => label === "confidence"));
      const hover = await client.request<Hover>("textDocument/hover", {
        textDocument,
        position: document.at("folds", 1),
      });
      assert.match((hover.contents as { value: string }).value, /out-of-fold/i);
      document.replace("  baseline: { engine", "  baseline:   {   engine");
      const edits = await client.request<object[]>("textDocument/formatting", {
        textDocument,
        options: { tabSize: 2, insertSpaces: true },
      });
      assert.ok(edits.length > 0);
      assert.equal(await client.stop(), 0);
      assert.deepEqual(client.log, []);
      folder.remove();
    });
  }

  it("talks over Node's own channel, as VS Code does", async () => {
    const child = fork(bundle, ["--node-ipc"], { execArgv: [] });
    const connection = createProtocolConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
    connection.listen();
    const { capabilities } = await connection.sendRequest<InitializeResult>("initialize", {
      processId: process.pid,
      rootUri: null,
      workspaceFolders: null,
      capabilities: {},
    });
    assert.ok(capabilities.completionProvider);
    assert.equal(capabilities.executeCommandProvider, undefined);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await connection.sendRequest("shutdown");
    await connection.sendNotification("exit");
    assert.equal(await ended, 0);
    connection.dispose();
  });

  it("says how it is started when it is started wrong", () => {
    const { status, stderr } = spawnSync(process.execPath, [bundle], { encoding: "utf8" });
    assert.equal(status, 2);
    assert.match(stderr, /--stdio/);
  });
});
