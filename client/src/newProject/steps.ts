/** Questions one after the other, with a Back button, in VS Code's quick pick. */
import * as vscode from "vscode";

export const BACK = Symbol("back");
/** What a question gives: an answer, the wish to go back, or undefined when it was given up. */
export type Answer<T> = T | typeof BACK | undefined;

interface Frame {
  title: string;
  /** From 1. */
  step: number;
  steps: number;
  placeholder: string;
}

export interface PickOptions<T extends vscode.QuickPickItem> extends Frame {
  items: readonly T[];
  picked?: readonly T[];
}

/** One or more items. `least` of them have to be picked. */
export function pickMany<T extends vscode.QuickPickItem>(
  options: PickOptions<T> & { least: number },
): Promise<Answer<T[]>> {
  return pick<T, T[]>(options, true, (picker) =>
    picker.selectedItems.length < options.least ? undefined : [...picker.selectedItems],
  );
}

export function pickOne<T extends vscode.QuickPickItem>(options: PickOptions<T>): Promise<Answer<T>> {
  return pick<T, T>(options, false, (picker) => picker.activeItems[0]);
}

function pick<T extends vscode.QuickPickItem, R>(
  options: PickOptions<T>,
  many: boolean,
  result: (picker: vscode.QuickPick<T>) => R | undefined,
): Promise<Answer<R>> {
  const picker = vscode.window.createQuickPick<T>();
  frame(picker, options);
  picker.placeholder = options.placeholder;
  picker.canSelectMany = many;
  picker.matchOnDescription = true;
  picker.items = options.items;
  if (many) picker.selectedItems = options.picked ?? [];
  else picker.activeItems = options.picked ?? [];
  return settle(picker, () => {
    const found = result(picker);
    if (found === undefined) picker.placeholder = "Pick at least one";
    return found;
  });
}

export function typeText(
  options: Frame & { value: string; check: (text: string) => string | undefined },
): Promise<Answer<string>> {
  const box = vscode.window.createInputBox();
  frame(box, options);
  box.prompt = options.placeholder;
  box.value = options.value;
  box.onDidChangeValue((text) => {
    box.validationMessage = options.check(text.trim());
  });
  return settle(box, () => {
    box.validationMessage = options.check(box.value.trim());
    return box.validationMessage ? undefined : box.value.trim();
  });
}

function frame(
  input: vscode.QuickInput & { buttons: readonly vscode.QuickInputButton[] },
  { title, step, steps }: Frame,
): void {
  input.title = title;
  input.step = step;
  input.totalSteps = steps;
  input.ignoreFocusOut = true;
  input.buttons = step > 1 ? [vscode.QuickInputButtons.Back] : [];
}

function settle<R>(
  input: vscode.QuickInput & {
    onDidAccept: vscode.Event<void>;
    onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
  accept: () => R | undefined,
): Promise<Answer<R>> {
  return new Promise((resolve) => {
    const end = (answer: Answer<R>) => {
      resolve(answer);
      input.hide();
    };
    input.onDidAccept(() => {
      const answer = accept();
      if (answer !== undefined) end(answer);
    });
    input.onDidTriggerButton(() => end(BACK));
    input.onDidHide(() => {
      resolve(undefined);
      input.dispose();
    });
    input.show();
  });
}
