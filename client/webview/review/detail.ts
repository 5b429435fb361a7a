/** One flagged row: its inputs, the likeliest labels with their probabilities, the label now, and why it is here. */
import { html, nothing, svg, type TemplateResult } from "lit";
import type { Explanation, RowDetail } from "../../../schemas/protocol.ts";
import { type Choice, setWords } from "./choices.ts";
import { drawConflict } from "./conflict.ts";
import type { Shown } from "./panel.ts";
import { drawSimilar } from "./similar.ts";

/** Words that are underlined in the text. */
const WORDS = 8;

export interface DetailParts {
  shown: Shown;
  /** In words, by reason. */
  reasons: Record<string, string>;
  /** There is more than one target. */
  several: boolean;
  choose: (number: number) => void;
}

export function drawDetail({ shown, reasons, several, choose }: DetailParts): TemplateResult {
  const { item, detail, choices, explanation, similar } = shown;
  const { blind } = item;
  const view = detail.targets.find(({ target }) => target === item.target);
  const given = view?.given ?? item.given;
  const why = [...new Set([...(view?.reasons ?? []), ...item.reasons])].map((reason) => reasons[reason] ?? reason);
  return html`
    ${detail.inputs.map((input, i) => drawInput(input, i, blind ? null : explanation))}
    ${several ? html`<p class="facts soft" dir="auto">${item.target}</p>` : nothing}
    ${
      blind
        ? html`<p class="facts">${
            item.reasons.includes("relabel")
              ? "A random validation row, to be labelled again: its label and the prediction are hidden."
              : "An audit: judge this row by yourself, the prediction is hidden."
          }</p>`
        : nothing
    }
    ${item.reasons.includes("conflict") ? drawConflict(view?.said ?? []) : nothing}
    <ol class="choices" aria-label=${`Labels of ${item.target}`}>
      ${choices.map((choice, i) => drawChoice(choice, i + 1, choose))}
    </ol>
    ${view?.set ? html`<p class="facts soft">${setWords(view.set, choices)}</p>` : nothing}
    ${
      choices.length === 0
        ? html`<p class="facts">The model gave no usable answer. Search for the right label with /.</p>`
        : nothing
    }
    <p class="facts">${given === null ? nothing : html`<span class="soft">label now: </span><span dir="auto">${given}</span><span class="soft"> · </span>`}<span class="soft">why: </span>${why.join(", ") || "not accepted"}<span class="soft"> · ${item.split}</span></p>
    ${drawOthers(detail, item.target, blind)}
    ${similar ? drawSimilar(similar) : nothing}
  `;
}

// The text is the paragraph's whole content: what is between the tags would be part of it.
const drawInput = (input: RowDetail["inputs"][number], i: number, explanation: Explanation | null): TemplateResult =>
  html`<p class="input" dir="auto">${i > 0 ? html`<span class="name">${input.name}: </span>` : nothing}${words(input, explanation)}${input.cut ? html`<span class="soft"> … (cut: open the row to read all of it)</span>` : nothing}</p>`;

function drawChoice({ label, confidence, inSet }: Choice, number: number, choose: (number: number) => void) {
  return html`<li>
    <button class=${inSet ? "choice marked" : "choice"} type="button" @click=${() => choose(number)}>
      <span class="key">${number}</span>
      <span class="name" dir="auto" title=${label}>${label}</span>
      ${confidence === null ? html`<span></span>` : drawBar(confidence)}
      <span class="share">${confidence === null ? "" : confidence.toFixed(2).replace(/^0/, "")}</span>
      ${inSet ? html`<span class="hidden">, marked</span>` : nothing}
    </button>
  </li>`;
}

const drawBar = (share: number): TemplateResult =>
  html`<svg class="bar" viewBox="0 0 100 9" preserveAspectRatio="none" aria-hidden="true">${svg`<rect x="0" y="0" width=${Math.max(0.5, 100 * share)} height="9" rx="1"></rect>`}</svg>`;

/** The other targets of the row, in a line. */
function drawOthers({ targets }: RowDetail, target: string, blind: boolean): TemplateResult | typeof nothing {
  const others = targets.filter((each) => each.target !== target);
  if (others.length === 0) return nothing;
  const words = others.map(({ target, given, predicted, decided }) => {
    const label = decided && decided !== "skipped" ? given : blind ? given : (given ?? predicted);
    return `${target}: ${label ?? "–"}`;
  });
  return html`<p class="facts soft" dir="auto">${words.join(" · ")}</p>`;
}

/** The text with the words underlined that spoke most for the label. */
function words(input: RowDetail["inputs"][number], explanation: Explanation | null): (TemplateResult | string)[] {
  const marks = (explanation?.words ?? [])
    .filter((word) => word.input === input.name && word.weight > 0 && word.end <= input.text.length)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, WORDS)
    .sort((a, b) => a.start - b.start);
  const parts: (TemplateResult | string)[] = [];
  let at = 0;
  for (const { start, end } of marks) {
    if (start < at) continue;
    parts.push(
      input.text.slice(at, start),
      html`<mark class="word" title=${`speaks for ${explanation!.label}`}>${input.text.slice(start, end)}</mark>`,
    );
    at = end;
  }
  parts.push(input.text.slice(at));
  return parts;
}
