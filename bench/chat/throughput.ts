/**
 * 32 requests at a time at 50 ms a request: engine `chat` against what the server can do, and promptfoo on the same rows where it is
 * installed (PROMPTFOO: its main.js). `throughput.ts [ROWS] [GROWTH ROWS]` prints a table; asserts nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

const PARALLEL = 32;
const DELAY = 50;
const rows = Number(process.argv[2] ?? 6400);
const growth = Number(process.argv[3] ?? 0);
const here = import.meta.dirname;

const server = execa(process.execPath, [join(here, "server.ts"), String(DELAY)], { reject: false });
const url = await new Promise<string>((resolve) => server.stdout.once("data", (text) => resolve(String(text).trim())));
const counted = async () => Number(await (await fetch(url.replace("/v1", "/count"))).text());

/** The same requests by plain fetch, 32 at a time: what server and machine can do together. */
async function plain(): Promise<number> {
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next++ < rows) {
        const response = await fetch(`${url}/chat/completions`, {
          method: "POST",
          body: JSON.stringify({ messages: [{ role: "user", content: "x" }] }),
        });
        await response.json();
      }
    }),
  );
  return (performance.now() - started) / 1000;
}

const ideal = (rows * DELAY) / 1000 / PARALLEL;
const lines: (string | number)[][] = [["", "seconds", "rows/s", "of the ideal", "MB"]];
const line = (name: string, seconds: number, megabytes: number | string, n = rows) => {
  console.error(`${name}: ${seconds.toFixed(2)} s, load ${loadavg()[0]!.toFixed(1)}`);
  lines.push([
    name,
    seconds.toFixed(2),
    Math.round(n / seconds),
    `${((100 * ((n * DELAY) / 1000 / PARALLEL)) / seconds).toFixed(1)} %`,
    megabytes,
  ]);
};

line("ideal (server's delay alone)", ideal, "–");
line("plain fetch", await plain(), "–");
async function clf(n: number): Promise<void> {
  const { stdout } = await execa(process.execPath, [join(here, "one.ts"), url, String(n), String(PARALLEL)]);
  const { seconds, megabytes, base, cpu } = JSON.parse(stdout) as Record<
    "seconds" | "megabytes" | "base" | "cpu",
    number
  >;
  const milliseconds = ((1000 * cpu) / n).toFixed(2);
  line(
    `clf, ${n.toLocaleString("en-US")} rows (${milliseconds} ms of processor a row)`,
    seconds,
    `${megabytes} (rows alone: ${base})`,
    n,
  );
}
await clf(rows);
if (growth > 0) await clf(growth);
if (process.env.PROMPTFOO) {
  const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
  const config = {
    prompts: ["Classify the text as good or bad: {{text}}"],
    providers: [{ id: "openai:chat:bench", config: { apiBaseUrl: url, apiKey: "none", temperature: 0 } }],
    tests: Array.from({ length: rows }, (_, i) => ({ vars: { text: `This is text number ${i} of the bench.` } })),
  };
  writeFileSync(join(folder, "promptfooconfig.json"), JSON.stringify(config));
  const before = await counted();
  const started = performance.now();
  const arguments_ = [
    process.env.PROMPTFOO,
    "eval",
    "-c",
    "promptfooconfig.json",
    "-j",
    String(PARALLEL),
    "--no-cache",
    "--no-progress-bar",
    "--no-table",
    "--no-write",
    "-o",
    "out.json",
  ];
  const { exitCode, stderr } = await execa("/usr/bin/time", ["-f", "%M", process.execPath, ...arguments_], {
    cwd: folder,
    reject: false,
    env: { PROMPTFOO_CONFIG_DIR: folder, PROMPTFOO_DISABLE_TELEMETRY: "1", PROMPTFOO_DISABLE_UPDATE: "1" },
  });
  const asked = (await counted()) - before;
  const kilobytes = Number(stderr.trim().split("\n").at(-1));
  if (asked >= rows) line("promptfoo", (performance.now() - started) / 1000, Math.round(kilobytes / 1000));
  else console.log(`promptfoo asked ${asked} of ${rows} rows (exit code ${exitCode}): ${stderr.slice(-500)}`);
  rmSync(folder, { recursive: true });
}
server.kill();
const widths = lines[0]!.map((_, i) => Math.max(...lines.map((each) => String(each[i]).length)));
for (const each of lines)
  console.log(
    each.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]!) : String(cell).padStart(widths[i]!))).join("  "),
  );
