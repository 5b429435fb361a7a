/** The server's side of the workbench thread: starts it when it is first needed, and again if it should end. */
import { Worker } from "node:worker_threads";
import { requests } from "../../../schemas/protocol.ts";
import { entryPath } from "../entry.ts";
import type { ProjectFigures } from "../language/figures.ts";
import type { LanguageServer } from "../language-server.ts";
import { RequestError, type RequestHandlers } from "../requests.ts";
import type { Figures, FromWorkbench, RequestName, ToWorkbench } from "./protocol.ts";

export interface Workbench {
  handlers: RequestHandlers;
  figures: ProjectFigures;
}

type Asked = Extract<ToWorkbench, { id: number }>;

export function createWorkbench(server: LanguageServer): Workbench {
  let worker: Worker | undefined;
  let nextId = 1;
  const pending = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const figureListeners: ((project: string) => void)[] = [];
  const figures = new Map<string, Promise<Figures>>();
  const { connection } = server;

  function configure(): void {
    worker?.postMessage({
      do: "configure",
      folders: server.folders(),
      trusted: server.trusted(),
      keep: server.settings().keep,
    } satisfies ToWorkbench);
  }

  function start(): Worker {
    const made = new Worker(entryPath("workbench"), { execArgv: [], stdout: true, stderr: true });
    made.unref();
    made.on("message", receive);
    const ended = (error: Error): void => {
      if (worker !== made) return;
      worker = undefined;
      figures.clear();
      connection.console.error(error.stack ?? error.message);
      for (const { reject } of pending.values())
        reject(new RequestError("Clf's worker ended unexpectedly. Try again; see the Clf output for more."));
      pending.clear();
    };
    made.on("error", ended);
    made.on("exit", (code) => ended(new Error(`The workbench thread ended with code ${code}.`)));
    worker = made;
    configure();
    return made;
  }

  function receive(message: FromWorkbench): void {
    switch (message.do) {
      case "answer": {
        const request = pending.get(message.id);
        pending.delete(message.id);
        if (message.ok) request?.resolve(message.result);
        else request?.reject(message.person ? new RequestError(message.message) : new Error(message.message));
        break;
      }
      case "notify":
        void connection.sendNotification(message.name, message.params);
        break;
      case "secret":
        connection
          .sendRequest<{ value: string | null }>("clf/secret", message.wish)
          .then(
            ({ value }) => value,
            () => null,
          )
          .then((value) => worker?.postMessage({ do: "secret", id: message.id, value } satisfies ToWorkbench));
        break;
      case "figuresChanged":
        figures.delete(message.project);
        for (const listener of figureListeners) listener(message.project);
        break;
      case "log":
        connection.console.warn(message.message);
    }
  }

  function ask(body: Omit<Asked, "id">, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const to = worker ?? start();
      const id = nextId++;
      const cancel = () => to.postMessage({ do: "cancel", id } satisfies ToWorkbench);
      signal?.addEventListener("abort", cancel, { once: true });
      const settle = () => signal?.removeEventListener("abort", cancel);
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
      to.postMessage({ ...body, id });
    });
  }

  server.onFilesChanged((paths) => {
    const seen = paths.filter((path) => !/[\\/]\.clf[\\/]/.test(path));
    if (worker && seen.length > 0) worker.postMessage({ do: "changed", paths: seen } satisfies ToWorkbench);
  });
  server.onWorkspaceChanged(configure);

  const handlers: Partial<
    Record<RequestName, (params: unknown, context: { signal: AbortSignal }) => Promise<unknown>>
  > = {};
  for (const name of Object.keys(requests) as RequestName[]) {
    handlers[name] = (params, { signal }) => ask({ do: "request", name, params } as Omit<Asked, "id">, signal);
  }

  return {
    handlers: handlers as RequestHandlers,
    figures: {
      models(project) {
        let known = figures.get(project);
        if (!known) {
          known = ask({ do: "figures", project } as Omit<Asked, "id">).catch(() => ({})) as Promise<Figures>;
          figures.set(project, known);
        }
        return known;
      },
      onDidChange: (listener) => void figureListeners.push(listener),
    },
  };
}
