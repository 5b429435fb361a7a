/** What the job was made from, and its attempts. */
import { html, type TemplateResult } from "lit";
import { panel } from "./panel.ts";

export function drawSpec(): TemplateResult {
  if (!panel.detail) return html`<p class="empty">Loading…</p>`;
  const { facts, attempts } = panel.detail;
  const sections = [...new Set(facts.map(({ section }) => section))];
  return html`
    ${sections.map(
      (section) => html`<table class="spec">
        <caption>${section}</caption>
        <tbody>${facts
          .filter((each) => each.section === section)
          .map(
            ({ name, value }) => html`<tr><th scope="row">${name}</th><td class="value" dir="auto">${value}</td></tr>`,
          )}</tbody>
      </table>`,
    )}
    <table>
      <caption>Attempts</caption>
      <thead><tr><th scope="col">attempt</th><th scope="col">state</th><th scope="col">started</th><th scope="col">ended</th><th scope="col">says</th></tr></thead>
      <tbody>${attempts.map(
        ({ number, state: of, started, ended, message }) => html`<tr><th scope="row">${number}</th><td>${of}</td>
          <td>${time(started)}</td><td>${time(ended)}</td><td class="value" dir="auto">${message ?? ""}</td></tr>`,
      )}</tbody>
    </table>
  `;
}

const time = (at: string | null) => (at === null ? "" : new Date(at).toLocaleString());
