/** The language server as the rest of the client sees it: typed requests and notifications, over restarts. */

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type * as z from "zod";
import type { clientRequests, notifications, Requests } from "../../../schemas/protocol.ts";

export type NotificationName = keyof typeof notifications;
type Notification<K extends NotificationName> = z.output<(typeof notifications)[K]>;
type Secret = (typeof clientRequests)["clf/secret"];

export interface RequestOptions {
  token?: vscode.CancellationToken;
  /** Shown in the status bar while the answer is awaited. */
  progress?: string;
}

export type ServerState = "starting" | "running" | "stopped";

export interface Server {
  /** Waits for the server to start. @throws Error with a message for people, or vscode.CancellationError */
  request<K extends keyof Requests>(
    name: K,
    params: Requests[K]["params"],
    options?: RequestOptions,
  ): Promise<Requests[K]["result"]>;
  on<K extends NotificationName>(name: K, listener: (params: Notification<K>) => void): vscode.Disposable;
  /** After each start, the first and those after a crash: what was listed before is to be asked for again. */
  readonly onDidStart: vscode.Event<void>;
  readonly onDidChangeState: vscode.Event<ServerState>;
  state(): ServerState;
  notifyTrust(): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerContext {
  /** The bundle, absolute. */
  module: string;
  output: vscode.LogOutputChannel;
  /** Answers `clf/secret`. */
  secret: (params: z.output<Secret["params"]>) => Promise<string | null>;
}

/** Starts within this many milliseconds of each other count as one crash loop. */
const CRASH_WINDOW = 180_000;
const CRASHES = 5;

export function createServer({ module, output, secret }: ServerContext): Server {
  const emitters = new Map<NotificationName, vscode.EventEmitter<never>>();
  const started = new vscode.EventEmitter<void>();
  const changed = new vscode.EventEmitter<ServerState>();
  let current: ServerState = "starting";
  let client: LanguageClient | undefined;
  let starting: Promise<LanguageClient> | undefined;
  let crashes: number[] = [];

  const become = (state: ServerState) => {
    if (state === current) return;
    current = state;
    changed.fire(state);
  };
  const emitter = (name: NotificationName) => {
    const found = emitters.get(name) ?? new vscode.EventEmitter<never>();
    emitters.set(name, found);
    return found;
  };

  async function start(): Promise<LanguageClient> {
    become("starting");
    // Loaded here and not at activation: it is most of the extension's code.
    const { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State, TransportKind } = await import(
      "vscode-languageclient/node"
    );
    client = new LanguageClient(
      "clf",
      "Clf",
      { module, transport: TransportKind.ipc },
      {
        documentSelector: [
          { scheme: "file", language: "clf-yaml" },
          { scheme: "untitled", language: "clf-yaml" },
        ],
        diagnosticCollectionName: "clf",
        outputChannel: output,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationOptions: () => ({ trusted: vscode.workspace.isTrusted, ...settings() }),
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => {
            const now = Date.now();
            crashes = [...crashes.filter((time) => now - time < CRASH_WINDOW), now];
            output.error(`The language server ended by itself (${crashes.length} of ${CRASHES} in three minutes).`);
            if (crashes.length < CRASHES) return { action: CloseAction.Restart, handled: true };
            crashes = [];
            void sayStopped();
            return { action: CloseAction.DoNotRestart, handled: true };
          },
        },
      },
    );
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        become("running");
        started.fire();
      } else become(newState === State.Starting ? "starting" : "stopped");
    });
    for (const name of NOTIFICATIONS) client.onNotification(name, (params) => emitter(name).fire(params as never));
    client.onRequest(
      "clf/secret",
      async (params: z.output<Secret["params"]>): Promise<z.output<Secret["result"]>> => ({
        value: await secret(params),
      }),
    );
    await client.start();
    return client;
  }

  async function sayStopped(): Promise<void> {
    const restart = "Restart";
    const show = "Show Output";
    const answer = await vscode.window.showErrorMessage(
      "Clf's language server stopped several times. Jobs that run go on without it; editing help and lists wait until it is restarted.",
      restart,
      show,
    );
    if (answer === restart) await api.restart();
    if (answer === show) output.show();
  }

  function begin(): Promise<LanguageClient> {
    starting ??= start().catch((error) => {
      starting = undefined;
      become("stopped");
      output.error(error instanceof Error ? error : String(error));
      throw new Error("Clf's language server did not start. The output channel “Clf” says why.");
    });
    return starting;
  }

  async function send<K extends keyof Requests>(
    name: K,
    params: Requests[K]["params"],
    token: vscode.CancellationToken | undefined,
    report?: (text: string) => void,
  ): Promise<Requests[K]["result"]> {
    const client = await begin();
    const watch = report && (await watchProgress(client, report));
    try {
      const given = watch ? { ...params, workDoneToken: watch.token } : params;
      // A token that is undefined would count as a second parameter.
      return await (token
        ? client.sendRequest<Requests[K]["result"]>(name as string, given, token)
        : client.sendRequest<Requests[K]["result"]>(name as string, given));
    } catch (error) {
      const code = (error as { code?: number }).code;
      if (code === REQUEST_CANCELLED || token?.isCancellationRequested) throw new vscode.CancellationError();
      // The server's own words, without the library's "Request … failed with message: " before them.
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(message.replace(/^Request \S+ failed with message: /, ""), { cause: error });
    } finally {
      watch?.dispose();
    }
  }

  const api: Server = {
    request(name, params, { token, progress } = {}) {
      if (progress === undefined) return send(name, params, token);
      const where = { location: vscode.ProgressLocation.Window, title: progress };
      return Promise.resolve(
        vscode.window.withProgress(where, (bar) => send(name, params, token, (message) => bar.report({ message }))),
      );
    },
    on: (name, listener) => emitter(name).event(listener as (params: never) => void),
    onDidStart: started.event,
    onDidChangeState: changed.event,
    state: () => current,
    notifyTrust() {
      if (client?.isRunning()) void client.sendNotification("clf/trust", { trusted: vscode.workspace.isTrusted });
    },
    async restart() {
      crashes = [];
      if (client?.isRunning()) return client.restart();
      starting = undefined;
      await begin();
    },
    async stop() {
      watch.dispose();
      if (client?.isRunning()) await client.stop();
    },
  };
  const watch = vscode.workspace.onDidChangeConfiguration((event) => {
    if (!event.affectsConfiguration("clf.jobs") || !client?.isRunning()) return;
    void client.sendNotification("clf/settings", settings());
  });
  // A failed start has been logged; requests say it again.
  begin().catch(() => {});
  return api;
}

/** What the server is told of VS Code's settings. */
const settings = () => ({ keep: vscode.workspace.getConfiguration("clf").get("jobs.keep", 20) });

const NOTIFICATIONS: readonly NotificationName[] = [
  "clf/jobs/changed",
  "clf/jobs/removed",
  "clf/projects/changed",
  "clf/flagged/changed",
  "clf/preview/changed",
];

/** LSPErrorCodes.RequestCancelled. */
const REQUEST_CANCELLED = -32800;

/** Work-done progress of one request, as sentences. */
async function watchProgress(
  client: LanguageClient,
  report: (text: string) => void,
): Promise<{ token: string; dispose(): void }> {
  const { WorkDoneProgress } = await import("vscode-languageclient/node");
  const token = `clf-${++tokens}`;
  const watch = client.onProgress(WorkDoneProgress.type, token, (step) => {
    const message = step.kind === "begin" ? (step.message ?? step.title) : step.message;
    const percentage = step.kind === "end" ? undefined : step.percentage;
    if (message) report(percentage === undefined ? message : `${message} ${Math.round(percentage)} %`);
  });
  return { token, dispose: () => watch.dispose() };
}
let tokens = 0;
