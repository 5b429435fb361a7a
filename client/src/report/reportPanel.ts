/** Reports, each in a panel of its own, which comes back after a reload of the window. */
import { basename, dirname } from "node:path/posix";
import * as vscode from "vscode";
import type { Report, Rounds } from "../../../schemas/report.ts";
import type { ReportDetail } from "../../../schemas/reportPanel.ts";
import type { Choices } from "../../webview/report/choices.ts";
import { type FromReport, REPORT_REQUESTS, type ReportState, type ToReport } from "../../webview/report/messages.ts";
import type { Guard } from "../commands/guard.ts";
import type { Server } from "../server/server.ts";
import { answers } from "../webviews/answers.ts";
import { lastChosen } from "../webviews/lastChosen.ts";
import { pageOf, panelOptions } from "../webviews/page.ts";

export interface ReportPanels extends vscode.Disposable {
  open(job: { project: string; job: string }, name: string): Promise<void>;
}

export interface ReportParts {
  context: vscode.ExtensionContext;
  guard: Guard;
  server: Server;
}

const TYPE = "clf.report";

/** What was chosen in the reports opened last, by project and job. */
const CHOICES = "clf.report.choices";

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function createReportPanels({ context, guard, server }: ReportParts): ReportPanels {
  const { extensionUri, workspaceState } = context;
  const panels = new Map<string, vscode.WebviewPanel>();
  const choices = lastChosen<Choices>(workspaceState, CHOICES);

  function fill(panel: vscode.WebviewPanel, { project, job, title }: ReportState): void {
    const key = `${project}#${job}`;
    panels.set(key, panel);
    panel.onDidDispose(() => panels.delete(key));
    const icon = (theme: string) => vscode.Uri.joinPath(extensionUri, "media", `report-${theme}.svg`);
    panel.iconPath = { light: icon("light"), dark: icon("dark") };
    const { webview } = panel;
    webview.options = panelOptions(extensionUri);
    const post = (message: ToReport) => void webview.postMessage(message);

    const take = answers({
      server,
      allowed: REPORT_REQUESTS,
      asker: "a report",
      post,
      // Whatever the page says, it is answered about its own report.
      given: (_, params) => ({ ...params, project, job }),
    });

    /** One after the other: who opens a report waits for its figures first. */
    function ask(): { report: Promise<Report>; detail: Promise<ReportDetail> } {
      const report = server.request("clf/report", { project, job }) as Promise<Report>;
      const detail = report.then(() => server.request("clf/report/detail", { project, job }));
      // Whoever shows the report says what went wrong; a panel that is closed at once shows nothing.
      detail.catch(() => {});
      return { report, detail };
    }
    /** Asked for while VS Code makes the page, which takes as long. A page that is made again asks anew. */
    let first: ReturnType<typeof ask> | null = ask();

    async function show(): Promise<void> {
      const { report: asked, detail } = first ?? ask();
      first = null;
      const report = await asked;
      post({ type: "report", report, choices: choices.of(key) });
      await detail.then(
        (found) => post({ type: "detail", detail: found }),
        (error) => post({ type: "noDetail", message: wordsOf(error) }),
      );
      post({ type: "rounds", rounds: await roundsOf(project, Object.keys(report.models)) });
    }

    webview.onDidReceiveMessage((message: FromReport): unknown => {
      if (take(message)) return undefined;
      switch (message.type) {
        case "ready":
          return show().catch((error: unknown) => post({ type: "gone", message: wordsOf(error) }));
        case "choices":
          return choices.keep(key, message.choices);
        case "copy":
          return guard.run(async () => {
            await vscode.env.clipboard.writeText(message.text);
            vscode.window.setStatusBarMessage("The table is on the clipboard, as tab-separated values.", 4000);
          });
        case "save":
          return guard.run(() => savePicture(project, message));
        case "open":
          return guard.run(() => openRow(project, message.row));
        case "run": {
          if (message.command === "clf.makeFewShot")
            return vscode.commands.executeCommand(message.command, project, message.model);
          return vscode.commands.executeCommand(message.command, message.command === "clf.review" ? project : { key });
        }
      }
    });
    const state: ReportState = { project, job, title };
    // A plot is made a PNG by way of an image of its SVG.
    webview.html = pageOf(webview, extensionUri, "report", "Report", { more: "img-src blob:", state });
  }

  async function roundsOf(project: string, models: readonly string[]): Promise<Rounds[]> {
    const rounds = await Promise.all(
      models.map((model) =>
        // The report stands without: a model may have left the project since.
        server.request("clf/rounds", { project, model }).catch(() => null),
      ),
    );
    return rounds.filter((of) => of !== null) as Rounds[];
  }

  async function openRow(project: string, row: string): Promise<void> {
    const found = await server.request("clf/rows/detail", { project, row });
    if (!found?.place) throw new Error(`Row ${row} is not in the data any more, or the review model has not seen it.`);
    const { uri, line, end_line } = found.place;
    const selection = new vscode.Range(line, 0, end_line, Number.MAX_SAFE_INTEGER);
    // Files too large for extensions open all the same.
    await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.parse(uri), "default", {
      selection,
      preview: true,
    });
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
      fill(vscode.window.createWebviewPanel(TYPE, title, column, panelOptions(extensionUri)), { project, job, title });
    },
    dispose: () => serializer.dispose(),
  };
}

/** Asks where to; nothing happens without an answer. */
async function savePicture(
  project: string,
  { name, format, content }: Extract<FromReport, { type: "save" }>,
): Promise<void> {
  const uri = vscode.Uri.parse(project);
  const proposed = uri.with({ path: `${dirname(uri.path)}/${basename(name)}.${format}` });
  const filters = { [`${format.toUpperCase()} picture`]: [format] };
  const file = await vscode.window.showSaveDialog({ defaultUri: proposed, filters, title: "Save the plot" });
  if (!file) return;
  await vscode.workspace.fs.writeFile(file, Buffer.from(content, format === "svg" ? "utf8" : "base64"));
  vscode.window.setStatusBarMessage(`Saved ${basename(file.path)}.`, 4000);
}
