/**
 * Times openDataset on one file, step by step: wall clock, processor time and memory of this process.
 * Usage: node bench/dataset/open.ts FILE [--group COLUMN] [--id COLUMN]
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ProjectFile } from "../../schemas/project.ts";
import { openDataset } from "../../server/src/dataset/dataset.ts";
import { createDuckDb } from "../../server/src/dataset/duckdb.ts";
import { resolveProject } from "../../server/src/project/resolve.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { group: { type: "string" }, id: { type: "string" } },
});
const [file] = positionals;
if (!file) throw new Error("Usage: node bench/dataset/open.ts FILE [--group COLUMN] [--id COLUMN]");
const folder = await realpath(path.dirname(file));
const scratch = await mkdtemp(path.join(tmpdir(), "clf-bench-"));
const spec = ProjectFile.parse({
  version: 1,
  dataset: { source: path.basename(file), id: values.id, group: values.group },
  task: { inputs: ["text"], targets: [{ column: "label" }] },
});
const project = {
  ...resolveProject(path.join(scratch, "bench.clf.yaml"), spec, new Map()),
  folder,
};
const duckdb = createDuckDb({ folder });
let step = "";
let since = performance.now();
let cpu = process.cpuUsage();
function close(next: string): void {
  const used = process.cpuUsage(cpu);
  if (step) {
    const memory = process.memoryUsage();
    console.log(
      [
        step.padEnd(20),
        `${((performance.now() - since) / 1000).toFixed(2)} s`.padStart(9),
        `${((used.user + used.system) / 1e6).toFixed(2)} s cpu`.padStart(12),
        `${(memory.rss / 1e6).toFixed(0)} MB resident`.padStart(18),
      ].join("  "),
    );
  }
  step = next;
  since = performance.now();
  cpu = process.cpuUsage();
}
const begin = performance.now();
const dataset = await openDataset(project, {
  duckdb,
  onProgress: (name) => {
    if (name !== step) close(name);
  },
});
close("");
console.log(
  `total ${((performance.now() - begin) / 1000).toFixed(2)} s, ${dataset.profile.rows.toLocaleString()} rows`,
);
console.log(JSON.stringify({ splits: dataset.profile.splits, duplicates: dataset.profile.duplicates }));
for (const problem of dataset.problems) console.log(problem.severity, problem.code, problem.message);
await duckdb.close();
await rm(scratch, { recursive: true });
