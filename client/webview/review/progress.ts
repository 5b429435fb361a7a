/** How far this person has come, and what review has bought so far: figures before and after, on the same test rows. */
import { html, nothing, type TemplateResult } from "lit";
import type { Rounds } from "../../../schemas/report.ts";
import { messageOf } from "../shared/errors.ts";
import { percent, whole } from "../shared/numbers.ts";
import { ask } from "./ask.ts";
import { draw, type Panel, type Progress, panel } from "./panel.ts";
import { asked } from "./state.ts";

let progress: Progress | null = null;
let rounds: Rounds | null = null;
let failure: string | null = null;
/** What `rounds` is of: rounds are read anew when there is another evaluation. */
let roundsOf = "";
let generation = 0;

function startOfDay(): string {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  return day.toISOString();
}

/** Asks again, if it is open. */
export async function loadProgress(): Promise<void> {
  const { project, state, list } = panel;
  if (!state.progress || project === null || !list?.model) return;
  const mine = ++generation;
  const { model } = asked(state);
  const of = `${project} ${list.model} ${list.job}`;
  try {
    const answer = await ask("clf/review/progress", { project, day: startOfDay(), ...(model ? { model } : {}) });
    if (mine !== generation) return;
    progress = answer;
    draw();
    if (roundsOf === of) return;
    const found = (await ask("clf/rounds", { project, model: list.model })) as Rounds;
    if (mine !== generation) return;
    rounds = found;
    roundsOf = of;
    failure = null;
  } catch (error) {
    if (mine !== generation) return;
    failure = messageOf(error);
  }
  draw();
}

export interface ProgressParts {
  panel: Panel;
  fineTune: () => void;
  close: () => void;
}

export function drawProgress({ panel: { list }, fineTune, close }: ProgressParts): TemplateResult {
  return html`<section class="progress" id="progress" tabindex="-1" aria-label="Progress">
    <div class="head"><h2>Progress</h2><vscode-button secondary @click=${close}>Close</vscode-button></div>
    ${list ? drawBar(list.decided, list.total) : nothing}
    ${progress ? drawMine(progress) : html`<p class="soft">Counting…</p>`}
    ${failure === null ? nothing : html`<p class="error" role="alert">${failure}</p>`}
    ${rounds ? drawBought(rounds) : nothing}
    ${
      progress && progress.fresh > 0
        ? html`<p>${whole(progress.fresh)} ${progress.fresh === 1 ? "decision" : "decisions"} since the last fine-tune: no model has learned from ${progress.fresh === 1 ? "it" : "them"} yet.</p>
            <vscode-button @click=${fineTune}>Fine-Tune Again</vscode-button>`
        : nothing
    }
  </section>`;
}

function drawBar(decided: number, total: number): TemplateResult {
  return html`<progress max=${Math.max(1, total)} value=${decided} aria-label="Flagged rows decided"></progress>
    <p>${whole(decided)} of ${whole(total)} flagged rows in this list are decided.</p>`;
}

function drawMine({ who, today, all, everybody, people }: Progress): TemplateResult {
  const made = (counts: Progress["today"]) => counts.confirmed + counts.corrected + counts.none;
  const words = ({ confirmed, corrected, none, skipped }: Progress["today"]) =>
    [
      `${whole(confirmed)} confirmed`,
      `${whole(corrected)} corrected`,
      `${whole(none)} with no label`,
      `${whole(skipped)} skipped`,
    ].join(", ");
  return html`<p><span dir="auto">${who}</span>: ${whole(made(today))} decided today (${words(today)}), ${whole(made(all))} in all.
    ${people > 1 ? `${people} people have decided ${whole(everybody)}.` : nothing}</p>`;
}

/** The last round against the one before, and the last against the first. */
function drawBought({ rounds, words }: Rounds): TemplateResult {
  const last = rounds.at(-1);
  const before = rounds.at(-2);
  if (!last || !before) {
    return html`<p class="soft">What review buys can be said after the next round: decide, fine-tune, evaluate again.</p>`;
  }
  const targets = Object.keys(last.targets);
  const change = (m: { value: number; low: number; high: number } | undefined) =>
    m === undefined ? "–" : `${signed(m.value)} (${signed(m.low)} to ${signed(m.high)})`;
  return html`
    <table>
      <caption>What the decisions of the last round bought, on the same test rows</caption>
      <thead><tr><th scope="col"></th><th scope="col">before</th><th scope="col">after</th><th scope="col">points</th></tr></thead>
      <tbody>
        ${targets.map(
          (target) => html`<tr>
            <th scope="row" dir="auto">${targets.length > 1 ? `accuracy, ${target}` : "accuracy"}</th>
            <td>${before.targets[target] ? percent(before.targets[target].accuracy.value) : "–"}</td>
            <td>${percent(last.targets[target]!.accuracy.value)}</td>
            <td>${change(last.change?.targets[target]?.difference)}</td>
          </tr>`,
        )}
        <tr>
          <th scope="row">accepted</th>
          <td>${before.coverage ? percent(before.coverage.value) : "–"}</td>
          <td>${last.coverage ? percent(last.coverage.value) : "–"}</td>
          <td>${change(last.change?.coverage?.difference)}</td>
        </tr>
        <tr>
          <th scope="row">rows decided</th>
          <td>${whole(before.decisions)}</td>
          <td>${whole(last.decisions)}</td>
          <td></td>
        </tr>
      </tbody>
    </table>
    ${words.map((sentence) => html`<p>${sentence}</p>`)}
  `;
}

const signed = (share: number): string => `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(1)}`;
