/** Random draws by a seeded hash (DESIGN §5.7): anybody can repeat them, nobody can steer them. */
import { createHash } from "node:crypto";

/** A row drawn at random, with the probability that it would be. Weigh it by 1 / inclusion. */
export interface Draw {
  row: string;
  /** Inclusion probability, 0 (exclusive) to 1. */
  inclusion: number;
}

/** What a draw depends on besides the row. */
export interface DrawKey {
  seed: number;
  /** Draws of different streams are independent: `audit:<job>` for the rows accepted by one job, say. */
  stream: string;
}

/** The row's place in [0, 1): uniform over rows, seeds and streams. The first 53 bits of a SHA-256. */
export function drawPosition(row: string, key: DrawKey): number {
  const hash = createHash("sha256")
    .update(JSON.stringify([key.seed, key.stream, row]))
    .digest();
  return (hash.readUInt32BE(0) * 2 ** 21 + (hash.readUInt32BE(4) >>> 11)) / 2 ** 53;
}

/**
 * Draws each row with probability `rate`, each for itself (Poisson sampling): a row's fate is known when it is
 * accepted and does not hang on the others. With a greater rate the rows drawn before stay drawn.
 * @param rate share of rows to draw, 0 to 1
 * @throws RangeError for another rate
 */
export function drawAtRate(rows: Iterable<string>, rate: number, key: DrawKey): Draw[] {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`A share of rows is between 0 and 1, not ${rate}.`);
  const draws: Draw[] = [];
  if (rate === 0) return draws;
  for (const row of rows) {
    if (drawPosition(row, key) < rate) draws.push({ row, inclusion: rate });
  }
  return draws;
}

/**
 * Draws `count` of the rows, or all if there are fewer: a simple random sample. In the order of the draw, so that
 * its first k rows are a simple random sample as well. The order of `rows` does not matter.
 */
export function drawCount(rows: readonly string[], count: number, key: DrawKey): Draw[] {
  const size = Math.min(Math.max(0, Math.trunc(count)), rows.length);
  const placed = rows.map((row) => ({ row, position: drawPosition(row, key) }));
  placed.sort((a, b) => a.position - b.position || (a.row < b.row ? -1 : 1));
  return placed.slice(0, size).map(({ row }) => ({ row, inclusion: size / rows.length }));
}
