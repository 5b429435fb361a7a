/**
 * How long a large report takes to open, and how smooth it is: in VS Code from the command to everything drawn, and as a file.
 * Prints, asserts nothing. Needs dist/ and Chromium.
 *
 *     node bench/report/make-project.ts FOLDER && node dist/cli.mjs compare FOLDER && node bench/editor/large-report.ts FOLDER
 */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Frame, Page } from "playwright-core";
import { openInBrowser } from "../../scripts/editor/browser.ts";
import { startEditor } from "../../scripts/editor/workbench.ts";
import { Workbench } from "../../test/ui/workbench.ts";

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error("Usage: large-report.ts FOLDER");
const folder = resolve(given);
const root = join(import.meta.dirname, "../..");
const file = join(tmpdir(), `clf-report-${process.pid}.html`);
execFileSync(process.execPath, [join(root, "dist/cli.mjs"), "report", folder, "-o", file]);
console.log(`the file: ${(statSync(file).size / 1e6).toFixed(1)} MB`);

const ms = (value: number): string => `${value.toFixed(0)} ms`;

/** Milliseconds from a step of a control to the next frame: median and longest of 60. */
async function frames(page: Page | Frame, what: "slider" | "matrix"): Promise<string> {
  const times = await page.evaluate(async (of) => {
    const slider = document.querySelector<HTMLInputElement>("input[type=range]")!;
    const canvas = document.querySelector("canvas")!;
    canvas.scrollIntoView();
    const found: number[] = [];
    for (let i = 0; i < 60; i++) {
      const started = performance.now();
      if (of === "slider") {
        slider.value = String(0.3 + i / 100);
        slider.dispatchEvent(new Event("input"));
      } else {
        const key = i % 20 === 19 ? "+" : "n";
        canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      }
      await new Promise(requestAnimationFrame);
      found.push(performance.now() - started);
    }
    return found.sort((a, b) => a - b);
  }, what);
  return `${what}: ${ms(times[30]!)}, longest ${ms(times[59]!)}`;
}

/** Until nothing waits for its rows any more, and two frames later. */
async function drawn(page: Page | Frame): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector("#made") !== null && document.querySelector("[aria-busy]") === null,
  );
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

const editor = await startEditor({ workspace: folder, extensionPath: root, theme: "Light Modern" });
const windows = await openInBrowser(editor, { width: 1400, height: 900 });
try {
  for (let i = 0; i < 3; i++) {
    const page = await windows.context.newPage();
    const started = performance.now();
    await page.goto(pathToFileURL(file).href);
    await drawn(page);
    const opened = performance.now() - started;
    console.log(`file, opened: ${ms(opened)}; ${await frames(page, "slider")}; ${await frames(page, "matrix")}`);
    await page.close();
  }
  const workbench = await Workbench.open(windows, editor);
  await workbench.statusBarItem("Clf");
  for (let i = 0; i < 3; i++) {
    await workbench.press("F1");
    await workbench.page.locator(".quick-input-widget input.input").fill(">Clf: Open Report");
    await workbench.page.locator(".quick-input-widget .monaco-list-row").first().waitFor();
    const started = performance.now();
    await workbench.press("Enter");
    const frame = await workbench.webview("What made this report", 60);
    const figures = performance.now() - started;
    await drawn(frame);
    const opened = performance.now() - started;
    console.log(
      `panel, all figures: ${ms(figures)}, plots of rows too: ${ms(opened)}; ${await frames(frame, "slider")}; ${await frames(frame, "matrix")}`,
    );
    await workbench.runCommand("View: Close Editor");
  }
} finally {
  await windows.close();
  await editor.stop();
}
