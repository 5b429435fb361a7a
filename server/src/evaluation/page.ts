/**
 * A report as one self-contained HTML file: the report panel's own script and styles with the figures beside them. Nothing is loaded;
 * by its policy no other script or style runs. Text of the data stands in it as JSON alone, in which no markup can begin.
 */
import { createHash } from "node:crypto";
import type { Report, Rounds } from "../../../schemas/report.ts";
import type { ReportDetail } from "../../../schemas/reportPanel.ts";

/** The report panel's bundle: dist/webview/report.js and report.css. */
export interface PageBundle {
  script: string;
  style: string;
}

export interface PageData {
  report: Report;
  /** Of the report's models; only those with two or more are shown. */
  rounds: readonly Rounds[];
  /** Null where it cannot be made any more; then why. */
  detail: ReportDetail | null;
  missing: string | null;
}

const html = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Without a reference to a map that is not there, and without what would end a script's element or begin a comment in it. */
const inline = (script: string): string =>
  script
    .replaceAll("\r\n", "\n")
    .replace(/\n\/\/# sourceMappingURL=\S*\s*$/, "\n")
    .replaceAll(/<(?=!--|\/?script)/gi, "\\x3C");

const inlineStyle = (style: string): string =>
  style.replaceAll("\r\n", "\n").replace(/\n\/\*# sourceMappingURL=\S* \*\/\s*$/, "\n");

export function reportPage(data: PageData, bundle: PageBundle): string {
  const { report } = data;
  const title = `${report.project}: ${Object.keys(report.models).join(", ")}`;
  const [script, style] = [inline(bundle.script), inlineStyle(bundle.style)];
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en" class="file"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${html(title)}</title><style>${style}</style></head><body>
<noscript><h1>${html(title)}</h1><ul>${report.verdict.map((sentence) => `<li>${html(sentence)}</li>`).join("")}</ul>
<p>The figures are drawn by a script of this file, which is not run here. Open it in a browser.</p></noscript>
<main id="root"></main><script type="application/json" id="report-data">${json}</script><script>${script}</script></body></html>
`;
}
