/** The figures that the job reports: charts of those that have a line, and a table of all. */
import { html, nothing, type TemplateResult } from "lit";
import type { JobView } from "../../../schemas/protocol.ts";
import { isActive } from "../../src/jobs/words.ts";
import { chart, colourOf, dashOf } from "./charts.ts";
import { type Figure, figureWords, hasLine } from "./figures.ts";
import { root } from "./panel.ts";
import { figures } from "./read.ts";

const NO_FIGURES: Record<JobView["kind"], string> = {
  "fine-tune": "a fine-tune reports losses while it learns, and figures of its choices",
  evaluate: "an evaluation reports the accuracy at its end, and all else in its report",
  compare: "a comparison reports the accuracies at its end, and all else in its report",
  predict: "a prediction may report how fast it is",
};

export function drawFigures(of: JobView): TemplateResult {
  const all = figures.all();
  if (all.length === 0) {
    const yet = isActive(of) ? "has not reported any figure yet" : "has not reported any figure";
    return html`<p class="empty">This job ${yet}: ${NO_FIGURES[of.kind]}.</p>`;
  }
  const lines = all.filter(hasLine);
  return html`
    ${
      lines.length === 0
        ? nothing
        : html`<div class="charts">${lines.map(
            (figure) => html`<figure>
              <figcaption>${figure.name}${figure.series.length > 1 ? drawLegend(figure) : nothing}</figcaption>
              <div class="chart" data-figure=${figure.name}></div>
            </figure>`,
          )}</div>`
    }
    <table class="numbers">
      <caption>Reported so far</caption>
      <thead><tr><th scope="col">figure</th><th scope="col">of</th><th scope="col" class="number">newest</th><th scope="col" class="number">lowest</th><th scope="col" class="number">highest</th><th scope="col" class="number">reports</th></tr></thead>
      <tbody>${all.flatMap(({ name, series }) =>
        series.map(
          (each) => html`<tr><th scope="row">${name}</th><td>${each.name}</td>
            <td class="number">${figureWords(each.last.y)}</td><td class="number">${figureWords(each.low)}</td>
            <td class="number">${figureWords(each.high)}</td><td class="number">${figureWords(each.count)}</td></tr>`,
        ),
      )}</tbody>
    </table>
  `;
}

const drawLegend = ({ series }: Figure) =>
  html`<ul class="legend">${series.map(
    ({ name }, i) =>
      html`<li><svg width="22" height="8" aria-hidden="true"><line x1="0" x2="22" y1="4" y2="4" stroke=${colourOf(i)} stroke-width="2" stroke-dasharray=${dashOf(i) || nothing}></line></svg> ${name || "all"}</li>`,
  )}</ul>`;

/** Fills the boxes that are drawn: a chart is as wide as its box. */
export function drawCharts(): void {
  const all = figures.all();
  for (const box of root.querySelectorAll<HTMLElement>(".chart")) {
    const figure = all.find(({ name }) => name === box.dataset.figure);
    if (figure) box.replaceChildren(chart(figure, Math.max(160, box.clientWidth)));
  }
}
