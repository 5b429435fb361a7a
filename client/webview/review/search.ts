/** Labels that fit what is typed, the best first. */

/** Those that begin with it, then those with a word that does, then those that hold it; each in the project's order. */
export function searchLabels(labels: readonly string[], typed: string): string[] {
  const wanted = fold(typed.trim());
  if (wanted === "") return [...labels];
  const ranks: string[][] = [[], [], []];
  for (const label of labels) {
    const text = fold(label);
    const at = text.indexOf(wanted);
    if (at < 0) continue;
    const wordStart = at > 0 && text.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted));
    ranks[at === 0 ? 0 : wordStart ? 1 : 2]!.push(label);
  }
  return ranks.flat();
}

/** Case and accents do not matter. */
const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
