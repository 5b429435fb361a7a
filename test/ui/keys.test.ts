/**
 * Keys, in real VS Code: the questions that a person is asked before a key goes to an endpoint, and where a key never stands. The
 * language server is one that asks for keys when the test tells it to; extension, dialogs and storage are the real ones.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, DIST, ROOT } from "../built.ts";
import { processes } from "./processes.ts";
import { type TestWindow, testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

/** Asks for the key that `ask.json` in the workspace names, and writes down a hash of what it is given. */
const SERVER = `
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
let folder;
const waiting = new Map();
const send = (message) => process.send({ jsonrpc: "2.0", ...message });
process.on("message", (message) => {
  const { id, method, params, result } = message;
  if (method === "initialize") {
    folder = fileURLToPath(params.workspaceFolders[0].uri);
    send({ id, result: { capabilities: {} } });
    setInterval(look, 50);
  } else if (method === "shutdown") send({ id, result: null });
  else if (method === "exit") process.exit(0);
  else if (method !== undefined && id !== undefined) send({ id, result: [] });
  else if (waiting.has(id)) {
    const hash = result.value === null ? null : createHash("sha256").update(result.value).digest("hex");
    writeFileSync(waiting.get(id), JSON.stringify({ hash }));
  }
});
const begun = new Set();
function look() {
  let asks = [];
  try { asks = JSON.parse(readFileSync(join(folder, "ask.json"), "utf8")); } catch { return; }
  asks.forEach(({ name, origin }, n) => {
    const answer = join(folder, "answer-" + n + ".json");
    if (begun.has(n) || existsSync(answer)) return;
    begun.add(n);
    const id = "key-" + n + "-" + process.pid;
    waiting.set(id, answer);
    send({ id, method: "clf/secret", params: { name, origin, project: "file://" + join(folder, "x.clf.yaml") } });
  });
}
process.on("disconnect", () => process.exit(0));
`;

const KEY = "sk-test-51f0c2a97be84d06a3";
const ENVIRONMENT_KEY = "sk-environment-77aa31e0c4";
const hash = (key: string) => createHash("sha256").update(key).digest("hex");

const extension = mkdtempSync(join(tmpdir(), "clf-keys-"));
const folder = mkdtempSync(join(tmpdir(), "clf-keys-"));
writeFileSync(join(folder, "x.clf.yaml"), "version: 1\n");
before(() => {
  build();
  mkdirSync(join(extension, "dist"));
  for (const part of ["package.json", "media", "syntaxes"])
    cpSync(join(ROOT, part), join(extension, part), { recursive: true });
  for (const part of ["extension.cjs", "language-client.cjs", "webview"]) {
    cpSync(join(DIST, part), join(extension, "dist", part), { recursive: true });
  }
  writeFileSync(join(extension, "dist", "server.mjs"), SERVER);
});
after(() => {
  for (const path of [extension, folder]) rmSync(path, { recursive: true, force: true });
});

/** What the server of a window asks, and what it was given. */
function questions(window: TestWindow) {
  const asks: { name: string; origin: string }[] = [];
  return {
    /** @returns the question's number */
    ask(name: string, origin: string): number {
      asks.push({ name, origin });
      writeFileSync(join(window.workspace, "ask.json"), JSON.stringify(asks));
      return asks.length - 1;
    },
    /** The hash of the key that was given; null: none. */
    async answer(n: number): Promise<string | null> {
      const file = join(window.workspace, `answer-${n}.json`);
      await eventually(() => existsSync(file), Boolean, `the answer to question ${n}`, 30);
      return eventually(() => {
        try {
          return JSON.parse(readFileSync(file, "utf8")) as { hash: string | null };
        } catch {
          return undefined; // Half written.
        }
      }, Boolean).then((found) => found!.hash);
    },
    answered: (n: number) => existsSync(join(window.workspace, `answer-${n}.json`)),
  };
}

describe("Keys in VS Code", function () {
  this.timeout(120_000);
  const window = testWindow(() => ({
    workspace: folder,
    extensionPath: extension,
    theme: "Light Modern",
    env: { ENVIRONMENT_KEY },
  }));
  let ask: ReturnType<typeof questions>["ask"];
  let answer: ReturnType<typeof questions>["answer"];
  let answered: ReturnType<typeof questions>["answered"];
  before(() => {
    ({ ask, answer, answered } = questions(window));
  });
  const noDialog = async () => assert.equal(await window.workbench.page.locator(".monaco-dialog-box").count(), 0);

  it("asks for consent and then for the key, and gives it", async () => {
    const { workbench } = window;
    const n = ask("TEST_KEY", "https://one.invalid");
    const { message, buttons } = await workbench.dialog();
    assert.match(message, /May this project send your key TEST_KEY to https:\/\/one\.invalid\?/);
    assert.match(message, /x\.clf\.yaml names this endpoint/);
    assert.deepEqual(buttons.toSorted(), ["Allow", "Cancel", "Show Project File"]);
    await workbench.screenshot("keys-consent");
    assert.equal(answered(n), false);
    await workbench.answerDialog("Allow");
    assert.match(await workbench.quickInputTitle(), /The key TEST_KEY for https:\/\/one\.invalid/);
    assert.equal(await workbench.page.locator(".quick-input-widget input[type=password]").count(), 1);
    await workbench.screenshot("keys-value");
    await workbench.quickInputText(KEY);
    assert.equal(await answer(n), hash(KEY));
  });

  it("remembers: the same key for the same origin is not asked for again", async () => {
    assert.equal(await answer(ask("TEST_KEY", "https://one.invalid")), hash(KEY));
    await noDialog();
  });

  it("asks again for another origin, and takes a refusal for an answer", async () => {
    const { workbench } = window;
    const n = ask("TEST_KEY", "https://other.invalid");
    assert.match((await workbench.dialog()).message, /to https:\/\/other\.invalid\?/);
    await workbench.answerDialog("Cancel");
    assert.equal(await answer(n), null);
    // Nobody wants to refuse twice.
    assert.equal(await answer(ask("TEST_KEY", "https://other.invalid")), null);
    await noDialog();
  });

  it("asks once for two that wait, and a look at the project file is no refusal", async () => {
    const { workbench } = window;
    const two = [ask("TEST_KEY", "https://third.invalid"), ask("TEST_KEY", "https://third.invalid")];
    await workbench.dialog();
    await workbench.answerDialog("Show Project File");
    for (const n of two) assert.equal(await answer(n), null);
    await eventually(
      () => workbench.tabs(),
      (tabs) => tabs[0]?.includes("x.clf.yaml"),
      "the project file",
    );
    await noDialog();
    const n = ask("TEST_KEY", "https://third.invalid");
    await workbench.dialog();
    await workbench.answerDialog("Allow");
    assert.equal(await answer(n), hash(KEY));
  });

  it("asks for consent before it takes a key of the environment", async () => {
    const { workbench } = window;
    const n = ask("ENVIRONMENT_KEY", "https://one.invalid");
    await workbench.dialog();
    await workbench.answerDialog("Allow");
    assert.equal(await answer(n), hash(ENVIRONMENT_KEY));
  });

  it("keeps consents over a reload of the window, and no refusals", async () => {
    const { workbench } = window;
    await workbench.reload();
    await workbench.openFile("x.clf.yaml");
    assert.equal(await answer(ask("TEST_KEY", "https://one.invalid")), hash(KEY));
    await noDialog();
    const n = ask("TEST_KEY", "https://other.invalid");
    await workbench.dialog();
    await workbench.press("Escape");
    assert.equal(await answer(n), null);
  });

  it("replaces a key by command; a refusal of it is taken back by that", async () => {
    const { workbench } = window;
    await workbench.runCommandAndPick("Clf: Set Key", "TEST_KEY");
    await eventually(
      () => workbench.quickInputTitle(),
      (title) => title === "Value of TEST_KEY",
    );
    await workbench.quickInputText(`${KEY}-2`);
    await workbench.notification("TEST_KEY is kept in VS Code's secret storage");
    assert.equal(await answer(ask("TEST_KEY", "https://one.invalid")), hash(`${KEY}-2`));
    const n = ask("TEST_KEY", "https://other.invalid");
    await workbench.dialog();
    await workbench.answerDialog("Cancel");
    assert.equal(await answer(n), null);
  });

  it("writes keys into no file, no argument and no log", () => {
    for (const place of [window.editor.state, window.workspace]) {
      for (const entry of readdirSync(place, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const file = join(entry.parentPath, entry.name);
        const text = readFileSync(file, "latin1");
        for (const key of [KEY, ENVIRONMENT_KEY]) assert.ok(!text.includes(key), file);
      }
    }
    if (process.platform !== "linux") return;
    for (const { pid, args } of processes()) {
      const line = args.join(" ");
      for (const key of [KEY, ENVIRONMENT_KEY]) assert.ok(!line.includes(key), `an argument of process ${pid}`);
    }
  });

  it("forgets keys and consents by command", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Forget Keys and Consents");
    // What was agreed to just before the reload may not have reached the browser's storage: then it is asked for again.
    assert.match((await workbench.dialog()).message, /Keys: TEST_KEY\. Consents to endpoints: [23]\./);
    await workbench.answerDialog("Forget");
    await workbench.notification("Keys and consents are forgotten.");
    const n = ask("TEST_KEY", "https://one.invalid");
    await workbench.dialog();
    await workbench.answerDialog("Allow");
    assert.match(await workbench.quickInputTitle(), /The key TEST_KEY/);
    await workbench.press("Escape");
    assert.equal(await answer(n), null);
  });
});

describe("Keys in an untrusted workspace", function () {
  this.timeout(60_000);
  const window = testWindow(() => ({
    workspace: folder,
    extensionPath: extension,
    theme: "Light Modern",
    trust: "ask",
    env: { ENVIRONMENT_KEY },
  }));

  it("are not given, and not asked for", async () => {
    const { ask, answer } = questions(window);
    await window.workbench.openFile("x.clf.yaml");
    assert.equal(await answer(ask("ENVIRONMENT_KEY", "https://one.invalid")), null);
    assert.equal(await window.workbench.page.locator(".monaco-dialog-box").count(), 0);
  });
});
