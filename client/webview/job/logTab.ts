/** The log: its end as it grows, any part of it, and what is searched for in it. */
import { html, nothing, type TemplateResult } from "lit";
import type { JobView } from "../../../schemas/protocol.ts";
import { bytes, isActive } from "../../src/jobs/words.ts";
import { run } from "./ask.ts";
import { endOf, startOf } from "./log.ts";
import { earlier, isFollowing, later, logOnHand, newest, stopFollowing } from "./logOnHand.ts";
import { drawHits, markHits, searchFor, searchWords } from "./logSearch.ts";
import { draw, element, panel } from "./panel.ts";

export function drawLog(of: JobView): TemplateResult {
  const log = logOnHand();
  const whole = log.size;
  const [from, to] = [startOf(log), endOf(log)];
  return html`
    <div class="tools">
      <label for="log-search">search</label>
      <input id="log-search" type="search" .value=${panel.state.search} placeholder="in the whole log"
        @input=${(event: Event) => searchFor((event.target as HTMLInputElement).value)} />
      <span role="status">${searchWords()}</span>
      <span class="space"></span>
      ${isFollowing() ? nothing : html`<vscode-button secondary @click=${() => void newest()}>Newest Lines</vscode-button>`}
      <vscode-button secondary @click=${run("clf.openLog")}>Open in Editor</vscode-button>
    </div>
    ${drawHits()}
    ${
      whole === 0
        ? html`<p class="empty">${isActive(of) ? "The log is empty so far. What the job prints will stand here." : "The log is empty: the job printed nothing."}</p>`
        : html`<div id="log" tabindex="0" role="region" aria-label="Log" @scroll=${onLogScroll}>
            ${from > 0 ? html`<p class="edge"><vscode-button secondary @click=${() => void earlier()}>Earlier Lines</vscode-button> <span class="soft">${bytes(from)} before this</span></p>` : nothing}
            ${log.pieces.map(({ text }) => html`<pre class="piece" dir="auto" .textContent=${text}></pre>`)}
            ${to < whole ? html`<p class="edge"><vscode-button secondary @click=${() => void later()}>Later Lines</vscode-button> <span class="soft">${bytes(whole - to)} after this</span></p>` : nothing}
          </div>`
    }
  `;
}

/** After it was drawn: what was searched for is marked, and new lines are in view. */
export function afterLog(): void {
  markHits();
  const box = element("log");
  if (box && isFollowing()) box.scrollTop = box.scrollHeight;
}

function onLogScroll(): void {
  const box = element("log");
  if (!box || !isFollowing()) return;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  if (!atEnd) {
    stopFollowing();
    draw();
  }
}
