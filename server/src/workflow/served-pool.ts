/**
 * The file of rows that `clf serve` has to show to people: JSON lines of the project's own columns, appended, never rewritten. It is
 * read as part of the pool once `dataset.pool` names it. Several servers may write to one file.
 */
import { realpath } from "node:fs/promises";
import { findFiles } from "../dataset/files.ts";
import { listProblems } from "../dataset/problems.ts";
import { fileErrorMessage } from "../file-error.ts";
import { isMissing, wholeLines } from "../jobs/lines.ts";
import type { Project } from "../project/project.ts";
import { appendLines, lockToAppend } from "../review/append-lines.ts";
import { WorkflowError } from "./error.ts";

/** A row to be reviewed. */
export interface PoolRow {
  row: string;
  /** Input name → text. */
  inputs: Record<string, string>;
}

export interface ServedPool {
  readonly file: string;
  /** Rows in the file. */
  readonly rows: number;
  /** Whether `dataset.pool` names the file; null while there is none. */
  named(): Promise<boolean | null>;
  /**
   * Appends the rows that are not in the file yet, by one write, and waits until they are on the disk.
   * @returns for each row whether it is new
   * @throws WorkflowError when the file cannot be written; nothing is recorded then
   */
  add(rows: readonly PoolRow[]): Promise<boolean[]>;
}

/** @throws WorkflowError when the file is there and cannot be read */
export async function openServedPool(project: Project, file: string): Promise<ServedPool> {
  const ids = new Set<string>();
  let end = 0;
  let last: Promise<unknown> = Promise.resolve();
  const { id } = project.spec.dataset;

  /** Where a line says which row it is: the id column, or none, since ids then follow from the inputs. */
  const idOf = (line: Record<string, unknown>): string => JSON.stringify(id === undefined ? line : line[id]);

  const lineOf = ({ row, inputs }: PoolRow): Record<string, string> => ({
    ...(id === undefined ? {} : { [id]: row }),
    ...Object.fromEntries(project.inputs.map(({ name, column }) => [column, inputs[name] ?? ""])),
  });

  /** What others have written since. Lines that cannot be read are for `clf check`; they are kept. */
  async function readOn(): Promise<void> {
    for await (const line of wholeLines(file, end)) {
      end = line.end;
      if (line.text.trim() === "") continue;
      try {
        ids.add(idOf(JSON.parse(line.text) as Record<string, unknown>));
      } catch {
        // Not of ours.
      }
    }
  }

  async function addAlone(rows: readonly PoolRow[]): Promise<boolean[]> {
    const release = await lockToAppend(file);
    try {
      await readOn();
      const fresh: string[] = [];
      const added = rows.map((row) => {
        const line = lineOf(row);
        const known = ids.has(idOf(line));
        ids.add(idOf(line));
        if (!known) fresh.push(JSON.stringify(line));
        return !known;
      });
      try {
        if (fresh.length > 0) await appendLines(file, fresh);
      } catch (error) {
        for (const [i, row] of rows.entries()) if (added[i]) ids.delete(idOf(lineOf(row)));
        throw error;
      }
      return added;
    } finally {
      await release();
    }
  }

  try {
    await readOn();
  } catch (error) {
    if (!isMissing(error)) throw unwritable(file, error);
  }
  return {
    file,
    get rows() {
      return ids.size;
    },
    async named() {
      const real = await realpath(file).catch(() => null);
      if (real === null) return null;
      const files = await findFiles(project, listProblems());
      return files.some(({ path, role }) => role === "pool" && path === real);
    },
    add(rows) {
      // One after the other within this process; the lock is for other processes.
      const added = last.then(() => addAlone(rows));
      last = added.catch(() => {});
      return added.catch((error: unknown) => {
        throw unwritable(file, error);
      });
    },
  };
}

function unwritable(file: string, error: unknown): WorkflowError {
  const why = fileErrorMessage(error) ?? `${file}: ${(error as Error).message}.`;
  return new WorkflowError(`The flagged rows could not join the pool. ${why}`);
}
