/**
 * What review in the order of the smallest margin is worth: the same effort spent on rows in random order, beside it.
 *
 *   node bench/review/simulation.ts FOLDER_OF_DATA [seeds, default 10] [noisy_ag_news | hwu64]
 *
 * A fifth of the rows are test, with their true labels. The model starts from a few labelled rows (noisy_ag_news: with the
 * wrong labels they came with); all others are the pool. In each round the linear engine is fitted anew (with its default C:
 * there are no tune rows), the pool's rows come in the order of the review queue, and a simulated reviewer, who knows the true
 * labels, decides the first 300, which join train.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededPermutation } from "../../server/src/confidence/random.ts";
import {
  extractFeatures,
  type Features,
  fitLinear,
  predictProbabilities,
} from "../../server/src/engines/linear/index.ts";
import { type ReviewItem, reviewQueue } from "../../server/src/review/queue.ts";
import { readCsv } from "../linear/csv.ts";

interface Study {
  name: string;
  texts: string[];
  /** Label numbers the rows came with, and the true ones. */
  given: Int32Array;
  truth: Int32Array;
  labels: string[];
  /** Labelled rows at the start. */
  start: number;
  reviews: number;
}

const A_ROUND = 300;

function study(
  name: string,
  rows: Record<string, string>[],
  given: string,
  truth: string,
  size: Pick<Study, "start" | "reviews">,
): Study {
  const labels = [...new Set(rows.map((row) => row[truth]!))].sort();
  const numbers = (column: string) => Int32Array.from(rows, (row) => labels.indexOf(row[column]!));
  return { name, texts: rows.map((row) => row.text!), given: numbers(given), truth: numbers(truth), labels, ...size };
}

const STUDIES: Record<string, (folder: string) => Study> = {
  noisy_ag_news: (folder) =>
    study("noisy_ag_news", readCsv(join(folder, "noisy_ag_news", "train_noisy_10000.csv")), "label", "true_label", {
      start: 300,
      reviews: 2100,
    }),
  hwu64: (folder) =>
    study("hwu64, intent", readCsv(join(folder, "hwu64", "all_10fold.csv")), "intent", "intent", {
      start: 600,
      reviews: 1500,
    }),
};

/** One row of the pool as the queue sees it: flagged, because nothing is accepted yet. */
function itemOf(row: number, probabilities: Float32Array, labels: readonly string[], position: number): ReviewItem {
  const top = Array.from(probabilities, (probability, k) => [labels[k]!, probability] as const)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3);
  return {
    row: `r${row}`,
    target: "label",
    label: top[0]![0],
    confidence: top[0]![1],
    margin: top[0]![1] - top[1]![1],
    top,
    set: null,
    reasons: ["no-accept-rule"],
    given: null,
    split: "pool",
    position,
  };
}

/** Test accuracy at the start and after each round. */
async function run(of: Study, features: Features, order: "margin" | "random", seed: number): Promise<number[]> {
  const { texts, truth, labels, start, reviews } = of;
  const classes = labels.length;
  const shuffled = [...seededPermutation(texts.length, seed)];
  const test = shuffled.slice(0, Math.floor(texts.length / 5));
  const known = shuffled.slice(test.length, test.length + start);
  let pool = shuffled.slice(test.length + start);
  const label = Int32Array.from(of.given);
  const train = [...known];
  const accuracies: number[] = [];
  for (let done = 0; ; done += A_ROUND) {
    const { model } = await fitLinear({
      features,
      labels: label,
      classes,
      seed,
      threads: 1,
      train: Int32Array.from(train),
    });
    const predicted = await predictProbabilities(
      model,
      [...test, ...pool].map((row) => [texts[row]!]),
    );
    const vector = (i: number) => predicted.subarray(i * classes, (i + 1) * classes);
    const right = test.filter((row, i) => vector(i).indexOf(Math.max(...vector(i))) === truth[row]);
    accuracies.push(right.length / test.length);
    if (done >= reviews) return accuracies;
    const items = pool.map((row, i) => itemOf(row, vector(test.length + i), labels, i));
    const queue = reviewQueue(items, new Map(), { order, seed });
    const reviewed = new Set(queue.items.slice(0, A_ROUND).map(({ row }) => Number(row.slice(1))));
    for (const row of reviewed) {
      label[row] = truth[row]!;
      train.push(row);
    }
    pool = pool.filter((row) => !reviewed.has(row));
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Half of the 95 % interval of a mean by Student's t; the quantile for 2 to 10 values. */
function halfWidth(values: readonly number[]): number {
  const t = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262][values.length - 2] ?? Number.NaN;
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  return t * Math.sqrt(variance / values.length);
}

const { positionals } = parseArgs({ allowPositionals: true });
const [folder, seeds = "10", only] = positionals;
if (folder === undefined) throw new Error("Usage: simulation.ts FOLDER_OF_DATA [seeds] [noisy_ag_news | hwu64]");
for (const [name, load] of Object.entries(STUDIES)) {
  if (only !== undefined && only !== name) continue;
  const of = load(folder);
  const features = await extractFeatures(of.texts.map((text) => [text]));
  const byMargin: number[][] = [];
  const atRandom: number[][] = [];
  for (let seed = 1; seed <= Number(seeds); seed++) {
    byMargin.push(await run(of, features, "margin", seed));
    atRandom.push(await run(of, features, "random", seed));
  }
  const percent = (share: number) => (100 * share).toFixed(2);
  console.log(
    `\n${of.name}: ${of.start} labelled rows at the start, rounds of ${A_ROUND}, ${seeds} seeds; accuracy on true labels, %`,
  );
  console.log("| reviews | smallest margin | random | gain, points (95 %, paired) |\n|---|---|---|---|");
  byMargin[0]!.forEach((_, round) => {
    const gains = byMargin.map((run, s) => run[round]! - atRandom[s]![round]!);
    const [gain, half] = [mean(gains), halfWidth(gains)];
    const interval = `${percent(gain)} (${percent(gain - half)} to ${percent(gain + half)})`;
    const column = (runs: number[][]) => percent(mean(runs.map((run) => run[round]!)));
    console.log(`| ${round * A_ROUND} | ${column(byMargin)} | ${column(atRandom)} | ${interval} |`);
  });
}
