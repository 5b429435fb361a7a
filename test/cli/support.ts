/** The built `clf`, run as people run it, on a small copy of the example. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { execa, type Options } from "execa";
import type * as z from "zod";
import { DIST, ROOT } from "../built.ts";

export { build } from "../built.ts";
export const CLI = join(DIST, "cli.mjs");

export interface Ran {
  code: number | undefined;
  out: string;
  err: string;
}

/** A person of the tests, whatever git says of this machine; no colour is asked for. */
export const ENVIRONMENT = {
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "user.name",
  GIT_CONFIG_VALUE_0: "Test Person",
  NODE_OPTIONS: "",
};

export function start(args: readonly string[], options: Options = {}) {
  return execa(process.execPath, [CLI, ...args], {
    reject: false,
    stdin: "ignore",
    stripFinalNewline: false,
    ...options,
    env: { ...ENVIRONMENT, ...(options.env as Record<string, string> | undefined) },
  });
}

/** Runs `clf` to its end. No output of it may ever hold a stack, an escape code or Node's own warnings. */
export async function clf(args: readonly string[], options: Options = {}): Promise<Ran> {
  const { exitCode, stdout, stderr } = await start(args, options);
  const ran = { code: exitCode, out: String(stdout ?? ""), err: String(stderr ?? "") };
  const all = ran.out + ran.err;
  for (const never of [
    "\n    at ",
    "\u001b",
    "Warning: Detected",
    "UnhandledPromise",
    "[object Object]",
    "undefined",
  ]) {
    if (all.includes(never)) throw new Error(`clf ${args.join(" ")} printed ${JSON.stringify(never)}:\n${all}`);
  }
  return ran;
}

/** The one JSON document of a command, checked against its schema. */
export async function document<S extends z.ZodType>(
  schema: S,
  args: readonly string[],
  options: Options & { code?: number } = {},
): Promise<z.output<S>> {
  const { code: expected = 0, ...rest } = options;
  const { code, out, err } = await clf([...args, "--json"], rest);
  if (code !== expected) throw new Error(`clf ${args.join(" ")} ended with ${code}, not ${expected}:\n${err}${out}`);
  return schema.parse(JSON.parse(out));
}

export function temporaryFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "clf-cli-")));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A label of the small project that would be a script on a page that forgot to escape it. */
export const SCRIPT_LABEL = 'Cuts <script>alert("cut")</script> & more';
export const LABELLED = 420;
export const POOL = 40;

export const PROJECT = `# The example, small.
version: 1
name: small
dataset:
  source: data/injuries.csv
  pool: inbox/*.csv
  id: report_id
  split: { seed: 42 }
task:
  inputs:
    - Final Narrative
    - { column: Employer, name: employer }
  targets:
    - column: NatureTitle
    - column: Part of Body Title
models:
  baseline: { engine: linear, char_ngrams: [3, 4] }
  words: { engine: linear, char_ngrams: [3, 3], word_ngrams: [1, 1] }
confidence:
  accept: { risk: 0.25, certainty: 0.9 }
review: { model: baseline }
`;

let made: string | undefined;

/** Three labels a target of the example, ${LABELLED} rows and ${POOL} in the pool; a formula and a terminal's escape code among the texts. */
async function makeSmallProject(): Promise<string> {
  const folder = temporaryFolder();
  await mkdir(join(folder, "data"));
  await mkdir(join(folder, "inbox"));
  const connection = await (await DuckDBInstance.create()).connect();
  const example = join(ROOT, "examples", "severe-injuries");
  const copy = (from: string, where: string, limit: number, to: string, label: string, offset = 0) =>
    connection.run(`
      COPY (
        SELECT * REPLACE (${label}
          CASE row_number() OVER () - ${offset} WHEN 1 THEN '=1+1 ' || "Final Narrative" WHEN 2 THEN chr(27) || '[31m' || "Final Narrative"
            ELSE "Final Narrative" END AS "Final Narrative")
        FROM read_csv('${join(example, from)}', all_varchar = true) WHERE ${where} LIMIT ${limit} OFFSET ${offset}
      ) TO '${join(folder, to)}' (HEADER)`);
  const script = `replace(NatureTitle, 'Cuts and lacerations', '${SCRIPT_LABEL}') AS NatureTitle,`;
  const few = `NatureTitle IN ('Fractures', 'Amputations', 'Cuts and lacerations') AND "Part of Body Title" IN ('Finger', 'Hand', 'Arm')`;
  await copy("data/injuries.csv", few, LABELLED, "data/injuries.csv", script);
  // New rows like those with labels: a pool that is not voids the certificate.
  await copy("data/injuries.csv", few, POOL, "inbox/new.csv", "", LABELLED);
  connection.closeSync();
  await writeFile(join(folder, "small.clf.yaml"), PROJECT);
  return folder;
}

/** A folder of its own with the small project; returns the folder. */
export async function smallProject(): Promise<string> {
  made ??= await makeSmallProject();
  const folder = temporaryFolder();
  cpSync(made, folder, { recursive: true });
  return folder;
}

after(async () => {
  if (made) await removeFolder(made);
});

/** Every file under a folder by its path, job folders apart: what a command that fails must leave as it was. */
export function files(folder: string): Record<string, string> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    found.map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path).toString("latin1")];
    }),
  );
}
