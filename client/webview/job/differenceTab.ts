/** What differs from the last run: settings then and now, and what came of them. */
import { html, nothing, type TemplateResult } from "lit";
import type { JobChange, JobDetail } from "../../../schemas/jobPanel.ts";
import { KIND, nameOf } from "../../src/jobs/words.ts";
import { host } from "./ask.ts";
import { figureWords } from "./figures.ts";
import { panel } from "./panel.ts";

export function drawDifference(): TemplateResult {
  const { detail, job } = panel;
  if (!detail) return html`<p class="empty">Loading…</p>`;
  const { difference } = detail;
  if (!difference) {
    return html`<p class="empty">This is the first ${job ? KIND[job.kind] : "job"} of ${job ? nameOf(job) : "its models"}: there is no earlier one to compare it with.</p>`;
  }
  const { changes, results, same_data } = difference;
  return html`
    <p>Against the ${job ? KIND[job.kind] : "job"} of <time datetime=${difference.created}>${new Date(difference.created).toLocaleString()}</time>, which ${difference.state}.
      <vscode-button secondary @click=${() => host.postMessage({ type: "show", job: difference.job })}>Show It</vscode-button></p>
    <p>${same_data ? "Both have the same rows: ids, splits, texts and labels." : "They have other rows, or the same rows with other labels or splits."}
      ${changes.length === 0 ? "They were made from the same settings, by the same versions." : ""}</p>
    ${changes.length === 0 ? nothing : drawChanges(changes)}
    ${results.length === 0 ? nothing : drawResults(results)}
  `;
}

const drawChanges = (changes: readonly JobChange[]) => html`<table>
  <caption>Made from</caption>
  <thead><tr><th scope="col">part</th><th scope="col">setting</th><th scope="col">then</th><th scope="col">now</th></tr></thead>
  <tbody>${changes.map(
    ({ section, name, before, after, list }) => html`<tr><td>${section}</td><th scope="row">${name}</th>
      <td class="value" dir="auto">${valueWords(before, list, "gone")}</td><td class="value" dir="auto">${valueWords(after, list, "new")}</td></tr>`,
  )}</tbody>
</table>`;

function valueWords(value: string | null, list: boolean, what: "gone" | "new") {
  if (value === null) return html`<span class="soft">${list ? "" : "not set"}</span>`;
  return list ? html`<span class="soft">${what}:</span> ${value}` : value;
}

const drawResults = (results: NonNullable<JobDetail["difference"]>["results"]) => html`<table class="numbers">
  <caption>Figures, the newest of each</caption>
  <thead><tr><th scope="col">figure</th><th scope="col" class="number">then</th><th scope="col" class="number">now</th><th scope="col" class="number">difference</th></tr></thead>
  <tbody>${results.map(
    ({
      name,
      before,
      after,
    }) => html`<tr><th scope="row">${name}</th><td class="number">${before === null ? "–" : figureWords(before)}</td>
      <td class="number">${after === null ? "–" : figureWords(after)}</td>
      <td class="number">${before === null || after === null ? "" : `${after > before ? "+" : ""}${figureWords(Number((after - before).toPrecision(6)))}`}</td></tr>`,
  )}</tbody>
</table>
<p class="soft">These are figures of one run each. Whether a difference may be chance: compare the models, or see the report.</p>`;
