/** The rows that wait for a person, in the order in which they are shown. Pure. */
import type { Decision, FlagReason } from "../../../schemas/decisions.ts";
import type { LabelSet } from "../../../schemas/predictions.ts";
import type { SplitName } from "../../../schemas/rows.ts";
import { type DrawKey, drawPosition } from "./draws.ts";
import { isDecided, type Verdicts, verdictOf } from "./fold.ts";

/** One row and target that a person might look at. */
export interface ReviewItem {
  row: string;
  target: string;
  /** The predicted label; null when the model gave no usable answer. */
  label: string | null;
  /** Calibrated probability that `label` is right, 0 to 1. */
  confidence: number;
  /** Difference of the two likeliest labels' probabilities, 0 to 1; 0 when there is no answer. */
  margin: number;
  /** The likeliest labels and their probabilities, likeliest first. */
  top: readonly (readonly [label: string, probability: number])[];
  /** The labels among which the right one is with the promised coverage; null where there is no set, or it must not be seen. */
  set: LabelSet | null;
  /** Why the row is in front of a person. Empty for an accepted row. */
  reasons: readonly FlagReason[];
  /** The label in the data; null where the row has none. */
  given: string | null;
  split: SplitName;
  /** How likely the given label is wrong, 0 to 1, greater is worse. Absent where it is not suspected. */
  issue?: number | undefined;
  /** Mean similarity with the other flagged rows, 0 to 1: for the order `informative`. */
  density?: number | undefined;
  /** The row's place in the data, from 0: the order `file`. */
  position: number;
  /**
   * Place in the random draw, 0 to 1, of a row that is judged blind: what must not be seen is left out above. Judged rows are a
   * random sample only in the order of the draw, so blind items stand in it, after all others.
   */
  draw?: number | undefined;
}

/** A row with these reasons alone is not part of anybody's work list: it is shown when its reason is asked for. */
const ON_REQUEST: ReadonlySet<FlagReason> = new Set(["relabel"]);

/**
 * `review.order` of the project file. `informative`: uncertain rows that stand for many others first, the information density
 * (1 − margin) · density of Settles & Craven (2008); it needs `density`.
 */
export type ReviewOrder = "margin" | "confidence" | "label-issues" | "informative" | "random" | "file";

/** Which items are shown. What is left out or empty filters nothing; within one filter any value fits. */
export interface ReviewFilter {
  targets?: readonly string[];
  /** Predicted labels. */
  labels?: readonly string[];
  /** Labels in the data. */
  given?: readonly string[];
  /** Two labels between which a row stands: see {@link pairOf}. */
  pair?: LabelPair | undefined;
  reasons?: readonly FlagReason[];
  splits?: readonly SplitName[];
}

/** Two labels, in the order of their names. */
export type LabelPair = readonly [string, string];

/**
 * The labels that may be confused with each other in a row: the label in the data and another that is predicted, else the two
 * likeliest. Null where there are no two, or the prediction must not be seen.
 */
export function pairOf({ label, given, top, draw }: ReviewItem): LabelPair | null {
  if (label === null || draw !== undefined) return null;
  const other = given !== null && given !== label ? given : top.find(([name]) => name !== label)?.[0];
  if (other === undefined) return null;
  return label < other ? [label, other] : [other, label];
}

/** An item of the queue and what is known of it from earlier decisions. */
export interface QueuedItem extends ReviewItem {
  skipped: boolean;
  /** Decisions of several people that disagree; the item waits for one that settles them. */
  conflict: readonly Decision[];
}

export interface ReviewQueue {
  /** Waiting items in order; skipped ones last, those skipped longest ago first. */
  items: QueuedItem[];
  counts: {
    /** Flagged items that pass the filter, decided ones included: the "412" of "37 of 412". */
    total: number;
    decided: number;
    /** Waiting, the skipped ones included. */
    waiting: number;
    skipped: number;
    conflicts: number;
    /** Waiting items by reason (an item counts once under each of its reasons), predicted label and target. */
    reasons: Map<FlagReason, number>;
    labels: Map<string | null, number>;
    targets: Map<string, number>;
    /** Waiting items by pair, as JSON, whatever pair is filtered by. */
    pairs: Map<string, number>;
  };
}

/**
 * The review queue. Items without a reason are not flagged and left out, unless people's decisions on them conflict.
 * A decided item has left the queue; an unsettled conflict comes back with the reason `conflict`.
 * @param options.seed of the order `random`
 */
export function reviewQueue(
  items: Iterable<ReviewItem>,
  verdicts: Verdicts,
  options: { order: ReviewOrder; filter?: ReviewFilter | undefined; seed?: number | undefined },
): ReviewQueue {
  const passes = filterOf(options.filter ?? {});
  const asked = options.filter?.reasons?.some((reason) => ON_REQUEST.has(reason)) ?? false;
  const counts: ReviewQueue["counts"] = {
    total: 0,
    decided: 0,
    waiting: 0,
    skipped: 0,
    conflicts: 0,
    reasons: new Map(),
    labels: new Map(),
    targets: new Map(),
    pairs: new Map(),
  };
  const { pair: wanted } = options.filter ?? {};
  const fresh: QueuedItem[] = [];
  const skipped: { item: QueuedItem; skip: string }[] = [];
  for (const item of items) {
    const verdict = verdictOf(verdicts, item.row, item.target);
    const conflict = verdict?.conflict ?? false;
    const reasons: readonly FlagReason[] = conflict
      ? [...new Set([...item.reasons, "conflict" as const])]
      : item.reasons;
    if (reasons.length === 0 || !passes({ ...item, reasons })) continue;
    if (reasons.every((reason) => ON_REQUEST.has(reason)) && !asked) {
      if (!isDecided(verdict)) for (const reason of reasons) increase(counts.reasons, reason);
      continue;
    }
    const pair = pairOf(item);
    if (pair !== null && !isDecided(verdict)) increase(counts.pairs, JSON.stringify(pair));
    if (wanted && (pair === null || pair[0] !== wanted[0] || pair[1] !== wanted[1])) continue;
    counts.total++;
    if (isDecided(verdict)) {
      counts.decided++;
      continue;
    }
    const queued = {
      ...item,
      reasons,
      skipped: verdict?.skipped !== undefined,
      conflict: conflict ? verdict!.standing : [],
    };
    counts.waiting++;
    if (conflict) counts.conflicts++;
    for (const reason of reasons) increase(counts.reasons, reason);
    increase(counts.labels, item.label);
    increase(counts.targets, item.target);
    if (verdict?.skipped === undefined) {
      fresh.push(queued);
    } else {
      counts.skipped++;
      skipped.push({ item: queued, skip: verdict.skipped.id });
    }
  }
  sortItems(fresh, options.order, options.seed ?? 0);
  skipped.sort((a, b) => (a.skip < b.skip ? -1 : 1));
  return { items: [...fresh, ...skipped.map(({ item }) => item)], counts };
}

/** Sorts in place, blind items last; ties by place in the file, then by target, so that the order never hangs on the input's. */
function sortItems(items: QueuedItem[], order: ReviewOrder, seed: number): void {
  const inFile = (a: QueuedItem, b: QueuedItem) => a.position - b.position || (a.target < b.target ? -1 : 1);
  const inDraw = (a: QueuedItem, b: QueuedItem) => (a.draw ?? -1) - (b.draw ?? -1);
  if (order === "random") {
    const key: DrawKey = { seed, stream: "review" };
    const place = new Map(items.map((item) => [item, drawPosition(JSON.stringify([item.row, item.target]), key)]));
    items.sort((a, b) => inDraw(a, b) || place.get(a)! - place.get(b)! || inFile(a, b));
    return;
  }
  const rank: Record<Exclude<ReviewOrder, "random">, (item: QueuedItem) => number> = {
    margin: (item) => item.margin,
    confidence: (item) => item.confidence,
    "label-issues": (item) => -(item.issue ?? -1),
    informative: (item) => -(1 - item.margin) * (item.density ?? 0),
    file: (item) => item.position,
  };
  const rankOf = rank[order];
  items.sort((a, b) => inDraw(a, b) || rankOf(a) - rankOf(b) || inFile(a, b));
}

function filterOf(filter: ReviewFilter): (item: ReviewItem) => boolean {
  const set = <T>(values: readonly T[] | undefined) => (values?.length ? new Set<T | null>(values) : undefined);
  const targets = set(filter.targets);
  const labels = set(filter.labels);
  const given = set(filter.given);
  const reasons = set(filter.reasons);
  const splits = set(filter.splits);
  return (item) =>
    (targets?.has(item.target) ?? true) &&
    (labels?.has(item.label) ?? true) &&
    (given?.has(item.given) ?? true) &&
    (splits?.has(item.split) ?? true) &&
    (reasons === undefined || item.reasons.some((reason) => reasons.has(reason)));
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
