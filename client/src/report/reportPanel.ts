/** Reports, each in a panel of its own, which comes back after a reload of the window. */
import * as vscode from "vscode";
import type { Report, Rounds } from "../../../schemas/report.ts";
import type { FromReport, ReportState, ToReport } from "../../webview/messages.ts";
import type { Guard } from "../commands/guard.ts";
import type { Server } from "../server/server.ts";
import { bundles, pageOf } from "../webviews/page.ts";

export interface ReportPanels extends vscode.Disposable {
  open(job: { project: string; job: string }, name: string): Promise<void>;
}

export interface ReportParts {
  context: vscode.ExtensionContext;
  guard: Guard;
  server: Server;
}

const TYPE = "clf.report";

export function createReportPanels({ context: { extensionUri }, guard, server }: ReportParts): ReportPanels {
  const panels = new Map<string, vscode.WebviewPanel>();

  function fill(panel: vscode.WebviewPanel, { project, job, title }: ReportState): void {
    const key = `${project}#${job}`;
    panels.set(key, panel);
    panel.onDidDispose(() => panels.delete(key));
    const icon = (theme: string) => vscode.Uri.joinPath(extensionUri, "media", `report-${theme}.svg`);
    panel.iconPath = { light: icon("light"), dark: icon("dark") };
    const { webview } = panel;
    webview.options = options(extensionUri);
    const post = (message: ToReport) => void webview.postMessage(message);
    webview.onDidReceiveMessage((message: FromReport) => {
      if (message.type === "copy") {
        return guard.run(async () => {
          await vscode.env.clipboard.writeText(message.text);
          vscode.window.setStatusBarMessage("The table is on the clipboard, as tab-separated values.", 4000);
        });
      }
      if (message.type === "run" && message.command === "clf.makeFewShot") {
        return vscode.commands.executeCommand(message.command, project, message.model);
      }
      if (message.type === "run") {
        const argument = message.command === "clf.review" ? project : { key };
        return vscode.commands.executeCommand(message.command, argument);
      }
      return read(project, job).then(
        (found) => post({ type: "report", ...found }),
        (error: unknown) => post({ type: "failure", message: error instanceof Error ? error.message : String(error) }),
      );
    });
    const state: ReportState = { project, job, title };
    webview.html = pageOf(webview, extensionUri, "report", "Report").replace(
      '<main id="root">',
      () => `<main id="root" data-state="${encodeURIComponent(JSON.stringify(state))}">`,
    );
  }

  async function read(project: string, job: string): Promise<{ report: Report; rounds: Rounds[] }> {
    const report = (await server.request("clf/report", { project, job })) as Report;
    const rounds = await Promise.all(
      Object.keys(report.models).map((model) =>
        // The report stands without: a model may have left the project since.
        server.request("clf/rounds", { project, model }).catch(() => null),
      ),
    );
    return { report, rounds: rounds.filter((of) => of !== null) as Rounds[] };
  }

  const serializer = vscode.window.registerWebviewPanelSerializer(TYPE, {
    async deserializeWebviewPanel(panel, state: ReportState | undefined) {
      if (state?.project && state.job) fill(panel, state);
      else panel.dispose();
    },
  });
  return {
    async open({ project, job }, name) {
      const key = `${project}#${job}`;
      const found = panels.get(key);
      if (found) return found.reveal();
      const title = `Report: ${name}`;
      const column = vscode.window.activeTextEditor?.viewColumn ?? vscode.ViewColumn.Active;
      fill(vscode.window.createWebviewPanel(TYPE, title, column, options(extensionUri)), { project, job, title });
    },
    dispose: () => serializer.dispose(),
  };
}

function options(extension: vscode.Uri): vscode.WebviewPanelOptions & vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [bundles(extension)], enableFindWidget: true };
}
