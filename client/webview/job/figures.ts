/** The figures that a job reports, as lines that stay drawable however long it runs. */
import type { JobEvent } from "../../../schemas/events.ts";

type Metric = Extract<JobEvent, { type: "metric" }>;

export interface Point {
  x: number;
  y: number;
}

/** One line: a figure of a model, target and split. */
export interface Series {
  /** "train", "baseline · NatureTitle · test"; empty where the figure has but one. */
  name: string;
  /** In the order reported; of very many every second is kept, again and again. */
  points: Point[];
  count: number;
  last: Point;
  low: number;
  high: number;
}

export interface Figure {
  name: string;
  /** What x counts. */
  axis: "step" | "epoch" | "report";
  series: Series[];
}

export interface Figures {
  add(event: Metric): void;
  clear(): void;
  /** In the order in which they were first reported. */
  all(): Figure[];
}

/** Points of a line that are kept: more than pixels. */
export const MOST_POINTS = 2000;

export function createFigures(): Figures {
  const figures = new Map<string, Figure>();
  /** Of each line: every how many'th point is kept. */
  const every = new WeakMap<Series, number>();

  return {
    add({ name, model, target, split, step, epoch, value }) {
      const axis = step !== undefined ? "step" : epoch !== undefined ? "epoch" : "report";
      let figure = figures.get(name);
      if (!figure) figures.set(name, (figure = { name, axis, series: [] }));
      const of = [model, target, split].filter((part) => part !== undefined).join(" · ");
      let series = figure.series.find((each) => each.name === of);
      if (!series) {
        series = { name: of, points: [], count: 0, last: { x: 0, y: value }, low: value, high: value };
        figure.series.push(series);
        every.set(series, 1);
      }
      const x = { step, epoch, report: undefined }[figure.axis] ?? series.count + 1;
      series.last = { x, y: value };
      series.low = Math.min(series.low, value);
      series.high = Math.max(series.high, value);
      const keep = every.get(series)!;
      if (series.count++ % keep === 0) series.points.push(series.last);
      if (series.points.length <= MOST_POINTS) return;
      series.points = series.points.filter((_, i) => i % 2 === 0);
      every.set(series, keep * 2);
    },
    clear: () => figures.clear(),
    all: () => [...figures.values()],
  };
}

/** The points to draw: the newest is always among them. */
export const drawn = ({ points, last }: Series): Point[] => (points.at(-1) === last ? points : [...points, last]);

/** A line of one point says nothing that its number does not. */
export const hasLine = ({ series }: Figure): boolean => series.some(({ count }) => count > 1);

/** A few values over decades, as of a search for the regularisation. Steps of a training are many. */
export function overDecades(figure: Figure): boolean {
  const xs = figure.series.flatMap(({ points }) => points.map(({ x }) => x));
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  return xs.length > 2 && figure.series.every(({ count }) => count <= 20) && least > 0 && most / least >= 100;
}

/** 0.4132, 12,345, 1.2e-7 */
export function figureWords(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
