/**
 * Does the pool still look like the rows that certified (DESIGN §5.4)? What the model says of the two is compared, score and predicted
 * labels, and what they are made of: length, and words that train never had. A certificate is void where the model's answers moved;
 * moved inputs alone are told.
 */
import type { Job } from "../../../schemas/job.ts";
import type { Drift } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import type { Certificate, ThresholdRule } from "../confidence/acceptRule.ts";
import { type DriftFeature, type DriftReport, driftTest } from "../confidence/drift.ts";
import { seededPermutation } from "../confidence/random.ts";
import type { CertifyingRows, PoolRows } from "../confidence/roles.ts";
import { percent } from "../numbers.ts";

/** Level of all tests together, and the smallest distance that matters. */
const ALPHA = 0.01;
const DISTANCE = 0.1;
/** Texts read of each side, and of train for its words. */
const TEXTS = 5000;
const TRAIN_TEXTS = 20_000;

export interface DriftTarget {
  target: { name: string };
  certifying: CertifyingRows;
  pool: PoolRows;
}

/** Null without rows on both sides. */
export function poolDrift(job: Job, rows: readonly JobRow[], targets: readonly DriftTarget[]): Drift | null {
  const [first] = targets;
  if (first === undefined || first.certifying.rows.n === 0 || first.pool.rows.n === 0) return null;
  const sizes = { reference: first.certifying.rows.n, current: first.pool.rows.n };
  // Rows that were reviewed have left the pool, the unsure ones first. Taking a share of the rows away moves no share of the rest by more
  // than this: so much is no sign of anything.
  const reviewed = rows.reduce((sum, row) => sum + (row.joined ? 1 : 0), 0);
  const answers = { alpha: ALPHA / (targets.length + 1), distance: DISTANCE + reviewed / sizes.current };
  const tests: Drift["tests"] = [];
  const take = (report: DriftReport, target: string | null) => {
    for (const test of report.tests) tests.push({ ...test, target });
  };
  for (const { target, certifying, pool } of targets) {
    const score = { name: "score", reference: certifying.rows.score, current: pool.rows.score };
    const labels = {
      names: pool.rows.labels,
      reference: certifying.rows.predicted,
      current: pool.rows.predicted,
    };
    take(driftTest([score], labels, answers), target.name);
  }
  const voids = tests.some(({ drifted }) => drifted);
  take(
    driftTest(inputFeatures(job, rows, first), null, { alpha: ALPHA / (targets.length + 1), distance: DISTANCE }),
    null,
  );
  return { ...sizes, reviewed, voids, tests };
}

/** Length and share of new words. Rows reviewed out of the pool are pool rows still: their texts are known. */
function inputFeatures(job: Job, rows: readonly JobRow[], { certifying, pool }: DriftTarget): DriftFeature[] {
  const reference = new Set(certifying.rows.ids ?? []);
  const current = new Set(pool.rows.ids ?? []);
  const texts = (wanted: (row: JobRow) => boolean, most: number): string[] => {
    const found = rows.filter(wanted);
    const which = seededPermutation(found.length, job.seed).subarray(0, most);
    return Array.from(which, (i) => Object.values(found[i]!.inputs).join(" "));
  };
  const before = texts((row) => reference.has(row.row), TEXTS);
  const now = texts((row) => current.has(row.row) || row.joined === true, TEXTS);
  const features: DriftFeature[] = [{ name: "length of the text", reference: lengths(before), current: lengths(now) }];
  // Out of fold the certifying rows are train rows themselves: no word of theirs is new.
  if (certifying.role === "validation") {
    const known = new Set<string>();
    const train = texts((row) => row.split === "train" && row.joined !== true, TRAIN_TEXTS);
    for (const text of train) for (const word of wordsOf(text)) known.add(word);
    const newWords = (side: readonly string[]) =>
      Float64Array.from(side, (text) => {
        const words = wordsOf(text);
        return words.length === 0 ? 0 : words.filter((word) => !known.has(word)).length / words.length;
      });
    features.push({ name: "share of new words", reference: newWords(before), current: newWords(now) });
  }
  return features;
}

const lengths = (side: readonly string[]) => Float64Array.from(side, (text) => text.length);
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** A certificate does not hold for a pool that has drifted: nothing of it is accepted. A plain threshold promises nothing. */
export function isVoidInPool(rule: Certificate | ThresholdRule, drift: Drift | undefined): boolean {
  return "parts" in rule && drift?.voids === true;
}

const points = (change: number): string => `${change > 0 ? "+" : "−"}${(100 * Math.abs(change)).toFixed(0)} points`;

function testWords({ name, kind, moved, distance, target }: Drift["tests"][number], several: boolean): string {
  const of = several && target !== null ? ` of ${target}` : "";
  const labels = moved
    .slice(0, 3)
    .map(({ label, change }) => `${label} ${points(change)}`)
    .join(", ");
  return kind === "labels" ? `${name}${of} (${labels})` : `${name}${of} (by up to ${percent(distance, 0)} of the rows)`;
}

/** Why the certificate is void for the pool; null when it is not. */
export function driftReason(drift: Drift | null): string | null {
  if (!drift?.voids) return null;
  const several = new Set(drift.tests.map(({ target }) => target)).size > 2;
  const moved = drift.tests.filter(({ drifted, target }) => drifted && target !== null);
  return `the pool is not like the rows that certify: ${moved.map((test) => testWords(test, several)).join("; ")} differ by more than chance. Label a random part of the pool, add it to the data and evaluate again`;
}

/** What else moved, for the report; null when nothing did. */
export function driftNote(drift: Drift | null): string | null {
  const moved = drift?.tests.filter(({ drifted, target }) => drifted && target === null) ?? [];
  if (moved.length === 0 || drift!.voids) return null;
  return `The pool's texts differ from those that certify: ${moved.map((test) => testWords(test, false)).join("; ")}. What the model says of them does not, so the certificate stands; audit the accepted rows.`;
}
