/** What else is to be said of an accept rule, in sentences: the same in terminal, panel and page. */
import type { AcceptDecision, Cost, CostLine, PredictionSets } from "../../../schemas/report.ts";
import type { Certificate, CertificatePart } from "../confidence/acceptRule.ts";
import { shareWords, shortPercent, whole } from "../numbers.ts";

const money = (amount: number): string => `${Number(amount.toPrecision(3))}`;

/** The rule's parts, the labels it never accepts, the threshold of least cost, the prediction sets. */
export function acceptDetails(
  { rule, cost }: Pick<AcceptDecision, "rule" | "cost">,
  sets: ReadonlyMap<string, PredictionSets>,
): string[] {
  const details: string[] = [];
  if (rule !== null && "parts" in rule) details.push(...certificateDetails(rule));
  if (cost) details.push(...costDetails(cost));
  for (const [target, { rule, measured }] of sets) {
    const of = sets.size > 1 ? ` of ${target}` : "";
    if (rule.quantile === null) {
      details.push(
        `Prediction sets${of}: ${whole(rule.rows)} flagged rows are too few to calibrate them, so every label is in.`,
      );
      continue;
    }
    const found = measured?.coverage
      ? ` On ${whole(measured.n)} flagged test rows it was in ${shareWords(measured.coverage)} of them, with ${measured.meanSize!.toFixed(1)} labels a row.`
      : "";
    details.push(
      `Prediction sets${of} for flagged rows: the right label is among the marked ones for ${shortPercent(rule.coverage)} of rows (${rule.method.toUpperCase()}, calibrated on ${whole(rule.rows)} flagged rows).${found}`,
    );
  }
  return details;
}

function certificateDetails({ parts, never }: Certificate): string[] {
  const details: string[] = [];
  for (const part of parts) {
    // The general part speaks in the rule's own sentence, unless others have a say as well.
    if (part.label === null && parts.length === 1) continue;
    details.push(partWords(part));
  }
  for (const { target, labels } of never) {
    if (labels.length > 0) details.push(`Never accepted for ${target}: ${labels.join(", ")}.`);
  }
  return details;
}

function partWords({ label, risk, threshold, rows, accepted, errors, bound, rowsNeeded }: CertificatePart): string {
  const of = label === null ? "All other answers" : `${label.label} (${label.target})`;
  const promise = `${of}: at most ${shortPercent(risk)} wrong`;
  if (threshold !== null) {
    return `${promise}; ${whole(accepted)} of ${whole(rows)} such rows accepted, ${whole(errors)} of them wrong (at most ${shortPercent(bound)}).`;
  }
  if (rowsNeeded?.answer === "rows" && rowsNeeded.more > 0)
    return `${promise}; not certified, about ${whole(rowsNeeded.more)} more labelled validation rows would do.`;
  if (rowsNeeded?.answer === "rows")
    return `${promise}; not certified, another draw of validation rows would probably do.`;
  return `${promise}; not certified, and no number of labelled rows would do${rowsNeeded?.sure ? "" : ", as far as these rows tell"}.`;
}

function costDetails({ prices, calibrated, measured, reported }: Cost): string[] {
  const line = ({ costPerRow, coverage }: CostLine) =>
    `${money(costPerRow)} a row (${shortPercent(coverage)} accepted)`;
  const at = (threshold: number) => (threshold > 1 ? "nothing" : `confidence at least ${threshold.toFixed(3)}`);
  const words = `With an error at ${money(prices.error)} and a review at ${money(prices.review)}, least is to be expected of accepting at ${at(calibrated.threshold)}: ${line(calibrated)} on the rows that certify; the cheapest there was ${at(measured.threshold)}, ${line(measured)}.`;
  if (!reported) return [words];
  const rule = reported.rule ? `; the rule in force ${line(reported.rule)}` : "";
  return [
    words,
    `On the test rows that threshold costs ${line(reported.calibrated)}${rule}; reviewing everything ${money(reported.reviewAll.costPerRow)}, accepting everything ${line(reported.acceptAll)}. Unlike the certified rule it promises no share of errors.`,
  ];
}
