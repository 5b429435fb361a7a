/**
 * Calibration, metrics and prediction sets beside scikit-learn, netcal and MAPIE: the same rows, one run.
 *
 *   node bench/confidence/peers.ts FOLDER_OF_calibration PYTHON     (a Python with scikit-learn, netcal and mapie)
 *
 * wideresnet_cifar10: the first 5,000 rows calibrate, the other 5,000 are judged. Times are processor time of the
 * calculation alone, the median of five runs (netcal's temperature: one).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { calibrate, fitCalibrator } from "../../server/src/confidence/calibrate.ts";
import { fullDistribution } from "../../server/src/confidence/distribution.ts";
import { applyHistogram, fitHistogram } from "../../server/src/confidence/histogram.ts";
import {
  calibratePredictionSets,
  type PredictionSetMethod,
  predictionSet,
} from "../../server/src/confidence/predictionSets.ts";
import { testRows, validationRows } from "../../server/src/confidence/roles.ts";
import { distributionAt, isCorrect, type Split, scoredRows } from "../../server/src/confidence/scoredRows.ts";
import { calibrationErrors } from "../../server/src/evaluation/bins.ts";
import { auroc, rankRows } from "../../server/src/evaluation/ranking.ts";

const [folder, python] = process.argv.slice(2);
if (folder === undefined || python === undefined) throw new Error("Usage: peers.ts FOLDER_OF_calibration PYTHON");

interface Row {
  truth: number;
  probabilities: number[];
}
const rows = gunzipSync(readFileSync(join(folder, "wideresnet_cifar10.csv.gz")))
  .toString()
  .trim()
  .split("\n")
  .slice(1)
  .map((line): Row => {
    const [, truth, ...probabilities] = line.split(",").map(Number);
    return { truth: truth!, probabilities };
  });
const labels = rows[0]!.probabilities.length;
const [fit, test] = [rows.slice(0, rows.length / 2), rows.slice(rows.length / 2)];
const table = (split: Split, part: readonly Row[]) =>
  scoredRows(
    part.map(({ truth, probabilities }) => ({ split, truth, distribution: fullDistribution(probabilities) })),
    { labels: Array.from({ length: labels }, (_, k) => `${k}`), keepDistributions: true },
  );
const validation = validationRows(table("validation", fit));
const judged = testRows(table("test", test));
const right = Uint8Array.from(test, (_, i) => (isCorrect(judged.rows, i) ? 1 : 0));

const ours = new Map<string, { seconds: number; value: number[] }>();
function timed(name: string, work: () => ArrayLike<number>): void {
  const seconds: number[] = [];
  let value: ArrayLike<number> = [];
  for (let run = 0; run < 5; run++) {
    const started = process.cpuUsage();
    value = work();
    const { user, system } = process.cpuUsage(started);
    seconds.push((user + system) / 1e6);
  }
  ours.set(name, { seconds: seconds.sort((a, b) => a - b)[2]!, value: Array.from(value) });
}
const mean = (of: (i: number) => number): number[] => [test.reduce((sum, _, i) => sum + of(i), 0) / test.length];

const columns = judged.rows;
timed("accuracy", () => mean((i) => right[i]!));
timed("log loss", () => mean((i) => -Math.log(Math.max(columns.truthProbability[i]!, 1e-12))));
timed("Brier score", () => mean((i) => columns.squaredSum[i]! - 2 * columns.truthProbability[i]! + 1));
timed("AUROC", () => [auroc(rankRows(columns.confidence, right))!.value]);
timed("ECE", () => [calibrationErrors(columns.confidence, right, { bins: 15, convention: "[lo,hi)" }).l1]);
timed("MCE", () => [calibrationErrors(columns.confidence, right, { bins: 15, convention: "[lo,hi)" }).max]);
timed("temperature", () => {
  const { map } = fitCalibrator(validation, "temperature");
  return [map.kind === "temperature" ? map.temperature : Number.NaN];
});
for (const [name, kind] of [
  ["isotonic", "isotonic"],
  ["Platt", "platt"],
] as const) {
  timed(name, () => calibrate(judged, fitCalibrator(validation, kind)).rows.confidence);
}
// So that both sides cut the bins at the same places.
const withoutTies = (confidence: Float64Array): Float64Array =>
  confidence.map((c, i) => c * (1 - (1e-6 * i) / confidence.length));
timed("histogram", () => {
  const fitRight = fit.map((_, i) => (isCorrect(validation.rows, i) ? 1 : 0));
  const map = fitHistogram(withoutTies(validation.rows.score), fitRight);
  return withoutTies(columns.score).map((score) => applyHistogram(map, score));
});
for (const method of ["lac", "aps"] as PredictionSetMethod[]) {
  timed(method.toUpperCase(), () => {
    const rule = calibratePredictionSets(validation, new Uint8Array(fit.length).fill(1), method, 0.9);
    return test.map((_, i) =>
      predictionSet(rule, distributionAt(columns, i)!, columns.labels.length).labels.reduce(
        (mask, label) => mask + 2 ** label,
        0,
      ),
    );
  });
}

const work = mkdtempSync(join(tmpdir(), "clf-peers-"));
try {
  writeFileSync(join(work, "shape.json"), JSON.stringify({ labels }));
  for (const [name, part] of [
    ["fit", fit],
    ["test", test],
  ] as const) {
    writeFileSync(
      join(work, `${name}.p.f64`),
      new Uint8Array(Float64Array.from(part.flatMap((row) => row.probabilities)).buffer),
    );
    writeFileSync(join(work, `${name}.y.i32`), new Uint8Array(Int32Array.from(part, (row) => row.truth).buffer));
  }
  const run = spawnSync(python, [join(import.meta.dirname, "peers.py"), work], { encoding: "utf8", maxBuffer: 1e9 });
  if (run.status !== 0) throw new Error(run.stderr);
  const peers = JSON.parse(run.stdout.trim().split("\n").at(-1)!) as Record<
    string,
    { seconds: number; value: number[] }
  >;

  const bits = (mask: number): number => mask.toString(2).replaceAll("0", "").length;
  const ofSets = (masks: readonly number[]): string => {
    const covered = masks.filter((mask, i) => (mask >> test[i]!.truth) & 1).length / masks.length;
    return `covers ${(100 * covered).toFixed(2)} %, ${(masks.reduce((sum, mask) => sum + bits(mask), 0) / masks.length).toFixed(3)} labels`;
  };
  console.log("| | ours | theirs | difference | ms ours | ms theirs | times |\n|---|---|---|---|---|---|---|");
  for (const [name, theirs] of Object.entries(peers)) {
    const own = ours.get(name.split(": ")[1]!)!;
    const isSet = /LAC|APS/.test(name);
    const show = ({ value }: { value: number[] }): string =>
      isSet ? ofSets(value) : value.length === 1 ? value[0]!.toFixed(6) : `${value.length} confidences`;
    const gaps = own.value.map((value, i) => Math.abs(value - theirs.value[i]!));
    const difference = isSet
      ? `${gaps.filter((gap) => gap > 0).length} of ${gaps.length} sets, ${theirs.value.filter((mask) => mask === 0).length} of them empty`
      : gaps.reduce((a, b) => Math.max(a, b), 0).toExponential(1);
    const cells = [
      name,
      show(own),
      show(theirs),
      difference,
      (1e3 * own.seconds).toFixed(2),
      (1e3 * theirs.seconds).toFixed(2),
    ];
    console.log(`| ${[...cells, (theirs.seconds / own.seconds).toFixed(1)].join(" | ")} |`);
  }
} finally {
  rmSync(work, { recursive: true });
}
