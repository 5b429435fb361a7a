import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noticeOf, noticesText, packageFolders } from "../../../scripts/notices.ts";
import { ROOT } from "../../built.ts";

describe("third-party notices", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "clf-notices-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function made(name: string, manifest: object, files: Record<string, string> = {}): string {
    const at = join(folder, name);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "package.json"), JSON.stringify({ name, version: "1.2.3", ...manifest }));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(at, file), text);
    return at;
  }

  it("know a package by its files: scoped, nested, each once, and none of ours", () => {
    const files = [
      "client/src/extension.ts",
      "node_modules/zod/v4/core.js",
      "node_modules/zod/index.js",
      "node_modules/@lit/reactive-element/x.js",
      "node_modules/yaml-language-server/node_modules/yaml/dist/index.js",
    ];
    assert.deepEqual(packageFolders(files), [
      "node_modules/@lit/reactive-element",
      "node_modules/yaml-language-server/node_modules/yaml",
      "node_modules/zod",
    ]);
  });

  it("hold the licence's text and what must go with it, and no code", () => {
    const files = { LICENSE: "The text.\n", "NOTICE.md": "A notice.", "license-checker.js": "code" };
    const { licence, texts } = noticeOf(made("one", { license: "Apache-2.0" }, files));
    assert.deepEqual([licence, texts], ["Apache-2.0", ["The text.", "A notice."]]);
  });

  it("give MIT's own text, with the author, where a package forgot the file", () => {
    const { texts } = noticeOf(made("two", { license: "MIT", author: { name: "Ada" } }));
    assert.match(texts[0]!, /^Copyright \(c\) Ada\n\nPermission is hereby granted/);
  });

  it("refuse a package without a licence, or without the text of one that is not MIT", () => {
    assert.throws(() => noticeOf(made("three", {})), /three 1\.2\.3 names no licence/);
    assert.throws(() => noticeOf(made("four", { license: "BSD-3-Clause" })), /four .* has no licence file/);
  });

  it("name every package of the bundles", function () {
    this.timeout(60_000);
    const list = join(folder, "inputs.json");
    const out = join(folder, "dist");
    execFileSync(process.execPath, ["esbuild.mjs", "--no-sourcemap", `--outdir=${out}`, `--inputs=${list}`], {
      cwd: ROOT,
    });
    const folders = packageFolders(JSON.parse(readFileSync(list, "utf8")) as string[]);
    const text = noticesText(folders.map((each) => join(ROOT, each)));
    for (const name of ["zod", "lit-html", "@observablehq/plot", "d3-scale", "vscode-languageclient", "openai"]) {
      assert.ok(text.includes(`\n- ${name} `), name);
    }
    assert.ok(!text.includes("\n- mocha "));
    assert.match(text, /Copyright/);
  });
});
