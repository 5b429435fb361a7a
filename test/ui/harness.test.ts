import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { testWindow } from "./window.ts";
import { eventually, Workbench } from "./workbench.ts";

const fixtures = join(import.meta.dirname, "..", "editor", "fixtures");

describe("The harness in real VS Code", function () {
  this.timeout(120_000);
  const window = testWindow({
    workspace: join(fixtures, "workspace"),
    extensionPath: join(fixtures, "extension"),
    theme: "Dark Modern",
  });
  const file = "fruits.harness.txt";

  it("opens a window with the extension active", async () => {
    await window.workbench.statusBarItem("Harness ready");
    await window.workbench.screenshot("harness-window");
  });

  it("reads lines, squiggles, inlay hints and lenses", async () => {
    const { workbench } = window;
    await workbench.openFile(file);
    await eventually(
      () => workbench.squiggles(),
      (found) => found.length > 0,
    );
    assert.deepEqual(await workbench.lines(), [
      { number: 1, text: "apple" },
      { number: 2, text: "wrong" },
      { number: 3, text: "pear" },
      { number: 4, text: "" },
    ]);
    assert.deepEqual(await workbench.squiggles(), [{ line: 2, severity: "error", text: "wrong" }]);
    const hints = await eventually(
      () => workbench.inlayHints(),
      (found) => found.length === 3,
    );
    assert.deepEqual(hints[2], { line: 3, text: "  ✓ 4 letters" });
    const lenses = await eventually(
      () => workbench.codeLenses(),
      (found) => found.length === 2,
    );
    assert.deepEqual(lenses, ["▷ Hello", "▷ Pick"]);
    await workbench.screenshot("harness-editor");
  });

  it("reads a hover by keyboard and by mouse", async () => {
    const { workbench } = window;
    assert.equal(await workbench.hover(1, 2), "The word apple on line 1");
    await workbench.press("Escape");
    assert.equal(await workbench.hoverOver("pear"), "The word pear on line 3");
    await workbench.press("Escape");
  });

  it("reads the Problems panel and applies a quick fix", async () => {
    const { workbench } = window;
    assert.deepEqual(await workbench.problems(), [
      { severity: "error", message: '"wrong" is not a fruit', source: "harness", file, line: 2, column: 1 },
    ]);
    await workbench.press("ControlOrMeta+J");
    await workbench.openFile(file, 2, 3);
    await workbench.quickFix('Replace with "apple"');
    await eventually(
      () => workbench.squiggles(),
      (found) => found.length === 0,
    );
    assert.equal((await workbench.lines())[1]!.text, "apple");
  });

  it("types, completes and saves", async () => {
    const { workbench } = window;
    await workbench.goTo(4);
    await workbench.typeText("av");
    assert.deepEqual(await workbench.completions(), ["avocado"]);
    await workbench.complete("avocado");
    await workbench.save();
    assert.equal(await readFile(join(window.workspace, file), "utf8"), "apple\napple\npear\navocado");
  });

  it("runs commands, answers quick picks and input boxes, reads notifications", async () => {
    const { workbench } = window;
    assert.deepEqual(await workbench.commands("Harness: Pick"), ["Harness: Pick a Fruit"]);
    await workbench.clickCodeLens("▷ Pick");
    assert.equal(await workbench.quickInputTitle(), "Which fruit?");
    await workbench.quickPick("pear");
    await workbench.quickInputText("Konrad");
    assert.deepEqual(await workbench.notification("Picked"), {
      severity: "warning",
      message: "Picked pear called Konrad",
      buttons: [],
    });
    await workbench.clearNotifications();
    await workbench.runCommand("Harness: Hello");
    assert.deepEqual((await workbench.notification("Hello")).buttons, ["Again"]);
    await workbench.answerNotification("Hello", "Again");
  });

  it("says which items there are when the wanted one is missing", async () => {
    const { workbench } = window;
    await assert.rejects(workbench.runCommand("Harness: Hell", 2000), /There are: .*Harness: Hello/);
    await workbench.press("Escape");
  });

  it("reads a tree", async () => {
    const { workbench } = window;
    await workbench.showContainer("Harness");
    const items = await eventually(
      () => workbench.treeItems("Fruits"),
      (found) => found.length > 0,
    );
    assert.deepEqual(items, [
      { label: "apple", description: "5 letters", level: 1 },
      { label: "pear", description: "4 letters", level: 1 },
    ]);
  });

  it("reaches into a webview", async () => {
    const { workbench } = window;
    await workbench.runCommand("Harness: Show Page");
    const page = await workbench.webview("A page");
    await page.locator("button").click();
    await workbench.notification("The page says pressed");
    await workbench.screenshot("harness-webview");
    await workbench.clearNotifications();
  });

  it("changes theme and size", async () => {
    const { workbench } = window;
    const background = () =>
      workbench.page.locator(".part.editor").evaluate((part) => getComputedStyle(part).backgroundColor);
    const dark = await background();
    for (const theme of ["Light Modern", "Default High Contrast", "Dark Modern"]) {
      await workbench.setTheme(theme);
      if (theme === "Light Modern") assert.notEqual(await background(), dark);
      await workbench.screenshot(`harness-${theme.toLowerCase().replaceAll(" ", "-")}`);
    }
    assert.equal(await background(), dark);
    await workbench.setWindowSize(900, 600);
    await workbench.screenshot("harness-small");
    await workbench.setWindowSize(1280, 800);
  });

  it("changes settings while a window is open", async () => {
    const { workbench } = window;
    await workbench.openFile(file);
    await eventually(
      () => workbench.inlayHints(),
      (found) => found.length > 0,
    );
    await workbench.changeSettings({ "editor.inlayHints.enabled": "off" });
    await eventually(
      () => workbench.inlayHints(),
      (found) => found.length === 0,
    );
  });

  it("reloads a window, closes it and opens another", async () => {
    const { workbench } = window;
    const before = window.editor.extensionHosts();
    await workbench.reload();
    await workbench.statusBarItem("Harness ready");
    await eventually(
      () => window.editor.extensionHosts(),
      (hosts) => hosts.length === 1 && hosts[0] !== before[0],
      "a new extension host in place of the old one",
      30,
    );
    await workbench.closeWindow();
    assert.deepEqual(window.editor.extensionHosts(), []);
    window.workbench = await Workbench.open(window.windows, window.editor);
    await window.workbench.statusBarItem("Harness ready");
  });
});
