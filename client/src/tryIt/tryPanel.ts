/** The Try It panel: one for the window, which knows all projects. It passes questions on and opens rows in their files. */
import * as vscode from "vscode";
import { type FromTry, type ToTry, TRY_COMMANDS, TRY_REQUESTS, type TryState } from "../../webview/try/messages.ts";
import type { Guard } from "../commands/guard.ts";
import { normal, type Projects } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import { answers } from "../webviews/answers.ts";
import { pageOf, panelOptions } from "../webviews/page.ts";

export interface TryParts {
  context: vscode.ExtensionContext;
  guard: Guard;
  server: Server;
  projects: Projects;
}

const TYPE = "clf.try";
const STATE = "clf.try.state";
/** Characters of a selection that are taken. */
const MOST = 100_000;

export function registerTryIt({ context, guard, server, projects }: TryParts): vscode.Disposable {
  const { extensionUri, workspaceState } = context;
  let panel: vscode.WebviewPanel | undefined;
  /** The page listens; what was to be tried before it did. */
  let ready = false;
  let waiting: Extract<ToTry, { type: "text" }> | undefined;

  const post = (message: ToTry) => void panel?.webview.postMessage(message);
  function tellProjects(): void {
    post({
      type: "projects",
      projects: projects.known().map(({ project, valid, inputs, review_model, models }) => ({
        uri: project,
        name: projects.title(project),
        valid,
        inputs,
        review_model,
        models: models.map(({ name, engine, runs, fine_tunes, current }) => ({
          ...{ name, engine, runs, fine_tunes, current: current !== null },
        })),
      })),
      trusted: vscode.workspace.isTrusted,
      state: workspaceState.get<TryState>(STATE) ?? null,
    });
  }

  function fill(made: vscode.WebviewPanel): void {
    panel = made;
    ready = false;
    made.onDidDispose(() => {
      if (panel === made) panel = undefined;
    });
    const icon = (theme: string) => vscode.Uri.joinPath(extensionUri, "media", `clf-${theme}.svg`);
    made.iconPath = { light: icon("light"), dark: icon("dark") };
    const { webview } = made;
    webview.options = panelOptions(extensionUri);
    const take = answers({
      server,
      allowed: TRY_REQUESTS,
      asker: "this panel",
      post: (message) => void webview.postMessage(message),
      given: (_, params) => params,
    });
    webview.onDidReceiveMessage((message: FromTry): unknown => {
      if (take(message)) return undefined;
      switch (message.type) {
        case "ready":
          ready = true;
          return start();
        case "state":
          return workspaceState.update(STATE, message.state);
        case "open":
          return guard.run(async () => {
            const { uri, line, end_line } = message.place;
            const selection = new vscode.Range(line, 0, end_line, Number.MAX_SAFE_INTEGER);
            await vscode.window.showTextDocument(vscode.Uri.parse(uri), { selection, preview: true });
          });
        case "run":
          return (
            TRY_COMMANDS.includes(message.command) &&
            vscode.commands.executeCommand(message.command, message.project ?? undefined, message.model ?? undefined)
          );
      }
    });
    webview.html = pageOf(webview, extensionUri, "try", "Try It");
  }

  async function start(): Promise<void> {
    await projects.fresh().catch(() => []);
    if (waiting) post(waiting);
    waiting = undefined;
  }

  function open(text: Extract<ToTry, { type: "text" }> | undefined): void {
    if (panel) panel.reveal();
    else {
      const column = text ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
      fill(vscode.window.createWebviewPanel(TYPE, "Try It", column, panelOptions(extensionUri)));
    }
    if (!text) return;
    if (ready) post(text);
    else waiting = text;
  }

  return vscode.Disposable.from(
    guard.command("clf.tryText", () => open(undefined)),
    guard.command("clf.trySelection", () => {
      const editor = vscode.window.activeTextEditor;
      const text = editor?.document.getText(editor.selection).slice(0, MOST) ?? "";
      if (!editor || text.trim() === "") throw new Error("Select a text in an editor first.");
      const uri = editor.document.uri.toString();
      const of = projects.known().find(({ data }) => data.some((file) => normal(file) === uri));
      open({ type: "text", text, project: of?.project ?? null });
    }),
    vscode.window.registerWebviewPanelSerializer(TYPE, {
      async deserializeWebviewPanel(restored) {
        if (panel) restored.dispose();
        else fill(restored);
      },
    }),
    projects.onDidChange(tellProjects),
    vscode.workspace.onDidGrantWorkspaceTrust(tellProjects),
    server.on("clf/flagged/changed", () => post({ type: "changed" })),
  );
}
