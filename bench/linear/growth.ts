/**
 * How time and memory grow with rows: Banking77's train rows over and over, each copy changed by a seeded generator
 * (words dropped, doubled, swapped, letters exchanged).
 *
 *     node bench/linear/growth.ts FOLDER ROWS [threads]
 *
 * Prints one line of JSON. Every tenth row is a tune row; accuracy is on the official test split.
 */
import { extractFeatures, fitLinear, predictProbabilities } from "../../server/src/engines/linear/index.ts";
import { seededRandom } from "../../server/src/engines/linear/random.ts";
import { readCsv } from "./csv.ts";
import { measure } from "./measures.ts";

const [folder, rowsText, threadsText] = process.argv.slice(2);
if (!folder || !rowsText) throw new Error("Usage: growth.ts FOLDER ROWS [threads]");
const rows = Number(rowsText);
const threads = Number(threadsText ?? 2);
const random = seededRandom(42);

function perturbed(text: string): string {
  const words: string[] = [];
  for (const word of text.split(" ")) {
    const draw = random();
    if (draw < 0.05) continue;
    words.push(draw < 0.1 && word.length > 3 ? word.slice(0, 2) + word[3] + word[2] + word.slice(4) : word);
    if (draw > 0.97) words.push(word);
    if (draw > 0.94 && words.length > 1) words.push(words.splice(-2, 1)[0]!);
  }
  return words.join(" ");
}

const source = readCsv(`${folder}/train.csv`);
const test = readCsv(`${folder}/test.csv`);
const names = [...new Set(source.map((row) => row.label!))].sort();
const codes = new Map(names.map((name, i) => [name, i]));
const texts = Array.from({ length: rows }, (_, i) => {
  const text = source[i % source.length]!.text!;
  return [i < source.length ? text : perturbed(text)];
});
const labels = Int32Array.from(texts, (_, i) => codes.get(source[i % source.length]!.label!)!);

const seconds: Record<string, number> = {};
let last = performance.now();
const lap = (name: string) => {
  seconds[name] = (performance.now() - last) / 1000;
  last = performance.now();
};
const features = await extractFeatures(texts);
lap("features");
const all = Int32Array.from(texts, (_, i) => i);
const { model, chosen } = await fitLinear({
  ...{ features, labels, classes: names.length, seed: 42, threads },
  train: all.filter((i) => i % 10 !== 7),
  tune: all.filter((i) => i % 10 === 7),
});
lap("fit");
const probabilities = await predictProbabilities(
  model,
  test.map((row) => [row.text!]),
);
lap("predict");
const cpu = process.cpuUsage();
console.log(
  JSON.stringify({
    rows,
    threads,
    features: model.hashes.length,
    entries: features.terms.length,
    c: chosen.c,
    search: chosen.search.map((step) => `C=${step.c}: ${step.logLoss.toFixed(4)} in ${step.epochs}`),
    epochs: chosen.epochs,
    ...measure(
      probabilities,
      Int32Array.from(test, (row) => codes.get(row.label!)!),
      names.length,
    ),
    seconds,
    cpu_seconds: (cpu.user + cpu.system) / 1e6,
    memory_mb: process.resourceUsage().maxRSS / 1024,
  }),
);
