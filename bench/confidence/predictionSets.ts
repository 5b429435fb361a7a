/**
 * Prediction sets on Banking77: coverage and size on the rows that a reviewer sees.
 *
 *   node bench/confidence/predictionSets.ts FOLDER_OF_banking77 [splits, default 200]
 *
 * The linear engine is fitted on the official train rows less a validation part of 2,000; those and the official test rows (3,080) are
 * then divided again and again, at random, into validation and test: threshold and sets come from the one, coverage and size from
 * the flagged rows of the other. "all rows": sets calibrated on all validation rows, as is usual, and judged on the flagged ones.
 */
import { join } from "node:path";
import { acceptedMask, acceptGrid, acceptRows, certify, thresholdsOf } from "../../server/src/confidence/acceptRule.ts";
import { fullDistribution } from "../../server/src/confidence/distribution.ts";
import {
  calibratePredictionSets,
  measurePredictionSets,
  type PredictionSetMethod,
} from "../../server/src/confidence/predictionSets.ts";
import { seededPermutation } from "../../server/src/confidence/random.ts";
import { type Role, type RowSet, testRows, tuneRows, validationRows } from "../../server/src/confidence/roles.ts";
import { type Split, scoredRows } from "../../server/src/confidence/scoredRows.ts";
import { extractFeatures, fitLinear, predictProbabilities } from "../../server/src/engines/linear/index.ts";
import { readCsv } from "../linear/csv.ts";
import { carve } from "../linear/split.ts";

const [folder, splits = "200"] = process.argv.slice(2);
if (folder === undefined) throw new Error("Usage: predictionSets.ts FOLDER_OF_banking77 [splits]");
const COVERAGE = 0.9;
const seed = 42;

const train = readCsv(join(folder, "train.csv"));
const test = readCsv(join(folder, "test.csv"));
const names = [...new Set(train.map((row) => row.label!))].sort();
const classes = names.length;
const codes = (rows: typeof train) => Int32Array.from(rows, (row) => names.indexOf(row.label!));
const labels = codes(train);
const texts = train.map((row) => row.text!);
const { carved: held, rest } = carve([...texts.keys()], labels, texts, 2000 / train.length, seed);
const { carved: tune, rest: fitted } = carve(rest, labels, texts, 0.1, seed + 1);
const features = await extractFeatures(texts.map((text) => [text]));
const { model, chosen } = await fitLinear({
  features,
  labels,
  classes,
  seed,
  threads: 2,
  train: Int32Array.from(fitted),
  tune: Int32Array.from(tune),
});

/** Rows with their given labels and the model's probabilities. */
interface Judged {
  truth: number;
  probabilities: Float64Array;
}
const judged = (truths: ArrayLike<number>, probabilities: Float32Array): Judged[] =>
  Array.from(truths, (truth, i) => ({
    truth,
    probabilities: Float64Array.from(probabilities.subarray(i * classes, (i + 1) * classes)),
  }));
const table = (split: Split, rows: readonly Judged[]) =>
  scoredRows(
    rows.map(({ truth, probabilities }) => ({ split, truth, distribution: fullDistribution(probabilities) })),
    { labels: names, keepDistributions: true },
  );
const accept = <R extends Role>(set: RowSet<R>) => acceptRows("target", [{ target: "label", set }]);

const streamTexts = [...held.map((row) => [texts[row]!]), ...test.map((row) => [row.text!])];
const truths = [...held.map((row) => labels[row]!), ...codes(test)];
const stream = judged(truths, await predictProbabilities(model, streamTexts));
const tuneLabels = tune.map((row) => labels[row]!);
const grid = acceptGrid(accept(tuneRows(table("tune", judged(tuneLabels, chosen.tuneProbabilities!)))));

/** Sums over the splits. */
interface Sums {
  coverage: number[];
  size: number;
}
const methods: PredictionSetMethod[] = ["lac", "aps"];
const onFlagged = methods.map((): Sums => ({ coverage: [], size: 0 }));
const onAll = methods.map((): Sums => ({ coverage: [], size: 0 }));
let flaggedShare = 0;
for (let s = 0; s < Number(splits); s++) {
  const order = [...seededPermutation(stream.length, s)].map((i) => stream[i]!);
  const validation = validationRows(table("validation", order.slice(0, held.length)));
  const report = testRows(table("test", order.slice(held.length)));
  const rule = thresholdsOf(
    certify(accept(validation), grid, { risk: 0.05, certainty: 0.95 }, { population: "Banking77", date: "" }),
  );
  const flagged = acceptedMask(accept(validation), rule).map((accepted) => 1 - accepted);
  const flaggedTest = acceptedMask(accept(report), rule).map((accepted) => 1 - accepted);
  flaggedShare += flaggedTest.reduce((a, b) => a + b, 0) / flaggedTest.length / Number(splits);
  methods.forEach((method, m) => {
    for (const [sums, mask] of [
      [onFlagged[m]!, flagged],
      [onAll[m]!, new Uint8Array(flagged.length).fill(1)],
    ] as const) {
      const sets = calibratePredictionSets(validation, mask, method, COVERAGE);
      const { coverage, meanSize } = measurePredictionSets(sets, report, flaggedTest);
      sums.coverage.push(coverage!.value);
      sums.size += meanSize! / Number(splits);
    }
  });
}
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
console.log(
  `${splits} divisions; ${held.length} validation and ${test.length} test rows, of which ${percent(flaggedShare)} are flagged at risk .05, certainty .95`,
);
console.log(
  "| sets at 90 % | calibrated on | coverage of flagged test rows: mean | 5th to 95th percentile | mean size |\n|---|---|---|---|---|",
);
for (const [name, sums] of [
  ["flagged rows", onFlagged],
  ["all rows", onAll],
] as const) {
  methods.forEach((method, m) => {
    const { coverage, size } = sums[m]!;
    const sorted = [...coverage].sort((a, b) => a - b);
    const at = (share: number) => percent(sorted[Math.floor(share * (sorted.length - 1))]!);
    const mean = percent(coverage.reduce((a, b) => a + b, 0) / coverage.length);
    console.log(`| ${method.toUpperCase()} | ${name} | ${mean} | ${at(0.05)} to ${at(0.95)} | ${size.toFixed(2)} |`);
  });
}
