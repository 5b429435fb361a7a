/** A figure over time, as lines. */
import { dot, lineY, plot, pointerX, tip } from "@observablehq/plot";
import { drawn, type Figure, figureWords, overDecades, type Point } from "./figures.ts";

const COLOURS = ["blue", "yellow", "green", "purple", "red"].map((name) => `var(--vscode-charts-${name})`);
export const colourOf = (line: number): string => COLOURS[line % COLOURS.length]!;
/** Besides their colours, lines differ by their dashes. */
export const DASHES = ["", "5 3", "1 3", "8 3 1 3"];
export const dashOf = (line: number): string => DASHES[Math.floor(line % DASHES.length)]!;

interface Drawn extends Point {
  line: number;
}

/** A chart in words, for those who do not see it. */
function chartWords({ name, axis, series }: Figure): string {
  const lines = series.map(({ name: of, last, low, high, count }) => {
    const at = axis === "report" ? `after ${count} reports` : `at ${axis} ${figureWords(last.x)}`;
    return `${of === "" ? "" : `${of}: `}${figureWords(last.y)} ${at}, lowest ${figureWords(low)}, highest ${figureWords(high)}`;
  });
  return `${name}. ${lines.join("; ")}`;
}

export function chart(figure: Figure, width: number): ReturnType<typeof plot> {
  const lines = figure.series.map((series, line) => drawn(series).map((point): Drawn => ({ ...point, line })));
  const all = lines.flat();
  const words = ({ line, x, y }: Drawn) => {
    const of = figure.series[line]!.name;
    return `${of === "" ? figure.name : of}: ${figureWords(y)}\n${figure.axis} ${figureWords(x)}`;
  };
  const made = plot({
    width,
    height: 200,
    marginLeft: 52,
    marginRight: 24,
    marginTop: 12,
    x: {
      label: figure.axis,
      ticks: Math.max(2, Math.floor(width / 90)),
      ...(overDecades(figure) ? { type: "log", tickFormat: "~g" } : {}),
    },
    y: { label: null, ticks: 4, grid: true, nice: true },
    marks: [
      ...lines.map((points, line) =>
        lineY(points, {
          x: "x",
          y: "y",
          stroke: colourOf(line),
          strokeWidth: 1.5,
          ...(dashOf(line) === "" ? {} : { strokeDasharray: dashOf(line) }),
        }),
      ),
      dot(
        lines.flatMap((points) => points.slice(-1)),
        { x: "x", y: "y", r: 2.5, fill: ({ line }: Drawn) => colourOf(line) },
      ),
      tip(all, pointerX({ x: "x", y: "y", title: words, fill: "var(--vscode-editorHoverWidget-background)" })),
    ],
  });
  // Colours and words come from our style sheet: the page's policy allows no other. Names of marks say nothing to a reader.
  for (const style of made.querySelectorAll("style")) style.remove();
  for (const part of made.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  for (const part of made.children) part.setAttribute("aria-hidden", "true");
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", chartWords(figure));
  return made;
}
