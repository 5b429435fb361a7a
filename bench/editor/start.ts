/**
 * What a person waits for at the start, in one table: the extension's activation in real VS Code, the server's process up to
 * its first diagnostics, and the bundles' sizes.
 *
 * Run: node bench/editor/start.ts [--windows 7] [--starts 20]   (after `npm run build`)
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { openInBrowser } from "../../scripts/editor/browser.ts";
import { startEditor } from "../../scripts/editor/workbench.ts";
import { eventually, Workbench } from "../../test/ui/workbench.ts";
import { coldStarts } from "../language/cold-start.ts";
import { largeProject } from "../language/large-project.ts";

const root = join(import.meta.dirname, "../..");
const dist = join(root, "dist");
const { values } = parseArgs({
  options: { windows: { type: "string", default: "7" }, starts: { type: "string", default: "20" } },
});

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
const spread = (numbers: readonly number[]) =>
  `${median(numbers).toFixed(0).padStart(6)} ms   (${Math.min(...numbers).toFixed(0)} to ${Math.max(...numbers).toFixed(0)}, ${numbers.length} times)`;
const line = (what: string, value: string) => console.log(`${what.padEnd(44)}${value}`);

const SIZE = { width: 1280, height: 800 };
/** Pixels that have room for every extension of VS Code's list, 70 each. */
const ALL_ROWS = 5000;
/** Our row of the list: its name, or its id while VS Code has no name, and the time. */
const OURS = /^clf\b.*: \D*(\d+)ms$/i;

/** Milliseconds in which a window that has been opened comes to rest. */
const REST = 5000;

/**
 * What VS Code itself shows under "Running Extensions": loading the extension's code and its call of `activate`.
 * @param restored the project is there when the window starts, so that the extension starts beside everything else that does;
 *   otherwise it is made and opened in a window at rest
 */
async function activations(windows: number, restored: boolean): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
  const file = join(folder, "p.clf.yaml");
  const editor = await startEditor({ workspace: folder, extensionPath: root });
  const browser = await openInBrowser(editor, SIZE);
  try {
    const workbench = await Workbench.open(browser, editor);
    const times: number[] = [];
    for (let i = 0; i < windows; i++) {
      if (i > 0) await workbench.reload();
      if (!restored) await workbench.page.waitForTimeout(REST);
      writeFileSync(file, largeProject(80).text);
      // The list shows what was there when it was opened: the extension first.
      await workbench.openFile("p.clf.yaml");
      await eventually(
        () => workbench.codeLenses(),
        (found) => found.length > 0,
        "a lens",
        60,
      );
      await workbench.runCommand("Developer: Show Running Extensions");
      // Only rows on screen are elements, and the slowest start stands first: a quick one is far below.
      await workbench.setWindowSize(SIZE.width, ALL_ROWS);
      const shown = await eventually(
        () =>
          workbench.page
            .locator(".runtime-extensions-editor .monaco-list-row")
            .evaluateAll((rows) =>
              rows.map((row) =>
                [".name", ".activation-time"].map((part) => row.querySelector(part)?.textContent).join(": "),
              ),
            ),
        (rows) => rows.some((row) => OURS.test(row)),
        "the time of the activation",
        60,
      );
      times.push(Number(OURS.exec(shown.find((row) => OURS.test(row))!)![1]));
      await workbench.setWindowSize(SIZE.width, SIZE.height);
      await workbench.runCommand(restored ? "View: Close Editor" : "View: Close All Editors");
      if (!restored) rmSync(file);
    }
    return times;
  } finally {
    await browser.close();
    await editor.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A bundle and the chunks that it loads at once. */
function closure(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(dist, file), "utf8");
  for (const [, name] of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+\.mjs)"/g)) closure(name!, found);
  return found;
}
function size(name: string, files: Iterable<string>): void {
  let plain = 0;
  let packed = 0;
  for (const file of files) {
    plain += statSync(join(dist, file)).size;
    packed += gzipSync(readFileSync(join(dist, file))).length;
  }
  line(name, `${(plain / 1024).toFixed(0).padStart(6)} KiB  (gzip ${(packed / 1024).toFixed(0)} KiB)`);
}

console.log(`${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; load ${loadavg()[0]!.toFixed(1)}`);
line("activation, window at rest (goal 100 ms)", spread(await activations(Number(values.windows), false)));
line("activation, with the window's own start", spread(await activations(Number(values.windows), true)));
const starts = await coldStarts(Number(values.starts));
line("server: start to first diagnostics (500 ms)", spread(starts.map(({ diagnostics }) => diagnostics)));
line("server: start to the answer to initialize", spread(starts.map(({ initialized }) => initialized)));
const processor = starts.flatMap((start) => start.processor ?? []);
if (processor.length > 0) {
  line("server: processor time until then", spread(processor));
  line(
    "server: memory then",
    `${median(starts.flatMap((start) => start.memory ?? []))
      .toFixed(0)
      .padStart(6)} MiB`,
  );
}
size("extension.cjs: all that activation loads", ["extension.cjs"]);
size("language-client.cjs: loaded with the server", ["language-client.cjs"]);
size("server.mjs, with what it loads at once", closure("server.mjs"));
size(
  "all of dist",
  readdirSync(dist).filter((file) => /\.(mjs|cjs|js|css|sh)$/.test(file)),
);
process.exit(0);
