/** The `clf/preview/*` requests: which table a data file is shown as, its pages, profile and rows. */
import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as z from "zod";
import type {
  PreviewColumn,
  PreviewDetail,
  PreviewFilter,
  PreviewMode,
  PreviewPage,
  PreviewSort,
  previewRequests,
} from "../../../schemas/preview.ts";
import type { Problem } from "../../../schemas/problem.ts";
import { createDuckDb } from "../dataset/duckdb.ts";
import { dataFormat, findFiles } from "../dataset/files.ts";
import { keepPace, type Pace } from "../dataset/pace.ts";
import { type FileTable, openFileTable } from "../dataset/preview/file-table.ts";
import { profileOf } from "../dataset/preview/profile.ts";
import { rowsOfFile } from "../dataset/preview/rows-table.ts";
import type { DataTable, TableColumn } from "../dataset/preview/table.ts";
import { orderOf } from "../dataset/preview/view.ts";
import { listProblems } from "../dataset/problems.ts";
import { LEFT_OUT, type Rows, rowId, rowLabel, SPLITS } from "../dataset/rows.ts";
import { textAt } from "../dataset/text-column.ts";
import { decisionOf, type Verdicts, verdictOf } from "../review/fold.ts";
import type { JudgedRows, NothingJudged } from "../workflow/flagged.ts";
import { type Session, WorkflowError } from "../workflow/session.ts";
import { projectTable } from "./project-table.ts";
import type { OpenProject, Projects } from "./projects.ts";
import type { NotificationName } from "./protocol.ts";
import { targetViews } from "./views.ts";

export type PreviewRequestName = keyof typeof previewRequests;
type Params<K extends PreviewRequestName> = z.output<(typeof previewRequests)[K]["params"]>;
type Result<K extends PreviewRequestName> = z.input<(typeof previewRequests)[K]["result"]>;

export interface Previews {
  handlers: { [K in PreviewRequestName]: (params: Params<K>, signal: AbortSignal) => Promise<Result<K>> };
  /** Which project a file belongs to is to be looked up again. */
  forgetProjects(): void;
}

export interface PreviewsContext {
  projects: Projects;
  notify(name: NotificationName, params: unknown): void;
}

/** Rows of the first look at a file whose project is still being read. */
const HEAD_ROWS = 500;
/** Bytes of a cell that a page has. */
const CELL = 400;
/** Milliseconds that a page waits for what may be there at once, before it shows what there is. */
const PATIENCE = 150;
/** Milliseconds without a request after which a file's copy is given up. */
const IDLE = 15 * 60_000;
/** Filters and orders that are kept: going back to one costs nothing. */
const VIEWS = 6;
const MOST_ALIKE = 50;
const MOST_PROBLEMS = 20;

const LEFT_OUT_WORDS: Record<(typeof LEFT_OUT)[number], string> = {
  "": "",
  "empty-text": "It has no text.",
  "no-split": "Its split column names no split.",
  bridge: "Its group or near-duplicates stand in two splits.",
  sampling: "The project's sampling left it out.",
  "dropped-label": "Its label is not one that the project keeps.",
};

type SoundProject = OpenProject & { session: Session };

/** The table of a project's file, and what it was made of: made anew when one of them is another. */
interface Joined {
  project: SoundProject;
  rows: Rows;
  judged: JudgedRows | NothingJudged;
  verdicts: Verdicts;
  file: number;
  from: number;
  table: DataTable;
  problems: readonly Problem[];
}

interface OpenFile {
  uri: string;
  path: string;
  /** Size and time of change: with other ones it is read anew. */
  stamp: string;
  whole?: Promise<FileTable>;
  head?: Promise<FileTable>;
  project?: Promise<SoundProject | null>;
  joined?: Joined;
  /** Why the project's data cannot be shown. */
  failure?: string;
  joining?: Promise<void>;
  /** Somebody asked while `joining` was on its way: what it began with may be old by its end. */
  joinAgain?: boolean;
  idle?: NodeJS.Timeout;
}

/** What a request looks at. */
interface Shown {
  mode: PreviewMode;
  table: DataTable;
  complete: boolean;
  read: number;
  problems: readonly Problem[];
  project: SoundProject | null;
  joined?: Joined;
}

export function createPreviews({ projects, notify }: PreviewsContext): Previews {
  const open = new Map<string, OpenFile>();
  const views = new WeakMap<DataTable, Map<string, Promise<Int32Array>>>();
  const changed = (uri: string): void => notify("clf/preview/changed", { data: uri });

  async function lookup(uri: string): Promise<OpenFile> {
    if (!uri.startsWith("file:"))
      throw new WorkflowError("Clf previews files of this machine: this one lies elsewhere.");
    const path = fileURLToPath(uri);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) {
      close(uri);
      throw new WorkflowError(`${basename(path)} is not there any more. Close this preview, or put the file back.`);
    }
    const stamp = `${found.size} ${found.mtimeMs}`;
    let file = open.get(uri);
    if (file && file.stamp !== stamp) {
      closeTables(file);
      file.stamp = stamp;
    }
    if (!file) open.set(uri, (file = { uri, path, stamp }));
    clearTimeout(file.idle);
    file.idle = setTimeout(() => close(uri), IDLE);
    file.idle.unref();
    return file;
  }

  function close(uri: string): void {
    const file = open.get(uri);
    if (!file) return;
    open.delete(uri);
    clearTimeout(file.idle);
    closeTables(file);
  }

  function closeTables(file: OpenFile): void {
    for (const table of [file.whole, file.head]) void table?.then((each) => each.close()).catch(() => {});
    file.whole = undefined;
    file.head = undefined;
  }

  async function openTable({ uri, path }: OpenFile, mostRows?: number): Promise<FileTable> {
    const known = dataFormat(path);
    const name = basename(path);
    if (!known) {
      throw new WorkflowError(
        `${name} is not a kind of file that can be previewed. Those are csv, tsv, jsonl, json and parquet; all but parquet may be gzipped (.gz).`,
      );
    }
    const real = await realpath(path);
    const { size } = await stat(real);
    // Cells are taken slower than one thread makes them.
    const duckdb = createDuckDb({ folder: dirname(real), threads: 1 });
    try {
      const table = await openFileTable(
        { path: real, name, role: "source", ...known, bytes: size },
        { duckdb, ...(mostRows === undefined ? { onMore: () => changed(uri) } : { mostRows }) },
      );
      // What DuckDB had to do is done once the file has been read.
      void table.reading.catch(() => {}).finally(() => duckdb.close());
      return table;
    } catch (error) {
      await duckdb.close();
      throw error;
    }
  }

  /** The first sound project that reads the file. Looks at names of files only. */
  async function projectOf(path: string): Promise<SoundProject | null> {
    const real = await realpath(path);
    for (const project of await projects.all()) {
      const { session } = project;
      if (!session) continue;
      const files = await findFiles(session.project, listProblems()).catch(() => []);
      if (files.some((file) => file.path === real)) return { ...project, session };
    }
    return null;
  }

  /** Brings `file.joined` up to what the project knows now. */
  async function join(file: OpenFile, project: SoundProject): Promise<void> {
    const { session } = project;
    const [{ dataset, verdicts, problems }, judged] = await Promise.all([
      project.data(),
      project.judged(session.project.reviewModel).catch((error: Error): NothingJudged => ({ why: error.message })),
    ]);
    const { rows } = dataset;
    const before = file.joined;
    const judgedBy = (of: JudgedRows | NothingJudged): unknown => ("why" in of ? of.why : of.rows);
    if (before?.rows === rows && before.verdicts === verdicts && judgedBy(before.judged) === judgedBy(judged)) return;
    const real = await realpath(file.path);
    const place = rows.files.findIndex(({ path }) => path === real);
    if (place < 0) {
      file.failure = `${basename(file.path)} could not be read for the project.`;
      return;
    }
    const table = await projectTable({ session, rows, file: place, judged, verdicts });
    const { from } = rowsOfFile(rows, place);
    file.failure = undefined;
    file.joined = {
      project,
      rows,
      judged,
      verdicts,
      file: place,
      from,
      table,
      problems: problems.filter((each) => each.file === real),
    };
    void file.head?.then((head) => head.close()).catch(() => {});
    file.head = undefined;
  }

  /** One `join` at a time; one that was asked for meanwhile follows, and is told of when it finds something new. */
  function joinSoon(file: OpenFile, project: SoundProject): Promise<void> {
    if (file.joining) {
      file.joinAgain = true;
      return file.joining;
    }
    file.joining = join(file, project)
      .catch((error: unknown) => {
        file.failure = error instanceof Error ? error.message : String(error);
      })
      .finally(() => {
        file.joining = undefined;
        if (!file.joinAgain) return;
        file.joinAgain = false;
        const before = file.joined;
        void joinSoon(file, project).then(() => file.joined !== before && changed(file.uri));
      });
    return file.joining;
  }

  async function shown(uri: string, whole: boolean): Promise<Shown> {
    const file = await lookup(uri);
    file.project ??= projectOf(file.path).catch(() => null);
    if (whole) return plain(file, await file.project);
    const project = await within(file.project, PATIENCE * 4);
    if (project === null) return plain(file, null);
    if (project) {
      const joining = joinSoon(file, project);
      const before = file.joined;
      if (
        (await within(
          joining.then(() => true),
          PATIENCE,
        )) === undefined
      ) {
        void joining.then(() => (file.joined !== before || file.failure) && changed(uri));
      }
      const { joined } = file;
      if (joined) {
        const { table, problems } = joined;
        return { mode: "project", table, complete: true, read: 1, problems, project, joined };
      }
      // The project's data has errors: the file itself can be looked at all the same.
      if (file.failure) return plain(file, project);
    } else void file.project.then(() => changed(uri));
    file.head ??= openTable(file, HEAD_ROWS);
    const head = await file.head;
    await head.atLeast(HEAD_ROWS);
    return { mode: "head", table: head.now(), complete: false, read: 0, problems: [], project: project ?? null };
  }

  async function plain(file: OpenFile, project: SoundProject | null): Promise<Shown> {
    file.whole ??= openTable(file);
    file.whole.catch(() => {
      file.whole = undefined;
    });
    const table = await file.whole;
    await table.atLeast(HEAD_ROWS);
    const problems = table.problems();
    return { mode: "file", table: table.now(), complete: table.complete, read: table.read, problems, project };
  }

  /** Rows in the order asked for; undefined: all, as they stand in the file. */
  function viewOf(
    { table, complete }: Shown,
    filter: PreviewFilter,
    sort: PreviewSort | null,
    pace: Pace,
  ): Promise<Int32Array> | undefined {
    const plainly =
      filter.text === "" && filter.values.length === 0 && filter.ranges.length === 0 && !filter.duplicates && !sort;
    if (plainly) return undefined;
    if (!complete) return orderOf(table, filter, sort, pace);
    const known = views.get(table) ?? new Map<string, Promise<Int32Array>>();
    views.set(table, known);
    const key = JSON.stringify([filter, sort]);
    let view = known.get(key);
    if (view) known.delete(key);
    else view = orderOf(table, filter, sort, pace);
    known.set(key, view);
    view.catch(() => known.delete(key));
    for (const old of known.keys()) if (known.size > VIEWS) known.delete(old);
    return view;
  }

  const columnOf = ({ key, name, role, type, target }: TableColumn): PreviewColumn => ({
    key,
    name,
    role,
    type,
    target,
  });

  return {
    forgetProjects() {
      for (const file of open.values()) {
        file.project = undefined;
        file.failure = undefined;
        changed(file.uri);
      }
    },
    handlers: {
      "clf/preview/page": async ({ data, whole, filter, sort, offset, limit, find }, signal): Promise<PreviewPage> => {
        const on = await shown(data, whole);
        const order = await viewOf(on, filter, sort, keepPace(signal));
        const { table } = on;
        const total = order?.length ?? table.count;
        const end = Math.min(total, offset + limit);
        const wanted = Array.from({ length: Math.max(0, end - offset) }, (_, i) => order?.[offset + i] ?? offset + i);
        const cells = await table.cells(wanted, CELL);
        const found = find === undefined ? -1 : order ? order.indexOf(find) : find < total ? find : -1;
        return {
          mode: on.mode,
          columns: table.columns.map(columnOf),
          rows: wanted.map((row, i) => ({ row, cells: cells[i]! })),
          total,
          of: table.count,
          complete: on.complete,
          read: on.read,
          found: found < 0 ? null : found,
          problems: on.problems
            .filter(({ severity }) => severity !== "information")
            .slice(0, MOST_PROBLEMS)
            .map(({ severity, message, range }) => ({ severity, message, line: range?.start.line ?? null })),
          project: on.project && describeProject(on.project, on.joined),
        };
      },

      "clf/preview/profile": async ({ data, whole, filter, label, text }, signal) => {
        const on = await shown(data, whole);
        return { complete: on.complete, ...(await profileOf(on.table, filter, { label, text }, keepPace(signal))) };
      },

      "clf/preview/row": async ({ data, whole, row, longest }) => {
        const on = await shown(data, whole);
        if (row >= on.table.count) return null;
        return detailOf(data, on, row, longest);
      },

      "clf/preview/close": async ({ data }) => {
        close(data);
        return {};
      },
    },
  };
}

/** What a promise gives within some milliseconds; undefined when that is not enough. */
function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function describeProject({ file, session }: SoundProject, joined: Joined | undefined): PreviewPage["project"] {
  return {
    uri: pathToFileURL(file).href,
    name: session.project.name,
    targets: (joined?.rows.targets ?? []).map(({ name, labels }) => ({
      name,
      labels: labels.map((each) => each.name),
    })),
    model: joined && !("why" in joined.judged) ? joined.judged.model : null,
  };
}

async function detailOf(uri: string, { table, joined }: Shown, row: number, longest: number): Promise<PreviewDetail> {
  // A character is at most four bytes.
  const [cells] = await table.cells([row], longest * 4);
  const lines = table.lines(row);
  const detail: PreviewDetail = {
    row,
    id: null,
    split: null,
    left_out: null,
    cells: table.columns.flatMap(({ key, role }, i) => {
      if (role === "predicted" || role === "confidence" || role === "status") return [];
      const text = cells![i]!;
      const cut = text.length >= longest;
      return [{ column: key, text: cut ? text.slice(0, longest) : text, cut }];
    }),
    targets: [],
    alike: [],
    place: lines ? { uri, line: lines.first - 1, end_line: lines.last - 1 } : null,
  };
  if (joined) return { ...detail, ...(await projectDetail(joined, row)) };
  const alike = await table.alike(row, MOST_ALIKE);
  const texts = await table.cells(alike, CELL);
  return {
    ...detail,
    alike: alike.map((other, i) => ({ row: other, file: null, text: texts[i]!.join(" · "), split: null, labels: [] })),
  };
}

async function projectDetail(
  { project, rows, judged, verdicts, file, from }: Joined,
  row: number,
): Promise<Pick<PreviewDetail, "id" | "split" | "left_out" | "targets" | "alike">> {
  const { session } = project;
  const at = from + row;
  const id = rowId(rows, at);
  const known = "why" in judged ? undefined : judged.rows.get(id);
  const seen = known ? targetViews(session, judged as JudgedRows, known, verdicts, true) : [];

  const others: JudgedRows[] = [];
  for (const model of Object.keys(session.project.spec.models)) {
    const of = model === session.project.reviewModel ? judged : await project.judged(model).catch(() => undefined);
    if (of && !("why" in of)) others.push(of);
  }
  const targets = rows.targets.map(({ name }, t): PreviewDetail["targets"][number] => {
    const verdict = verdictOf(verdicts, id, name);
    const view = seen.find(({ target }) => target === name);
    const decided = decisionOf(verdict);
    const inFile = rowLabel(rows, t, at);
    const blind = view?.blind ?? false;
    return {
      target: name,
      label: decided ? decided.after : inFile,
      in_file: inFile,
      decided: decided?.kind ?? verdict?.skipped?.kind ?? null,
      reasons: view?.reasons ?? [],
      blind,
      predictions: blind
        ? []
        : others.flatMap(({ model, rows: of }) => {
            const said = of.get(id)?.targets.find(({ target }) => target === name);
            if (!said) return [];
            const { label, confidence, top, accepted } = said;
            return [{ model, label, confidence, top: top.slice(0, 5), accepted }];
          }),
    };
  });

  const alike: PreviewDetail["alike"] = [];
  const set = rows.duplicates[at];
  for (let other = 0; other < rows.count && alike.length < MOST_ALIKE; other++) {
    if (other === at || rows.duplicates[other] !== set) continue;
    const text = textAt(rows.inputs[0]!, other);
    const here = rows.file[other] === file;
    const { from: start } = here ? { from } : rowsOfFile(rows, rows.file[other]!);
    alike.push({
      row: other - start,
      file: here ? null : rows.files[rows.file[other]!]!.name,
      text: text.length > CELL ? `${text.slice(0, CELL)}…` : text,
      split: SPLITS[rows.split[other]!]!,
      labels: rows.targets.map((_, t) => rowLabel(rows, t, other) ?? ""),
    });
  }
  return {
    id,
    split: SPLITS[rows.split[at]!]!,
    left_out: LEFT_OUT_WORDS[LEFT_OUT[rows.leftOut[at]!]!] || null,
    targets,
    alike,
  };
}
