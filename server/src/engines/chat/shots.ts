/** Which train rows a few-shot prompt shows. Never rows of tune, validation or test. Pure: the same rows, choices and seed give the same. */
import { createHash } from "node:crypto";
import type * as z from "zod";
import type { JobShot, JobTarget } from "../../../../schemas/job.ts";
import type { Prediction } from "../../../../schemas/predictions.ts";
import type { ChatModel } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";

type ShotsSpec = NonNullable<z.output<typeof ChatModel>["prompt"]["shots"]>;

/** A label's errors in a zero-shot run. */
interface LabelErrors {
  target: string;
  label: string;
  /** Tune rows of this label, and those answered wrong (without an answer: wrong). */
  rows: number;
  wrong: number;
  /** What they were most often taken for; null: no answer. */
  mostly: string | null;
}

/** The labels most often wrong first; of equals the one whose share of wrong rows is larger, then by name. */
function labelErrors(
  target: string,
  tune: readonly JobRow[],
  predictions: ReadonlyMap<string, Prediction>,
): LabelErrors[] {
  const found = new Map<string, { rows: number; wrong: number; as: Map<string | null, number> }>();
  for (const { row, split, labels } of tune) {
    const label = labels[target];
    const prediction = predictions.get(row);
    if (split !== "tune" || label == null || !prediction) continue;
    const of = found.get(label) ?? { rows: 0, wrong: 0, as: new Map() };
    found.set(label, of);
    of.rows++;
    if (prediction.label === label) continue;
    of.wrong++;
    of.as.set(prediction.label, (of.as.get(prediction.label) ?? 0) + 1);
  }
  return [...found]
    .filter(([, { wrong }]) => wrong > 0)
    .map(([label, { rows, wrong, as }]): LabelErrors => {
      const [mostly] = [...as].sort((a, b) => b[1] - a[1] || String(a[0]).localeCompare(String(b[0])))[0]!;
      return { target, label, rows, wrong, mostly };
    })
    .sort((a, b) => b.wrong - a.wrong || b.wrong / b.rows - a.wrong / a.rows || (a.label < b.label ? -1 : 1));
}

/** A number in [0, 1) for a row: the order of a draw. */
function drawn(row: string, seed: number, stream: string): number {
  return createHash("sha256").update(`${seed}\n${stream}\n${row}`).digest().readUInt32BE() / 2 ** 32;
}

/** Train rows with a label of the target, in the order of a seeded draw. */
function trainRows(rows: readonly JobRow[], target: string, seed: number): Map<string, JobRow[]> {
  const byLabel = new Map<string, JobRow[]>();
  for (const row of rows) {
    const label = row.labels[target];
    if (row.split !== "train" || label == null) continue;
    const of = byLabel.get(label) ?? [];
    byLabel.set(label, of);
    of.push(row);
  }
  for (const of of byLabel.values()) {
    const place = new Map(of.map((row) => [row.row, drawn(row.row, seed, "shots")]));
    of.sort((a, b) => place.get(a.row)! - place.get(b.row)! || (a.row < b.row ? -1 : 1));
  }
  return byLabel;
}

const shared = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let count = 0;
  for (const word of a) if (b.has(word)) count++;
  return count / Math.sqrt(Math.max(1, a.size * b.size));
};

const wordsOf = (row: JobRow): Set<string> =>
  new Set(Object.values(row.inputs).flatMap((text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []));

const CANDIDATES = 200;

/**
 * Examples for labels that were confused: of a label's train rows those that look most like the tune rows which were taken
 * for the other label.
 */
function forConfusion(candidates: readonly JobRow[], confused: readonly JobRow[], count: number): JobRow[] {
  const seen = confused.map(wordsOf);
  const likeness = (row: JobRow) => {
    const words = wordsOf(row);
    return seen.reduce((sum, of) => sum + shared(words, of), 0);
  };
  return candidates
    .slice(0, CANDIDATES)
    .map((row, i) => ({ row, i, likeness: likeness(row) }))
    .sort((a, b) => b.likeness - a.likeness || a.i - b.i)
    .slice(0, count)
    .map(({ row }) => row);
}

/**
 * The examples that all rows of the job share. Of strategy `similar` there are none: each row has its own.
 * @param zeroShot predictions of tune rows by the model that `after` names, by target name, then row id
 */
export function chooseShots(
  spec: ShotsSpec,
  rows: readonly JobRow[],
  targets: readonly JobTarget[],
  seed: number,
  zeroShot: ReadonlyMap<string, ReadonlyMap<string, Prediction>> = new Map(),
): JobShot[] {
  const chosen = new Map<string, JobShot>();
  const add = (row: JobRow, target: string, why: string): void => {
    const known = chosen.get(row.row);
    if (!known) chosen.set(row.row, { row: row.row, targets: [target], why });
    else if (!known.targets.includes(target)) known.targets.push(target);
  };
  for (const target of targets) {
    const { name } = target;
    const byLabel = trainRows(rows, name, seed);
    if (spec.strategy === "targeted") {
      const tune = rows.filter(({ split }) => split === "tune");
      const predictions = zeroShot.get(name) ?? new Map<string, Prediction>();
      const worst = labelErrors(name, tune, predictions).filter(({ label }) => byLabel.has(label));
      for (const { label, wrong, rows: of, mostly } of worst.slice(0, spec.labels_per_target)) {
        const confused = tune.filter(
          ({ row, labels }) => labels[name] === label && predictions.has(row) && predictions.get(row)!.label === mostly,
        );
        const taken = mostly === null ? "mostly without an answer" : `mostly taken for ${mostly}`;
        for (const row of forConfusion(byLabel.get(label)!, confused, spec.per_label)) {
          add(row, name, `${name} ${label}: ${wrong} of ${of} wrong, ${taken}`);
        }
      }
    } else if (spec.strategy === "random" && spec.count !== undefined) {
      // One draw for all targets.
      if (chosen.size > 0) continue;
      const all = [...trainRows(rows, name, seed).values()].flat();
      all.sort((a, b) => drawn(a.row, seed, "random") - drawn(b.row, seed, "random") || (a.row < b.row ? -1 : 1));
      for (const row of all.slice(0, spec.count))
        for (const { name: each } of targets) if (row.labels[each] != null) add(row, each, "at random");
    } else if (spec.strategy !== "similar") {
      for (const { name: label } of target.labels) {
        for (const row of (byLabel.get(label) ?? []).slice(0, spec.per_label)) add(row, name, `${name} ${label}`);
      }
    }
  }
  // In the order of a draw, so that labels do not stand in the order of the list.
  return [...chosen.values()].sort((a, b) => drawn(a.row, seed, "order") - drawn(b.row, seed, "order"));
}
