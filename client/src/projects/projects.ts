/** The workspace's projects: how many there are (for `when` clauses), and which one a command means. */
import * as vscode from "vscode";
import type { ProjectSummary } from "../../../schemas/protocol.ts";
import type { Server } from "../server/server.ts";

export type { ProjectSummary };
export type ModelSummary = ProjectSummary["models"][number];

export interface Projects extends vscode.Disposable {
  /** As last told; asked for again when the server says that they changed. */
  known(): readonly ProjectSummary[];
  /** As they are now. */
  fresh(): Promise<ProjectSummary[]>;
  readonly onDidChange: vscode.Event<void>;
  /**
   * The project a command is about: the one it was given, the active editor's, the only one, or the one that is picked.
   * @returns undefined when the person picks none
   * @throws when there is none, or the one meant has errors
   */
  choose(given: unknown): Promise<ProjectSummary | undefined>;
  /** Its short name, with its folder where two projects have the same. */
  title(project: string): string;
}

export function createProjects(server: Server): Projects {
  let projects: readonly ProjectSummary[] = [];
  const changed = new vscode.EventEmitter<void>();

  async function fresh(): Promise<ProjectSummary[]> {
    const found = await server.request("clf/projects", {});
    projects = found;
    void vscode.commands.executeCommand("setContext", "clf.projects", found.length);
    changed.fire();
    return found;
  }
  // The server has logged what went wrong; the last list stands.
  const refresh = () => void fresh().catch(() => {});
  const subscriptions = [server.onDidStart(refresh), server.on("clf/projects/changed", refresh), changed];

  function title(project: string): string {
    const found = projects.find((one) => one.project === project);
    if (!found) return nameOf(project);
    const twins = projects.filter(({ name }) => name === found.name).length > 1;
    return twins ? `${found.name} (${relative(project)})` : found.name;
  }

  return {
    known: () => projects,
    fresh,
    onDidChange: changed.event,
    title,
    dispose: () => vscode.Disposable.from(...subscriptions).dispose(),
    async choose(given) {
      const uri = uriOf(given) ?? uriOf(vscode.window.activeTextEditor?.document.uri);
      const wanted = uri && normal(uri);
      await saveProjects();
      const found = await fresh();
      const meant =
        found.find(({ project }) => normal(project) === wanted) ??
        (uriOf(given) ? undefined : found.find(({ data }) => data.some((file) => normal(file) === wanted))) ??
        (found.length === 1 && !uriOf(given) ? found[0] : undefined) ??
        (await pick(found, title));
      if (meant && !meant.valid) {
        void vscode.commands.executeCommand("vscode.open", vscode.Uri.parse(meant.project));
        void vscode.commands.executeCommand("workbench.actions.view.problems");
        const count = meant.errors === 1 ? "an error" : `${meant.errors} errors`;
        throw new Error(`${meant.name} has ${count}: mend ${meant.errors === 1 ? "it" : "them"} first (see Problems).`);
      }
      return meant;
    },
  };
}

async function pick(
  projects: readonly ProjectSummary[],
  title: (project: string) => string,
): Promise<ProjectSummary | undefined> {
  if (projects.length === 0) {
    throw new Error("There is no project in this workspace. “Clf: New Project from Data” makes one.");
  }
  const items = projects.map((project) => ({
    label: title(project.project),
    description: relative(project.project),
    detail: project.valid
      ? `${project.models.length === 1 ? "Model" : "Models"}: ${project.models.map(({ name }) => name).join(", ")}`
      : "$(error) The file has errors",
    project,
  }));
  const answer = await vscode.window.showQuickPick(items, { title: "Which project?", matchOnDescription: true });
  return answer?.project;
}

/** What stands in the editor is what a job is made from. */
async function saveProjects(): Promise<void> {
  const dirty = vscode.workspace.textDocuments.filter(({ isDirty, languageId, isUntitled }) => {
    return isDirty && languageId === "clf-yaml" && !isUntitled;
  });
  for (const document of dirty) await document.save();
}

/** A URI of an argument: text from a lens, a resource from the Explorer. */
function uriOf(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  if (given instanceof vscode.Uri) return given.toString();
  return undefined;
}

/** One spelling of a URI: VS Code and the server escape differently. */
export const normal = (uri: string): string => vscode.Uri.parse(uri).toString();
export const relative = (uri: string): string => vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
const nameOf = (uri: string): string => (uri.split("/").at(-1) ?? uri).replace(/\.clf\.ya?ml$/, "");
