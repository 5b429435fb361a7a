/** What review bought, in sentences: the same on terminal, page and panel. */
import type { Measure, Rounds, RoundsChange } from "../../../schemas/report.ts";
import { isClear, whole } from "../numbers.ts";

const signed = (share: number): string => `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(1)}`;

/** "+1.2 points (+0.3 to +2.1)" */
export const pointsWords = (m: Measure): string => `${signed(m.value)} points (${signed(m.low)} to ${signed(m.high)})`;

function changeWords({ targets, coverage }: RoundsChange): string {
  const parts = Object.entries(targets).map(
    ([target, { difference }]) =>
      `${target} ${pointsWords(difference)}${isClear(difference) ? "" : ", which may be chance"}`,
  );
  if (coverage) parts.push(`accepted ${pointsWords(coverage.difference)}`);
  return parts.join("; ");
}

/** From first to last, what a hundred decided rows bought, and how often the validation rows have certified. */
export function roundsWords({ rounds, total }: Pick<Rounds, "rounds" | "total">): string[] {
  const words: string[] = [];
  if (total) {
    words.push(
      `From the first round to the last, with ${whole(total.decisions)} more rows decided: ${changeWords(total)}.`,
    );
    if (total.decisions > 0) {
      const each = Object.entries(total.targets).map(
        ([target, { difference }]) => `${target} ${signed((100 * difference.value) / total.decisions)}`,
      );
      words.push(`Points of accuracy for every 100 rows decided: ${each.join(", ")}.`);
    }
  }
  const last = rounds.at(-1);
  if (last?.uses != null && last.uses > 1) {
    const all = 100 * last.certainty!;
    const each = 100 * (1 - (1 - last.certainty!) / last.uses);
    words.push(
      `The validation rows have certified ${last.uses} models or rounds: each certificate is given at ${Number(each.toFixed(2))} %, so that all hold together with ${Number(all.toFixed(1))} %. New validation rows would start afresh.`,
    );
  }
  return words;
}
