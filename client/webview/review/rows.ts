/** The list of rows, of which only those in view are elements, however long it is. */
import { html, type TemplateResult } from "lit";
import type { FlaggedItem } from "../../../schemas/protocol.ts";

const ROW = 22;
/** Browsers cap an element's height (Chromium near 33 million pixels). */
const TALLEST = 30_000_000;
const SPARE = 8;

export interface RowsParts {
  total: number;
  selected: number;
  at: (index: number) => FlaggedItem | undefined;
  pick: (index: number) => void;
  onScroll: () => void;
}

const box = (): HTMLElement | null => document.getElementById("rows");

/** Rows in view. */
export function inView(total: number): { from: number; to: number } {
  const list = box();
  if (!list) return { from: 0, to: Math.min(total - 1, 40) };
  return {
    from: Math.max(0, Math.floor(list.scrollTop / ROW)),
    to: Math.min(total - 1, Math.ceil((list.scrollTop + list.clientHeight) / ROW)),
  };
}

/** Scrolls as little as it takes to have the row in view. */
export function showIndex(index: number): void {
  const list = box();
  if (!list) return;
  const top = index * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
}

export function drawRows({ total, selected, at, pick, onScroll }: RowsParts): TemplateResult {
  const { from, to } = inView(total);
  const first = Math.max(0, from - SPARE);
  const indices = Array.from({ length: Math.max(0, Math.min(total - 1, to + SPARE) - first + 1) }, (_, i) => first + i);
  const drawn = selected >= first && selected < first + indices.length;
  return html`<div
    class="list"
    id="rows"
    role="listbox"
    tabindex="0"
    aria-label="Flagged rows"
    aria-activedescendant=${drawn ? `row-${selected}` : ""}
    @scroll=${onScroll}
  >
    <div class="space" role="presentation">
      <div class="window" role="presentation" data-first=${first}>
        ${indices.map((index) => drawRow(at(index), index, total, index === selected, pick))}
      </div>
    </div>
  </div>`;
}

/** Sizes are set by script: the page's policy allows no style in markup. */
export function placeRows(total: number): void {
  const list = box();
  const rows = list?.querySelector<HTMLElement>(".window");
  if (!list || !rows) return;
  list.querySelector<HTMLElement>(".space")!.style.height = `${Math.min(TALLEST, total * ROW)}px`;
  rows.style.transform = `translateY(${Number(rows.dataset.first) * ROW}px)`;
}

function drawRow(
  item: FlaggedItem | undefined,
  index: number,
  total: number,
  selected: boolean,
  pick: (index: number) => void,
): TemplateResult {
  return html`<div
    class="row"
    role="option"
    id=${`row-${index}`}
    aria-selected=${selected}
    aria-posinset=${index + 1}
    aria-setsize=${total}
    @click=${() => pick(index)}
  >${item ? drawItem(item) : html`<span class="text soft">…</span>`}</div>`;
}

function drawItem({ text, blind, predicted, confidence }: FlaggedItem): TemplateResult {
  const share = blind || predicted === null ? "" : decimal(confidence);
  return html`<span class="text">${text || "(empty)"}</span><span class="says soft">${blind ? "judge unseen" : (predicted ?? "no answer")}</span><span class="share soft">${share}</span>`;
}

const decimal = (confidence: number): string => (confidence > 0.99 ? ">.99" : confidence.toFixed(2).replace(/^0/, ""));
