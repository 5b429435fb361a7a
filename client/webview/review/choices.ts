/** What the number keys choose, and which of those labels are in the prediction set. */
import type { FlaggedItem, TargetView } from "../../../schemas/protocol.ts";

/** Labels with a number key. */
const NUMBERED = 9;
/** What one key can choose. */
export interface Choice {
  label: string;
  /** Null where the prediction is not to be seen. */
  confidence: number | null;
  /** In the prediction set: the right label is one of these, as often as the set promises. */
  inSet: boolean;
}

/** The labels that keys 1 to 9 choose: the likeliest, or, judged blind, the first ones of the project. */
export function choicesOf(item: FlaggedItem, view: TargetView | undefined, labels: readonly string[]): Choice[] {
  if (item.blind) return labels.slice(0, NUMBERED).map((label) => ({ label, confidence: null, inSet: false }));
  const set = new Set(view?.set?.labels);
  return (view?.top ?? [])
    .slice(0, NUMBERED)
    .map(([label, confidence]) => ({ label, confidence, inSet: set.has(label) }));
}

/** What the marked labels mean. */
export function setWords(
  { labels, others, coverage }: NonNullable<TargetView["set"]>,
  choices: readonly Choice[],
): string {
  const marked = choices.filter(({ inSet }) => inSet).length;
  const more = labels.length - marked;
  const rest = others ? ", or among those not shown" : more > 0 ? `, or one of ${more} more` : "";
  const which = marked === 1 && rest === "" ? "It is the marked one" : `It is among the ${marked} marked${rest}`;
  return `${which} for ${Math.round(100 * coverage)} % of flagged rows.`;
}
