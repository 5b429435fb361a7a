/**
 * The worker's folder: a job folder within the job's, with the models of engine `qlora` alone. The worker is its one writer, as it
 * is of the job's own folder where it runs by itself; the engine passes on what stands in it.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { JobEvent } from "../../../../schemas/events.ts";
import { JobEvent as EventShape } from "../../../../schemas/events.ts";
import type { Job, JobModel } from "../../../../schemas/job.ts";
import { Prediction } from "../../../../schemas/predictions.ts";
import { wholeLines } from "../../jobs/lines.ts";

export interface WorkerFolder {
  readonly path: string;
  /** Number of the attempt that comes next. */
  readonly attempt: number;
  /** What the worker has told since the last call, in this attempt. */
  newEvents(): AsyncGenerator<JobEvent>;
  /** Predictions since the last call; those of earlier attempts first. */
  newPredictions(): AsyncGenerator<Prediction>;
  cancel(): Promise<void>;
}

/** A model of engine `qlora`, its base by its full path where it is a folder of the project. Others: none. */
function withBase(model: JobModel, project: string): JobModel[] {
  const { spec } = model;
  if (spec.engine !== "qlora") return [];
  const folder = resolve(project, spec.base);
  return [existsSync(folder) ? { ...model, spec: { ...spec, base: folder } } : model];
}

/** Makes the folder, or takes the one that an earlier attempt left. */
export async function openWorkerFolder(job: Job, jobFolder: string, work: string): Promise<WorkerFolder> {
  const path = join(work, "qlora");
  await mkdir(join(path, "attempts"), { recursive: true });
  const own = { ...job, models: job.models.flatMap((model) => withBase(model, dirname(job.project.file))) };
  await writeFile(join(path, "job.json"), JSON.stringify(own));
  const data = join(path, "data");
  if (!existsSync(data)) {
    await rm(data, { force: true });
    // File systems without links get a copy.
    await symlink(relative(path, join(jobFolder, "data")), data).catch(() =>
      cp(join(jobFolder, "data"), data, { recursive: true }),
    );
  }
  await rm(join(path, "cancel"), { force: true });
  const attempt = Math.max(0, ...(await readdir(join(path, "attempts"))).map(Number).filter(Number.isFinite)) + 1;
  const at = { events: 0, predictions: 0 };

  async function* since(key: keyof typeof at, file: string): AsyncGenerator<unknown> {
    for await (const line of wholeLines(file, at[key])) {
      at[key] = line.end;
      yield JSON.parse(line.text);
    }
  }

  return {
    path,
    attempt,
    async *newEvents() {
      for await (const event of since("events", join(path, "attempts", String(attempt), "events.jsonl")))
        yield EventShape.parse(event);
    },
    async *newPredictions() {
      for await (const line of since("predictions", join(path, "predictions.jsonl"))) yield Prediction.parse(line);
    },
    cancel: () => writeFile(join(path, "cancel"), ""),
  };
}
