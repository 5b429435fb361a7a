/** From `dataset.source` and `dataset.pool` to the files that hold the rows. */
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import type { Problem } from "../../../schemas/problem.ts";
import type { Project } from "../project/project.ts";
import { closest, didYouMean } from "../project/suggest.ts";
import { type ProblemList, quoted } from "./problems.ts";

export type DataFormat = "csv" | "tsv" | "jsonl" | "json" | "parquet";

/** What a file's rows are for: `source` files are divided, the others say their split. */
export type FileRole = "source" | "train" | "validation" | "test" | "pool";

export interface DataFile {
  /** Absolute, symbolic links resolved. */
  path: string;
  /** As a person knows it: relative to the project's folder. */
  name: string;
  role: FileRole;
  format: DataFormat;
  gzip: boolean;
  /** Size on disk. */
  bytes: number;
}

/** Where a key of the project file stands, for problems that are the project file's fault. */
export type Locate = (key: (string | number)[]) => Problem["range"] | undefined;

const FORMATS: Record<string, DataFormat> = {
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "json",
  parquet: "parquet",
};

/** The format that a file's name tells. */
export function dataFormat(file: string): { format: DataFormat; gzip: boolean } | undefined {
  const lower = path.basename(file).toLowerCase();
  const gzip = lower.endsWith(".gz");
  const extension = path.extname(gzip ? lower.slice(0, -3) : lower).slice(1);
  const format = FORMATS[extension];
  if (!format || (gzip && format === "parquet")) return undefined;
  return { format, gzip };
}

/** All data files of a project, in the order in which their rows count. */
export async function findFiles(project: Project, problems: ProblemList, locate?: Locate): Promise<DataFile[]> {
  const { source, pool } = project.spec.dataset;
  const files: DataFile[] = [];
  const seen = new Map<string, FileRole>();
  const root = await realpath(project.folder);

  async function add(pattern: string, role: FileRole, key: (string | number)[]): Promise<void> {
    const fail = (code: string, message: string): void =>
      problems.add({ severity: "error", code, message, file: project.file, range: locate?.(key) });
    const paths = await expand(pattern);
    if (paths === undefined) {
      const suggestions = await neighbours(pattern);
      fail("missing-file", `There is no file ${quoted(pattern)} in ${project.folder}.${didYouMean(suggestions)}`);
      return;
    }
    if (paths.length === 0) {
      // A pool is an inbox: it may be empty.
      if (role !== "pool") fail("glob-without-match", `No file in ${project.folder} matches ${quoted(pattern)}.`);
      else {
        problems.add({
          severity: "information",
          code: "empty-pool",
          message: `No file matches ${quoted(pattern)}: the pool is empty.`,
          file: project.file,
          range: locate?.(key),
        });
      }
      return;
    }
    for (const found of paths) {
      const name = path.relative(project.folder, found).split(path.sep).join("/");
      const known = dataFormat(found);
      if (!known) {
        fail(
          "unsupported-format",
          `${name} is not a kind of file that can be read. Use csv, tsv, jsonl, json or parquet; all but parquet may be gzipped (.gz).`,
        );
        continue;
      }
      const real = await realpath(found);
      if (real !== root && !real.startsWith(root + path.sep)) {
        fail(
          "outside-folder",
          `${name} leads out of the project's folder (to ${real}). Copy the data into ${project.folder}.`,
        );
        continue;
      }
      const information = await stat(real);
      if (!information.isFile()) {
        fail("not-a-file", `${name} is not a file. For all files of a folder write ${quoted(`${name}/*.csv`)}.`);
        continue;
      }
      const before = seen.get(real);
      if (before !== undefined) {
        if (before !== role)
          fail("file-named-twice", `${name} is named as ${before} and as ${role}. A file has one use.`);
        continue;
      }
      seen.set(real, role);
      files.push({ path: real, name, role, ...known, bytes: information.size });
    }
  }

  /** Paths that a pattern stands for, sorted; undefined when it is a plain path to nothing. */
  async function expand(pattern: string): Promise<string[] | undefined> {
    const plain = path.resolve(project.folder, pattern);
    if (await stat(plain).catch(() => undefined)) return [plain];
    if (!isDynamicPattern(pattern)) return undefined;
    const found = await glob(pattern, {
      cwd: project.folder,
      absolute: true,
      onlyFiles: true,
      expandDirectories: false,
    });
    return found.map((file) => path.normalize(file)).sort(byCodeUnit);
  }

  async function neighbours(pattern: string): Promise<string[]> {
    const folder = path.posix.dirname(pattern.split(path.sep).join("/"));
    const around = await glob(folder === "." ? "*" : `${folder}/*`, { cwd: project.folder, onlyFiles: true }).catch(
      () => [],
    );
    return closest(
      pattern,
      around.filter((file) => dataFormat(file)),
    );
  }

  async function addAll(value: string | string[] | undefined, role: FileRole, key: (string | number)[]): Promise<void> {
    if (value === undefined) return;
    if (typeof value === "string") return add(value, role, key);
    for (const [i, pattern] of value.entries()) await add(pattern, role, [...key, i]);
  }

  if (typeof source === "string" || Array.isArray(source)) await addAll(source, "source", ["dataset", "source"]);
  else {
    for (const role of ["train", "validation", "test"] as const) {
      await addAll(source[role], role, ["dataset", "source", role]);
    }
  }
  await addAll(pool, "pool", ["dataset", "pool"]);
  return files;
}

/** The order of `sort()`, whatever the machine's language. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
