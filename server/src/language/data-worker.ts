/** The worker thread that reads data for the language server, so that no file is large enough to delay an editor. */
import { realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { parentPort } from "node:worker_threads";
import type { Range } from "../../../schemas/problem.ts";
import { openDataset } from "../dataset/dataset.ts";
import { createDuckDb, type DuckDb } from "../dataset/duckdb.ts";
import type { Locate } from "../dataset/files.ts";
import { isInside } from "../project/paths.ts";
import type { Project } from "../project/project.ts";
import type { Path } from "../project/yaml.ts";
import type { DataAnswer, DataProblem, DataRequest, DataResult } from "./data-protocol.ts";
import { sampleColumns } from "./sample-columns.ts";

const running = new Map<number, AbortController>();
const databases = new Map<string, DuckDb>();

parentPort!.on("message", async (request: DataRequest) => {
  if (request.do === "cancel") {
    running.get(request.id)?.abort();
    return;
  }
  const abort = new AbortController();
  running.set(request.id, abort);
  try {
    const result =
      request.do === "sample" ? await sample(request, abort.signal) : await check(request.project, abort.signal);
    parentPort!.postMessage({ id: request.id, ok: true, result } satisfies DataAnswer);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort!.postMessage({
      id: request.id,
      ok: false,
      cancelled: abort.signal.aborted,
      message,
    } satisfies DataAnswer);
  } finally {
    running.delete(request.id);
  }
});

/** One for each project folder: what it may read is confined to that folder. */
function duckdbOf(folder: string): DuckDb {
  let database = databases.get(folder);
  if (!database) databases.set(folder, (database = createDuckDb({ folder })));
  return database;
}

function sample({ folder, source }: DataRequest & { do: "sample" }, signal: AbortSignal) {
  return sampleColumns(folder, source, duckdbOf(folder), signal);
}

async function check(project: Project, signal: AbortSignal): Promise<DataResult> {
  // Problems carry the very object that `locate` gave: it tells which key they are about.
  const keys = new Map<object, Path>();
  const locate: Locate = (key) => {
    const range: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
    keys.set(range, key);
    return range;
  };
  const dataset = await openDataset(project, { duckdb: duckdbOf(project.folder), signal, locate, saveSplits: false });
  const root = await realpath(project.folder);
  const problems = dataset.problems.map((problem): DataProblem => {
    const path = problem.range && keys.get(problem.range);
    // Data files are named with their links resolved; the editor knows them as they stand in the project's folder.
    const file =
      problem.file !== undefined && !isInside(project.folder, problem.file) && isInside(root, problem.file)
        ? join(project.folder, relative(root, problem.file))
        : problem.file;
    return path ? { ...problem, file, range: undefined, path } : { ...problem, file };
  });
  const { profile } = dataset;
  const { train = 0, tune = 0, validation = 0, test = 0, pool = 0 } = profile.splits;
  return {
    problems,
    figures: {
      rows: train + tune + validation + test,
      splits: { train: train + tune, validation, test },
      pool,
      duplicates: profile.duplicates.exact,
      inputs: profile.inputs.map(({ column, empty, characters }) => ({
        column,
        empty,
        median: characters?.median ?? null,
      })),
      targets: Object.fromEntries(
        profile.targets.map(({ column, labelled, labels }) => [
          column,
          {
            labelled,
            labels: labels
              .map(({ name, splits }) => ({
                name,
                train: (splits.train ?? 0) + (splits.tune ?? 0),
                validation: splits.validation ?? 0,
                test: splits.test ?? 0,
              }))
              .sort((a, b) => b.train + b.validation + b.test - (a.train + a.validation + a.test)),
          },
        ]),
      ),
    },
  };
}
