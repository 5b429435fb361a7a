/** The report's plots. */
import { areaY, dot, line, lineY, plot, rectY, ruleX, ruleY, text } from "@observablehq/plot";
import type { Comparison, LearningCurve, TargetReport } from "../../../schemas/report.ts";
import { CONFIDENCE_UNIT, type ReportedRows, type TrainingSeries } from "../../../schemas/reportPanel.ts";
import { percent, whole } from "../shared/numbers.ts";
import type { Drawn } from "../shared/plot.ts";
import { type AtThreshold, costOf, type Prices, thinned, wilson } from "./curve.ts";
import { type LegendPlaces, placeLegend } from "./legendPlaces.ts";
import { seriesColour, seriesDash, trainingLegend } from "./trainingSeries.ts";
import { shortened } from "./words.ts";

const colour = (name: string): string => `var(--vscode-charts-${name})`;
const LINES = "var(--vscode-charts-lines, var(--line))";
const RIGHT = colour("blue");
const WRONG = colour("red");
const MOST_POINTS = 800;

const whenPercent = (value: number): string => `${Math.round(100 * value * 10) / 10} %`;

/** Names of colours, in lines at the top. */
function legend(drawn: Drawn, { entries }: LegendPlaces): Drawn {
  const ns = "http://www.w3.org/2000/svg";
  for (const { name, words, colour: of, dash, x, y } of entries) {
    const mark = document.createElementNS(ns, "line");
    const at = { x1: x, x2: x + 14, y1: y, y2: y, "stroke-width": dash === undefined ? 4 : 2 };
    for (const [key, value] of Object.entries(at)) mark.setAttribute(key, String(value));
    mark.setAttribute("stroke", of);
    if (dash !== undefined) mark.setAttribute("stroke-dasharray", dash);
    const label = document.createElementNS(ns, "text");
    label.setAttribute("x", String(x + 18));
    label.setAttribute("y", String(y + 4));
    label.setAttribute("text-anchor", "start");
    label.textContent = words;
    if (words !== name) {
      const title = document.createElementNS(ns, "title");
      title.textContent = name;
      label.append(title);
    }
    drawn.append(mark, label);
  }
  return drawn;
}

// ── Does the confidence mean what it says? ──────────────────────────────────────────────────────────────────────────

/** Bins with rows in them, their share of right rows with its interval. */
function binsOf({ calibration }: TargetReport) {
  return calibration.bins.flatMap(({ count, confidence, accuracy }) =>
    count > 0 && confidence !== null && accuracy !== null
      ? [{ count, confidence, accuracy, ...wilson(Math.round(accuracy * count), count) }]
      : [],
  );
}

export const reliabilityWords = (report: TargetReport): string =>
  binsOf(report)
    .map(
      ({ confidence, accuracy, count }) =>
        `confidence ${percent(confidence)}, right ${percent(accuracy)}, ${whole(count)} rows`,
    )
    .join("; ");

/** Accuracy against confidence by bin: on the diagonal a confidence means what it says. */
export function reliability(report: TargetReport, width: number): Drawn {
  const bins = binsOf(report);
  const most = Math.max(1, ...bins.map(({ count }) => count));
  return plot({
    width,
    height: width,
    marginLeft: 44,
    marginBottom: 36,
    marginTop: 16,
    x: { domain: [0, 1], label: "confidence", labelArrow: "none", labelAnchor: "center", ticks: 5, tickFormat: "%" },
    y: { domain: [0, 1], label: null, ticks: 5, tickFormat: "%", grid: true },
    marks: [
      line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: LINES, strokeDasharray: "4 3" },
      ),
      ruleX(bins, { x: "confidence", y1: "low", y2: "high", stroke: RIGHT, strokeOpacity: 0.6 }),
      dot(bins, {
        x: "confidence",
        y: "accuracy",
        r: ({ count }: { count: number }) => 2 + 7 * Math.sqrt(count / most),
        fill: RIGHT,
        fillOpacity: 0.8,
      }),
      text(bins, {
        x: "confidence",
        y: "accuracy",
        text: ({ count }: { count: number }) => whole(count),
        textAnchor: "end",
        dx: -9,
        dy: -7,
      }),
      text([0], { frameAnchor: "top-left", text: () => "share right", dx: 4, dy: -12 }),
    ],
    r: { type: "identity" },
  });
}

/** Bins of confidence with the rows that are right and wrong in them. */
export function confidenceBins({ given, predicted, confidence }: ReportedRows, bins: number) {
  const found = Array.from({ length: bins }, (_, i) => ({ low: i / bins, high: (i + 1) / bins, right: 0, wrong: 0 }));
  for (let i = 0; i < given.length; i++) {
    if (predicted[i]! < 0) continue;
    const bin = found[Math.min(bins - 1, Math.floor((confidence[i]! * bins) / CONFIDENCE_UNIT))]!;
    if (given[i] === predicted[i]) bin.right++;
    else bin.wrong++;
  }
  return found;
}
type ConfidenceBin = ReturnType<typeof confidenceBins>[number];

export const histogramWords = (bins: readonly ConfidenceBin[]): string =>
  bins
    .filter(({ right, wrong }) => right + wrong > 0)
    .map(
      ({ low, high, right, wrong }) =>
        `${percent(low)} to ${percent(high)}: ${whole(right)} right, ${whole(wrong)} wrong`,
    )
    .join("; ");

export function histogram(bins: readonly ConfidenceBin[], width: number): Drawn {
  const inset = bins.length > 30 ? 0 : 0.5;
  const drawn = plot({
    width,
    height: width * 0.8,
    marginLeft: 48,
    marginBottom: 36,
    marginTop: 24,
    x: { domain: [0, 1], label: "confidence", labelArrow: "none", labelAnchor: "center", ticks: 5, tickFormat: "%" },
    y: { label: null, ticks: 5, tickFormat: "~s", grid: true },
    marks: [
      rectY(bins, { x1: "low", x2: "high", y1: 0, y2: "wrong", fill: WRONG, inset }),
      rectY(bins, {
        x1: "low",
        x2: "high",
        y1: "wrong",
        y2: (bin: ConfidenceBin) => bin.wrong + bin.right,
        fill: RIGHT,
        inset,
      }),
      ruleY([0], { stroke: LINES }),
    ],
  });
  const names = [
    { name: "right", colour: RIGHT },
    { name: "wrong", colour: WRONG },
  ];
  return legend(drawn, placeLegend(names, 48, width));
}

// ── Accept rule ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface RiskPlot {
  points: readonly AtThreshold[];
  /** What the accept rule did on these rows. */
  rule: { coverage: number; risk: number } | null;
  /** The share of wrong rows that the rule promises to stay under. */
  promised: number | null;
}

/** Rows from which on a curve is drawn: with fewer it is noise. */
const FEWEST = 10;

const drawnPoints = ({ points }: RiskPlot): AtThreshold[] =>
  thinned(
    points.filter(({ accepted }) => accepted >= FEWEST),
    MOST_POINTS,
  );

export function riskWords(given: RiskPlot): string {
  const { rule, promised } = given;
  const at = thinned(drawnPoints(given), 6).map(
    ({ coverage, risk }) => `${percent(coverage)} accepted, ${percent(risk!)} of those wrong`,
  );
  if (rule) at.push(`the accept rule: ${percent(rule.coverage)} accepted, ${percent(rule.risk)} of those wrong`);
  if (promised !== null) at.push(`the limit is ${percent(promised)}`);
  return at.join("; ");
}

/** Wrong rows among the accepted against accepted rows. */
export function riskCoverage(given: RiskPlot, width: number): Drawn {
  const { rule, promised } = given;
  const points = drawnPoints(given);
  const most = Math.max(
    ...points.map(({ risk }) => risk!),
    promised === null ? 0 : promised * 1.3,
    rule ? rule.risk * 1.2 : 0,
    0.01,
  );
  return plot({
    width,
    height: Math.min(320, width * 0.62),
    marginLeft: 52,
    marginBottom: 38,
    marginTop: 26,
    x: { domain: [0, 1], label: "accepted", labelArrow: "none", labelAnchor: "center", ticks: 5, tickFormat: "%" },
    y: { domain: [0, most], label: null, ticks: 5, tickFormat: whenPercent, grid: true },
    marks: [
      ...(promised === null
        ? []
        : [
            ruleY([promised], { stroke: WRONG, strokeDasharray: "4 3" }),
            text([promised], {
              y: (value: number) => value,
              frameAnchor: "left",
              text: () => "limit",
              textAnchor: "start",
              dx: 4,
              dy: -7,
            }),
          ]),
      areaY(points, { x: "coverage", y: "risk", fill: RIGHT, fillOpacity: 0.15 }),
      lineY(points, { x: "coverage", y: "risk", stroke: RIGHT, strokeWidth: 2 }),
      ...(rule
        ? [
            dot([rule], { x: "coverage", y: "risk", r: 5, fill: colour("green"), stroke: "var(--back)" }),
            text([rule], {
              x: "coverage",
              y: "risk",
              text: () => "accept rule",
              textAnchor: rule.coverage > 0.5 ? "end" : "start",
              dx: rule.coverage > 0.5 ? -9 : 9,
              dy: -9,
            }),
          ]
        : []),
      text([0], { frameAnchor: "top-left", text: () => "wrong of the accepted", dx: 0, dy: -16 }),
    ],
  });
}

/** Cost a row against the accepted share. */
export function costCurve(points: readonly AtThreshold[], n: number, prices: Prices, width: number): Drawn {
  const nothing: AtThreshold = { confidence: 2, accepted: 0, wrong: 0, coverage: 0, risk: null };
  const lines = [nothing, ...thinned(points, MOST_POINTS)].map((point) => ({
    coverage: point.coverage,
    cost: costOf(point, n, prices),
  }));
  const best = lines.reduce((a, b) => (b.cost < a.cost ? b : a));
  return plot({
    width,
    height: Math.min(260, width * 0.55),
    marginLeft: 58,
    marginBottom: 38,
    marginTop: 26,
    x: { domain: [0, 1], label: "accepted", labelArrow: "none", labelAnchor: "center", ticks: 5, tickFormat: "%" },
    y: { label: null, ticks: 5, grid: true, zero: true },
    marks: [
      ruleY([prices.review], { stroke: LINES, strokeDasharray: "4 3" }),
      text([prices.review], {
        y: (value: number) => value,
        frameAnchor: "right",
        text: () => "review all",
        textAnchor: "end",
        dy: -7,
        dx: -4,
      }),
      lineY(lines, { x: "coverage", y: "cost", stroke: colour("orange"), strokeWidth: 2 }),
      dot([best], { x: "coverage", y: "cost", r: 5, fill: colour("green"), stroke: "var(--back)" }),
      text([best], { x: "coverage", y: "cost", text: () => "cheapest", textAnchor: "middle", dy: 14 }),
      text([0], { frameAnchor: "top-left", text: () => "cost a row", dx: 0, dy: -16 }),
    ],
  });
}

// ── Comparison, curves ──────────────────────────────────────────────────────────────────────────────────────────────

/** Differences in points with their intervals; right of the line the first is better. */
export function differences(comparisons: readonly Comparison[], width: number): Drawn {
  const lines = comparisons.map(({ a, b, target, pair }, i) => ({
    line: i,
    name: `${shortened(a, 18)} − ${shortened(b, 18)}${target === null ? "" : `, ${shortened(target, 18)}`}`,
    value: 100 * pair.difference.value,
    low: 100 * pair.difference.low,
    high: 100 * pair.difference.high,
    sure: pair.mcnemarHolm < 0.05,
  }));
  const side = Math.min(width * 0.45, 20 + 6.4 * Math.max(...lines.map(({ name }) => name.length)));
  return plot({
    width,
    height: 46 + 26 * lines.length,
    marginLeft: side,
    marginRight: 24,
    marginTop: 8,
    x: { label: "points of accuracy", labelArrow: "none", labelAnchor: "center", ticks: 5, grid: true, nice: true },
    y: {
      type: "band",
      domain: lines.map(({ line }) => line),
      label: null,
      tickSize: 0,
      tickFormat: (line: number) => lines[line]!.name,
    },
    marks: [
      ruleX([0], { stroke: LINES }),
      ruleY(lines, { y: "line", x1: "low", x2: "high", stroke: RIGHT, strokeWidth: 2 }),
      dot(lines, {
        x: "value",
        y: "line",
        r: 5,
        stroke: RIGHT,
        fill: ({ sure }: { sure: boolean }) => (sure ? RIGHT : "var(--back)"),
      }),
    ],
  });
}

/** Accuracy against rows trained on: measured, fitted, and where it would go. */
export function learning({ points, forecasts, floor, scale, decay }: LearningCurve, width: number): Drawn {
  const measured = points.map((point) => ({ ...point, ...wilson(point.right, point.rows) }));
  const first = Math.min(...points.map(({ trained }) => trained));
  const last = Math.max(...points.map(({ trained }) => trained), ...forecasts.map(({ trained }) => trained));
  const fitted = Array.from({ length: 60 }, (_, i) => {
    const trained = first * (last / first) ** (i / 59);
    return { trained, accuracy: 1 - floor - scale * trained ** -decay };
  });
  return plot({
    width,
    height: Math.min(300, width * 0.6),
    marginLeft: 52,
    marginBottom: 38,
    marginTop: 26,
    x: {
      type: "log",
      label: "rows trained on",
      labelArrow: "none",
      labelAnchor: "center",
      ticks: 4,
      tickFormat: "~s",
    },
    y: { label: null, ticks: 5, tickFormat: whenPercent, grid: true, nice: true },
    marks: [
      lineY(fitted, { x: "trained", y: "accuracy", stroke: LINES, strokeDasharray: "4 3" }),
      ruleX(measured, { x: "trained", y1: "low", y2: "high", stroke: RIGHT, strokeOpacity: 0.6 }),
      dot(measured, { x: "trained", y: "accuracy", r: 4, fill: RIGHT }),
      ruleX(forecasts, { x: "trained", y1: "low", y2: "high", stroke: colour("orange"), strokeOpacity: 0.7 }),
      dot(forecasts, { x: "trained", y: "value", r: 4, stroke: colour("orange"), fill: "var(--back)" }),
      text([0], { frameAnchor: "top-left", text: () => "accuracy (hollow: a forecast)", dx: 0, dy: -16 }),
    ],
  });
}

/** Height of a legend of one line, which the plot's usual height holds. */
const ONE_LINE = 26;

/** One figure of a fine-tune as it went; series are of targets and splits. */
export function training(
  series: readonly TrainingSeries[],
  axis: { label: string; log: boolean },
  width: number,
): Drawn {
  const names = trainingLegend(series, width);
  const drawn = plot({
    width,
    height: Math.min(280, width * 0.6) + names.height - ONE_LINE,
    marginLeft: 52,
    marginBottom: 38,
    marginTop: names.height,
    x: {
      ...(axis.log ? { type: "log" as const, tickFormat: "~g" } : {}),
      label: axis.label,
      labelArrow: "none",
      labelAnchor: "center",
      ticks: 5,
    },
    y: { label: null, ticks: 5, grid: true, nice: true },
    marks: [
      ...series.map(({ points }, i) =>
        line(points, {
          stroke: seriesColour(i),
          strokeDasharray: seriesDash(i),
          marker: points.length < 30 ? "dot" : "none",
        }),
      ),
    ],
  });
  return legend(drawn, names);
}
