/** Choosing among many labels by typing: a text field and a list box under it. */
import { html, type TemplateResult } from "lit";
import { isTyped } from "./keys.ts";
import { draw } from "./panel.ts";
import { searchLabels } from "./search.ts";

/** Rows shown at most: the rest is found by typing on. */
const SHOWN = 100;
const MOVES: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

let typed = "";
let active = 0;

export function openLabelPicker(): void {
  typed = "";
  active = 0;
}

export interface LabelPickerParts {
  labels: readonly string[];
  pick: (label: string) => void;
  close: () => void;
}

export function drawLabelPicker({ labels, pick, close }: LabelPickerParts): TemplateResult {
  const found = searchLabels(labels, typed);
  const shown = found.slice(0, SHOWN);
  const onKey = (event: KeyboardEvent) => {
    // What is typed is no command of the editor.
    if (isTyped(event)) event.stopPropagation();
    const move = MOVES[event.key];
    if (move !== undefined) {
      active = Math.max(0, Math.min(shown.length - 1, active + move));
      draw();
    } else if (event.key === "Enter" && !event.isComposing) {
      const label = shown[active];
      if (label !== undefined) pick(label);
    } else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  };
  return html`<div class="picker">
    <input
      type="text"
      role="combobox"
      placeholder=${`Search ${labels.length} labels`}
      aria-label="Search labels"
      aria-expanded="true"
      aria-controls="labels"
      aria-activedescendant=${shown.length > 0 ? `label-${active}` : ""}
      autocomplete="off"
      spellcheck="false"
      @keydown=${onKey}
      @input=${(event: Event) => {
        typed = (event.target as HTMLInputElement).value;
        active = 0;
        draw();
      }}
    />
    <ul role="listbox" id="labels" aria-label="Labels">
      ${shown.map(
        (label, i) =>
          html`<li role="option" id=${`label-${i}`} dir="auto" aria-selected=${i === active} @mousedown=${() => pick(label)}>${label}</li>`,
      )}
    </ul>
    ${found.length === 0 ? html`<p class="soft">No label fits.</p>` : ""}
    ${found.length > SHOWN ? html`<p class="soft">and ${found.length - SHOWN} more</p>` : ""}
  </div>`;
}
