/** Figures as cells of the report's tables. */
import type { Measure } from "../../../schemas/report.ts";
import { percent, whole } from "../shared/numbers.ts";

/** Text, with its interval where it has one; `sort`: what it is sorted by, where that is not the text. */
export interface Cell {
  text: string;
  interval?: string;
  sort?: number;
}

const NONE = "–";
/** Sorted last: there is no figure. */
export const none: Cell = { text: NONE, sort: Number.NEGATIVE_INFINITY };

export const words = (text: string): Cell => ({ text });
export const count = (n: number): Cell => ({ text: whole(n), sort: n });
export const part = (share: number | null): Cell => (share === null ? none : { text: percent(share), sort: share });

/** 83.1 % 80.7 to 85.3 % */
export const share = (m: Measure | null): Cell =>
  m ? { text: percent(m.value), interval: `${(100 * m.low).toFixed(1)} to ${percent(m.high)}`, sort: m.value } : none;

export const figure = (m: Measure | null, digits = 3): Cell =>
  m
    ? {
        text: m.value.toFixed(digits),
        interval: `${m.low.toFixed(digits)} to ${m.high.toFixed(digits)}`,
        sort: m.value,
      }
    : none;

/** A difference of two shares, in points. */
export const points = (m: Measure): Cell => ({
  text: (100 * m.value).toFixed(1),
  interval: `${(100 * m.low).toFixed(1)} to ${(100 * m.high).toFixed(1)}`,
  sort: m.value,
});

export const pValue = (p: number): Cell => ({ text: p < 0.0001 ? "< 0.0001" : p.toFixed(4), sort: p });

/** @param most letters */
export const shortened = (name: string, most: number): string =>
  name.length > most ? `${name.slice(0, most - 1)}…` : name;
