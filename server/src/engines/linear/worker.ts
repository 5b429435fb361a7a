import { parentPort, workerData } from "node:worker_threads";
import { runTask, type Task } from "./tasks.ts";

/** Entry of a worker thread: runs one task after the other (see workers.ts for the messages). */

class Cancelled extends Error {}

const port = parentPort!;
const cancelled = new Int32Array((workerData as { cancel: SharedArrayBuffer }).cancel);
const PROGRESS_INTERVAL_MS = 100;

port.on("message", (task: Task) => {
  let reported = 0;
  try {
    const result = runTask(task, (done) => {
      if (Atomics.load(cancelled, 0) !== 0) throw new Cancelled();
      const now = performance.now();
      if (now - reported < PROGRESS_INTERVAL_MS) return;
      reported = now;
      port.postMessage({ type: "progress", done });
    });
    port.postMessage({ type: "result", result });
  } catch (error) {
    if (error instanceof Cancelled) port.postMessage({ type: "cancelled" });
    else port.postMessage({ type: "error", error });
  }
});
