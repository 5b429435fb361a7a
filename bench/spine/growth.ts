/**
 * How the whole main job grows with rows: `clf evaluate` (read, divide, fine-tune, predict, calibrate, report) of projects
 * with more and more rows. A row is the beginning of one Banking77 train text and the end of another of the same label, cut
 * by a seeded generator, so that there are few duplicates.
 *
 *     npm run build && node bench/spine/growth.ts FOLDER ROWS… [--threads 2]
 *
 * FOLDER holds train.csv. Prints the time of the parts, by the jobs' own events, and the peak memory of the process tree.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seededRandom } from "../../server/src/confidence/random.ts";
import { readCsv } from "../linear/csv.ts";
import { run } from "./process-tree.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: "string", default: "2" } },
});
const [data, ...sizes] = positionals;
if (!data || sizes.length === 0) throw new Error("Usage: growth.ts FOLDER ROWS… [--threads 2]");
const cli = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "clf-growth-"));

const byLabel = new Map<string, string[][]>();
for (const { text, label } of readCsv(join(data, "train.csv"))) {
  byLabel.set(label!, [...(byLabel.get(label!) ?? []), text!.split(/\s+/)]);
}
const labels = [...byLabel.keys()];

function writeProject(folder: string, rows: number): string {
  const random = seededRandom(42);
  mkdirSync(folder);
  const lines = ["text,label"];
  for (let i = 0; i < rows; i++) {
    const label = labels[random.below(labels.length)]!;
    const texts = byLabel.get(label)!;
    const [first, second] = [texts[random.below(texts.length)]!, texts[random.below(texts.length)]!];
    const text = [...first.slice(0, 1 + random.below(first.length)), ...second.slice(random.below(second.length))].join(
      " ",
    );
    lines.push(`"${text.replaceAll('"', '""')}",${label}`);
  }
  writeFileSync(join(folder, "rows.csv"), `${lines.join("\n")}\n`);
  const path = join(folder, "growth.clf.yaml");
  writeFileSync(
    path,
    `version: 1
dataset: { source: rows.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear } }
`,
  );
  return path;
}

/** Seconds of a job by its own events, and those of its report. */
function jobSeconds(folder: string, kind: string): number {
  const jobs = join(folder, ".clf/jobs");
  for (const id of readdirSync(jobs).filter((name) => /^\d{8}-/.test(name))) {
    if (JSON.parse(readFileSync(join(jobs, id, "job.json"), "utf8")).kind !== kind) continue;
    const events = readFileSync(join(jobs, id, "attempts/1/events.jsonl"), "utf8")
      .trim()
      .split("\n");
    const time = (line: string) => Date.parse(JSON.parse(line).time);
    return (time(events.at(-1)!) - time(events[0]!)) / 1000;
  }
  return Number.NaN;
}

try {
  const table = [];
  for (const size of sizes) {
    const folder = join(work, size);
    const path = writeProject(folder, Number(size));
    const { seconds, megabytes, out } = await run(
      process.execPath,
      [cli, "evaluate", path, "--json", "--threads", values.threads],
      folder,
      values.threads,
    );
    const fineTune = jobSeconds(folder, "fine-tune");
    const evaluate = jobSeconds(folder, "evaluate");
    table.push({
      rows: Number(size).toLocaleString("en-US"),
      seconds: seconds.toFixed(1),
      "of that fine-tune": fineTune.toFixed(1),
      "predict, report": evaluate.toFixed(1),
      "read, divide, write": (seconds - fineTune - evaluate).toFixed(1),
      "peak MB": megabytes.toFixed(0),
      accuracy: JSON.parse(out).models.baseline.targets.label.accuracy.toFixed(4),
    });
    rmSync(folder, { recursive: true });
  }
  console.table(table);
} finally {
  rmSync(work, { recursive: true, force: true });
}
