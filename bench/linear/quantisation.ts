/**
 * What 8-bit weights cost on the official test split of Banking77: the same fit with float32 and with the weights a model keeps.
 *
 *     node bench/linear/quantisation.ts FOLDER
 */
import { extractFeatures, fitLinear, predictProbabilities } from "../../server/src/engines/linear/index.ts";
import { defaultOptions } from "../../server/src/engines/linear/options.ts";
import { runTask } from "../../server/src/engines/linear/tasks.ts";
import { readCsv } from "./csv.ts";
import { measure } from "./measures.ts";

const folder = process.argv[2];
if (!folder) throw new Error("Usage: quantisation.ts FOLDER");
const train = readCsv(`${folder}/train.csv`);
const test = readCsv(`${folder}/test.csv`);
const names = [...new Set(train.map((row) => row.label!))].sort();
const codes = new Map(names.map((name, i) => [name, i]));
const rows = [...train, ...test];
const labels = Int32Array.from(rows, (row) => codes.get(row.label!)!);
const features = await extractFeatures(rows.map((row) => [row.text!]));
const trainRows = Int32Array.from(train, (_, i) => i);
const testRows = Int32Array.from(test, (_, i) => train.length + i);
const base = { labels, classes: names.length, seed: 42, c: 300, train: trainRows };

// A fold task predicts with the weights as they were fitted.
const float = runTask(
  { ...base, kind: "fold", counts: features, options: defaultOptions, heldOut: testRows },
  () => {},
);
const { model } = await fitLinear({ ...base, features });
const quantised = await predictProbabilities(
  model,
  test.map((row) => [row.text!]),
);
const testLabels = labels.slice(train.length);
console.log(
  JSON.stringify({
    float32: measure(float, testLabels, names.length),
    int8: measure(quantised, testLabels, names.length),
  }),
);
