/** `one.ts URL ROWS PARALLEL`: engine `chat` over so many rows, in this process. Prints seconds, rows and the most memory, as JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job, JobModel } from "../../schemas/job.ts";
import { Confidence, Model } from "../../schemas/project.ts";
import type { JobRow } from "../../schemas/rows.ts";
import { chatEngine } from "../../server/src/engines/chat/engine.ts";

const [url, count, parallel] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
const model: JobModel = {
  name: "m",
  spec: Model.parse({ engine: "chat", endpoint: "bench", model: "bench", confidence: { signal: "logprobs" } }),
  training_spec: "0",
  endpoint: { name: "bench", base_url: url, concurrency: parallel, logprobs: 0, structured: false },
};
const job: Job = {
  contract: 1,
  id: "20261122-0000-bench-00000000",
  kind: "predict",
  project: { name: "bench", file: "bench.clf.yaml" },
  models: [model],
  host: { name: "local", kind: "local" },
  task: {
    inputs: [{ column: "text", name: "text" }],
    targets: [{ name: "label", column: "label", labels: [{ name: "good" }, { name: "bad" }] }],
  },
  data: {
    fingerprint: "0",
    rows: {},
    decisions: 0,
    sampling: { left_out: 0, dropped_labels: {}, applied: "train" },
    validation: true,
    grouped: false,
  },
  confidence: Confidence.parse({}),
  seed: 1,
  created: "2026-11-22T00:00:00Z",
  versions: {},
  options: {},
};
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
  predicted: () => predicted++,
});
const seconds = (performance.now() - started) / 1000;
clearInterval(watch);
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    seconds,
    rows: predicted,
    cpu: process.cpuUsage().user / 1e6,
    megabytes: Math.round(most / 1e6),
    base: Math.round(base / 1e6),
  }),
);
