/**
 * Do certificates hold? Many draws of the whole pipeline (grid on tune, calibration, choice, verdict on the known risk).
 *
 *   node bench/confidence/certificates.ts [draws, default 1000]
 *
 * Every case draws tune and validation rows from a population whose risk above any score is known, certifies, and looks
 * whether the promise holds in the population. "violations" is the share of draws with a broken promise (allowed: 1 −
 * certainty); "coverage" the mean certified coverage, with nothing accepted counted as 0; "oracle" the largest coverage with
 * that risk in the population; "sgr" Geifman & El-Yaniv's method on the same draws.
 */

import { pathToFileURL } from "node:url";
import {
  type AcceptRows,
  acceptedMask,
  acceptGrid,
  acceptRows,
  certify,
  thresholdsOf,
} from "../../server/src/confidence/acceptRule.ts";
import { fitCalibrator } from "../../server/src/confidence/calibrate.ts";
import { type Random, seededRandom } from "../../server/src/confidence/random.ts";
import { type Role, type RowSet, tuneRows, validationRows } from "../../server/src/confidence/roles.ts";
import { type ScoredRow, type ScoredRows, type Split, scoredRows } from "../../server/src/confidence/scoredRows.ts";
import { selectiveGuaranteedRisk } from "./sgr.ts";

/** One answer: its score, the probability of being wrong at that score, and whether it is. */
interface Draw {
  score: number;
  risk: number;
  wrong: boolean;
}

const answer = (random: Random, score: number, risk: number): Draw => ({ score, risk, wrong: random.uniform() < risk });

/** A population: draws rows of one or more targets, and knows its risk above a score. */
interface Case {
  name: string;
  risk: number;
  certainty: number;
  n: number;
  tune: number;
  targets?: number;
  /** Models certified on the same validation rows. */
  models?: number;
  grouped?: boolean;
  /** All targets of one row. */
  draw: (random: Random) => Draw[];
}

/** Calibrated scores: with probability of being right c itself, c = 1 − (1 − floor) u^power. */
const calibrated =
  (floor: number, power: number) =>
  (random: Random): Draw[] => {
    const score = 1 - (1 - floor) * random.uniform() ** power;
    return [answer(random, score, 1 - score)];
  };

/**
 * Populations by mean error: u uniform is the rank of a row from the most confident, its error probability rises as
 * error × (power + 1) × u^power.
 */
const rising =
  (error: number, power: number) =>
  (random: Random): Draw[] => {
    const u = random.uniform();
    return [answer(random, 1 - u, Math.min(1, error * (power + 1) * u ** power))];
  };

export const CASES: Case[] = [
  // Nothing helps: the true risk is just above the promise everywhere.
  {
    name: "5.1 % everywhere",
    risk: 0.05,
    certainty: 0.95,
    n: 2000,
    tune: 300,
    draw: (r) => [answer(r, r.uniform(), 0.051)],
  },
  {
    name: "noisy top",
    risk: 0.05,
    certainty: 0.95,
    n: 1500,
    tune: 300,
    draw: (r) => {
      const u = r.uniform();
      return [answer(r, 1 - u, u < 0.03 ? 0.08 : 0.3 * u ** 2)];
    },
  },
  {
    name: "heavy ties",
    risk: 0.1,
    certainty: 0.95,
    n: 770,
    tune: 200,
    draw: (r) => {
      const u = r.uniform();
      return [answer(r, Math.ceil((1 - u) * 5) / 5, 0.36 * u ** 2)];
    },
  },
  {
    name: "16 models, one validation set",
    risk: 0.1,
    certainty: 0.95,
    n: 770,
    tune: 200,
    models: 16,
    draw: rising(0.12, 2),
  },
  {
    name: "four targets jointly",
    risk: 0.1,
    certainty: 0.95,
    n: 1500,
    tune: 300,
    targets: 4,
    draw: (r) => {
      // A hard row is hard for all targets.
      const hard = r.uniform();
      return Array.from({ length: 4 }, () => {
        const score = 1 - 0.25 * hard ** 2 * r.uniform();
        return answer(r, score, 1 - score ** 1.5);
      });
    },
  },
  {
    name: "grouped rows (8 of one group share their luck)",
    risk: 0.1,
    certainty: 0.95,
    n: 3200,
    tune: 400,
    grouped: true,
    draw: () => [],
  },
  { name: "coverage, 12 % error", risk: 0.1, certainty: 0.95, n: 770, tune: 200, draw: rising(0.12, 1) },
  { name: "coverage, 25 % error", risk: 0.1, certainty: 0.95, n: 770, tune: 200, draw: rising(0.25, 1) },
  {
    name: "coverage, noisy top",
    risk: 0.1,
    certainty: 0.95,
    n: 770,
    tune: 200,
    draw: (r) => {
      const u = r.uniform();
      return [answer(r, 1 - u, u < 0.03 ? 0.08 : 0.24 * u)];
    },
  },
  { name: "calibrated scores", risk: 0.05, certainty: 0.9, n: 1000, tune: 200, draw: calibrated(0.3, 2) },
];

function table(target: number, split: Split, draws: readonly Draw[][]): ScoredRows {
  return scoredRows(
    draws.map((row): ScoredRow => {
      const { score, wrong } = row[target]!;
      return {
        split,
        truth: wrong ? 1 : 0,
        distribution: { labels: [0], probabilities: [score], rest: 1 - score, restCount: 9 },
      };
    }),
    { labels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], keepDistributions: true },
  );
}

/** Rows for a case; grouped rows come in runs of eight that share score region and outcome luck. */
function drawRows(test: Case, n: number, random: Random): { draws: Draw[][]; groups: Int32Array } {
  const draws: Draw[][] = [];
  const groups = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    groups[i] = Math.floor(i / 8);
    if (!test.grouped) draws.push(test.draw(random));
    else if (i % 8 === 0) {
      const u = random.uniform();
      const luck = random.uniform() < 0.36 * u ** 2; // shared by the rows that are not on their own
      for (let j = 0; j < 8 && i + j < n; j++) {
        const own = random.uniform() < 0.2;
        const v = own ? random.uniform() : u;
        const risk = 0.36 * v ** 2;
        draws.push([{ score: 1 - v - 1e-6 * random.uniform(), risk, wrong: own ? random.uniform() < risk : luck }]);
      }
    }
  }
  return { draws, groups };
}

const accept = <R extends Role>(sets: RowSet<R>[]): AcceptRows<R> =>
  acceptRows(
    sets.length > 1 ? "row" : "target",
    sets.map((set, t) => ({ target: `t${t}`, set })),
  );

/** Risk and coverage of the population above any threshold, from a large sample. */
function population(test: Case): {
  risk: (threshold: number) => number;
  coverage: (threshold: number) => number;
  oracle: number;
} {
  const size = test.targets ? 400_000 : 1_000_000;
  const { draws } = drawRows(test, size, seededRandom(987654321));
  const score = Float64Array.from(draws, (row) => row.reduce((product, d) => product * d.score, 1));
  const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => score[b]! - score[a]!);
  const sorted = Float64Array.from(order, (i) => score[i]!);
  const wrongs = new Float64Array(size + 1);
  order.forEach((row, at) => {
    // The mean of the probabilities, not of the outcomes: no sampling error in what counts as a broken promise.
    wrongs[at + 1] = wrongs[at]! + 1 - draws[row]!.reduce((right, d) => right * (1 - d.risk), 1);
  });
  const taken = (threshold: number): number => {
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! >= threshold) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let oracle = 0;
  for (let k = 1000; k <= size; k++) {
    if ((k === size || sorted[k] !== sorted[k - 1]) && wrongs[k]! / k <= test.risk) oracle = k / size;
  }
  return {
    risk: (threshold) => {
      const k = taken(threshold);
      return k === 0 ? 0 : wrongs[k]! / k;
    },
    coverage: (threshold) => taken(threshold) / size,
    oracle,
  };
}

export interface CaseResult {
  name: string;
  violations: number;
  allowed: number;
  coverage: number;
  oracle: number;
  sgrViolations: number;
  sgrCoverage: number;
}

/** Runs one case. */
export function runCase(test: Case, draws: number, seed = 1): CaseResult {
  const truth = population(test);
  const random = seededRandom(seed);
  const models = test.models ?? 1;
  let violations = 0;
  let coverage = 0;
  let sgrViolations = 0;
  let sgrCoverage = 0;
  for (let draw = 0; draw < draws; draw++) {
    let broken = false;
    let best = 0;
    // The models are independent given the rows' luck of the draw; the promise is that of all of them together.
    for (let model = 0; model < models; model++) {
      const tune = drawRows(test, test.tune, random).draws;
      const validation = drawRows(test, test.n, random);
      const targets = Array.from({ length: test.targets ?? 1 }, (_, t) => t);
      const tuneSets = targets.map((t) => tuneRows(table(t, "tune", tune)));
      const sets = targets.map((t) => validationRows(table(t, "validation", validation.draws)));
      // The calibrator is fitted on the same rows, as in the product; the rule does not read it.
      fitCalibrator(sets[0]!, "platt");
      const rows = accept(sets);
      const certificate = certify(rows, acceptGrid(accept(tuneSets)), test, {
        population: test.name,
        date: "",
        uses: models,
        ...(test.grouped ? { groups: validation.groups, seed: draw } : {}),
      });
      const threshold = thresholdsOf(certificate).thresholds[0]!;
      if (threshold !== null) {
        acceptedMask(rows, thresholdsOf(certificate));
        if (truth.risk(threshold) > test.risk) broken = true;
        best = Math.max(best, truth.coverage(threshold));
      }
      if (model > 0) continue;
      const sgr = selectiveGuaranteedRisk(rows.score, rows.wrong, test.risk, 1 - test.certainty);
      if (sgr) {
        if (truth.risk(sgr.threshold) > test.risk) sgrViolations++;
        sgrCoverage += truth.coverage(sgr.threshold);
      }
    }
    if (broken) violations++;
    coverage += best;
  }
  return {
    name: test.name,
    violations: violations / draws,
    allowed: 1 - test.certainty,
    coverage: coverage / draws,
    oracle: truth.oracle,
    sgrViolations: sgrViolations / draws,
    sgrCoverage: sgrCoverage / draws,
  };
}

function main(): void {
  const draws = Number(process.argv[2] ?? 1000);
  const share = (value: number): string => value.toFixed(3);
  console.log(
    `${draws} draws each; violations may reach 1 − certainty and ${share(3 * Math.sqrt((0.05 * 0.95) / draws))} of sampling error`,
  );
  console.log("case | violations | allowed | coverage | oracle | sgr violations | sgr coverage");
  for (const test of CASES) {
    const r = runCase(test, draws);
    console.log(
      [r.name, ...[r.violations, r.allowed, r.coverage, r.oracle, r.sgrViolations, r.sgrCoverage].map(share)].join(
        " | ",
      ),
    );
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main();
