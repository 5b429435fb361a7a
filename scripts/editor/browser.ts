/** The window of the real workbench: a headless Chromium. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Editor } from "./workbench.ts";

const CHROMIUMS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Path of a Chromium or Chrome: `CLF_CHROMIUM`, else the usual places; `undefined` where there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CLF_CHROMIUM;
  if (named) return existsSync(named) ? named : undefined;
  return CHROMIUMS.find((file) => existsSync(file));
}

export interface BrowserWindowOptions {
  width?: number;
  height?: number;
  /** Device pixels a CSS pixel: 2 for pictures in documents. */
  scale?: number;
  /** Runs on the page before it goes to the workbench. */
  before?: (page: Page) => Promise<void>;
}

export interface BrowserWindows {
  browser: Browser;
  /** What one person's browser keeps between windows: a closed and re-opened window finds its state here. */
  context: BrowserContext;
  /** Opens a window on the editor's workspace (or on `workspace`) and waits until it is drawn. */
  open(workspace?: string): Promise<Page>;
  close(): Promise<void>;
}

/**
 * Starts a browser for an editor; windows are opened one by one.
 * @throws when no Chromium is found
 */
export async function openInBrowser(editor: Editor, options: BrowserWindowOptions = {}): Promise<BrowserWindows> {
  const executablePath = findChromium();
  if (!executablePath) {
    throw new Error(
      "No Chromium or Chrome is installed. On Debian: apt-get install chromium. Or name one in CLF_CHROMIUM.",
    );
  }
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
      ...["--disable-sync", "--no-first-run"],
    ],
  });
  try {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
      deviceScaleFactor: options.scale ?? 1,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(15_000);
    return {
      browser,
      context,
      close: () => browser.close(),
      async open(workspace) {
        const page = await context.newPage();
        await options.before?.(page);
        await page.goto(workspace === undefined ? editor.url : editor.urlOf(workspace), { timeout: 60_000 });
        await ready(page);
        return page;
      },
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Waits until the workbench is drawn: its parts stand and the colour theme, which comes from an extension, is loaded. */
export async function ready(page: Page): Promise<void> {
  await page.waitForSelector(".monaco-workbench .part.statusbar .statusbar-item", { timeout: 60_000 });
  await page.waitForSelector('.monaco-workbench[class*="vscode-theme-"]', { timeout: 60_000 });
  await page.waitForSelector(".monaco-workbench .part.activitybar .action-item", { timeout: 60_000 });
}
