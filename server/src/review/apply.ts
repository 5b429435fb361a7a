/**
 * Which decisions train, and which may not touch metrics (DESIGN §5.6).
 *
 * - Decisions on train and pool rows become labels of train rows. A pool row that got a label joins train, always: it was
 *   reviewed because a model was unsure of it, so in validation or test it would make them harder than the stream is.
 * - Decisions on validation and test rows change no label. If the row was drawn at random and judged without seeing
 *   the prediction they are listed as `relabelled`, for the label-noise estimate.
 */
import type { Decision } from "../../../schemas/decisions.ts";
import type { SplitName } from "../../../schemas/rows.ts";
import type { Verdict, Verdicts } from "./fold.ts";

/** What the rules need to know of a row of the data. */
export interface RowState {
  split: SplitName;
  /** Target name → label in the data, null without one. */
  labels: Readonly<Record<string, string | null>>;
}

/** A row of the data by its id; undefined for a row that is not there (any more). */
export type RowLookup = (row: string) => RowState | undefined;

/** What a decision makes of a row's label in train: a label, or null for none of these labels. */
export interface TrainDecision {
  label: string | null;
  /** Id of the decision. */
  decision: string;
}

/** Row id → target name → decision: what dataset/job-rows.ts applies to the rows as it writes them. */
export type TrainDecisions = Map<string, Map<string, TrainDecision>>;

/** A row of the data that was judged blind after a random draw, and both labels. */
export interface Relabelled {
  row: string;
  target: string;
  given: string | null;
  /** The person's label; null: none of these labels. */
  relabelled: string | null;
  /** Probability with which the row was drawn. */
  inclusion: number;
  decision: string;
}

/** What the decisions did to the data: for the report's "what changed". Counts are of rows and targets. */
export interface Applied {
  /** Labels in train that a decision changed, confirmed, or gave to a row that had none. */
  changed: number;
  confirmed: number;
  added: number;
  /** Labels taken out of train: none of the target's labels fits. */
  removed: number;
  /** Rows that joined train from the pool. Not a random sample: they may not calibrate or certify, out-of-fold either. */
  joined: string[];
  /** Rows reviewed when in train or the pool that the project's own split now has in validation or test. */
  misplaced: string[];
  /** Decisions on validation and test rows, which changed nothing; `relabelled` are among them. */
  heldOut: number;
  relabelled: Relabelled[];
  /** Skips of rows that still wait for a decision. */
  skipped: number;
  /** Unsettled: neither decision has an effect. */
  conflicts: Verdict[];
  /** Decisions for a label or a target that the project does not have (any more): without effect. */
  unknown: Decision[];
}

/**
 * Whether the decision is on a row drawn at random from the whole stream and judged without seeing the prediction. An audit
 * draws from the accepted rows alone, which are easier than the stream.
 */
export function isRandomBlind(decision: Decision): boolean {
  return decision.blind && decision.inclusion !== undefined && !decision.reasons.includes("audit");
}

/** Rows reviewed in train or the pool, other than by a blind random draw: a split must never put them in validation or test. */
export function rowsKeptInTrain(verdicts: Verdicts): Set<string> {
  const rows = new Set<string>();
  for (const [row, targets] of verdicts) {
    for (const { standing } of targets.values()) {
      if (standing.some((decision) => trains(decision.split) && !isRandomBlind(decision))) rows.add(row);
    }
  }
  return rows;
}

/**
 * The decisions that train, and an account of all of them.
 * @param rowOf the data's rows
 * @param targets the project's targets; `labels` where they are known, else any label is allowed
 */
export function trainingDecisions(
  verdicts: Verdicts,
  rowOf: RowLookup,
  targets: readonly { name: string; labels?: readonly { name: string }[] | undefined }[],
): { decisions: TrainDecisions; applied: Applied } {
  const allowed = new Map(
    targets.map(({ name, labels }) => [name, labels && new Set(labels.map((label) => label.name))]),
  );
  const keptInTrain = rowsKeptInTrain(verdicts);
  const applied: Applied = {
    changed: 0,
    confirmed: 0,
    added: 0,
    removed: 0,
    joined: [],
    misplaced: [],
    heldOut: 0,
    relabelled: [],
    skipped: 0,
    conflicts: [],
    unknown: [],
  };
  const decisions: TrainDecisions = new Map();
  for (const [row, of] of verdicts) {
    const state = rowOf(row);
    if (state === undefined) continue;
    if (!trains(state.split) && keptInTrain.has(row)) applied.misplaced.push(row);
    const effective = effectiveOn(state, of, allowed, applied);
    if (effective.size === 0) continue;
    decisions.set(row, effective);
    if (state.split === "pool" && [...effective.values()].some(({ label }) => label !== null)) applied.joined.push(row);
  }
  return { decisions, applied };
}

function effectiveOn(
  state: RowState,
  verdicts: ReadonlyMap<string, Verdict>,
  allowed: ReadonlyMap<string, ReadonlySet<string> | undefined>,
  applied: Applied,
): Map<string, TrainDecision> {
  const effective = new Map<string, TrainDecision>();
  for (const verdict of verdicts.values()) {
    const decision = verdict.current;
    if (verdict.skipped !== undefined) applied.skipped++;
    if (decision === undefined) continue;
    if (verdict.conflict) {
      applied.conflicts.push(verdict);
      continue;
    }
    const { row, target, after } = decision;
    const targetLabels = allowed.get(target);
    if (!allowed.has(target) || (after !== null && targetLabels !== undefined && !targetLabels.has(after))) {
      applied.unknown.push(decision);
      continue;
    }
    const given = state.labels[target] ?? null;
    if (!trains(state.split)) {
      applied.heldOut++;
      if (isRandomBlind(decision)) {
        const inclusion = decision.inclusion!;
        applied.relabelled.push({ row, target, given, relabelled: after, inclusion, decision: decision.id });
      }
      continue;
    }
    if (after === given) applied.confirmed += after === null ? 0 : 1;
    else if (after === null) applied.removed++;
    else if (given === null) applied.added++;
    else applied.changed++;
    effective.set(target, { label: after, decision: decision.id });
  }
  return effective;
}

function trains(split: Decision["split"]): boolean {
  return split === "train" || split === "tune" || split === "pool";
}
