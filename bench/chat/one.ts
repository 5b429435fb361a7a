/**
 * `one.ts URL ROWS PARALLEL`: engine `chat` over so many rows, in this process. Prints seconds, rows and the most memory, as JSON; on standard
 * error the memory after each 10,000 rows.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobModel } from "../../schemas/job.ts";
import { Model } from "../../schemas/project.ts";
import type { JobRow } from "../../schemas/rows.ts";
import { chatEngine } from "../../server/src/engines/chat/engine.ts";
import { madeJob } from "../../test/unit/made-job.ts";

const [url, count, parallel] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
const model: JobModel = {
  name: "m",
  spec: Model.parse({ engine: "chat", endpoint: "bench", model: "bench", confidence: { signal: "logprobs" } }),
  training_spec: "0",
  endpoint: { name: "bench", base_url: url, concurrency: parallel, logprobs: 2, structured: false },
};
const job = madeJob({ kind: "predict", models: [model] });
const rows = Array.from(
  { length: count },
  (_, i): JobRow => ({
    row: `r${i}`,
    split: "pool",
    inputs: { text: `This is text number ${i} of the bench.` },
    labels: {},
  }),
);
const base = process.memoryUsage().rss;
let most = base;
const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 100);
let predicted = 0;
const started = performance.now();
await chatEngine.predict({
  job,
  model,
  rows,
  threads: 1,
  work: join(folder, "work"),
  keys: [],
  signal: new AbortController().signal,
  emit: () => {},
  splits: ["pool"],
  outOfFold: false,
  done: () => false,
  predicted() {
    if (++predicted % 10_000 === 0)
      console.error(`${predicted} rows: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
  },
});
const seconds = (performance.now() - started) / 1000;
clearInterval(watch);
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    seconds,
    rows: predicted,
    cpu: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    megabytes: Math.round(most / 1e6),
    base: Math.round(base / 1e6),
  }),
);
