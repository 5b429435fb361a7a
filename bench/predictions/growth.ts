/**
 * How long reading another system's predictions takes, and in how much memory: the engine alone, on made-up files of
 * growing length. The job's rows are in memory before it starts; what it adds is told apart.
 *
 *     node --expose-gc bench/predictions/growth.ts [largest, default 1000000] [labels, default 10]
 */
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Job } from "../../schemas/job.ts";
import { PredictionsModel } from "../../schemas/project.ts";
import type { JobRow } from "../../schemas/rows.ts";
import { seededRandom } from "../../server/src/confidence/random.ts";
import { predictionsEngine } from "../../server/src/engines/predictions/engine.ts";

const largest = Number(process.argv[2] ?? 1_000_000);
const labels = Number(process.argv[3] ?? 10);
const names = Array.from({ length: labels }, (_, i) => `l${i}`);
const folder = mkdtempSync(join(tmpdir(), "clf-growth-"));

function* lines(n: number): Generator<string> {
  const random = seededRandom(1);
  yield `id,${names.map((name) => `p_${name}`).join(",")}\n`;
  let text = "";
  for (let i = 0; i < n; i++) {
    const weights = names.map(() => random.uniform() ** 4);
    const sum = weights.reduce((a, b) => a + b, 0);
    text += `r${i},${weights.map((w) => (w / sum).toFixed(6)).join(",")}\n`;
    if (text.length < 1 << 16) continue;
    yield text;
    text = "";
  }
  yield text;
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
const results = [];
try {
  for (const n of [largest / 100, largest / 10, largest]) {
    const source = join(folder, "other.csv");
    await pipeline(Readable.from(lines(n)), createWriteStream(source));
    const rows = Array.from(
      { length: n },
      (_, i): JobRow => ({ row: `r${i}`, split: "test", inputs: { text: "" }, labels: { t: names[i % labels]! } }),
    );
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let peak = before;
    let predicted = 0;
    const cpu = process.cpuUsage();
    const started = performance.now();
    await predictionsEngine.predict({
      job: {
        kind: "evaluate",
        task: {
          inputs: [{ column: "text", name: "text" }],
          targets: [{ name: "t", column: "t", labels: names.map((name) => ({ name })) }],
        },
      } as unknown as Job,
      model: {
        name: "other",
        spec: PredictionsModel.parse({ engine: "predictions", source: "other.csv", id: "id" }),
        training_spec: "",
        source: { path: "other.csv", name: "other.csv", sha256: "" },
      },
      rows,
      threads: 1,
      signal: new AbortController().signal,
      source,
      splits: ["test"],
      outOfFold: false,
      done: () => false,
      emit() {},
      predicted() {
        predicted++;
        if (predicted % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
      },
    });
    const { user, system } = process.cpuUsage(cpu);
    results.push({
      rows: n,
      labels,
      "file MB": megabytes(statSync(source).size),
      predicted,
      seconds: ((performance.now() - started) / 1000).toFixed(2),
      "processor seconds": ((user + system) / 1e6).toFixed(2),
      "MB before": megabytes(before),
      "MB added at most": megabytes(peak - before),
    });
  }
  console.table(results);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
