/** The report panel: verdict first, then figures with their intervals. */
import type {
  AcceptDecision,
  Change,
  LearningCurve,
  Measure,
  ModelReport,
  PairComparison,
  Report,
  Rounds,
  TargetReport,
} from "../../../schemas/report.ts";
import type { FromReport, ReportState, ToReport } from "../messages.ts";
import { h, replace } from "../shared/dom.ts";
import { percent, whole } from "../shared/numbers.ts";
import { connectHost } from "../shared/vscode.ts";
import { reliability } from "./reliability.ts";
import { type Cell, table as drawTable, type TableOptions } from "./table.ts";

const host = connectHost<FromReport, ReportState>();
const root = document.getElementById("root")!;
const MOST_CONFUSED = 20;

const share = (m: Measure | null): Cell =>
  m ? { value: percent(m.value), interval: `${(100 * m.low).toFixed(1)} to ${percent(m.high)}` } : "–";
const figure = (m: Measure | null, digits = 3): Cell =>
  m ? { value: m.value.toFixed(digits), interval: `${m.low.toFixed(digits)} to ${m.high.toFixed(digits)}` } : "–";
const points = (m: Measure): Cell => ({
  value: (100 * m.value).toFixed(1),
  interval: `${(100 * m.low).toFixed(1)} to ${(100 * m.high).toFixed(1)}`,
});
const table = (options: Omit<TableOptions, "copy">) =>
  drawTable({ ...options, copy: (text) => host.postMessage({ type: "copy", text }) });

function drawTarget(name: string, report: TargetReport, why: string): Node[] {
  const { averages, calibration } = report;
  const ideal = calibration.band
    ? `a perfectly calibrated model: ${calibration.band.mean.toFixed(3)}, up to ${calibration.band.high.toFixed(3)}`
    : "";
  const unusable = report.failed + report.unparsed + report.outOfList;
  const figures: [string, Cell][] = [
    ["accuracy", share(averages.accuracy)],
    ["balanced accuracy", share(averages.balancedAccuracy)],
    ["macro F1", figure(averages.macroF1)],
    ["weighted F1", figure(averages.weightedF1)],
    ["Matthews correlation", figure(averages.mcc)],
    ["log loss", figure(report.logLoss)],
    ["Brier score", figure(report.brier)],
    [
      `calibration error (ECE, ${calibration.bins.length} bins)`,
      { value: calibration.ece.toFixed(3), interval: ideal },
    ],
    ["AUROC of the confidence", figure(report.auroc)],
    ["area under risk-coverage", figure(report.aurc, 4)],
    ...(unusable > 0 ? [["no usable answer", whole(unusable)] as [string, Cell]] : []),
  ];
  const labels = [...report.labels].sort((a, b) => b.support - a.support);
  return [
    h("h3", {}, name),
    h(
      "div",
      { class: "sides" },
      table({
        caption: `${whole(report.n)} ${report.rows === "test" ? "test rows" : "cross-fitted rows"}, with 95 % intervals`,
        head: ["", "value"],
        rows: figures,
      }),
      h("figure", {}, h("figcaption", {}, "Does the confidence mean what it says?"), reliability(report)),
    ),
    h("p", { class: "soft" }, `Calibration: ${why}`),
    ...(report.confusions.length > 0
      ? [
          table({
            caption: "Most often confused",
            head: ["label in the data", "predicted", "rows", "of the label"],
            words: [1],
            rows: report.confusions
              .slice(0, MOST_CONFUSED)
              .map(({ given, predicted, count, share }) => [
                given,
                predicted ?? "no answer",
                whole(count),
                percent(share),
              ]),
          }),
        ]
      : []),
    table({
      caption: "By label",
      head: ["label", "rows", "predicted", "precision", "recall", "F1"],
      rows: labels.map(({ label, support, predicted, precision, recall, f1 }) => [
        label,
        whole(support),
        whole(predicted),
        share(precision),
        share(recall),
        figure(f1),
      ]),
    }),
  ];
}

function drawAccept(
  { targets, why, measured, thresholds, pool, details, cost }: AcceptDecision,
  several: boolean,
): Node[] {
  const on = several ? `${targets.join(", ")}: ` : "";
  const found = measured?.coverage?.value
    ? ` On the test rows it takes ${percent(measured.coverage.value)}; ${measured.errorRate ? `${percent(measured.errorRate.value)} of those are wrong` : "none of those can be judged"}.`
    : "";
  const waiting = pool ? ` Of ${whole(pool.rows)} rows in the pool you review ${whole(pool.flagged)}.` : "";
  return [
    h("p", {}, `${on}${why}${found}${waiting}`),
    ...(details?.length ? [h("ul", {}, ...details.map((words) => h("li", {}, words)))] : []),
    ...(thresholds.length > 0
      ? [
          table({
            caption: several ? `Thresholds: ${targets.join(", ")}` : "Thresholds: what other choices would do",
            head: [
              "confidence at least",
              "accepted",
              "right",
              "wrong rows",
              "wrong, at most (95 %)",
              "to review",
            ].concat(cost ? ["cost a row"] : []),
            rows: thresholds.map(({ threshold, coverage, accuracy, errors, errorBound, reviewShare, costPerRow }) => [
              threshold.toFixed(3),
              share(coverage),
              share(accuracy),
              whole(errors),
              percent(errorBound),
              percent(reviewShare),
              ...(cost ? [costPerRow?.toPrecision(3) ?? "–"] : []),
            ]),
          }),
        ]
      : []),
  ];
}

function drawCurve({ points, forecasts }: LearningCurve): Node {
  return table({
    caption: "Learning curve: what more rows would give, if it goes on as it went",
    head: ["trained on", "accuracy", "by the curve"],
    rows: [
      ...points.map(({ trained, accuracy, fitted }): Cell[] => [whole(trained), percent(accuracy), percent(fitted)]),
      ...forecasts.map(({ trained, ...m }): Cell[] => [whole(trained), "–", share(m)]),
    ],
  });
}

/** What asking an endpoint took a row, and what the stages of a cascade did. */
function callFacts({ calls, stages }: ModelReport): string[] {
  const facts: string[] = [];
  if (calls?.latency)
    facts.push(`${calls.latency.median.toFixed(2)} s a row, 95 % under ${calls.latency.p95.toFixed(2)} s`);
  if (calls?.cost_per_row != null)
    facts.push(`$${calls.cost_per_row.toPrecision(2)} a row (prices: ${calls.price_from})`);
  const problems = Object.entries(calls?.problems ?? {});
  if (problems.length > 0) facts.push(problems.map(([problem, count]) => `${whole(count)} ${problem}`).join(", "));
  for (const { name, seen, decided, cost, cost_alone } of stages ?? []) {
    const price =
      cost === null
        ? ""
        : ` for $${cost.toPrecision(2)}${cost_alone === null ? "" : ` (alone: $${cost_alone.toPrecision(2)})`}`;
    facts.push(`${name} decided ${whole(decided)} of ${whole(seen)} rows${price}`);
  }
  return facts;
}

function drawModel(name: string, model: ModelReport): Node[] {
  const targets = Object.entries(model.targets);
  const facts = [
    model.engine,
    `${whole(model.predictions)} predictions in ${model.seconds.toFixed(1)} s`,
    model.cost === null ? undefined : `$${model.cost.toFixed(3)}`,
    model.tokens ? `${whole(model.tokens.prompt)} + ${whole(model.tokens.completion)} tokens` : undefined,
    ...callFacts(model),
  ];
  const joint = model.joint?.jointAccuracy;
  return [
    h("h2", {}, name),
    h("p", { class: "soft" }, facts.filter(Boolean).join(" · ")),
    ...(joint && targets.length > 1
      ? [h("p", {}, `All targets right: ${percent(joint.value)} (${percent(joint.low)} to ${percent(joint.high)})`)]
      : []),
    ...model.accept.flatMap((accept) => drawAccept(accept, model.accept.length > 1)),
    ...targets.flatMap(([target, { report, calibration_why, curve }]) =>
      report
        ? [...drawTarget(target, report, calibration_why), ...(curve ? [drawCurve(curve)] : [])]
        : [h("h3", {}, target), h("p", {}, "There is no test row to report from.")],
    ),
  ];
}

function drawChange(change: Change): Node[] {
  const { model, previous_date, decisions_before, decisions_now, accepted_before, accepted_now } = change;
  const facts = [
    `${model}, against its evaluation of ${new Date(previous_date).toLocaleString()}`,
    `decisions ${whole(decisions_before)} → ${whole(decisions_now)}`,
    accepted_before !== null && accepted_now !== null
      ? `accepted ${percent(accepted_before)} → ${percent(accepted_now)}`
      : undefined,
  ];
  const rows = Object.entries(change.targets).map(([target, pair]): Cell[] => [
    target,
    whole(pair.n),
    percent(pair.accuracyB),
    percent(pair.accuracyA),
    points(pair.difference),
    whole(pair.onlyA),
    whole(pair.onlyB),
  ]);
  const pairs = Object.entries(change.targets).map(([target, pair]) => ({ of: target, pair }));
  return [
    h("p", {}, facts.filter(Boolean).join(" · ")),
    table({
      caption: "On the same test rows",
      head: ["target", "rows", "before", "now", "points (95 %)", "newly right", "newly wrong"],
      rows,
    }),
    ...labelChanges("target", pairs),
  ];
}

const MOST_LABELS = 10;

/** The labels with the greatest net change among some pairs. */
function labelChanges(what: string, pairs: readonly { of: string; pair: PairComparison }[]): Node[] {
  const labels = pairs.flatMap(({ of, pair }) =>
    pair.labels.filter(({ gained, lost }) => gained !== lost).map((label) => ({ of, ...label })),
  );
  labels.sort((a, b) => Math.abs(b.gained - b.lost) - Math.abs(a.gained - a.lost));
  if (labels.length === 0) return [];
  return [
    table({
      caption: "Labels that changed most",
      head: ["label", what, "rows", "recall before", "now", "newly right", "newly wrong", "McNemar"],
      words: [1],
      rows: labels
        .slice(0, MOST_LABELS)
        .map(({ of, label, support, recallA, recallB, gained, lost, mcnemar }) => [
          label,
          of,
          whole(support),
          percent(recallB),
          percent(recallA),
          whole(gained),
          whole(lost),
          pValue(mcnemar),
        ]),
    }),
  ];
}

const pValue = (p: number): string => (p < 0.0001 ? "< 0.0001" : p.toFixed(4));

function drawRounds({ model, rounds, words }: Rounds): Node[] {
  const targets = [...new Set(rounds.flatMap((round) => Object.keys(round.targets)))];
  const several = targets.length > 1;
  return [
    h("h2", {}, `Rounds of ${model}`),
    table({
      caption: "What each round of review bought, on the same test rows",
      head: [
        ...["evaluated", "trained on", "decided"],
        ...targets.flatMap((target) => [several ? `accuracy ${target}` : "accuracy", "points (95 %)"]),
        ...["accepted", "points (95 %)", "uses"],
      ],
      rows: rounds.map(({ change, ...round }): Cell[] => [
        new Date(round.date).toLocaleString(),
        whole(round.trained),
        whole(round.decisions),
        ...targets.flatMap((target): Cell[] => {
          const difference = change?.targets[target]?.difference;
          return [share(round.targets[target]?.accuracy ?? null), difference ? points(difference) : "–"];
        }),
        share(round.coverage),
        change?.coverage ? points(change.coverage.difference) : "–",
        String(round.uses ?? "–"),
      ]),
    }),
    h("ul", {}, ...words.map((sentence) => h("li", {}, sentence))),
  ];
}

function draw(report: Report, rounds: readonly Rounds[]): void {
  const models = Object.keys(report.models);
  // Of a prompted model alone; that it is a zero-shot one is known to the server, which says so if it is not.
  const zeroShot = models.length === 1 && report.models[models[0]!]!.engine === "chat" ? models[0]! : null;
  const compared = report.comparisons.map(({ a, b, target, pair }): Cell[] => [
    `${a} against ${b}`,
    target ?? "all targets",
    whole(pair.n),
    points(pair.difference),
    pValue(pair.mcnemarHolm),
    `${whole(pair.onlyA)} / ${whole(pair.onlyB)}`,
  ]);
  const rows = Object.entries(report.rows).map(([split, n]) => `${split} ${whole(n ?? 0)}`);
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  replace(
    root,
    h("h1", {}, `${report.project}: ${models.join(", ")}`),
    h("ul", { class: "verdict" }, ...report.verdict.map((sentence) => h("li", {}, sentence))),
    h(
      "div",
      { class: "toolbar" },
      h(
        "button",
        { type: "button", click: () => host.postMessage({ type: "run", command: "clf.review" }) },
        "Review Flagged Rows",
      ),
      h(
        "button",
        { type: "button", click: () => host.postMessage({ type: "run", command: "clf.openLog" }) },
        "Open Log",
      ),
      zeroShot &&
        h(
          "button",
          {
            type: "button",
            click: () => host.postMessage({ type: "run", command: "clf.makeFewShot", model: zeroShot }),
          },
          "Make a Targeted Few-shot Model",
        ),
    ),
    report.changes.length > 0 && h("h2", {}, "What changed since last time"),
    ...report.changes.flatMap(drawChange),
    compared.length > 0 && h("h2", {}, "Comparison"),
    compared.length > 0 &&
      table({
        caption: "On the same rows",
        head: ["models", "target", "rows", "points (95 %)", "McNemar, Holm", "only one right"],
        words: [1],
        rows: compared,
      }),
    ...labelChanges(
      "models: the first instead of the second",
      report.comparisons.map(({ a, b, target, pair }) => ({
        of: `${a} against ${b}${target === null ? "" : `, ${target}`}`,
        pair,
      })),
    ),
    ...rounds.filter((of) => of.rounds.length > 1).flatMap(drawRounds),
    ...Object.entries(report.models).flatMap(([name, model]) => drawModel(name, model)),
    h(
      "footer",
      {},
      `Job ${report.job}, ${new Date(report.date).toLocaleString()}. Rows: ${rows.join(", ")}; ${whole(report.decisions)} with a decision. Data ${report.data.slice(0, 16)}, seed ${report.seed}. ${versions.join(", ")}.`,
    ),
  );
}

addEventListener("message", ({ data }: MessageEvent<ToReport>) => {
  if (data.type === "report") draw(data.report, data.rounds);
  else replace(root, h("p", { class: "error", role: "alert" }, data.message));
});
// What VS Code gives back after a reload, so that the extension knows which report this was.
host.setState(JSON.parse(decodeURIComponent(root.dataset.state!)) as ReportState);
replace(root, h("p", { class: "soft" }, "Loading…"));
host.postMessage({ type: "ready" });
