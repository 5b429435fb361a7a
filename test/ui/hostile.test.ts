/** Data and projects from somebody who means harm, in real VS Code: text stays text, and nothing is done without a question. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../built.ts";
import { injuriesFolder } from "./injuries.ts";
import { testWindow } from "./window.ts";
import { eventually, type Workbench } from "./workbench.ts";

/** Set by whatever of the data should be executed. */
const MARK = "clfWasHere";
const HTML = `<img src="https://evil.invalid/p.png" onerror="self.${MARK}=1"><script>self.${MARK}=1</script><b>burned</b>`;
const MARKDOWN =
  "[press](command:workbench.action.files.newUntitledFile) ![p](https://evil.invalid/m.png) **bold** $(trash) `code`";
const RTL = "\u202eעובד נפל מסולם ושבר את ידו\u202c, العامل سقط من السلم";
const EMOJI = "👩🏽‍🏭 fell 🪜 and broke 🦴 her wrist 🤕";
const LONG = "a finger was crushed by the press. ".repeat(30_000);
const ROWS = [HTML, MARKDOWN, RTL, EMOJI, LONG];
const LABEL = `<img src=x onerror=self.${MARK}=1>[Fractures](command:x)`;
const TARGET = `<b>Nature</b> [t](command:x)`;

const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** injuries.csv with a label and a target column, and inbox.csv with rows, that are written to be executed. */
function hostileData(): string {
  const folder = injuriesFolder(700, 20);
  const injuries = readFileSync(join(folder, "injuries.csv"), "utf8");
  writeFileSync(
    join(folder, "injuries.csv"),
    injuries.replace("NatureTitle", cell(TARGET)).replaceAll(",Fractures,", `,${cell(LABEL)},`),
  );
  const [header, ...rows] = readFileSync(join(folder, "inbox.csv"), "utf8").split("\n");
  const hostile = ROWS.map((text, i) => `${i},2026-11-01,nobody,${cell(text)}`);
  writeFileSync(join(folder, "inbox.csv"), [header, ...hostile, ...rows].join("\n"));
  writeFileSync(join(folder, "[press](command:workbench.action.files.newUntitledFile).csv"), "\0\0\0");
  writeFileSync(
    join(folder, "hostile.clf.yaml"),
    `version: 1
name: ${JSON.stringify(HTML)}
dataset: { source: injuries.csv, pool: inbox.csv, id: report_id }
task:
  inputs: [Final Narrative]
  targets:
    - column: ${JSON.stringify(TARGET)}
models:
  baseline: { engine: linear }
confidence: { accept: { threshold: 1 } }
review: { order: file }
`,
  );
  return folder;
}

/** Nothing of the data has been executed, in any frame of the window. */
async function nothingRan(workbench: Workbench): Promise<void> {
  for (const frame of workbench.page.frames()) {
    const ran = await frame.evaluate((mark) => mark in self, MARK).catch(() => false);
    assert.equal(ran, false, frame.url());
  }
}

describe("Hostile data in VS Code", function () {
  this.timeout(120_000);
  const data = hostileData();
  /** Addresses that the window, or a frame of it, asked for. */
  const asked: string[] = [];
  const window = testWindow({
    workspace: data,
    extensionPath: ROOT,
    theme: "Light Modern",
    width: 1400,
    height: 900,
    before: async (page) => {
      page.on("request", (request) => asked.push(request.url()));
    },
  });
  const jobs = async (n: number) => {
    const found = await eventually(
      () => window.workbench.treeItems("Jobs"),
      (items) => items.filter(({ level, description }) => level === 2 && / s$/.test(description)).length === n,
      `${n} ended jobs`,
      90,
    );
    return found.filter(({ level }) => level === 2);
  };

  it("trains and evaluates on it", async () => {
    const { workbench } = window;
    await workbench.showContainer("Clf");
    await eventually(
      () => workbench.page.locator(".welcome-view-content").allInnerTexts(),
      (texts) => texts.some((text) => /No jobs yet/.test(text)),
      "a project",
      60,
    );
    await workbench.runCommand("Clf: Fine-tune a Model");
    await jobs(1);
    await workbench.runCommand("Clf: Evaluate a Model");
    await jobs(2);
    assert.deepEqual(await workbench.notifications(), []);
  });

  it("is text in the Flagged panel", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Review Flagged Rows");
    const panel = await workbench.webview("confirm");
    const place = panel.locator(".count");
    for (const [i, text] of ROWS.entries()) {
      await eventually(
        () => place.innerText(),
        (words) => words.startsWith(`${i + 1} of `),
        `row ${i + 1}`,
        30,
      );
      await panel.locator(".detail:not([aria-busy]) .choice").first().waitFor();
      const shown = (await panel.locator(".detail .input").first().textContent())!;
      if (text.length < 20_000) assert.equal(shown, text);
      else {
        assert.ok(shown.startsWith(text.slice(0, 20_000)));
        assert.match(shown, /cut: open the row to read all of it/);
        assert.ok(shown.length < 21_000);
      }
      const row = panel.locator(".row[aria-selected=true] .text");
      assert.ok((await row.textContent())!.startsWith(text.slice(0, 100)));
      assert.equal(await panel.locator("img, script[src]:not([nonce]), b, a, iframe").count(), 0);
      await workbench.screenshot(`hostile-flagged-${i + 1}`);
      await workbench.press("j");
    }
    const choices = await panel.locator(".choice .name").allInnerTexts();
    assert.ok(choices.includes(LABEL), choices.join(" | "));
    await nothingRan(workbench);
  });

  it("could not run anything there: the page's policy forbids it", async () => {
    const panel = await window.workbench.webview("confirm");
    const violations = await panel.evaluate(async (mark) => {
      const found: string[] = [];
      document.addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = `self.${mark} = 1`;
      document.body.append(script);
      const box = document.createElement("div");
      box.innerHTML = `<img src="https://evil.invalid/policy/p.png" onerror="self.${mark}=1"><iframe src="https://evil.invalid/policy/f"></iframe>`;
      document.body.append(box);
      await fetch("https://evil.invalid/policy/x").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 500));
      script.remove();
      box.remove();
      return found;
    }, MARK);
    for (const kind of ["script-src", "img-src", "frame-src", "connect-src"]) {
      assert.ok(
        violations.some((one) => one.startsWith(kind)),
        `${kind} in ${violations.join(" ")}`,
      );
    }
    await nothingRan(window.workbench);
  });

  it("is text beside rows and in their hovers, the row of a megabyte included", async () => {
    const { workbench } = window;
    await workbench.openFile("inbox.csv");
    const hints = await eventually(
      () => workbench.inlayHints(),
      (found) => found.length > 15,
      "confidences",
      60,
    );
    for (const line of [2, 3, 4, 5, 6]) {
      const hint = hints.find((one) => one.line === line);
      assert.match(hint?.text ?? "", /→ flagged/, `line ${line}: ${JSON.stringify(hints)}`);
    }
    for (const { text } of hints) assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069]/);
    await workbench.screenshot("hostile-inline");
    const suspect = hints.find(({ text }) => text.includes("<img"))!;
    const words = await eventually(
      () => workbench.hoverOver(suspect.text.trim()).catch((error: Error) => error.message),
      (found) => found.includes("Words for"),
      "the hover of a hint",
      60,
    );
    // Wherever the label stands in it, it stands there whole.
    const named = words.split("Fractures");
    assert.ok(named.length > 2, words);
    for (const rest of named.slice(1)) assert.ok(rest.startsWith("](command:x)"), words);
    const hover = workbench.page.locator(".monaco-hover-content");
    assert.equal(await hover.locator("img, script, b, a[data-href^=command], a[href^=command]").count(), 0);
    await workbench.screenshot("hostile-hover");
    await workbench.press("Escape");
    await nothingRan(workbench);
  });

  it("is text in the project file's hovers and hints", async () => {
    const { workbench } = window;
    await workbench.openFile("hostile.clf.yaml");
    const line = (await workbench.lines()).find(({ text }) => text.includes("column:"))!;
    const words = await workbench.hover(line.number, line.text.indexOf("Nature") + 1);
    assert.ok(words.includes(LABEL.slice(0, 20)) || words.includes("Nature"), words);
    const hover = workbench.page.locator(".monaco-hover-content");
    assert.equal(await hover.locator("img, script, b, a[data-href^=command], a[href^=command]").count(), 0);
    await workbench.screenshot("hostile-project");
    await workbench.press("Escape");
    await nothingRan(workbench);
  });

  it("is text in the report", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Open Report");
    const page = await workbench.webview("By label");
    const text = await page.locator("body").innerText();
    for (const part of [HTML, LABEL, TARGET]) assert.ok(text.includes(part), part);
    assert.equal(await page.locator("#root img, #root script, #root b, #root a").count(), 0);
    await workbench.screenshot("hostile-report");
    await nothingRan(workbench);
  });

  it("is text in a notification, not a link that runs a command", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: New Project from Data…");
    await workbench.quickPick("[press](command:workbench.action.files.newUntitledFile).csv");
    const { message, severity } = await workbench.notification("holds no rows");
    assert.equal(severity, "error");
    assert.ok(message.replaceAll("\u200b", "").includes("[press](command:"), message);
    assert.equal(await workbench.page.locator(".notifications-toasts .notification-list-item-message a").count(), 0);
    await workbench.clearNotifications();
  });

  it("has sent nothing anywhere", async () => {
    await nothingRan(window.workbench);
    assert.deepEqual(
      asked.filter((url) => url.includes("evil.invalid") && !url.includes("/policy/")),
      [],
    );
    assert.deepEqual(
      (await window.workbench.tabs()).filter((tab) => tab.includes("Untitled")),
      [],
    );
  });
});

describe("A hostile project in VS Code", function () {
  this.timeout(120_000);
  const outer = mkdtempSync(join(tmpdir(), "clf-hostile-"));
  const folder = join(outer, "project");
  mkdirSync(join(outer, "neighbour"));
  mkdirSync(folder);
  const project = (source: string, rest = "") =>
    `version: 1\ndataset: { source: ${source} }\ntask: { inputs: [text], targets: [{ column: label }] }\nmodels: { baseline: { engine: linear } }\n${rest}`;
  const aliases = Array.from({ length: 8 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(", ")}]`);
  const files: Record<string, [text: string, error: RegExp]> = {
    "outside.clf.yaml": [project("../neighbour/secret.csv"), /outside the project's folder/],
    "link.clf.yaml": [project("link.csv"), /symbolic link/],
    "host.clf.yaml": [
      project("data.csv", 'hosts: { a: { kind: ssh, address: "-oProxyCommand=touch MARK" } }\n'),
      /an ssh address/,
    ],
    "bomb.clf.yaml": [
      `version: 1\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n${aliases.join("\n")}\n${project("data.csv").slice(11)}`,
      /alias/i,
    ],
  };
  for (const [name, [text]] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(outer, "neighbour", "secret.csv"), "text,label\nsecret one,a\nsecret two,b\n");
  writeFileSync(
    join(folder, "data.csv"),
    `text,label\n${Array.from({ length: 40 }, (_, i) => `text ${i},${i % 2}`).join("\n")}\n`,
  );
  symlinkSync(join(outer, "neighbour", "secret.csv"), join(folder, "link.csv"));
  after(() => rmSync(outer, { recursive: true, force: true }));

  const window = testWindow({ workspace: folder, extensionPath: ROOT, theme: "Light Modern", trust: "ask" });
  const listing = () => readdirSync(window.workspace, { recursive: true, encoding: "utf8" }).sort();
  let first: string[];
  before(() => {
    first = readdirSync(folder).sort();
  });

  for (const [name, [, error]] of Object.entries(files)) {
    it(`marks what is wrong in ${name}, untrusted`, async () => {
      const { workbench } = window;
      await workbench.openFile(name);
      await eventually(
        () => workbench.problems(),
        (found) => found.some(({ file, message }) => file === name && error.test(message)),
        `${error} in the Problems view`,
        60,
      );
    });
  }

  it("has run and written nothing so far", async () => {
    const { workbench } = window;
    await workbench.screenshot("hostile-project-untrusted");
    await workbench.showContainer("Clf");
    assert.deepEqual(listing(), first);
    assert.equal(await workbench.page.locator(".monaco-dialog-box").count(), 0);
  });

  it("is refused once it is trusted, and has still done nothing by itself", async () => {
    const { workbench } = window;
    await workbench.runCommand("Workspaces: Manage Workspace Trust");
    await workbench.page
      .locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ })
      .first()
      .click();
    await eventually(
      () => workbench.commands("Clf: Fine"),
      (found) => found.includes("Clf: Fine-tune a Model"),
      "commands of a trusted workspace",
      30,
    );
    assert.deepEqual(listing(), first);
    await workbench.runCommandAndPick("Clf: Fine-tune a Model", "outside");
    await workbench.notification("has an error");
    await workbench.screenshot("hostile-project-trusted");
    assert.deepEqual(listing(), first);
  });
});
