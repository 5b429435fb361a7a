/**
 * How long a full report takes: predictions × labels, one process.
 *
 *   node bench/confidence/report.ts [rows, default 1000000] [labels, default 100] [listed, default all labels]
 *
 * Every row is its `listed` most probable labels and the rest as mass (all: a whole vector); it is read once (calibrated by a temperature on arrival), then reported:
 * every metric with its interval, a slice column, the accept rule, the thresholds table, a comparison with a second model.
 */

import { acceptedMask, acceptRows } from "../../server/src/confidence/acceptRule.ts";
import { type CalibrationMap, calibratedFigures } from "../../server/src/confidence/calibrate.ts";
import { type Distribution, fullDistribution } from "../../server/src/confidence/distribution.ts";
import { seededRandom } from "../../server/src/confidence/random.ts";
import { type TestRows, testRows } from "../../server/src/confidence/roles.ts";
import { scoredRowsBuilder } from "../../server/src/confidence/scoredRows.ts";
import { comparePair } from "../../server/src/evaluation/compare.ts";
import { reportAccept, reportSlices, reportTarget } from "../../server/src/evaluation/metrics.ts";
import { thresholdsTable } from "../../server/src/evaluation/thresholds.ts";

/** Processor seconds of this process so far: what a machine without other work would need. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const rows = Number(process.argv[2] ?? 1_000_000);
const labels = Number(process.argv[3] ?? 100);
const listed = Math.min(labels, Number(process.argv[4] ?? labels));

/** The `listed` most probable labels of a vector. */
function mostProbable(vector: Float64Array): Distribution {
  if (listed === labels) return fullDistribution(vector);
  const order = Array.from(vector, (_, k) => k).sort((a, b) => vector[b]! - vector[a]!);
  const rest = order.slice(listed).reduce((sum, k) => sum + vector[k]!, 0);
  const kept = Int32Array.from(order.slice(0, listed));
  return { labels: kept, probabilities: Float64Array.from(kept, (k) => vector[k]!), rest, restCount: labels - listed };
}

/** Rows with made-up vectors: one label stands out, the given label follows the vector. Vectors come from a small stock. */
function made(seed: number, map: CalibrationMap): { set: TestRows; seconds: number } {
  const random = seededRandom(seed);
  const stock = Array.from({ length: 2000 }, () => {
    const weights = Float64Array.from({ length: labels }, () => Math.exp(random.normal()));
    weights[random.below(labels)]! += labels * 4 * random.uniform();
    const sum = weights.reduce((a, b) => a + b);
    return mostProbable(weights.map((weight) => weight / sum));
  });
  const names = Array.from({ length: labels }, (_, k) => `label ${k}`);
  const builder = scoredRowsBuilder({
    labels: names,
    calibrate: (distribution, predicted, truth) => calibratedFigures(map, distribution, predicted, truth),
  });
  const truthOf = seededRandom(99);
  const started = processorSeconds();
  for (let i = 0; i < rows; i++) {
    const distribution = stock[i % stock.length]!;
    // The stock's vectors differ by seed, the given labels do not: both models speak of the same rows.
    const truth = truthOf.uniform() < 0.7 ? (i * 31) % labels : truthOf.below(labels);
    builder.push({ split: "test", truth, distribution });
  }
  const set = testRows(builder.finish());
  return { set, seconds: processorSeconds() - started };
}

const first = made(1, { kind: "temperature", temperature: 1.3 });
const second = made(2, { kind: "none" });
const times: [string, number][] = [
  ["read and calibrate (temperature)", first.seconds],
  ["read (uncalibrated)", second.seconds],
];
const timed = <T>(name: string, work: () => T): T => {
  const started = processorSeconds();
  const result = work();
  times.push([name, processorSeconds() - started]);
  return result;
};
timed("report", () => reportTarget(first.set));
const accept = timed("accept rule", () => {
  const made = acceptRows("row", [{ target: "t", set: first.set }], { by: "confidence" });
  reportAccept(made, { by: "confidence", thresholds: [0.5] });
  return made;
});
timed("thresholds table", () => thresholdsTable(accept));
timed("slices (20 values)", () =>
  reportSlices(
    first.set,
    Int32Array.from({ length: rows }, (_, i) => i % 20),
    Array.from({ length: 20 }, (_, k) => `value ${k}`),
    acceptedMask(accept, { by: "confidence", thresholds: [0.5] }),
  ),
);
timed("comparison with a second model", () => comparePair(first.set, second.set));

console.log(`${rows} rows, ${labels} labels, ${listed} listed; processor seconds`);
for (const [name, seconds] of times) console.log(`${name}: ${seconds.toFixed(2)} s`);
const report = times
  .filter(([name]) => name !== "read (uncalibrated)" && !name.startsWith("comparison"))
  .reduce((sum, [, seconds]) => sum + seconds, 0);
console.log(`full report of one model, reading included: ${report.toFixed(2)} s`);
console.log(`peak memory of the process (two models): ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
