/**
 * Terms of a text: words and pairs of neighbouring words, and character n-grams inside the pieces that white space
 * separates (padded by one space on each side, as scikit-learn's `char_wb`). No string is made for a term: it is known by a 32-bit hash.
 *
 * Collisions: two terms with the same hash share a feature. Among F features the expected number of such pairs is F² / 2³³:
 * 1 in 93,000 features, 116 in a million, too few to show in accuracy; so nothing is done about them.
 */

export interface TermOptions {
  /** Words joined into one term: 1 up to this; 0 for no words. */
  readonly wordNgrams: number;
  /** Shortest and longest character n-gram; [0, 0] for none. */
  readonly characterNgrams: readonly [number, number];
}

/** Called for every term with its hash (never 0) and its place [start, end) in the text that was given. */
export type TermVisitor = (hash: number, start: number, end: number) => void;

const WORD_SEED = 0x2545f491;
const CHARACTER_SEED = 0x9e3779b9 | 0;
const SPACE = 0x20;

const OTHER = 1;
const WHITE = 2;
const WORD = 3;

/** Class of each UTF-16 code unit, filled when first met. */
const kinds = new Uint8Array(65536);
const wordCharacter = /[\p{L}\p{M}\p{N}\p{Pc}]/u;

function classify(unit: number): number {
  const character = String.fromCharCode(unit);
  // Halves of a surrogate pair (emoji, rare scripts) count as letters, so that the pair stays one word.
  const surrogate = unit >= 0xd800 && unit <= 0xdfff;
  const kind = surrogate || wordCharacter.test(character) ? WORD : /\s/u.test(character) ? WHITE : OTHER;
  kinds[unit] = kind;
  return kind;
}

/** Spreads the bits of a hash (finaliser of MurmurHash3); the result is never 0, which marks an empty slot in tables. */
function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16) || 1;
}

/** One step of FNV-1a over a code unit or a hash. */
function step(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}

/**
 * A word in two input columns is two terms (a "yes" means what its column asks), a character n-gram is one: sharing those lowers the log loss
 * where columns hold running text (bench/linear/README.md) and costs nothing where they do not.
 * @param text lower case (see {@link lowerCase})
 * @param column number of the input column
 */
export function visitTerms(text: string, column: number, options: TermOptions, visit: TermVisitor): void {
  if (options.wordNgrams > 0) visitWords(text, WORD_SEED ^ Math.imul(column, 0x632be5ab), options.wordNgrams, visit);
  if (options.characterNgrams[1] > 0) visitCharacters(text, options.characterNgrams, visit);
}

function visitWords(text: string, seed: number, longest: number, visit: TermVisitor): void {
  const hashes = new Int32Array(longest);
  const starts = new Int32Array(longest);
  let known = 0;
  let hash = 0;
  let start = -1;
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? text.charCodeAt(i) : SPACE;
    if ((kinds[unit] || classify(unit)) === WORD) {
      if (start < 0) {
        start = i;
        hash = seed;
      }
      hash = step(hash, unit);
    } else if (start >= 0) {
      // hashes[j] is the open hash of the term that began j words ago.
      for (let j = Math.min(known, longest - 1); j > 0; j--) {
        hashes[j] = step(hashes[j - 1]!, hash);
        starts[j] = starts[j - 1]!;
        visit(finish(hashes[j]!), starts[j]!, i);
      }
      hashes[0] = hash;
      starts[0] = start;
      visit(finish(hash), start, i);
      known++;
      start = -1;
    }
  }
}

function visitCharacters(text: string, [shortest, longest]: readonly [number, number], visit: TermVisitor): void {
  const length = text.length;
  let pieceStart = 0;
  while (pieceStart < length) {
    const first = text.charCodeAt(pieceStart);
    if ((kinds[first] || classify(first)) === WHITE) {
      pieceStart++;
      continue;
    }
    let pieceEnd = pieceStart + 1;
    while (pieceEnd < length) {
      const unit = text.charCodeAt(pieceEnd);
      if ((kinds[unit] || classify(unit)) === WHITE) break;
      pieceEnd++;
    }
    for (let start = pieceStart - 1; start < pieceEnd; start++) {
      let hash = CHARACTER_SEED;
      const last = Math.min(start + longest, pieceEnd + 1);
      for (let i = start; i < last; i++) {
        hash = step(hash, i < pieceStart || i >= pieceEnd ? SPACE : text.charCodeAt(i));
        if (i - start + 1 >= shortest) visit(finish(hash), Math.max(start, pieceStart), Math.min(i + 1, pieceEnd));
      }
    }
    pieceStart = pieceEnd;
  }
}

/** Lower case without a change of length, so that places in the result are places in the text. */
export function lowerCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  let result = "";
  for (const character of text) {
    const small = character.toLowerCase();
    result += small.length === character.length ? small : character;
  }
  return result;
}
