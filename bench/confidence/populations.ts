/**
 * Populations whose risk above any score is known, to draw rows from.
 *
 * A row's place u, uniform on (0, 1), is its rank from the most confident; `risk(u)` is its probability of being wrong, and
 * its score falls with u.
 */
import type { Random } from "../../server/src/confidence/random.ts";

/** One answer: its score, its probability of being wrong, and whether it is. */
export interface Answer {
  score: number;
  risk: number;
  wrong: boolean;
}

/** A population, what is promised of it, and from how many rows. */
export interface Population {
  name: string;
  risk: number;
  certainty: number;
  /** Validation rows. */
  n: number;
  /** Tune rows. */
  tune: number;
  /** Models certified on the same validation rows. Default 1. */
  models?: number;
  /** Rows come in groups of this many, which share much of their luck. Default 1. */
  groupOf?: number;
  /** The rows of one group: for each row, for each model, the answers for all targets. */
  drawGroup: (random: Random) => Answer[][][];
}

const answer = (random: Random, score: number, risk: number): Answer => ({
  score,
  risk,
  wrong: random.uniform() < risk,
});

/** Mean error `error`, rising from 0 for the most confident row as u^power. */
const rising =
  (error: number, power: number) =>
  (u: number): number =>
    Math.min(1, error * (power + 1) * u ** power);

/** The best 3 % of scores are wrong with 8 %, whatever the rest is. */
const noisyTop =
  (risk: (u: number) => number) =>
  (u: number): number =>
    u < 0.03 ? 0.08 : risk(u);

/** One model, one target. Scores are multiples of 1/steps where that is given. */
const plain =
  (risk: (u: number) => number, steps?: number) =>
  (random: Random): Answer[][][] => {
    const u = random.uniform();
    return [[[answer(random, steps ? Math.ceil((1 - u) * steps) / steps : 1 - u, risk(u))]]];
  };

/** Models that agree on 70 % of what is hard and err on 70 % of rows by the same luck; each alone is the plain population. */
const sharedLuck =
  (models: number, risk: (u: number) => number) =>
  (random: Random): Answer[][][] => {
    const hard = random.uniform();
    const luck = random.uniform();
    return [
      Array.from({ length: models }, () => {
        const u = random.uniform() < 0.7 ? hard : random.uniform();
        const draw = random.uniform() < 0.7 ? luck : random.uniform();
        return [{ score: 1 - u, risk: risk(u), wrong: draw < risk(u) }];
      }),
    ];
  };

/** Targets that are hard on the same rows. */
const jointly =
  (targets: number) =>
  (random: Random): Answer[][][] => {
    const hard = random.uniform();
    return [
      [
        Array.from({ length: targets }, () => {
          const score = 1 - 0.25 * hard ** 2 * random.uniform();
          return answer(random, score, 1 - score ** 1.5);
        }),
      ],
    ];
  };

/** Four of five rows of a group are right or wrong together. */
const grouped =
  (size: number, risk: (u: number) => number) =>
  (random: Random): Answer[][][] => {
    const u = random.uniform();
    const luck = random.uniform();
    return Array.from({ length: size }, () => {
      const own = random.uniform() < 0.2;
      const v = own ? random.uniform() : u;
      const score = Math.max(0, 1 - v - 1e-6 * random.uniform());
      return [[{ score, risk: risk(v), wrong: (own ? random.uniform() : luck) < risk(v) }]];
    });
  };

const ONE_IN_TWENTY = { risk: 0.05, certainty: 0.95, n: 1500, tune: 300 };
const ONE_IN_TEN = { risk: 0.1, certainty: 0.95, n: 770, tune: 200 };

/** The cases in which a promise could break. */
export const BREAKABLE: readonly Population[] = [
  { ...ONE_IN_TWENTY, name: "5.1 % everywhere", n: 2000, drawGroup: plain(() => 0.051) },
  { ...ONE_IN_TWENTY, name: "noisy top, risk .05", drawGroup: plain(noisyTop((u) => 0.3 * u ** 2)) },
  { ...ONE_IN_TEN, name: "heavy ties", drawGroup: plain((u) => 0.36 * u ** 2, 5) },
  { ...ONE_IN_TEN, name: "16 models", models: 16, drawGroup: sharedLuck(16, rising(0.12, 1)) },
  { ...ONE_IN_TEN, name: "16 models, 10.1 % everywhere", models: 16, drawGroup: sharedLuck(16, () => 0.101) },
  { ...ONE_IN_TEN, name: "four targets jointly", n: 1500, tune: 300, drawGroup: jointly(4) },
  {
    ...ONE_IN_TEN,
    name: "grouped rows",
    n: 3200,
    tune: 400,
    groupOf: 8,
    drawGroup: grouped(8, (u) => 0.36 * u ** 2),
  },
];

/** The cases in which never accepting would be no answer. */
export const COVERABLE: readonly Population[] = [
  { ...ONE_IN_TEN, name: "12 % error", drawGroup: plain(rising(0.12, 1)) },
  { ...ONE_IN_TEN, name: "25 % error", drawGroup: plain(rising(0.25, 1)) },
  { ...ONE_IN_TEN, name: "noisy top, 12 % error", drawGroup: plain(noisyTop(rising(0.12, 1))) },
  { ...ONE_IN_TEN, name: "25 % error, steeper (power 1.5)", drawGroup: plain(rising(0.25, 1.5)) },
  {
    ...ONE_IN_TEN,
    name: "a harsh top (best 10 % wrong with 20 %)",
    drawGroup: plain((u) => (u < 0.1 ? 0.2 : rising(0.12, 1.5)(u))),
  },
];
