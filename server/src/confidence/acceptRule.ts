/**
 * The accept rule and its certificate (DESIGN §5.3 and §5.4).
 *
 * `{risk, certainty}`: "at most `risk` of the accepted rows are wrong, with `certainty`". Two fixed sequences of tests on
 * the score, one starting at 20 % coverage and one at 50 %, each going towards more coverage until a test fails. They share
 * δ = 1 − certainty: nine tenths go to the one whose start looks better on tune; where the first reaches the start
 * of the second, both go on together with the whole of δ. Each test is exact (Clopper–Pearson): the risk above a threshold is at most `risk` when the upper
 * bound from the accepted validation rows is. Fixed-sequence testing: Maurer, Hothorn & Lehmacher (1995); budgets that
 * are handed on to the next test, and so add up where two meet: Bretz, Maurer, Brannath & Posch (2009), "A graphical
 * approach to sequentially rejective multiple test procedures"; its use for risk control: Angelopoulos et al., "Learn then
 * Test" (2021). Why these shares: docs/decisions/0030. The thresholds are frozen on tune rows, so that
 * nothing but the tests reads the validation labels. The score is the uncalibrated one (for a row: the product over its
 * targets), because calibrators are fitted on the very rows that certify and would bend the order after the fact.
 */

import { shortPercent } from "../numbers.ts";
import {
  binomialAtMost,
  clopperPearsonLower,
  clopperPearsonUpper,
  type Interval,
  normalQuantile,
  wilson,
} from "./binomial.ts";
import { descendingOrder } from "./order.ts";
import { seededPermutation } from "./random.ts";
import { type CertifyingRows, type Role, type RowSet, requireRole } from "./roles.ts";
import { checkSameRows, isCorrect } from "./scoredRows.ts";

/** Of what the rule decides: a whole row (all targets right) or one target of it. */
export type AcceptScope = "row" | "target";

/** A label with a risk of its own: among accepted rows for which it is predicted, at most `risk` are wrong. */
export interface LabelRisk {
  target: string;
  label: string;
  /** In (0, 1). */
  risk: number;
}

/** One target's part in the decision. */
export interface AcceptTarget<R extends Role> {
  /** Name of the target. */
  target: string;
  set: RowSet<R>;
  /** Labels that are never accepted when predicted. */
  never?: readonly string[];
}

/** What is certified, flagged and reported: one score and one outcome a row. Made by {@link acceptRows}. */
export interface AcceptRows<R extends Role> {
  readonly role: R;
  readonly scope: AcceptScope;
  /** Names of the targets, in order. */
  readonly targets: readonly string[];
  readonly n: number;
  /** Which numbers make the score; a certificate is only given on `score`. */
  readonly by: "score" | "confidence";
  /** Product over the targets, in [0, 1]; −1 for a row that is never accepted (failed, never-label, models disagree). */
  readonly score: Float64Array;
  /** 1 where any target is wrong, 0 where all are right; meaningless where not `labelled`. */
  readonly wrong: Uint8Array;
  /** 1 where every target has a given label. */
  readonly labelled: Uint8Array;
  /** The part of the rule that decides the row: 0 general, j the j-th label risk (the strictest that applies). */
  readonly part: Int32Array;
  /** The label risks behind `part`, strictest first. */
  readonly labelRisks: readonly LabelRisk[];
  /** The row sets, so that the role can be proven again where it matters. */
  readonly sets: readonly RowSet<R>[];
}

/** Options of {@link acceptRows}. */
export interface AcceptRowsOptions {
  /** Default `score`. `confidence` serves plain thresholds. */
  by?: "score" | "confidence";
  /** Labels with risks of their own. */
  labelRisks?: readonly LabelRisk[];
}

/**
 * One score and outcome a row from one target (scope `target`) or all of them (scope `row`).
 * A row is wrong when any target is; it is never accepted when any target failed, was not parsed, is not in the list,
 * predicts a `never` label, or has models that disagree: what is known without the label holds back the rows that a rule is certified on
 * and those that it is used on alike.
 */
export function acceptRows<R extends Role>(
  scope: AcceptScope,
  targets: readonly AcceptTarget<R>[],
  options: AcceptRowsOptions = {},
): AcceptRows<R> {
  const first = targets[0];
  if (first === undefined) throw new RangeError("An accept rule needs at least one target.");
  if (scope === "target" && targets.length > 1) throw new RangeError("Scope target decides one target at a time.");
  checkSameRows(targets.map((target) => target.set.rows));
  const by = options.by ?? "score";
  const labelRisks = [...(options.labelRisks ?? [])].sort((a, b) => a.risk - b.risk);
  const n = first.set.rows.n;
  const score = new Float64Array(n).fill(1);
  const wrong = new Uint8Array(n);
  const labelled = new Uint8Array(n).fill(1);
  const part = new Int32Array(n);
  for (const { target, set, never = [] } of targets) {
    const { rows } = set;
    const numberOf = new Map(rows.labels.map((label, i) => [label, i]));
    const barred = new Uint8Array(rows.labels.length);
    for (const label of never) {
      const number = numberOf.get(label);
      if (number !== undefined) barred[number] = 1;
    }
    const partOf = new Int32Array(rows.labels.length);
    labelRisks.forEach((risk, j) => {
      const number = risk.target === target ? numberOf.get(risk.label) : undefined;
      if (number !== undefined && partOf[number] === 0) partOf[number] = j + 1;
    });
    const column = by === "score" ? rows.score : rows.confidence;
    for (let i = 0; i < n; i++) {
      const predicted = rows.predicted[i]!;
      if (rows.truth[i]! < 0) labelled[i] = 0;
      if (!isCorrect(rows, i)) wrong[i] = 1;
      if (predicted < 0 || barred[predicted]! || rows.disagrees[i]!) score[i] = -1;
      else {
        if (score[i]! >= 0) score[i]! *= column[i]!;
        const own = partOf[predicted]!;
        if (own > 0 && (part[i] === 0 || own < part[i]!)) part[i] = own;
      }
    }
  }
  return {
    role: first.set.role,
    scope,
    targets: targets.map((target) => target.target),
    n,
    by,
    score,
    wrong,
    labelled,
    part,
    labelRisks,
    sets: targets.map((target) => target.set),
  };
}

/** Thresholds in falling order, frozen before any validation label is read; plain JSON. */
export interface AcceptGrid {
  /** For each part of the rule, in order. */
  parts: {
    /** Falling; each takes more rows than the one before. The last is 0 and takes every row that may be accepted. */
    thresholds: number[];
    /** Share of the part's rows each threshold takes, on the rows the grid was made from. */
    coverage: number[];
    /** Positions in `thresholds` at which the two sequences start. */
    starts: [number, number];
    /** Each sequence's share of δ, until they meet. Equal where no tune row has a label. */
    shares: [number, number];
  }[];
  /** What it was made from. */
  madeFrom: "tune" | "pool";
  /** How many rows it was made from. */
  rows: number;
}

/** Coverage at which the two sequences start. */
const STARTS: readonly [number, number] = [0.2, 0.5];
/** Share of δ for the sequence whose start has the lower error rate on tune; the other has what is left. */
const LARGER_SHARE = 0.9;
/** Steps of coverage between thresholds. */
const COVERAGE_STEP = 0.01;

/**
 * The thresholds that take 20 %, 21 %, … 100 % of the tune rows (or of unlabelled pool rows: only scores are read), and the
 * budget of the two sequences. With fewer than 100 rows there are fewer thresholds, never closer than one row.
 */
export function acceptGrid(rows: AcceptRows<"tune"> | AcceptRows<"pool">): AcceptGrid {
  const parts: AcceptGrid["parts"] = [];
  for (let part = 0; part <= rows.labelRisks.length; part++) {
    const scores: number[] = [];
    for (let i = 0; i < rows.n; i++) if (rows.part[i] === part) scores.push(rows.score[i]!);
    const { thresholds, coverage, starts } = gridOf(Float64Array.from(scores));
    const shares = sharesOf(rows, part, [thresholds[starts[0]]!, thresholds[starts[1]]!]);
    parts.push({ thresholds, coverage, starts, shares });
  }
  return { parts, madeFrom: rows.role, rows: rows.n };
}

/** The budget goes where it is most likely to help, as far as labelled tune rows tell (Jeffreys' estimate of the error rate). */
function sharesOf(
  rows: AcceptRows<"tune" | "pool">,
  part: number,
  starts: readonly [number, number],
): [number, number] {
  const rates = starts.map((threshold) => {
    let accepted = 0;
    let errors = 0;
    for (let i = 0; i < rows.n; i++) {
      if (rows.part[i] !== part || !rows.labelled[i] || rows.score[i]! < threshold) continue;
      accepted++;
      errors += rows.wrong[i]!;
    }
    return accepted === 0 ? null : (errors + 0.5) / (accepted + 1);
  });
  const [first, second] = rates;
  if (first == null || second == null) return [0.5, 0.5];
  return first <= second ? [LARGER_SHARE, 1 - LARGER_SHARE] : [1 - LARGER_SHARE, LARGER_SHARE];
}

function gridOf(scores: Float64Array): Omit<AcceptGrid["parts"][number], "shares"> {
  const n = scores.length;
  const order = descendingOrder(scores);
  const thresholds: number[] = [];
  const coverage: number[] = [];
  const steps = Math.round((1 - STARTS[0]) / COVERAGE_STEP);
  for (let step = 0; step < steps && n > 0; step++) {
    const wanted = STARTS[0] + step * COVERAGE_STEP;
    const threshold = scores[order[Math.max(0, Math.ceil(wanted * n - 1e-9) - 1)]!]!;
    if (threshold <= 0) break;
    if (threshold === thresholds.at(-1)) continue;
    thresholds.push(threshold);
    let taken = 0;
    while (taken < n && scores[order[taken]!]! >= threshold) taken++;
    coverage.push(taken / n);
  }
  thresholds.push(0);
  coverage.push(n === 0 ? 0 : scores.reduce((count, score) => count + (score >= 0 ? 1 : 0), 0) / n);
  const startAt = (share: number): number => {
    const at = coverage.findIndex((c) => c >= share - 1e-9);
    return at < 0 ? thresholds.length - 1 : at;
  };
  return { thresholds, coverage, starts: [startAt(STARTS[0]), startAt(STARTS[1])] };
}

/** How many labelled validation rows would do; an estimate that holds while the error rate stays as measured. */
export type RowsNeeded =
  | {
      answer: "rows";
      /** Validation rows in all that give a certificate with probability 0.8. */
      total: number;
      /** `total` less the rows there are, at least 0. */
      more: number;
    }
  | {
      answer: "never";
      /** True when even the lower bound (at `certainty`) of the error rate is above the risk at both starts. */
      sure: boolean;
    };

/** How one sequence of tests went. */
export interface SequenceTrace {
  /** Coverage it started at: 0.2 or 0.5. */
  start: number;
  /** Tests passed before the first that failed; those after the two sequences have met count for both. */
  passed: number;
  /** The test that failed, with the bound at the level it was tested at; null when all passed. */
  failed: { threshold: number; accepted: number; errors: number; bound: number } | null;
}

/** The rule for one part (all rows, or the rows for which a label with its own risk is predicted). */
export interface CertificatePart {
  /** Null for the general part. */
  label: LabelRisk | null;
  /** Promised risk. */
  risk: number;
  /** Certainty of each of this part's two sequences together, after sharing the budget over models and parts. */
  certainty: number;
  /** Accept when the score is at least this; null: accept nothing. */
  threshold: number | null;
  /** Validation rows of this part. */
  rows: number;
  /** Of them accepted. */
  accepted: number;
  /** Of the accepted wrong. */
  errors: number;
  /** accepted / rows, with Wilson's 95 % interval. */
  coverage: number;
  coverageInterval: Interval;
  /** Exact upper bound of the risk at the threshold, at the level its test had; 1 when nothing is accepted. */
  bound: number;
  sequences: SequenceTrace[];
  /** Only when the part is not certified. */
  rowsNeeded: RowsNeeded | null;
}

/** Everything that says what was promised, to whom, and on what evidence; plain JSON. */
export interface Certificate {
  certified: boolean;
  /** One sentence for people: what is promised, or why nothing is. */
  why: string;
  scope: AcceptScope;
  targets: string[];
  /** Promised share of wrong rows among the accepted. */
  risk: number;
  /** Promised certainty over all uses of the validation rows. */
  certainty: number;
  /** Which numbers the thresholds are compared with. */
  by: "score" | "confidence";
  /** General part first, then one a label risk, strictest first. */
  parts: CertificatePart[];
  /** Labels never accepted, by target. */
  never: { target: string; labels: string[] }[];
  /** Accepted rows of all parts on the certifying rows, and their share with Wilson's 95 % interval. */
  accepted: number;
  coverage: number;
  coverageInterval: Interval;
  /** The rows it speaks of, in words. */
  population: string;
  /** Where the labels come from. `as given` until random validation rows have been re-labelled blind. */
  labelSource: string;
  /** Which rows certified. */
  basis: "validation" | "out-of-fold";
  /** Labelled rows that certified (one a group when there are groups). */
  rows: number;
  /** Rows left out because a target had no given label. */
  unlabelled: number;
  /** Rows left out because another row of their group was drawn. */
  sameGroup: number;
  /** The grid's origin. */
  grid: { madeFrom: "tune" | "pool"; rows: number };
  /** Models or rounds that share these validation rows; the certainty of each is 1 − (1 − certainty)/uses. */
  uses: number;
  /** Day of making, as passed in. */
  date: string;
  /** What it depends on, as passed in: when model or data change it is void. */
  modelFingerprint: string | null;
  dataFingerprint: string | null;
}

/** What a certificate says beside its figures. */
export interface CertificateContext {
  /** For example "rows like those of data/injuries.csv". */
  population: string;
  /** Default "as given". */
  labelSource?: string;
  /** ISO date. */
  date: string;
  /** Models or rounds certified on these rows, this one included. Default 1. */
  uses?: number;
  /** Reasons why figures may be shown but nothing may be certified, e.g. "sampling.apply: all". */
  voidBecause?: readonly string[];
  modelFingerprint?: string;
  dataFingerprint?: string;
  /** Group of each row; one random row of each group certifies. */
  groups?: ArrayLike<number>;
  /** Seed of the draw from groups. Default 42. */
  seed?: number;
  /** Labels never accepted, for the record. */
  never?: { target: string; labels: string[] }[];
}

/** What is asked of the rule. */
export interface AcceptPolicy {
  /** Largest share of wrong rows among the accepted, in (0, 1). */
  risk: number;
  /** Probability that the promise holds, in (0, 1). */
  certainty: number;
}

/** The rows that may certify: labelled, and one random row of each group. */
function certifyingRows(rows: AcceptRows<Role>, groups: ArrayLike<number> | undefined, seed: number) {
  const which: number[] = [];
  let unlabelled = 0;
  let sameGroup = 0;
  const taken = new Set<number>();
  const order = groups ? seededPermutation(rows.n, seed) : null;
  for (let at = 0; at < rows.n; at++) {
    const i = order ? order[at]! : at;
    if (!rows.labelled[i]) {
      unlabelled++;
      continue;
    }
    if (groups) {
      if (taken.has(groups[i]!)) {
        sameGroup++;
        continue;
      }
      taken.add(groups[i]!);
    }
    which.push(i);
  }
  return { which, unlabelled, sameGroup };
}

/** Counts of one part, cumulated over its grid. */
interface GridCounts {
  rows: number;
  accepted: Int32Array;
  errors: Int32Array;
}

function countGrid(
  rows: AcceptRows<Role>,
  which: readonly number[],
  part: number,
  thresholds: readonly number[],
): GridCounts {
  const accepted = new Int32Array(thresholds.length);
  const errors = new Int32Array(thresholds.length);
  let total = 0;
  for (const i of which) {
    if (rows.part[i] !== part) continue;
    total++;
    const score = rows.score[i]!;
    if (score < 0) continue;
    // First threshold that takes the row.
    let low = 0;
    let high = thresholds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (score >= thresholds[middle]!) high = middle;
      else low = middle + 1;
    }
    accepted[low]!++;
    errors[low]! += rows.wrong[i]!;
  }
  for (let t = 1; t < thresholds.length; t++) {
    accepted[t]! += accepted[t - 1]!;
    errors[t]! += errors[t - 1]!;
  }
  return { rows: total, accepted, errors };
}

/**
 * Certifies the largest coverage at which at most `risk` of the accepted rows are wrong, with `certainty`.
 * @param rows validation (or out-of-fold) rows by `score`
 * @param grid thresholds frozen on tune, made with the same label risks
 */
export function certify(
  rows: AcceptRows<"validation"> | AcceptRows<"out-of-fold">,
  grid: AcceptGrid,
  policy: AcceptPolicy,
  context: CertificateContext,
): Certificate {
  const { risk, certainty } = policy;
  if (!(risk > 0 && risk < 1)) throw new RangeError(`A risk of ${risk} is outside (0, 1).`);
  if (!(certainty > 0 && certainty < 1)) throw new RangeError(`A certainty of ${certainty} is outside (0, 1).`);
  const uses = context.uses ?? 1;
  if (!(Number.isInteger(uses) && uses >= 1))
    throw new RangeError(`${uses} uses of the validation rows make no sense.`);
  for (const set of rows.sets as readonly CertifyingRows[]) {
    requireRole<CertifyingRows["role"]>(set, ["validation", "out-of-fold"], "A certificate");
  }
  if (rows.by !== "score") throw new RangeError("A certificate is only given on the uncalibrated score.");
  if (grid.parts.length !== rows.labelRisks.length + 1)
    throw new RangeError("The grid was made for other label risks.");

  const { which, unlabelled, sameGroup } = certifyingRows(rows, context.groups, context.seed ?? 42);
  const delta = (1 - certainty) / uses / grid.parts.length;
  const parts = grid.parts.map((gridPart, part): CertificatePart => {
    const label = part === 0 ? null : rows.labelRisks[part - 1]!;
    const counts = countGrid(rows, which, part, gridPart.thresholds);
    return certifyPart(label, label?.risk ?? risk, delta, gridPart, counts, which.length);
  });

  const accepted = parts.reduce((sum, part) => sum + part.accepted, 0);
  const blocked = context.voidBecause ?? [];
  const found = parts.some((part) => part.threshold !== null);
  return {
    certified: found && blocked.length === 0,
    why: sentence(rows, parts, policy, blocked, which.length),
    scope: rows.scope,
    targets: [...rows.targets],
    risk,
    certainty,
    by: rows.by,
    parts,
    never: context.never ?? [],
    accepted,
    coverage: which.length === 0 ? 0 : accepted / which.length,
    coverageInterval: wilson(accepted, which.length),
    population: context.population,
    labelSource: context.labelSource ?? "as given",
    basis: rows.role,
    rows: which.length,
    unlabelled,
    sameGroup,
    grid: { madeFrom: grid.madeFrom, rows: grid.rows },
    uses,
    date: context.date,
    modelFingerprint: context.modelFingerprint ?? null,
    dataFingerprint: context.dataFingerprint ?? null,
  };
}

function certifyPart(
  label: LabelRisk | null,
  risk: number,
  delta: number,
  { thresholds, starts, shares }: AcceptGrid["parts"][number],
  counts: GridCounts,
  rowsInAll: number,
): CertificatePart {
  // P[Bin(n, risk) ≤ errors] ≤ level says the same as "the Clopper–Pearson upper bound at that level is at most risk".
  const walk = (from: number, level: number): number => {
    let at = from;
    while (
      at < thresholds.length &&
      counts.accepted[at]! > 0 &&
      binomialAtMost(counts.errors[at]!, counts.accepted[at]!, risk) <= level
    ) {
      at++;
    }
    return at;
  };
  const levels = shares.map((share) => share * delta);
  /** For each sequence, the first test that it does not pass. */
  const ends = starts.map((start, s) => walk(start, levels[s]!));
  // The first has passed every test before the second's start: its share is free for the tests that are left.
  const met = ends[0]! >= starts[1];
  if (met) ends.fill(walk(Math.max(...ends), delta));
  const chosen = Math.max(...ends.map((end, s) => (end > starts[s]! ? end - 1 : -1)));
  const levelAt = (at: number, sequence: number): number => (met && at >= starts[1] ? delta : levels[sequence]!);
  const level = levelAt(chosen, ends[0]! > chosen ? 0 : 1);
  const sequences = starts.map((start, s): SequenceTrace => {
    const at = ends[s]!;
    return {
      start: STARTS[s]!,
      passed: at - start,
      failed:
        at === thresholds.length
          ? null
          : {
              threshold: thresholds[at]!,
              accepted: counts.accepted[at]!,
              errors: counts.errors[at]!,
              bound: clopperPearsonUpper(counts.errors[at]!, counts.accepted[at]!, levelAt(at, s)),
            },
    };
  });
  const accepted = chosen < 0 ? 0 : counts.accepted[chosen]!;
  const errors = chosen < 0 ? 0 : counts.errors[chosen]!;
  return {
    label,
    risk,
    certainty: 1 - delta,
    threshold: chosen < 0 ? null : thresholds[chosen]!,
    rows: counts.rows,
    accepted,
    errors,
    coverage: counts.rows === 0 ? 0 : accepted / counts.rows,
    coverageInterval: wilson(accepted, counts.rows),
    bound: chosen < 0 ? 1 : clopperPearsonUpper(errors, accepted, level),
    sequences,
    rowsNeeded: chosen < 0 ? rowsNeeded(risk, levels, starts, counts, rowsInAll) : null,
  };
}

/** Probability with which {@link RowsNeeded} rows give a certificate. */
const POWER = 0.8;
/** Beyond this many rows the answer is "never". */
const MOST_ROWS = 10_000_000;
/** Beyond this many accepted rows the normal approximation is good to a row in a hundred, and the exact search slow. */
const MOST_EXACT = 20_000;

function rowsNeeded(
  risk: number,
  levels: readonly number[],
  starts: readonly [number, number],
  counts: GridCounts,
  rowsInAll: number,
): RowsNeeded {
  let total = Number.POSITIVE_INFINITY;
  let sure = true;
  const delta = levels.reduce((sum, level) => sum + level, 0);
  for (const [s, start] of starts.entries()) {
    const accepted = counts.accepted[start]!;
    const errors = counts.errors[start]!;
    if (accepted === 0 || clopperPearsonLower(errors, accepted, delta) <= risk) sure = false;
    if (accepted === 0) continue;
    const needed = acceptedRowsNeeded(risk, levels[s]!, errors / accepted);
    if (needed !== null) total = Math.min(total, Math.ceil((needed * rowsInAll) / accepted));
  }
  if (total > MOST_ROWS) return { answer: "never", sure };
  return { answer: "rows", total: Math.max(total, rowsInAll), more: Math.max(0, total - rowsInAll) };
}

/**
 * The fewest accepted rows with which a test at level delta shows "at most `risk` wrong" with probability 0.8, when the
 * true error rate is `rate`; null when no number does (rate ≥ risk). With rate 0: ln δ / ln(1 − risk), e.g. 59 for
 * risk 0.05 and delta 0.05.
 */
export function acceptedRowsNeeded(risk: number, delta: number, rate: number): number | null {
  if (rate >= risk) return null;
  const deviation = (share: number): number => Math.sqrt(share * (1 - share));
  const z = normalQuantile(1 - delta) * deviation(risk) + normalQuantile(POWER) * deviation(rate);
  const approximate = Math.ceil((z / (risk - rate)) ** 2);
  if (approximate > MOST_ROWS) return null;
  if (approximate > MOST_EXACT) return approximate;
  const passes = (n: number): boolean => {
    // The most errors with which the test still passes.
    let low = -1;
    let high = n;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (binomialAtMost(middle, n, risk) <= delta) low = middle;
      else high = middle;
    }
    return low >= 0 && binomialAtMost(low, n, rate) >= POWER;
  };
  let high = 1;
  while (!passes(high)) {
    high *= 2;
  }
  let low = high >> 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (passes(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function sentence(
  rows: AcceptRows<Role>,
  parts: readonly CertificatePart[],
  policy: AcceptPolicy,
  blocked: readonly string[],
  used: number,
): string {
  const promise = `at most ${shortPercent(policy.risk)} wrong, ${shortPercent(policy.certainty)} sure`;
  const what = rows.scope === "row" ? "rows" : `answers for ${rows.targets[0]}`;
  const found = parts.filter((part) => part.threshold !== null);
  if (blocked.length > 0) return `Not certified (${promise}): ${blocked.join("; ")}.`;
  if (found.length > 0) {
    const accepted = found.reduce((sum, part) => sum + part.accepted, 0);
    const without = parts.length - found.length;
    const rest =
      without > 0
        ? ` ${without} of the ${parts.length} parts of the rule could not be certified and accept nothing.`
        : "";
    return `${capital(promise)} (against the given labels): it may take ${shortPercent(accepted / used)} of ${what} alone.${rest}`;
  }
  const needed = parts[0]!.rowsNeeded!;
  if (used === 0) return `Not certified (${promise}): there is no labelled ${rows.role} row.`;
  if (needed.answer === "never") {
    const how = needed.sure
      ? "No number of labelled rows would do"
      : "As far as these rows tell, no number of labelled rows would do";
    return `Not certified (${promise}): even the most confident ${what} are wrong too often. ${how}.`;
  }
  if (needed.more > 0) {
    return `Not certified (${promise}): about ${needed.more} more labelled validation rows would do, if the error rate stays as it is.`;
  }
  return `Not certified (${promise}): bad luck at the first test; another draw of validation rows would probably do.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What a plain threshold (`accept: {threshold: 0.9}`) does; never a certificate. Plain JSON. */
export interface ThresholdRule {
  certified: false;
  why: string;
  scope: AcceptScope;
  targets: string[];
  by: "score" | "confidence";
  threshold: number;
  /** Labelled rows the estimates come from. */
  rows: number;
  accepted: number;
  errors: number;
  coverage: number;
  coverageInterval: Interval;
  /** errors / accepted with Wilson's 95 % interval; null when nothing is accepted. */
  errorRate: number | null;
  errorInterval: Interval;
  /** One-sided exact 95 % upper bound of the error rate at this threshold, chosen by nobody who saw these rows. */
  bound: number;
}

/** Applies a plain threshold to validation, out-of-fold or report rows and says what it does there. */
export function thresholdRule<R extends Role>(rows: AcceptRows<R>, threshold: number): ThresholdRule {
  let labelled = 0;
  let accepted = 0;
  let errors = 0;
  for (let i = 0; i < rows.n; i++) {
    if (!rows.labelled[i]) continue;
    labelled++;
    if (rows.score[i]! < 0 || rows.score[i]! < threshold) continue;
    accepted++;
    errors += rows.wrong[i]!;
  }
  return {
    certified: false,
    why: "A plain threshold promises nothing. Give {risk, certainty} for a promise.",
    scope: rows.scope,
    targets: [...rows.targets],
    by: rows.by,
    threshold,
    rows: labelled,
    accepted,
    errors,
    coverage: labelled === 0 ? 0 : accepted / labelled,
    coverageInterval: wilson(accepted, labelled),
    errorRate: accepted === 0 ? null : errors / accepted,
    errorInterval: wilson(errors, accepted),
    bound: clopperPearsonUpper(errors, accepted, 0.05),
  };
}

/** Thresholds by part: what is needed to decide, without the evidence. */
export interface AcceptThresholds {
  by: "score" | "confidence";
  /** One a part, in the certificate's order; null accepts nothing. */
  thresholds: readonly (number | null)[];
}

/** The thresholds of a certificate or a plain threshold. */
export function thresholdsOf(rule: Certificate | ThresholdRule, parts = 1): AcceptThresholds {
  if ("parts" in rule) return { by: rule.by, thresholds: rule.parts.map((part) => part.threshold) };
  return { by: rule.by, thresholds: new Array<number>(parts).fill(rule.threshold) };
}

/** 1 for every accepted row: its score is at least its part's threshold, ties together. */
export function acceptedMask(rows: AcceptRows<Role>, rule: AcceptThresholds): Uint8Array {
  if (rows.by !== rule.by) throw new RangeError(`The rule is about the ${rule.by}; the rows carry the ${rows.by}.`);
  const accepted = new Uint8Array(rows.n);
  for (let i = 0; i < rows.n; i++) {
    const threshold = rule.thresholds[rows.part[i]!];
    if (threshold !== null && threshold !== undefined && rows.score[i]! >= 0 && rows.score[i]! >= threshold)
      accepted[i] = 1;
  }
  return accepted;
}
