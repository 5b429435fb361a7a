/** Which keys belong to a part of the page; all others (F1, Ctrl+Tab, Ctrl+P) stay the editor's. */

const EDITING = /^(Backspace|Delete|Enter|Escape|Arrow(Up|Down|Left|Right)|Home|End|PageUp|PageDown)$/;

export function isTyped({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey && ([...key].length === 1 || EDITING.test(key));
}

/** Takes letters and arrows for itself: a field, a drop-down, a list with a `data-keys` of its own. */
export const takesKeys = (element: Element | null): boolean => element?.closest("input, select, [data-keys]") != null;

export const isPressed = (element: Element | null, { key }: KeyboardEvent): boolean =>
  (key === "Enter" || key === " ") && element?.closest("button, vscode-button, summary") != null;
