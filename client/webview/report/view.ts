/** Which part of a confusion matrix is seen. */

/** The part that is seen: first column and line, and how many of them; fractions while it is dragged. */
export interface View {
  x: number;
  y: number;
  span: number;
}

export interface Place {
  line: number;
  column: number;
}

/** The least that is zoomed to. */
const CLOSEST = 4;

/** @param centre stays where it is, in cells; default: the middle */
export function zoomed(
  { x, y, span }: View,
  factor: number,
  most: number,
  centre?: { x: number; y: number } | null,
): View {
  const next = Math.min(most, Math.max(Math.min(CLOSEST, most), span * factor));
  const at = centre ?? { x: x + span / 2, y: y + span / 2 };
  const bounded = (value: number): number => Math.min(Math.max(0, value), most - next);
  const ratio = next / span;
  return { x: bounded(at.x - (at.x - x) * ratio), y: bounded(at.y - (at.y - y) * ratio), span: next };
}

/** Moved as little as it takes to see a cell. */
export function inView({ x, y, span }: View, { line, column }: Place): View {
  const least = (from: number, at: number): number => Math.min(Math.max(from, at + 1 - span), at);
  return { x: Math.max(0, least(x, column)), y: Math.max(0, least(y, line)), span };
}
