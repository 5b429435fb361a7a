/**
 * A Hugging Face dataset folder: Parquet files, whose splits and label names its README.md, the files' names and their own metadata tell
 * (https://huggingface.co/docs/hub/datasets-data-files-configuration).
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { glob } from "tinyglobby";
import { parse } from "yaml";
import * as z from "zod";
import type { DuckDb } from "./duckdb.ts";
import { byCodeUnit } from "./files.ts";
import { identifier, literal, plainPath, textOf } from "./sql.ts";

/** The folder cannot be read; the message is for people. */
export class HuggingFaceError extends Error {
  override name = "HuggingFaceError";
}

export interface HuggingFaceColumn {
  name: string;
  /** ClassLabel: the file holds a label's place in this list. */
  labels?: string[];
  /** A list of labels, which is more than Clf's one label a target. */
  several?: boolean;
}

export interface HuggingFaceFolder {
  files: { path: string; split: string | null }[];
  columns: HuggingFaceColumn[];
}

const Names = z.union([z.array(z.string()), z.record(z.string(), z.string())]);
const Info = z.looseObject({
  config_name: z.string().optional(),
  features: z.array(z.looseObject({ name: z.string(), dtype: z.unknown().optional() })).optional(),
});
const Configuration = z.looseObject({
  config_name: z.string().default("default"),
  default: z.boolean().default(false),
  data_files: z.unknown().optional(),
});
const Card = z.looseObject({
  configs: z.array(Configuration).optional(),
  dataset_info: z.union([Info, z.array(Info)]).optional(),
});
type Card = z.output<typeof Card>;

/** @throws HuggingFaceError when there is nothing to read */
export async function openHuggingFace(folder: string, duckdb: DuckDb): Promise<HuggingFaceFolder> {
  const card = await readCard(folder);
  const files = await filesOf(folder, card);
  if (files.length === 0) throw nothingToRead(folder);
  const path = files[0]!.path;
  const types = await typesOf(path, duckdb);
  const fromCard = labelsOfCard(card);
  const fromFile = await labelsOfFile(path, duckdb);
  const columns = [...types.keys()].map((name) => ({ name, ...(fromFile.get(name) ?? fromCard.get(name) ?? {}) }));
  return { files, columns };
}

/** Column → type, in the order of the file. */
async function typesOf(path: string, duckdb: DuckDb): Promise<Map<string, string>> {
  const { data } = await duckdb.query("DESCRIBE SELECT * FROM read_parquet($1)", [plainPath(path)]);
  return new Map((data[0] as string[]).map((name, i) => [name, String(data[1]![i])]));
}

/** The rows of a file, every cell as text, labels by name. @throws DuckDbError */
export async function* readHuggingFace(
  file: { path: string },
  columns: readonly HuggingFaceColumn[],
  duckdb: DuckDb,
): AsyncGenerator<string[]> {
  const types = await typesOf(file.path, duckdb);
  const cells = columns.map(({ name, labels }) => {
    const type = types.get(name);
    if (type === undefined) return "''";
    if (labels && /INT/.test(type)) {
      // -1 is no label. Lists of SQL begin at 1.
      const column = identifier(name);
      const list = `[${labels.map(literal).join(", ")}]`;
      return `CASE WHEN ${column} < 0 THEN '' ELSE coalesce((${list}::VARCHAR[])[${column} + 1], ${column}::VARCHAR, '') END`;
    }
    return textOf(name, type);
  });
  const plain = plainPath(file.path);
  for await (const { data } of duckdb.stream(`SELECT ${cells.join(", ")} FROM read_parquet($1)`, [plain])) {
    for (let row = 0; row < (data[0]?.length ?? 0); row++) yield data.map((column) => column[row] as string);
  }
}

async function readCard(folder: string): Promise<Card> {
  const text = await readFile(join(folder, "README.md"), "utf8").catch(() => "");
  const [, front] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text) ?? [];
  if (front === undefined) return {};
  try {
    // A card that says something else of itself says nothing of the files.
    return Card.catch({}).parse(parse(front));
  } catch {
    return {};
  }
}

async function filesOf(folder: string, { configs }: Card): Promise<HuggingFaceFolder["files"]> {
  const named = configs?.filter(({ data_files }) => data_files !== undefined) ?? [];
  const [only, ...others] = named;
  if (!only) return named.length === 0 ? byName(folder) : [];
  const chosen =
    named.find((config) => config.default || config.config_name === "default") ?? (others.length === 0 ? only : null);
  if (!chosen) {
    const names = named.map(({ config_name }) => config_name).join(", ");
    throw new HuggingFaceError(
      `${folder} holds ${named.length} data sets (${names}). Import the folder of one of them, or keep one of them in the README's configs.`,
    );
  }
  const files: HuggingFaceFolder["files"] = [];
  for (const { split, patterns } of patternsOf(chosen.data_files)) {
    for (const path of await parquetFiles(folder, patterns)) files.push({ path, split });
  }
  return files;
}

/** `data_files` is a path, a list of paths, or a list of splits with theirs. */
function patternsOf(dataFiles: unknown): { split: string | null; patterns: string[] }[] {
  const Paths = z.union([z.string(), z.array(z.string())]);
  const bare = Paths.safeParse(dataFiles);
  if (bare.success) return [{ split: null, patterns: [bare.data].flat() }];
  const split = z.array(z.looseObject({ split: z.string(), path: Paths })).safeParse(dataFiles);
  return split.success ? split.data.map((each) => ({ split: each.split, patterns: [each.path].flat() })) : [];
}

const parquetFiles = async (folder: string, patterns: string[]): Promise<string[]> =>
  (await glob(patterns, { cwd: folder, absolute: true, followSymbolicLinks: false, expandDirectories: true }))
    .filter((path) => path.toLowerCase().endsWith(".parquet"))
    .sort(byCodeUnit);

const KEYWORDS: [RegExp, string][] = [
  [/^(train|training)$/, "train"],
  [/^(validation|valid|val|dev)$/, "validation"],
  [/^(test|testing|eval|evaluation)$/, "test"],
];

/** The split that a path names by a word of its own: `data/train-00000-of-00001.parquet`, `test/0000.parquet`. */
export function splitOfPath(path: string): string | null {
  for (const part of path.toLowerCase().split(/[/\\]/).reverse()) {
    for (const word of part.split(/[^a-z]+/)) {
      const found = KEYWORDS.find(([pattern]) => pattern.test(word));
      if (found) return found[1];
    }
  }
  return null;
}

async function byName(folder: string): Promise<HuggingFaceFolder["files"]> {
  const paths = await parquetFiles(folder, ["**/*.parquet"]);
  return paths.map((path) => ({ path, split: splitOfPath(path.slice(folder.length + 1)) ?? sharded(path) }));
}

/** `unsupervised-00000-of-00001.parquet`: a split of another name. */
const sharded = (path: string): string | null =>
  /^(\w+)-\d{5}-of-\d{5}(-\w+)?\.parquet$/.exec(basename(path))?.[1] ?? null;

type Labels = Map<string, Pick<HuggingFaceColumn, "labels" | "several">>;

function labelsOfCard({ dataset_info }: Card): Labels {
  const labels: Labels = new Map();
  const [info] = [dataset_info ?? []].flat();
  const Class = z.looseObject({ class_label: z.looseObject({ names: Names }) });
  for (const feature of info?.features ?? []) {
    const one = Class.safeParse(feature.dtype);
    const list = z.looseObject({ sequence: Class }).safeParse(feature);
    if (one.success) labels.set(feature.name, { labels: inOrder(one.data.class_label.names) });
    else if (list.success) labels.set(feature.name, { several: true });
  }
  return labels;
}

/** What the `datasets` library writes into a Parquet file about its columns. */
async function labelsOfFile(path: string, duckdb: DuckDb): Promise<Labels> {
  const labels: Labels = new Map();
  const { data } = await duckdb.query(
    "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = 'huggingface'",
    [plainPath(path)],
  );
  let json: unknown;
  try {
    json = JSON.parse(String(data[0]?.[0] ?? "null"));
  } catch {
    return labels;
  }
  const Metadata = z.looseObject({ info: z.looseObject({ features: z.record(z.string(), z.unknown()) }) });
  const Class = z.looseObject({ _type: z.literal("ClassLabel"), names: Names });
  const metadata = Metadata.safeParse(json);
  for (const [name, feature] of metadata.success ? Object.entries(metadata.data.info.features) : []) {
    const one = Class.safeParse(feature);
    const list = z.union([z.looseObject({ feature: Class }), z.tuple([Class])]).safeParse(feature);
    if (one.success) labels.set(name, { labels: inOrder(one.data.names) });
    else if (list.success) labels.set(name, { several: true });
  }
  return labels;
}

function inOrder(names: z.output<typeof Names>): string[] {
  if (Array.isArray(names)) return names;
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => name);
}

function nothingToRead(folder: string): HuggingFaceError {
  const saved = existsSync(join(folder, "dataset_dict.json")) || existsSync(join(folder, "state.json"));
  return new HuggingFaceError(
    saved
      ? `${folder} was written by save_to_disk, as Arrow files, which cannot be read. Write it as Parquet: dataset["train"].to_parquet("train.parquet").`
      : `${folder} holds no Parquet file. A Hugging Face dataset folder has some, in data/ or beside its README.md.`,
  );
}
