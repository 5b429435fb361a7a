/** Engine `linear`: between the job's rows and the mathematics of this folder. */
import { createReadStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import writeFileAtomic from "write-file-atomic";
import * as z from "zod";
import type { JobTarget } from "../../../../schemas/job.ts";
import { Prediction } from "../../../../schemas/predictions.ts";
import type { LinearModel as LinearSpec } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import {
  type Engine,
  EngineError,
  type EngineRun,
  type FineTuneRun,
  type PredictRun,
  type WordWeight,
} from "../engine.ts";
import { predictionOf } from "../prediction.ts";
import {
  encodeModel,
  explain,
  extractFeatures,
  type Features,
  fitLinear,
  type LinearModel,
  type LinearOptions,
  outOfFold,
  predictProbabilities,
  readModel,
} from "./index.ts";

/** model/linear.json: what the model files beside it are. */
const Manifest = z.strictObject({
  format: z.literal(1),
  inputs: z.array(z.string()),
  targets: z.array(
    z.strictObject({
      name: z.string(),
      file: z.string(),
      /** The labels the model knows, in its order. */
      labels: z.array(z.string()),
      c: z.number(),
      epochs: z.int(),
      search: z.array(z.strictObject({ c: z.number(), logLoss: z.number(), accuracy: z.number(), epochs: z.int() })),
    }),
  ),
});
type Manifest = z.output<typeof Manifest>;

const MANIFEST = "linear.json";
const TUNE = "tune.jsonl";
const OUT_OF_FOLD = "out-of-fold.jsonl";
const ROWS_A_TURN = 1024;

type Spec = z.output<typeof LinearSpec>;

const specOf = (run: EngineRun): Spec => run.model.spec as Spec;

function optionsOf(spec: Spec): Partial<LinearOptions> {
  return {
    wordNgrams: spec.word_ngrams[1],
    characterNgrams: spec.char_ngrams,
    classWeight: spec.class_weight,
    ...(spec.regularisation === "auto" ? {} : { grid: [spec.regularisation] }),
  };
}

const textsOf = (run: EngineRun, row: JobRow): string[] =>
  run.job.task.inputs.map((input) => row.inputs[input.name] ?? "");

/** Rows with a label of this target, as the fit wants them: numbers into `rows`, codes into `labels`. */
function labelled(rows: readonly JobRow[], target: JobTarget) {
  const wanted = new Set(target.labels.map((label) => label.name));
  const present = new Set<string>();
  const train: number[] = [];
  const tune: number[] = [];
  rows.forEach((row, i) => {
    const label = row.labels[target.name];
    if (label == null || !wanted.has(label)) return;
    if (row.split === "train") train.push(i);
    else if (row.split === "tune") tune.push(i);
    else return;
    if (row.split === "train") present.add(label);
  });
  const labels = target.labels.map((label) => label.name).filter((label) => present.has(label));
  const code = new Map(labels.map((label, i) => [label, i]));
  const codes = Int32Array.from(rows, (row) => code.get(row.labels[target.name] ?? "") ?? -1);
  const known = (i: number) => codes[i]! >= 0;
  return { labels, codes, train: Int32Array.from(train), tune: Int32Array.from(tune.filter(known)) };
}

/** The model's probabilities in the order of the target's labels; labels the model never saw get 0. */
function aligned(target: JobTarget, labels: readonly string[]): (vector: Float32Array) => Float32Array {
  const place = new Map(target.labels.map((label, i) => [label.name, i]));
  const to = labels.map((label) => place.get(label)!);
  return (vector) => {
    const result = new Float32Array(target.labels.length);
    for (let i = 0; i < to.length; i++) result[to[i]!] = vector[i]!;
    return result;
  };
}

/** Whole numbers for equal group keys, so that folds keep duplicates and groups together. */
function groupNumbers(rows: readonly JobRow[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(rows, (row, i) => {
    if (row.group === undefined) return -i - 1;
    const number = numbers.get(row.group) ?? numbers.size;
    numbers.set(row.group, number);
    return number;
  });
}

async function writeLines(file: string, predictions: readonly Prediction[]): Promise<void> {
  await writeFileAtomic(file, predictions.map((prediction) => JSON.stringify(prediction) + "\n").join(""));
}

/** Labelled train and tune rows by models that have not seen them. */
async function outOfFoldOf(
  run: EngineRun,
  target: JobTarget,
  rows: readonly JobRow[],
  features: Features,
  c: number,
): Promise<Prediction[]> {
  const { labels, codes, train, tune } = labelled(rows, target);
  const both = Int32Array.from([...train, ...tune]).sort();
  const { probabilities, fold } = await outOfFold({
    features,
    labels: codes,
    classes: labels.length,
    rows: both,
    groups: groupNumbers(rows),
    folds: specOf(run).folds,
    c,
    options: optionsOf(specOf(run)),
    seed: run.job.seed,
    threads: run.threads,
    signal: run.signal,
    onProgress: ({ done, total }) =>
      run.emit({ type: "progress", step: `out-of-fold probabilities of ${target.name}`, done, total, unit: "folds" }),
  });
  const align = aligned(target, labels);
  return Array.from(both, (row, i) =>
    predictionOf({
      row: rows[row]!.row,
      target: target.name,
      model: run.model.name,
      split: rows[row]!.split,
      fold: fold[i]!,
      labels: target.labels.map((label) => label.name),
      probabilities: align(probabilities.subarray(i * labels.length, (i + 1) * labels.length)),
      labelled: true,
    }),
  );
}

async function fineTune(run: FineTuneRun): Promise<void> {
  const rows = run.rows.filter((row) => row.split === "train" || row.split === "tune");
  const spec = specOf(run);
  const options = optionsOf(spec);
  const { signal, threads } = run;
  run.emit({ type: "progress", step: "reading words", done: 0, total: rows.length, unit: "rows" });
  const features = await extractFeatures(
    rows.map((row) => textsOf(run, row)),
    options,
    {
      signal,
      onProgress: (done) =>
        run.emit({ type: "progress", step: "reading words", done, total: rows.length, unit: "rows" }),
    },
  );
  const manifest: Manifest = { format: 1, inputs: run.job.task.inputs.map((input) => input.name), targets: [] };
  const tunePredictions: Prediction[] = [];
  const foldPredictions: Prediction[] = [];

  for (const [number, target] of run.job.task.targets.entries()) {
    const { labels, codes, train, tune } = labelled(rows, target);
    if (labels.length < 2) {
      throw new EngineError(
        `"${target.name}" has ${labels.length === 0 ? "no label" : `only the label "${labels[0]}"`} among the train rows.`,
        "A model needs rows of at least two labels. Look at the data, at `labels` and at `sampling`.",
      );
    }
    const { model, chosen } = await fitLinear({
      features,
      labels: codes,
      classes: labels.length,
      train,
      tune,
      ...(spec.regularisation === "auto" ? {} : { c: spec.regularisation }),
      options,
      seed: run.job.seed,
      threads,
      signal,
      onProgress: ({ step, done, total }) =>
        run.emit({
          type: "progress",
          step: `${step === "search" ? "choosing the regularisation of" : "fitting"} ${target.name}`,
          done,
          total,
        }),
    });
    for (const step of chosen.search) {
      run.emit({
        type: "metric",
        name: "log_loss",
        value: step.logLoss,
        step: step.c,
        target: target.name,
        split: "tune",
      });
    }
    const file = `target-${number}.clfm`;
    await writeFileAtomic(join(run.artifact, file), Buffer.from(encodeModel(model, { target: target.name, labels })));
    manifest.targets.push({
      name: target.name,
      file,
      labels,
      c: chosen.c,
      epochs: chosen.epochs,
      search: chosen.search,
    });

    const align = aligned(target, labels);
    const unrefitted = chosen.tuneProbabilities;
    if (unrefitted) {
      for (const [i, row] of tune.entries()) {
        tunePredictions.push(
          predictionOf({
            row: rows[row]!.row,
            target: target.name,
            model: run.model.name,
            split: "tune",
            labels: target.labels.map((label) => label.name),
            probabilities: align(unrefitted.subarray(i * labels.length, (i + 1) * labels.length)),
            labelled: true,
          }),
        );
      }
    }
    if (!run.job.data.validation) {
      foldPredictions.push(...(await outOfFoldOf(run, target, rows, features, chosen.c)));
    }
  }
  await writeLines(join(run.artifact, TUNE), tunePredictions);
  if (!run.job.data.validation) await writeLines(join(run.artifact, OUT_OF_FOLD), foldPredictions);
  await writeFileAtomic(join(run.artifact, MANIFEST), JSON.stringify(manifest, null, 2));
}

async function readManifest(artifact: string): Promise<Manifest> {
  try {
    return Manifest.parse(JSON.parse(await readFile(join(artifact, MANIFEST), "utf8")));
  } catch {
    throw new EngineError("The model's files are missing or damaged.", "Fine-tune the model again.");
  }
}

/** A fitted model of each target, ready to predict. */
export interface LoadedLinear {
  target: string;
  /** The labels the model knows, in its order. */
  labels: string[];
  model: LinearModel;
}

/** Reads what a fine-tune left. @throws EngineError when it is missing or damaged. */
export async function loadLinear(artifact: string): Promise<LoadedLinear[]> {
  const manifest = await readManifest(artifact);
  return Promise.all(
    manifest.targets.map(async ({ name, file, labels }) => {
      try {
        return { target: name, labels, model: (await readModel(join(artifact, file))).model };
      } catch (error) {
        throw new EngineError(
          `The model file of "${name}" cannot be read: ${(error as Error).message}`,
          "Fine-tune the model again.",
        );
      }
    }),
  );
}

/** Prediction lines that the fine-tune left; none when it left none. */
async function* artifactLines(file: string): AsyncGenerator<Prediction> {
  const lines = createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) if (line !== "") yield Prediction.parse(JSON.parse(line));
}

async function predict(run: PredictRun): Promise<void> {
  if (!run.artifact) throw new EngineError(`"${run.model.name}" has not been fine-tuned.`, "Fine-tune it first.");
  const loaded = await loadLinear(run.artifact);
  const { signal } = run;
  const copy = async (file: string) => {
    for await (const prediction of artifactLines(join(run.artifact!, file))) {
      if (!run.done(prediction.row, prediction.target)) run.predicted({ ...prediction, model: run.model.name });
    }
  };
  if (run.outOfFold) {
    // A fine-tune with validation rows leaves none; those rows may be gone since.
    if (run.job.data.validation || !existsSync(join(run.artifact, OUT_OF_FOLD))) {
      const rows = run.rows.filter((row) => row.split === "train" || row.split === "tune");
      const manifest = await readManifest(run.artifact);
      const features = await extractFeatures(
        rows.map((row) => textsOf(run, row)),
        optionsOf(specOf(run)),
        { signal },
      );
      for (const target of run.job.task.targets) {
        const c = manifest.targets.find((fitted) => fitted.name === target.name)?.c;
        if (c === undefined) continue;
        for (const prediction of await outOfFoldOf(run, target, rows, features, c)) {
          if (!run.done(prediction.row, prediction.target)) run.predicted(prediction);
        }
      }
    } else await copy(OUT_OF_FOLD);
  } else if (run.splits.includes("tune")) await copy(TUNE);

  const rows = run.rows.filter(
    (row) => row.split !== "tune" && row.split !== "train" && run.splits.includes(row.split),
  );
  // Reviewed for another target alone: the model of this one has not learned from the row, which waits as the pool's rows do.
  const open = run.splits.includes("pool") ? run.rows.filter((row) => row.joined) : [];
  for (const { target: name, labels, model } of loaded) {
    const target = run.job.task.targets.find((candidate) => candidate.name === name);
    if (!target) continue;
    const align = aligned(target, labels);
    const names = target.labels.map((label) => label.name);
    const undecided = open.filter((row) => row.labels[name] == null).map((row): JobRow => ({ ...row, split: "pool" }));
    const left = [...rows, ...undecided].filter((row) => !run.done(row.row, name));
    for (let from = 0; from < left.length; from += ROWS_A_TURN) {
      const part = left.slice(from, from + ROWS_A_TURN);
      const probabilities = await predictProbabilities(
        model,
        part.map((row) => textsOf(run, row)),
        { signal },
      );
      for (const [i, row] of part.entries()) {
        run.predicted(
          predictionOf({
            row: row.row,
            target: name,
            model: run.model.name,
            split: row.split,
            labels: names,
            probabilities: align(probabilities.subarray(i * labels.length, (i + 1) * labels.length)),
            labelled: row.labels[name] != null,
          }),
        );
      }
      run.emit({
        type: "progress",
        step: `predicting ${name}`,
        done: from + part.length,
        total: left.length,
        unit: "rows",
      });
    }
  }
}

export const linearEngine: Engine = { fineTune, predict };

/** One row at once, by a loaded model. */
export async function predictRow(
  { target, labels, model }: LoadedLinear,
  row: JobRow,
  inputs: readonly string[],
  name: string,
): Promise<Prediction> {
  const probabilities = await predictProbabilities(model, [inputs.map((input) => row.inputs[input] ?? "")]);
  return predictionOf({ row: row.row, target, model: name, split: row.split, labels, probabilities, labelled: false });
}

/** The words that spoke for (or against) the predicted label, heaviest first. */
export function explainRow({ model }: LoadedLinear, row: JobRow, inputs: readonly string[], most = 20): WordWeight[] {
  const { words } = explain(
    model,
    inputs.map((input) => row.inputs[input] ?? ""),
  );
  return words
    .filter(({ contribution }) => contribution !== 0)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, most)
    .map(({ column, start, end, word, contribution }) => ({
      input: inputs[column]!,
      start,
      end,
      text: word,
      weight: contribution,
    }));
}
