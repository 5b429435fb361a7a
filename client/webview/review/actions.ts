/** What can be done with the row on screen, each with its key: buttons for the mouse and for screen readers. */
import { html, type TemplateResult } from "lit";
import type { Doing } from "./messages.ts";

const ACTIONS: readonly (readonly [key: string, words: string, action: Doing])[] = [
  ["⏎", "confirm", "confirm"],
  ["/", "search", "search"],
  ["n", "none", "none"],
  ["s", "skip", "skip"],
  ["⌫", "undo", "undo"],
  ["a", "alike", "alike"],
  ["p", "pair", "pair"],
  ["c", "note", "note"],
  ["o", "open", "open"],
  ["f", "filters", "filters"],
  ["i", "progress", "progress"],
];

export const drawActions = (act: (action: Doing) => void): TemplateResult =>
  html`<div class="actions" role="toolbar" aria-label="Decide">
    ${ACTIONS.map(
      ([key, words, action]) =>
        html`<button type="button" @click=${() => act(action)}><kbd>${key}</kbd> ${words}</button>${
          action === "confirm" ? html`<span class="soft"><kbd>1–9</kbd> choose</span>` : ""
        }`,
    )}
  </div>`;
