/** The one status bar item: what runs and how far it is. Hidden in workspaces without a project. */
import * as vscode from "vscode";
import type { JobList } from "../jobs/jobList.ts";
import { doneShare, duration, KIND, nameOf, percent } from "../jobs/words.ts";
import type { Projects } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";

export function createStatusBar(server: Server, jobs: JobList, projects: Projects): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("clf.status", vscode.StatusBarAlignment.Left, 10);
  item.name = "Clf";

  function draw(): void {
    void vscode.commands.executeCommand("setContext", "clf.server", server.state());
    const running = jobs.active();
    if (server.state() === "stopped") {
      item.text = "$(warning) Clf";
      item.tooltip = "Clf's language server has stopped. Click to restart it.";
      item.command = "clf.restartServer";
      item.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
      item.show();
      return;
    }
    item.backgroundColor = undefined;
    item.command = "clf.showJobs";
    if (running.length > 0) {
      const shares = running.flatMap((job) => doneShare(job) ?? []);
      const share = shares.length > 0 ? ` ${percent(shares.reduce((a, b) => a + b, 0) / shares.length)}` : "";
      item.text = `$(sync~spin) ${running.length === 1 ? nameOf(running[0]!) : `${running.length} jobs`}${share}`;
      const text = new vscode.MarkdownString();
      for (const job of running) {
        const left = job.progress?.left === undefined ? "" : `, ${duration(job.progress.left)} left`;
        text.appendText(`${nameOf(job)}: ${KIND[job.kind]}, ${job.progress?.step ?? job.state}${left}`);
        text.appendMarkdown("\n\n");
      }
      item.tooltip = text;
      const first = running[0]!;
      const label =
        running.length === 1 ? `${KIND[first.kind]} of ${nameOf(first)}${share}` : `${running.length} jobs${share}`;
      item.accessibilityInformation = { label: `Clf: ${label}`, role: "button" };
      item.show();
    } else if (projects.known().length > 0) {
      item.text = "$(tag) Clf";
      item.tooltip = "No job is running. Click to show the jobs.";
      item.accessibilityInformation = { label: "Clf: no job is running", role: "button" };
      item.show();
    } else item.hide();
  }
  draw();
  return vscode.Disposable.from(
    item,
    server.onDidChangeState(draw),
    jobs.onDidChange(draw),
    projects.onDidChange(draw),
  );
}
