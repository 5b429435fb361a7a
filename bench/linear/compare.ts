/**
 * The linear engine beside scikit-learn on Banking77, one after the other in one run, with equal threads and the same training rows.
 *
 *     node bench/linear/compare.ts FOLDER PYTHON [--threads 2] [--min-df 1] [--without-logistic]
 *
 * --min-df is the peer's (ours drops terms of a single row; scikit-learn's default 1 keeps them).
 * PYTHON is an interpreter with scikit-learn. Prints a table, and one JSON document with --json.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    "min-df": { type: "string", default: "1" },
    "without-logistic": { type: "boolean" },
    json: { type: "boolean" },
  },
});
const [folder, python] = positionals;
if (!folder || !python)
  throw new Error("Usage: compare.ts FOLDER PYTHON [--threads 2] [--min-df 1] [--without-logistic] [--json]");

interface Result {
  name: string;
  accuracy: number;
  logLoss?: number;
  ece15?: number;
  seconds: Record<string, number>;
  cpu_seconds: number;
  memory_mb: number;
  validation?: number[];
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const environment: NodeJS.ProcessEnv = { ...process.env };
for (const name of ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]) environment[name] = values.threads;
// Set on some machines to a core the BLAS library does not know best: the peer runs at its own choice.
delete environment.OPENBLAS_CORETYPE;
delete environment.OPENBLAS_L2_SIZE;

function run(command: string, args: string[]): Result {
  const output = execFileSync(command, args, { env: environment, encoding: "utf8", maxBuffer: 2 ** 26 });
  return JSON.parse(output) as Result;
}

const ours = (mode: string) => run(process.execPath, [file("banking77.ts"), folder, mode, values.threads]);
const carved = ours("carved");
const peerOptions = ["--validation", JSON.stringify(carved.validation), "--min-df", values["min-df"]];
const peer = (model: string) => run(python, [file("sklearn_banking77.py"), folder, model, ...peerOptions]);

const results = [carved, peer("svm")];
if (!values["without-logistic"]) results.push(peer("logistic"));
results.push(ours("out-of-fold"));
for (const result of results) delete result.validation;

if (values.json) console.log(JSON.stringify({ threads: Number(values.threads), results }));
else {
  const number = (value: number | undefined, digits: number) => (value === undefined ? "" : value.toFixed(digits));
  console.table(
    results.map(({ name, accuracy, logLoss, ece15, seconds, cpu_seconds, memory_mb }) => ({
      name,
      accuracy: number(accuracy, 4),
      "log loss": number(logLoss, 4),
      ECE15: number(ece15, 4),
      seconds: number(seconds.total, 2),
      "CPU seconds": number(cpu_seconds, 2),
      "memory MB": number(memory_mb, 0),
    })),
  );
}
