/** A list of which only the rows in view are elements, however long it is. */
import { h } from "../shared/dom.ts";

const ROW = 22;
/** Browsers cap an element's height (Chromium near 33 million pixels). */
const TALLEST = 30_000_000;
const SPARE = 8;

export interface VirtualList {
  element: HTMLElement;
  /** Draws again; `selected` -1 for none. */
  draw(total: number, selected: number): void;
  /** Scrolls as little as it takes to have the row in view. */
  show(index: number): void;
  /** Rows in view. */
  inView(): { from: number; to: number };
}

export interface VirtualListOptions {
  label: string;
  /** Fills a row; called for rows in view only. */
  render: (index: number) => Node[];
  /** Called when other rows come into view. */
  onScroll: (from: number, to: number) => void;
  onPick: (index: number) => void;
}

export function createVirtualList({ label, render, onScroll, onPick }: VirtualListOptions): VirtualList {
  const space = h("div", { role: "presentation" });
  const element = h("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": label }, space);
  let total = 0;
  let selected = -1;

  const inView = () => ({
    from: Math.max(0, Math.floor(element.scrollTop / ROW)),
    to: Math.min(total - 1, Math.ceil((element.scrollTop + element.clientHeight) / ROW)),
  });

  function drawRows(): void {
    const { from, to } = inView();
    const rows: HTMLElement[] = [];
    for (let i = Math.max(0, from - SPARE); i <= Math.min(total - 1, to + SPARE); i++) {
      const row = h(
        "div",
        {
          class: "row",
          role: "option",
          id: `row-${i}`,
          "aria-selected": String(i === selected),
          "aria-posinset": i + 1,
          "aria-setsize": total,
          click: () => onPick(i),
        },
        ...render(i),
      );
      row.style.top = `${i * ROW}px`;
      rows.push(row);
    }
    space.replaceChildren(...rows);
    if (selected >= 0) element.setAttribute("aria-activedescendant", `row-${selected}`);
    else element.removeAttribute("aria-activedescendant");
  }

  let pending = false;
  element.addEventListener("scroll", () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      drawRows();
      const { from, to } = inView();
      onScroll(from, to);
    });
  });
  new ResizeObserver(() => {
    drawRows();
    const { from, to } = inView();
    onScroll(from, to);
  }).observe(element);

  return {
    element,
    inView,
    draw(count, chosen) {
      total = count;
      selected = chosen;
      space.style.height = `${Math.min(TALLEST, total * ROW)}px`;
      space.style.position = "relative";
      drawRows();
    },
    show(index) {
      const top = index * ROW;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + ROW > element.scrollTop + element.clientHeight) {
        element.scrollTop = top + ROW - element.clientHeight;
      }
    },
  };
}
