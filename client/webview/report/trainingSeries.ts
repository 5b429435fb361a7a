/** The series of a fine-tune's figure: how they are named and told apart. */
import type { TrainingSeries } from "../../../schemas/reportPanel.ts";
import { type LegendPlaces, placeLegend } from "./legendPlaces.ts";

const COLOURS = ["blue", "orange", "green", "purple", "red", "yellow"].map((name) => `var(--vscode-charts-${name})`);
/** Besides their colours, lines differ by their dashes. */
const DASHES = ["none", "5 3", "1 3", "8 3 1 3"];
/** Where the plot begins, right of its axis. */
const LEFT = 52;

export const seriesColour = (number: number): string => COLOURS[number % COLOURS.length]!;
export const seriesDash = (number: number): string => DASHES[Math.floor(number / COLOURS.length) % DASHES.length]!;

const seriesName = ({ target, split, name }: Pick<TrainingSeries, "name" | "target" | "split">): string =>
  [target, split].filter((part) => part !== null).join(", ") || name;

/** The names of all series above their plot. */
export const trainingLegend = (series: readonly TrainingSeries[], width: number): LegendPlaces =>
  placeLegend(
    series.map((of, i) => {
      const dash = seriesDash(i);
      return { name: seriesName(of), colour: seriesColour(i), ...(dash === "none" ? {} : { dash }) };
    }),
    LEFT,
    width,
  );

export const trainingWords = (series: readonly TrainingSeries[]): string =>
  series
    .map(
      ({ points, ...of }) =>
        `${seriesName(of)}: ${points[0]![1].toPrecision(3)} to ${points.at(-1)![1].toPrecision(3)}`,
    )
    .join("; ");
