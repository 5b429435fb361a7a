/** Reads data in a worker thread that starts when it is first needed and ends when it has rested. */
import { Worker } from "node:worker_threads";
import { entryPath } from "../entry.ts";
import type { Project } from "../project/project.ts";
import type { DataAnswer, DataRequest, DataResult, SampledColumn } from "./data-protocol.ts";

export interface DataReader {
  sample(folder: string, source: Project["spec"]["dataset"]["source"], signal: AbortSignal): Promise<SampledColumn[]>;
  check(project: Project, signal: AbortSignal): Promise<DataResult>;
  close(): Promise<void>;
}

export interface DataReaderOptions {
  /** Milliseconds a cancelled request has to end by itself before the thread is ended. */
  patience?: number;
  /** Milliseconds without a request after which the thread ends, and its memory is free. */
  idle?: number;
  /** The worker's file. */
  entry?: string;
}

type RequestBody = DataRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

export function createDataReader({ patience = 2000, idle = 60_000, entry }: DataReaderOptions = {}): DataReader {
  let worker: Worker | undefined;
  let resting: NodeJS.Timeout | undefined;
  let nextId = 1;
  const pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();

  function start(): Worker {
    const made = new Worker(entry ?? entryPath("data-worker"), { execArgv: [], stdout: true, stderr: true });
    made.unref();
    made.on("message", (answer: DataAnswer) => {
      const request = pending.get(answer.id);
      pending.delete(answer.id);
      if (answer.ok) request?.resolve(answer.result);
      else request?.reject(new Error(answer.message));
      rest();
    });
    const ended = (error: Error): void => {
      if (worker !== made) return;
      worker = undefined;
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    };
    made.on("error", ended);
    made.on("exit", () => ended(new Error("The thread that reads data ended.")));
    return made;
  }

  function rest(): void {
    clearTimeout(resting);
    if (pending.size > 0 || !worker) return;
    resting = setTimeout(() => void end(), idle);
    resting.unref();
  }

  async function end(): Promise<void> {
    clearTimeout(resting);
    await worker?.terminate();
  }

  function ask(body: RequestBody, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const to = (worker ??= start());
      const id = nextId++;
      clearTimeout(resting);
      let late: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        to.postMessage({ do: "cancel", id } satisfies DataRequest);
        // Whoever asked goes on at once; a thread that hangs (a file on a dead network drive) is ended.
        late = setTimeout(() => pending.has(id) && void to.terminate(), patience);
        late.unref();
        reject(signal.reason);
      };
      const settle = (): void => {
        clearTimeout(late);
        signal.removeEventListener("abort", cancel);
      };
      pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      signal.addEventListener("abort", cancel, { once: true });
      to.postMessage({ ...body, id } as DataRequest);
    });
  }

  return {
    sample: (folder, source, signal) => ask({ do: "sample", folder, source }, signal) as Promise<SampledColumn[]>,
    check: (project, signal) => ask({ do: "check", project }, signal) as Promise<DataResult>,
    close: end,
  };
}
