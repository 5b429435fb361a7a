/** A report from top to bottom: verdict first, then figures with their intervals, and exactly what made it. */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import { html, nothing, render, type TemplateResult } from "lit";
import { until } from "lit/directives/until.js";
import type { Change, Comparison, PairComparison, Report, Rounds } from "../../../schemas/report.ts";
import type { ReportDetail } from "../../../schemas/reportPanel.ts";
import { messageOf } from "../shared/errors.ts";
import { percent, whole } from "../shared/numbers.ts";
import { costSection } from "./cost.ts";
import { plotFigure } from "./figure.ts";
import { waitFor } from "./later.ts";
import { drawModel, targetFigures } from "./model.ts";
import { differences } from "./plots.ts";
import type { Surroundings } from "./surroundings.ts";
import { table } from "./table.ts";
import { type Cell, count, none, part, points, pValue, share, words } from "./words.ts";

const MOST_LABELS = 10;

/**
 * @param rounds may come later: reading them takes longer than the report
 * @param detail what the plots of rows are drawn from; it may come later, or not at all
 * @returns when all is drawn that needs no rounds
 */
export function drawReport(
  root: HTMLElement,
  report: Report,
  rounds: Promise<readonly Rounds[]>,
  detail: Promise<ReportDetail>,
  at: Surroundings,
): Promise<void> {
  const models = Object.entries(report.models);
  const { later, draw } = waitFor(detail);
  const missing = document.createElement("p");
  missing.hidden = true;
  detail.catch((error: unknown) => {
    missing.hidden = false;
    missing.textContent = `Its plots of rows cannot be shown: ${messageOf(error)}`;
  });
  const shownRounds = rounds.then((all) => all.filter((of) => of.rounds.length > 1));
  const whenRounds = (draw: (shown: readonly Rounds[]) => TemplateResult) =>
    until(
      shownRounds.then((shown) => (shown.length > 0 ? draw(shown) : nothing)),
      nothing,
    );
  const link = (id: string, name: string) =>
    html`<button type="button" class="link" @click=${() => goTo(id)}>${name}</button>`;
  render(
    html`<h1>${report.project}: ${models.map(([name]) => name).join(", ")}</h1>
      <ul class="verdict">
        ${report.verdict.map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
      ${missing} ${drawToolbar(report, at)}
      <nav aria-label="Parts of the report">
        ${report.changes.length > 0 ? link("changes", "What changed") : nothing}
        ${report.comparisons.length > 0 ? link("comparison", "Comparison") : nothing}
        ${whenRounds(() => link("rounds", "Rounds"))} ${models.map(([name], i) => link(`model-${i}`, name))}
        ${link("made", "What made this report")}
      </nav>
      ${
        report.changes.length > 0
          ? html`<section id="changes" tabindex="-1">
              <h2>What changed since last time</h2>
              ${report.changes.map((change) => drawChange(change, at))}
            </section>`
          : nothing
      }
      ${report.comparisons.length > 0 ? drawComparisons(report, at) : nothing}
      ${whenRounds((shown) => html`<section id="rounds" tabindex="-1">${shown.map((of) => drawRounds(of, at))}</section>`)}
      ${later("cost", ({ cost }) => cost && costSection(cost, at))}
      ${models.map(([name, model], i) => drawModel(name, model, i, later, at))} ${drawMade(report, at)}`,
    root,
  );
  return draw();
}

function goTo(id: string): void {
  const part = document.getElementById(id);
  part?.scrollIntoView({ block: "start" });
  part?.focus({ preventScroll: true });
}

function drawToolbar(report: Report, { editor }: Surroundings) {
  if (!editor) return nothing;
  const models = Object.entries(report.models);
  // Of a prompted model alone; that it is a zero-shot one is known to the server, which says so if it is not.
  const zeroShot = models.length === 1 && models[0]![1].engine === "chat" ? models[0]![0] : null;
  return html`<div class="toolbar">
    <vscode-button secondary @click=${() => editor.review()}>Review Flagged Rows</vscode-button>
    <vscode-button secondary @click=${() => editor.openLog()}>Open Log</vscode-button>
    ${
      zeroShot === null
        ? nothing
        : html`<vscode-button secondary @click=${() => editor.makeFewShot(zeroShot)}
            >Make a Targeted Few-shot Model</vscode-button
          >`
    }
  </div>`;
}

const date = (iso: string): string => new Date(iso).toLocaleString();

function drawChange(change: Change, at: Surroundings) {
  const { model, previous_date, decisions_before, decisions_now, accepted_before, accepted_now } = change;
  const facts = [
    `${model}, against its evaluation of ${date(previous_date)}`,
    `decisions ${whole(decisions_before)} → ${whole(decisions_now)}`,
    ...(accepted_before !== null && accepted_now !== null
      ? [`accepted ${percent(accepted_before)} → ${percent(accepted_now)}`]
      : []),
  ];
  const targets = Object.entries(change.targets);
  return html`<p>${facts.join(" · ")}</p>
    ${table(
      {
        caption: "On the same test rows",
        head: ["target", "rows", "before", "now", "points (95 %)", "newly right", "newly wrong", "McNemar"],
        rows: targets.map(([target, pair]) => [
          words(target),
          count(pair.n),
          part(pair.accuracyB),
          part(pair.accuracyA),
          points(pair.difference),
          count(pair.onlyA),
          count(pair.onlyB),
          pValue(pair.mcnemar),
        ]),
        key: `change ${model}`,
      },
      at,
    )}
    ${labelChanges(
      "target",
      targets.map(([target, pair]) => ({ of: target, pair })),
      `change labels ${model}`,
      at,
    )}`;
}

const comparedWords = ({ a, b, target }: Comparison): string =>
  `${a} against ${b}${target === null ? "" : `, ${target}`}`;

function drawComparisons(report: Report, at: Surroundings) {
  const { comparisons } = report;
  const targets = [...new Set(Object.values(report.models).flatMap(({ targets }) => Object.keys(targets)))];
  const told = comparisons
    .map((comparison) => {
      const { value, low, high } = comparison.pair.difference;
      return `${comparedWords(comparison)}: ${(100 * value).toFixed(1)} points, ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
    })
    .join("; ");
  return html`<section id="comparison" tabindex="-1">
    <h2>Comparison</h2>
    ${targets.map((target) => sideBySide(report, target, targets.length > 1, at))}
    ${plotFigure(
      {
        caption:
          "Differences in points of accuracy, with 95 % intervals; filled: significant at 5 % after Holm's correction",
        name: "comparison",
        told,
        widest: 620,
        draw: (width) => differences(comparisons, width),
      },
      at,
    )}
    ${table(
      {
        caption: "On the same rows",
        head: ["models", "target", "rows", "points (95 %)", "McNemar, Holm", "only one right"],
        prose: [1],
        rows: comparisons.map(({ a, b, target, pair }) => [
          words(`${a} against ${b}`),
          words(target ?? "all targets"),
          count(pair.n),
          points(pair.difference),
          pValue(pair.mcnemarHolm),
          { text: `${whole(pair.onlyA)} / ${whole(pair.onlyB)}`, sort: pair.onlyA - pair.onlyB },
        ]),
        key: "comparisons",
      },
      at,
    )}
    ${labelChanges(
      "models: the first instead of the second",
      comparisons.map((comparison) => ({ of: comparedWords(comparison), pair: comparison.pair })),
      "comparison labels",
      at,
    )}
  </section>`;
}

/** The figures of a target, a column for each model. */
function sideBySide(report: Report, target: string, several: boolean, at: Surroundings) {
  const models = Object.entries(report.models).flatMap(([name, { targets }]) => {
    const found = targets[target]?.report;
    return found ? [{ name, figures: new Map(targetFigures(found)) }] : [];
  });
  if (models.length < 2) return nothing;
  const names = [...new Set(models.flatMap(({ figures }) => [...figures.keys()]))];
  const accepted = Object.values(report.models).map(
    ({ accept }) => accept.find(({ targets }) => targets.includes(target))?.measured,
  );
  return table(
    {
      caption: several ? `Side by side: ${target}` : "Side by side",
      head: ["figure", ...models.map(({ name }) => name)],
      rows: [
        ...names.map((name) => [words(name), ...models.map(({ figures }) => figures.get(name) ?? none)]),
        [words("accepted by its rule"), ...accepted.map((measured) => share(measured?.coverage ?? null))],
        [words("wrong of those"), ...accepted.map((measured) => share(measured?.errorRate ?? null))],
      ],
      key: `side by side ${target}`,
    },
    at,
  );
}

/** The labels with the greatest net change among some pairs. */
function labelChanges(
  what: string,
  pairs: readonly { of: string; pair: PairComparison }[],
  key: string,
  at: Surroundings,
) {
  const labels = pairs.flatMap(({ of, pair }) =>
    pair.labels.filter(({ gained, lost }) => gained !== lost).map((label) => ({ of, ...label })),
  );
  labels.sort((a, b) => Math.abs(b.gained - b.lost) - Math.abs(a.gained - a.lost));
  if (labels.length === 0) return nothing;
  return table(
    {
      caption: "Labels that changed most",
      head: ["label", what, "rows", "recall before", "now", "newly right", "newly wrong", "McNemar"],
      prose: [1],
      rows: labels.map(({ of, label, support, recallA, recallB, gained, lost, mcnemar }) => [
        words(label),
        words(of),
        count(support),
        part(recallB),
        part(recallA),
        count(gained),
        count(lost),
        pValue(mcnemar),
      ]),
      key,
      most: MOST_LABELS,
    },
    at,
  );
}

function drawRounds({ model, rounds, words: sentences }: Rounds, at: Surroundings) {
  const targets = [...new Set(rounds.flatMap((round) => Object.keys(round.targets)))];
  const several = targets.length > 1;
  return html`<h2>Rounds of ${model}</h2>
    ${table(
      {
        caption: "What each round of review bought, on the same test rows",
        head: [
          ...["evaluated", "trained on", "decided"],
          ...targets.flatMap((target) => [several ? `accuracy ${target}` : "accuracy", "points (95 %)"]),
          ...["accepted", "points (95 %)", "uses"],
        ],
        rows: rounds.map(({ change, ...round }): Cell[] => [
          { text: date(round.date), sort: Date.parse(round.date) },
          count(round.trained),
          count(round.decisions),
          ...targets.flatMap((target): Cell[] => {
            const difference = change?.targets[target]?.difference;
            return [share(round.targets[target]?.accuracy ?? null), difference ? points(difference) : none];
          }),
          share(round.coverage),
          change?.coverage ? points(change.coverage.difference) : none,
          round.uses === null ? none : count(round.uses),
        ]),
        key: `rounds ${model}`,
      },
      at,
    )}
    <ul>
      ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
    </ul>`;
}

/** Exactly which data, seed and versions. */
function drawMade(report: Report, at: Surroundings) {
  const facts: [string, string][] = [
    ["job", report.job],
    ["made", date(report.date)],
    ["project", report.project],
    ...Object.entries(report.rows).map(([split, n]): [string, string] => [`rows of ${split}`, whole(n ?? 0)]),
    ["rows with a decision", whole(report.decisions)],
    ["fingerprint of the data", report.data],
    ["seed", String(report.seed)],
    ...Object.entries(report.models).flatMap(([name, { engine, artifact, targets }]): [string, string][] => [
      [`${name}: engine`, engine],
      ...(artifact === null ? [] : [[`${name}: fine-tune`, artifact] as [string, string]]),
      ...Object.entries(targets).map(([target, { calibrator }]): [string, string] => [
        `${name}: calibrator of ${target}`,
        `${calibrator.map.kind}, fitted on ${whole(calibrator.rows)} ${calibrator.fittedOn} rows`,
      ]),
    ]),
    ...Object.entries(report.versions).map(([name, version]): [string, string] => [`version of ${name}`, version]),
  ];
  return html`<footer id="made" tabindex="-1">
    <h2>What made this report</h2>
    ${table(
      {
        caption: "Data, seed, versions",
        head: ["what", "which"],
        rows: facts.map(([name, value]) => [words(name), words(value)]),
        prose: [1],
        key: "made",
      },
      at,
    )}
  </footer>`;
}
