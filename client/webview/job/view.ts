/** The whole panel, drawn from what is on screen. */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import { html, nothing, render, type TemplateResult } from "lit";
import type { JobView } from "../../../schemas/protocol.ts";
import { drawArtifacts } from "./artifactsTab.ts";
import { drawDifference } from "./differenceTab.ts";
import { drawCharts, drawFigures } from "./figuresTab.ts";
import { drawHead } from "./head.ts";
import { afterLog, drawLog } from "./logTab.ts";
import { panel, root } from "./panel.ts";
import { readOn } from "./read.ts";
import { drawSpec } from "./specTab.ts";
import { drawTabs } from "./tabs.ts";

export function drawPanel(): void {
  render(drawAll(), root);
  if (panel.state.tab === "figures") drawCharts();
  if (panel.state.tab === "log") afterLog();
}

function drawAll(): TemplateResult {
  const { job, failure } = panel;
  if (job === undefined) return html`<p class="empty" role="status">Loading…</p>`;
  if (job === null) {
    return html`<p class="empty" role="status">This job has been deleted, and its files with it. Close this panel.</p>`;
  }
  return html`
    ${drawHead(job)}
    ${failure === null ? nothing : html`<p class="failure error" role="alert">${failure} <vscode-button secondary @click=${() => void readOn()}>Try Again</vscode-button></p>`}
    ${drawTabs()}
    <section id="part" role="tabpanel" aria-labelledby=${`tab-${panel.state.tab}`} tabindex="-1">${drawPart(job)}</section>
  `;
}

function drawPart(of: JobView): TemplateResult {
  switch (panel.state.tab) {
    case "figures":
      return drawFigures(of);
    case "log":
      return drawLog(of);
    case "difference":
      return drawDifference();
    case "spec":
      return drawSpec();
    case "artifacts":
      return drawArtifacts(of);
  }
}
