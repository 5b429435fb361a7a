/** "Did you mean …?": which of the known words a mistyped one stands for. */
import { distance } from "fastest-levenshtein";
import { oneOf } from "./schema.ts";

const plain = (word: string) => word.toLowerCase().replace(/[\s_-]+/g, "");

/**
 * The known words close to `word`, closest first, at most three. Close: equal but for case, `-`, `_` and spaces; or at
 * most a third of its letters differ (one of a short word); or one is the start of the other.
 */
export function closest(word: string, known: Iterable<string>): string[] {
  const wanted = plain(word);
  if (!wanted || wanted.length > 200) return [];
  const limit = wanted.length < 3 ? 0 : Math.max(1, Math.floor(wanted.length / 3));
  const near: { candidate: string; away: number }[] = [];
  for (const candidate of known) {
    if (candidate === word) continue;
    const other = plain(candidate);
    const begins = wanted.length >= 3 && other.length >= 3 && (other.startsWith(wanted) || wanted.startsWith(other));
    if (!begins && Math.abs(other.length - wanted.length) > limit) continue;
    const away = distance(wanted, other);
    if (away <= limit) near.push({ candidate, away });
    else if (begins) near.push({ candidate, away: limit + 1 });
  }
  near.sort((a, b) => a.away - b.away);
  return near.slice(0, 3).map(({ candidate }) => candidate);
}

/** ` Did you mean "models"?`, or nothing when there is no suggestion. */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length ? ` Did you mean "${suggestions[0]}"?` : "";
}

/** ` It may be "a", "b" or "c".`, shortened to the first ten; nothing of an empty list. */
export function choices(known: readonly string[]): string {
  if (known.length === 0) return "";
  const shown = known.slice(0, 10).map((word) => `"${word}"`);
  return known.length > 10
    ? ` It may be ${shown.join(", ")} … (${known.length} in all).`
    : ` It may be ${oneOf(shown)}.`;
}
