/** A project's rows for other tools, with what people decided: OpenAI chat JSONL, or a Hugging Face dataset folder (`clf export --format`). */
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { stringify } from "yaml";
import type { Job, JobTarget } from "../../../schemas/job.ts";
import { Prompt } from "../../../schemas/project.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import { createDuckDb } from "../dataset/duckdb.ts";
import { writeJobRows } from "../dataset/job-rows.ts";
import { identifier, literal } from "../dataset/sql.ts";
import { answersJson, planPrompt } from "../engines/chat/prompt.ts";
import { trainingLines } from "../engines/openai/training-file.ts";
import { fileErrorMessage } from "../file-error.ts";
import { trainingDecisions } from "../review/apply.ts";
import { jobRowState, type ProjectData } from "./data.ts";
import { WorkflowError } from "./error.ts";
import { readRows } from "./prompted.ts";
import type { Session } from "./session.ts";

export type DataExport = "openai-chat" | "huggingface";

/**
 * Makes the folder, whole or not at all. Rows that a model would not be trained or judged on (left out by sampling, say) are not in it.
 * @returns rows by file
 * @throws WorkflowError when the folder is there already, or cannot be written
 */
export async function exportData(
  session: Session,
  data: ProjectData,
  format: DataExport,
  output: string,
): Promise<Record<string, number>> {
  if (existsSync(output)) throw new WorkflowError(`${output} is there already. Name a folder that is to be made.`);
  let partial: string | undefined;
  try {
    await mkdir(dirname(output), { recursive: true });
    partial = await mkdtemp(`${output}.`);
    const rows = await rowsOf(data, partial);
    const counts = await (format === "openai-chat" ? writeChat : writeHuggingFace)(session, data, rows, partial);
    await rename(partial, output);
    return counts;
  } catch (error) {
    if (partial !== undefined) await rm(partial, { recursive: true, force: true });
    const why = fileErrorMessage(error);
    throw why === null ? error : new WorkflowError(why);
  }
}

/** The rows as a job would see them. */
async function rowsOf({ dataset, verdicts }: ProjectData, folder: string): Promise<JobRow[]> {
  const { decisions } = trainingDecisions(verdicts, jobRowState(dataset.rows), dataset.rows.targets);
  await mkdir(join(folder, "data"));
  await writeJobRows(dataset, { decisions }, join(folder, "data", "rows.jsonl"));
  const rows = await readRows(folder);
  await rm(join(folder, "data"), { recursive: true });
  return rows;
}

const LABELLED = ["train", "tune", "validation", "test"] as const satisfies readonly SplitName[];

/** A file a split. Rows without a label of every target teach a gap, so they are not in it. */
async function writeChat(
  { project }: Session,
  { dataset }: ProjectData,
  rows: readonly JobRow[],
  folder: string,
): Promise<Record<string, number>> {
  const task: Job["task"] = {
    ...(project.spec.task.instructions ? { instructions: project.spec.task.instructions } : {}),
    inputs: project.inputs,
    targets: dataset.rows.targets.map(({ name, column, labels }): JobTarget => ({ name, column, labels })),
  };
  const prompt = Prompt.parse({});
  const plan = planPrompt(task, prompt, answersJson(prompt, task.targets.length, false));
  const counts: Record<string, number> = {};
  for (const split of LABELLED) {
    let count = 0;
    const lines = trainingLines(
      rows.filter((row) => row.split === split),
      plan,
    );
    const file = `${split}.jsonl`;
    await pipeline(
      function* () {
        for (const line of lines) {
          count++;
          yield `${line}\n`;
        }
      },
      createWriteStream(join(folder, file)),
    );
    if (count > 0) counts[file] = count;
    else await rm(join(folder, file));
  }
  return counts;
}

/** Tune is a slice of train; the pool is the rows nobody has labelled. */
const SPLIT_OF: Record<SplitName, string> = {
  train: "train",
  tune: "train",
  validation: "validation",
  test: "test",
  pool: "unlabeled",
};

/** The column that holds row ids where the project has no id column. */
const ID = "row";

async function writeHuggingFace(
  { project }: Session,
  { dataset }: ProjectData,
  rows: readonly JobRow[],
  folder: string,
): Promise<Record<string, number>> {
  const id = project.spec.dataset.id ?? ID;
  const inputs = project.inputs.map(({ name, column }) => ({ name, column }));
  const targets = dataset.rows.targets.map(({ name, column }) => ({ name, column }));
  // A column may be both the id and an input: once is enough.
  const columns = [...new Set([id, ...inputs.map(({ column }) => column), ...targets.map(({ column }) => column)])];
  const record = (row: JobRow): Record<string, string | null> => ({
    [id]: row.row,
    ...Object.fromEntries(inputs.map(({ name, column }) => [column, row.inputs[name] ?? ""])),
    ...Object.fromEntries(targets.map(({ name, column }) => [column, row.labels[name] ?? null])),
  });
  await mkdir(join(folder, "data"));
  const duckdb = createDuckDb({ folder });
  const counts: Record<string, number> = {};
  const splits: string[] = [];
  try {
    for (const split of new Set(Object.values(SPLIT_OF))) {
      const of = rows.filter((row) => SPLIT_OF[row.split] === split);
      if (of.length === 0) continue;
      const lines = join(folder, "lines.jsonl");
      await pipeline(function* () {
        for (const row of of) yield `${JSON.stringify(record(row))}\n`;
      }, createWriteStream(lines));
      const file = `data/${split}-00000-of-00001.parquet`;
      await duckdb.query(
        `COPY (SELECT ${columns.map(identifier).join(", ")} FROM read_json(${literal(lines)}, format = 'newline_delimited', columns = {${columns.map((name) => `${identifier(name)}: 'VARCHAR'`).join(", ")}}))
          TO ${literal(join(folder, file))} (FORMAT parquet, COMPRESSION zstd)`,
      );
      await rm(lines);
      counts[file] = of.length;
      splits.push(split);
    }
  } finally {
    await duckdb.close();
  }
  await writeFile(join(folder, "README.md"), card(project.name, columns, splits, counts));
  return counts;
}

/** The dataset card: https://huggingface.co/docs/hub/datasets-manual-configuration */
function card(
  name: string,
  columns: readonly string[],
  splits: readonly string[],
  counts: Record<string, number>,
): string {
  const front = {
    configs: [
      { config_name: "default", data_files: splits.map((split) => ({ split, path: `data/${split}-*.parquet` })) },
    ],
    dataset_info: {
      features: columns.map((column) => ({ name: column, dtype: "string" })),
      splits: splits.map((split) => ({ name: split, num_examples: counts[`data/${split}-00000-of-00001.parquet`] })),
    },
    task_categories: ["text-classification"],
  };
  return `---\n${stringify(front)}---\n\n# ${name}\n\nWritten by Clf: the rows of the project, with people's decisions as they train. \`load_dataset\` reads this folder.\n`;
}
