/** The report in real VS Code and as a file: its plots, keyboard, state over a reload, themes, and paper. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BrowserContextOptions, Frame, Page } from "playwright-core";
import { build, DIST, ROOT } from "../built.ts";
import { seriousIssues, THEMES } from "./accessibility.ts";
import { injuriesProject } from "./injuries.ts";
import { testWindow } from "./window.ts";
import { eventually } from "./workbench.ts";

describe("Report", function () {
  this.timeout(180_000);
  const data = injuriesProject(600, 20);
  const file = join(data, "report.html");
  before(function () {
    this.timeout(180_000);
    build();
    for (const command of [["evaluate"], ["report", "-o", file]]) {
      const [name, ...options] = command;
      const run = spawnSync(
        process.execPath,
        [join(DIST, "cli.mjs"), name!, join(data, "injuries.clf.yaml"), ...options],
        { encoding: "utf8" },
      );
      assert.equal(run.status, 0, run.stderr);
    }
  });
  after(() => rmSync(file, { force: true }));

  const window = testWindow({ workspace: data, extensionPath: ROOT, theme: "Dark Modern", width: 1300, height: 900 });
  let frame: Frame;
  const slider = () => frame.getByRole("slider", { name: /confidence at least/ }).first();
  const matrix = () => frame.getByRole("application", { name: /^Confusion matrix/ }).first();
  const readout = () => frame.locator(".readout").first().innerText();
  const drawn = () =>
    eventually(
      () => frame.locator("[aria-busy]").count(),
      (waiting) => waiting === 0,
      "all of the report",
      40,
    );

  it("shows verdict, figures, plots and what made it", async () => {
    const { workbench } = window;
    await workbench.runCommand("Clf: Open Report");
    frame = await workbench.webview("What made this report", 60);
    await drawn();
    const captions = (await frame.locator("figcaption").allInnerTexts()).join("\n");
    for (const part of [
      ...["risk and coverage", "Thresholds", "Does the confidence mean", "How sure it is", "Confusion matrix"],
      ...["Most often confused", "By label", "Data, seed, versions"],
    ]) {
      assert.ok(captions.includes(part), `${part} in ${captions}`);
    }
    await workbench.screenshot("report-panel");
  });

  it("says what any threshold would do", async () => {
    await slider().fill("0");
    await eventually(readout, (words) => /accepted\s+100\.0 %/.test(words), "all rows accepted");
    await slider().fill("0.95");
    const words = await eventually(readout, (text) => !/accepted\s+100\.0 %/.test(text), "fewer rows");
    assert.match(words, /wrong of those/);
    assert.match(words, /to review/);
    await frame.getByLabel("an error costs").first().fill("20");
    await frame.getByLabel("a review costs").first().fill("1");
    await frame.getByLabel("a review costs").first().press("Tab");
    await frame
      .getByRole("img", { name: /^What they would cost/ })
      .first()
      .waitFor();
    assert.match(await readout(), /cost a row/);
  });

  it("walks the confusion matrix by keys, and shows the rows of a cell", async () => {
    const line = frame.locator(".readout-line").first();
    const inWords = (what: string, other = "") =>
      eventually(
        () => line.innerText(),
        (text) => /predicted as .*: \d+ rows? \(/.test(text) && text !== other,
        what,
      );
    await matrix().focus();
    const first = await inWords("an error in words");
    await matrix().press("n");
    const words = await inWords("the next error in words", first);
    await matrix().press("+");
    await matrix().press("Enter");
    const rows = frame.locator(".rows").first();
    await rows.waitFor();
    const wanted = Number(/: (\d+) rows? \(/.exec(words)![1]);
    await eventually(
      () => rows.locator("tbody tr").count(),
      (found) => found === wanted,
      `${wanted} rows`,
    );
    // Their text is asked for.
    await eventually(
      () => rows.locator("tbody td").allInnerTexts(),
      (cells) => cells.some((text) => text.length > 30),
      "the rows' text",
    );
    await window.workbench.screenshot("report-matrix");
    await rows.press("Escape");
    await rows.waitFor({ state: "hidden" });
  });

  it("sorts and searches the labels, and copies what is shown", async () => {
    const { workbench } = window;
    const table = frame.getByRole("table", { name: "By label" }).first();
    const recall = table.getByRole("button", { name: "recall" });
    await recall.click();
    assert.equal(await table.locator("th[aria-sort=descending]").innerText(), "recall ↓");
    const shares = (await table.locator("tbody tr td:nth-of-type(4)").allInnerTexts())
      .map((text) => Number.parseFloat(text))
      .filter((value) => !Number.isNaN(value));
    assert.deepEqual(
      shares,
      [...shares].sort((a, b) => b - a),
    );
    await frame.getByRole("button", { name: "Copy table: By label" }).first().click();
    const copied = await eventually(
      () => workbench.page.evaluate("navigator.clipboard.readText()") as Promise<string>,
      (text) => text.startsWith("label\trows\t"),
      "the table on the clipboard",
    );
    const first = await table.locator("tbody th").first().innerText();
    assert.ok(copied.split("\n")[1]!.startsWith(`${first}\t`), copied);
  });

  it("shows figures by a column of the data", async () => {
    await frame.getByRole("button", { name: "Choose a Column…" }).click();
    await frame.getByRole("combobox", { name: /^column/ }).selectOption("NatureTitle");
    await frame
      .getByRole("table", { name: /by NatureTitle$/ })
      .first()
      .waitFor();
  });

  it("keeps what was chosen over a reload", async () => {
    const { workbench } = window;
    await slider().fill("0.8");
    const before = await readout();
    // What was chosen is kept a moment after it was.
    await workbench.page.waitForTimeout(2000);
    await workbench.reload();
    frame = await workbench.webview("What made this report", 60);
    await drawn();
    assert.equal(await slider().inputValue(), "0.8");
    assert.equal(await readout(), before);
    assert.equal(await frame.locator("th[aria-sort=descending]").first().innerText(), "recall ↓");
  });

  it("leaves the editor's own keys to it", async () => {
    const { workbench } = window;
    for (const key of ["F1", "ControlOrMeta+P"]) {
      await matrix().focus();
      await workbench.press(key);
      await workbench.page.locator(".quick-input-widget").waitFor({ state: "visible" });
      await workbench.press("Escape");
    }
  });

  it("has no serious accessibility issue, in three themes at three widths", async () => {
    const { workbench } = window;
    await workbench.runCommand("View: Toggle Primary Side Bar Visibility");
    for (const [theme, name] of THEMES) {
      await workbench.setTheme(theme);
      // Colours of the theme before may stand for a moment.
      await eventually(
        async () => {
          frame = await workbench.webview("What made this report");
          return seriousIssues(frame);
        },
        (found) => found.length === 0,
        `no serious issue in ${theme}`,
        20,
      );
      for (const width of [1300, 900, 560]) {
        await workbench.setWindowSize(width, 900);
        await eventually(
          () => frame.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth),
          (beyond) => beyond <= 0,
          `nothing beyond a width of ${width}`,
        );
        await workbench.screenshot(`report-${name}-${width}`);
      }
      await workbench.setWindowSize(1300, 900);
    }
  });

  describe("as a file", () => {
    async function opened(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
      const context = await window.windows.browser.newContext({ offline: true, ...options });
      try {
        const page = await context.newPage();
        const wrong: string[] = [];
        page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
        page.on("pageerror", (error) => wrong.push(error.message));
        await page.goto(pathToFileURL(file).href);
        await page.getByText("What made this report").first().waitFor();
        await eventually(
          () => page.locator("[aria-busy]").count(),
          (waiting) => waiting === 0,
          "all of the report",
        );
        await look(page);
        assert.deepEqual(wrong, []);
      } finally {
        await context.close();
      }
    }

    it("opens without a network, and prints", async () => {
      await opened({}, async (page) => {
        assert.ok((await page.locator("figure.plot svg").count()) >= 3);
        await page.getByRole("slider").first().fill("0.5");
        await page.waitForTimeout(300);
        await page.reload();
        await page.getByRole("slider").first().waitFor();
        assert.equal(await page.getByRole("slider").first().inputValue(), "0.5");
        const paper = await page.pdf({ format: "A4" });
        assert.ok(paper.length > 50_000, `${paper.length} bytes`);
        assert.equal(paper.subarray(0, 5).toString(), "%PDF-");
        const download = page.waitForEvent("download");
        await page
          .getByRole("button", { name: /^Save as PNG: Does the confidence/ })
          .first()
          .click();
        const saved = await (await download).path();
        assert.ok(existsSync(saved));
        assert.equal(readFileSync(saved).subarray(1, 4).toString(), "PNG");
      });
    });

    it("has on paper no control and nothing beyond the edge, and is white", async () => {
      // The width of an A4 page without its margins.
      await opened({ viewport: { width: 703, height: 1000 }, colorScheme: "dark" }, async (page) => {
        await page.emulateMedia({ media: "print" });
        await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
        const found = await page.evaluate(() => {
          const shown = (element: Element) => element.getClientRects().length > 0;
          const all = (selector: string) => [...document.querySelectorAll(selector)];
          return {
            // A field that says what was chosen has no frame, and reads as text.
            controls: all("button, select, input:not([type=number]), nav")
              .filter(shown)
              .map((element) => element.outerHTML.slice(0, 100)),
            framed: all("input").filter((field) => shown(field) && getComputedStyle(field).borderTopStyle !== "none")
              .length,
            beyond: all("table, svg, canvas, p, li")
              .filter((element) => shown(element) && element.getBoundingClientRect().right > innerWidth + 1)
              .map((element) => element.outerHTML.slice(0, 100)),
            help: /Arrow keys/.test(document.body.innerText),
            paper: getComputedStyle(document.body).backgroundColor,
          };
        });
        assert.deepEqual(found, {
          ...{ controls: [], framed: 0, beyond: [], help: false },
          paper: "rgb(255, 255, 255)",
        });
      });
    });

    it("has no serious accessibility issue, light and dark", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        // axe-core is no script of the file's: its policy would not let it run.
        await opened({ colorScheme, bypassCSP: true }, async (page) => {
          assert.deepEqual(await seriousIssues(page), []);
          await page.screenshot({ path: join(ROOT, "test/ui/screenshots", `report-file-${colorScheme}.png`) });
        });
      }
    });
  });
});
