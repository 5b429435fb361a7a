/**
 * A cascade whose second stage is better than its first, on Banking77 (20 labels), with real models on a CPU:
 *
 *     node bench/chat/cascade.ts DATA MODEL TO
 *
 * Makes TO/first, a linear model of 4 train rows a label (none of them a row of the cascade), has it predict all rows of the cascade, and makes TO/cascade: its predictions as stage `first`, SmolLM2-135M
 * fine-tuned on 12 rows a label (head classifier, as in bench/qlora) as stage `head`, the rest to people. Then, in TO/cascade:
 *
 *     clf fine-tune cascade.clf.yaml -m head && clf evaluate cascade.clf.yaml -m head
 *     clf compare cascade.clf.yaml -m first -m linear -m both
 *
 * DATA and MODEL are those of bench/qlora/projects.ts. Which rows: the first of each label in the order of the file; nothing was chosen by its result.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { readCsv } from "../linear/csv.ts";

type Rows = Record<string, string>[];

const { positionals } = parseArgs({ allowPositionals: true });
const [data = "", model = "", to = ""] = positionals.map((path) => resolve(path));
const CLI = join(import.meta.dirname, "..", "..", "server", "src", "cli.ts");
/** Rows a label, in the order of the file: those of the cascade, then those of its first stage, which are no rows of the cascade. */
const CASCADE: [string, number][] = [
  ["train", 12],
  ["validation", 13],
];
const FIRST: [string, number][] = [
  ...CASCADE.map(([, n]): [string, number] => ["", n]),
  ["train", 4],
  ["validation", 4],
  ["test", 2],
];
const TEST = 10;

/** The first rows of each of 20 labels, named as a split; those that are named "" are passed over. */
function take(file: string, wanted: [string, number][]): Rows {
  const rows = readCsv(join(data, "banking77", file));
  const twenty = new Set([...new Set(rows.map(({ label }) => label!))].sort().slice(0, 20));
  const seen = new Map<string, number>();
  return rows.flatMap((row) => {
    if (!twenty.has(row.label!)) return [];
    let place = seen.get(row.label!) ?? 0;
    seen.set(row.label!, place + 1);
    for (const [split, count] of wanted) {
      if (place < count) return split === "" ? [] : [{ ...row, split }];
      place -= count;
    }
    return [];
  });
}

function write(name: string, columns: string[], rows: Rows, models: string): string {
  const folder = join(to, name);
  mkdirSync(folder, { recursive: true });
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]!))].map((fields) =>
    fields.map(quoted).join(","),
  );
  writeFileSync(join(folder, "data.csv"), `${lines.join("\n")}\n`);
  const file = join(folder, `${name}.clf.yaml`);
  writeFileSync(
    file,
    `version: 1
dataset: { source: data.csv, split: { column: split } }
task: { inputs: [text], targets: [{ column: label }] }
models:
${models}confidence: { accept: { risk: 0.1, certainty: 0.9 } }
`,
  );
  return file;
}

const rows = [...take("train.csv", CASCADE), ...take("test.csv", [["test", TEST]])];
const first = write("first", ["text", "label", "split"], take("train.csv", FIRST), "  baseline: { engine: linear }\n");
const cascade = join(to, "cascade");
rmSync(join(cascade, "model"), { force: true });
write(
  "cascade",
  ["text", "label", "split"],
  rows,
  `  first:
    engine: predictions
    source: first.jsonl
    targets: { label: { label: label predicted, probability: label confidence } }
  linear: { engine: linear }
  head:
    engine: qlora
    base: model
    gguf_file: SmolLM2-135M-Instruct.Q4_1.gguf
    quantization: none
    lora: { rank: 16, alpha: 32, dropout: 0, target_modules: [q_proj, v_proj] }
    epochs: 2
    batch_size: 8
    learning_rate: 2e-3
    max_tokens: 128
    head: classifier
  both: { engine: cascade, stages: [first, head] }
`,
);
symlinkSync(model, join(cascade, "model"));
const clf = (...args: string[]) => execa(process.execPath, [CLI, ...args], { stdio: ["ignore", "ignore", "inherit"] });
await clf("evaluate", first, "--model", "baseline");
writeFileSync(join(cascade, "texts.jsonl"), rows.map(({ text }) => `${JSON.stringify({ text })}\n`).join(""));
await clf(
  "predict",
  first,
  join(cascade, "texts.jsonl"),
  "--model",
  "baseline",
  "--output",
  join(cascade, "first.jsonl"),
);
