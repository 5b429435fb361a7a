/** The parts of the panel as tabs: by mouse, arrows, Home and End. */
import { html, type TemplateResult } from "lit";
import { JOB_TABS, type JobTab } from "./messages.ts";
import { draw, element, panel, save } from "./panel.ts";
import { loadDetail } from "./read.ts";

const TAB_NAMES: Record<JobTab, string> = {
  figures: "Figures",
  log: "Log",
  difference: "What Differs",
  spec: "Spec",
  artifacts: "Artifacts",
};

export const drawTabs =
  (): TemplateResult => html`<div class="tabs" role="tablist" aria-label="Parts of the job" @keydown=${onTabKey}>
      ${JOB_TABS.map(
        (tab) => html`<button
          type="button"
          role="tab"
          id=${`tab-${tab}`}
          aria-controls="part"
          aria-selected=${tab === panel.state.tab ? "true" : "false"}
          tabindex=${tab === panel.state.tab ? 0 : -1}
          @click=${() => choose(tab)}
        >${TAB_NAMES[tab]}</button>`,
      )}
    </div>`;

function choose(tab: JobTab): void {
  save({ tab });
  draw();
  // What a job makes and reports is read when somebody looks: results of a host elsewhere come after its end.
  if (panel.job && (tab === "difference" || tab === "artifacts")) void loadDetail();
  element(`tab-${tab}`)?.focus();
}

function onTabKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const at = JOB_TABS.indexOf(panel.state.tab);
  const last = JOB_TABS.length - 1;
  const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[
    event.key
  ];
  if (to === undefined) return;
  event.preventDefault();
  choose(JOB_TABS[to]!);
}
