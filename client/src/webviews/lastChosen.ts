/** What people chose in the panels opened last, kept by the workspace: a window that is reloaded does not always keep what its webviews said last. */
import type * as vscode from "vscode";

/** Panels whose choices are kept. */
const MOST = 30;

export interface LastChosen<Chosen> {
  /** Null: nothing is kept of it. */
  of(key: string): Chosen | null;
  keep(key: string, chosen: Chosen): Thenable<void>;
}

/** @param name under which the workspace keeps it */
export function lastChosen<Chosen>(workspaceState: vscode.Memento, name: string): LastChosen<Chosen> {
  const all = () => workspaceState.get<[key: string, chosen: Chosen][]>(name, []);
  return {
    of: (key) => all().find(([of]) => of === key)?.[1] ?? null,
    keep: (key, chosen) =>
      workspaceState.update(name, [[key, chosen], ...all().filter(([of]) => of !== key)].slice(0, MOST)),
  };
}
