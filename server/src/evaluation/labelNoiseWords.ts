/** What blind re-labelling found, in a sentence beside the certificate. */
import type { LabelNoiseEstimate } from "../confidence/labelNoise.ts";
import { shareWords, shortPercent, whole } from "../numbers.ts";

/** Accepted rows that must have been labelled again before anything is said of the risk. */
const ENOUGH_RELABELLED = 30;

/** Until enough rows are labelled again only how many are missing; null when there is nothing to say. */
export function labelNoiseWords(estimate: LabelNoiseEstimate, several: boolean): string | null {
  const { judged, noise, riskAgainstGiven, riskAgainstJudged, riskAgainstJudgedBound } = estimate;
  if (judged === 0 || noise === null) return null;
  const labels = several ? "rows have a wrong label" : "given labels are wrong";
  const found = `${whole(judged)} random validation ${judged === 1 ? "row was" : "rows were"} labelled again, blind: ${shareWords(noise)} of the ${labels}.`;
  const accepted = riskAgainstJudged?.n ?? 0;
  if (accepted < ENOUGH_RELABELLED || riskAgainstJudged === null || riskAgainstGiven === null) {
    return `${found} Too few of them are accepted (${accepted}) to say more than "against the given labels": ${ENOUGH_RELABELLED} would do.`;
  }
  return `${found} Of the ${whole(accepted)} among them that it takes, ${shortPercent(riskAgainstGiven.value)} are wrong against the given labels, ${shareWords(riskAgainstJudged)} against the new ones: at most ${shortPercent(riskAgainstJudgedBound)}, 95 % sure.`;
}
