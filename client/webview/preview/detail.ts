/** One row in full: its inputs, labels, what each model says, rows that say the same, and what can be done with it. */
import { html, nothing, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { DecisionKind, FlagReason } from "../../../schemas/decisions.ts";
import type { PreviewColumn, PreviewDetail, PreviewPage } from "../../../schemas/preview.ts";
import { percent } from "../shared/numbers.ts";
import { named } from "./plots.ts";

export interface DetailActions {
  close(): void;
  open(): void;
  copyRow(): void;
  goTo(row: number): void;
  decide(target: string, kind: "corrected" | "none", label?: string): void;
  undo(): void;
}

export interface DetailParts {
  detail: PreviewDetail;
  columns: readonly PreviewColumn[];
  project: PreviewPage["project"];
  trusted: boolean;
  /** What the last decision came to, in words. */
  said: string | null;
  actions: DetailActions;
}

const REASONS: Record<FlagReason, string> = {
  "below-threshold": "below the accept threshold",
  "no-accept-rule": "no accept rule can be met",
  "never-label": "this label is never accepted",
  failed: "the model failed",
  unparsed: "the answer could not be read",
  "out-of-list": "the answer is no label",
  "label-issue": "the label may be wrong",
  disagreement: "models disagree",
  audit: "drawn for the audit",
  conflict: "people decided differently",
  relabel: "drawn to be labelled again",
};
const DECIDED: Partial<Record<DecisionKind, string>> = {
  confirmed: "confirmed by a person",
  corrected: "corrected by a person",
  none: "none of the labels, says a person",
  skipped: "skipped",
};

export function drawDetail({ detail, columns, project, trusted, said, actions }: DetailParts): TemplateResult {
  const { row, id, split, place, left_out } = detail;
  const nameOf = (key: string) => columns.find((column) => column.key === key)?.name ?? key;
  const shown = detail.cells.filter(({ column }) => {
    const role = columns.find(({ key }) => key === column)?.role;
    return role !== "target" && role !== "split" && role !== "id";
  });
  return html`
    <div class="detail-head">
      <h2>Row ${(row + 1).toLocaleString("en")}${split === null ? nothing : html` <span class="soft">· ${split}</span>`}</h2>
      <vscode-button secondary title="Escape" @click=${actions.close}>Close</vscode-button>
    </div>
    <div class="buttons">
      ${place ? html`<vscode-button secondary title="o" @click=${actions.open}>Go to Source (line ${(place.line + 1).toLocaleString("en")})</vscode-button>` : html`<span class="soft">Parquet has no lines to go to.</span>`}
      <vscode-button secondary @click=${actions.copyRow}>Copy Row</vscode-button>
    </div>
    ${left_out === null ? nothing : html`<p class="warning">Left out: ${left_out}</p>`}
    ${shown.map(
      ({ column, text, cut }) => html`
        <section class="cell">
          <h3>${nameOf(column)}</h3>
          <p class="prose" dir="auto">${text === "" ? html`<span class="soft">(empty)</span>` : text}</p>
          ${cut ? html`<p class="soft">Cut here. “Copy Row” copies all of it.</p>` : nothing}
        </section>
      `,
    )}
    ${detail.targets.map((target) =>
      // A label that was chosen and not recorded is not carried over to another row.
      keyed(`${row} ${target.label}`, drawTarget(target, { project, trusted, actions })),
    )}
    ${said === null ? nothing : html`<p role="status">${said} <vscode-button secondary @click=${actions.undo}>Undo</vscode-button></p>`}
    ${drawAlike(detail, project, actions)}
    ${id === null ? nothing : html`<p class="soft id">Row id <span dir="auto">${id}</span></p>`}
    ${
      project === null
        ? html`<p class="soft">This file belongs to no project of the workspace: its labels are edited in the file itself.</p>`
        : nothing
    }
  `;
}

function drawTarget(
  target: PreviewDetail["targets"][number],
  { project, trusted, actions }: Pick<DetailParts, "project" | "trusted" | "actions">,
): TemplateResult {
  const { target: name, label, in_file, decided, reasons, blind, predictions } = target;
  const labels = project?.targets.find((each) => each.name === name)?.labels ?? [];
  const field = `label-${name}`;
  const facts = [
    decided ? DECIDED[decided] : undefined,
    decided && in_file !== label ? `in the file: ${named(in_file ?? "")}` : undefined,
    ...reasons.map((reason) => REASONS[reason]),
  ].filter((fact) => fact !== undefined);
  return html`
    <section class="target">
      <h3>${name}</h3>
      <p><strong dir="auto">${label ?? "no label"}</strong>${facts.length > 0 ? html` <span class="soft">· ${facts.join(" · ")}</span>` : nothing}</p>
      ${blind ? html`<p class="soft">To be judged without the predictions: they are hidden until that is done.</p>` : nothing}
      ${
        predictions.length > 0
          ? html`<table>
              <caption class="soft">What the models say</caption>
              <thead><tr><th scope="col">model</th><th scope="col">label</th><th scope="col">confidence</th><th scope="col">next best</th></tr></thead>
              <tbody>
                ${predictions.map(
                  ({ model, label: said, confidence, top, accepted }) => html`<tr>
                    <th scope="row">${model}</th>
                    <td dir="auto">${said ?? "no answer"}</td>
                    <td class="number">${percent(confidence)}${accepted ? " ✓" : ""}</td>
                    <td class="soft">${top
                      .slice(1, 4)
                      .map(([other, p]) => `${other} ${percent(p)}`)
                      .join(", ")}</td>
                  </tr>`,
                )}
              </tbody>
            </table>`
          : nothing
      }
      ${
        !trusted
          ? html`<p class="soft">Trust this workspace to record decisions.</p>`
          : html`<form class="buttons" @submit=${(event: SubmitEvent) => {
              event.preventDefault();
              const select = (event.target as HTMLFormElement).elements.namedItem(field) as HTMLSelectElement;
              actions.decide(name, "corrected", select.value);
            }}>
              <label for=${field}>Label</label>
              <select id=${field} name=${field} .value=${label ?? ""}>
                ${labels.map((each) => html`<option value=${each} ?selected=${each === label}>${each}</option>`)}
              </select>
              <vscode-button type="button" @click=${(event: Event) => (event.target as HTMLElement).closest("form")!.requestSubmit()}>Record</vscode-button>
              <vscode-button secondary @click=${() => actions.decide(name, "none")}>None of These</vscode-button>
            </form>`
      }
    </section>
  `;
}

function drawAlike({ alike, targets }: PreviewDetail, project: PreviewPage["project"], actions: DetailActions) {
  if (alike.length === 0) return nothing;
  const what = project && targets.length > 0 ? "Near-duplicates" : "Same in every column";
  return html`
    <section>
      <h3>${what} (${alike.length})</h3>
      <ul class="alike">
        ${alike.map(
          ({ row, file, text, split, labels }) => html`<li>
            ${
              file === null
                ? html`<button type="button" @click=${() => actions.goTo(row)}>Row ${(row + 1).toLocaleString("en")}</button>`
                : html`<span>${file}, row ${(row + 1).toLocaleString("en")}</span>`
            }
            <span class="soft">${[split, ...labels.map(named)].filter((part) => part !== null).join(" · ")}</span>
            <span dir="auto" class="prose short">${text}</span>
          </li>`,
        )}
      </ul>
    </section>
  `;
}
