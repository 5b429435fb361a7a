/** A report in a few sentences, the most important first (DESIGN §9). */
import type { Change, Comparison, ModelReport, Report } from "../../../schemas/report.ts";
import { isClear, percent, whole } from "../numbers.ts";
import { labelNoiseWords } from "./labelNoiseWords.ts";

const points = (difference: number): string => (100 * difference).toFixed(1);

/** "12.3 points (10.1 to 14.5)" */
function difference({ value, low, high }: { value: number; low: number; high: number }): string {
  return `${points(value)} points (${points(low)} to ${points(high)})`;
}

/** The sentences, in order. Only measured figures are in them. */
export function verdictOf(report: Report): string[] {
  const sentences: string[] = [];
  for (const comparison of report.comparisons) sentences.push(comparisonSentence(comparison, report));
  for (const change of report.changes) sentences.push(...changeSentences(change));
  const several = Object.keys(report.models).length > 1;
  for (const [name, model] of Object.entries(report.models)) {
    sentences.push(...modelSentences(several ? `${name}: ` : "", model));
  }
  return sentences;
}

function targetWords(target: string | null, report: Report): string {
  const targets = Object.values(report.models)[0]?.targets ?? {};
  return target !== null && Object.keys(targets).length > 1 ? ` at ${target}` : "";
}

function comparisonSentence({ a, b, target, pair }: Comparison, report: Report): string {
  const where = targetWords(target, report);
  const rows = `on ${whole(pair.n)} test rows`;
  return isClear(pair.difference)
    ? `${a} is better than ${b}${where} by ${difference(pair.difference)} ${rows}.`
    : `No difference between ${a} and ${b}${where} can be shown ${rows}: ${difference(pair.difference)}.`;
}

function changeSentences(change: Change): string[] {
  const decisions = change.decisions_now - change.decisions_before;
  const since =
    decisions > 0
      ? `With decisions on ${whole(decisions)} more ${decisions === 1 ? "row" : "rows"}`
      : "Since the last evaluation";
  return Object.entries(change.targets).map(([target, pair]) => {
    const what = `accuracy at ${target} went from ${percent(pair.accuracyB)} to ${percent(pair.accuracyA)}`;
    const sure = isClear(pair.difference) ? "" : ", which may be chance";
    return `${since} ${what} on the same ${whole(pair.n)} test rows: ${difference(pair.difference)}${sure}.`;
  });
}

function modelSentences(prefix: string, model: ModelReport): string[] {
  const sentences: string[] = [];
  for (const [name, { report }] of Object.entries(model.targets)) {
    if (!report) continue;
    const { value, low, high } = report.averages.accuracy;
    sentences.push(
      `${prefix}${name}: accuracy ${percent(value)} (${percent(low)} to ${percent(high)}) on ${whole(report.n)} ${
        report.rows === "test" ? "test rows" : "cross-fitted rows"
      }, macro F1 ${report.averages.macroF1.value.toFixed(3)}, ECE ${report.calibration.ece.toFixed(3)}.`,
    );
  }
  if (Object.values(model.targets).every(({ report }) => report === null)) {
    sentences.push(
      `${prefix}There are no test rows, so no figures are reported. Give \`split.test\` a share, or name a test file.`,
    );
  }
  for (const [name, { curve }] of Object.entries(model.targets)) {
    const most = curve?.points.at(-1);
    if (!curve || !most) continue;
    const gain = curve.gainOfDoubling;
    sentences.push(
      `${prefix}${name}: twice the ${whole(most.trained)} rows it was trained on would give about ${points(gain.value)} points more (${points(gain.low)} to ${points(gain.high)}), if the learning curve goes on as it went.`,
    );
  }
  for (const { targets, why, pool, labelNoise } of model.accept) {
    const of = model.accept.length > 1 ? `${targets.join(" and ")}: ` : "";
    const review = pool ? ` Of ${whole(pool.rows)} rows in the pool you review ${whole(pool.flagged)}.` : "";
    sentences.push(`${prefix}${of}${why}${review}`);
    const noise = labelNoise && labelNoiseWords(labelNoise, targets.length > 1);
    if (noise) sentences.push(`${prefix}${of}${noise}`);
  }
  for (const note of model.notes ?? []) sentences.push(`${prefix}${note}`);
  return sentences;
}
