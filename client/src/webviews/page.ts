/** The page of a webview: one script and one style sheet of ours, and nothing else, by its content security policy. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

/** Where the bundles of client/webview are. */
export const bundles = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, "dist", "webview");

/** What a panel in the editor area may do. */
export function panelOptions(extension: vscode.Uri): vscode.WebviewPanelOptions & vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [bundles(extension)], enableFindWidget: true };
}

/**
 * @param name of the bundle: `review`, `report`, `preview`, `job` or `try`
 * @param more that its policy allows
 * @param state what the page finds as its root's `data-state`
 */
export function pageOf(
  webview: vscode.Webview,
  extension: vscode.Uri,
  name: string,
  title: string,
  { more, state }: { more?: string; state?: object } = {},
): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (kind: string) => webview.asWebviewUri(vscode.Uri.joinPath(bundles(extension), `${name}.${kind}`));
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'${more ? `; ${more}` : ""}`;
  const given = state ? ` data-state="${encodeURIComponent(JSON.stringify(state))}"` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${file("css")}">
<title>${title}</title>
</head>
<body><main id="root"${given}></main><script nonce="${nonce}" src="${file("js")}"></script></body>
</html>`;
}
