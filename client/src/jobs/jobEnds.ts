/** What a person is told when a job ends: failures always, success when it took long, nothing when they cancelled it. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import { plain } from "../commands/plain.ts";
import { type JobList, keyOf } from "./jobList.ts";
import { KIND, metricWords, nameOf, tookSeconds } from "./words.ts";

export function announceEnds(jobs: JobList): vscode.Disposable {
  return jobs.onDidEnd((job) => void announce(job));
}

async function announce(job: JobView): Promise<void> {
  const what = `The ${KIND[job.kind]} of ${nameOf(job)}`;
  if (job.state === "failed" || job.state === "lost") {
    const how = job.state === "failed" ? "failed" : "ended, and how is not known";
    await offer(vscode.window.showErrorMessage, `${what} ${how}. ${job.message ?? ""}`.trim(), job, "Open Log");
  }
  const limit = vscode.workspace.getConfiguration("clf").get("notifications.afterSeconds", 60);
  if (job.state !== "succeeded" || (tookSeconds(job) ?? 0) <= limit) return;
  const metric = metricWords(job);
  const message = `${what} has finished${metric ? `: ${metric}` : ""}.`;
  await offer(vscode.window.showInformationMessage, message, job, job.can.report ? "Open Report" : "Open Log");
}

type Show = (message: string, ...items: string[]) => Thenable<string | undefined>;

async function offer(show: Show, message: string, job: JobView, action: "Open Log" | "Open Report"): Promise<void> {
  const answer = await show(plain(message), action);
  if (answer !== action) return;
  const command = action === "Open Log" ? "clf.openLog" : "clf.openReport";
  await vscode.commands.executeCommand(command, { key: keyOf(job) });
}
