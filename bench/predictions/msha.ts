/**
 * Another system beside our own on the same rows: the autocoder whose predictions come with MSHA's injuries of 2013 (body
 * part, 46 labels), and engine `linear` fine-tuned on those of 2010 to 2012.
 *
 *     node bench/predictions/msha.ts FOLDER [--threads 2] [--certify ROWS] [--keep]
 *
 * FOLDER holds train_2010_2012.csv.gz and test_2013_with_autocoder.csv.gz. The autocoder says codes; they are turned into
 * labels by the pairs of code and label in the data. All rows of 2013 are test rows; with --certify so many of them, drawn
 * by a fixed seed, are validation rows instead and 1,000 more the pool, so that both can be calibrated and certified (the
 * autocoder has no predictions of tune rows: its thresholds are chosen on the pool). Whole commands are run, as people run
 * them.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Report } from "../../schemas/report.ts";
import { seededPermutation } from "../../server/src/confidence/random.ts";
import { readCsv } from "../linear/csv.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    certify: { type: "string", default: "0" },
    keep: { type: "boolean" },
  },
});
const [data] = positionals;
if (!data) throw new Error("Usage: msha.ts FOLDER [--threads 2] [--certify ROWS] [--keep]");
const TRAIN = join(data, "train_2010_2012.csv.gz");
const TEST = join(data, "test_2013_with_autocoder.csv.gz");

/** Rows whose scores, without their labels, make the grid of thresholds. */
const POOL = 1000;

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = (lines: string[][]): string => lines.map((line) => `${line.map(quote).join(",")}\n`).join("");

const work = mkdtempSync(join(tmpdir(), "clf-msha-"));
const test = readCsv(TEST);
const labelOf = new Map<string, string>();
for (const row of [...readCsv(TRAIN), ...test]) {
  const before = labelOf.get(row.label_code!);
  if (before !== undefined && before !== row.label) throw new Error(`Code ${row.label_code} has two labels.`);
  labelOf.set(row.label_code!, row.label!);
}
const certify = Number(values.certify);
const order = seededPermutation(test.length, 42);
const unlabelled = certify > 0 ? POOL : 0;
const parts = {
  validation: order.slice(0, certify),
  pool: order.slice(certify, certify + unlabelled),
  test: order.slice(certify + unlabelled).sort(),
};
for (const [name, rows] of Object.entries(parts)) {
  const lines = Array.from(rows, (i) => [test[i]!.text!, test[i]!.label!]);
  if (lines.length > 0) writeFileSync(join(work, `${name}.csv`), csv([["text", "label"], ...lines]));
}
// In the order of the data, so that each of several equal texts finds its own prediction.
const predicted = [...parts.validation, ...parts.test, ...parts.pool].map((i) => test[i]!);
writeFileSync(
  join(work, "autocoder.csv"),
  csv([
    ["text", "prediction", "probability"],
    ...predicted.map((row) => [row.text!, labelOf.get(row.autocode!) ?? row.autocode!, row.autocode_probability!]),
  ]),
);
cpSync(TRAIN, join(work, "train.csv.gz"));
writeFileSync(
  join(work, "msha.clf.yaml"),
  `version: 1
dataset:
  source: { train: train.csv.gz, test: test.csv${certify > 0 ? ", validation: validation.csv" : ""} }${certify > 0 ? "\n  pool: pool.csv" : ""}
task: { inputs: [text], targets: [{ column: label }] }
models:
  linear: { engine: linear }
  autocoder: { engine: predictions, source: autocoder.csv }
`,
);

const cli = fileURLToPath(new URL("../../server/src/cli.ts", import.meta.url));
function clf(...args: string[]): string {
  const { status, stdout } = spawnSync(process.execPath, [cli, ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`clf ${args.join(" ")} ended with exit code ${status}.`);
  return stdout;
}

try {
  const project = join(work, "msha.clf.yaml");
  clf("fine-tune", project, "--threads", values.threads);
  const text = clf(
    "compare",
    project,
    "--model",
    "linear",
    "--model",
    "autocoder",
    "--json",
    "--threads",
    values.threads,
  );
  const report = Report.parse(JSON.parse(text));
  for (const sentence of report.verdict) console.log(sentence);
  const share = (value: number | undefined, digits = 4) => value?.toFixed(digits) ?? "–";
  console.table(
    Object.entries(report.models).map(([name, model]) => {
      const { report: figures, calibrator } = model.targets.label!;
      const accept = model.accept[0]!;
      return {
        name,
        n: figures!.n,
        accuracy: share(figures!.averages.accuracy.value),
        "95 %": `${share(figures!.averages.accuracy.low)}–${share(figures!.averages.accuracy.high)}`,
        "macro F1": share(figures!.averages.macroF1.value),
        calibration: calibrator.map.kind,
        ECE: share(figures!.calibration.ece),
        "band mean": share(figures!.calibration.band?.mean),
        AUROC: share(figures!.auroc?.value),
        AURC: share(figures!.aurc.value),
        "coverage at risk .05": share(figures!.coverageAtRisk.find(({ risk }) => risk === 0.05)?.coverage, 3),
        certified: accept.rule?.certified ?? false,
        accepted: share(accept.measured?.coverage?.value, 3),
        "wrong of accepted": share(accept.measured?.errorRate?.value, 4),
      };
    }),
  );
  for (const { a, b, pair } of report.comparisons) {
    const { difference, onlyA, onlyB, both, neither, mcnemar, macroF1Difference } = pair;
    const points = (x: number) => (100 * x).toFixed(2);
    console.log(
      `${a} − ${b}: ${points(difference.value)} points (paired bootstrap 95 %: ${points(difference.low)} to ${points(difference.high)}); ` +
        `only ${a} right ${onlyA}, only ${b} right ${onlyB}, both ${both}, neither ${neither}; exact McNemar p = ${mcnemar.toExponential(2)}; ` +
        `macro F1 ${points(macroF1Difference.value)} (${points(macroF1Difference.low)} to ${points(macroF1Difference.high)}).`,
    );
  }
} finally {
  if (values.keep) console.log(work);
  else rmSync(work, { recursive: true, force: true });
}
