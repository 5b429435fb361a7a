/** Restart the server, show the output, copy diagnostics, open data, switch inline confidence, open the walkthrough. */
import * as vscode from "vscode";
import { type Projects, relative } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import type { Guard } from "./guard.ts";

export interface MaintenanceParts {
  guard: Guard;
  server: Server;
  projects: Projects;
  output: vscode.LogOutputChannel;
  extension: vscode.Extension<unknown>;
}

export function registerMaintenance(parts: MaintenanceParts): vscode.Disposable {
  const { guard, server, projects, output, extension } = parts;
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
    guard.command("clf.previewData", async (given: unknown) => {
      const uri = typeof given === "string" ? given : vscode.window.activeTextEditor?.document.uri.toString();
      const found = await projects.fresh();
      const project = found.find(({ project }) => project === uri) ?? (found.length === 1 ? found[0] : undefined);
      const files = project ? project.data : found.flatMap(({ data }) => data);
      if (files.length === 0) throw new Error("There is no data file to open: see the project's `dataset.source`.");
      const items = files.map((file) => ({ label: relative(file), file }));
      const chosen =
        items.length === 1 ? items[0] : await vscode.window.showQuickPick(items, { title: "Open which data file?" });
      if (chosen) await vscode.commands.executeCommand("vscode.open", vscode.Uri.parse(chosen.file));
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
