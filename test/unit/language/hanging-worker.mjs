// A worker that never answers the first request it gets, nor lets anything else of its thread go on.
import { parentPort } from "node:worker_threads";

parentPort.on("message", ({ do: what, id, folder }) => {
  if (what !== "sample") return;
  if (folder === "hang") for (;;);
  parentPort.postMessage({ id, ok: true, result: [] });
});
