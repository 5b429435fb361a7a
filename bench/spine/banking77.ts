/**
 * Banking77 from the command line, whole commands from start to exit (process start, reading, splits, job, report), beside
 * scikit-learn's whole process on the same train rows, in one run with equal threads.
 *
 *     npm run build && node bench/spine/banking77.ts FOLDER PYTHON [--threads 2] [--runs 3] [--without-logistic]
 *
 * FOLDER holds train.csv and test.csv; PYTHON is an interpreter with scikit-learn. Prints the median of the runs (the slow
 * logistic regression runs once), ratios, and the peak memory of each process tree.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run } from "./process-tree.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "3" },
    "without-logistic": { type: "boolean" },
  },
});
const [data, python] = positionals;
if (!data || !python)
  throw new Error("Usage: banking77.ts FOLDER PYTHON [--threads 2] [--runs 3] [--without-logistic]");
const { threads } = values;
const root = fileURLToPath(new URL("../../", import.meta.url));

const work = mkdtempSync(join(tmpdir(), "clf-banking77-"));

function project(name: string, validation: number): string {
  const folder = join(work, name);
  mkdirSync(folder);
  for (const file of ["train.csv", "test.csv"]) cpSync(join(data!, file), join(folder, file));
  const path = join(folder, "banking77.clf.yaml");
  writeFileSync(
    path,
    `version: 1
dataset:
  source: { train: train.csv, test: test.csv }
  split: { train: ${1 - validation}, validation: ${validation} }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear } }
`,
  );
  return path;
}

const clf = (args: string[], mark: string) =>
  run(process.execPath, [join(root, "dist/cli.mjs"), ...args, "--threads", threads], mark, threads);

interface Line {
  name: string;
  seconds: number;
  megabytes: number;
  accuracy?: number;
  log_loss?: number;
  ece?: number;
  band?: number;
}

/** `clf evaluate` of a model that has not been fine-tuned does that first: the two in one command. */
async function ours(name: string, validation: number, folds: boolean): Promise<Line[]> {
  const path = project(name, validation);
  const mark = join(work, name);
  const { seconds, megabytes, out } = await clf(["evaluate", path, "--json"], mark);
  const target = JSON.parse(out).models.baseline.targets.label;
  const how = validation > 0 ? "16 % carved" : "validation 0 (out-of-fold within)";
  const lines: Line[] = [
    {
      name: `clf evaluate, which fine-tunes first, ${how}`,
      ...{ seconds, megabytes },
      accuracy: target.accuracy,
      log_loss: target.log_loss,
      ece: target.ece,
      band: target.ece_band,
    },
  ];
  if (folds) {
    const again = await clf(["predict", path, "--out-of-fold"], mark);
    lines.push({ name: "clf predict --out-of-fold, 5 folds", seconds: again.seconds, megabytes: again.megabytes });
    const apart = project(`${name}-apart`, validation);
    const parts = [];
    for (const command of ["fine-tune", "evaluate"])
      parts.push(await clf([command, apart], join(work, `${name}-apart`)));
    lines.push({
      name: `clf fine-tune, then clf evaluate, ${how}`,
      seconds: parts.reduce((sum, part) => sum + part.seconds, 0),
      megabytes: Math.max(...parts.map((part) => part.megabytes)),
    });
  }
  return lines;
}

/** The rows of train.csv that our splits put into validation: the peer leaves the same ones out. */
function validationRows(name: string): number[] {
  const folder = join(work, name);
  const [job] = readdirSync(join(folder, ".clf/jobs")).filter((id) => /^\d{8}-/.test(id));
  const rows = readFileSync(join(folder, ".clf/jobs", job!, "data/rows.jsonl"), "utf8")
    .trim()
    .split("\n");
  // Rows stand in the order of the files: train.csv comes first.
  return rows.flatMap((line, i) => (JSON.parse(line).split === "validation" ? [i] : []));
}

async function sklearn(model: string, left: readonly number[]): Promise<Line> {
  const mark = join(work, `validation-${model}.json`);
  const script = join(root, "bench/linear/sklearn_banking77.py");
  const { seconds, megabytes, out } = await run(
    python!,
    [script, data!, model, "--validation", JSON.stringify(left)],
    mark,
    threads,
  );
  return {
    name: `scikit-learn TF-IDF + ${model === "svm" ? "LinearSVC" : "LogisticRegression"}`,
    seconds,
    megabytes,
    accuracy: JSON.parse(out).accuracy,
  };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

try {
  const all = new Map<string, Line[]>();
  const keep = (line: Line) => all.set(line.name, [...(all.get(line.name) ?? []), line]);
  for (let r = 0; r < Number(values.runs); r++) {
    for (const line of await ours(`carved-${r}`, 0.16, true)) keep(line);
    keep(await sklearn("svm", validationRows(`carved-${r}`)));
    for (const line of await ours(`out-of-fold-${r}`, 0, false)) keep(line);
  }
  if (!values["without-logistic"]) keep(await sklearn("logistic", validationRows("carved-0")));
  const lines = [...all.values()].map((runs) => ({ ...runs[0]!, seconds: median(runs.map(({ seconds }) => seconds)) }));
  const carved = lines[0]!.seconds;
  const digits = (value: number | undefined, places: number) => (value === undefined ? "" : value.toFixed(places));
  console.table(
    lines.map(({ name, seconds, megabytes, accuracy, log_loss, ece, band }) => ({
      name,
      seconds: digits(seconds, 2),
      "times ours, carved": digits(seconds / carved, 2),
      "peak MB": digits(megabytes, 0),
      accuracy: digits(accuracy, 4),
      "log loss": digits(log_loss, 4),
      ECE: digits(ece, 4),
      "band mean": digits(band, 4),
    })),
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
