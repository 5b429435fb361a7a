/** Where a job is to run. Asked only where there is a choice: models of other engines run on this machine. */
import * as vscode from "vscode";
import type { ModelSummary, ProjectSummary } from "../projects/projects.ts";

/** The host's name; undefined: as the project says; null: the person changed their mind. */
export async function chooseHost(
  project: ProjectSummary,
  model: ModelSummary,
  what: "Fine-tune" | "Evaluate" | "Predict with",
): Promise<string | null | undefined> {
  if (model.engine !== "qlora" || project.hosts.length === 0) return undefined;
  const items = [
    ...project.hosts.map((host) => ({ label: host, description: "a host of the project", host })),
    { label: "local", description: "this machine", host: "local" },
  ];
  const answer = await vscode.window.showQuickPick(items, { title: `${what} ${model.name} where?` });
  return answer ? answer.host : null;
}
