/** Runs the engine on a file as a job would, without the job. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job, JobTarget } from "../../../../schemas/job.ts";
import { Prediction } from "../../../../schemas/predictions.ts";
import { PredictionsModel } from "../../../../schemas/project.ts";
import type { JobRow, SplitName } from "../../../../schemas/rows.ts";
import { predictionsEngine } from "../../../../server/src/engines/predictions/engine.ts";

export const target = (name: string, labels: (string | { name: string; aliases: string[] })[]): JobTarget => ({
  name,
  column: name,
  labels: labels.map((label) => (typeof label === "string" ? { name: label } : label)),
});

export interface Ran {
  /** By "row target". */
  of(row: string, target?: string): Prediction | undefined;
  predictions: Prediction[];
  warnings: string[];
  info: string[];
}

export interface Asked {
  file: string;
  content: string | Buffer;
  rows: JobRow[];
  targets?: JobTarget[];
  id?: string;
  /** The dataset's id column. */
  usualId?: string;
  spec?: Record<string, unknown>;
  splits?: SplitName[];
  kind?: Job["kind"];
  done?: (row: string, target: string) => boolean;
  inputs?: { column: string; name: string }[];
  signal?: AbortSignal;
}

export const FEELING = target("feeling", ["good", "bad", "mixed"]);

/** Test rows r0, r1, … with the given labels of `feeling`. */
export function testRows(labels: (string | null)[], split: SplitName = "test"): JobRow[] {
  return labels.map((label, i) => ({
    row: `r${i}`,
    split,
    inputs: { text: `text ${i}` },
    labels: { feeling: label },
  }));
}

export async function runEngine(asked: Asked): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "clf-predictions-"));
  const source = join(folder, asked.file);
  writeFileSync(source, asked.content);
  const spec = PredictionsModel.parse({
    engine: "predictions",
    source: asked.file,
    ...(asked.id ? { id: asked.id } : {}),
    ...asked.spec,
  });
  const predictions: Prediction[] = [];
  const warnings: string[] = [];
  const info: string[] = [];
  const targets = asked.targets ?? [FEELING];
  try {
    await predictionsEngine.predict({
      job: {
        kind: asked.kind ?? "evaluate",
        task: { inputs: asked.inputs ?? [{ column: "text", name: "text" }], targets },
      } as Job,
      model: {
        name: "other",
        spec,
        training_spec: "",
        source: {
          path: asked.file,
          name: asked.file,
          sha256: "",
          ...(asked.usualId ? { id: asked.usualId } : {}),
        },
      },
      rows: asked.rows,
      threads: 1,
      signal: asked.signal ?? new AbortController().signal,
      source,
      splits: asked.splits ?? ["tune", "validation", "test", "pool"],
      outOfFold: false,
      done: asked.done ?? (() => false),
      emit(event) {
        if (event.type === "log") (event.level === "warning" ? warnings : info).push(event.message);
      },
      // Every line must be one that a reader of the file takes.
      predicted: (prediction) => predictions.push(Prediction.parse(prediction)),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const name = targets[0]!.name;
  return {
    predictions,
    warnings,
    info,
    of: (row, of = name) => predictions.find((prediction) => prediction.row === row && prediction.target === of),
  };
}
