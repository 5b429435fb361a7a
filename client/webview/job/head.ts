/** The job in a glance: its name, what can be done with it, how far it is, and what it took. */
import { html, nothing, type TemplateResult } from "lit";
import type { JobView } from "../../../schemas/protocol.ts";
import {
  agoOf,
  dollars,
  doneShare,
  duration,
  isActive,
  KIND,
  metricWords,
  nameOf,
  percent,
  queueWords,
  tookSeconds,
} from "../../src/jobs/words.ts";
import { run } from "./ask.ts";
import type { JobCommand } from "./messages.ts";
import { panel } from "./panel.ts";

export function drawHead(of: JobView): TemplateResult {
  const { can } = of;
  return html`<header>
    <div class="title">
      <h1>${nameOf(of)} <span class="soft">${KIND[of.kind]}</span></h1>
      <div class="buttons">
        ${can.cancel ? button("Cancel", "clf.cancelJob", !panel.trusted) : nothing}
        ${can.resume ? button("Resume", "clf.resumeJob", !panel.trusted) : nothing}
        ${can.report ? button("Open Report", "clf.openReport") : nothing}
        ${can.delete ? button("Delete…", "clf.deleteJob", !panel.trusted) : nothing}
        ${button("Project File", "clf.revealJobInProject")}
      </div>
    </div>
    ${drawProgress(of)}
    <dl class="facts">
      ${fact("host", of.host)}
      ${fact("started", html`<time datetime=${of.created}>${new Date(of.created).toLocaleString()}</time> (${agoOf(of.created)})`)}
      ${fact("took", took(of))}
      ${fact("left", of.progress?.left === undefined || !isActive(of) ? null : `about ${duration(of.progress.left)}`)}
      ${fact(isActive(of) ? "cost so far" : "cost", of.cost === null ? null : dollars(of.cost))}
      ${fact("newest figure", metricWords(of) ?? null)}
      ${fact("attempt", of.attempt > 1 ? `${of.attempt}` : null)}
      ${fact("connection", of.connection)}
    </dl>
    ${of.message === null ? nothing : html`<p class=${of.state === "failed" || of.state === "lost" ? "message error" : "message"}>${of.message}</p>`}
  </header>`;
}

const button = (title: string, command: JobCommand, disabled = false) =>
  html`<vscode-button ?secondary=${command !== "clf.cancelJob" && command !== "clf.resumeJob" && command !== "clf.openReport"} ?disabled=${disabled} @click=${run(command)}>${title}</vscode-button>`;

const fact = (name: string, value: unknown) =>
  value === null ? nothing : html`<div><dt>${name}</dt><dd>${value}</dd></div>`;

function took(of: JobView): string | null {
  const seconds = tookSeconds(of);
  return seconds === undefined ? null : duration(seconds);
}

const STATE_WORDS: Record<JobView["state"], string> = {
  preparing: "being prepared",
  queued: "waiting",
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  lost: "lost: how it ended is not known",
};

function drawProgress(of: JobView): TemplateResult {
  const share = doneShare(of);
  const now =
    of.state === "queued"
      ? queueWords(of)
      : isActive(of) && of.progress
        ? `${STATE_WORDS[of.state]}: ${of.progress.step}${share === undefined ? "" : `, ${percent(share)}`}`
        : STATE_WORDS[of.state];
  return html`<p class="now">
    <span class=${`state ${of.state}`} role="status">${now}</span>
    ${
      isActive(of)
        ? html`<progress aria-label="Progress of the step" max="1" value=${share ?? nothing}></progress>`
        : nothing
    }
  </p>`;
}
