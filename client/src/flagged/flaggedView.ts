/** The Flagged view: the host side of the review panel. It passes requests on, keeps the place, opens rows in files. */
import * as vscode from "vscode";
import type { RowPlace } from "../../../schemas/protocol.ts";
import {
  type Doing,
  type FromReview,
  REVIEW_REQUESTS,
  type ReviewAction,
  type ToReview,
  WRITING,
} from "../../webview/review/messages.ts";
import type { ReviewState } from "../../webview/review/state.ts";
import { type Guard, needTrust } from "../commands/guard.ts";
import { REASON } from "../inline/reasons.ts";
import type { Projects } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import { answers } from "../webviews/answers.ts";
import { bundles, pageOf } from "../webviews/page.ts";

export interface FlaggedParts {
  context: vscode.ExtensionContext;
  guard: Guard;
  server: Server;
  projects: Projects;
}

const PROJECT = "clf.flagged.project";
const stateKey = (project: string) => `clf.flagged.state:${project}`;
async function tellFocus(focused: boolean, typing: boolean): Promise<void> {
  await Promise.all([setContext("clf.flagged.focused", focused), setContext("clf.flagged.typing", typing)]);
}
const setContext = (key: string, value: unknown) => vscode.commands.executeCommand("setContext", key, value);

export function registerFlagged({ context, guard, server, projects }: FlaggedParts): vscode.Disposable {
  const { workspaceState, extensionUri } = context;
  let view: vscode.WebviewView | undefined;
  /** The panel's script has started and listens. */
  let ready = false;
  /** Actions that came before it did. */
  let waiting: ReviewAction[] = [];

  const post = (message: ToReview) => void view?.webview.postMessage(message);

  /** The project on screen: the one last chosen, as long as it is there. */
  function current(): string | null {
    const known = projects.known().map(({ project }) => project);
    const chosen = workspaceState.get<string>(PROJECT);
    return chosen !== undefined && known.includes(chosen) ? chosen : (known[0] ?? null);
  }
  function tell(): void {
    const project = current();
    post({
      type: "projects",
      projects: projects.known().map(({ project: uri }) => ({ uri, name: projects.title(uri) })),
      project,
      state: project === null ? null : (workspaceState.get<ReviewState>(stateKey(project)) ?? null),
      reasons: REASON,
    });
  }
  async function act(action: ReviewAction): Promise<void> {
    if (ready) post({ type: "action", action });
    else {
      waiting.push(action);
      await vscode.commands.executeCommand("clf.flagged.focus");
    }
  }

  const take = answers({
    server,
    allowed: REVIEW_REQUESTS,
    asker: "this view",
    post,
    given: (name, params) => {
      if (WRITING.includes(name)) needTrust();
      return params;
    },
  });

  function receive(message: FromReview): unknown {
    if (take(message)) return undefined;
    switch (message.type) {
      case "ready": {
        ready = true;
        tell();
        for (const action of waiting) post({ type: "action", action });
        waiting = [];
        return;
      }
      case "state":
        return workspaceState.update(stateKey(message.project), message.state);
      case "project":
        return workspaceState.update(PROJECT, message.project).then(tell);
      case "focus":
        return tellFocus(message.focused, message.typing).then(() =>
          post({ type: "keys", active: message.focused && !message.typing }),
        );
      case "open":
        return guard.run(() => openRow(message.place));
      case "run":
        return vscode.commands.executeCommand(message.command, message.project ?? undefined);
    }
  }

  const provider: vscode.WebviewViewProvider = {
    resolveWebviewView(resolved) {
      view = resolved;
      ready = false;
      const { webview } = resolved;
      webview.options = { enableScripts: true, localResourceRoots: [bundles(extensionUri)] };
      webview.onDidReceiveMessage(receive);
      webview.html = pageOf(webview, extensionUri, "review", "Flagged");
      void setContext("clf.flagged.visible", resolved.visible);
      resolved.onDidChangeVisibility(() => void setContext("clf.flagged.visible", resolved.visible));
      resolved.onDidDispose(() => {
        view = undefined;
        ready = false;
        void setContext("clf.flagged.visible", false);
        void tellFocus(false, false);
      });
    },
  };

  const actions: Record<string, Doing> = {
    confirm: "confirm",
    none: "none",
    skip: "skip",
    undo: "undo",
    next: "next",
    previous: "previous",
    focusSearch: "search",
    openRow: "open",
    refresh: "refresh",
    confirmAlike: "alike",
    filterByPair: "pair",
    note: "note",
    focusFilters: "filters",
    progress: "progress",
  };
  return vscode.Disposable.from(
    vscode.window.registerWebviewViewProvider("clf.flagged", provider, {
      // A person who looks at another view comes back to the same row, with a half-typed search.
      webviewOptions: { retainContextWhenHidden: true },
    }),
    ...Object.entries(actions).map(([name, action]) => guard.command(`clf.flagged.${name}`, () => act({ do: action }))),
    guard.command("clf.flagged.choose", (given: { number?: unknown } | undefined) => {
      const number = Number(given?.number);
      if (Number.isInteger(number) && number > 0) return act({ do: "choose", number });
      throw new Error('A keybinding of clf.flagged.choose needs the place of a label: "args": { "number": 1 }.');
    }),
    guard.command("clf.review", async (given: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (!project) return;
      await workspaceState.update(PROJECT, project.project);
      await vscode.commands.executeCommand("clf.flagged.focus");
      tell();
    }),
    projects.onDidChange(tell),
    server.onDidStart(() => {
      const project = current();
      if (project !== null) post({ type: "changed", project });
    }),
    server.on("clf/flagged/changed", ({ project }) => post({ type: "changed", project })),
  );
}

/** Opens a data file at a row's lines; the panel keeps the focus so that the keyboard goes on there. */
async function openRow({ uri, line, end_line }: RowPlace): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  const last = Math.min(end_line, document.lineCount - 1);
  const selection = new vscode.Range(line, 0, last, document.lineAt(last).text.length);
  const editor = await vscode.window.showTextDocument(document, { selection, preview: true, preserveFocus: true });
  // The end of a long row is out of view to the right: its beginning is what tells which row it is, and its confidences stand there.
  const beginning = new vscode.Range(selection.start, selection.start);
  editor.revealRange(beginning, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
