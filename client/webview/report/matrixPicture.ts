/** What a confusion matrix looks like, drawn by a pen: on a canvas for the screen, or as SVG. */
import { whole } from "../shared/numbers.ts";
import type { MatrixCell } from "./cells.ts";
import type { Place, View } from "./view.ts";

export interface Picture {
  /** Given labels from above, predicted ones from the left. */
  lines: readonly number[];
  columns: readonly number[];
  cells: readonly MatrixCell[];
  /** Rows by given label. */
  given: readonly number[];
  labelOf(label: number): string;
  /** Shade by the share of the given label's rows; else by rows. */
  byShare: boolean;
  view: View;
  /** Cells that are marked. */
  marks: readonly Place[];
}

interface Pen {
  /** @param colour here and in `text`: "back" is the background's */
  rect(x: number, y: number, width: number, height: number, colour: string, alpha: number): void;
  frame(x: number, y: number, width: number, height: number, colour: string): void;
  /** @param turned upwards along the columns */
  text(x: number, y: number, text: string, colour: string, align: "start" | "middle" | "end", turned?: boolean): void;
}

export interface Colours {
  right: string;
  wrong: string;
  words: string;
  line: string;
  focus: string;
}

function coloursOf(element: Element): Colours {
  const styles = getComputedStyle(element);
  const first = (...names: string[]) =>
    names.map((name) => styles.getPropertyValue(name).trim()).find((value) => value !== "") ?? styles.color;
  return {
    right: first("--vscode-charts-blue"),
    wrong: first("--vscode-charts-red"),
    words: first("--vscode-foreground"),
    line: first("--vscode-contrastBorder", "--vscode-widget-border", "--vscode-charts-lines"),
    focus: first("--vscode-focusBorder"),
  };
}

/** Pixels of a cell from which on labels stand beside the lines, and numbers in the cells. */
const NAMED = 10;
const NUMBERED = 24;
/** Opacity of a cell from which on the background's colour is easier to read on it than that of words, in each theme. */
const DEEP = 0.75;
const LETTER = 6.2;

/** Pixels to the left and above: for the labels' names where they can be read. */
export function marginOf({ view }: Picture, width: number): number {
  const wide = Math.min(150, width * 0.26);
  return (width - wide) / view.span >= NAMED ? wide : 14;
}

export function drawMatrix(picture: Picture, width: number, colours: Colours, pen: Pen): void {
  const { lines, columns, cells, given, byShare, view, marks, labelOf } = picture;
  const margin = marginOf(picture, width);
  const size = (width - margin) / view.span;
  const across = (column: number): number => margin + (column - view.x) * size;
  const down = (line: number): number => margin + (line - view.y) * size;
  const seen = (place: number, from: number): boolean => place > from - 1 && place < from + view.span;
  const lineOf = new Map(lines.map((label, i) => [label, i]));
  const columnOf = new Map(columns.map((label, i) => [label, i]));
  const largest = Math.max(1, ...cells.map(({ count }) => count));
  const least = Math.max(size, 2);
  const gap = size > 6 ? 0.5 : 0;
  for (const { given: g, predicted, count } of cells) {
    const line = lineOf.get(g)!;
    const column = columnOf.get(predicted)!;
    if (!seen(line, view.y) || !seen(column, view.x)) continue;
    const part = byShare ? count / given[g]! : count / largest;
    const colour = g === predicted ? colours.right : colours.wrong;
    const alpha = 0.22 + 0.78 * Math.sqrt(part);
    pen.rect(across(column) + gap, down(line) + gap, least - 2 * gap, least - 2 * gap, colour, alpha);
    if (size < NUMBERED) continue;
    const words = alpha > DEEP ? "back" : colours.words;
    pen.text(across(column) + size / 2, down(line) + size / 2, whole(count), words, "middle");
  }
  for (const { line, column } of marks) {
    if (!seen(line, view.y) || !seen(column, view.x)) continue;
    pen.rect(margin, down(line), width - margin, least, colours.words, 0.07);
    pen.rect(across(column), margin, least, width - margin, colours.words, 0.07);
    pen.frame(across(column) - 1.5, down(line) - 1.5, least + 3, least + 3, colours.focus);
  }
  // What reaches beyond the upper and left edges is covered by the names.
  pen.rect(0, 0, width, margin, "back", 1);
  pen.rect(0, 0, margin, width, "back", 1);
  pen.frame(margin, margin, width - margin, width - margin, colours.line);
  if (size < NAMED) {
    pen.text(margin, 8, "predicted →", colours.words, "start");
    pen.text(8, margin + 4, "label in the data ←", colours.words, "end", true);
    return;
  }
  const letters = Math.floor((margin - 8) / LETTER);
  // Names of one family begin alike: what is left out is in the middle.
  const short = (name: string): string => {
    const all = [...name.replaceAll(/\s+/g, " ")];
    if (all.length <= letters) return all.join("");
    const tail = Math.floor(letters * 0.45);
    return `${all.slice(0, letters - tail - 1).join("")}…${all.slice(-tail).join("")}`;
  };
  const inside = (at: number): boolean => at >= margin && at <= width;
  lines.forEach((label, i) => {
    const at = down(i) + size / 2;
    if (inside(at)) pen.text(margin - 5, at, short(labelOf(label)), colours.words, "end");
  });
  columns.forEach((label, i) => {
    const at = across(i) + size / 2;
    if (inside(at)) pen.text(at, margin - 5, short(labelOf(label)), colours.words, "start", true);
  });
}

const FONT_SIZE = 11;

export function paint(canvas: HTMLCanvasElement, width: number, picture: Picture, back: string): void {
  const sharp = Math.max(1, devicePixelRatio);
  const pixels = Math.round(width * sharp);
  if (canvas.width !== pixels) {
    canvas.width = pixels;
    canvas.height = pixels;
    canvas.style.width = `${width}px`;
  }
  canvas.dataset.margin = String(marginOf(picture, width));
  const context = canvas.getContext("2d")!;
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  context.globalAlpha = 1;
  context.fillStyle = back;
  context.fillRect(0, 0, width, width);
  context.font = `${FONT_SIZE}px ${getComputedStyle(canvas).fontFamily}`;
  context.textBaseline = "middle";
  drawMatrix(picture, width, coloursOf(canvas), {
    rect(x, y, w, h, colour, alpha) {
      context.globalAlpha = alpha;
      context.fillStyle = colour === "back" ? back : colour;
      context.fillRect(x, y, w, h);
      context.globalAlpha = 1;
    },
    frame(x, y, w, h, colour) {
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.strokeRect(x, y, w, h);
    },
    text(x, y, text, colour, align, turned) {
      context.save();
      context.translate(x, y);
      if (turned) context.rotate(-Math.PI / 2);
      context.fillStyle = colour === "back" ? back : colour;
      context.textAlign = align === "middle" ? "center" : align;
      context.fillText(text, 0, 0);
      context.restore();
    },
  });
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The same as SVG. @param beside an element whose colours and font it takes */
export function pictureSvg(picture: Picture, width: number, back: string, beside: Element): string {
  const parts: string[] = [];
  const styles = getComputedStyle(beside);
  const round = (value: number): string => value.toFixed(1);
  drawMatrix(picture, width, coloursOf(beside), {
    rect: (x, y, w, h, colour, alpha) =>
      parts.push(
        `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${escaped(colour === "back" ? back : colour)}" fill-opacity="${round(alpha)}"/>`,
      ),
    frame: (x, y, w, h, colour) =>
      parts.push(
        `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="none" stroke="${escaped(colour)}"/>`,
      ),
    text: (x, y, text, colour, align, turned) =>
      parts.push(
        `<text x="${round(x)}" y="${round(y)}" fill="${escaped(colour === "back" ? back : colour)}" text-anchor="${align}" dominant-baseline="central"${turned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : ""}>${escaped(text)}</text>`,
      ),
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${width}" font-family="${escaped(styles.fontFamily)}" font-size="${FONT_SIZE}"><rect width="100%" height="100%" fill="${escaped(back)}"/>${parts.join("")}</svg>`;
}
