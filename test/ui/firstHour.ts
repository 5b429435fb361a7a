/**
 * A person's first hour with Clf, in real VS Code: a project from a table, an error typed and mended, a model, its confidences, a
 * review by keyboard, a second round, and the report that says what changed. The same for the sources and for the package.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import type { EditorOptions } from "../../scripts/editor/workbench.ts";
import { injuriesFolder } from "./injuries.ts";
import { type TestWindow, testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

export interface FirstHour {
  title: string;
  /** Beginning of the screenshots' names. */
  pictures: string;
  /** Called before the first test: how the extension comes into the editor. */
  extension: () => Pick<EditorOptions, "extensionPath" | "vsix">;
  /** Without pictures of other themes. */
  brief?: boolean;
  /** Tests after the walk, in the same window. */
  more?: (window: TestWindow) => void;
}

export function firstHour({ title, pictures, extension, brief = false, more }: FirstHour): void {
  describe(title, function () {
    this.timeout(180_000);
    const data = injuriesFolder(900, 60);
    const window = testWindow(() => ({
      workspace: data,
      ...extension(),
      theme: "Dark Modern",
      width: 1400,
      height: 900,
    }));
    const picture = (name: string) => window.workbench.screenshot(`${pictures}-${name}`);
    const path = (name: string) => join(window.workspace, name);
    const projectFile = () => path("injuries.clf.yaml");
    const decisions = () =>
      existsSync(path("reviews.jsonl"))
        ? readFileSync(path("reviews.jsonl"), "utf8")
            .split("\n")
            .filter(Boolean)
            .map((line) => JSON.parse(line) as { row: string; target: string; kind: string; after: string | null })
        : [];

    /** Waits until the newest job in the Jobs view has come to its end. */
    const jobEnded = async (words: RegExp, rows: number) => {
      const items = await eventually(
        () => window.workbench.treeItems("Jobs"),
        (found) => found.filter(({ level }) => level === 2).length === rows && words.test(found[1]!.description),
        `${rows} jobs, the first like ${words}`,
        90,
      );
      return items.filter(({ level }) => level === 2);
    };

    it("offers a new project where there is none", async () => {
      const { workbench } = window;
      await workbench.showContainer("Clf");
      await eventually(
        () => workbench.page.locator(".welcome-view-content").innerText(),
        (text) => /New Project from Data/.test(text),
      );
      await picture("welcome");
    });

    it("makes a project from a table, its columns guessed", async () => {
      const { workbench } = window;
      await workbench.runCommand("Clf: New Project from Data…");
      await eventually(
        () => workbench.quickPickItems(),
        (items) => items.includes("injuries.csv"),
      );
      await workbench.quickPick("injuries.csv");
      const step = (n: number) =>
        eventually(
          () => workbench.quickInputTitle(),
          (title) => title.includes(`(${n}/4)`),
          `step ${n}`,
          30,
        );
      assert.match(await step(1), /^New project from 8\d\d rows/);
      await picture("new-project-inputs");
      await workbench.press("Enter");
      await step(2);
      await picture("new-project-targets");
      // One step back and forth keeps what was chosen.
      await workbench.page.locator(".quick-input-titlebar .codicon-quick-input-back").click();
      await step(1);
      await workbench.press("Enter");
      await step(2);
      await workbench.press("Enter");
      await step(3);
      await workbench.press("Enter");
      await step(4);
      await workbench.press("Enter");
      await eventually(
        () => workbench.tabs(),
        (tabs) => tabs.some((tab) => tab.includes("injuries.clf.yaml")),
      );
      const text = readFileSync(projectFile(), "utf8");
      assert.match(text, /inputs:\s+- Final Narrative/);
      assert.match(text, /column: NatureTitle\s+- column: Part of Body Title/);
      assert.match(text, /id: report_id/);
      const lenses = await eventually(
        () => workbench.codeLenses(),
        (found) => found.length >= 6,
      );
      assert.deepEqual(lenses.slice(0, 4), ["▷ Fine-tune", "▷ Evaluate", "▷ Compare", "▷ Preview data"]);
      // New rows to predict, and a rule that this little data can meet.
      writeFileSync(
        projectFile(),
        text.replace(/# pool: .*/, "pool: inbox.csv").replace(/accept: \{[^}]*\}/, "accept: { threshold: 0.9 }"),
      );
      await picture("project");
    });

    it("marks an error as it is typed, and mends it by its quick fix", async () => {
      const { workbench } = window;
      await eventually(
        () => workbench.lines(),
        (lines) => lines.some(({ text }) => text.includes("pool: inbox.csv")),
        "the file as it is on disk",
      );
      const at = (await workbench.lines()).find(({ text }) => text.includes("engine: linear"))!;
      await workbench.goTo(at.number, at.text.indexOf("linear") + "linear".length + 1);
      await workbench.press("Backspace");
      const marks = await eventually(
        () => workbench.squiggles(),
        (found) => found.some(({ line, severity }) => line === at.number && severity === "error"),
        "a mark under the engine",
      );
      assert.ok(
        marks.some(({ text }) => text === "linea"),
        JSON.stringify(marks),
      );
      await picture("error");
      const fixes = await workbench.quickFixes();
      const fix = fixes.find((one) => one.includes("linear"));
      assert.ok(fix, fixes.join(" | "));
      await workbench.press("Escape");
      await workbench.quickFix(fix);
      await eventually(
        () => workbench.squiggles(),
        (found) => !found.some(({ severity }) => severity === "error"),
        "no mark",
      );
      await workbench.save();
      assert.match(readFileSync(projectFile(), "utf8"), /baseline: \{ engine: linear \}/);
    });

    it("fine-tunes and evaluates from the palette, live in the Jobs view", async () => {
      const { workbench } = window;
      await workbench.showContainer("Clf");
      await workbench.runCommand("Clf: Fine-tune a Model");
      await jobEnded(/^fine-tune · local · log_loss .* s$/, 1);
      await workbench.runCommand("Clf: Evaluate a Model");
      const [evaluation] = await jobEnded(/^evaluation · local · acc 0\.\d+ · .* s$/, 2);
      assert.equal(evaluation!.label, "baseline");
      // Quick jobs end without a notification.
      assert.deepEqual(await workbench.notifications(), []);
      assert.ok((await workbench.statusBar()).includes("Clf"));
      await picture("jobs");
    });

    it("opens the report of the evaluation", async () => {
      const { workbench } = window;
      await workbench.runCommand("Clf: Open Report");
      const page = await workbench.webview("On the test rows");
      assert.match(await page.locator(".verdict li").first().innerText(), /NatureTitle: accuracy \d+\.\d %/);
      // What is drawn from rows comes a little later.
      await eventually(
        () => page.locator("canvas").count(),
        (count) => count === 2,
        "a confusion matrix for each target",
      );
      const captions = (await page.locator("figcaption").allInnerTexts()).join("\n");
      for (const part of ["test rows, with 95 % intervals", "Most often confused", "By label", "Thresholds"]) {
        assert.ok(captions.includes(part), `${part} in ${captions}`);
      }
      assert.equal(await page.getByRole("img", { name: /^Does the confidence mean what it says/ }).count(), 2);
      await page.getByRole("button", { name: /^Copy table: Thresholds/ }).click();
      const copied = await eventually(
        () => workbench.page.evaluate("navigator.clipboard.readText()") as Promise<string>,
        (text) => text.includes("\t"),
      );
      assert.match(copied, /^confidence at least\taccepted\t/);
      await picture("report-dark");
      if (brief) return;
      await workbench.setTheme("Light Modern");
      await picture("report-light");
      await workbench.setTheme("Dark Modern");
    });

    it("shows a confidence beside every row, which edits do not shift", async () => {
      const { workbench } = window;
      await workbench.openFile("inbox.csv");
      const hints = await eventually(
        () => workbench.inlayHints(),
        (found) => found.length > 20,
        "confidences in inbox.csv",
        30,
      );
      // Rows that the audit has drawn say so, and give nothing of the prediction away.
      const target = /[✓◦] (?:audit|.+ (?:\.\d\d|>\.99))/.source;
      for (const { text } of hints) {
        assert.match(text.trim(), new RegExp(`^${target}( · ${target})?( → flagged)?$`));
        assert.ok([...text.trim()].length <= 43, text);
      }
      await picture("inline");
      const second = hints.find(({ line }) => line === 3)!;
      await workbench.goTo(2, 1);
      await workbench.press("Control+Shift+K");
      const shifted = await eventually(
        () => workbench.inlayHints(),
        (found) => found.find(({ line }) => line === 2)?.text === second.text,
        "the hint moves with its row",
      );
      assert.ok(shifted.length > 20);
      await workbench.press("ControlOrMeta+Z");
      await workbench.save();
    });

    it("explains a row in the hover of its confidence", async () => {
      const { workbench } = window;
      const hint = (await workbench.inlayHints()).find(({ line }) => line === 2)!;
      // The hint may be drawn anew under the mouse, after the file was saved.
      const text = await eventually(
        () => workbench.hoverOver(hint.text.trim()).catch(() => ""),
        (found) => found.includes("State"),
        "the hover of a hint",
        60,
      );
      assert.match(text, /NatureTitle[\s\S]*State: [\s\S]*Words for/);
      await picture("hover");
      await workbench.press("Escape");
    });

    let panel: Frame;
    const place = () => panel.locator(".count").innerText();
    const says = () => panel.locator("[role=status]").innerText();
    /** The row that a key would decide is on screen, and VS Code takes the panel's keys for commands. */
    const drawn = () =>
      eventually(
        () => panel.locator("body:not(.no-keys) .detail:not([aria-busy]) .choice").count(),
        (n) => n === 9,
        "nine labels to choose from",
      );
    const key = async (keys: string, words: RegExp) => {
      await window.workbench.press(keys);
      await eventually(says, (text) => words.test(text), `${words} after ${keys}`);
    };

    it("reviews by keyboard: confirms, chooses, searches and undoes", async () => {
      const { workbench } = window;
      await workbench.runCommand("Clf: Review Flagged Rows");
      panel = await workbench.webview("confirm");
      await eventually(place, (text) => /^1 of \d+$/.test(text), "the list", 30);
      await drawn();
      // The panel tells VS Code that it has the keyboard.
      await eventually(
        () => panel.evaluate(() => document.hasFocus()),
        (focused) => focused,
        "the keyboard in the panel",
      );
      await workbench.page.waitForTimeout(300);
      await picture("flagged-dark");
      const first = await panel.locator(".choice .name").first().innerText();
      await key("Enter", new RegExp(`^Confirmed ${first}`));
      await drawn();
      await key("2", /^Corrected to /);
      await drawn();
      await key("n", /^None of these labels/);
      await drawn();
      // Letters go into the search field, not to the commands of the same keys.
      await workbench.press("/");
      await panel.locator(".picker input").waitFor();
      await workbench.typeText("s");
      const found = await panel.locator(".picker li").allInnerTexts();
      assert.ok(found.length > 1 && found.every((label) => /s/i.test(label)), found.join(", "));
      await picture("flagged-search");
      await workbench.press("ArrowDown");
      await key("Enter", new RegExp(`${found[1]!.replace(/[()]/g, "\\$&")}`));
      await drawn();
      // The keys belong to commands again when VS Code has heard that the search field is left.
      await panel.locator(".picker").waitFor({ state: "detached" });
      await workbench.page.waitForTimeout(300);
      await key("1", /^Confirmed /);
      await eventually(decisions, (lines) => lines.length === 5, "five decisions on disk");
      const undone = decisions().at(-1)!;
      await key("Backspace", /^Taken back\. The row is on screen again/);
      const lines = decisions();
      assert.deepEqual(
        lines.map(({ kind }) => kind),
        ["confirmed", "corrected", "none", lines[3]!.kind, "confirmed", "undone"],
      );
      assert.equal(lines[5]!.row, undone.row);
      assert.equal(lines[0]!.after, first);
      assert.match(await place(), /^5 of /);
    });

    it("skips, moves and opens the row in its file, by keyboard", async () => {
      const { workbench } = window;
      await drawn();
      await key("s", /^Skipped/);
      await drawn();
      const before = await place();
      await workbench.press("j");
      await eventually(place, (text) => text !== before, "the next row");
      await workbench.press("ArrowUp");
      await eventually(place, (text) => text === before, "the row before");
      await workbench.press("o");
      await eventually(
        () => workbench.tabs(),
        (tabs) => tabs.some((tab) => tab.includes("inbox.csv")),
        "the row's file",
      );
      // The keyboard is still in the panel.
      await workbench.press("j");
      await eventually(place, (text) => text !== before, "the next row");
    });

    it("leaves the editor's own keys to the editor", async () => {
      const { workbench } = window;
      await workbench.press("/");
      await panel.locator(".picker input").waitFor();
      await workbench.press("F1");
      await workbench.page.locator(".quick-input-widget").waitFor({ state: "visible" });
      await workbench.press("Escape");
      await workbench.runCommand("Clf: Focus on Flagged View");
      await workbench.press("Escape");
    });

    it("keeps its place over a reload of the window", async () => {
      const { workbench } = window;
      await eventually(place, (text) => /^\d+ of/.test(text));
      const before = await place();
      const row = await panel.locator(".row[aria-selected=true] .text").innerText();
      // The place is saved a moment after it was taken.
      await workbench.page.waitForTimeout(500);
      await workbench.reload();
      panel = await workbench.webview("confirm", 60);
      await eventually(place, (text) => text === before, `${before} after the reload`, 30);
      assert.equal(await panel.locator(".row[aria-selected=true] .text").innerText(), row);
      assert.equal(decisions().length, 7);
      if (brief) return;
      await workbench.setTheme("Light Modern");
      await picture("flagged-light");
      await workbench.setTheme("Default High Contrast");
      await picture("flagged-high-contrast");
      await workbench.setTheme("Dark Modern");
    });

    it("finds likely label errors and records what a person says of one", async () => {
      const { workbench } = window;
      await workbench.showContainer("Clf");
      await workbench.runCommandAndPick("Clf: Predict Rows", "Rows trained on");
      await jobEnded(/^prediction · local · .*s$/, 3);
      await workbench.openFile("injuries.csv");
      const marks = await eventually(
        () => workbench.problems(),
        (found) => found.some(({ message }) => /may be the wrong/.test(message)),
        "a suspected label error",
        30,
      );
      const mark = marks.find(({ message }) => /may be the wrong/.test(message))!;
      await workbench.press("ControlOrMeta+J");
      await workbench.openFile("injuries.csv", mark.line, mark.column);
      await picture("label-error");
      const before = decisions().length;
      const fixes = await workbench.quickFixes();
      const right = fixes.find((title) => title.endsWith("is right"));
      assert.ok(right, fixes.join(" | "));
      await workbench.press("Escape");
      await workbench.quickFix(right);
      await eventually(decisions, (lines) => lines.length === before + 1, "a decision on disk");
      assert.equal(decisions().at(-1)!.kind === "confirmed" || decisions().at(-1)!.kind === "corrected", true);
    });

    it("says in the next report what changed", async () => {
      const { workbench } = window;
      await workbench.showContainer("Clf");
      await workbench.runCommand("Clf: Fine-tune a Model");
      await jobEnded(/^fine-tune · local · log_loss .* s$/, 4);
      await workbench.runCommand("Clf: Evaluate a Model");
      await jobEnded(/^evaluation · local · acc 0\.\d+ · .* s$/, 5);
      await workbench.page.locator(".tree-explorer-viewlet-tree-view .monaco-list-row[aria-level='2']").first().click();
      const page = await workbench.webview("What changed since last time");
      assert.match(await page.locator("h2", { hasText: "What changed" }).innerText(), /What changed/);
      assert.match(await page.locator("#root").innerText(), /decisions 0 → \d/);
      await picture("report-changes");
    });

    more?.(window);
  });
}
