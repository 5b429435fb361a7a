/** A report as one self-contained HTML page: no script, nothing loaded, prints well. All text of the data is escaped. */
import type { LearningCurve, Measure, ModelReport, Report, Rounds, TargetReport } from "../../../schemas/report.ts";
import { percent, pValue, whole } from "../numbers.ts";
import { pointsWords } from "./roundsWords.ts";

const html = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const interval = (m: Measure | null, digits = 3): string =>
  m === null
    ? "–"
    : `${m.value.toFixed(digits)} <small>(${m.low.toFixed(digits)} to ${m.high.toFixed(digits)})</small>`;
const share = (m: Measure | null): string =>
  m === null ? "–" : `${percent(m.value)} <small>(${percent(m.low)} to ${percent(m.high)})</small>`;

function table(head: readonly string[], rows: readonly (readonly string[])[], caption: string): string {
  const cells = (tag: string, row: readonly string[]) =>
    row
      .map((cell, i) => `<${tag}${tag === "th" ? ' scope="col"' : i === 0 ? ' class="name"' : ""}>${cell}</${tag}>`)
      .join("");
  return `<table><caption>${caption}</caption><thead><tr>${cells("th", head)}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells("td", row)}</tr>`)
    .join("")}</tbody></table>`;
}

const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1f; --soft: #5c5c66; --line: #d4d4dc; --bar: #3b6fd4; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6ea; --soft: #a0a0ac; --line: #3a3a44; --bar: #7aa2ff; --back: #17171b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin-top: 1.6rem; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child, td.name { text-align: left; overflow-wrap: anywhere; }
small, footer { color: var(--soft); } .verdict li:first-child { font-weight: 600; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } }`;

/** Accuracy against confidence by bin; the size of a dot is the number of rows. */
function reliability({ calibration }: TargetReport): string {
  const size = 260;
  const at = (value: number) => 30 + value * (size - 40);
  const most = Math.max(1, ...calibration.bins.map(({ count }) => count));
  const dots = calibration.bins
    .filter(({ count }) => count > 0)
    .map(
      ({ confidence, accuracy, count }) =>
        `<circle cx="${at(confidence!).toFixed(1)}" cy="${(size - at(accuracy!)).toFixed(1)}" r="${(2 + 7 * Math.sqrt(count / most)).toFixed(1)}" fill="var(--bar)" fill-opacity=".7"><title>${count} rows: confidence ${percent(confidence!)}, accuracy ${percent(accuracy!)}</title></circle>`,
    )
    .join("");
  return `<svg viewBox="0 0 ${size} ${size}" width="${size}" role="img" aria-label="Reliability diagram: accuracy against confidence">
<line x1="${at(0)}" y1="${size - at(0)}" x2="${at(1)}" y2="${size - at(1)}" stroke="var(--line)"/>
<path d="M${at(0)} ${size - at(1)}V${size - at(0)}H${at(1)}" fill="none" stroke="var(--line)"/>${dots}
<text x="${size / 2}" y="${size - 6}" text-anchor="middle">confidence</text>
<text x="12" y="${size / 2}" text-anchor="middle" transform="rotate(-90 12 ${size / 2})">accuracy</text></svg>`;
}

function targetSection(name: string, report: TargetReport, why: string): string {
  const { averages, calibration } = report;
  const band = calibration.band
    ? ` <small>(a perfectly calibrated model: ${calibration.band.mean.toFixed(3)}, up to ${calibration.band.high.toFixed(3)})</small>`
    : "";
  const figures = [
    ["accuracy", share(averages.accuracy)],
    ["balanced accuracy", share(averages.balancedAccuracy)],
    ["macro F1", interval(averages.macroF1)],
    ["weighted F1", interval(averages.weightedF1)],
    ["MCC", interval(averages.mcc)],
    ["log loss", interval(report.logLoss)],
    ["Brier score", interval(report.brier)],
    [`ECE, ${calibration.bins.length} bins`, `${calibration.ece.toFixed(3)}${band}`],
    ["AUROC of confidence", interval(report.auroc)],
    ["AURC", interval(report.aurc, 4)],
    ["no usable answer", String(report.failed + report.unparsed + report.outOfList)],
  ];
  const labels = report.labels
    .toSorted((a, b) => b.support - a.support)
    .map(({ label, support, precision, recall, f1 }) => [
      html(label),
      String(support),
      share(precision),
      share(recall),
      f1 ? f1.value.toFixed(3) : "–",
    ]);
  const pairs = report.confusions
    .slice(0, 20)
    .map(({ given, predicted, count, share: part }) => [
      html(given),
      html(predicted ?? "no answer"),
      String(count),
      percent(part),
    ]);
  return `<h3>${html(name)}</h3>${table(["", "value (95 %)"], figures, `${whole(report.n)} ${report.rows === "test" ? "test rows" : "cross-fitted rows"}`)}
<p><small>Calibration: ${html(why)}</small></p>${reliability(report)}
${pairs.length > 0 ? table(["label in the data", "predicted", "rows", "of the label"], pairs, "Most often confused") : ""}
${table(["label", "rows", "precision", "recall", "F1"], labels, "By label")}`;
}

function curveTable({ points, forecasts }: LearningCurve): string {
  const measured = points.map(({ trained, accuracy, fitted }) => [whole(trained), percent(accuracy), percent(fitted)]);
  const forecast = forecasts.map(({ trained, ...m }) => [whole(trained), "–", share(m)]);
  return table(["trained on", "accuracy", "by the curve"], [...measured, ...forecast], "Learning curve");
}

function modelSection(name: string, model: ModelReport): string {
  const accept = model.accept
    .map(({ targets, why, measured, thresholds, details, cost }) => {
      const rows = thresholds.map(({ threshold, coverage, accuracy, errors, errorBound, reviewShare, costPerRow }) => [
        threshold.toFixed(3),
        percent(coverage.value),
        accuracy ? percent(accuracy.value) : "–",
        String(errors),
        percent(errorBound),
        percent(reviewShare),
        ...(cost ? [costPerRow?.toPrecision(3) ?? "–"] : []),
      ]);
      const also = (details ?? []).map((words) => `<li>${html(words)}</li>`).join("");
      const found = measured?.coverage
        ? ` On the test rows it takes ${percent(measured.coverage.value)}, of which ${measured.errorRate ? percent(measured.errorRate.value) : "none"} are wrong.`
        : "";
      return `<p>${model.accept.length > 1 ? `${html(targets.join(", "))}: ` : ""}${html(why)}${found}</p>${also === "" ? "" : `<ul>${also}</ul>`}
${rows.length > 0 ? table(["confidence at least", "accepted", "right", "wrong rows", "error, at most (95 %)", "to review", ...(cost ? ["cost a row"] : [])], rows, "Thresholds") : ""}`;
    })
    .join("");
  const targets = Object.entries(model.targets)
    .map(([target, { report, calibration_why, curve }]) =>
      report
        ? targetSection(target, report, calibration_why) + (curve ? curveTable(curve) : "")
        : `<h3>${html(target)}</h3><p>There is no test row to report from.</p>`,
    )
    .join("");
  const joint =
    model.joint?.jointAccuracy && Object.keys(model.targets).length > 1
      ? `<p>All targets right: ${share(model.joint.jointAccuracy)}</p>`
      : "";
  return `<section><h2>${html(name)} <small>${html(model.engine)}</small></h2>${joint}${accept}${targets}</section>`;
}

function roundsSection({ model, rounds, words }: Rounds): string {
  const targets = [...new Set(rounds.flatMap((round) => Object.keys(round.targets)))];
  const points = (m: Measure | undefined) => (m ? html(pointsWords(m)) : "–");
  const lines = rounds.map((round) => [
    html(round.date.slice(0, 16).replace("T", " ")),
    whole(round.trained),
    whole(round.decisions),
    ...targets.flatMap((target) => [
      share(round.targets[target]?.accuracy ?? null),
      points(round.change?.targets[target]?.difference),
    ]),
    share(round.coverage),
    points(round.change?.coverage?.difference),
    String(round.uses ?? "–"),
  ]);
  const head = ["evaluated", "trained on", "decided"].concat(
    targets.flatMap((target) => [html(targets.length > 1 ? `accuracy ${target}` : "accuracy"), "points (95 %)"]),
    ["accepted", "points (95 %)", "uses"],
  );
  return `<h2>Rounds of ${html(model)}</h2>${table(head, lines, "What each round of review bought, on the same test rows")}
<ul>${words.map((sentence) => `<li>${html(sentence)}</li>`).join("")}</ul>`;
}

/** The page. @param rounds of the report's models; only those with two or more are shown */
export function reportPage(report: Report, rounds: readonly Rounds[] = []): string {
  const title = `${report.project}: ${Object.keys(report.models).join(", ")}`;
  const rows = Object.entries(report.rows).map(([split, n]) => `${split} ${whole(n ?? 0)}`);
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const compared = report.comparisons.map(({ a, b, target, pair }) => [
    `${html(a)} against ${html(b)}`,
    html(target ?? "all"),
    String(pair.n),
    `${(100 * pair.difference.value).toFixed(1)} <small>(${(100 * pair.difference.low).toFixed(1)} to ${(100 * pair.difference.high).toFixed(1)})</small>`,
    html(pValue(pair.mcnemarHolm)),
    `${pair.onlyA} / ${pair.onlyB}`,
  ]);
  const changed = report.comparisons.flatMap(({ a, b, target, pair }) =>
    pair.labels
      .filter(({ gained, lost }) => gained !== lost)
      .slice(0, 10)
      .map(({ label, support, recallA, recallB, gained, lost, mcnemar }) => [
        html(label),
        html(`${a} against ${b}${target === null ? "" : `, ${target}`}`),
        String(support),
        percent(recallB),
        percent(recallA),
        `+${gained} −${lost}`,
        html(pValue(mcnemar)),
      ]),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${html(title)}</title><style>${STYLE}</style></head><body>
<h1>${html(title)}</h1><ul class="verdict">${report.verdict.map((sentence) => `<li>${html(sentence)}</li>`).join("")}</ul>
${compared.length > 0 ? table(["models", "target", "rows", "points (95 %)", "McNemar, Holm", "only one right"], compared, "Comparison on the same rows") : ""}
${changed.length > 0 ? table(["label", "models", "rows", "recall of the second", "of the first", "rows", "McNemar"], changed, "Labels that change most") : ""}
${rounds
  .filter((of) => of.rounds.length > 1)
  .map(roundsSection)
  .join("")}
${Object.entries(report.models)
  .map(([name, model]) => modelSection(name, model))
  .join("\n")}
<footer><p>Job ${html(report.job)}, ${html(report.date)}. Rows: ${html(rows.join(", "))}; ${report.decisions} with a decision. Data ${html(report.data.slice(0, 16))}, seed ${report.seed}. ${html(versions.join(", "))}.</p></footer>
</body></html>
`;
}
