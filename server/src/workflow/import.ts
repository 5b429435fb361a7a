/** Data of other tools as a file that a project can read: OpenAI chat JSONL, and Hugging Face dataset folders (`clf import`). */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { createDuckDb, DuckDbError } from "../dataset/duckdb.ts";
import { HuggingFaceError, openHuggingFace, readHuggingFace, splitOfPath } from "../dataset/huggingface.ts";
import { ChatLineError, readChatLine } from "../dataset/openai-chat.ts";
import { WorkflowError } from "./error.ts";
import { writeRowsFile } from "./rows-file.ts";

export interface Imported {
  from: "openai-chat" | "huggingface";
  rows: number;
  columns: string[];
  /** The column that names each row's split; null where nothing tells it. */
  split: string | null;
  /** By split; under "" without one. */
  splits: Record<string, number>;
  /** The system message that all conversations share. */
  instructions: string | null;
  notes: string[];
}

/**
 * Writes the rows of `sources` to `output`, a .jsonl file; whole or not at all.
 * @throws WorkflowError with file and line of what cannot be read
 */
export async function importData(sources: readonly string[], output: string): Promise<Imported> {
  if (!/\.jsonl$/i.test(output))
    throw new WorkflowError(`${output} must end in .jsonl: texts stay exactly as they are there.`);
  const folders: boolean[] = [];
  for (const source of sources) {
    const status = await stat(source).catch(() => null);
    if (!status) throw new WorkflowError(`There is no ${source}.`);
    folders.push(status.isDirectory());
  }
  if (!folders.includes(true)) return importChat(sources, output);
  if (sources.length > 1) throw new WorkflowError("Name one dataset folder, or files of chat JSONL.");
  try {
    return await importHuggingFace(await realpath(sources[0]!), output);
  } catch (error) {
    if (error instanceof HuggingFaceError) throw new WorkflowError(error.message);
    if (error instanceof DuckDbError)
      throw new WorkflowError(`${sources[0]} cannot be read: ${error.message.split("\n")[0]}`);
    throw error;
  }
}

const TEXT = "text";
const LABEL = "label";

async function importChat(sources: readonly string[], output: string): Promise<Imported> {
  // Tune rows are a slice of train.
  const splits = sources.map((source) =>
    /(^|[^a-z])tune([^a-z]|$)/i.test(basename(source)) ? "train" : splitOfPath(basename(source)),
  );
  const told = splits.every((split) => split !== null);
  // The fields are those of the first answer: a first look, and a second that writes.
  const fields = await fieldsOf(sources[0]!);
  const names = fields.map((name) => (name === "" ? LABEL : name));
  const split = told ? free("split", [TEXT, ...names]) : null;
  const text = free(TEXT, names);
  const columns = [text, ...names, ...(split === null ? [] : [split])];
  const counts: Record<string, number> = {};
  const systems = new Set<string | null>();

  async function* rows(): AsyncGenerator<string[]> {
    for (const [i, source] of sources.entries()) {
      let number = 0;
      for await (const line of linesOf(source)) {
        number++;
        if (line.trim() === "") continue;
        const row = chatRow(line, `${source}:${number}`);
        const known =
          fields.every((name) => Object.hasOwn(row.labels, name)) && Object.keys(row.labels).length === fields.length;
        if (!known) {
          throw new WorkflowError(
            `${source}:${number}: the answer is ${shape(Object.keys(row.labels))}, the first one is ${shape(fields)}. All rows want answers of one form.`,
          );
        }
        if (systems.size < 2) systems.add(row.system);
        const of = splits[i] ?? "";
        counts[told ? of : ""] = (counts[told ? of : ""] ?? 0) + 1;
        yield [row.text, ...fields.map((name) => row.labels[name]!), ...(split === null ? [] : [of])];
      }
    }
  }

  const count = await writeRowsFile(output, columns, rows());
  const [system] = systems;
  return {
    from: "openai-chat",
    rows: count,
    columns,
    split,
    splits: counts,
    instructions: systems.size === 1 ? (system ?? null) : null,
    notes:
      told || sources.length === 1
        ? []
        : ["Names of files that hold train, validation or test would tell the splits; these do not all."],
  };
}

async function fieldsOf(source: string): Promise<string[]> {
  let number = 0;
  for await (const text of linesOf(source)) {
    number++;
    if (text.trim() !== "") return Object.keys(chatRow(text, `${source}:${number}`).labels);
  }
  throw new WorkflowError(`${source} is empty.`);
}

const shape = (fields: readonly string[]): string =>
  fields.length === 1 && fields[0] === "" ? "a label alone" : `JSON with ${fields.join(", ") || "no field"}`;

function chatRow(line: string, place: string): ReturnType<typeof readChatLine> {
  try {
    return readChatLine(line);
  } catch (error) {
    if (error instanceof ChatLineError) throw new WorkflowError(`${place}: ${error.message}`);
    throw error;
  }
}

/** Its last line may lack its end. */
const linesOf = (path: string) =>
  createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });

/** A name that no column has. */
function free(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? free(`${name}_`, taken) : name;
}

async function importHuggingFace(folder: string, output: string): Promise<Imported> {
  const duckdb = createDuckDb({ folder });
  try {
    const { files, columns } = await openHuggingFace(folder, duckdb);
    const names = columns.map(({ name }) => name);
    const told = files.every(({ split }) => split !== null);
    const split = told ? free("split", names) : null;
    const counts: Record<string, number> = {};

    async function* rows(): AsyncGenerator<string[]> {
      for (const file of files) {
        for await (const cells of readHuggingFace(file, columns, duckdb)) {
          const of = told ? file.split! : "";
          counts[of] = (counts[of] ?? 0) + 1;
          yield split === null ? cells : [...cells, of];
        }
      }
    }

    const count = await writeRowsFile(output, split === null ? names : [...names, split], rows());
    const several = columns.filter((column) => column.several).map(({ name }) => name);
    return {
      from: "huggingface",
      rows: count,
      columns: split === null ? names : [...names, split],
      split,
      splits: counts,
      instructions: null,
      notes: several.map(
        (name) => `"${name}" holds several labels a row, which is no target of Clf: a target has one.`,
      ),
    };
  } finally {
    await duckdb.close();
  }
}
