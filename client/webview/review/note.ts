/** A note that goes with the next decision on the row. */
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { isTyped } from "./keys.ts";

export interface NoteParts {
  note: string;
  keep: (note: string) => void;
  close: () => void;
}

export function drawNote({ note, keep, close }: NoteParts): TemplateResult {
  const onKey = (event: KeyboardEvent) => {
    if (isTyped(event)) event.stopPropagation();
    if (event.key !== "Escape" && (event.key !== "Enter" || event.isComposing)) return;
    if (event.key === "Escape") keep("");
    close();
    event.preventDefault();
  };
  return html`<div class="note-field">
    <label for="note">Note, recorded with your decision on this row</label>
    <input
      id="note"
      type="text"
      maxlength="10000"
      autocomplete="off"
      .value=${live(note)}
      @input=${(event: Event) => keep((event.target as HTMLInputElement).value)}
      @keydown=${onKey}
    />
    <p class="soft"><kbd>⏎</kbd> keep, <kbd>Esc</kbd> discard</p>
  </div>`;
}
