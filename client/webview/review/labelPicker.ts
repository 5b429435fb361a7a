/** Choosing among many labels by typing: a text field and a list box under it. */
import { h } from "../shared/dom.ts";
import { isTyped } from "./keys.ts";
import { searchLabels } from "./search.ts";

export interface LabelPicker {
  element: HTMLElement;
  focus(): void;
}

/** Rows shown at most: the rest is found by typing on. */
const SHOWN = 100;

export function createLabelPicker(
  labels: readonly string[],
  { pick, close }: { pick: (label: string) => void; close: () => void },
): LabelPicker {
  let found: string[] = [];
  let active = 0;
  const list = h("ul", { role: "listbox", id: "labels", "aria-label": "Labels" });
  const input = h("input", {
    type: "text",
    role: "combobox",
    placeholder: `Search ${labels.length} labels`,
    "aria-label": "Search labels",
    "aria-expanded": "true",
    "aria-controls": "labels",
    autocomplete: "off",
    spellcheck: "false",
  });

  function draw(): void {
    list.replaceChildren(
      ...found
        .slice(0, SHOWN)
        .map((label, i) =>
          h(
            "li",
            { role: "option", id: `label-${i}`, "aria-selected": String(i === active), mousedown: () => pick(label) },
            label,
          ),
        ),
    );
    if (found.length === 0) list.replaceChildren(h("li", { class: "soft" }, "No label fits."));
    if (found.length > SHOWN) list.append(h("li", { class: "soft" }, `and ${found.length - SHOWN} more`));
    input.setAttribute("aria-activedescendant", found.length > 0 ? `label-${active}` : "");
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }
  function search(): void {
    found = searchLabels(labels, input.value);
    active = 0;
    draw();
  }
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    // What is typed is no command of the editor.
    if (isTyped(event)) event.stopPropagation();
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const move = moves[event.key];
    if (move !== undefined) {
      active = Math.max(0, Math.min(Math.min(found.length, SHOWN) - 1, active + move));
      draw();
      event.preventDefault();
    } else if (event.key === "Enter" && !event.isComposing) {
      const label = found[active];
      if (label !== undefined) pick(label);
      event.preventDefault();
    } else if (event.key === "Escape") {
      close();
      event.preventDefault();
    }
  });
  search();
  return { element: h("div", { class: "picker" }, input, list), focus: () => input.focus() };
}
