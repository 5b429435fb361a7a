/** What stands in the job's folder: each can be opened or revealed. */
import { html, nothing, type TemplateResult } from "lit";
import type { JobView } from "../../../schemas/protocol.ts";
import { bytes, isActive } from "../../src/jobs/words.ts";
import { host } from "./ask.ts";
import { panel } from "./panel.ts";

export function drawArtifacts(of: JobView): TemplateResult {
  if (!panel.detail) return html`<p class="empty">Loading…</p>`;
  const { artifacts } = panel.detail;
  if (artifacts.length === 0) return html`<p class="empty">There is nothing in its folder yet.</p>`;
  const made = artifacts.some(
    ({ path }) => path === "model" || path.startsWith("predictions") || path === "report.json",
  );
  const nothingMade = isActive(of)
    ? "What it makes is here once it has succeeded."
    : "It left no model, predictions or report.";
  return html`
    ${made ? nothing : html`<p class="soft">${nothingMade}</p>`}
    <table>
      <caption>In the job's folder</caption>
      <thead><tr><th scope="col">what</th><th scope="col">path</th><th scope="col" class="number">size</th><th scope="col"><span class="unseen">actions</span></th></tr></thead>
      <tbody>${artifacts.map(
        ({
          path,
          name,
          bytes: size,
          folder,
        }) => html`<tr><th scope="row">${name}</th><td class="value">${path}</td><td class="number">${bytes(size)}</td>
          <td class="buttons">
            ${folder || path.endsWith(".parquet") ? nothing : html`<vscode-button secondary aria-label=${`Open ${name}`} @click=${() => host.postMessage({ type: "artifact", path, reveal: false })}>Open</vscode-button>`}
            <vscode-button secondary aria-label=${`Reveal ${name}`} @click=${() => host.postMessage({ type: "artifact", path, reveal: true })}>Reveal</vscode-button>
          </td></tr>`,
      )}</tbody>
    </table>
  `;
}
