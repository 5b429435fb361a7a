/** Prompted models: a row's prompt as it would be sent, and the few-shot model aimed at a zero-shot model's errors. */
import * as vscode from "vscode";
import type { PromptPreview } from "../../../schemas/prompt.ts";
import { type JobList, keyOf } from "../jobs/jobList.ts";
import { chooseModel } from "../projects/chooseModels.ts";
import type { Projects } from "../projects/projects.ts";
import type { ReportPanels } from "../report/reportPanel.ts";
import type { Server } from "../server/server.ts";
import { type Guard, needTrust } from "./guard.ts";

export interface PromptCommandParts {
  guard: Guard;
  server: Server;
  projects: Projects;
  jobs: JobList;
  reports: ReportPanels;
}

export function registerPromptCommands({
  guard,
  server,
  projects,
  jobs,
  reports,
}: PromptCommandParts): vscode.Disposable {
  /** Comparisons that are opened when they end, by job key. */
  const awaited = new Set<string>();
  return vscode.Disposable.from(
    jobs.onDidEnd((job) => {
      if (!awaited.delete(keyOf(job)) || job.state !== "succeeded") return;
      void guard.run(() => reports.open(job, job.models.join(" and ")));
    }),
    guard.command("clf.previewPrompt", async (given: unknown, name: unknown, row: unknown) => {
      const project = await projects.choose(given);
      if (!project) return;
      const model = await chooseModel(project, name, {
        title: "Preview the prompt of which model?",
        fits: ({ engine }) => engine === "chat" || engine === "openai",
        none: `${project.name} has no model with a prompt (engines chat and openai).`,
      });
      if (!model) return;
      const id =
        typeof row === "string"
          ? row
          : await vscode.window.showInputBox({
              title: "The prompt of which row?",
              prompt: "The row's id. Empty: the first tune row.",
              ignoreFocusOut: true,
            });
      if (id === undefined) return;
      const preview = await server.request(
        "clf/prompt",
        { project: project.project, model, ...(id.trim() === "" ? {} : { row: id.trim() }) },
        { progress: "Clf: making the prompt" },
      );
      const document = await vscode.workspace.openTextDocument({ language: "markdown", content: textOf(preview) });
      await vscode.window.showTextDocument(document, { preview: true });
    }),
    guard.command("clf.makeFewShot", async (given: unknown, name: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (!project) return;
      const after = await chooseModel(project, name, {
        title: "Aim examples at the errors of which zero-shot model?",
        fits: ({ engine, evaluation }) => engine === "chat" && evaluation !== null,
        none: `${project.name} has no evaluated chat model.`,
      });
      if (!after) return;
      const { model } = await server.request(
        "clf/fewShot",
        { project: project.project, after },
        { progress: "Clf: writing the few-shot model" },
      );
      const request = { project: project.project, kind: "compare" as const, models: [model, after], options: {} };
      const before = await server.request("clf/jobs/preflight", request, { progress: "Clf: looking at the data" });
      if (before.confirm) {
        const start = "Start";
        const question = `${model} is in the project file. Evaluate it beside ${after}?`;
        if (
          (await vscode.window.showWarningMessage(question, { modal: true, detail: before.summary }, start)) !== start
        )
          return;
      }
      const { job } = await server.request("clf/jobs/start", request, { progress: "Clf: starting the comparison" });
      const key = keyOf({ project: project.project, job });
      awaited.add(key);
      // A quick one may have ended before this was known.
      const now = jobs.find(key);
      if (now?.state === "succeeded" && awaited.delete(key)) await reports.open(now, now.models.join(" and "));
    }),
  );
}

function textOf({
  model,
  row,
  split,
  messages,
  shots,
  tokens,
  samples,
  cost,
  price_from,
  notes,
}: PromptPreview): string {
  const price = cost === null ? "price not known" : `about $${cost.toPrecision(2)} (${price_from})`;
  const facts = [`row ${row} (${split})`, `about ${tokens.prompt} + ${tokens.completion} tokens`, price];
  return [
    `# Prompt of ${model}`,
    "",
    [...facts, ...(samples > 1 ? [`${samples} answers`] : [])].join(" · "),
    ...notes.map((note) => `\n> ${note}`),
    ...messages.flatMap(({ role, content }) => ["", `## ${role}`, "", content]),
    ...(shots.length > 0
      ? ["", "## examples, and why", "", ...shots.map(({ row: shot, why }) => `- ${shot}: ${why}`)]
      : []),
    "",
  ].join("\n");
}
