/**
 * The open project files: read, checked and their data checked, each as soon as it may, none waiting for the next. Syntax,
 * schema and what follows from the file alone come first; data checks follow in another thread, and the next keystroke
 * ends them. What was found for a version of the text that is no longer there is dropped.
 */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Diagnostic } from "vscode-languageserver-types";
import type { Problem } from "../../../schemas/problem.ts";
import { Source } from "../../../schemas/project.ts";
import { type LoadedProject, loadProject } from "../project/load.ts";
import type { ReadText } from "../project/named-files.ts";
import { isInside } from "../project/paths.ts";
import type { Project } from "../project/project.ts";
import { markAt, readYaml, type YamlFile } from "../project/yaml.ts";
import type { DataProblem, DataResult, SampledColumn } from "./data-protocol.ts";
import type { DataReader } from "./data-reader.ts";
import { type DiagnosticBoard, diagnosticOf } from "./diagnostics.ts";
import { loadRead } from "./load-read.ts";
import { meanings } from "./names.ts";
import { reread } from "./reread.ts";
import { filesOf } from "./sample-columns.ts";
import { pathOf, uriOf } from "./uris.ts";

/** Milliseconds of quiet before a step; all 0 to measure or test without waiting. */
export interface Delays {
  /** Before the text is checked: this many times as long as the last check took, `check` at most. */
  check: number;
  /** Before a whole file is read again after a syntax error in a part of it. */
  reread: number;
  /** Before the data is read. */
  data: number;
}

export const DELAYS: Delays = { check: 300, reread: 200, data: 400 };

export interface ProjectDocument {
  uri: string;
  /** Absolute path; of an unsaved new file one that does not exist. */
  path: string;
  /** Whether the file has a place on disk, so that the files it names can be found. */
  onDisk: boolean;
  text: TextDocument;
  /** The last check of any version. */
  loaded?: LoadedProject;
  /** The last data check that came to an end, and the project it was of. */
  data?: DataResult;
  columns: SampledColumn[];
  /** Settled once the file has been checked for the first time: what takes long waits for it. */
  ready: Promise<void>;
}

export interface ProjectDocumentsOptions {
  board: DiagnosticBoard;
  data: DataReader;
  /** Reads a file that a project names; an editor's unsaved text wins. */
  read: ReadText;
  delays: Delays;
  /** Something failed that never should: for the log. */
  log: (message: string) => void;
  /** Figures of the data have changed: hints are to be asked for again. */
  onFigures: () => void;
}

interface State extends ProjectDocument {
  /** The newest text that was read as a whole, or is as good as that. */
  base?: YamlFile;
  parsed?: { version: number; file: YamlFile; exact: boolean };
  checkTimer?: NodeJS.Timeout;
  rereadTimer?: NodeJS.Timeout;
  dataTimer?: NodeJS.Timeout;
  dataAbort?: AbortController;
  /** What the last finished data check was of: the data it looked at has not changed while this is the same. */
  dataKey?: string;
  columnsKey?: string;
  lastCheck: number;
  isReady: () => void;
}

export type ProjectDocuments = ReturnType<typeof createProjectDocuments>;

export function createProjectDocuments(options: ProjectDocumentsOptions) {
  const { board, data, read, delays, log } = options;
  const states = new Map<string, State>();

  /** The file as it is now, read at most once a version. */
  function parsed(state: State): YamlFile {
    const { version } = state.text;
    if (state.parsed?.version === version) return state.parsed.file;
    const text = state.text.getText().replace(/^\uFEFF/, "");
    const part = state.base && reread(state.base, text);
    const file = part?.file ?? readYaml(state.path, text);
    state.parsed = { version, file, exact: part?.exact ?? true };
    if (state.parsed.exact && file.problems.length === 0) state.base = file;
    return file;
  }

  function schedule(state: State): void {
    stopData(state);
    clearTimeout(state.checkTimer);
    clearTimeout(state.rereadTimer);
    state.checkTimer = setTimeout(() => void guarded(state, check), Math.min(delays.check, state.lastCheck * 2));
  }

  function stopData(state: State): void {
    clearTimeout(state.dataTimer);
    state.dataAbort?.abort();
    state.dataAbort = undefined;
  }

  async function guarded(state: State, step: (state: State) => Promise<void>): Promise<void> {
    try {
      await step(state);
    } catch (error) {
      log(`${state.uri}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    } finally {
      state.isReady();
    }
  }

  async function check(state: State): Promise<void> {
    const started = performance.now();
    const { version } = state.text;
    const file = parsed(state);
    const { exact } = state.parsed!;
    const loaded = (await loadRead(file, read)) ?? (await loadProject(state.path, { text: file.text, read }));
    if (states.get(state.uri) !== state || state.text.version !== version) return;
    state.lastCheck = performance.now() - started;
    state.loaded = loaded;
    publish(state);
    if (exact) return scheduleData(state);
    state.rereadTimer = setTimeout(() => {
      state.parsed = { version, file: readYaml(state.path, file.text), exact: true };
      void guarded(state, check);
    }, delays.reread);
  }

  function scheduleData(state: State): void {
    stopData(state);
    if (!state.onDisk) return;
    state.dataTimer = setTimeout(() => void guarded(state, readData), delays.data);
  }

  async function readData(state: State): Promise<void> {
    const abort = new AbortController();
    state.dataAbort = abort;
    const { signal } = abort;
    try {
      const source = Source.safeParse(
        (parsed(state).value as { dataset?: { source?: unknown } } | null)?.dataset?.source,
      );
      if (source.success) await readColumns(state, source.data, signal);
      const project = state.loaded?.project;
      if (project) await checkData(state, project, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async function readColumns(
    state: State,
    source: Project["spec"]["dataset"]["source"],
    signal: AbortSignal,
  ): Promise<void> {
    const folder = dirname(state.path);
    const key = JSON.stringify([source, await stamps(folder, source)]);
    if (signal.aborted || key === state.columnsKey) return;
    const columns = await data.sample(folder, source, signal);
    if (signal.aborted) return;
    state.columns = columns;
    state.columnsKey = key;
  }

  async function checkData(state: State, project: Project, signal: AbortSignal): Promise<void> {
    const { dataset } = project.spec;
    const files = [await stamps(project.folder, dataset.source), await stamps(project.folder, dataset.pool ?? [])];
    const splits = await stampOf(project.splitsFile);
    const key = JSON.stringify([dataset, project.shares, project.inputs, project.targets, files, splits]);
    if (signal.aborted || key === state.dataKey) return;
    const result = await data.check(project, signal);
    if (signal.aborted) return;
    state.data = result;
    state.dataKey = key;
    publish(state);
    options.onFigures();
  }

  /** Everything known of a project: what its text says, and what its data said last. */
  function publish(state: State): void {
    const file = parsed(state);
    const version = state.text.version;
    const own: Diagnostic[] = [];
    const others = new Map<string, Diagnostic[]>();
    const put = (problem: Problem, at = problem.range): void => {
      if (problem.file === undefined || problem.file === state.path) {
        own.push(diagnosticOf(problem, at));
        return;
      }
      const uri = uriOf(problem.file);
      others.set(uri, [...(others.get(uri) ?? []), diagnosticOf(problem, at)]);
    };
    for (const problem of state.loaded?.problems ?? []) {
      // Where nothing is saved yet, no file can be missing.
      if (state.onDisk || !/^(missing-file|path-outside)$/.test(problem.code)) put(problem);
    }
    for (const problem of state.data?.problems ?? []) {
      put(problem, problem.path ? markAt(file, problem.path) : problem.range);
      for (const at of placesOfColumn(file, problem)) own.push(diagnosticOf(problem, at));
    }
    board.publish(state.uri, own, version, others);
  }

  return {
    open(text: TextDocument): void {
      const path = pathOf(text.uri);
      let isReady = (): void => {};
      const ready = new Promise<void>((resolve) => {
        isReady = resolve;
      });
      const state: State = {
        uri: text.uri,
        path: path ?? `/unsaved/${text.uri.replace(/[^A-Za-z0-9.]+/g, "-")}`,
        onDisk: path !== undefined,
        text,
        columns: [],
        ready,
        isReady,
        lastCheck: 0,
      };
      states.set(text.uri, state);
      schedule(state);
    },
    change(text: TextDocument): void {
      const state = states.get(text.uri);
      if (!state) return;
      state.text = text;
      schedule(state);
    },
    close(uri: string): void {
      const state = states.get(uri);
      if (!state) return;
      states.delete(uri);
      state.isReady();
      stopData(state);
      clearTimeout(state.checkTimer);
      clearTimeout(state.rereadTimer);
      board.clear(uri);
    },
    /** Files changed on disk, or in an editor: projects that may name them are checked again. */
    filesChanged(paths: readonly string[]): void {
      for (const state of states.values()) {
        const folder = dirname(state.path);
        if (paths.some((path) => path !== state.path && isInside(folder, path))) schedule(state);
      }
    },
    get(uri: string): ProjectDocument | undefined {
      return states.get(uri);
    },
    /** The file as it is in the editor now. */
    file(uri: string): YamlFile | undefined {
      const state = states.get(uri);
      return state && parsed(state);
    },
    all(): ProjectDocument[] {
      return [...states.values()];
    },
  };
}

/** A column that a data file lacks is marked where the project names it, too. */
function placesOfColumn(file: YamlFile, problem: DataProblem) {
  if (problem.code !== "missing-column" || problem.path) return [];
  return [...meanings(file)]
    .filter(({ meaning }) => meaning.is === "column" && meaning.name === problem.column)
    .map(({ path }) => markAt(file, path));
}

/** The files a source stands for, as they are now. */
async function stamps(folder: string, source: Project["spec"]["dataset"]["source"]): Promise<string[]> {
  const files = await filesOf(folder, source);
  return Promise.all(files.map(({ path }) => stampOf(path)));
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? `${path} ${found.size} ${found.mtimeMs}` : path;
}
