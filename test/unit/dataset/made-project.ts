import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ProjectFile, type ProjectFileInput } from "../../../schemas/project.ts";
import { type Dataset, type OpenOptions, openDataset } from "../../../server/src/dataset/dataset.ts";
import { createDuckDb, type DuckDb } from "../../../server/src/dataset/duckdb.ts";
import type { Project } from "../../../server/src/project/project.ts";
import { resolveProject } from "../../../server/src/project/resolve.ts";

export interface MadeProject {
  folder: string;
  project: Project;
  duckdb: DuckDb;
  write(name: string, content: string | Buffer): Promise<void>;
  open(options?: Partial<OpenOptions>): Promise<Dataset>;
  remove(): Promise<void>;
}

type Made = {
  dataset: ProjectFileInput["dataset"];
  task?: ProjectFileInput["task"];
  models?: ProjectFileInput["models"];
  files?: Record<string, string | Buffer>;
};

/** A project in a folder of its own, without a project file: the dataset module is handed the resolved project. */
export async function makeProject({ dataset, task, models, files = {} }: Made): Promise<MadeProject> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "clf-dataset-")));
  const spec = ProjectFile.parse({
    version: 1,
    dataset,
    task: task ?? { inputs: ["text"], targets: [{ column: "label" }] },
    ...(models ? { models } : {}),
  });
  const project = resolveProject(path.join(folder, "made.clf.yaml"), spec, new Map());
  const duckdb = createDuckDb({ folder });
  async function write(name: string, content: string | Buffer): Promise<void> {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  for (const [name, content] of Object.entries(files)) await write(name, content);
  return {
    folder,
    project,
    duckdb,
    write,
    open: (options) => openDataset(project, { duckdb, ...options }),
    async remove() {
      await duckdb.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A csv of `rows`, quoted where needed. */
export function toCsv(header: string[], rows: string[][], end = "\n"): string {
  const field = (text: string): string =>
    /[",\r\n]/.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;
  return [header, ...rows].map((row) => row.map(field).join(",") + end).join("");
}

/** Runs `use` on a made project and removes it whatever happens. */
export async function withProject(made: Made, use: (made: MadeProject) => Promise<void>): Promise<void> {
  const project = await makeProject(made);
  try {
    await use(project);
  } finally {
    await project.remove();
  }
}
