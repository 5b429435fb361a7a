/** A VS Code window for the tests of one `describe`: hooks that start it, explain a failure, and end it. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BrowserWindowOptions,
  type BrowserWindows,
  findChromium,
  openInBrowser,
} from "../../scripts/editor/browser.ts";
import { type Editor, type EditorOptions, startEditor } from "../../scripts/editor/workbench.ts";
import { Workbench } from "./workbench.ts";

export interface TestWindow {
  editor: Editor;
  windows: BrowserWindows;
  workbench: Workbench;
  /** The folder that is open: a copy. */
  workspace: string;
}

export interface WindowOptions extends EditorOptions, BrowserWindowOptions {
  /** A `.code-workspace` file of the workspace, by its path in it: it is opened in place of the folder. */
  open?: string;
}

/**
 * Call it inside a `describe`: before its tests a copy of `workspace` is opened in real VS Code, after a failed test a
 * screenshot (`failure-…`) and the logs of the extension host are kept, after the last one everything is ended.
 * @param given options, or what makes them before the first test
 * @returns an object whose fields are set once the tests run
 */
export function testWindow(given: WindowOptions | (() => WindowOptions)): TestWindow {
  const window = {} as TestWindow;
  let folder: string | undefined;

  before(async function () {
    // The first run installs VS Code.
    this.timeout(600_000);
    if (!findChromium()) {
      console.log("      no Chromium or Chrome: name one in CLF_CHROMIUM, or install it");
      this.skip();
    }
    const options = typeof given === "function" ? given() : given;
    folder = await mkdtemp(join(tmpdir(), "clf-window-"));
    window.workspace = join(folder, "workspace");
    await cp(options.workspace, window.workspace, { recursive: true });
    window.editor = await startEditor({ ...options, workspace: join(window.workspace, options.open ?? "") });
    window.windows = await openInBrowser(window.editor, options);
    window.workbench = await Workbench.open(window.windows, window.editor);
  });

  afterEach(async function () {
    if (this.currentTest?.state !== "failed" || !window.editor) return;
    const name = this.currentTest
      .fullTitle()
      .replace(/[^a-z0-9]+/gi, "-")
      .slice(0, 100);
    const picture = await window.workbench
      ?.screenshot(`failure-${name}`)
      .catch(() => "no picture: the window is closed");
    console.log(`      ${picture}\n${await window.editor.logs()}`);
  });

  after(async function () {
    this.timeout(60_000);
    await window.windows?.close();
    await window.editor?.stop();
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  return window;
}
