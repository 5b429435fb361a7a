/** The one door through which commands run: what goes wrong is said once, in words, never as a stack trace. */
import * as vscode from "vscode";
import { plain } from "./plain.ts";

export interface Guard {
  /** Registers a command. Its errors are shown; a cancelled wait is silent. */
  command<A extends unknown[]>(id: string, run: (...args: A) => unknown): vscode.Disposable;
  /** Runs something that no command started. */
  run(what: () => unknown): Promise<void>;
}

export function createGuard(output: vscode.LogOutputChannel): Guard {
  async function run(what: () => unknown): Promise<void> {
    try {
      await what();
    } catch (error) {
      if (error instanceof vscode.CancellationError) return;
      output.error(error instanceof Error ? error : String(error));
      const message = error instanceof Error ? error.message : String(error);
      const show = "Show Output";
      // Not awaited: the command has ended, its message stays.
      void vscode.window.showErrorMessage(plain(message), show).then((answer) => {
        if (answer === show) output.show();
      });
    }
  }
  return {
    run,
    command: (id, what) =>
      vscode.commands.registerCommand(id, (...args: unknown[]) => run(() => what(...(args as never)))),
  };
}

/** @throws Error that says what to do, in a workspace that is not trusted */
export function needTrust(): void {
  if (!vscode.workspace.isTrusted) {
    throw new Error(
      "This workspace is not trusted, so Clf runs nothing in it. Trust it first: “Workspaces: Manage Workspace Trust”.",
    );
  }
}
