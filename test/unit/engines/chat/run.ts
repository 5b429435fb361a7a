/** A prediction run of engine `chat` without a job folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewEvent } from "../../../../schemas/events.ts";
import type { Job, JobEndpoint, JobModel } from "../../../../schemas/job.ts";
import { Prediction } from "../../../../schemas/predictions.ts";
import { Model } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import type { Engine, PredictRun } from "../../../../server/src/engines/engine.ts";
import { madeJob, madeTarget } from "../../made-job.ts";

export interface Given {
  labels?: Record<string, string[]>;
  rows: JobRow[];
  spec?: Record<string, unknown>;
  endpoint: Partial<JobEndpoint> & { base_url: string };
  model?: Partial<JobModel>;
  options?: Record<string, unknown>;
  instructions?: string;
}

export const temporary = (): string => mkdtempSync(join(tmpdir(), "clf-chat-"));
export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

export function jobOf({
  labels = { label: ["good", "bad"] },
  rows,
  spec,
  endpoint,
  model,
  options = {},
  instructions,
}: Given): Job {
  return madeJob({
    models: [
      {
        name: "m",
        spec: Model.parse({ engine: "chat", endpoint: "test", model: "test-model", ...spec }),
        training_spec: "0",
        endpoint: { name: "test", concurrency: 8, logprobs: 0, structured: false, ...endpoint },
        ...model,
      },
    ],
    task: {
      ...(instructions === undefined ? {} : { instructions }),
      inputs: [{ column: "text", name: "text" }],
      targets: Object.entries(labels).map(([name, list]) => madeTarget(name, list)),
    },
    data: { validation: rows.some(({ split }) => split === "validation") },
    options,
  });
}

export interface Ran {
  predictions: Prediction[];
  events: NewEvent[];
  error: unknown;
}

/** Runs the engine as the runner does; `kept` are predictions of an earlier attempt. */
export async function ran(
  engine: Engine,
  given: Given,
  folder: string,
  over: Partial<PredictRun> = {},
  kept: readonly Prediction[] = [],
): Promise<Ran> {
  const job = jobOf(given);
  const predictions: Prediction[] = [];
  const events: NewEvent[] = [];
  const done = new Set(kept.map(({ row, target }) => `${row}\n${target}`));
  let error: unknown;
  try {
    await engine.predict({
      job,
      model: job.models[0]!,
      rows: given.rows,
      threads: 1,
      work: join(folder, "work"),
      folder,
      keys: [],
      signal: new AbortController().signal,
      emit: (event) => void events.push(event),
      splits: ["test"],
      outOfFold: false,
      done: (row, target) => done.has(`${row}\n${target}`),
      predicted: (prediction) => void predictions.push(Prediction.parse(prediction)),
      ...over,
    });
  } catch (thrown) {
    error = thrown;
  }
  return { predictions, events, error };
}

export const rowsOf = (
  texts: readonly string[],
  split: JobRow["split"] = "test",
  labels: Record<string, string | null> = {},
): JobRow[] => texts.map((text, i) => ({ row: `${split}-${i}`, split, inputs: { text }, labels }));
