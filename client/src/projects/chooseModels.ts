/** Which model, or models, a command means. A question is asked only where a choice is open. */
import * as vscode from "vscode";
import { agoOf, percent } from "../jobs/words.ts";
import type { ModelSummary, ProjectSummary } from "./projects.ts";

interface ModelItem extends vscode.QuickPickItem {
  model: ModelSummary;
}

/** @throws when the project has no such model, or it cannot be used for this */
export async function chooseModel(
  project: ProjectSummary,
  given: unknown,
  { title, fits, none }: { title: string; fits: (model: ModelSummary) => boolean; none: string },
): Promise<string | undefined> {
  if (typeof given === "string") {
    const found = project.models.find(({ name }) => name === given);
    if (!found) throw new Error(`${project.name} has no model "${given}".`);
    return found.name;
  }
  const models = project.models.filter(fits);
  if (models.length === 0) throw new Error(none);
  if (models.length === 1) return models[0]!.name;
  const answer = await vscode.window.showQuickPick(models.map(itemOf), { title, matchOnDescription: true });
  return answer?.model.name;
}

/** Two or more models. */
export async function chooseModels(project: ProjectSummary): Promise<string[] | undefined> {
  const models = project.models.filter(({ runs }) => runs);
  if (models.length < 2) {
    throw new Error(`A comparison needs two models that this version can run; ${project.name} has ${models.length}.`);
  }
  if (models.length === 2) return models.map(({ name }) => name);
  const picker = vscode.window.createQuickPick<ModelItem>();
  picker.title = "Compare which models? Two or more";
  picker.canSelectMany = true;
  picker.items = models.map(itemOf);
  picker.selectedItems = picker.items.filter(({ model }) => model.current !== null || model.evaluation !== null);
  return new Promise((resolve) => {
    picker.onDidAccept(() => {
      if (picker.selectedItems.length < 2) {
        picker.title = "Compare which models? Pick at least two";
        return;
      }
      resolve(picker.selectedItems.map(({ model }) => model.name));
      picker.hide();
    });
    picker.onDidHide(() => {
      resolve(undefined);
      picker.dispose();
    });
    picker.show();
  });
}

function itemOf(model: ModelSummary): ModelItem {
  const accuracy = Object.values(model.evaluation?.targets ?? {}).map((target) => percent(target.accuracy));
  const facts = [
    !model.runs && "needs a newer version of Clf",
    model.fine_tunes && (model.current ? "fine-tuned" : "not fine-tuned yet"),
    model.evaluation && `accuracy ${accuracy.join(" / ")}, ${agoOf(model.evaluation.time)}`,
  ];
  return { label: model.name, description: model.engine, detail: facts.filter(Boolean).join(" · "), model };
}
