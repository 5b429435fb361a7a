import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { entryPath } from "../../entry.ts";
import type { Task, TaskResults } from "./tasks.ts";

type Message =
  | { type: "progress"; done: number }
  | { type: "result"; result: TaskResults[Task["kind"]] }
  | { type: "cancelled" }
  | { type: "error"; error: Error };

/** Worker threads for the tasks of one computation. They start when first needed; close them at its end. */
export interface Workers {
  /**
   * Runs tasks, as many at a time as there are threads, in the order given.
   * @param onProgress told the sum over all tasks, each counting 1
   * @returns the results in the order of the tasks
   * @throws the signal's reason when aborted (running tasks stop at their next checkpoint); the first error of a task
   */
  run<K extends Task["kind"]>(
    tasks: readonly Extract<Task, { kind: K }>[],
    onProgress?: (done: number) => void,
  ): Promise<TaskResults[K][]>;
  close(): Promise<void>;
}

export function openWorkers(threads = availableParallelism(), signal?: AbortSignal): Workers {
  const cancel = new SharedArrayBuffer(4);
  const stop = () => Atomics.store(new Int32Array(cancel), 0, 1);
  signal?.addEventListener("abort", stop, { once: true });
  // The threads that have been started; a task takes the one of its lane, so that a warm thread is used again.
  const workers: Worker[] = [];
  return {
    async run<K extends Task["kind"]>(
      tasks: readonly Extract<Task, { kind: K }>[],
      onProgress?: (done: number) => void,
    ): Promise<TaskResults[K][]> {
      signal?.throwIfAborted();
      const results: TaskResults[K][] = new Array(tasks.length);
      const done = new Float64Array(tasks.length);
      let next = 0;
      const runLane = async (lane: number) => {
        workers[lane] ??= new Worker(entryPath("linear-worker"), { workerData: { cancel } });
        while (next < tasks.length && !signal?.aborted) {
          const index = next++;
          const message = await ask(workers[lane], tasks[index]!, (part) => {
            done[index] = part;
            onProgress?.(done.reduce((sum, d) => sum + d, 0));
          });
          if (message.type === "error") throw message.error;
          if (message.type === "result") results[index] = message.result as TaskResults[K];
        }
      };
      const lanes = Array.from({ length: Math.max(1, Math.min(threads, tasks.length)) }, (_, lane) =>
        runLane(lane).catch((error) => {
          // The other tasks are of no use any more.
          stop();
          throw error;
        }),
      );
      const ends = await Promise.allSettled(lanes);
      signal?.throwIfAborted();
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
      return results;
    },
    async close() {
      signal?.removeEventListener("abort", stop);
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Sends a task and waits for its end. */
function ask(
  worker: Worker,
  task: Task,
  onProgress: (done: number) => void,
): Promise<Exclude<Message, { type: "progress" }>> {
  return new Promise((resolve, reject) => {
    const finish = (end: () => void) => {
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      end();
    };
    const onMessage = (message: Message) => {
      if (message.type === "progress") onProgress(message.done);
      else {
        if (message.type === "result") onProgress(1);
        finish(() => resolve(message));
      }
    };
    const onError = (error: Error) => finish(() => reject(error));
    const onExit = (code: number) =>
      finish(() => reject(new Error(`A training thread ended early (exit code ${code}).`)));
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
    worker.postMessage(task);
  });
}
