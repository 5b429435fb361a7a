/** An untrusted workspace: files are checked, nothing is run. The server is told when that changes. */
import * as vscode from "vscode";
import type { Server } from "../server/server.ts";

export function followTrust(server: Server): vscode.Disposable {
  return vscode.workspace.onDidGrantWorkspaceTrust(() => server.notifyTrust());
}
