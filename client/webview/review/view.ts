/** The whole panel, drawn from what is on screen. */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import { html, nothing, render, type TemplateResult } from "lit";
import { act } from "./act.ts";
import { drawActions } from "./actions.ts";
import { drawAlike } from "./alike.ts";
import { host } from "./ask.ts";
import { choose, chooseLabel, decideTogether } from "./decide.ts";
import { drawDetail } from "./detail.ts";
import { drawEmpty } from "./empty.ts";
import { drawFilters } from "./filters.ts";
import { drawLabelPicker } from "./labelPicker.ts";
import type { ReviewCommand } from "./messages.ts";
import { drawNote } from "./note.ts";
import { draw, keep, labelsOf, pages, panel } from "./panel.ts";
import { drawProgress } from "./progress.ts";
import { choosePlace, loadPages, select } from "./queue.ts";
import { drawRows, inView, placeRows } from "./rows.ts";
import { NO_FILTER } from "./state.ts";

const root = document.getElementById("root")!;
const run = (command: ReviewCommand) => host.postMessage({ type: "run", command, project: panel.project });

/** Closes what is open; who was in it goes on in the list. */
export function close(): void {
  const had = document.activeElement?.closest(".picker, .note-field, .alike, .progress") != null;
  panel.open = null;
  draw();
  if (had) document.getElementById("rows")?.focus();
}

/** "37 of 412": rows decided count as behind us. */
function place(): string {
  const { list, state } = panel;
  if (!list || pages.total === 0) return "";
  return `${(list.decided + state.index + 1).toLocaleString("en")} of ${list.total.toLocaleString("en")}`;
}

let shownRow: string | undefined;

export function drawPanel(): void {
  render(template(), root);
  placeRows(pages.total);
  const row = panel.shown && JSON.stringify([panel.shown.item.row, panel.shown.item.target]);
  if (row !== undefined && row !== shownRow) {
    const detail = root.querySelector(".detail");
    if (detail) detail.scrollTop = 0;
  }
  shownRow = row;
}

function template(): TemplateResult {
  const { list, failure, state } = panel;
  const empty = drawEmpty({ panel, run, clear: () => choosePlace({ ...NO_FILTER, model: state.model }) });
  return html`
    ${
      list || panel.projects.length > 1
        ? drawFilters({
            panel,
            place: place(),
            choose: choosePlace,
            chooseProject: (project) => host.postMessage({ type: "project", project }),
          })
        : nothing
    }
    <div class="notes soft">${(list?.notes ?? []).map((words) => html`<p>${words}</p>`)}</div>
    <div class="failure error" role="alert">${list ? (failure ?? "") : ""}</div>
    ${
      state.progress && list
        ? drawProgress({
            panel,
            fineTune: () => run("clf.fineTune"),
            close: () => {
              keep({ progress: false });
              close();
            },
          })
        : nothing
    }
    ${empty ?? drawWork()}
    <div class="hidden" role="status" aria-live="polite">${panel.said}</div>
  `;
}

let scrolling = false;
function onScroll(): void {
  if (scrolling) return;
  scrolling = true;
  requestAnimationFrame(() => {
    scrolling = false;
    draw();
    const { from, to } = inView(pages.total);
    void loadPages(from, to);
  });
}

function drawWork(): TemplateResult {
  const { state } = panel;
  return html`
    ${drawRows({ total: pages.total, selected: state.index, at: pages.at, pick: (index) => select(index), onScroll })}
    <section class="detail" aria-label="Row" tabindex="0" aria-busy=${panel.busy ? "true" : nothing}>
      ${drawRow()}
    </section>
    ${drawOpen()}
    ${state.note.trim() !== "" && panel.open !== "note" ? html`<p class="kept-note soft" dir="auto">note: ${state.note}</p>` : nothing}
    ${drawActions((action) => act({ do: action }))}
  `;
}

function drawRow(): TemplateResult | typeof nothing {
  const { shown, instead, list, reasons } = panel;
  if (instead !== null) return html`<p class="error">${instead}</p>`;
  if (!shown) return nothing;
  return drawDetail({ shown, reasons, several: (list?.targets.length ?? 0) > 1, choose });
}

function drawOpen(): TemplateResult | typeof nothing {
  const { open, shown, state } = panel;
  if (open === null || !shown) return nothing;
  switch (open) {
    case "picker":
      return drawLabelPicker({
        labels: labelsOf(shown.item.target),
        pick: (label) => {
          close();
          chooseLabel(label);
        },
        close,
      });
    case "note":
      return drawNote({ note: state.note, keep: (note) => keep({ note }), close });
    case "alike":
      return drawAlike({
        shown,
        confirm: (rows, label) => {
          close();
          decideTogether(rows, label);
        },
        close,
      });
  }
}
