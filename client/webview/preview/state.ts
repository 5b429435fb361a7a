/** What a person chose, kept over hiding and reloads, and how a filter is changed. */
import type { PreviewFilter, PreviewSort } from "../../../schemas/preview.ts";

export interface PreviewState {
  /** The file as a plain table, although a project reads it. */
  whole: boolean;
  filter: PreviewFilter;
  sort: PreviewSort | null;
  /** The active cell: place in the list, row of the file, key of the column. */
  index: number;
  row: number | null;
  column: string | null;
  /** First row in view. */
  top: number;
  detail: boolean;
  plots: boolean;
  /** Columns that are plotted; null: the first that fits. */
  label: string | null;
  text: string | null;
}

export const NO_FILTER: PreviewFilter = { text: "", column: null, values: [], ranges: [], duplicates: false };

export const START: PreviewState = {
  whole: false,
  filter: NO_FILTER,
  sort: null,
  index: 0,
  row: null,
  column: null,
  top: 0,
  detail: false,
  plots: true,
  label: null,
  text: null,
};

/** The filter with a value of a column chosen, or no longer. */
export function toggleValue(filter: PreviewFilter, column: string, value: string): PreviewFilter {
  const before = filter.values.find((each) => each.column === column)?.values ?? [];
  const values = before.includes(value) ? before.filter((each) => each !== value) : [...before, value];
  return withValues(filter, column, values);
}

export function withValues(filter: PreviewFilter, column: string, values: string[]): PreviewFilter {
  const others = filter.values.filter((each) => each.column !== column);
  return { ...filter, values: values.length > 0 ? [...others, { column, values }] : others };
}

export function withRange(
  filter: PreviewFilter,
  column: string,
  of: "value" | "length",
  min: number | null,
  max: number | null,
): PreviewFilter {
  const others = filter.ranges.filter((each) => each.column !== column || each.of !== of);
  return { ...filter, ranges: min === null && max === null ? others : [...others, { column, of, min, max }] };
}

export const rangeIn = (filter: PreviewFilter, column: string, of: "value" | "length") =>
  filter.ranges.find((each) => each.column === column && each.of === of);

export const isFiltered = ({ text, values, ranges, duplicates }: PreviewFilter): boolean =>
  text !== "" || values.length > 0 || ranges.length > 0 || duplicates;
