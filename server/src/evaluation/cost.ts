/**
 * What a model costs over the rows it will see: a sum that is paid once, and a price a row. With both linear in the rows, two models
 * cost the same at one number of rows at most.
 */
import type { BreakEven } from "../../../schemas/cost.ts";

/** Dollars of a machine that is paid by the hour. */
export const machineDollars = (seconds: number, pricePerHour: number): number => (seconds / 3600) * pricePerHour;

/** Dollars a row of people's answers and of accepted errors. */
export function reviewDollars(
  { reviews, errors }: { reviews: number; errors: number },
  prices: { review: number; error: number },
): number {
  return reviews * prices.review + errors * prices.error;
}

/** Paid once, and a row. */
export interface CostLine {
  once: number;
  row: number;
}

export const totalDollars = ({ once, row }: CostLine, rows: number): number => once + rows * row;

/**
 * From which number of rows on the one is cheaper that costs more at first.
 * @returns `rows` null when one of them costs no more than the other for any number of rows: that one is `first`
 */
export function breakEven(a: CostLine & { name: string }, b: CostLine & { name: string }): BreakEven {
  const [cheap, dear] = a.row < b.row || (a.row === b.row && a.once <= b.once) ? [a, b] : [b, a];
  // The one of the lower price a row wins in the end; from the start, unless it costs more at first.
  if (cheap.once <= dear.once) return { first: cheap.name, later: dear.name, rows: null };
  if (cheap.row === dear.row) return { first: dear.name, later: cheap.name, rows: null };
  return { first: dear.name, later: cheap.name, rows: Math.ceil((cheap.once - dear.once) / (dear.row - cheap.row)) };
}
