/**
 * What a person does and sees in a VS Code window, for tests: page objects over the real workbench's DOM. All knowledge
 * of that DOM is in this file.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame, Locator, Page } from "playwright-core";
import { type BrowserWindows, ready } from "../../scripts/editor/browser.ts";
import type { Editor } from "../../scripts/editor/workbench.ts";

export interface Line {
  /** Starts at 1, as VS Code shows it. */
  number: number;
  /** The file's text, without hints. */
  text: string;
}

export interface InlayHint {
  line: number;
  /** As drawn: VS Code pads and cuts it. */
  text: string;
}

export interface Squiggle {
  line: number;
  severity: "error" | "warning" | "info" | "hint";
  /** The text under it. */
  text: string;
}

export interface Problem {
  severity: "error" | "warning" | "info";
  message: string;
  source: string;
  file: string;
  line: number;
  column: number;
}

export interface Notification {
  severity: "error" | "warning" | "info";
  message: string;
  buttons: string[];
}

const SCREENSHOTS = join(import.meta.dirname, "screenshots");

/**
 * Reads until what is read is as wanted. The last value is in the error's message.
 * @param seconds until it gives up
 */
export async function eventually<T>(
  read: () => Promise<T> | T,
  wanted: (value: T) => unknown,
  what = "what was expected",
  seconds = 15,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (Date.now() > end) {
      throw new Error(`Not within ${seconds} seconds: ${what}. It was ${JSON.stringify(value)?.slice(0, 2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Matches a whole text: VS Code splits labels to highlight what was typed, so that parts match as elements. */
function whole(label: string): RegExp {
  return new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}

/** One VS Code window. */
export class Workbench {
  readonly page: Page;
  readonly editor: Editor;

  constructor(page: Page, editor: Editor) {
    this.page = page;
    this.editor = editor;
  }

  /** Opens a window on the editor's workspace, or on another folder or `.code-workspace` file. */
  static async open(windows: BrowserWindows, editor: Editor, workspace?: string): Promise<Workbench> {
    return new Workbench(await windows.open(workspace), editor);
  }

  /** A key or chord as Playwright names it: `Enter`, `ControlOrMeta+S`, `ControlOrMeta+K ControlOrMeta+I`. */
  async press(keys: string): Promise<void> {
    for (const key of keys.split(" ")) await this.page.keyboard.press(key);
  }

  // Quick input: the palette, quick open, quick picks and input boxes.

  private get quickInput(): Locator {
    return this.page.locator(".quick-input-widget");
  }

  /** Labels of the open quick pick, as far as they are drawn. */
  async quickPickItems(): Promise<string[]> {
    return this.quickInput.locator(".monaco-list-row .quick-input-list-row:first-child .label-name").allInnerTexts();
  }

  /** Title of the open quick pick or input box. */
  async quickInputTitle(): Promise<string> {
    const title = this.quickInput.locator(".quick-input-title");
    await title.waitFor({ state: "visible" });
    return (await title.innerText()).trim();
  }

  /** What stands under an input box: its prompt, or why the value is refused. */
  async quickInputMessage(): Promise<string> {
    return (await this.quickInput.locator(".quick-input-message").innerText()).trim();
  }

  /**
   * Chooses an item of a quick pick. Waits for the pick to open.
   * @param label the item's whole label
   * @throws with the items there are
   */
  async quickPick(label: string): Promise<void> {
    await this.quickInput.locator(".quick-input-list").waitFor({ state: "visible" });
    // A long list is drawn only in part: narrowing it brings the item on screen.
    await this.quickInput.locator("input.input").fill(label, { timeout: 10_000 });
    await this.chooseRow(label);
  }

  /** Clicks the row with that label: the list is sorted and narrowed while it is typed. */
  private async chooseRow(label: string, timeout = 15_000): Promise<void> {
    const row = this.quickInput.locator(".monaco-list-row").filter({
      has: this.page.locator(".quick-input-list-row:first-child .label-name", { hasText: whole(label) }),
    });
    try {
      await row.first().click({ timeout });
    } catch {
      throw new Error(`No item "${label}". There are: ${(await this.quickPickItems()).join(" | ")}`);
    }
  }

  /** Ticks items of a quick pick that takes several, and accepts. */
  async quickPickMany(labels: string[]): Promise<void> {
    for (const label of labels) await this.chooseRow(label);
    await this.press("Enter");
  }

  /** Fills the open input box and accepts it. */
  async quickInputText(text: string): Promise<void> {
    await this.quickInput.waitFor({ state: "visible" });
    await this.quickInput.locator("input.input").fill(text);
    await this.press("Enter");
  }

  /** Runs a command from the palette by its whole title, `Clf: Evaluate`. */
  async runCommand(title: string, timeout = 30_000): Promise<void> {
    const end = Date.now() + timeout;
    for (;;) {
      await this.press("F1");
      try {
        await this.quickInput.waitFor({ state: "visible", timeout: Math.max(1000, Math.min(5000, end - Date.now())) });
        await this.quickInput.locator("input.input").fill(`>${title}`, { timeout: 3000 });
        return await this.chooseRow(title, Math.max(1000, Math.min(5000, end - Date.now())));
      } catch (error) {
        if (Date.now() >= end) throw error;
        // An open palette does not take up commands that come meanwhile; a key may be lost while a view takes the focus.
        await this.press("Escape");
      }
    }
  }

  /**
   * Runs a command that asks with a quick pick, and chooses an item of that.
   * A view that takes the focus late, as the palette closes, closes the pick: it is then asked for again, as a person would.
   */
  async runCommandAndPick(title: string, label: string): Promise<void> {
    for (let again = 2; ; again--) {
      await this.runCommand(title);
      try {
        return await this.quickPick(label);
      } catch (error) {
        if (again === 0 || (await this.quickInput.isVisible())) throw error;
      }
    }
  }

  /** The commands that the palette offers for a prefix: `when` clauses decide. */
  async commands(prefix: string): Promise<string[]> {
    await this.press("F1");
    await this.quickInput.waitFor({ state: "visible" });
    await this.quickInput.locator("input.input").fill(`>${prefix}`);
    // The list follows the input at once, its commands' states a little later.
    await this.page.waitForTimeout(500);
    const found = (await this.quickPickItems()).filter((item) => item.startsWith(prefix));
    await this.press("Escape");
    return found;
  }

  // Editors.

  /** The text editor that has the focus, or had it last. */
  private get active(): Locator {
    return this.page.locator(".editor-group-container.active .editor-instance .monaco-editor").first();
  }

  /** Opens a file of the workspace by its path in it, and waits for its text. */
  async openFile(path: string, line?: number, column = 1): Promise<void> {
    await this.press("ControlOrMeta+P");
    await this.quickInput.waitFor({ state: "visible" });
    await this.quickInput.locator("input.input").fill(path);
    const name = path.split("/").at(-1)!;
    await this.chooseRow(name);
    await this.page
      .locator(`.editor-group-container.active .tab.active[data-resource-name="${name}"]`)
      .waitFor({ state: "visible" });
    await this.active.locator(".view-line").first().waitFor({ state: "attached" });
    if (line !== undefined) await this.goTo(line, column);
  }

  /** Names of the open tabs, the active one's first. */
  async tabs(): Promise<string[]> {
    const names = (selector: string) =>
      this.page.locator(selector).evaluateAll((tabs) => tabs.map((tab) => tab.getAttribute("aria-label") ?? ""));
    return [...(await names(".tabs-container .tab.active")), ...(await names(".tabs-container .tab:not(.active)"))];
  }

  /** Puts the cursor at a line and column, both from 1. */
  async goTo(line: number, column = 1): Promise<void> {
    await this.press("Control+G");
    await this.quickInputText(`:${line}:${column}`);
    await this.quickInput.waitFor({ state: "hidden" });
    await this.page
      .locator(".statusbar-item")
      .filter({ hasText: new RegExp(`Ln ${line}, Col `) })
      .waitFor();
  }

  /** Types key by key, as a person does: completion opens, brackets close themselves. */
  async typeText(text: string): Promise<void> {
    await this.page.keyboard.type(text, { delay: 15 });
  }

  /** Inserts at once, as a paste: nothing is completed or closed. */
  async insertText(text: string): Promise<void> {
    await this.page.keyboard.insertText(text);
  }

  async save(): Promise<void> {
    await this.press("ControlOrMeta+S");
    await this.page.locator(".tabs-container .tab.active.dirty").waitFor({ state: "detached" });
  }

  /** The lines on screen with their hints, squiggles and colours: what `lines`, `inlayHints` and `squiggles` read. */
  private async visible(): Promise<
    { number: number; text: string; hint: string; squiggles: Omit<Squiggle, "line">[]; colours: [string, string][] }[]
  > {
    return this.active.evaluate((root) => {
      const rows = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
      const numbers = new Map<string, number>();
      for (const row of rows(".margin-view-overlays > div")) {
        const number = Number(row.querySelector(".line-numbers")?.textContent);
        if (number > 0) numbers.set(row.style.top, number);
      }
      const overlays = new Map(rows(".view-overlays > div").map((row) => [row.style.top, row]));
      const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u200c", "").replaceAll("\u200b", "");
      return rows(".view-lines > .view-line")
        .filter((row) => numbers.has(row.style.top))
        .map((row) => {
          const spans = [...row.querySelectorAll<HTMLElement>(":scope > span > span")];
          // Inlay hints are injected text: VS Code makes a style rule for each of their looks.
          const injected = (span: HTMLElement) => /\bdyn-rule-/.test(span.className);
          const left = row.getBoundingClientRect().left;
          const under = (mark: HTMLElement) => {
            const box = { left: mark.offsetLeft, right: mark.offsetLeft + mark.offsetWidth };
            let text = "";
            const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
              for (let at = 0; at < node.textContent!.length; at++) {
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + 1);
                const letter = range.getBoundingClientRect();
                const middle = letter.left + letter.width / 2 - left;
                if (middle > box.left && middle < box.right) text += node.textContent![at];
              }
            }
            return plain(text);
          };
          return {
            number: numbers.get(row.style.top)!,
            text: plain(
              spans
                .filter((span) => !injected(span))
                .map((span) => span.textContent)
                .join(""),
            ),
            hint: plain(
              spans
                .filter(injected)
                .map((span) => span.textContent)
                .join(""),
            ),
            squiggles: [
              ...(overlays.get(row.style.top)?.querySelectorAll<HTMLElement>('[class*="squiggly-"]') ?? []),
            ].map((mark) => ({
              severity: /squiggly-(error|warning|info|hint)/.exec(mark.className)![1] as "error",
              text: under(mark),
            })),
            colours: spans
              .filter((span) => !injected(span) && span.textContent!.trim())
              .map((span) => [plain(span.textContent!), getComputedStyle(span).color] as [string, string]),
          };
        })
        .sort((a, b) => a.number - b.number);
    });
  }

  /** The lines on screen. VS Code draws no others. */
  async lines(): Promise<Line[]> {
    return (await this.visible()).map(({ number, text }) => ({ number, text }));
  }

  /** Inlay hints on screen, one a line: several hints of a line are joined. */
  async inlayHints(): Promise<InlayHint[]> {
    return (await this.visible()).filter(({ hint }) => hint).map(({ number, hint }) => ({ line: number, text: hint }));
  }

  /** Squiggles on screen. */
  async squiggles(): Promise<Squiggle[]> {
    return (await this.visible()).flatMap(({ number, squiggles }) =>
      squiggles.map((squiggle) => ({ line: number, ...squiggle })),
    );
  }

  /** Each coloured piece of a line on screen: its text and its CSS colour. */
  async colours(line: number): Promise<[text: string, colour: string][]> {
    return (await this.visible()).find(({ number }) => number === line)?.colours ?? [];
  }

  /** Titles of the code lenses on screen, from top to bottom. */
  async codeLenses(): Promise<string[]> {
    const titles = await this.active.locator(".codelens-decoration a").allInnerTexts();
    return titles.filter(Boolean);
  }

  async clickCodeLens(title: string): Promise<void> {
    await this.active.locator(".codelens-decoration a").getByText(title, { exact: true }).click();
  }

  /** Where a text stands on screen: the middle of its first occurrence in the active editor, hints included. */
  async positionOf(text: string): Promise<{ x: number; y: number }> {
    const find = () =>
      this.active.evaluate((root, wanted) => {
        for (const row of root.querySelectorAll(".view-lines > .view-line")) {
          const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
          const nodes: Text[] = [];
          for (let node = walker.nextNode(); node; node = walker.nextNode()) nodes.push(node as Text);
          const whole = nodes.map((node) => node.data.replaceAll("\u00a0", " ")).join("");
          const start = whole.indexOf(wanted);
          if (start < 0) continue;
          let at = start + Math.floor(wanted.length / 2);
          let node = nodes.shift()!;
          for (; at >= node.length; node = nodes.shift()!) at -= node.length;
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + 1);
          const box = range.getBoundingClientRect();
          return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
        }
        return undefined;
      }, text);
    return (await eventually(find, Boolean, `"${text}" on screen`))!;
  }

  /** Text of the hover that opens when the mouse rests on a text of the active editor. */
  async hoverOver(text: string): Promise<string> {
    const { x, y } = await this.positionOf(text);
    // From elsewhere: where the mouse rests already, no hover opens again.
    await this.page.mouse.move(1, 1);
    await this.page.mouse.move(x - 3, y);
    await this.page.mouse.move(x, y, { steps: 3 });
    return this.hoverText();
  }

  /** Text of the hover at a line and column, opened by keyboard. */
  async hover(line: number, column: number): Promise<string> {
    await this.goTo(line, column);
    await this.press("ControlOrMeta+K ControlOrMeta+I");
    return this.hoverText();
  }

  private async hoverText(): Promise<string> {
    const content = this.page.locator(".monaco-resizable-hover .monaco-hover .monaco-hover-content");
    return eventually(
      async () =>
        (await content.count()) > 0 && (await content.first().isVisible()) && (await content.first().innerText()),
      // VS Code fills the hover piece by piece.
      (text) => text !== false && text.trim() !== "" && !/^Loading/.test(text),
      "a hover",
      // Markdown's plain text has its spaces protected.
    ).then((text) => (text as string).replaceAll("\u00a0", " ").trim());
  }

  /** Opens completion at the cursor and reads its labels, as far as they are drawn. */
  async completions(): Promise<string[]> {
    await this.press("Control+Space");
    const widget = this.page.locator(".suggest-widget.visible");
    await widget.locator(".monaco-list-row").first().waitFor({ state: "visible" });
    return widget.locator(".monaco-list-row .label-name").allInnerTexts();
  }

  /** Chooses an item of the open completion list. */
  async complete(label: string): Promise<void> {
    await this.page
      .locator(".suggest-widget.visible .monaco-list-row")
      .filter({ has: this.page.locator(".label-name", { hasText: whole(label) }) })
      .first()
      .click();
  }

  /** Titles of the quick fixes at the cursor. The list stays open. */
  async quickFixes(): Promise<string[]> {
    const rows = this.page.locator(".action-widget .monaco-list-row.action .title");
    for (let again = 2; ; again--) {
      await this.press("ControlOrMeta+.");
      try {
        await rows.first().waitFor({ state: "visible", timeout: 5000 });
        return rows.allInnerTexts();
      } catch (error) {
        // There are none yet where the editor has just heard of the problem, and the list closes when problems change.
        if (again === 0) throw error;
        await this.press("Escape");
      }
    }
  }

  /** Applies a quick fix at the cursor by its whole title. */
  async quickFix(title: string): Promise<void> {
    const titles = await this.quickFixes();
    if (!titles.includes(title)) throw new Error(`No quick fix "${title}". There are: ${titles.join(" | ")}`);
    await this.page.locator(".action-widget .monaco-list-row.action").getByText(title, { exact: true }).click();
  }

  // Panels, views and the rest of the window.

  /** Shows the Problems panel and reads what is drawn of it. */
  async problems(): Promise<Problem[]> {
    if (!(await this.page.locator(".markers-panel").isVisible())) await this.press("ControlOrMeta+Shift+M");
    await this.page.locator(".markers-panel").waitFor({ state: "visible" });
    return this.page.locator(".markers-panel .monaco-list-row").evaluateAll((rows) => {
      const found: Problem[] = [];
      let file = "";
      for (const row of rows) {
        if (row.getAttribute("aria-level") === "1") file = row.querySelector(".monaco-icon-label")?.textContent ?? "";
        const icon = /\b(error|warning|info)\b/.exec(row.querySelector(".marker-icon")?.className ?? "");
        const place = /Ln (\d+), Col (\d+)/.exec(row.querySelector(".marker-line")?.textContent ?? "");
        if (!icon || !place) continue;
        found.push({
          severity: icon[1] as "error",
          message: [...row.querySelectorAll(".marker-message")].map((part) => part.textContent).join("\n"),
          source: row.querySelector(".marker-source")?.textContent ?? "",
          file,
          line: Number(place[1]),
          column: Number(place[2]),
        });
      }
      return found;
    });
  }

  /** The notifications on screen, newest first. */
  async notifications(): Promise<Notification[]> {
    return this.page.locator(".notifications-toasts .notification-list-item").evaluateAll((items) =>
      items.map((item) => ({
        severity: /codicon-(error|warning|info)/.exec(
          item.querySelector(".notification-list-item-icon")!.className,
        )![1] as "info",
        message: item.querySelector(".notification-list-item-message")!.textContent!,
        buttons: [...item.querySelectorAll(".notification-list-item-buttons-container .monaco-button")].map(
          (button) => button.textContent!,
        ),
      })),
    );
  }

  /** Waits for a notification that contains a text. */
  async notification(text: string, seconds = 15): Promise<Notification> {
    const found = await eventually(
      () => this.notifications(),
      (all) => all.some(({ message }) => message.includes(text)),
      `a notification with "${text}"`,
      seconds,
    );
    return found.find(({ message }) => message.includes(text))!;
  }

  /** Presses a button of the notification that contains a text. */
  async answerNotification(text: string, button: string): Promise<void> {
    await this.notification(text);
    const item = this.page.locator(".notifications-toasts .notification-list-item").filter({ hasText: text });
    await item.first().locator(".monaco-button").getByText(button, { exact: true }).click();
  }

  /** Closes every notification. */
  async clearNotifications(): Promise<void> {
    await this.runCommand("Notifications: Clear All Notifications");
    await this.page.locator(".notifications-toasts .notification-list-item").waitFor({ state: "detached" });
  }

  /** The open modal dialog: its message and buttons. */
  async dialog(): Promise<{ message: string; buttons: string[] }> {
    const box = this.page.locator(".monaco-dialog-box");
    await box.waitFor({ state: "visible" });
    return {
      message: (await box.locator(".dialog-message-container").innerText()).trim(),
      buttons: await box.locator(".dialog-buttons .monaco-button").allInnerTexts(),
    };
  }

  async answerDialog(button: string): Promise<void> {
    await this.page
      .locator(".monaco-dialog-box .dialog-buttons .monaco-button")
      .getByText(button, { exact: true })
      .click();
    await this.page.locator(".monaco-dialog-box").waitFor({ state: "detached" });
  }

  /** Texts of the status bar's items, icons left out. */
  async statusBar(): Promise<string[]> {
    const texts = await this.page.locator(".part.statusbar .statusbar-item").allInnerTexts();
    return texts.map((text) => text.trim()).filter(Boolean);
  }

  /** Waits for a status bar item that contains a text: how tests learn that an extension is active. */
  async statusBarItem(text: string, seconds = 60): Promise<void> {
    await eventually(
      () => this.statusBar(),
      (items) => items.some((item) => item.includes(text)),
      `"${text}" in the status bar`,
      seconds,
    );
  }

  /** Shows a view container by its title in the activity bar. */
  async showContainer(title: string): Promise<void> {
    const item = this.page.locator(".part.activitybar .action-item").filter({
      has: this.page.locator(`.action-label[aria-label^="${title}"]`),
    });
    if (!(await item.first().evaluate((element) => element.classList.contains("checked")))) await item.first().click();
    await this.page.locator(".part.sidebar .composite.title").getByText(title).waitFor();
  }

  /** Rows of a tree view on screen: name and description. */
  async treeItems(view: string): Promise<{ label: string; description: string; level: number }[]> {
    const pane = this.page.locator(".pane", { has: this.page.locator(`.pane-header[aria-label^="${view}"]`) });
    return pane.locator(".monaco-list-row").evaluateAll((rows) =>
      rows.map((row) => ({
        label: row.querySelector(".label-name")?.textContent ?? "",
        description: row.querySelector(".label-description")?.textContent ?? "",
        level: Number(row.getAttribute("aria-level")),
      })),
    );
  }

  /** A row of a tree view, to click or to open its menu. */
  treeItem(label: string): Locator {
    return this.page.locator(".part.sidebar .monaco-list-row, .part.auxiliarybar .monaco-list-row").filter({
      has: this.page.locator(".label-name", { hasText: whole(label) }),
    });
  }

  /** Opens the context menu of something and returns the titles of its items. */
  async contextMenu(target: Locator): Promise<string[]> {
    await target.click({ button: "right" });
    const menu = this.page.locator(".context-view .monaco-menu");
    await menu.waitFor({ state: "visible" });
    return menu
      .locator(".action-label:not(.separator)")
      .evaluateAll((items) => items.map((item) => item.textContent ?? ""));
  }

  /** Of the menu that is open. A menu that has just opened may take no click yet: it stands there still, and is clicked again. */
  async chooseMenuItem(title: string): Promise<void> {
    const item = this.page.locator(".context-view .monaco-menu .action-menu-item").getByText(title, { exact: true });
    for (let again = 3; ; again--) {
      await item.click();
      try {
        return await item.waitFor({ state: "hidden", timeout: 3000 });
      } catch (error) {
        if (again === 0) throw error;
      }
    }
  }

  /**
   * The frame of a webview that is on screen and contains a text. Locators, clicks and keys work in it as in a page.
   * @param text any text of it; without one: the only webview on screen
   */
  async webview(text = "", seconds = 20): Promise<Frame> {
    const find = async () => {
      for (const frame of this.page.frames()) {
        // The content's frame lies in a frame of VS Code's.
        const parent = frame.parentFrame();
        if (!parent || !/\/webview\/.*\/index\.html/.test(parent.url())) continue;
        try {
          const outer = await parent.frameElement();
          if ((await outer.isVisible()) && (await frame.locator("body").innerText()).includes(text)) return frame;
        } catch {
          // The webview was replaced between the two looks.
        }
      }
      return undefined;
    };
    return (await eventually(find, Boolean, `a webview with "${text}"`, seconds))!;
  }

  /** Writes `test/ui/screenshots/<name>.png` and returns its path. */
  async screenshot(
    name: string,
    options: { clip?: { x: number; y: number; width: number; height: number } } = {},
  ): Promise<string> {
    await mkdir(SCREENSHOTS, { recursive: true });
    const path = join(SCREENSHOTS, `${name}.png`);
    await this.page.screenshot({ path, ...options });
    return path;
  }

  /** `Dark Modern`, `Light Modern`, `Default High Contrast`, `Default High Contrast Light`, … */
  async setTheme(name: string): Promise<void> {
    // The picker calls these by other names than the setting does.
    const label =
      { "Default High Contrast": "Dark High Contrast", "Default High Contrast Light": "Light High Contrast" }[name] ??
      name;
    await this.runCommandAndPick("Preferences: Color Theme", label);
    await this.quickInput.waitFor({ state: "hidden" });
    // The class names the theme's file: `…-themes-dark_modern-json`, `…-themes-hc_black-json`.
    const file =
      { "Default High Contrast": "hc_black", "Default High Contrast Light": "hc_light" }[name] ??
      name.toLowerCase().replaceAll("+", "_plus").replaceAll(" ", "_");
    await this.page.locator(`.monaco-workbench[class*="-${file}-json"]`).waitFor();
  }

  /** Adds to the user settings of the open window, in their file as a person would. */
  async changeSettings(settings: Record<string, unknown>): Promise<void> {
    const file = join(this.editor.state, "user-data", "User", "settings.json");
    const old = JSON.parse(await readFile(file, "utf8")) as object;
    await this.runCommand("Preferences: Open User Settings (JSON)");
    await this.page.locator('.tab.active[data-resource-name="settings.json"]').waitFor();
    await this.active.locator(".view-line").first().click();
    await this.press("ControlOrMeta+A");
    await this.insertText(JSON.stringify({ ...old, ...settings }, null, 2));
    await this.save();
    await this.runCommand("View: Close Editor");
  }

  async setWindowSize(width: number, height: number): Promise<void> {
    await this.page.setViewportSize({ width, height });
  }

  /** Reloads the window: a new extension host, the same storage. */
  async reload(): Promise<void> {
    await this.page.reload();
    await ready(this.page);
  }

  /** Closes the window as a person does, and waits until its extension host has ended (Linux). */
  async closeWindow(seconds = 30): Promise<void> {
    const before = this.editor.extensionHosts();
    const closed = this.page.waitForEvent("close");
    this.page.on("dialog", (dialog) => dialog.accept());
    await this.page.close({ runBeforeUnload: true });
    await closed;
    if (before.length === 0) return;
    await eventually(
      () => this.editor.extensionHosts().length,
      (count) => count < before.length,
      "the end of the window's extension host",
      seconds,
    );
  }
}
