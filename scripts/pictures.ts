/**
 * `node scripts/pictures.ts`: the pictures of README and docs, taken from real VS Code on the example project, light and dark, into
 * docs/pictures/. Names on the command line choose among them. Needs Chromium; takes three minutes.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { eventually, Workbench } from "../test/ui/workbench.ts";
import { openInBrowser } from "./editor/browser.ts";
import { startEditor } from "./editor/workbench.ts";

const root = join(import.meta.dirname, "..");
const out = join(root, "docs", "pictures");
const THEMES = { light: "Light Modern", dark: "Dark Modern" };
const SIZE = { width: 1040, height: 720 };
/** Pixels that the side bar is given. */
const SIDE_BAR = 380;

const sideBar = async (workbench: Workbench, shown: boolean) => {
  const visible = await workbench.page.locator(".part.sidebar").isVisible();
  if (visible !== shown) await workbench.runCommand("View: Toggle Primary Side Bar Visibility");
};

/** What each picture shows: brings the window there. */
const PICTURES: Record<string, (workbench: Workbench) => Promise<unknown>> = {
  async project(workbench) {
    await sideBar(workbench, false);
    await workbench.openFile("severe-injuries.clf.yaml");
    await workbench.goTo(1);
    await eventually(
      () => workbench.inlayHints(),
      (hints) => [/acc/, /rows/].every((words) => hints.some(({ text }) => words.test(text))),
      "figures beside the project's lines",
      60,
    );
  },
  async rows(workbench) {
    await sideBar(workbench, false);
    await workbench.openFile("2026-11-02.csv");
    const hints = await eventually(
      () => workbench.inlayHints(),
      (found) => found.length > 10,
      "confidences",
      60,
    );
    await eventually(
      () => workbench.hoverOver(hints[2]!.text.trim()).catch(() => ""),
      (text) => text.includes("Words for"),
      "why",
      60,
    );
  },
  async review(workbench) {
    await sideBar(workbench, true);
    await workbench.runCommand("Clf: Review Flagged Rows");
    const panel = await workbench.webview("confirm");
    await panel.locator(".detail:not([aria-busy]) mark").first().waitFor();
    await panel.locator("body:not(.no-keys)").waitFor();
    await workbench.press("o");
    await workbench.page.locator(".statusbar-item", { hasText: /Ln (?!1,)\d+, Col/ }).waitFor();
    await eventually(
      () => workbench.inlayHints(),
      (found) => found.length > 10,
      "confidences in the row's file",
      60,
    );
    // The command was chosen where now a tab is, whose tooltip would open.
    await workbench.page.mouse.move(SIZE.width - 4, SIZE.height / 2);
  },
  async report(workbench) {
    await sideBar(workbench, false);
    await workbench.runCommand("Clf: Open Report");
    const report = await workbench.webview("test rows, with 95 % intervals");
    await report.locator("[aria-busy]").first().waitFor({ state: "detached" });
    await workbench.runCommand("View: Close Other Editors in Group");
    await report.evaluate(() => scrollTo(0, 0));
  },
  async matrix(workbench) {
    await sideBar(workbench, false);
    await workbench.runCommand("Clf: Open Report");
    const report = await workbench.webview("test rows, with 95 % intervals");
    await report.locator("[aria-busy]").first().waitFor({ state: "detached" });
    await report
      .locator("figure.matrix")
      .last()
      .evaluate((figure) => figure.scrollIntoView({ block: "start" }));
  },
  async job(workbench) {
    await sideBar(workbench, true);
    const job = workbench.page.locator(".monaco-list-row[aria-level='2']", { hasText: "fine-tune" }).first();
    await workbench.contextMenu(job);
    await workbench.chooseMenuItem("Show Job");
    const panel = await workbench.webview("What Differs");
    await panel.locator(".chart svg").first().waitFor();
    await sideBar(workbench, false);
    await workbench.page.mouse.move(SIZE.width / 2, SIZE.height - 5);
  },
  async try(workbench) {
    await sideBar(workbench, false);
    await workbench.runCommand("Clf: Try a Text");
    const panel = await workbench.webview("Try It");
    await panel.locator("#input-0").fill("Employee slipped on ice in the yard and broke his wrist.");
    await panel.locator(".nearest .link").first().waitFor();
    await panel.locator("article .word.for").first().waitFor();
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in PICTURES));
if (unknown.length > 0) {
  console.error(`No picture ${unknown.join(", ")}. Pictures: ${Object.keys(PICTURES).join(", ")}.`);
  process.exit(2);
}

/** Makes the side bar wider, as a person does who reviews in it. */
async function widen({ page }: Workbench): Promise<void> {
  const box = (await page.locator(".part.sidebar").boundingBox())!;
  const edge = box.x + box.width;
  await page.mouse.move(edge, 300);
  await page.mouse.down();
  await page.mouse.move(box.x + SIDE_BAR, 300, { steps: 5 });
  await page.mouse.up();
}

const folder = await mkdtemp(join(tmpdir(), "clf-pictures-"));
try {
  const workspace = join(folder, "severe-injuries");
  await cp(join(root, "examples", "severe-injuries"), workspace, {
    recursive: true,
    filter: (path) => !/[\\/](\.clf|truth\.csv)$/.test(path),
  });
  // Comments at the ends of lines would push the figures beside them out of the picture.
  const project = join(workspace, "severe-injuries.clf.yaml");
  const text = await readFile(project, "utf8");
  await writeFile(project, text.replace(/^\s*#.*\n/gm, "").replace(/\s+# .*$/gm, ""));
  await mkdir(out, { recursive: true });
  await execa(process.execPath, [join(root, "esbuild.mjs")], { cwd: root });
  await execa(process.execPath, [join(root, "dist", "cli.mjs"), "evaluate", workspace, "--model", "baseline"]);
  const editor = await startEditor({ workspace, extensionPath: root, theme: THEMES.light });
  const windows = await openInBrowser(editor, SIZE);
  try {
    const workbench = await Workbench.open(windows, editor);
    await workbench.showContainer("Clf");
    await workbench.statusBarItem("Clf");
    await widen(workbench);
    for (const [theme, label] of Object.entries(THEMES)) {
      await workbench.setTheme(label);
      for (const [name, show] of Object.entries(PICTURES)) {
        if (wanted.length > 0 && !wanted.includes(name)) continue;
        // Where it rests no tooltip opens.
        await workbench.page.mouse.move(SIZE.width / 2, SIZE.height - 5);
        await show(workbench);
        await workbench.page.waitForTimeout(500);
        const path = join(out, `${name}-${theme}.png`);
        await workbench.page.screenshot({ path });
        console.log(path.slice(root.length + 1));
        await workbench.press("Escape");
      }
    }
  } finally {
    await windows.close();
    await editor.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
