import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { entryPath } from "../../entry.ts";
import type { Task, TaskResults } from "./tasks.ts";

type Message =
  | { type: "progress"; done: number }
  | { type: "result"; result: TaskResults[Task["kind"]] }
  | { type: "cancelled" }
  | { type: "error"; error: Error };

/**
 * Runs tasks on worker threads, as many at a time as there are threads, in the order given.
 * @param onProgress with the sum over all tasks, each counting 1
 * @returns the results in the order of the tasks
 * @throws the signal's reason when aborted (running tasks stop at their next checkpoint); the first error of a task
 */
export async function runTasks<K extends Task["kind"]>(
  tasks: readonly Extract<Task, { kind: K }>[],
  options: { threads?: number; signal?: AbortSignal; onProgress?: (done: number) => void },
): Promise<TaskResults[K][]> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const threads = Math.max(1, Math.min(options.threads ?? availableParallelism(), tasks.length));
  const cancel = new SharedArrayBuffer(4);
  const stop = () => Atomics.store(new Int32Array(cancel), 0, 1);
  signal?.addEventListener("abort", stop, { once: true });

  const results: TaskResults[K][] = new Array(tasks.length);
  const done = new Float64Array(tasks.length);
  let next = 0;
  const runThread = async () => {
    const worker = new Worker(entryPath("linear-worker"), { workerData: { cancel } });
    try {
      while (next < tasks.length && !signal?.aborted) {
        const index = next++;
        const message = await ask(worker, tasks[index]!, (part) => {
          done[index] = part;
          onProgress?.(done.reduce((sum, d) => sum + d, 0));
        });
        if (message.type === "error") throw message.error;
        if (message.type === "result") results[index] = message.result as TaskResults[K];
      }
    } finally {
      await worker.terminate();
    }
  };
  try {
    const ends = await Promise.allSettled(
      Array.from({ length: threads }, () =>
        runThread().catch((error) => {
          stop();
          throw error;
        }),
      ),
    );
    signal?.throwIfAborted();
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
    return results;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
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
