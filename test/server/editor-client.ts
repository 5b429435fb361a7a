/**
 * A client that starts and ends the server exactly as vscode-languageclient does in VS Code: a forked process on Node's own
 * channel; at the end `shutdown`, at most two seconds of waiting, and two seconds later the process tree is killed.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { IPCMessageReader, IPCMessageWriter } from "vscode-jsonrpc/node";
import { createProtocolConnection } from "vscode-languageserver-protocol/node";
import type { JobEvent } from "../../schemas/events.ts";
import type { JobView } from "../../schemas/protocol.ts";
import { DIST } from "../built.ts";
import { root, uriOf } from "./client.ts";

/** The library's own. It needs nothing of VS Code, and a path reaches what its `exports` do not name. */
const { terminate } = createRequire(import.meta.url)(
  join(root, "node_modules/vscode-languageclient/lib/node/processes.js"),
) as { terminate(child: ChildProcess): boolean };

/** The library's two waits: for the answer to `shutdown`, and then for the process to go. */
const STOP = 2000;
const DIE = 2000;

/** Loaded before the server: its main thread never comes back from `shutdown`. */
const HANG = `process.on("message", (message) => {
  if (message.method === "shutdown") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
})`;

/** `closes`: as a window does; `hangs`: the server does not answer `shutdown`; `dies`: the whole tree is killed at once. */
export type End = "closes" | "hangs" | "dies";

export interface EditorClient {
  request<T>(method: string, params?: object): Promise<T>;
  /** Everything the server told of jobs, in order. */
  told: JobView[];
  jobs(): Promise<JobView[]>;
  events(view: Pick<JobView, "project" | "job">): Promise<JobEvent[]>;
  /** The job once it has ended, as the Jobs view would learn of it. */
  ended(job: string): Promise<JobView>;
  /** Resolves when no process of the server is left. */
  end(how: End): Promise<void>;
}

const OVER = ["succeeded", "failed", "cancelled", "lost"];

/** Opens a window on folders: the bundle, as it is shipped. */
export async function openEditorClient(folders: string[], how: End = "closes"): Promise<EditorClient> {
  const child = fork(join(DIST, "server.mjs"), ["--node-ipc", `--clientProcessId=${process.pid}`], {
    execArgv: how === "hangs" ? ["--import", `data:text/javascript,${encodeURIComponent(HANG)}`] : [],
    env: { ...process.env, NODE_OPTIONS: "", ELECTRON_RUN_AS_NODE: "1" },
    silent: true,
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let errors = "";
  child.stderr!.setEncoding("utf8").on("data", (text) => {
    errors += text;
  });
  const connection = createProtocolConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  const told: JobView[] = [];
  const waiting = new Set<() => void>();
  connection.onNotification("clf/jobs/changed", ({ job }: { job: JobView }) => {
    told.push(job);
    for (const check of waiting) check();
  });
  connection.onRequest("client/registerCapability", () => null);
  // What is sent to a server that is being killed.
  connection.onError(() => {});
  connection.onClose(() => {});
  connection.listen();
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: folders.map((folder) => ({ uri: uriOf(folder), name: folder })),
    capabilities: { workspace: { workspaceFolders: true, didChangeWatchedFiles: { dynamicRegistration: true } } },
    initializationOptions: { trusted: true },
  });
  await connection.sendNotification("initialized", {});
  const request = <T>(method: string, params: object = {}) => connection.sendRequest<T>(method, params);
  return {
    request,
    told,
    jobs: () => request("clf/jobs/list"),
    events: async ({ project, job }) =>
      (await request<{ events: JobEvent[] }>("clf/jobs/events", { project, job })).events,
    async ended(job) {
      const find = (views: JobView[]) => views.findLast((view) => view.job === job && OVER.includes(view.state));
      const before = find(await request("clf/jobs/list"));
      if (before) return before;
      return new Promise((resolve, reject) => {
        const check = () => {
          const found = find(told);
          if (!found) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          const last = told.findLast((view) => view.job === job);
          reject(new Error(`${job} did not end. Last: ${JSON.stringify(last)}\n${errors}`));
        }, 60_000);
        waiting.add(check);
        check();
      });
    },
    async end(end) {
      if (end !== "dies") {
        const shutdown = (async () => {
          await connection.sendRequest("shutdown");
          await connection.sendNotification("exit");
          return "answered";
        })();
        shutdown.catch(() => {});
        const answer = await Promise.race([shutdown, sleep(STOP)]);
        if (answer === "answered") connection.end();
        await Promise.race([gone, sleep(DIE)]);
      }
      if (child.exitCode === null && child.signalCode === null) terminate(child);
      await gone;
      connection.dispose();
    },
  };
}
