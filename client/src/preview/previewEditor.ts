/** The data preview: a read-only editor of data files. It passes requests on, opens rows in their file, and fills the clipboard. */
import { basename } from "node:path/posix";
import * as vscode from "vscode";
import type { RowPlace } from "../../../schemas/protocol.ts";
import {
  DECISION_REQUESTS,
  type FromPreview,
  PREVIEW_REQUESTS,
  type ToPreview,
} from "../../webview/preview/messages.ts";
import type { PreviewState } from "../../webview/preview/state.ts";
import { type Guard, needTrust } from "../commands/guard.ts";
import { normal, type Projects, relative } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import { answers } from "../webviews/answers.ts";
import { lastChosen } from "../webviews/lastChosen.ts";
import { bundles, pageOf } from "../webviews/page.ts";

export interface PreviewParts {
  context: vscode.ExtensionContext;
  guard: Guard;
  server: Server;
  projects: Projects;
}

/** As in package.json. */
const TYPE = "clf.preview";

/** What was chosen in the previews opened last, by file. */
const STATES = "clf.preview.states";

const deciding: readonly string[] = DECISION_REQUESTS;

export function registerPreview({ context, guard, server, projects }: PreviewParts): vscode.Disposable {
  const { extensionUri, workspaceState } = context;
  const open = new Map<vscode.WebviewPanel, string>();
  const states = lastChosen<PreviewState>(workspaceState, STATES);
  const post = (panel: vscode.WebviewPanel, message: ToPreview) => void panel.webview.postMessage(message);
  const tellChanged = (data?: string) => {
    for (const [panel, uri] of open) if (data === undefined || uri === normal(data)) post(panel, { type: "changed" });
  };

  const provider: vscode.CustomReadonlyEditorProvider = {
    openCustomDocument: (uri) => {
      const data = uri.toString();
      return { uri, dispose: () => void server.request("clf/preview/close", { data }).catch(() => {}) };
    },
    resolveCustomEditor({ uri }, panel) {
      const data = uri.toString();
      const { webview } = panel;
      webview.options = { enableScripts: true, localResourceRoots: [bundles(extensionUri)] };
      open.set(panel, normal(data));
      const folder = new vscode.RelativePattern(vscode.Uri.joinPath(uri, ".."), basename(uri.path));
      const watcher = vscode.workspace.createFileSystemWatcher(folder);
      const changed = () => post(panel, { type: "changed" });
      const watches = [
        watcher,
        watcher.onDidChange(changed),
        watcher.onDidCreate(changed),
        watcher.onDidDelete(changed),
      ];
      panel.onDidDispose(() => {
        open.delete(panel);
        vscode.Disposable.from(...watches).dispose();
      });
      const take = answers({
        server,
        allowed: [...PREVIEW_REQUESTS, ...DECISION_REQUESTS],
        asker: "this editor",
        post: (message) => post(panel, message),
        given: (name, params) => {
          // Whatever the page says, it is answered about the file that it was opened for.
          if (!deciding.includes(name)) return { ...params, data };
          needTrust();
          return params;
        },
      });
      webview.onDidReceiveMessage((message: FromPreview): unknown => {
        if (take(message)) return undefined;
        switch (message.type) {
          case "ready":
            return post(panel, {
              type: "init",
              name: basename(uri.path),
              trusted: vscode.workspace.isTrusted,
              state: states.of(data),
            });
          case "state":
            return states.keep(data, message.state);
          case "open":
            return guard.run(() => openSource(message.place, uri));
          case "copy":
            return guard.run(() => vscode.env.clipboard.writeText(message.text));
        }
      });
      webview.html = pageOf(webview, extensionUri, "preview", "Data preview");
    },
  };

  return vscode.Disposable.from(
    vscode.window.registerCustomEditorProvider(TYPE, provider, { supportsMultipleEditorsPerDocument: false }),
    guard.command("clf.previewData", async (given: unknown) => {
      const chosen = await chooseFile(projects, given);
      if (chosen) await vscode.commands.executeCommand("vscode.openWith", chosen, TYPE, { preview: false });
    }),
    server.on("clf/preview/changed", ({ data }) => tellChanged(data)),
    server.on("clf/flagged/changed", () => tellChanged()),
    server.onDidStart(() => tellChanged()),
  );
}

const DATA_FILE = /\.(csv|tsv|tab|jsonl|ndjson|json|parquet)(\.gz)?$/i;

/** The data file a command is about: one from the Explorer or in the editor, or a file of the project that is meant. */
async function chooseFile(projects: Projects, given: unknown): Promise<vscode.Uri | undefined> {
  const meant =
    given instanceof vscode.Uri
      ? given
      : typeof given === "string"
        ? vscode.Uri.parse(given)
        : vscode.window.activeTextEditor?.document.uri;
  if (meant && DATA_FILE.test(meant.path)) return meant;
  const found = await projects.fresh();
  const project = found.find((each) => meant !== undefined && normal(each.project) === normal(meant.toString()));
  const files = project ? project.data : found.flatMap(({ data }) => data);
  if (files.length === 0) {
    throw new Error(
      "There is no data file to preview: name one in the project's `dataset.source`, or choose one in the Explorer.",
    );
  }
  const items = files.map((file) => ({ label: relative(file), file }));
  const [only] = items;
  const chosen = items.length === 1 ? only : await vscode.window.showQuickPick(items, { title: "Preview which data?" });
  return chosen && vscode.Uri.parse(chosen.file);
}

/** Shows a row's lines in the text editor, beside the preview where there is a group. Files too large for extensions open all the same. */
async function openSource({ line, end_line }: RowPlace, uri: vscode.Uri): Promise<void> {
  const selection = new vscode.Range(line, 0, end_line, Number.MAX_SAFE_INTEGER);
  await vscode.commands.executeCommand("vscode.openWith", uri, "default", { selection, preview: true });
}
