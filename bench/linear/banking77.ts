/**
 * Banking77, official split, as the product does it: `carved` (16 % of train is validation, the temperature is fitted there)
 * or `out-of-fold` (no validation, the temperature is fitted on out-of-fold probabilities).
 *
 *     node bench/linear/banking77.ts FOLDER (carved | out-of-fold) [threads]
 *
 * Prints one line of JSON. Everything but the imports is timed. Set TUNE=1 to measure on the tune rows instead of on test.
 */
import { availableParallelism } from "node:os";
import { extractFeatures, fitLinear, outOfFold, predictProbabilities } from "../../server/src/engines/linear/index.ts";
import { readCsv } from "./csv.ts";
import { fitTemperature, measure } from "./measures.ts";
import { carve } from "./split.ts";

const [folder, mode, threadsText] = process.argv.slice(2);
if (!folder || (mode !== "carved" && mode !== "out-of-fold")) {
  throw new Error("Usage: banking77.ts FOLDER (carved | out-of-fold) [threads]");
}
const threads = Number(threadsText ?? availableParallelism());
const seed = Number(process.env.SEED ?? 42);

const seconds: Record<string, number> = {};
const started = performance.now();
let last = started;
const lap = (name: string) => {
  const now = performance.now();
  seconds[name] = (now - last) / 1000;
  last = now;
};

const trainRows = readCsv(`${folder}/train.csv`);
const testRows = readCsv(`${folder}/test.csv`);
const names = [...new Set(trainRows.map((row) => row.label!))].sort();
const codes = new Map(names.map((name, i) => [name, i]));
const labels = Int32Array.from(trainRows, (row) => codes.get(row.label!)!);
const texts = trainRows.map((row) => row.text!);
const classes = names.length;
const everything = carve([...texts.keys()], labels, texts, mode === "carved" ? 0.16 : 0, seed);
const { carved: tune, rest: train } = carve(everything.rest, labels, texts, 0.1, seed + 1);
lap("read");

const modelRows = everything.rest;
const position = new Map(modelRows.map((row, i) => [row, i]));
const features = await extractFeatures(modelRows.map((row) => [texts[row]!]));
lap("features");
const base = { features, labels: Int32Array.from(modelRows, (row) => labels[row]!), classes, seed, threads };
const at = (rows: number[]) => Int32Array.from(rows, (row) => position.get(row)!);
const { model, chosen } = await fitLinear({ ...base, train: at(train), tune: at(tune) });
lap("fit");

let temperature: number;
if (mode === "carved") {
  const validation = everything.carved;
  const probabilities = await predictProbabilities(
    model,
    validation.map((row) => [texts[row]!]),
  );
  temperature = fitTemperature(
    probabilities,
    Int32Array.from(validation, (row) => labels[row]!),
    classes,
  );
} else {
  const keys = new Map<string, number>();
  const groups = Int32Array.from(modelRows, (row) => {
    if (!keys.has(texts[row]!)) keys.set(texts[row]!, keys.size);
    return keys.get(texts[row]!)!;
  });
  const rows = Int32Array.from(modelRows, (_, i) => i);
  const held = await outOfFold({ ...base, rows, groups, c: chosen.c });
  lap("out-of-fold");
  temperature = fitTemperature(held.probabilities, base.labels, classes);
}
lap("calibrate");
const probabilities = await predictProbabilities(
  model,
  testRows.map((row) => [row.text!]),
);
lap("predict");
seconds.total = (performance.now() - started) / 1000;
const testLabels = Int32Array.from(testRows, (row) => codes.get(row.label!)!);
const cpu = process.cpuUsage();
console.log(
  JSON.stringify({
    name: `linear ${mode}`,
    threads,
    c: chosen.c,
    search: chosen.search.map((step) => `C=${step.c}: ${step.logLoss.toFixed(4)} in ${step.epochs}`),
    epochs: chosen.epochs,
    temperature,
    features: model.hashes.length,
    ...(process.env.TUNE
      ? {
          tune: measure(
            chosen.tuneProbabilities!,
            Int32Array.from(tune, (row) => labels[row]!),
            classes,
          ),
        }
      : {
          uncalibrated: measure(probabilities, testLabels, classes),
          ...measure(probabilities, testLabels, classes, temperature),
        }),
    validation: everything.carved,
    seconds,
    cpu_seconds: (cpu.user + cpu.system) / 1e6,
    memory_mb: process.resourceUsage().maxRSS / 1024,
  }),
);
