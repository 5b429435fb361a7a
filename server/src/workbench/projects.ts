/** The open projects of the workspace: sessions, data and judged rows, each read when it is first needed and kept while it holds. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { findFiles } from "../dataset/files.ts";
import { listProblems } from "../dataset/problems.ts";
import { discoverProjects, PROJECT_FILE } from "../project/discover.ts";
import { type LoadedProject, loadProject } from "../project/load.ts";
import { isInside } from "../project/paths.ts";
import { markAt } from "../project/yaml.ts";
import type { Verdicts } from "../review/fold.ts";
import { type ProjectData, readData, verdictsOnJudged, withVerdicts } from "../workflow/data.ts";
import { type JudgedRows, judgedRows, type NothingJudged } from "../workflow/flagged.ts";
import type { KeyOf } from "../workflow/keys.ts";
import { openSession, type Session, WorkflowError } from "../workflow/session.ts";

export interface OpenProject {
  file: string;
  loaded: LoadedProject;
  /** Absent while the file has errors. */
  session?: Session;
  /** Rows with decisions. Shared by everybody who asks meanwhile. */
  data(): Promise<ProjectData>;
  /** Absolute paths of the data files, links resolved. They are not read for it. */
  files(): Promise<readonly string[]>;
  /** What the model says of every row it has predicted. */
  judged(model: string): Promise<JudgedRows | NothingJudged>;
  /** What people said of those rows. The data is not read for it. */
  verdictsOn(judged: JudgedRows): Promise<Verdicts>;
}

export interface Projects {
  /** All project files of the workspace's folders, as they now are on disk. */
  all(): Promise<OpenProject[]>;
  /** The same as last found: folders are not looked through again. */
  known(): Promise<OpenProject[]>;
  /** @throws WorkflowError when there is no such file or it lies outside the workspace */
  get(file: string): Promise<OpenProject>;
  /** A project that can start jobs. @throws WorkflowError when its file has errors */
  sound(file: string): Promise<OpenProject & { session: Session }>;
  configure(folders: readonly string[]): void;
  /**
   * Files changed on disk: what was read from them is read again when it is next needed. Returns the projects concerned; a decisions
   * file that is as this process left it concerns nobody.
   */
  changed(paths: readonly string[]): Promise<string[]>;
  /** The workspace became trusted: what was only read so far is read again, and saved. */
  trust(): void;
  /** A decision was recorded: what people said is read again, the data is not. */
  decided(file: string): void;
  /** Jobs of the project ended: what is known of its rows may be old. */
  forgetJudged(file: string): void;
  close(): Promise<void>;
}

/** Milliseconds without use after which the rows of a project leave the memory. */
const IDLE = 180_000;

/** Rows whose predictions are held at most: some 1.5 KiB each. */
const MOST_JUDGED = 400_000;

export interface ProjectsOptions {
  onOpen(project: OpenProject): void;
  /** The project's file is gone, or its folder left the workspace. */
  onGone(file: string): void;
  /** Whether splits that are made when the data is read may be saved beside the project. */
  trusted(): boolean;
  keyOf: KeyOf;
  /** The connection of a job of the project to its host has changed, or its place in the queue there. */
  onHostWord(file: string): void;
}

/** Whether all that changed is the decisions file, by what this process has appended to it. */
async function onlyOwnDecisions({ session }: OpenProject, paths: readonly string[]): Promise<boolean> {
  if (!session || paths.some((path) => path !== session.decisions.file)) return false;
  return session.decisions.inStep();
}

export function openProjects({ onOpen, onGone, trusted, keyOf, onHostWord }: ProjectsOptions): Projects {
  const open = new Map<string, Promise<Entry>>();
  let folders: string[] = [];
  let found: Promise<string[]> | undefined;

  interface Entry extends OpenProject {
    forgetData(): void;
    forgetJudged(): void;
    refreshVerdicts(): void;
  }

  function lookup(file: string): Promise<Entry> {
    let entry = open.get(file);
    if (!entry) {
      const made = openEntry(file);
      entry = made;
      open.set(file, made);
      made.then(
        (project) => {
          // Unless it was left, or opened anew, in the meantime.
          if (open.get(file) === made) onOpen(project);
        },
        () => open.delete(file),
      );
    }
    return entry;
  }

  async function openEntry(file: string): Promise<Entry> {
    const loaded = await loadProject(file);
    const session =
      loaded.project &&
      openSession(loaded.project, { keyOf, onCondition: () => onHostWord(file), onPlace: () => onHostWord(file) });
    let data: Promise<ProjectData> | undefined;
    let files: Promise<string[]> | undefined;
    let verdicts = new WeakMap<JudgedRows, Promise<Verdicts>>();
    /** Decisions were recorded since the data was read: they are joined to it when it is next needed. */
    let decided = false;
    const judged = new Map<string, Promise<JudgedRows | NothingJudged>>();
    let idle: NodeJS.Timeout | undefined;
    const used = () => {
      clearTimeout(idle);
      idle = setTimeout(() => {
        data = undefined;
        judged.clear();
      }, IDLE);
      idle.unref();
    };
    return {
      file,
      loaded,
      ...(session ? { session } : {}),
      data() {
        used();
        if (!session) throw new WorkflowError(`${file} has errors: mend them first.`);
        if (data && decided) data = data.then((known) => withVerdicts(session, known));
        decided = false;
        data ??= readData(session, { locate: (at) => markAt(loaded.document, at), saveSplits: trusted() });
        data.catch(() => {
          data = undefined;
        });
        return data;
      },
      files() {
        if (!session) return Promise.resolve([]);
        files ??= findFiles(session.project, listProblems()).then((found) => found.map(({ path }) => path));
        files.catch(() => {
          files = undefined;
        });
        return files;
      },
      verdictsOn(rows) {
        if (!session) throw new WorkflowError(`${file} has errors: mend them first.`);
        const known = verdicts.get(rows) ?? verdictsOnJudged(session, rows);
        verdicts.set(rows, known);
        known.catch(() => verdicts.delete(rows));
        return known;
      },
      judged(model) {
        used();
        if (!session) throw new WorkflowError(`${file} has errors: mend them first.`);
        let rows = judged.get(model);
        if (!rows) judged.set(model, (rows = judgedRows(session, model, { most: MOST_JUDGED })));
        rows.catch(() => judged.delete(model));
        return rows;
      },
      forgetData() {
        data = undefined;
        files = undefined;
        verdicts = new WeakMap();
      },
      forgetJudged() {
        judged.clear();
      },
      refreshVerdicts() {
        verdicts = new WeakMap();
        decided = true;
      },
    };
  }

  async function discover(): Promise<string[]> {
    const files = new Set<string>();
    for (const folder of folders) for (const file of await discoverProjects(folder)) files.add(file);
    // A folder that is deleted or renamed need not tell of the files in it.
    for (const file of open.keys()) if (!files.has(file) && !existsSync(file)) leave(file);
    return [...files];
  }

  /** What still uses the session goes on with it; nobody is given it any more. */
  function leave(file: string): void {
    const entry = open.get(file);
    open.delete(file);
    onGone(file);
    void entry?.then(({ session }) => session?.retire()).catch(() => {});
  }

  const inWorkspace = (file: string) =>
    folders.some(
      (folder) => file === folder || file.startsWith(`${folder.replace(/[\\/]$/, "")}/`) || dirname(file) === folder,
    );

  const projects: Projects = {
    all() {
      found = discover();
      return projects.known();
    },
    async known() {
      const files = await (found ??= discover());
      const opened = await Promise.all(files.map((file) => lookup(file).catch(() => null)));
      return opened.filter((project) => project !== null);
    },
    async get(path) {
      const file = resolve(path);
      if (!PROJECT_FILE.test(file) || !inWorkspace(file))
        throw new WorkflowError(`${path} is no project of this workspace.`);
      return lookup(file);
    },
    async sound(path) {
      const project = await projects.get(path);
      const { session } = project;
      if (!session) {
        const error = project.loaded.problems.find(({ severity }) => severity === "error");
        const line = error?.range ? ` (line ${error.range.start.line + 1})` : "";
        throw new WorkflowError(`The project file has errors${line}: ${error?.message ?? "see the Problems view."}`);
      }
      return { ...project, session };
    },
    configure(next) {
      folders = next.map((folder) => resolve(folder));
      found = undefined;
      for (const file of open.keys()) if (!inWorkspace(file)) leave(file);
    },
    async changed(paths) {
      const mine = paths.map((path) => resolve(path)).filter((path) => !/[\\/]\.clf[\\/]/.test(path));
      const projectFiles = mine.filter((path) => PROJECT_FILE.test(path));
      if (projectFiles.length > 0) found = undefined;
      // Those that nobody has opened yet: new ones, or under a new name.
      const concerned = new Set(projectFiles.filter(inWorkspace));
      const decisions: Promise<void>[] = [];
      for (const [file, entry] of open) {
        const inFolder = mine.filter((path) => isInside(dirname(file), path));
        if (inFolder.length === 0) continue;
        if (inFolder.every((path) => path.endsWith(".jsonl"))) {
          decisions.push(
            entry.then(
              async (known) => {
                if (await onlyOwnDecisions(known, inFolder)) return;
                concerned.add(file);
                known.forgetData();
              },
              () => {},
            ),
          );
          continue;
        }
        concerned.add(file);
        if (!existsSync(file)) leave(file);
        else if (inFolder.some((path) => path === file || /\.ya?ml$/i.test(path))) {
          open.delete(file);
          void entry.then(({ session }) => session?.retire()).catch(() => {});
        } else {
          void entry.then((known) => known.forgetData()).catch(() => {});
        }
      }
      await Promise.all(decisions);
      return [...concerned];
    },
    trust() {
      for (const entry of open.values()) void entry.then((known) => known.forgetData()).catch(() => {});
    },
    decided(file) {
      void open
        .get(file)
        ?.then((entry) => entry.refreshVerdicts())
        .catch(() => {});
    },
    forgetJudged(file) {
      void open
        .get(file)
        ?.then((entry) => entry.forgetJudged())
        .catch(() => {});
    },
    async close() {
      const entries = await Promise.all([...open.values()].map((entry) => entry.catch(() => null)));
      open.clear();
      await Promise.all(entries.map((entry) => entry?.session?.close()));
    },
  };
  return projects;
}
