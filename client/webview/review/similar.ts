/** Rows that say much the same and their labels, to compare with. */
import { html, nothing, type TemplateResult } from "lit";
import type { Similar } from "./panel.ts";

export function drawSimilar({ labelled, alike }: Similar): TemplateResult | typeof nothing {
  if (labelled.length === 0 && alike.length === 0) return nothing;
  return html`<section class="similar" aria-label="Similar rows">
    ${
      labelled.length === 0
        ? nothing
        : html`<h2>Similar rows</h2>
          <ul>
            ${labelled.map(
              ({ text, label, decided, similarity }) => html`<li>
                <strong dir="auto">${label}</strong>
                <span class="soft">${decided ? "by a person · " : ""}${Math.round(100 * similarity)} % alike</span>
                <span class="short" dir="auto">${text}</span>
              </li>`,
            )}
          </ul>`
    }
    ${
      alike.length === 0
        ? nothing
        : html`<p class="facts">${alike.length === 1 ? "1 row" : `${alike.length} rows`} like this ${alike.length === 1 ? "waits" : "wait"} with the same predicted label: <kbd>a</kbd></p>`
    }
  </section>`;
}
