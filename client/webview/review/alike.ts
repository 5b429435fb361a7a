/** The rows that say much the same as the one on screen, to be confirmed with it by one key. */
import { html, type TemplateResult } from "lit";
import { isTyped } from "./keys.ts";
import { draw, type Shown } from "./panel.ts";

/** Rows that are chosen at first, the one on screen included: as many as a person can survey. */
const CHOSEN = 20;
const MOVES: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

let chosen = new Set<string>();
let active = 0;

interface Candidate {
  row: string;
  text: string;
  /** With the row on screen; null for that one itself. */
  similarity: number | null;
}

function candidatesOf({ item, similar }: Shown): Candidate[] {
  return [{ row: item.row, text: item.text, similarity: null }, ...(similar?.alike ?? [])];
}

/** @returns whether there is any */
export function openAlike(shown: Shown): boolean {
  const rows = candidatesOf(shown);
  chosen = new Set(rows.slice(0, CHOSEN).map(({ row }) => row));
  active = 0;
  return rows.length > 1 && shown.item.predicted !== null;
}

export interface AlikeParts {
  shown: Shown;
  confirm: (rows: string[], label: string) => void;
  close: () => void;
}

export function drawAlike({ shown, confirm, close }: AlikeParts): TemplateResult {
  const rows = candidatesOf(shown);
  const label = shown.item.predicted!;
  const accept = () =>
    confirm(
      rows.map(({ row }) => row).filter((row) => chosen.has(row)),
      label,
    );
  const toggle = (row: string | undefined) => {
    if (row === undefined) return;
    chosen = new Set(chosen);
    if (!chosen.delete(row)) chosen.add(row);
    draw();
  };
  const toggleAll = () => {
    chosen = chosen.size === rows.length ? new Set() : new Set(rows.map(({ row }) => row));
    draw();
  };
  const onKey = (event: KeyboardEvent) => {
    if (isTyped(event)) event.stopPropagation();
    const move = MOVES[event.key];
    if (move !== undefined) {
      active = Math.max(0, Math.min(rows.length - 1, active + move));
      draw();
    } else if (event.key === " ") toggle(rows[active]?.row);
    else if (event.key === "a" && !event.ctrlKey && !event.metaKey) toggleAll();
    else if (event.key === "Enter") accept();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  };
  return html`<section class="alike" aria-label="Rows like this one">
    <p>Confirm <strong dir="auto">${label}</strong> for ${chosen.size} of ${rows.length} rows that are alike:</p>
    <ul
      id="alike"
      role="listbox"
      tabindex="0"
      data-keys
      aria-multiselectable="true"
      aria-label=${`Rows to confirm as ${label}`}
      aria-activedescendant=${`alike-${active}`}
      @keydown=${onKey}
    >
      ${rows.map(
        ({ row, text, similarity }, i) => html`<li
          role="option"
          id=${`alike-${i}`}
          class=${i === active ? "active" : ""}
          aria-selected=${chosen.has(row)}
          @mousedown=${() => {
            active = i;
            toggle(row);
          }}
        ><span aria-hidden="true" class="box">${chosen.has(row) ? "☑" : "☐"}</span><span class="short" dir="auto">${text}</span><span class="share soft">${similarity === null ? "this" : `${Math.round(100 * similarity)} %`}</span></li>`,
      )}
    </ul>
    <div class="buttons">
      <vscode-button ?disabled=${chosen.size === 0} @click=${accept}>Confirm ${chosen.size} Rows</vscode-button>
      <vscode-button secondary @click=${close}>Cancel</vscode-button>
      <span class="soft"><kbd>space</kbd> choose · <kbd>a</kbd> all · <kbd>⏎</kbd> confirm</span>
    </div>
  </section>`;
}
