/** Cancel, resume, delete, open log, open report: on a job of the Jobs view, or on one that is picked. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import { type Guard, needTrust } from "../commands/guard.ts";
import type { ReportPanels } from "../report/reportPanel.ts";
import type { Server } from "../server/server.ts";
import type { JobList } from "./jobList.ts";
import type { JobLog } from "./jobLog.ts";
import type { JobPanels } from "./jobPanel.ts";
import { type JobsView, STATE_ICON } from "./jobsView.ts";
import { bytes, facts, KIND, nameOf } from "./words.ts";

export interface JobCommandParts {
  guard: Guard;
  server: Server;
  jobs: JobList;
  view: JobsView;
  log: JobLog;
  panels: JobPanels;
  reports: ReportPanels;
}

export function registerJobCommands(parts: JobCommandParts): vscode.Disposable {
  const { guard, server, jobs, view, log, panels, reports } = parts;
  const idOf = ({ project, job }: JobView) => ({ project, job });

  /** The job a command was given, else the only one that fits, else the one that is picked. */
  async function choose(given: unknown, title: string, fits: (job: JobView) => boolean): Promise<JobView | undefined> {
    const key = (given as { key?: unknown } | undefined)?.key;
    if (typeof key === "string") {
      const found = jobs.find(key);
      if (!found) throw new Error("This job is no longer there.");
      return found;
    }
    const fitting = jobs.all().filter(fits);
    if (fitting.length === 0) throw new Error(`${title}: there is no such job.`);
    if (fitting.length === 1) return fitting[0];
    const items = fitting.map((job) => ({
      label: nameOf(job),
      description: facts(job).join(" · "),
      detail: new Date(job.created).toLocaleString(),
      iconPath: STATE_ICON[job.state],
      job,
    }));
    return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.job;
  }

  return vscode.Disposable.from(
    guard.command("clf.showJobs", () => view.show()),
    guard.command("clf.showJob", async (given: unknown) => {
      const job = await choose(given, "Show which job?", () => true);
      if (job) panels.open(job);
    }),
    guard.command("clf.cancelJob", async (given: unknown) => {
      needTrust();
      const job = await choose(given, "Cancel which job?", ({ can }) => can.cancel);
      if (job) await server.request("clf/jobs/cancel", idOf(job), { progress: "Clf: cancelling" });
    }),
    guard.command("clf.resumeJob", async (given: unknown) => {
      needTrust();
      const job = await choose(given, "Resume which job?", ({ can }) => can.resume);
      if (job) await server.request("clf/jobs/resume", idOf(job), { progress: "Clf: resuming" });
    }),
    guard.command("clf.deleteJob", async (given: unknown) => {
      needTrust();
      const job = await choose(given, "Delete which job?", ({ can }) => can.delete);
      if (!job) return;
      const size = job.bytes === null ? "" : ` (${bytes(job.bytes)})`;
      const detail = "Its model, predictions, report and log are removed from disk. Decisions stay.";
      const question = `Delete the ${KIND[job.kind]} of ${nameOf(job)}${size}?`;
      const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, "Delete");
      if (answer === "Delete") await server.request("clf/jobs/delete", idOf(job), { progress: "Clf: deleting" });
    }),
    guard.command("clf.openLog", async (given: unknown) => {
      const job = await choose(given, "The log of which job?", () => true);
      if (job) await log.open(job);
    }),
    guard.command("clf.openReport", async (given: unknown) => {
      const job = await choose(given, "Which report?", ({ can }) => can.report);
      if (job) await reports.open(idOf(job), nameOf(job));
    }),
    guard.command("clf.revealJobInProject", async (given: unknown) => {
      const job = await choose(given, "The project of which job?", () => true);
      if (job) await vscode.window.showTextDocument(vscode.Uri.parse(job.project));
    }),
  );
}
