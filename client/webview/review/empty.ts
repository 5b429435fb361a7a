/** What stands where there is no row: why, and what to do next. */
import { html, type TemplateResult } from "lit";
import type { ReviewCommand } from "./messages.ts";
import { type Panel, pages } from "./panel.ts";
import { isFiltered } from "./state.ts";

export interface EmptyParts {
  panel: Panel;
  run: (command: ReviewCommand) => void;
  clear: () => void;
}

/** Null: there are rows. */
export function drawEmpty({ panel, run, clear }: EmptyParts): TemplateResult | null {
  const { project, list, failure, state } = panel;
  const button = (words: string, command: ReviewCommand) =>
    html`<vscode-button @click=${() => run(command)}>${words}</vscode-button>`;
  if (project === null) {
    return html`<div class="empty">No project in this workspace yet. ${button("New Project from Data…", "clf.newProject")}</div>`;
  }
  if (!list) {
    return failure === null
      ? html`<div class="empty soft">Loading…</div>`
      : html`<div class="empty"><div class="error" role="alert">${failure}</div>${button("Show Problems", "workbench.actions.view.problems")}</div>`;
  }
  if (pages.total > 0) return null;
  if (isFiltered(state) && list.decided === list.total) {
    return html`<div class="empty">${list.total === 0 ? "No flagged row fits these filters." : "All rows that fit these filters are decided."} <vscode-button @click=${clear}>Clear Filters</vscode-button></div>`;
  }
  return html`<div class="empty">
    ${list.empty ?? "Every flagged row has been decided. Fine-tune again: the decisions are new training data."}
    ${list.job === null ? button("Evaluate a Model", "clf.evaluate") : list.total > 0 ? button("Fine-Tune a Model", "clf.fineTune") : button("Predict Rows", "clf.predict")}
  </div>`;
}
