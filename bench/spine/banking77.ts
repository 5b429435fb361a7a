/**
 * Banking77 from the command line, whole commands from start to exit (process start, reading, splits, job, report), beside
 * scikit-learn's whole process on the same train rows, in one run with equal threads.
 *
 *     npm run build && node bench/spine/banking77.ts FOLDER PYTHON [--threads 2] [--runs 3] [--without-logistic]
 *
 * FOLDER holds train.csv and test.csv; PYTHON is an interpreter with scikit-learn. Prints the median of the runs (the slow
 * logistic regression runs once), ratios, and the peak memory of each process tree.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

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

interface Run {
  seconds: number;
  megabytes: number;
  out: string;
}

const PAGE = 4096;

/** Resident memory of all processes that belong to the run: those that name its folder, and their children. */
function treeMegabytes(mark: string, pid: number): number {
  const processes: { pid: number; parent: number; named: boolean; pages: number }[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
      const pages = Number(readFileSync(`/proc/${name}/statm`, "utf8").split(" ")[1]);
      processes.push({ pid: Number(name), parent, named: command.includes(mark), pages });
    } catch {
      // Gone meanwhile.
    }
  }
  const tree = new Set(processes.filter((each) => each.named || each.pid === pid).map((each) => each.pid));
  for (let grown = true; grown; ) {
    grown = false;
    for (const each of processes) {
      if (tree.has(each.pid) || !tree.has(each.parent)) continue;
      tree.add(each.pid);
      grown = true;
    }
  }
  const pages = processes.reduce((sum, each) => sum + (tree.has(each.pid) ? each.pages : 0), 0);
  return (pages * PAGE) / 2 ** 20;
}

function run(command: string, args: string[], mark: string): Promise<Run> {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]) environment[name] = threads;
  // Set on some machines to a core the BLAS library does not know best: the peer runs at its own choice.
  delete environment.OPENBLAS_CORETYPE;
  delete environment.OPENBLAS_L2_SIZE;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    let megabytes = 0;
    const sample = setInterval(() => {
      megabytes = Math.max(megabytes, treeMegabytes(mark, child.pid!));
    }, 100);
    child.stdout.on("data", (text: Buffer) => {
      out += text;
    });
    child.on("close", (code) => {
      clearInterval(sample);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, megabytes, out });
      else reject(new Error(`${command} ${args.join(" ")} ended with exit code ${code}.`));
    });
  });
}

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

const clf = (args: string[], mark: string) => run(process.execPath, [join(root, "dist/cli.mjs"), ...args], mark);

interface Line {
  name: string;
  seconds: number;
  megabytes: number;
  accuracy?: number;
  log_loss?: number;
  ece?: number;
  band?: number;
}

async function ours(name: string, validation: number, folds: boolean): Promise<Line[]> {
  const path = project(name, validation);
  const mark = join(work, name);
  const tuned = await clf(["fine-tune", path, "--threads", threads], mark);
  const evaluated = await clf(["evaluate", path, "--threads", threads, "--json"], mark);
  const target = JSON.parse(evaluated.out).models.baseline.targets.label;
  const lines: Line[] = [
    {
      name:
        validation > 0
          ? "clf fine-tune + evaluate, 16 % carved"
          : "clf fine-tune + evaluate, validation 0 (out-of-fold within)",
      seconds: tuned.seconds + evaluated.seconds,
      megabytes: Math.max(tuned.megabytes, evaluated.megabytes),
      accuracy: target.accuracy,
      log_loss: target.log_loss,
      ece: target.ece,
      band: target.ece_band,
    },
  ];
  if (folds) {
    const { seconds, megabytes } = await clf(["predict", path, "--out-of-fold", "--threads", threads], mark);
    lines.push({ name: "clf predict --out-of-fold, 5 folds", seconds, megabytes });
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
