/** DuckDB for the rest of the server: a client of the child process in duckdb-process.ts. */
import { type ChildProcess, fork } from "node:child_process";
import { realpath } from "node:fs/promises";
import { entryPath } from "../entry.ts";
import type {
  DuckDbAnswer,
  DuckDbCancel,
  DuckDbCell,
  DuckDbColumn,
  DuckDbRequest,
  DuckDbValue,
} from "./duckdb-protocol.ts";

export type { DuckDbCell, DuckDbColumn, DuckDbValue } from "./duckdb-protocol.ts";

/** A statement failed, or the process that ran it ended. The message is DuckDB's, or says what happened and what to do. */
export class DuckDbError extends Error {
  override name = "DuckDbError";
}

export interface DuckDbBatch {
  columns: DuckDbColumn[];
  /** By column, then row. */
  data: DuckDbCell[][];
}

export interface DuckDb {
  /** Runs a statement and returns all it gives: for small results. */
  query(sql: string, values?: DuckDbValue[], signal?: AbortSignal): Promise<DuckDbBatch>;
  /**
   * Runs a statement and returns what it gives in batches; the next is only made when it is asked for.
   * @param rows of a batch at least, which DuckDB rounds up to its own chunks of 2,048; fewer where rows are large
   */
  stream(sql: string, values?: DuckDbValue[], signal?: AbortSignal, rows?: number): AsyncGenerator<DuckDbBatch>;
  /** Starts the child process ahead of the first request, which then waits less. */
  start(): Promise<void>;
  /** The child process, while one runs. */
  readonly pid: number | undefined;
  /** Ends the child process as soon as nobody waits for it: what has been asked is answered. So is a later request, by another. */
  retire(): void;
  /** Ends the child process. A later request starts another. */
  close(): Promise<void>;
}

export interface DuckDbOptions {
  /** The project's folder: no file outside it can be read. */
  folder: string;
  memoryLimit?: string;
  threads?: number;
  /** The child process ends after this many milliseconds without a request. */
  idle?: number;
}

const ROWS_A_BATCH = 20_000;
/** Milliseconds without a request after which a retired child ends: steps of one piece of work need not start it anew. */
const RETIRED = 500;

/** Of this process's environment, what a child needs to start: none of the user's secrets. */
const ENVIRONMENT = ["PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH"];

type RequestBody = DuckDbRequest extends infer R ? (R extends DuckDbRequest ? Omit<R, "id"> : never) : never;
type Settled = DuckDbAnswer & { ok: true };

/** Starts no process yet: the first request does, or `start`. After a crash, so does the next request. */
export function createDuckDb(options: DuckDbOptions): DuckDb {
  const { memoryLimit = "512MB", threads = 2 } = options;
  let { idle = 60_000 } = options;
  let child: ChildProcess | undefined;
  let started: Promise<ChildProcess> | undefined;
  let nextId = 1;
  let openStreams = 0;
  const pending = new Map<number, { resolve: (answer: Settled) => void; reject: (error: Error) => void }>();
  let idleTimer: NodeJS.Timeout | undefined;

  /** A busy child keeps this process alive; an idle one does not, and ends in time. */
  function watchIdle(): void {
    clearTimeout(idleTimer);
    if (!child) return;
    if (pending.size > 0 || openStreams > 0) {
      child.ref();
      child.channel?.ref();
      return;
    }
    child.unref();
    child.channel?.unref();
    const resting = child;
    idleTimer = setTimeout(() => {
      // A request that comes while it ends starts another.
      child = undefined;
      started = undefined;
      resting.kill();
    }, idle);
    idleTimer.unref();
  }

  function send(to: ChildProcess, body: RequestBody, id: number): Promise<Settled> {
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      watchIdle();
      to.send({ id, ...body } as DuckDbRequest, (error) => {
        if (error && pending.delete(id))
          reject(new DuckDbError(`The data process cannot be reached: ${error.message}`));
      });
    });
  }

  async function spawn(): Promise<ChildProcess> {
    const folder = await realpath(options.folder);
    const entry = entryPath("duckdb");
    const environment: NodeJS.ProcessEnv = { ELECTRON_RUN_AS_NODE: "1" };
    for (const name of ENVIRONMENT) if (process.env[name] !== undefined) environment[name] = process.env[name];
    const made = fork(entry, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: environment,
      execArgv: entry.endsWith(".ts") ? process.execArgv : [],
    });
    child = made;
    let errors = "";
    made.stderr?.on("data", (text: Buffer) => {
      errors = (errors + text.toString()).slice(-2000);
    });
    (made.stderr as unknown as { unref?(): void } | null)?.unref?.();
    made.on("message", (answer: DuckDbAnswer) => {
      const request = pending.get(answer.id);
      pending.delete(answer.id);
      if (answer.ok) request?.resolve(answer);
      else request?.reject(new DuckDbError(answer.message));
      watchIdle();
    });
    const ended = (how: string): void => {
      if (child !== made) return;
      child = undefined;
      started = undefined;
      openStreams = 0;
      clearTimeout(idleTimer);
      const last = errors.trim().split("\n").at(-1);
      const error = new DuckDbError(
        `The data process ended unexpectedly (${how}${last ? `: ${last}` : ""}). The next request starts it again; if that goes on, the file may be damaged or need more memory than ${memoryLimit}.`,
      );
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    };
    made.on("error", (error) => ended(error.message));
    made.on("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
    await send(made, { do: "start", settings: { folders: [folder], memoryLimit, threads } }, nextId++);
    return made;
  }

  function connect(): Promise<ChildProcess> {
    started ??= spawn().catch((error) => {
      started = undefined;
      throw error;
    });
    return started;
  }

  async function* stream(
    sql: string,
    values: DuckDbValue[] = [],
    signal?: AbortSignal,
    rows = ROWS_A_BATCH,
  ): AsyncGenerator<DuckDbBatch> {
    signal?.throwIfAborted();
    const to = await connect();
    signal?.throwIfAborted();
    const id = nextId++;
    const cancel = (): void => {
      if (to.connected) to.send({ do: "cancel", request: id } satisfies DuckDbCancel);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    openStreams++;
    let done = false;
    try {
      const { columns = [] } = await send(to, { do: "open", sql, values }, id);
      while (!done) {
        const taken = await send(to, { do: "take", stream: id, rows }, nextId++);
        done = taken.done ?? true;
        yield { columns, data: taken.data ?? [] };
        signal?.throwIfAborted();
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      if (child === to) {
        openStreams--;
        if (!done && to.connected) await send(to, { do: "close", stream: id }, nextId++).catch(() => {});
        watchIdle();
      }
    }
  }

  return {
    stream,
    async start() {
      await connect();
    },
    get pid() {
      return child?.pid;
    },
    async query(sql, values, signal) {
      let all: DuckDbBatch | undefined;
      for await (const batch of stream(sql, values, signal)) {
        if (!all) all = batch;
        else for (const [i, column] of batch.data.entries()) for (const cell of column) all.data[i]!.push(cell);
      }
      return all ?? { columns: [], data: [] };
    },
    retire() {
      idle = Math.min(idle, RETIRED);
      watchIdle();
    },
    async close() {
      const ending = child;
      clearTimeout(idleTimer);
      if (!ending) return;
      await new Promise<void>((resolve) => {
        ending.once("exit", () => resolve());
        // An idle child does not keep this process alive; one that is waited for must.
        ending.ref();
        ending.kill();
      });
    },
  };
}
