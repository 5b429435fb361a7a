/** The two plots: rows by label and by length of text, per split. A bar is a button that filters. */
import { barX, plot, rectY } from "@observablehq/plot";
import type { PreviewProfile } from "../../../schemas/preview.ts";
import { whole } from "../shared/numbers.ts";
import { type Drawn, plain } from "../shared/plot.ts";

const COLOURS = ["blue", "yellow", "green", "purple", "orange", "red"].map((name) => `var(--vscode-charts-${name})`);
export const colourOf = (split: number): string => COLOURS[split % COLOURS.length]!;

const LONGEST_TICK = 22;
const short = (text: string): string => {
  const letters = [...text.replaceAll(/\s+/g, " ")];
  return letters.length > LONGEST_TICK ? `${letters.slice(0, LONGEST_TICK - 1).join("")}…` : letters.join("");
};
export const named = (value: string): string => (value === "" ? "(empty)" : value);

interface Bar {
  label: string;
  chosen: boolean;
  pick: () => void;
}

/** Makes the invisible bars over the plot buttons: one is reached by Tab, the others from it by the arrows. */
function makeButtons(drawn: Drawn, bars: readonly Bar[], name: string): void {
  drawn.setAttribute("role", "group");
  drawn.setAttribute("aria-label", name);
  for (const text of drawn.querySelectorAll("text")) text.parentElement?.setAttribute("aria-hidden", "true");
  const rects = [...drawn.querySelectorAll<SVGRectElement>(".hit rect")];
  for (const [i, rect] of rects.entries()) {
    const bar = bars[i]!;
    rect.setAttribute("role", "button");
    rect.setAttribute("tabindex", i === 0 ? "0" : "-1");
    rect.setAttribute("aria-pressed", String(bar.chosen));
    rect.setAttribute("aria-label", bar.label);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = bar.label;
    rect.append(title);
    rect.addEventListener("click", bar.pick);
    rect.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (event.key === "Enter" || event.key === " ") bar.pick();
      else if (step) {
        const to = rects[i + step];
        if (!to) return;
        rect.setAttribute("tabindex", "-1");
        to.setAttribute("tabindex", "0");
        to.focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}

export interface PlotOptions {
  width: number;
  splits: readonly string[];
  name: string;
}

export function labelPlot(
  { bars }: NonNullable<PreviewProfile["labels"]>,
  chosen: readonly string[],
  pick: (value: string) => void,
  { width, splits, name }: PlotOptions,
): Drawn {
  const parts = bars.flatMap(({ value, rows }) =>
    rows.map((n, i) => ({ value, rows: n, split: String(i), faint: chosen.length > 0 && !chosen.includes(value) })),
  );
  const most = Math.max(1, ...bars.map(({ rows }) => rows.reduce((a, b) => a + b, 0)));
  const drawn = plain(
    plot({
      width,
      height: bars.length * 19 + 30,
      marginLeft: Math.min(150, 16 + 7 * Math.max(4, ...bars.map(({ value }) => short(named(value)).length))),
      marginTop: 24,
      marginBottom: 6,
      marginRight: 20,
      // Many labels are scrolled through: above them their scale stays in sight.
      x: { axis: "top", label: null, ticks: 4, tickFormat: whole, domain: [0, most] },
      y: {
        label: null,
        domain: bars.map(({ value }) => value),
        tickFormat: (value: string) => short(named(value)),
        tickSize: 0,
        padding: 0.25,
      },
      color: { domain: splits.map((_, i) => String(i)), range: splits.map((_, i) => colourOf(i)) },
      marks: [
        barX(parts, {
          x: "rows",
          y: "value",
          fill: "split",
          fillOpacity: ({ faint }: { faint: boolean }) => (faint ? 0.35 : 1),
        }),
        barX(bars, { x1: 0, x2: () => most, y: "value", fill: "transparent", className: "hit" }),
      ],
    }),
  );
  const buttons = bars.map(({ value, rows }): Bar => {
    const by = splits.length > 1 ? `: ${splits.map((split, i) => `${split} ${whole(rows[i]!)}`).join(", ")}` : "";
    return {
      label: `${named(value)}, ${whole(rows.reduce((a, b) => a + b, 0))} rows${by}`,
      chosen: chosen.includes(value),
      pick: () => pick(value),
    };
  });
  makeButtons(drawn, buttons, name);
  return drawn;
}

export function lengthPlot(
  { edges, bins }: NonNullable<PreviewProfile["lengths"]>,
  chosen: { min: number | null; max: number | null } | undefined,
  pick: (min: number, max: number | null) => void,
  { width, splits, name }: PlotOptions,
): Drawn {
  const step = edges[1]! - edges[0]!;
  const bars = edges.map((from, i) => {
    const max = i === edges.length - 1 ? null : from + step - 1;
    const rows = bins.map((split) => split[i]!);
    return { from, to: from + step, max, rows, total: rows.reduce((a, b) => a + b, 0) };
  });
  const isChosen = (bar: (typeof bars)[number]) => chosen?.min === bar.from && chosen.max === bar.max;
  const parts = bars.flatMap((bar) =>
    bar.rows.map((rows, i) => ({ ...bar, rows, split: String(i), faint: chosen !== undefined && !isChosen(bar) })),
  );
  const most = Math.max(1, ...bars.map(({ total }) => total));
  const drawn = plain(
    plot({
      width,
      height: 180,
      marginLeft: 44,
      marginTop: 20,
      marginRight: 20,
      x: { label: "characters", ticks: 6 },
      y: { label: "rows", ticks: 4, tickFormat: "~s", domain: [0, most] },
      color: { domain: splits.map((_, i) => String(i)), range: splits.map((_, i) => colourOf(i)) },
      marks: [
        rectY(parts, {
          x1: "from",
          x2: "to",
          y: "rows",
          fill: "split",
          inset: 0.5,
          fillOpacity: ({ faint }: { faint: boolean }) => (faint ? 0.35 : 1),
        }),
        rectY(bars, { x1: "from", x2: "to", y1: 0, y2: () => most, fill: "transparent", className: "hit" }),
      ],
    }),
  );
  const buttons = bars.map((bar): Bar => {
    const range = bar.max === null ? `${whole(bar.from)} or more` : `${whole(bar.from)} to ${whole(bar.max)}`;
    return {
      label: `${range} characters, ${whole(bar.total)} rows`,
      chosen: isChosen(bar),
      pick: () => pick(bar.from, bar.max),
    };
  });
  makeButtons(drawn, buttons, name);
  return drawn;
}
