/**
 * Do certificates hold, and are they worth having? Many draws of the whole pipeline: grid and choice of calibrator on tune,
 * calibration and certificate on validation, choice of the model that may take most, verdict on the known risk.
 *
 *   node bench/confidence/certificates.ts [draws, default 1000] [part of a population's name]
 *
 * "violations" is the share of draws in which any certificate is broken (allowed: 1 − certainty), "chosen" that of the model
 * that is taken; "coverage" its mean certified coverage, with nothing accepted counted as 0; "oracle" the largest
 * coverage with that risk in the population. Beside it on the same draws: DESIGN §5.3 word for word (two sequences with half
 * of δ each that never meet), and SGR (Geifman & El-Yaniv 2017).
 */

import { pathToFileURL } from "node:url";
import {
  type AcceptGrid,
  type AcceptRows,
  acceptGrid,
  acceptRows,
  certify,
  thresholdsOf,
} from "../../server/src/confidence/acceptRule.ts";
import { binomialAtMost } from "../../server/src/confidence/binomial.ts";
import { calibrate, chooseCalibration, fitCalibrator } from "../../server/src/confidence/calibrate.ts";
import { descendingOrder } from "../../server/src/confidence/order.ts";
import { type Random, seededRandom } from "../../server/src/confidence/random.ts";
import { type Role, type RowSet, tuneRows, validationRows } from "../../server/src/confidence/roles.ts";
import { type ScoredRow, type ScoredRows, type Split, scoredRows } from "../../server/src/confidence/scoredRows.ts";
import { type Answer, BREAKABLE, COVERABLE, type Population } from "./populations.ts";
import { selectiveGuaranteedRisk } from "./sgr.ts";

/** Rows of a population: `answers[row][model][target]`, and the number of each row's group. */
function drawRows(population: Population, n: number, random: Random): { answers: Answer[][][]; groups: Int32Array } {
  const answers: Answer[][][] = [];
  const groups: number[] = [];
  for (let group = 0; answers.length < n; group++) {
    for (const row of population.drawGroup(random)) {
      answers.push(row);
      groups.push(group);
    }
  }
  return { answers, groups: Int32Array.from(groups) };
}

const LABELS = Array.from({ length: 10 }, (_, k) => `${k}`);

/** One model's predictions of one target: label 0 is always predicted. */
function table(split: Split, answers: readonly Answer[]): ScoredRows {
  return scoredRows(
    answers.map(
      ({ score, wrong }): ScoredRow => ({
        split,
        truth: wrong ? 1 : 0,
        distribution: { labels: [0], probabilities: [score], rest: 1 - score, restCount: 9 },
      }),
    ),
    { labels: LABELS, keepDistributions: true },
  );
}

const tablesOf = (split: Split, answers: readonly Answer[][][], model: number): ScoredRows[] =>
  answers[0]![model]!.map((_, target) =>
    table(
      split,
      answers.map((row) => row[model]![target]!),
    ),
  );

const together = <R extends Role>(sets: readonly RowSet<R>[]): AcceptRows<R> =>
  acceptRows(
    sets.length > 1 ? "row" : "target",
    sets.map((set, t) => ({ target: `t${t}`, set })),
  );

/** What is true of a population above a threshold; all its models are alike. */
interface Truth {
  risk: (threshold: number) => number;
  coverage: (threshold: number) => number;
  oracle: number;
}

/** From a large sample; the mean of the probabilities, not of the outcomes, so that a broken promise is not a matter of luck. */
function truthOf(population: Population, size: number): Truth {
  const { answers } = drawRows(population, size, seededRandom(987654321));
  const n = answers.length;
  const score = Float64Array.from(answers, (row) => row[0]!.reduce((product, one) => product * one.score, 1));
  const order = descendingOrder(score);
  const sorted = Float64Array.from(order, (i) => score[i]!);
  const wrongs = new Float64Array(n + 1);
  let oracle = 0;
  for (let k = 1; k <= n; k++) {
    const right = answers[order[k - 1]!]![0]!.reduce((product, one) => product * (1 - one.risk), 1);
    wrongs[k] = wrongs[k - 1]! + 1 - right;
    if (k >= 1000 && (k === n || sorted[k] !== sorted[k - 1]) && wrongs[k]! / k <= population.risk) oracle = k / n;
  }
  const taken = (threshold: number): number => {
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! >= threshold) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    risk: (threshold) => wrongs[taken(threshold)]! / Math.max(1, taken(threshold)),
    coverage: (threshold) => taken(threshold) / n,
    oracle,
  };
}

/** DESIGN §5.3 word for word: half of δ for each sequence, to the end. */
function separateSequences(rows: AcceptRows<Role>, grid: AcceptGrid, risk: number, delta: number): number | null {
  const { thresholds, starts } = grid.parts[0]!;
  const order = descendingOrder(rows.score);
  let chosen = -1;
  for (const start of starts) {
    for (let t = start; t < thresholds.length; t++) {
      let accepted = 0;
      let errors = 0;
      while (accepted < rows.n && rows.score[order[accepted]!]! >= thresholds[t]!) {
        errors += rows.wrong[order[accepted++]!]!;
      }
      if (accepted === 0 || binomialAtMost(errors, accepted, risk) > delta / 2) break;
      chosen = Math.max(chosen, t);
    }
  }
  return chosen < 0 ? null : thresholds[chosen]!;
}

/** Violations and mean coverage of one method. */
interface Tally {
  violations: number;
  coverage: number;
}

export interface CaseResult {
  name: string;
  /** 1 − certainty. */
  allowed: number;
  /** Of all models' certificates together. */
  anyViolations: number;
  /** Of the certificate with the largest coverage on validation. */
  ours: Tally;
  oracle: number;
  /** Both only where there is one model and no group: they know neither. */
  separate: Tally | null;
  sgr: Tally | null;
}

/** Draws from one population. @param places rows that tell the true risk above a score */
export function runCase(population: Population, draws: number, seed = 1, places = 300_000): CaseResult {
  const { risk, certainty, models = 1, groupOf = 1 } = population;
  const truth = truthOf(population, places);
  const random = seededRandom(seed);
  const ours = { violations: 0, coverage: 0 };
  const separate = { violations: 0, coverage: 0 };
  const sgr = { violations: 0, coverage: 0 };
  let anyViolations = 0;
  const add = (tally: Tally, threshold: number | null): void => {
    if (threshold === null) return;
    tally.violations += truth.risk(threshold) > risk ? 1 / draws : 0;
    tally.coverage += truth.coverage(threshold) / draws;
  };
  for (let draw = 0; draw < draws; draw++) {
    const tune = drawRows(population, population.tune, random).answers;
    const { answers, groups } = drawRows(population, population.n, random);
    let best: { threshold: number | null; coverage: number } = { threshold: null, coverage: 0 };
    let broken = false;
    for (let model = 0; model < models; model++) {
      const tuneSets = tablesOf("tune", tune, model).map(tuneRows);
      const sets = tablesOf("validation", answers, model).map(validationRows);
      const grid = acceptGrid(together(tuneSets));
      // People see calibrated confidences, fitted on the very rows that certify; the certificate must not mind.
      const calibrated = sets.map((set, t) =>
        models > 1 ? set : calibrate(set, fitCalibrator(set, chooseCalibration(tuneSets[t]!).kind)),
      );
      const rows = together(calibrated);
      const certificate = certify(
        rows,
        grid,
        { risk, certainty },
        { population: population.name, date: "", uses: models, ...(groupOf > 1 ? { groups, seed: draw } : {}) },
      );
      const threshold = thresholdsOf(certificate).thresholds[0]!;
      if (threshold !== null && truth.risk(threshold) > risk) broken = true;
      if (certificate.coverage > best.coverage) best = { threshold, coverage: certificate.coverage };
      if (models > 1 || groupOf > 1) continue;
      add(separate, separateSequences(rows, grid, risk, 1 - certainty));
      add(sgr, selectiveGuaranteedRisk(rows.score, rows.wrong, risk, 1 - certainty)?.threshold ?? null);
    }
    if (broken) anyViolations += 1 / draws;
    add(ours, best.threshold);
  }
  const alone = models === 1 && groupOf === 1;
  return {
    name: population.name,
    allowed: 1 - certainty,
    anyViolations,
    ours,
    oracle: truth.oracle,
    separate: alone ? separate : null,
    sgr: alone ? sgr : null,
  };
}

function main(): void {
  const draws = Number(process.argv[2] ?? 1000);
  const share = (value: number | undefined): string => value?.toFixed(3) ?? "";
  const error = 3 * Math.sqrt((0.05 * 0.95) / draws);
  console.log(`${draws} draws each; violations may reach 1 − certainty, and ${share(error)} more by sampling error\n`);
  console.log(
    "| population | violations | chosen | coverage | oracle | word for word: violations | coverage | SGR: violations | coverage |",
  );
  console.log(`|---|${"---|".repeat(8)}`);
  for (const population of [...BREAKABLE, ...COVERABLE]) {
    if (!population.name.includes(process.argv[3] ?? "")) continue;
    const r = runCase(population, draws);
    const figures = [r.anyViolations, r.ours.violations, r.ours.coverage, r.oracle];
    const beside = [r.separate?.violations, r.separate?.coverage, r.sgr?.violations, r.sgr?.coverage];
    console.log(`| ${[r.name, ...[...figures, ...beside].map(share)].join(" | ")} |`);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main();
