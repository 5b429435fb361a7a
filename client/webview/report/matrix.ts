/**
 * The confusion matrix, drawn on a canvas: hundreds of labels at once, in an order that brings what is confused together; zoomed,
 * walked by keys, a cell's rows on demand.
 */
import { html, nothing, render } from "lit";
import type { ReportedRows } from "../../../schemas/reportPanel.ts";
import { percent, whole } from "../shared/numbers.ts";
import { type MatrixCell, matrixOf, ORDERS, type Order, orderLabels } from "./cells.ts";
import { fileName, pictureButtons } from "./figure.ts";
import { type Picture, paint, pictureSvg } from "./matrixPicture.ts";
import { backgroundOf, canvasBlob } from "./picture.ts";
import type { Surroundings } from "./surroundings.ts";
import { inView, type Place, type View, zoomed } from "./view.ts";

export interface MatrixOptions {
  caption: string;
  labels: readonly string[];
  reported: ReportedRows;
  /** Model and target. */
  name: string;
  /** Shows the rows of a cell. */
  showRows(given: number, predicted: number): void;
}

const WIDEST = 760;
/** Above this many labels the first look is at those confused with each other. */
const LARGE = 12;

export const NO_ANSWER = "no answer";

export function matrix({ caption, labels, reported, name, showRows }: MatrixOptions, at: Surroundings): HTMLElement {
  const { kept } = at;
  const counted = matrixOf(reported, labels.length);
  const figure = document.createElement("figure");
  figure.className = "matrix";
  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "confusion matrix");
  const readout = document.createElement("p");
  readout.className = "readout-line";
  readout.setAttribute("role", "status");

  let order = kept.get<Order>(`matrix order ${name}`, labels.length > LARGE ? "alike" : "list");
  let byShare = kept.get(`matrix share ${name}`, true);
  let lines: number[] = [];
  /** Predicted labels, −1 for no answer last. */
  let columns: number[] = [];
  let cells = new Map<string, MatrixCell>();
  let view: View = { x: 0, y: 0, span: 1 };
  let active: Place | null = null;
  let pointed: Place | null = null;

  const key = (given: number, predicted: number): string => `${given} ${predicted}`;
  const labelOf = (label: number): string => (label < 0 ? NO_ANSWER : labels[label]!);
  const most = (): number => Math.max(lines.length, columns.length);

  function arrange(): void {
    lines = orderLabels(counted, labels, order);
    columns = counted.unanswered > 0 ? [...lines, -1] : lines;
    cells = new Map(counted.cells.map((cell) => [key(cell.given, cell.predicted), cell]));
    view = kept.get<View>(`matrix view ${name}`, { x: 0, y: 0, span: most() });
    if (!(view.span <= most())) view = { x: 0, y: 0, span: most() };
  }

  function look(next: View): void {
    view = next;
    kept.set(`matrix view ${name}`, view);
    repaint();
  }

  const picture = (): Picture => ({
    lines,
    columns,
    cells: counted.cells,
    given: counted.given,
    labelOf,
    byShare,
    view,
    marks: [active, pointed].filter((mark) => mark !== null),
  });

  let asked = 0;
  /** Once a frame, however often it is asked for. */
  function repaint(): void {
    if (asked) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      paintNow();
    });
  }
  function paintNow(): void {
    const width = Math.floor(Math.min(WIDEST, figure.clientWidth));
    if (width > 0) paint(canvas, width, picture(), backgroundOf(figure));
  }
  /** At once, unlike the picture: what is read is the cell that the next key is for. */
  function say(): void {
    const shown = pointed ?? active;
    const said = shown ? cellWords(shown) : hint;
    // A status that is written again is read out again.
    if (readout.textContent !== said) readout.textContent = said;
  }

  function cellWords({ line, column }: Place): string {
    const [given, predicted] = [lines[line]!, columns[column]!];
    const rows = cells.get(key(given, predicted))?.count ?? 0;
    const all = counted.given[given]!;
    const part = all > 0 ? ` (${percent(rows / all)} of ${whole(all)})` : "";
    const what = given === predicted ? "right" : `predicted as “${labelOf(predicted)}”`;
    return `“${labelOf(given)}”, ${what}: ${whole(rows)} ${rows === 1 ? "row" : "rows"}${part}`;
  }
  const hint =
    "Lines are the labels of the data, columns the predictions. Arrow keys walk, N goes to the next error, + and − zoom, Enter shows the rows.";

  function activate(next: Place): void {
    active = {
      line: Math.min(lines.length - 1, Math.max(0, next.line)),
      column: Math.min(columns.length - 1, Math.max(0, next.column)),
    };
    view = inView(view, active);
    say();
    repaint();
  }
  const open = (): void => {
    if (active) showRows(lines[active.line]!, columns[active.column]!);
  };

  /** Wrong cells, most rows first, as places on screen. */
  function errors(): Place[] {
    const lineOf = new Map(lines.map((label, i) => [label, i]));
    const columnOf = new Map(columns.map((label, i) => [label, i]));
    return counted.cells
      .filter(({ given, predicted }) => given !== predicted)
      .sort((a, b) => b.count - a.count || a.given - b.given)
      .map(({ given, predicted }) => ({ line: lineOf.get(given)!, column: columnOf.get(predicted)! }));
  }
  function goToError(step: number): void {
    const all = errors();
    if (all.length === 0) return;
    const here = all.findIndex(({ line, column }) => line === active?.line && column === active.column);
    activate(all[here < 0 ? (step > 0 ? 0 : all.length - 1) : (here + step + all.length) % all.length]!);
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { line, column } = active ?? { line: 0, column: 0 };
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) activate(active ? { line: line + step[0]!, column: column + step[1]! } : { line, column });
    else if (event.key === "Home") activate({ line, column: 0 });
    else if (event.key === "End") activate({ line, column: columns.length - 1 });
    else if (event.key === "d") activate({ line, column: line });
    else if (event.key === "n") goToError(1);
    else if (event.key === "p") goToError(-1);
    else if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0") look({ x: 0, y: 0, span: most() });
    else if (event.key === "Enter" || event.key === " ") open();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const zoom = (factor: number): void => {
    const middle = active ? { x: active.column + 0.5, y: active.line + 0.5 } : undefined;
    look(zoomed(view, factor, most(), middle));
  };

  /** The cell below the pointer; null beside the matrix. */
  function under(event: MouseEvent): Place | null {
    const { left, top, width } = canvas.getBoundingClientRect();
    const side = Number(canvas.dataset.margin);
    const size = (width - side) / view.span;
    const column = Math.floor(view.x + (event.clientX - left - side) / size);
    const line = Math.floor(view.y + (event.clientY - top - side) / size);
    const inside = event.clientX - left >= side && event.clientY - top >= side;
    return inside && line >= 0 && column >= 0 && line < lines.length && column < columns.length
      ? { line, column }
      : null;
  }

  let dragged: { x: number; y: number; from: View; moved: boolean } | null = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    dragged = { x: event.clientX, y: event.clientY, from: view, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (dragged) {
      const size = (canvas.clientWidth - Number(canvas.dataset.margin)) / view.span;
      const [across, down] = [event.clientX - dragged.x, event.clientY - dragged.y];
      dragged.moved ||= Math.hypot(across, down) > 4;
      if (dragged.moved) {
        const { x, y, span } = dragged.from;
        look(zoomed({ x: x - across / size, y: y - down / size, span }, 1, most()));
      }
    }
    pointed = dragged?.moved ? null : under(event);
    say();
    repaint();
  });
  canvas.addEventListener("pointerup", (event) => {
    const click = dragged && !dragged.moved ? under(event) : null;
    dragged = null;
    if (!click) return;
    activate(click);
    open();
  });
  canvas.addEventListener("pointerleave", () => {
    pointed = null;
    say();
    repaint();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      // Without Ctrl the page scrolls.
      if (!event.ctrlKey) return;
      event.preventDefault();
      const place = under(event);
      look(
        zoomed(view, event.deltaY > 0 ? 1.25 : 0.8, most(), place && { x: place.column + 0.5, y: place.line + 0.5 }),
      );
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", onKey);
  canvas.addEventListener("focus", () => {
    if (!active) goToError(1);
  });

  function draw(): void {
    const seen = lines.length;
    canvas.setAttribute(
      "aria-label",
      `${caption}: ${whole(seen)} labels. ${hint} The same as a table: Most often confused.`,
    );
    render(
      html`<figcaption>
          <span>${caption}</span>
          <label
            >order
            <select
              @change=${(event: Event) => {
                order = (event.target as HTMLSelectElement).value as Order;
                kept.set(`matrix order ${name}`, order);
                kept.set(`matrix view ${name}`, { x: 0, y: 0, span: most() });
                active = null;
                arrange();
                draw();
              }}
            >
              ${Object.entries(ORDERS).map(([value, words]) => html`<option value=${value} ?selected=${value === order}>${words}</option>`)}
            </select></label
          >
          <label
            >shade
            <select
              @change=${(event: Event) => {
                byShare = (event.target as HTMLSelectElement).value === "share";
                kept.set(`matrix share ${name}`, byShare);
                repaint();
              }}
            >
              <option value="share" ?selected=${byShare}>share of the label</option>
              <option value="rows" ?selected=${!byShare}>rows</option>
            </select></label
          >
          <span class="tools">
            <button type="button" aria-label="Zoom in: ${caption}" @click=${() => zoom(0.5)}>+</button>
            <button type="button" aria-label="Zoom out: ${caption}" @click=${() => zoom(2)}>−</button>
            <button type="button" aria-label="Show all: ${caption}" @click=${() => look({ x: 0, y: 0, span: most() })}>all</button>
          </span>
          ${pictureButtons(caption, {
            svg: async () =>
              at.save(fileName(`confusion ${name}`), "svg", new Blob([matrixSvg()], { type: "image/svg+xml" })),
            png: async () => at.save(fileName(`confusion ${name}`), "png", await canvasBlob(canvas)),
          })}
        </figcaption>
        ${canvas}${readout}${
          counted.cells.length === 0 ? html`<p class="soft">There is no row to show.</p>` : nothing
        }`,
      figure,
    );
    say();
    paintNow();
  }
  const matrixSvg = (): string =>
    pictureSvg(picture(), Math.floor(Math.min(WIDEST, figure.clientWidth)), backgroundOf(figure), figure);

  arrange();
  draw();
  new ResizeObserver(repaint).observe(figure);
  // Colours are the theme's, and on paper those of paper.
  new MutationObserver(repaint).observe(document.documentElement, { attributes: true });
  new MutationObserver(repaint).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  matchMedia("print").addEventListener("change", paintNow);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  addEventListener("beforeprint", paintNow);
  addEventListener("afterprint", paintNow);
  return figure;
}
