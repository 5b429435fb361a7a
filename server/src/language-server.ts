/** The language server, put together: connection, documents, language features, and the requests of schemas/protocol.ts. */
import {
  CodeLensRefreshRequest,
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  FileChangeType,
  type InitializeParams,
  ProposedFeatures,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import * as z from "zod";
import { clientNotifications } from "../../schemas/protocol.ts";
import { createDataReader } from "./language/data-reader.ts";
import { createDiagnosticBoard, type DiagnosticBoard } from "./language/diagnostics.ts";
import { capabilities, registerFeatures } from "./language/features.ts";
import { noFigures, type ProjectFigures } from "./language/figures.ts";
import { createProjectDocuments, DELAYS, type ProjectDocuments } from "./language/project-documents.ts";
import { pathOf } from "./language/uris.ts";
import { lazyYamlService } from "./language/yaml-service.ts";
import { PROJECT_FILE } from "./project/discover.ts";
import { readText } from "./project/text.ts";
import { describe, type RequestHandlers, registerRequests } from "./requests.ts";

/** What a client may say when it starts the server. Anything else in it is ignored. */
const InitializationOptions = z.object({
  /** False in a workspace the person has not trusted: files are checked, nothing is run. */
  trusted: z.boolean().catch(true),
  keep: z.number().int().min(1).max(10_000).catch(20),
  /** Milliseconds; see `Delays`. */
  delays: z
    .object({ check: z.number().min(0), reread: z.number().min(0), data: z.number().min(0) })
    .partial()
    .catch({}),
});

/** What the rest of the server builds on. */
export interface LanguageServer {
  connection: Connection;
  /** Every document the editor has open, whatever its language. */
  documents: TextDocuments<TextDocument>;
  /** The open project files. */
  projects: ProjectDocuments;
  /** Diagnostics of all files; whoever publishes others does it through this, by an owner of its own. */
  board: DiagnosticBoard;
  /** Paths of the workspace's folders. */
  folders: () => string[];
  trusted: () => boolean;
  client: () => InitializeParams["capabilities"];
  /** What the client set when it started the server. */
  settings: () => ServerSettings;
  /** Calls back when folders came or went, or the workspace became trusted. */
  onWorkspaceChanged(listener: () => void): void;
  /** Calls back with paths of files that changed on disk. */
  onFilesChanged(listener: (paths: string[]) => void): void;
  /** Asks the editor to ask for hints and lenses again. */
  refresh(): void;
}

export interface ServerSettings {
  /** Ended jobs of each model and kind that retention keeps. */
  keep: number;
}

export interface ServerOptions {
  /** Default: what the command line says (`--stdio`, `--node-ipc`, `--socket=PORT`, `--pipe=NAME`). */
  connection?: Connection;
  /** The figures of models, for hints and hovers. */
  figures?: (server: LanguageServer) => ProjectFigures;
  /** Handlers of `clf/*` requests. */
  handlers?: (server: LanguageServer) => RequestHandlers;
}

/** Files that a project may name, and job folders. */
const WATCHED = ["**/*.{csv,tsv,tab,jsonl,ndjson,json,parquet,gz,yaml,yml,txt,md}", "**/.clf/jobs/**"];
const NEVER_WATCHED = /[\\/](node_modules|\.git)[\\/]/;
const STATE_FOLDER = /[\\/]\.clf[\\/]/;

export function startServer(options: ServerOptions = {}): LanguageServer {
  const connection = options.connection ?? createConnection(ProposedFeatures.all);
  const log = (message: string) => connection.console.error(message);
  const documents = new TextDocuments(TextDocument);
  const listeners: ((paths: string[]) => void)[] = [];
  const workspaceListeners: (() => void)[] = [];
  const serverSettings: ServerSettings = { keep: 20 };
  const workspaceChanged = () => {
    for (const listener of workspaceListeners) listener();
  };
  let client: InitializeParams["capabilities"] = {};
  let folders: string[] = [];
  let trusted = true;
  const delays = { ...DELAYS };

  const board = createDiagnosticBoard((uri, diagnostics, version) => {
    void connection.sendDiagnostics({ uri, diagnostics, ...(version === undefined ? {} : { version }) });
  });
  const data = createDataReader();
  const projects = createProjectDocuments({
    board,
    data,
    delays,
    log,
    read: async (file) => {
      const open = documents.all().find(({ uri }) => pathOf(uri) === file);
      return open ? { text: open.getText() } : readText(file);
    },
    onFigures: refresh,
  });

  function refresh(): void {
    if (client.workspace?.inlayHint?.refreshSupport) void connection.languages.inlayHint.refresh().catch(() => {});
    if (client.workspace?.codeLens?.refreshSupport)
      void connection.sendRequest(CodeLensRefreshRequest.type).catch(() => {});
  }

  const server: LanguageServer = {
    connection,
    documents,
    projects,
    board,
    folders: () => folders,
    trusted: () => trusted,
    client: () => client,
    settings: () => serverSettings,
    onWorkspaceChanged: (listener) => void workspaceListeners.push(listener),
    onFilesChanged: (listener) => void listeners.push(listener),
    refresh,
  };
  const figures = options.figures?.(server) ?? noFigures;
  figures.onDidChange(refresh);
  const yaml = lazyYamlService(() => client, log);
  registerFeatures({
    connection,
    projects,
    board,
    figures,
    yaml,
    trusted: server.trusted,
    client: server.client,
    log,
  });
  registerRequests(connection, options.handlers?.(server) ?? {});

  connection.onInitialize((params) => {
    client = params.capabilities;
    const given = params.workspaceFolders?.map(({ uri }) => uri) ?? (params.rootUri ? [params.rootUri] : []);
    folders = given.flatMap((uri) => pathOf(uri) ?? []);
    const settings = InitializationOptions.safeParse(params.initializationOptions ?? {});
    if (settings.success) {
      trusted = settings.data.trusted;
      serverSettings.keep = settings.data.keep;
      Object.assign(delays, settings.data.delays);
    }
    return {
      serverInfo: { name: "clf" },
      capabilities: {
        ...capabilities,
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  });
  connection.onInitialized(() => {
    if (client.workspace?.workspaceFolders) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.flatMap(({ uri }) => pathOf(uri) ?? []));
        folders = [...folders.filter((folder) => !gone.has(folder)), ...added.flatMap(({ uri }) => pathOf(uri) ?? [])];
        workspaceChanged();
      });
    }
    if (client.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
      const watchers = WATCHED.map((globPattern) => ({ globPattern }));
      connection.client
        .register(DidChangeWatchedFilesNotification.type, { watchers })
        .catch((error) => log(describe(error)));
    }
  });
  connection.onNotification("clf/trust", (params: unknown) => {
    const parsed = clientNotifications["clf/trust"].safeParse(params);
    if (!parsed.success) return;
    trusted = parsed.data.trusted;
    workspaceChanged();
    refresh();
  });
  connection.onNotification("clf/settings", (params: unknown) => {
    const parsed = clientNotifications["clf/settings"].safeParse(params);
    if (!parsed.success) return;
    serverSettings.keep = parsed.data.keep;
    workspaceChanged();
  });
  connection.onShutdown(() => data.close());

  const isProject = ({ uri, languageId }: TextDocument) =>
    languageId === "clf-yaml" || PROJECT_FILE.test(pathOf(uri) ?? uri);
  documents.onDidOpen(({ document }) => {
    if (isProject(document)) projects.open(document);
  });
  documents.onDidChangeContent(({ document }) => {
    if (isProject(document)) return projects.change(document);
    // A labels file: what stands in the editor counts, saved or not.
    const path = pathOf(document.uri);
    if (path !== undefined && /\.(ya?ml|json)$/i.test(path)) projects.filesChanged([path]);
  });
  documents.onDidClose(({ document: { uri } }) => {
    if (projects.get(uri)) yaml.forget(uri);
    projects.close(uri);
  });

  connection.onDidChangeWatchedFiles(({ changes }) => {
    const paths = changes
      .filter(
        ({ type }) =>
          type === FileChangeType.Created || type === FileChangeType.Changed || type === FileChangeType.Deleted,
      )
      .flatMap(({ uri }) => pathOf(uri) ?? [])
      .filter((path) => !NEVER_WATCHED.test(path));
    for (const listener of listeners) listener(paths);
    if (paths.some((path) => STATE_FOLDER.test(path))) refresh();
    projects.filesChanged(paths.filter((path) => !STATE_FOLDER.test(path)));
  });

  documents.listen(connection);
  connection.listen();
  return server;
}
