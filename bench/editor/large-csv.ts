/**
 * A large table of a project in real VS Code: how soon hints stand beside the rows after a scroll, how long a keystroke takes
 * to be seen, with the extension and without, and what the server takes of memory.
 *
 * Run: node bench/editor/large-csv.ts [--rows 100000] [--positions 20]   (after `npm run build`)
 */
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { openInBrowser } from "../../scripts/editor/browser.ts";
import { type Editor, startEditor } from "../../scripts/editor/workbench.ts";
import { childrenOf, memoryOf, serversOf } from "../../test/ui/processes.ts";
import { eventually, Workbench } from "../../test/ui/workbench.ts";
import { largeFolder } from "./large-folder.ts";

const root = join(import.meta.dirname, "../..");
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    folder: { type: "string" },
    positions: { type: "string", default: "20" },
  },
});
const rows = Number(values.rows);
const positions = Number(values.positions);
const KEYS = 60;

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const median = (numbers: readonly number[]) => sorted(numbers)[numbers.length >> 1]!;
const spread = (numbers: readonly number[]) =>
  `median ${median(numbers).toFixed(0)} ms, 90 % within ${sorted(numbers)[Math.floor(0.9 * (numbers.length - 1))]!.toFixed(0)} ms, worst ${Math.max(...numbers).toFixed(0)} ms`;

/** What the page itself sees, frame by frame. Functions of the browser: they may use nothing of this file. */
const inPage = {
  /** Milliseconds from the frame that draws a line, after a scroll, to the one with hints at the rows on screen. */
  scrolledTo: (line: number) =>
    new Promise<number>((resolve, reject) => {
      let drawn: number | undefined;
      const end = performance.now() + 30_000;
      const look = () => {
        const editor = document.querySelector(".editor-group-container.active .editor-instance .monaco-editor")!;
        const numbers = [...editor.querySelectorAll(".line-numbers")].map((each) => Number(each.textContent));
        const now = performance.now();
        if (numbers.includes(line)) {
          drawn ??= now;
          const lines = [...editor.querySelectorAll(".view-lines > .view-line")];
          const hints = lines.filter((each) => each.querySelector('[class*="dyn-rule-"]')).length;
          // Rows that are only half on screen are not asked for.
          if (hints >= numbers.length - 4) return resolve(now - drawn);
        }
        if (now > end) reject(new Error(`No hints at line ${line}. Lines on screen: ${numbers.join(" ")}`));
        else requestAnimationFrame(look);
      };
      look();
    }),
  /** Milliseconds from each keystroke to the frame that shows it. */
  keys: (count: number) =>
    new Promise<number[]>((resolve, reject) => {
      const times: number[] = [];
      const end = performance.now() + 60_000;
      const text = () =>
        document.querySelector<HTMLElement>(
          ".editor-group-container.active .editor-instance .monaco-editor .view-lines",
        )!.textContent;
      let waiting: number[] = [];
      let before = text();
      const onKey = (event: KeyboardEvent) => {
        if (event.key.length === 1) waiting.push(event.timeStamp);
      };
      window.addEventListener("keydown", onKey, true);
      const look = () => {
        const now = text();
        if (waiting.length > 0 && now !== before) {
          times.push(...waiting.map((pressed) => performance.now() - pressed));
          waiting = [];
        }
        before = now;
        if (times.length >= count) {
          window.removeEventListener("keydown", onKey, true);
          resolve(times);
        } else if (performance.now() > end) reject(new Error(`Only ${times.length} of ${count} keys were seen.`));
        else requestAnimationFrame(look);
      };
      look();
    }),
};

/** Scrolls to a line as "Go to Line" does: the editor is there as soon as the number stands in its box. */
async function jumpTo(workbench: Workbench, line: number): Promise<number> {
  const { page } = workbench;
  await workbench.press("Control+G");
  const input = page.locator(".quick-input-widget input.input");
  await input.waitFor({ state: "visible" });
  const hinted = page.evaluate(inPage.scrolledTo, line);
  await input.fill(`:${line}:1`);
  const time = await hinted;
  await workbench.press("Enter");
  return time;
}

async function typing(page: Page): Promise<number[]> {
  const measured = page.evaluate(inPage.keys, KEYS);
  // The page is listening by then.
  await page.waitForTimeout(500);
  for (let i = 0; i < KEYS; i++) {
    await page.keyboard.press("abcdefghij"[i % 10]!);
    await page.waitForTimeout(90);
  }
  return measured;
}

async function inEditor(
  extension: boolean,
  folder: string,
  work: (workbench: Workbench, editor: Editor) => Promise<void>,
) {
  const editor = await startEditor({
    workspace: folder,
    ...(extension ? { extensionPath: root } : {}),
    // VS Code in a browser asks before it opens a file of over 10 MB.
    settings: { "workbench.editorLargeFileConfirmation": 1024 },
  });
  const windows = await openInBrowser(editor, { width: 1400, height: 900 });
  // A busy machine is slow, and that is what is measured.
  windows.context.setDefaultTimeout(60_000);
  try {
    await work(await Workbench.open(windows, editor), editor);
  } finally {
    await windows.close();
    await editor.stop();
  }
}

const folder = largeFolder(rows, values.folder);
try {
  console.log(
    `${rows.toLocaleString("en-US")} rows, ${(folder.bytes / 2 ** 20).toFixed(1)} MiB${folder.evaluated === null ? "" : `; evaluated in ${folder.evaluated.toFixed(0)} s`}`,
  );
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; load ${loadavg()[0]!.toFixed(1)}`);
  let plain: number[] = [];
  await inEditor(false, folder.path, async (workbench) => {
    await workbench.openFile(folder.file, rows >> 1);
    await typing(workbench.page);
    plain = await typing(workbench.page);
  });
  await inEditor(true, folder.path, async (workbench, editor) => {
    const began = performance.now();
    await workbench.openFile(folder.file);
    await eventually(
      () => workbench.inlayHints(),
      (hints) => hints.length > 10,
      "hints",
      180,
    );
    console.log(
      `first hints        ${((performance.now() - began) / 1000).toFixed(1)} s after the file was opened in a new window`,
    );
    const hinted: number[] = [];
    for (let i = 0; i < positions; i++) {
      hinted.push(await jumpTo(workbench, 100 + Math.floor(((i * 7919) % positions) * (rows / positions))));
      await workbench.page.waitForTimeout(300);
    }
    console.log(`hints after scroll ${spread(hinted)} (${positions} places)`);
    await workbench.goTo(rows >> 1);
    await typing(workbench.page);
    const typed = await typing(workbench.page);
    console.log(`a keystroke        ${spread(typed)}`);
    console.log(`  without Clf      ${spread(plain)}`);
    const hosts = editor.extensionHosts();
    const servers = serversOf(editor);
    const duckdbs = servers.flatMap((pid) => childrenOf(pid, "duckdb.mjs"));
    for (const [name, pids] of [
      ["server", servers],
      ["its DuckDB", duckdbs],
      ["extension host", hosts],
    ] as const) {
      for (const pid of pids) {
        const { now, most } = memoryOf(pid);
        console.log(
          `memory             ${name.padEnd(15)} ${now.toFixed(0).padStart(5)} MiB, at most ${most.toFixed(0)} MiB`,
        );
      }
    }
  });
} finally {
  folder.remove();
}
