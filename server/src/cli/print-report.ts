/** A report as a person reads it on a terminal. */
import type { AcceptDecision, ModelReport, Report } from "../../../schemas/report.ts";
import { dollars } from "../engines/chat/price.ts";
import { percent, print, table, whole } from "./io.ts";

/** Verdict, figures, and what else is to be said of the accept rules. */
export function printReport(report: Report): void {
  for (const sentence of report.verdict) print(sentence);
  print();
  const head = ["", "n", "accuracy", "95 %", "macro F1", "log loss", "Brier", "ECE", "(band)", "accepted"];
  const lines = Object.entries(report.models).flatMap(([name, model]) => {
    const accepted = model.accept[0]?.measured?.coverage?.value;
    return Object.entries(model.targets).flatMap(([target, { report: figures }]) => {
      if (!figures) return [];
      const { accuracy, macroF1 } = figures.averages;
      return [
        [
          `${name} · ${target}`,
          String(figures.n),
          percent(accuracy.value),
          `${percent(accuracy.low)}–${percent(accuracy.high)}`,
          macroF1.value.toFixed(3),
          figures.logLoss?.value.toFixed(3) ?? "–",
          figures.brier?.value.toFixed(3) ?? "–",
          figures.calibration.ece.toFixed(3),
          `(${figures.calibration.band?.mean.toFixed(3) ?? "–"})`,
          accepted === undefined ? "–" : percent(accepted, 0),
        ],
      ];
    });
  });
  print(table([head, ...lines]));
  for (const [name, model] of Object.entries(report.models)) {
    const joint = model.joint?.jointAccuracy;
    if (joint && Object.keys(model.targets).length > 1)
      print(`${name}: all targets right on ${percent(joint.value)} of rows.`);
    printCalls(name, model);
    for (const [target, { report: figures }] of Object.entries(model.targets)) {
      const pairs = figures?.confusions.slice(0, 3) ?? [];
      if (pairs.length === 0) continue;
      const shown = pairs.map(({ given, predicted, count }) => `${given} as ${predicted ?? "no answer"} (${count})`);
      print(`${name} · ${target}: most often confused: ${shown.join(", ")}`);
    }
    for (const { targets, details } of model.accept) {
      const of = model.accept.length > 1 ? ` · ${targets.join(" and ")}` : "";
      for (const words of details ?? []) print(`${name}${of}: ${words}`);
    }
  }
  for (const { a, b, target, pair } of report.comparisons) {
    const p = pair.mcnemarHolm < 0.0001 ? "< 0.0001" : `= ${pair.mcnemarHolm.toFixed(4)}`;
    const of = target === null ? "" : ` · ${target}`;
    print(
      `${a} against ${b}${of}: only ${a} is right on ${whole(pair.onlyA)} rows, only ${b} on ${whole(pair.onlyB)} (exact McNemar, p ${p})`,
    );
    const changed = pair.labels.filter(({ gained, lost }) => gained !== lost).slice(0, MOST_LABELS);
    if (changed.length > 0) {
      const shown = changed.map(({ label, gained, lost, support }) => `${label} +${gained} −${lost} of ${support}`);
      print(`  labels that change most: ${shown.join(", ")}`);
    }
  }
}

/** Labels named of a comparison. */
const MOST_LABELS = 5;

/** What each threshold on the confidence would accept, and what that costs: all models side by side. */
export function printThresholds(report: Report): void {
  const models = Object.entries(report.models);
  const [first] = models;
  for (const [d, { targets, thresholds }] of (first?.[1].accept ?? []).entries()) {
    if (thresholds.length === 0) continue;
    const decisions = models.map(([name, model]): [string, AcceptDecision] => [name, model.accept[d]!]);
    const prices = decisions.some(([, { cost }]) => cost);
    print();
    print(`Thresholds${first![1].accept.length > 1 ? `, ${targets.join(" and ")}` : ""}: of the test rows`);
    const head = [
      "confidence at least",
      ...decisions.flatMap(([name]) => [`${name}: accepted`, "wrong", "to review", ...(prices ? ["cost a row"] : [])]),
    ];
    const lines = thresholds.map(({ threshold }, i) => [
      threshold.toFixed(3),
      ...decisions.flatMap(([, { thresholds: of }]) => {
        const line = of[i];
        if (!line) return ["–", "–", "–", ...(prices ? ["–"] : [])];
        const { coverage, accuracy, reviewShare, costPerRow } = line;
        const wrong = accuracy ? percent(1 - accuracy.value) : "–";
        const cost = costPerRow === undefined ? "–" : costPerRow.toPrecision(3);
        return [percent(coverage.value), wrong, percent(reviewShare), ...(prices ? [cost] : [])];
      }),
    ]);
    print(table([head, ...lines]));
  }
}

/** What asking an endpoint took, and what the stages of a cascade did. */
function printCalls(name: string, { calls, tokens, cost, stages }: ModelReport): void {
  if (calls) {
    const parts = [`${whole(calls.rows)} rows asked`];
    if (tokens) parts.push(`${whole(tokens.prompt)} + ${whole(tokens.completion)} tokens`);
    if (calls.latency)
      parts.push(`${calls.latency.median.toFixed(2)} s a row (95 % under ${calls.latency.p95.toFixed(2)} s)`);
    if (cost !== null && calls.cost_per_row !== null) {
      parts.push(`${dollars(cost)}, ${dollars(calls.cost_per_row)} a row (prices: ${calls.price_from})`);
    }
    for (const [problem, count] of Object.entries(calls.problems)) parts.push(`${whole(count)} ${problem}`);
    print(`${name}: ${parts.join(", ")}.`);
  }
  for (const { name: stage, seen, decided, cost: paid, cost_alone } of stages ?? []) {
    const price =
      paid === null
        ? ""
        : `, ${dollars(paid)}${cost_alone === null ? "" : ` (asked every row: ${dollars(cost_alone)})`}`;
    print(`${name}: ${stage} decided ${whole(decided)} of the ${whole(seen)} rows it saw${price}.`);
  }
}
