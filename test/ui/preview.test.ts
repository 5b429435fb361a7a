/** The data preview in real VS Code: filtered by a bar and by words, walked by keyboard, a label edited, kept over a reload. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { ROOT } from "../built.ts";
import { seriousIssues, THEMES } from "./accessibility.ts";
import { injuriesProject } from "./injuries.ts";
import { testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

const HOSTILE = [
  '<img src=x onerror="document.title=1"><script>document.title=1</script><b>bold</b>',
  "x".repeat(1_000_000),
  "שלום עולם — \u202Eright to left\u202C",
  "👩‍👩‍👧‍👦 🏳️‍🌈 é",
  "two\nlines\tand a tab",
  "${7*7} {{constructor}} javascript:alert(1)",
];

describe("Data preview", function () {
  this.timeout(180_000);
  const data = injuriesProject(600, 20);
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  writeFileSync(
    join(data, "hostile.csv"),
    `text,<b>label</b>\n${HOSTILE.map((text, i) => `${quoted(text)},${i % 2 ? "<i>odd</i>" : "even"}`).join("\n")}\n`,
  );
  writeFileSync(join(data, "empty.csv"), "text,label\n");
  before(function () {
    this.timeout(180_000);
    const run = spawnSync(
      process.execPath,
      [join(ROOT, "server/src/cli.ts"), "evaluate", join(data, "injuries.clf.yaml")],
      {
        encoding: "utf8",
      },
    );
    assert.equal(run.status, 0, run.stderr);
  });

  const window = testWindow({
    workspace: data,
    extensionPath: ROOT,
    theme: "Dark Modern",
    width: 1400,
    height: 900,
  });
  let frame: Frame;
  const status = () => frame.locator("footer [role=status]").innerText();
  const rowsShown = async (wanted: (status: string) => unknown, what: string) => eventually(status, wanted, what, 40);
  const cell = (row: number, column: number) => frame.locator(`#cell-${row}-${column}`);
  /** Waits until the detail is of the active row. */
  const inDetail = () =>
    eventually(
      async () => [
        await frame.locator(".row.active .place").allInnerTexts(),
        await frame.locator("#detail h2").allInnerTexts(),
      ],
      ([place, head]) => place?.length === 1 && head?.length === 1 && head[0]!.startsWith(`Row ${place[0]}`),
      "the active row in detail",
    );
  const counted = (text: string) => Number(text.replaceAll(",", "").match(/^\d+/)?.[0]);
  /** Opens a file of the workspace in the preview. */
  const preview = async (name: string, text: string): Promise<Frame> => {
    const { workbench } = window;
    await workbench.openFile(name);
    await workbench.runCommand("Clf: Preview Data");
    return workbench.webview(text, 40);
  };

  it("opens from the lens, as the project reads the file", async () => {
    const { workbench } = window;
    await workbench.openFile("injuries.clf.yaml");
    await eventually(
      () => workbench.codeLenses(),
      (found) => found.includes("▷ Preview data"),
      "the lens",
      60,
    );
    await workbench.clickCodeLens("▷ Preview data");
    frame = await workbench.webview("predicted", 60);
    const words = await rowsShown((text) => /^\d+ rows$/.test(text), "all rows");
    assert.ok(counted(words) > 550, words);
    const heads = await frame.locator("[role=columnheader] .name").allInnerTexts();
    assert.deepEqual(heads, [
      "report_id",
      "Final Narrative",
      "NatureTitle",
      "split",
      "predicted",
      "confidence",
      "status",
    ]);
    assert.equal(await frame.locator("#grid").getAttribute("aria-rowcount"), String(counted(words) + 1));
    await frame.locator("#label-plot .hit rect").first().waitFor();
    await workbench.screenshot("preview-dark");
  });

  it("filters by a click on a bar, and no longer by a second one", async () => {
    const bar = frame.locator("#label-plot .hit rect").nth(1);
    const name = (await bar.getAttribute("aria-label"))!;
    const all = await status();
    await bar.click();
    const words = await rowsShown((text) => / of /.test(text), "fewer rows");
    assert.equal(counted(words), Number(/, ([\d,]+) rows/.exec(name)![1]!.replaceAll(",", "")));
    const label = name.split(",")[0]!;
    await eventually(
      () => cell(0, 2).innerText(),
      (text) => text === label,
      `rows of ${label}`,
    );
    await eventually(
      () => frame.locator("#label-plot .hit rect").nth(1).getAttribute("aria-pressed"),
      (pressed) => pressed === "true",
      "the bar as pressed",
    );
    await window.workbench.screenshot("preview-filtered");
    await frame.locator("#label-plot .hit rect").nth(1).click();
    await rowsShown((text) => text === all, "all rows again");
  });

  it("is walked, searched and sorted by keyboard alone", async () => {
    const { workbench } = window;
    await frame.locator("#grid").focus();
    await workbench.press("/");
    await workbench.typeText("FINGER");
    const words = await rowsShown((text) => / of /.test(text), "rows that were searched for");
    assert.ok(counted(words) > 3, words);
    await workbench.press("Enter Control+Home");
    await workbench.press("ArrowDown ArrowDown");
    await eventually(
      () => frame.locator("#grid").getAttribute("aria-activedescendant"),
      (id) => id === "cell-2-0",
      "the third row",
    );
    for (let i = 0; i < 5; i++) await workbench.press("ArrowRight");
    await workbench.press("s");
    await eventually(
      () => frame.locator("[role=columnheader][aria-sort=ascending] .name").allInnerTexts(),
      (found) => found.join() === "confidence",
      "sorted by confidence",
    );
    await workbench.press("Control+Home");
    const first = Number(
      await eventually(
        () => cell(0, 5).innerText(),
        (text) => text !== "" && text !== "…",
        "a confidence",
      ),
    );
    await eventually(
      async () => Number(await cell(3, 5).innerText()),
      (value) => value >= first,
      "ascending order",
    );
  });

  it("shows a row in detail, and goes to its lines", async () => {
    const { workbench } = window;
    await frame.locator("#grid").focus();
    await workbench.press("ArrowDown Enter");
    await inDetail();
    const narrative = await eventually(
      async () =>
        (await frame.locator("#detail .prose").count()) > 0 &&
        (await frame.locator("#detail .prose").first().innerText()),
      Boolean,
      "the row's text",
    );
    assert.match(String(narrative), /finger/i);
    assert.match(await frame.locator("#detail").innerText(), /baseline/);
    const button = await frame.locator("#detail vscode-button", { hasText: "Go to Source" }).innerText();
    await workbench.screenshot("preview-detail");
    await workbench.press("Escape");
    await frame.locator("#detail").waitFor({ state: "detached" });
    await workbench.press("o");
    const line = Number(/line ([\d,]+)/.exec(button)![1]!.replaceAll(",", ""));
    await workbench.page
      .locator(".statusbar-item")
      .filter({ hasText: new RegExp(`Ln ${line}, Col `) })
      .waitFor();
    const lines = await workbench.lines();
    assert.ok(
      lines.some(({ number, text }) => number === line && /finger/i.test(text)),
      JSON.stringify(lines),
    );
    // The preview stands in a tab of its own, as it was left.
    await workbench.runCommand("View: Close Editor");
    frame = await workbench.webview("predicted", 40);
  });

  it("records an edited label as a decision", async () => {
    const { workbench } = window;
    await frame.locator("#grid").focus();
    await workbench.press("Control+Home");
    await workbench.press("e");
    await inDetail();
    const select = frame.locator("#detail select");
    await select.waitFor();
    const before = await select.inputValue();
    const other = (await select.locator("option").allInnerTexts()).find((label) => label !== before)!;
    await select.selectOption(other);
    await frame.locator("#detail vscode-button", { hasText: "Record" }).click();
    const file = join(window.workspace, "reviews.jsonl");
    await eventually(
      () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"),
      Boolean,
      "the decisions file",
    );
    const [line, ...more] = readFileSync(file, "utf8").trim().split("\n");
    assert.deepEqual(more, []);
    const decision = JSON.parse(line!) as { after: string; before: string; kind: string };
    assert.deepEqual([decision.after, decision.before], [other, before]);
    await eventually(
      () => frame.locator("#detail").innerText(),
      (text) => /corrected by a person|confirmed by a person/.test(text),
      "the decision in the detail",
    );
    await eventually(
      () => frame.locator(".row.active .role-status").innerText(),
      (text) => text === "decided",
      "the decision in the table",
    );
  });

  it("keeps its filters and its place over a reload of the window", async () => {
    const { workbench } = window;
    await frame.locator("#grid").focus();
    await workbench.press("Control+Home");
    for (let i = 0; i < 4; i++) await workbench.press("ArrowDown");
    await inDetail();
    const row = await frame.locator(".row.active .place").innerText();
    // VS Code in a browser writes which editor is shown, and what it keeps, every five seconds.
    await workbench.page.waitForTimeout(7000);
    await workbench.reload();
    frame = await workbench.webview("predicted", 60);
    await rowsShown((text) => / of /.test(text), "filtered rows after the reload");
    assert.equal(await frame.locator("#search").evaluate((field) => (field as HTMLInputElement).value), "FINGER");
    await eventually(
      () => frame.locator(".row.active .place").innerText(),
      (text) => text === row,
      `row ${row} after the reload`,
      30,
    );
    assert.equal(await frame.locator("#detail").count(), 1);
  });

  it("leaves the editor's own keys to it", async () => {
    const { workbench } = window;
    await frame.locator("#grid").focus();
    await workbench.press("F1");
    await workbench.page.locator(".quick-input-widget").waitFor({ state: "visible" });
    await workbench.press("Escape");
    await frame.locator("#grid").focus();
    await workbench.press("ControlOrMeta+P");
    await workbench.page.locator(".quick-input-widget").waitFor({ state: "visible" });
    await workbench.press("Escape");
  });

  it("has no serious accessibility issue, in three themes at three widths", async () => {
    const { workbench } = window;
    for (const [theme, name] of THEMES) {
      await frame.locator("#grid").focus();
      await workbench.setTheme(theme);
      await frame.locator("#label-plot .hit rect").first().waitFor();
      // Colours of the theme before may stand for a moment.
      await eventually(
        () => seriousIssues(frame),
        (found) => found.length === 0,
        `no serious issue in ${theme}`,
        10,
      );
      for (const width of [1400, 900, 560]) {
        await workbench.setWindowSize(width, 900);
        await workbench.page.waitForTimeout(400);
        await workbench.screenshot(`preview-${name}-${width}`);
      }
      await workbench.setWindowSize(1400, 900);
    }
    await frame.locator("#grid").focus();
  });

  it("shows markup, a megabyte, right-to-left and emoji as text", async () => {
    frame = await preview("hostile.csv", "even");
    await rowsShown((text) => text === "6 rows", "six rows");
    await eventually(
      () => cell(0, 0).innerText(),
      (text) => text === HOSTILE[0],
      "markup as text",
    );
    assert.equal(await cell(3, 0).innerText(), HOSTILE[3]);
    assert.ok((await cell(1, 0).innerText()).length <= 400);
    assert.equal(await frame.locator("#grid img, #grid script, #grid b, #grid i").count(), 0);
    await frame.locator("#grid").focus();
    await window.workbench.press("Control+Home");
    await window.workbench.press("Enter");
    await eventually(
      () => frame.locator("#detail .prose").first().innerText(),
      (text) => text === HOSTILE[0],
      "the markup as text",
    );
    assert.equal(await frame.locator("#detail img, #detail script").count(), 0);
    assert.notEqual(await frame.title(), "1");
    await window.workbench.screenshot("preview-hostile");
  });

  it("says what to do about a file without rows", async () => {
    frame = await preview("empty.csv", "has no rows");
    assert.match(await frame.locator(".empty").innerText(), /names of its columns in the first line/);
  });
});
