/**
 * The audit of accepted rows (DESIGN §5.7): is the promise still kept, looked at again and again.
 *
 * Accepted rows are drawn with a known inclusion probability and judged blind; skips count as errors. Because people look
 * whenever they like, the test must hold at all times at once: a betting martingale (Waudby-Smith & Ramdas 2024, "Estimating
 * means of bounded random variables by betting"; Ville's inequality). Per judged row the wealth of a bet λ against "the
 * risk is at most p" is multiplied by 1 + λ w (wrong − p), with w = (smallest inclusion probability so far)/(the row's): this
 * is inverse-probability weighting scaled into [0, 1], and later rows change nothing of what earlier ones have shown. The e-value is the mean wealth over a fixed grid of bets; it reaches 1/α with
 * probability at most α, ever, while the promise is kept.
 */

import { seededRandom } from "./random.ts";

/** One judged row, in the order of judging. */
export interface AuditedRow {
  /** Probability with which the row was drawn, in (0, 1]. */
  inclusion: number;
  /** Whether the prediction was wrong; a skipped row counts as wrong. */
  wrong: boolean;
}

/** The state of an audit; plain JSON. */
export interface AuditReport {
  /** Judged rows and errors among them (skips included). */
  n: number;
  errors: number;
  /** Inverse-probability weighted error rate (Hájek's estimator); null without rows. */
  rate: number | null;
  /** Time-uniform bounds of the error rate: with probability 1 − alpha each, never wrong at any look. */
  low: number;
  high: number;
  /** Promised risk. */
  risk: number;
  alpha: number;
  /** Evidence against "the risk is at most `risk`" now and at its highest so far; an alarm at 1/alpha. */
  evidence: number;
  highestEvidence: number;
  /** True once the evidence has ever reached 1/alpha: the promise is broken. */
  alarm: boolean;
  /** After how many judged rows the alarm came; null without one. */
  alarmAt: number | null;
  /** The increase this audit can detect; see {@link detectableRisk}. Null when even a risk of 1 could not be found yet. */
  detectable: number | null;
}

/** Bets are laid on risks from 1.1 to 8 times the promised one (and their mirror for the upper bound). */
const STEPS = 12;

/**
 * The bets: λ that suits a true rate q is (q − p)/(p(1 − p)), for q spread evenly in ln(q/p).
 * Never above 1/p, so that wealth stays above 0.
 */
function betsAgainst(p: number): number[] {
  const bets: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const q = Math.min(0.98, p * 1.1 * (8 / 1.1) ** (i / (STEPS - 1)));
    if (q > p) bets.push(Math.min(0.98 / p, (q - p) / (p * (1 - p))));
  }
  return bets.length > 0 ? bets : [0.5 / p];
}

/** Mean wealth over the bets after each row; `sign` 1 bets that the rate is above p, −1 that it is below. */
function wealth(
  rows: readonly AuditedRow[],
  p: number,
  sign: 1 | -1,
): { now: number; highest: number; firstAt: (level: number) => number | null } {
  let smallest = 1;
  const bets = sign === 1 ? betsAgainst(p) : betsBelow(p);
  const logs = new Float64Array(bets.length);
  const path: number[] = [];
  let highest = 1;
  rows.forEach((row) => {
    smallest = Math.min(smallest, row.inclusion);
    const gain = sign * (smallest / row.inclusion) * ((row.wrong ? 1 : 0) - p);
    let sum = 0;
    for (let b = 0; b < bets.length; b++) {
      logs[b]! += Math.log1p(bets[b]! * gain);
      sum += Math.exp(logs[b]!);
    }
    const mean = sum / bets.length;
    path.push(mean);
    highest = Math.max(highest, mean);
  });
  return {
    now: path.at(-1) ?? 1,
    highest,
    firstAt: (level) => {
      const at = path.findIndex((value) => value >= level);
      return at < 0 ? null : at + 1;
    },
  };
}

/** Bets on rates below p: λ suits q = p/1.1 … p/8; at most just below 1/(1 − p). */
function betsBelow(p: number): number[] {
  return Array.from({ length: STEPS }, (_, i) => {
    const q = p / (1.1 * (8 / 1.1) ** (i / (STEPS - 1)));
    return Math.min(0.98 / (1 - p), (p - q) / (p * (1 - p)));
  });
}

/**
 * The state of an audit after the given rows.
 * @param risk promised risk of the certificate, in (0, 1)
 * @param alpha probability of a false alarm, ever; default 0.05
 */
export function auditReport(rows: readonly AuditedRow[], risk: number, alpha = 0.05): AuditReport {
  for (const row of rows) {
    if (!(row.inclusion > 0 && row.inclusion <= 1))
      throw new RangeError(`An inclusion probability of ${row.inclusion} is outside (0, 1].`);
  }
  const against = wealth(rows, risk, 1);
  const alarmAt = against.firstAt(1 / alpha);
  let weight = 0;
  let weightedErrors = 0;
  for (const row of rows) {
    weight += 1 / row.inclusion;
    if (row.wrong) weightedErrors += 1 / row.inclusion;
  }
  return {
    n: rows.length,
    errors: rows.filter((row) => row.wrong).length,
    rate: rows.length === 0 ? null : weightedErrors / weight,
    low: crossing(rows, 1, alpha),
    high: crossing(rows, -1, alpha),
    risk,
    alpha,
    evidence: against.now,
    highestEvidence: against.highest,
    alarm: alarmAt !== null,
    alarmAt,
    detectable: detectableRisk(rows.length, risk, alpha),
  };
}

/** After how many judged rows the alarm comes; null without one. With probability at most `alpha` while the promise is kept. */
export function auditAlarm(rows: readonly AuditedRow[], risk: number, alpha = 0.05): number | null {
  return wealth(rows, risk, 1).firstAt(1 / alpha);
}

/** The largest rate refuted from below (sign 1) or the smallest refuted from above (sign −1). */
function crossing(rows: readonly AuditedRow[], sign: 1 | -1, alpha: number): number {
  const refuted = (p: number): boolean => wealth(rows, p, sign).highest >= 1 / alpha;
  let low = 1e-6;
  let high = 1 - 1e-6;
  if (sign === 1 && !refuted(low)) return 0;
  if (sign === -1 && !refuted(high)) return 1;
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (refuted(middle) === (sign === 1)) low = middle;
    else high = middle;
  }
  return sign === 1 ? low : high;
}

/**
 * The smallest true risk whose expected evidence reaches 1/alpha within n rows of equal inclusion probability: about an even
 * chance of an alarm. Null when no risk would be found.
 */
export function detectableRisk(n: number, risk: number, alpha = 0.05): number | null {
  const bets = betsAgainst(risk);
  const found = (rate: number): boolean => {
    let sum = 0;
    for (const bet of bets) {
      sum += Math.exp(n * (rate * Math.log1p(bet * (1 - risk)) + (1 - rate) * Math.log1p(-bet * risk)));
    }
    return sum / bets.length >= 1 / alpha;
  };
  if (n === 0 || !found(1)) return null;
  let low = risk;
  let high = 1;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (found(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** How many judged rows find a broken promise; plain JSON. */
export interface AuditPower {
  risk: number;
  actual: number;
  /** Judged rows after which half, 80 % and 95 % of the audits have raised the alarm; null: not within `limit`. */
  half: number | null;
  most: number | null;
  nearlyAll: number | null;
  limit: number;
}

/** The power of an audit, by seeded simulation (rows of equal inclusion probability). */
export function auditPower(
  risk: number,
  actual: number,
  options: { alpha?: number; draws?: number; limit?: number; seed?: number } = {},
): AuditPower {
  const { alpha = 0.05, draws = 400, limit = 5000, seed = 42 } = options;
  const random = seededRandom(seed);
  const bets = betsAgainst(risk);
  const onWrong = bets.map((bet) => Math.log1p(bet * (1 - risk)));
  const onRight = bets.map((bet) => Math.log1p(-bet * risk));
  const times = new Float64Array(draws).fill(Number.POSITIVE_INFINITY);
  for (let d = 0; d < draws; d++) {
    const logs = new Float64Array(bets.length);
    for (let i = 1; i <= limit; i++) {
      const steps = random.uniform() < actual ? onWrong : onRight;
      let sum = 0;
      for (let b = 0; b < bets.length; b++) {
        logs[b]! += steps[b]!;
        sum += Math.exp(logs[b]!);
      }
      if (sum / bets.length < 1 / alpha) continue;
      times[d] = i;
      break;
    }
  }
  times.sort();
  const at = (share: number): number | null => {
    const time = times[Math.ceil(share * draws) - 1]!;
    return Number.isFinite(time) ? time : null;
  };
  return { risk, actual, half: at(0.5), most: at(0.8), nearlyAll: at(0.95), limit };
}
