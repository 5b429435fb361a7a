/** A plain LSP client over stdio, as any editor is one: starts the server, keeps what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ClientCapabilities,
  createProtocolConnection,
  type Diagnostic,
  type InitializeResult,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
} from "vscode-languageserver-protocol/node";
import { TextDocument } from "vscode-languageserver-textdocument";

export const root = join(import.meta.dirname, "../..");

export interface ClientOptions {
  /** The server's file. Default: the source. */
  server?: string;
  /** Default: `--stdio`. */
  args?: string[];
  folders?: string[];
  trusted?: boolean;
  capabilities?: ClientCapabilities;
  /** Default: no waiting at all. */
  delays?: { check?: number; reread?: number; data?: number };
}

export interface OpenDocument {
  uri: string;
  /** The client's copy. */
  text(): string;
  /** Replaces the first `find` by `replacement` (an incremental change), or the whole text. */
  replace(find: string, replacement: string): void;
  set(text: string): void;
  apply(edits: TextEdit[]): void;
  /** Position of the first `find`, moved `into` characters. */
  at(find: string, into?: number): { line: number; character: number };
  textIn(range: Range): string;
  close(): void;
}

export interface Client {
  connection: ProtocolConnection;
  process: ChildProcess;
  initialized: InitializeResult;
  /** Everything the server logged. */
  log: string[];
  open(path: string, text: string, languageId?: string, uri?: string): OpenDocument;
  /** Waits until the diagnostics of a file fulfil the condition, and returns them. */
  diagnostics(uri: string, until: (diagnostics: Diagnostic[], version?: number) => boolean): Promise<Diagnostic[]>;
  published: PublishDiagnosticsParams[];
  request<T>(method: string, params: unknown): Promise<T>;
  notify(method: string, params: unknown): void;
  /** Tells the server of files that changed on disk. */
  changed(...paths: string[]): void;
  stop(): Promise<number | null>;
}

export const uriOf = (path: string) => pathToFileURL(path).href;

export async function startClient(options: ClientOptions = {}): Promise<Client> {
  const server = options.server ?? join(root, "server/src/server.ts");
  const child = spawn(process.execPath, [server, ...(options.args ?? ["--stdio"])], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const log: string[] = [];
  const published: PublishDiagnosticsParams[] = [];
  const waiting = new Set<() => void>();
  connection.onNotification("window/logMessage", ({ message }: { message: string }) => void log.push(message));
  connection.onNotification("textDocument/publishDiagnostics", (params: PublishDiagnosticsParams) => {
    published.push(params);
    for (const check of waiting) check();
  });
  connection.onRequest("client/registerCapability", () => null);
  connection.onRequest("workspace/inlayHint/refresh", () => null);
  connection.onRequest("workspace/codeLens/refresh", () => null);
  connection.onClose(() => {});
  connection.listen();

  const { folders = [], trusted = true, delays = { check: 0, reread: 0, data: 0 } } = options;
  const initialized = await connection.sendRequest<InitializeResult>("initialize", {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: folders.map((folder) => ({ uri: uriOf(folder), name: folder })),
    capabilities: options.capabilities ?? {
      textDocument: {
        completion: { completionItem: { snippetSupport: true } },
        hover: { contentFormat: ["markdown"] },
        publishDiagnostics: { versionSupport: true },
      },
      workspace: {
        workspaceFolders: true,
        didChangeWatchedFiles: { dynamicRegistration: true },
        inlayHint: { refreshSupport: true },
      },
    },
    initializationOptions: { trusted, delays },
  });
  connection.sendNotification("initialized", {});

  return {
    connection,
    process: child,
    initialized,
    log,
    published,
    open(path, text, languageId = "clf-yaml", uri = uriOf(path)) {
      let document = TextDocument.create(uri, languageId, 1, text);
      connection.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId, version: 1, text } });
      const change = (range: Range | undefined, newText: string) => {
        const version = document.version + 1;
        const contentChanges = [range ? { range, text: newText } : { text: newText }];
        document = TextDocument.update(document, contentChanges, version);
        connection.sendNotification("textDocument/didChange", { textDocument: { uri, version }, contentChanges });
      };
      return {
        uri,
        text: () => document.getText(),
        replace(find, replacement) {
          const start = document.getText().indexOf(find);
          if (start < 0) throw new Error(`Not in the text: ${find}`);
          change({ start: document.positionAt(start), end: document.positionAt(start + find.length) }, replacement);
        },
        set: (newText) => change(undefined, newText),
        apply(edits) {
          change(undefined, TextDocument.applyEdits(document, edits));
        },
        at(find, into = 0) {
          const start = document.getText().indexOf(find);
          if (start < 0) throw new Error(`Not in the text: ${find}`);
          return document.positionAt(start + into);
        },
        textIn: (range) => document.getText(range),
        close: () => void connection.sendNotification("textDocument/didClose", { textDocument: { uri } }),
      };
    },
    diagnostics(uri, until) {
      return new Promise((resolve, reject) => {
        const last = () => published.findLast((params) => params.uri === uri);
        const check = () => {
          const params = last();
          if (!params || !until(params.diagnostics, params.version)) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(params.diagnostics);
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          const said = last()
            ?.diagnostics.map(({ code, message }) => `${code}: ${message}`)
            .join("\n");
          reject(
            new Error(`Waited in vain for diagnostics of ${uri}. Last:\n${said}\nLog:\n${log.join("\n")}\n${errors}`),
          );
        }, 15_000);
        waiting.add(check);
        check();
      });
    },
    request: (method, params) => connection.sendRequest(method, params),
    notify: (method, params) => void connection.sendNotification(method, params),
    changed(...paths) {
      const changes = paths.map((path) => ({ uri: uriOf(path), type: 2 }));
      connection.sendNotification("workspace/didChangeWatchedFiles", { changes });
    },
    async stop() {
      await connection.sendRequest("shutdown");
      connection.sendNotification("exit");
      const code = await exit;
      connection.dispose();
      return code;
    },
  };
}
