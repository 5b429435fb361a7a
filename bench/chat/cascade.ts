/**
 * A cascade whose second stage is better than its first, on Banking77 (20 labels), with real models on a CPU:
 *
 *     node bench/chat/cascade.ts DATA MODEL TO
 *
 * Makes TO/first, a linear model of 4 train rows a label (none of them a row of the cascade), has it predict all rows of the cascade, and makes TO/cascade: its predictions as stage `first`, SmolLM2-135M
 * fine-tuned on 12 rows a label (head classifier, as in bench/qlora) as stage `head`, the rest to people. Then, in TO/cascade:
 *
 *     clf fine-tune cascade.clf.yaml -m head && clf evaluate cascade.clf.yaml -m head
 *     clf compare cascade.clf.yaml -m first -m head -m linear -m both
 *
 * DATA and MODEL are those of bench/qlora/projects.ts. Which rows: the first of each label in the order of the file; nothing was chosen by its result.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { readCsv } from "../linear/csv.ts";
import { ofTwentyLabels, take, tuned, type Wanted, writeProject } from "../qlora/small-project.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [data = "", model = "", to = ""] = positionals.map((path) => resolve(path));
const CLI = join(import.meta.dirname, "..", "..", "server", "src", "cli.ts");
/** Rows a label, in the order of the file: those of the cascade, then those of its first stage, which are no rows of the cascade. */
const CASCADE: Wanted = [
  ["train", 12],
  ["validation", 13],
];
const FIRST: Wanted = [
  ...CASCADE.map(([, n]): Wanted[number] => ["", n]),
  ["train", 4],
  ["validation", 4],
  ["test", 2],
];
const TEST = 10;

const accept = "confidence: { accept: { risk: 0.1, certainty: 0.9 } }\n";

const taken = (file: string, wanted: Wanted) =>
  take(ofTwentyLabels(readCsv(join(data, "banking77", file))), ({ label }) => label!, wanted);
const rows = [...taken("train.csv", CASCADE), ...taken("test.csv", [["test", TEST]])];
const first = writeProject(join(to, "first"), "first", {
  rows: taken("train.csv", FIRST),
  targets: ["label"],
  models: "  baseline: { engine: linear }\n",
  more: accept,
});
const cascade = join(to, "cascade");
writeProject(cascade, "cascade", {
  rows,
  targets: ["label"],
  models: `  first:
    engine: predictions
    source: first.jsonl
    targets: { label: { label: label predicted, probability: label confidence } }
  linear: { engine: linear }
${tuned("head", "    head: classifier\n")}  both: { engine: cascade, stages: [first, head] }
`,
  more: accept,
  model,
});
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
