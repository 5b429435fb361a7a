/** Where the names of a plot's colours stand: in as many lines above it as they need. */
import { shortened } from "./words.ts";

export interface LegendEntry {
  name: string;
  colour: string;
  /** As a stroke's dashes; default: none. */
  dash?: string;
}

/** Pixels from the top left of the plot: of the mark's left end, and of the line's middle. */
export interface PlacedEntry extends LegendEntry {
  x: number;
  y: number;
  /** The name, shortened where it is longer than a line. */
  words: string;
}

export interface LegendPlaces {
  entries: PlacedEntry[];
  /** The top margin of a plot that has these above it. */
  height: number;
}

/** Pixels of the mark with its gap, of a letter, and between two entries. */
const MARK = 18;
const LETTER = 6.6;
const GAP = 16;
const LINE = 16;
const LONGEST = 28;
/** Between the names and the plot. */
const BELOW = 10;

/** @param left where the first of each line begins */
export function placeLegend(entries: readonly LegendEntry[], left: number, width: number): LegendPlaces {
  const room = Math.max(2, Math.floor((width - left - MARK) / LETTER));
  const placed: PlacedEntry[] = [];
  let x = left;
  let line = 0;
  for (const entry of entries) {
    const words = shortened(entry.name, Math.min(LONGEST, room));
    const needs = MARK + LETTER * words.length;
    if (x > left && x + needs > width) {
      x = left;
      line++;
    }
    placed.push({ ...entry, x, y: 8 + LINE * line, words });
    x += needs + GAP;
  }
  return { entries: placed, height: LINE * (line + 1) + BELOW };
}
