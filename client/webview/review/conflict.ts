/** Who said what of a row on which people disagree. Any decision made in sight of these settles it. */
import { html, nothing, type TemplateResult } from "lit";
import type { RowDetail } from "../../../schemas/protocol.ts";

export function drawConflict(said: RowDetail["targets"][number]["said"]): TemplateResult {
  return html`<section class="conflict" aria-label="People disagree">
    <p>People disagree on this row. What you decide now settles it.</p>
    <ul>
      ${said.map(
        ({ who, when, kind, label, note }) => html`<li>
          <span dir="auto">${who}</span>: <strong dir="auto">${label ?? (kind === "none" ? "none of the labels" : kind)}</strong>
          <span class="soft">· ${new Date(when).toLocaleDateString("en", { dateStyle: "medium" })}</span>
          ${note === null ? nothing : html`<span class="note" dir="auto">“${note}”</span>`}
        </li>`,
      )}
    </ul>
  </section>`;
}
