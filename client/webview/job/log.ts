/** The part of a log that is on hand: whole pieces side by side, as many as a page bears. */

export interface Piece {
  text: string;
  start: number;
  /** Byte offset after it. */
  offset: number;
}

export interface LogWindow {
  pieces: readonly Piece[];
  /** Bytes of the whole log, when last asked. */
  size: number;
}

/** Of 256 KiB each at most. */
export const MOST_PIECES = 6;

export const NO_LOG: LogWindow = { pieces: [], size: 0 };

export const startOf = ({ pieces }: LogWindow): number => pieces[0]?.start ?? 0;
export const endOf = ({ pieces }: LogWindow): number => pieces.at(-1)?.offset ?? 0;

/** With what comes after the last piece; the first ones leave when there are too many. Another place starts anew. */
export function withLater(log: LogWindow, piece: Piece, size: number): LogWindow {
  if (piece.text === "") return { ...log, size };
  const last = log.pieces.at(-1);
  if (!last || last.offset !== piece.start) return { pieces: [piece], size };
  // A growing log comes in drops: they join the last piece until it is full.
  const joined = last.text.length + piece.text.length <= FULL;
  const pieces = joined
    ? [...log.pieces.slice(0, -1), { text: last.text + piece.text, start: last.start, offset: piece.offset }]
    : [...log.pieces, piece];
  return { pieces: pieces.slice(-MOST_PIECES), size };
}

/** With what comes before the first piece; the last ones leave when there are too many. */
export function withEarlier(log: LogWindow, piece: Piece, size: number): LogWindow {
  if (piece.text === "") return { ...log, size };
  if (piece.offset !== startOf(log)) return { pieces: [piece], size };
  return { pieces: [piece, ...log.pieces].slice(0, MOST_PIECES), size };
}

const FULL = 256 * 1024;

/** Where a text stands in another, upper and lower case alike: at most `most` places. */
export function placesOf(text: string, wanted: string, most: number): number[] {
  const places: number[] = [];
  if (wanted === "") return places;
  const [within, what] = [text.toLowerCase(), wanted.toLowerCase()];
  // Letters whose small form is longer would shift what follows them.
  if (within.length !== text.length) return places;
  for (let at = within.indexOf(what); at >= 0 && places.length < most; at = within.indexOf(what, at + what.length)) {
    places.push(at);
  }
  return places;
}
