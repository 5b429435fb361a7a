/** Restart the server, show the output, copy diagnostics, switch inline confidence, open the walkthrough. */
import * as vscode from "vscode";
import type { Server } from "../server/server.ts";
import type { Guard } from "./guard.ts";

export interface MaintenanceParts {
  guard: Guard;
  server: Server;
  output: vscode.LogOutputChannel;
  extension: vscode.Extension<unknown>;
}

export function registerMaintenance(parts: MaintenanceParts): vscode.Disposable {
  const { guard, server, output, extension } = parts;
  return vscode.Disposable.from(
    guard.command("clf.restartServer", () => server.restart()),
    guard.command("clf.showOutput", () => output.show()),
    guard.command("clf.openWalkthrough", () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", `${extension.id}#start`, false),
    ),
    guard.command("clf.copyDiagnostics", async () => {
      const lines = [
        `Clf ${extension.packageJSON.version}, VS Code ${vscode.version} (${vscode.env.appName}, ${vscode.env.remoteName ?? "local"}), Node ${process.versions.node}, ${process.platform} ${process.arch}`,
        `Workspace ${vscode.workspace.isTrusted ? "trusted" : "not trusted"}, server ${server.state()}`,
      ];
      try {
        lines.push(await server.request("clf/diagnostics", {}, { progress: "Clf: collecting diagnostics" }));
      } catch (error) {
        // A server that does not answer is what such a report may be about.
        lines.push(`The server gave none: ${error instanceof Error ? error.message : String(error)}`);
      }
      await vscode.env.clipboard.writeText(`${lines.join("\n")}\n`);
      void vscode.window.showInformationMessage(
        "Diagnostics are on the clipboard. They hold no row of data and no key.",
      );
    }),
    guard.command("clf.toggleInlineConfidence", async () => {
      const settings = vscode.workspace.getConfiguration("clf");
      const { globalValue, workspaceValue } = settings.inspect<boolean>("inlineConfidence.enabled")!;
      const now = settings.get("inlineConfidence.enabled", true);
      const global = workspaceValue === undefined || globalValue !== undefined;
      await settings.update("inlineConfidence.enabled", !now, global && workspaceValue === undefined);
    }),
  );
}
