/** Fine-tune, evaluate, compare and predict: choose, ask where it is large, start. */
import * as vscode from "vscode";
import type { JobView } from "../../../schemas/protocol.ts";
import { chooseHost } from "../hosts/chooseHost.ts";
import { dollars, duration, KIND } from "../jobs/words.ts";
import { chooseModel, chooseModels } from "../projects/chooseModels.ts";
import type { ModelSummary, ProjectSummary, Projects } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import { type Guard, needTrust } from "./guard.ts";

export function registerStartCommands(guard: Guard, server: Server, projects: Projects): vscode.Disposable {
  async function start(
    { project }: ProjectSummary,
    kind: JobView["kind"],
    models: string[],
    options: Record<string, unknown> = {},
    host?: string,
  ): Promise<void> {
    const job = { project, kind, models, options, ...(host === undefined ? {} : { host }) };
    const before = await server.request("clf/jobs/preflight", job, { progress: "Clf: looking at the data" });
    if (before.confirm) {
      const detail = [
        `${before.rows.toLocaleString()} rows`,
        before.seconds === null ? "time unknown" : `about ${duration(before.seconds)}`,
        before.cost === null ? undefined : `about ${dollars(before.cost)}`,
      ];
      const question = `Start the ${KIND[kind]} of ${models.join(" and ")}?`;
      const answer = await vscode.window.showWarningMessage(
        question,
        { modal: true, detail: `${before.summary}\n\n${detail.filter(Boolean).join(" · ")}` },
        "Start",
      );
      if (answer !== "Start") return;
    }
    await server.request("clf/jobs/start", job, { progress: `Clf: starting the ${KIND[kind]}` });
  }

  const ready = (model: ModelSummary) => model.runs && (!model.fine_tunes || model.current !== null);

  return vscode.Disposable.from(
    guard.command("clf.fineTune", async (given: unknown, name: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (!project) return;
      const model = await chooseModel(project, name, {
        title: "Fine-tune which model?",
        fits: ({ runs, fine_tunes }) => runs && fine_tunes,
        none: `${project.name} has no model that can be fine-tuned. Add one, for example “baseline: { engine: linear }”.`,
      });
      if (!model) return;
      const found = project.models.find((one) => one.name === model)!;
      const host = await chooseHost(project, found, "Fine-tune");
      if (host !== null) await start(project, "fine-tune", [model], {}, host);
    }),
    guard.command("clf.evaluate", async (given: unknown, name: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (!project) return;
      const model = await chooseModel(project, name, {
        title: "Evaluate which model?",
        fits: ({ runs }) => runs,
        none: `${project.name} has no model that this version can run.`,
      });
      if (!model) return;
      const found = project.models.find((one) => one.name === model)!;
      if (!ready(found) && found.fine_tunes) {
        const both = "Fine-tune and Evaluate";
        const answer = await vscode.window.showInformationMessage(
          `${model} has not been fine-tuned as it stands in the project. Fine-tune it, then evaluate it?`,
          both,
        );
        if (answer !== both) return;
        const host = await chooseHost(project, found, "Fine-tune");
        if (host !== null) await start(project, "fine-tune", [model], { thenEvaluate: true }, host);
        return;
      }
      const host = await chooseHost(project, found, "Evaluate");
      if (host !== null) await start(project, "evaluate", [model], {}, host);
    }),
    guard.command("clf.compare", async (given: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      const models = project && (await chooseModels(project));
      if (project && models) await start(project, "compare", models);
    }),
    guard.command("clf.predict", async (given: unknown, name: unknown) => {
      needTrust();
      const project = await projects.choose(given);
      if (!project) return;
      const model = await chooseModel(project, name, {
        title: "Predict with which model?",
        fits: ready,
        none: `${project.name} has no model that is ready to predict. Fine-tune one first.`,
      });
      if (!model) return;
      const found = project.models.find((one) => one.name === model)!;
      const rows = await chooseRows(found);
      if (!rows) return;
      if (rows === "file") return predictFile(server, project.project, model);
      const host = await chooseHost(project, found, "Predict with");
      if (host !== null)
        await start(project, "predict", [model], rows === "out-of-fold" ? { outOfFold: true } : {}, host);
    }),
  );
}

/** What to predict: the project's own rows by a job, or the rows of a file at once. */
async function chooseRows({ fine_tunes, engine }: ModelSummary): Promise<"pool" | "out-of-fold" | "file" | undefined> {
  const items = [
    { label: "New rows", description: "the pool: rows without labels", rows: "pool" as const },
    ...(fine_tunes
      ? [
          {
            label: "Rows trained on",
            description: "out of fold: each by a model that has not seen it",
            detail: "For confidences beside training rows, and for finding label errors",
            rows: "out-of-fold" as const,
          },
        ]
      : []),
    // Others predict by jobs, which have the project's rows alone.
    ...(engine === "linear"
      ? [{ label: "A file…", description: "rows of another data file, into a new file", rows: "file" as const }]
      : []),
  ];
  return (await vscode.window.showQuickPick(items, { title: "Predict which rows?" }))?.rows;
}

/** Asks for the file and for where its predictions go. */
async function predictFile(server: Server, project: string, model: string): Promise<void> {
  const [data] =
    (await vscode.window.showOpenDialog({
      title: "Predict the rows of which file?",
      filters: { "Data files": ["csv", "tsv", "tab", "jsonl", "ndjson", "json", "parquet", "gz"] },
    })) ?? [];
  if (!data) return;
  const stem = data.path.replace(/(\.[a-z0-9]+)?(\.gz)?$/i, "");
  const output = await vscode.window.showSaveDialog({
    title: "Write the predictions where?",
    defaultUri: data.with({ path: `${stem}.predicted.csv` }),
    filters: { "Data files": ["csv", "tsv", "jsonl"] },
  });
  if (!output) return;
  const where = {
    location: vscode.ProgressLocation.Notification,
    title: `Predicting the rows of ${vscode.workspace.asRelativePath(data)}`,
    cancellable: true,
  };
  const params = { project, model, data: data.toString(), output: output.toString() };
  await vscode.window.withProgress(where, (_, token) => server.request("clf/predictFile", params, { token }));
  await vscode.commands.executeCommand("vscode.open", output);
}
