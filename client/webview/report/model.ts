/** One model of a report: what it decides alone, then target by target how good it is and where it errs. */
import { html, nothing } from "lit";
import type { AcceptDecision, LearningCurve, ModelReport, TargetReport } from "../../../schemas/report.ts";
import type { ReportedRows, TrainingSeries } from "../../../schemas/reportPanel.ts";
import { percent, whole } from "../shared/numbers.ts";
import { matrixOf } from "./cells.ts";
import { plotFigure } from "./figure.ts";
import type { Later } from "./later.ts";
import { matrix, NO_ANSWER } from "./matrix.ts";
import {
  confidenceBins,
  histogram,
  histogramWords,
  learning,
  reliability,
  reliabilityWords,
  training,
} from "./plots.ts";
import { rowList } from "./rows.ts";
import { slicesSection } from "./slices.ts";
import type { Surroundings } from "./surroundings.ts";
import { table } from "./table.ts";
import { thresholds } from "./thresholds.ts";
import { trainingWords } from "./trainingSeries.ts";
import { type Cell, count, figure, part, share, words } from "./words.ts";

const BINS = 25;

export function drawModel(name: string, model: ModelReport, number: number, later: Later, at: Surroundings) {
  const targets = Object.entries(model.targets);
  const joint = model.joint?.jointAccuracy;
  return html`<section class="model" id="model-${number}" tabindex="-1">
    <h2>${name}</h2>
    <p class="soft">${[...modelFacts(model)].join(" · ")}</p>
    ${(model.notes ?? []).map((note) => html`<p>${note}</p>`)}
    ${
      joint && targets.length > 1
        ? html`<p>All targets right: ${percent(joint.value)} (${percent(joint.low)} to ${percent(joint.high)})</p>`
        : nothing
    }
    ${model.accept.map((decision, i) => drawAccept(decision, i, name, model.accept.length > 1, later, at))}
    ${targets.map(([target, { report, calibration_why, curve, labels }]) =>
      report
        ? html`<section class="target" aria-label=${`${name}: ${target}`}>
            ${drawTarget(name, target, report, labels, calibration_why, later, at)}
            ${curve ? drawCurve(`${name} ${target}`, curve, at) : nothing}
          </section>`
        : html`<h3>${target}</h3>
            <p>There is no test row to report from.</p>`,
    )}
    ${targets.some(([, { report }]) => report?.rows === "test") ? slicesSection(name, at) : nothing}
    ${later(`training ${name}`, (detail) => drawTraining(name, model.engine, detail.models[name]?.training ?? [], at))}
  </section>`;
}

/** What the run took, and what the stages of a cascade did. */
function* modelFacts({ engine, predictions, seconds, cost, tokens, calls, stages }: ModelReport): Generator<string> {
  yield engine;
  yield `${whole(predictions)} predictions in ${seconds.toFixed(1)} s`;
  if (cost !== null) yield `$${cost.toFixed(3)}`;
  if (tokens) yield `${whole(tokens.prompt)} + ${whole(tokens.completion)} tokens`;
  if (calls?.latency) yield `${calls.latency.median.toFixed(2)} s a row, 95 % under ${calls.latency.p95.toFixed(2)} s`;
  if (calls?.cost_per_row != null) yield `$${calls.cost_per_row.toPrecision(2)} a row (prices: ${calls.price_from})`;
  const problems = Object.entries(calls?.problems ?? {});
  if (problems.length > 0) yield problems.map(([problem, n]) => `${whole(n)} ${problem}`).join(", ");
  for (const { name, seen, decided, cost: of, cost_alone } of stages ?? []) {
    const alone = cost_alone === null ? "" : ` (alone: $${cost_alone.toPrecision(2)})`;
    const price = of === null ? "" : ` for $${of.toPrecision(2)}${alone}`;
    yield `${name} decided ${whole(decided)} of ${whole(seen)} rows${price}`;
  }
}

function drawAccept(
  decision: AcceptDecision,
  number: number,
  model: string,
  several: boolean,
  later: Later,
  at: Surroundings,
) {
  const { targets, why, measured, thresholds: lines, pool, details, cost } = decision;
  const on = several ? `${targets.join(", ")}: ` : "";
  const wrong = measured?.errorRate
    ? `${percent(measured.errorRate.value)} of those are wrong`
    : "none of those can be judged";
  const found = measured?.coverage?.value
    ? ` On the test rows it takes ${percent(measured.coverage.value)}; ${wrong}.`
    : "";
  const waiting = pool ? ` Of ${whole(pool.rows)} rows in the pool you review ${whole(pool.flagged)}.` : "";
  const name = `${model} ${targets.join(" ")}`;
  return html`<p>${on}${why}${found}${waiting}</p>
    ${details?.length ? html`<ul>${details.map((sentence) => html`<li>${sentence}</li>`)}</ul>` : nothing}
    ${later(`curve ${name}`, (detail) => {
      const curve = detail.models[model]?.curves[number];
      return curve && curve.rows.length > 0 ? thresholds(decision, curve, name, at) : null;
    })}
    ${
      lines.length === 0
        ? nothing
        : table(
            {
              caption: several ? `Thresholds: ${targets.join(", ")}` : "Thresholds: what other choices would do",
              head: [
                ...["confidence at least", "accepted", "right", "wrong rows", "wrong, at most (95 %)", "to review"],
                ...(cost ? ["cost a row"] : []),
              ],
              rows: lines.map(({ threshold, coverage, accuracy, errors, errorBound, reviewShare, costPerRow }) => [
                { text: threshold.toFixed(3), sort: threshold },
                share(coverage),
                share(accuracy),
                count(errors),
                part(errorBound),
                part(reviewShare),
                ...(cost ? [{ text: costPerRow?.toPrecision(3) ?? "–", sort: costPerRow ?? 0 }] : []),
              ]),
              key: `thresholds ${name}`,
            },
            at,
          )
    }`;
}

/** The figures of a target, each with its interval: name and cell. */
export function targetFigures(report: TargetReport): [string, Cell][] {
  const { averages, calibration, failed, unparsed, outOfList } = report;
  const ideal = calibration.band
    ? `a perfectly calibrated model: ${calibration.band.mean.toFixed(3)}, up to ${calibration.band.high.toFixed(3)}`
    : "";
  const unusable = failed + unparsed + outOfList;
  return [
    ["accuracy", share(averages.accuracy)],
    ["balanced accuracy", share(averages.balancedAccuracy)],
    ["macro F1", figure(averages.macroF1)],
    ["weighted F1", figure(averages.weightedF1)],
    ["Matthews correlation", figure(averages.mcc)],
    ["log loss", figure(report.logLoss)],
    ["Brier score", figure(report.brier)],
    [
      `calibration error (ECE, ${calibration.bins.length} bins)`,
      { text: calibration.ece.toFixed(3), interval: ideal, sort: calibration.ece },
    ],
    ["AUROC of the confidence", figure(report.auroc)],
    ["area under risk-coverage", figure(report.aurc, 4)],
    ...report.coverageAtRisk.map(({ risk, coverage, low, high }): [string, Cell] => [
      `accepted where ${whole(100 * risk)} % of those are wrong`,
      share({ value: coverage, low, high }),
    ]),
    ...(unusable > 0 ? [["no usable answer", count(unusable)] as [string, Cell]] : []),
  ];
}

function drawTarget(
  model: string,
  target: string,
  report: TargetReport,
  labels: readonly string[],
  why: string,
  later: Later,
  at: Surroundings,
) {
  const name = `${model} ${target}`;
  const byRows = [...report.labels].sort((a, b) => b.support - a.support);
  return html`<h3>${target}</h3>
      ${table(
        {
          caption: `${whole(report.n)} ${report.rows === "test" ? "test rows" : "cross-fitted rows"}, with 95 % intervals`,
          head: ["figure", "value"],
          rows: targetFigures(report).map(([figureName, cell]) => [words(figureName), cell]),
          key: `figures ${name}`,
        },
        at,
      )}
    <div class="sides">
      ${plotFigure(
        {
          caption: "Does the confidence mean what it says?",
          name: `reliability ${name}`,
          told: `Share right against confidence, by bin. ${reliabilityWords(report)}`,
          widest: 340,
          draw: (width) => reliability(report, width),
        },
        at,
      )}
      ${later(`histogram ${name}`, (detail) => {
        const rows = detail.models[model]?.targets[target];
        return rows ? drawHistogram(rows, name, at) : null;
      })}
    </div>
    <p class="soft">Calibration: ${why}</p>
    ${later(`matrix ${name}`, (detail) => {
      const rows = detail.models[model]?.targets[target];
      return rows ? drawMatrix(rows, labels, detail.ids, name, at) : null;
    })}
    ${later(`confusions ${name}`, (detail) => confusions(report, labels, detail.models[model]?.targets[target], name, at))}
    ${table(
      {
        caption: "By label",
        head: ["label", "rows", "predicted", "precision", "recall", "F1"],
        rows: byRows.map(({ label, support, predicted, precision, recall, f1 }) => [
          words(label),
          count(support),
          count(predicted),
          share(precision),
          share(recall),
          figure(f1),
        ]),
        key: `labels ${name}`,
      },
      at,
    )}`;
}

function drawHistogram(rows: ReportedRows, name: string, at: Surroundings): HTMLElement {
  const bins = confidenceBins(rows, BINS);
  return plotFigure(
    {
      caption: "How sure it is, of right and wrong answers",
      name: `confidence ${name}`,
      told: histogramWords(bins),
      widest: 360,
      draw: (width) => histogram(bins, width),
    },
    at,
  );
}

function drawMatrix(
  rows: ReportedRows,
  labels: readonly string[],
  ids: readonly string[],
  name: string,
  at: Surroundings,
): HTMLElement {
  const list = rowList(rows, labels, ids, name, at);
  const place = document.createElement("div");
  place.append(
    matrix({ caption: "Confusion matrix", labels, reported: rows, name, showRows: list.show }, at),
    list.element,
  );
  return place;
}

/** All pairs where the rows are known; else the report's own most frequent ones. */
function confusions(
  report: TargetReport,
  labels: readonly string[],
  rows: ReportedRows | undefined,
  name: string,
  at: Surroundings,
): HTMLElement | null {
  const pairs = rows ? allPairs(rows, labels) : report.confusions;
  if (pairs.length === 0) return null;
  return table(
    {
      caption: "Most often confused",
      head: ["label in the data", "predicted", "rows", "of the label"],
      rows: pairs.map(({ given, predicted, count: n, share: of }) => [
        words(given),
        words(predicted ?? NO_ANSWER),
        count(n),
        part(of),
      ]),
      prose: [1],
      key: `confusions ${name}`,
      most: 20,
    },
    at,
  );
}

function allPairs(rows: ReportedRows, labels: readonly string[]): TargetReport["confusions"] {
  const { cells, given } = matrixOf(rows, labels.length);
  return cells
    .filter((cell) => cell.given !== cell.predicted)
    .sort((a, b) => b.count - a.count || b.count / given[b.given]! - a.count / given[a.given]! || a.given - b.given)
    .map((cell) => ({
      given: labels[cell.given]!,
      predicted: cell.predicted < 0 ? null : labels[cell.predicted]!,
      count: cell.count,
      share: cell.count / given[cell.given]!,
    }));
}

function drawCurve(name: string, curve: LearningCurve, at: Surroundings) {
  const { points, forecasts } = curve;
  const told = [
    ...points.map(({ trained, accuracy }) => `${whole(trained)} rows: ${percent(accuracy)}`),
    ...forecasts.map(({ trained, value }) => `${whole(trained)} rows, a forecast: ${percent(value)}`),
  ].join("; ");
  return html`<div class="sides">
    ${plotFigure(
      {
        caption: "Learning curve",
        name: `learning curve ${name}`,
        told,
        widest: 460,
        draw: (width) => learning(curve, width),
      },
      at,
    )}
    ${table(
      {
        caption: "Learning curve: what more rows would give, if it goes on as it went",
        head: ["trained on", "accuracy", "by the curve"],
        rows: [
          ...points.map(({ trained, accuracy, fitted }): Cell[] => [count(trained), part(accuracy), part(fitted)]),
          ...forecasts.map(({ trained, ...m }): Cell[] => [count(trained), part(null), share(m)]),
        ],
        key: `curve ${name}`,
      },
      at,
    )}
  </div>`;
}

/** A plot for each figure that a fine-tune reported step by step; nothing where there is none. */
function drawTraining(
  model: string,
  engine: string,
  series: readonly TrainingSeries[],
  at: Surroundings,
): HTMLElement | null {
  const byName = new Map<string, TrainingSeries[]>();
  for (const of of series) if (of.points.length > 1) byName.set(of.name, [...(byName.get(of.name) ?? []), of]);
  if (byName.size === 0) return null;
  const section = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = "Training";
  const plots = document.createElement("div");
  plots.className = "sides";
  // Of engine `linear` a step is a strength of regularisation that was tried.
  const axis =
    engine === "linear" ? { label: "C: the larger, the less regularised", log: true } : { label: "step", log: false };
  for (const [name, of] of byName) {
    plots.append(
      plotFigure(
        {
          caption: engine === "linear" ? `${name.replaceAll("_", " ")} of the strengths that were tried` : name,
          name: `training ${model} ${name}`,
          told: trainingWords(of),
          widest: 460,
          draw: (width) => training(of, axis, width),
        },
        at,
      ),
    );
  }
  section.append(heading, plots);
  return section;
}
