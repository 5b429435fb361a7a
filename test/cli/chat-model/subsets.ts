/** Subsets of Banking77 and hwu64 (shared/data), the first rows of each label in the order of the files, as projects. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { ROOT } from "../../built.ts";

const DATA = join(ROOT, "..", "shared", "data");

export const hasRealData = (): boolean =>
  existsSync(join(DATA, "banking77", "train.csv")) && existsSync(join(DATA, "hwu64", "all_10fold.csv"));

/** Rows a label. */
export interface Sizes {
  train: number;
  validation: number;
  test: number;
}

async function query(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run(sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Numbers the rows of each label, in the order of the file. */
const numbered = (path: string, by: string): string =>
  `(SELECT *, row_number() OVER (PARTITION BY ${by} ORDER BY place) AS n FROM
    (SELECT *, row_number() OVER () AS place FROM read_csv('${path}', all_varchar = true)))`;

/** Columns id, text, label, split. The first `labels` labels of the alphabet; train and validation rows are from the file of train rows. */
export async function writeBanking77(path: string, labels: number, { train, validation, test }: Sizes): Promise<void> {
  const [from, to] = ["train", "test"].map((name) => numbered(join(DATA, "banking77", `${name}.csv`), "label"));
  await query(`COPY (
    WITH
      rows AS (
        SELECT 'a' || place AS id, text, label, n, place, CASE WHEN n <= ${train} THEN 'train' ELSE 'validation' END AS split FROM ${from}
        WHERE n <= ${train + validation}
        UNION ALL
        SELECT 'b' || place, text, label, n, place, 'test' FROM ${to} WHERE n <= ${test}
      ),
      chosen AS (SELECT DISTINCT label FROM rows ORDER BY label LIMIT ${labels})
    SELECT id, text, label, split FROM rows WHERE label IN (FROM chosen) ORDER BY split, n, label
  ) TO '${path}' (HEADER)`);
}

/** Columns id, text, scenario, intent, split. Rows a pair of labels. @param scenarios all when left out */
export async function writeHwu64(
  path: string,
  { train, validation, test }: Sizes,
  scenarios?: string[],
): Promise<void> {
  const rows = numbered(join(DATA, "hwu64", "all_10fold.csv"), "scenario, intent");
  const among = scenarios ? `AND scenario IN (${scenarios.map((name) => `'${name}'`).join(", ")})` : "";
  await query(`COPY (
    SELECT id, text, scenario, intent,
      CASE WHEN n <= ${train} THEN 'train' WHEN n <= ${train + validation} THEN 'validation' ELSE 'test' END AS split
    FROM ${rows} WHERE n <= ${train + validation + test} ${among} ORDER BY n, scenario, intent
  ) TO '${path}' (HEADER)`);
}

interface ProjectOptions {
  url: string;
  instructions: string;
  targets: string[];
  /** By name, as YAML of one line. */
  models: Readonly<Record<string, string>>;
  accept: string;
}

/** The model of `writeModelProject`'s endpoint, as a value of `models`. @param settings YAML of one line */
export const chatModel = (settings: string): string =>
  `{ engine: chat, endpoint: local, model: smollm2, timeout: 300, ${settings} }`;

/** gpt-4o-mini's list price stands in for that of a model that costs nothing: the ratio of costs is what matters. */
export async function writeModelProject(file: string, options: ProjectOptions): Promise<void> {
  const { url, instructions, targets, models, accept } = options;
  await writeFile(
    file,
    `version: 1
dataset: { source: data.csv, id: id, split: { column: split, tune: 0.2 } }
task:
  instructions: ${instructions}
  inputs: [text]
  targets: [${targets.map((column) => `{ column: ${column} }`).join(", ")}]
models:
${Object.entries(models)
  .map(([name, settings]) => `  ${name}: ${settings}`)
  .join("\n")}
endpoints:
  local: { base_url: "${url}", concurrency: 2, price: { input_per_million: 0.15, output_per_million: 0.6 } }
confidence: { accept: ${accept} }
`,
  );
}
