/**
 * From one flagged row to the next, in real VS Code: from the key to the frame in which the next row's text is drawn. All is in it: VS
 * Code's keybinding, the extension, the panel. Beside it the panel's own part: from the action to the drawing.
 *
 * Run: node bench/editor/review.ts [--rows 5000] [--keys 200]   (after `npm run build`)
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Frame } from "playwright-core";
import { openInBrowser } from "../../scripts/editor/browser.ts";
import { startEditor } from "../../scripts/editor/workbench.ts";
import { seededRandom } from "../../server/src/confidence/random.ts";
import { eventually, Workbench } from "../../test/ui/workbench.ts";

const root = join(import.meta.dirname, "../..");
const { values } = parseArgs({
  options: { rows: { type: "string", default: "5000" }, keys: { type: "string", default: "200" } },
});
const random = seededRandom(1);
const WORDS = ["fell", "cut", "burned", "crushed", "ladder", "press", "oil", "knife", "hand", "foot", "arm", "dock"];
const text = (n: number) => `${Array.from({ length: 30 }, () => WORDS[random.below(WORDS.length)]).join(" ")} ${n}`;
const LABELS = ["Falls", "Cuts", "Burns", "Crushing", "Sprains", "Bruises", "Shocks", "Bites", "Strains", "Others"];

/** What the page measures of one key. */
interface Timed {
  /** From the key's event, and from the action that VS Code made of it. */
  key: number;
  action: number;
}

/** Presses a key and waits in the page until another row's text has been drawn. */
async function timed(workbench: Workbench, panel: Frame, key: string): Promise<Timed> {
  await panel.evaluate(() => {
    const shown = () => document.querySelector(".detail:not([aria-busy]) .input")?.textContent;
    const before = shown();
    const times = { key: 0, action: 0 };
    document.addEventListener("keydown", () => (times.key ||= performance.now()), { capture: true, once: true });
    const onMessage = ({ data }: MessageEvent) => {
      if (data?.type === "action") times.action ||= performance.now();
    };
    addEventListener("message", onMessage, { capture: true });
    (globalThis as unknown as { timing: Promise<Timed> }).timing = new Promise((resolve) => {
      const look = () => {
        const now = shown();
        if (times.key > 0 && now !== undefined && now !== before) {
          removeEventListener("message", onMessage, { capture: true });
          const drawn = performance.now();
          resolve({ key: drawn - times.key, action: drawn - times.action });
        } else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  });
  await workbench.press(key);
  return panel.evaluate(() => (globalThis as unknown as { timing: Promise<Timed> }).timing);
}

function print(what: string, times: readonly Timed[]): void {
  for (const part of ["key", "action"] as const) {
    const sorted = times.map((each) => each[part]).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
    console.log(
      `${`${what}, from the ${part}`.padEnd(44)} median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms (${sorted.length})`,
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
try {
  const labelled = Array.from({ length: 2000 }, (_, n) => `${text(n)},${LABELS[random.below(LABELS.length)]}`);
  writeFileSync(join(folder, "data.csv"), `text,label\n${labelled.join("\n")}\n`);
  const pool = Array.from({ length: Number(values.rows) }, (_, n) => text(10_000 + n));
  writeFileSync(join(folder, "pool.csv"), `text\n${pool.join("\n")}\n`);
  writeFileSync(
    join(folder, "bench.clf.yaml"),
    "version: 1\ndataset: { source: data.csv, pool: pool.csv }\ntask: { inputs: [text], targets: [{ column: label }] }\nmodels: { baseline: { engine: linear } }\n",
  );
  const run = spawnSync(process.execPath, [join(root, "dist/cli.mjs"), "evaluate", folder], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  const editor = await startEditor({ workspace: folder, extensionPath: root });
  const windows = await openInBrowser(editor, { width: 1280, height: 900 });
  try {
    const workbench = await Workbench.open(windows, editor);
    await workbench.runCommand("Clf: Review Flagged Rows");
    const panel = await workbench.webview("confirm", 90);
    await panel.locator(".detail:not([aria-busy]) .choice").first().waitFor();
    await panel.locator("body:not(.no-keys)").waitFor();
    const place = await eventually(() => panel.locator(".count").innerText(), Boolean);
    console.log(
      `${place.replace(/^1 of /, "")} rows wait; ${cpus().length} processors, load ${loadavg()[0]!.toFixed(1)} at the start`,
    );
    for (const [what, key] of [
      ["to the next row (j)", "j"],
      ["to the next row by a decision (Enter)", "Enter"],
    ] as const) {
      const times: Timed[] = [];
      for (let i = 0; i < Number(values.keys); i++) times.push(await timed(workbench, panel, key));
      print(what, times);
    }
    console.log(`load ${loadavg()[0]!.toFixed(1)} at the end`);
  } finally {
    await windows.close();
    await editor.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
