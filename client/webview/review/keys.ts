/** Which keys belong to a field of the page; all others (F1, Ctrl+Tab, Ctrl+P) stay the editor's. */

const EDITING = /^(Backspace|Delete|Enter|Escape|Arrow(Up|Down|Left|Right)|Home|End|PageUp|PageDown)$/;

export function isTyped({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey && ([...key].length === 1 || EDITING.test(key));
}
