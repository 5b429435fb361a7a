/** Job panels: one a job, live while it runs, back after a reload of the window. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import {
  type FromJob,
  JOB_COMMANDS,
  JOB_REQUESTS,
  type JobPanelState,
  type Kept,
  type ToJob,
} from "../../webview/job/messages.ts";
import type { Guard } from "../commands/guard.ts";
import type { Server } from "../server/server.ts";
import { answers } from "../webviews/answers.ts";
import { lastChosen } from "../webviews/lastChosen.ts";
import { pageOf, panelOptions } from "../webviews/page.ts";
import { type JobList, keyOf } from "./jobList.ts";
import { KIND, nameOf } from "./words.ts";

export interface JobPanels extends vscode.Disposable {
  open(job: JobView): void;
}

export interface JobPanelParts {
  context: vscode.ExtensionContext;
  guard: Guard;
  server: Server;
  jobs: JobList;
}

const TYPE = "clf.job";
/** What was chosen in the panels opened last, by job. */
const KEPT = "clf.job.kept";

export function createJobPanels({
  context: { extensionUri, workspaceState },
  guard,
  server,
  jobs,
}: JobPanelParts): JobPanels {
  const panels = new Map<string, vscode.WebviewPanel>();
  const kept = lastChosen<Kept>(workspaceState, KEPT);

  function tell(key: string): void {
    const job = jobs.find(key) ?? null;
    if (job === null && !jobs.complete()) return;
    const message: ToJob = { type: "job", job, trusted: vscode.workspace.isTrusted, kept: kept.of(key) };
    void panels.get(key)?.webview.postMessage(message);
  }

  function fill(panel: vscode.WebviewPanel, state: Pick<JobPanelState, "project" | "job" | "title">): void {
    const { project, job } = state;
    const key = keyOf(state);
    panels.set(key, panel);
    panel.onDidDispose(() => panels.delete(key));
    const icon = (theme: string) => vscode.Uri.joinPath(extensionUri, "media", `clf-${theme}.svg`);
    panel.iconPath = { light: icon("light"), dark: icon("dark") };
    const { webview } = panel;
    webview.options = panelOptions(extensionUri);
    const take = answers({
      server,
      allowed: JOB_REQUESTS,
      asker: "this panel",
      post: (message) => void webview.postMessage(message),
      // Whatever the page says, it is answered about the job that it was opened for.
      given: (_, params) => ({ ...params, project, job }),
    });
    webview.onDidReceiveMessage((message: FromJob): unknown => {
      if (take(message)) return undefined;
      switch (message.type) {
        case "ready":
          return tell(key);
        case "state":
          return kept.keep(key, message.kept);
        case "run":
          return JOB_COMMANDS.includes(message.command) && vscode.commands.executeCommand(message.command, { key });
        case "show":
          return vscode.commands.executeCommand("clf.showJob", { key: keyOf({ project, job: message.job }) });
        case "artifact":
          return guard.run(() => showArtifact(message.path, message.reveal));
      }
    });
    webview.html = pageOf(webview, extensionUri, "job", "Job", { state: { project, job, title: state.title } });

    /** Only what the server names as a part of the job. */
    async function showArtifact(path: string, reveal: boolean): Promise<void> {
      const { artifacts } = await server.request("clf/jobs/detail", { project, job });
      const found = artifacts.find((each) => each.path === path);
      if (!found) throw new Error(`${path} is not in the job's folder any more.`);
      const uri = vscode.Uri.parse(found.uri);
      if (!reveal) await vscode.window.showTextDocument(uri, { preview: true });
      else if (vscode.env.uiKind === vscode.UIKind.Web || vscode.env.remoteName !== undefined) {
        // The file manager of another machine is nowhere to be seen.
        await vscode.commands.executeCommand("revealInExplorer", uri);
      } else await vscode.commands.executeCommand("revealFileInOS", uri);
    }
  }

  const subscriptions = [
    vscode.window.registerWebviewPanelSerializer(TYPE, {
      async deserializeWebviewPanel(panel, state: JobPanelState | undefined) {
        if (state?.project && state.job) fill(panel, state);
        else panel.dispose();
      },
    }),
    jobs.onDidChange((job) => {
      for (const key of panels.keys()) if (!job || keyOf(job) === key) tell(key);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const key of panels.keys()) tell(key);
    }),
  ];
  return {
    open(job) {
      const found = panels.get(keyOf(job));
      if (found) return found.reveal();
      const title = `${nameOf(job)}: ${KIND[job.kind]}`;
      const column = vscode.window.activeTextEditor?.viewColumn ?? vscode.ViewColumn.Active;
      const panel = vscode.window.createWebviewPanel(TYPE, title, column, panelOptions(extensionUri));
      fill(panel, { project: job.project, job: job.job, title });
    },
    dispose: () => vscode.Disposable.from(...subscriptions).dispose(),
  };
}
