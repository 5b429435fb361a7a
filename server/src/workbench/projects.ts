/** The open projects of the workspace: sessions, data and judged rows, each read when it is first needed and kept while it holds. */
import { dirname, resolve } from "node:path";
import { discoverProjects, PROJECT_FILE } from "../project/discover.ts";
import { type LoadedProject, loadProject } from "../project/load.ts";
import { markAt } from "../project/yaml.ts";
import { type ProjectData, readData, withVerdicts } from "../workflow/data.ts";
import { type JudgedRows, judgedRows, type NothingJudged } from "../workflow/flagged.ts";
import { openSession, type Session, WorkflowError } from "../workflow/session.ts";

export interface OpenProject {
  file: string;
  loaded: LoadedProject;
  /** Absent while the file has errors. */
  session?: Session;
  /** Rows with decisions. Shared by everybody who asks meanwhile. */
  data(): Promise<ProjectData>;
  /** What the model says of every row it has predicted. */
  judged(model: string): Promise<JudgedRows | NothingJudged>;
}

export interface Projects {
  /** All project files of the workspace's folders. */
  all(): Promise<OpenProject[]>;
  /** @throws WorkflowError when there is no such file or it lies outside the workspace */
  get(file: string): Promise<OpenProject>;
  /** A project that can start jobs. @throws WorkflowError when its file has errors */
  sound(file: string): Promise<OpenProject & { session: Session }>;
  configure(folders: readonly string[]): Promise<void>;
  /** Files changed on disk: what was read from them is read again when it is next needed. Returns the projects concerned. */
  changed(paths: readonly string[]): string[];
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

export interface ProjectsOptions {
  onOpen(project: OpenProject): void;
  /** Whether splits that are made when the data is read may be saved beside the project. */
  trusted(): boolean;
}

export function openProjects({ onOpen, trusted }: ProjectsOptions): Projects {
  const open = new Map<string, Promise<Entry>>();
  let folders: string[] = [];

  interface Entry extends OpenProject {
    forgetData(): void;
    forgetJudged(): void;
    refreshVerdicts(): void;
  }

  function lookup(file: string): Promise<Entry> {
    let entry = open.get(file);
    if (!entry) {
      entry = openEntry(file).then((made) => {
        onOpen(made);
        return made;
      });
      open.set(file, entry);
      entry.catch(() => open.delete(file));
    }
    return entry;
  }

  async function openEntry(file: string): Promise<Entry> {
    const loaded = await loadProject(file);
    const session = loaded.project && openSession(loaded.project);
    let data: Promise<ProjectData> | undefined;
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
        data ??= readData(session, { locate: (at) => markAt(loaded.document, at), saveSplits: trusted() });
        data.catch(() => {
          data = undefined;
        });
        return data;
      },
      judged(model) {
        used();
        if (!session) throw new WorkflowError(`${file} has errors: mend them first.`);
        let rows = judged.get(model);
        if (!rows) judged.set(model, (rows = judgedRows(session, model)));
        rows.catch(() => judged.delete(model));
        return rows;
      },
      forgetData() {
        data = undefined;
      },
      forgetJudged() {
        judged.clear();
      },
      refreshVerdicts() {
        if (data && session) data = data.then((known) => withVerdicts(session, known));
      },
    };
  }

  const inWorkspace = (file: string) =>
    folders.some(
      (folder) => file === folder || file.startsWith(`${folder.replace(/[\\/]$/, "")}/`) || dirname(file) === folder,
    );

  const projects: Projects = {
    async all() {
      const files = new Set<string>();
      for (const folder of folders) for (const file of await discoverProjects(folder)) files.add(file);
      const found = await Promise.all([...files].map((file) => lookup(file).catch(() => null)));
      return found.filter((project) => project !== null);
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
    async configure(next) {
      folders = next.map((folder) => resolve(folder));
      for (const [file, entry] of open) {
        if (inWorkspace(file)) continue;
        open.delete(file);
        await (await entry.catch(() => null))?.session?.close();
      }
    },
    changed(paths) {
      const concerned: string[] = [];
      for (const [file, entry] of open) {
        const folder = dirname(file);
        const mine = paths.filter((path) => path.startsWith(folder) && !/[\\/]\.clf[\\/]/.test(path));
        if (mine.length === 0) continue;
        concerned.push(file);
        if (mine.some((path) => path === file || /\.ya?ml$/i.test(path))) {
          open.delete(file);
          void entry.then(({ session }) => session?.close()).catch(() => {});
        } else {
          void entry.then((known) => known.forgetData()).catch(() => {});
        }
      }
      return concerned;
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
