/** From predictions to what people see of them: confidence, accepted or flagged, and why (DESIGN §5). */
import type { FlagReason } from "../../../schemas/decisions.ts";
import type { JobTarget } from "../../../schemas/job.ts";
import type { LabelSet, Prediction } from "../../../schemas/predictions.ts";
import type { AcceptDecision, ModelReport } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { acceptRows, thresholdsOf } from "../confidence/acceptRule.ts";
import { applyCalibration, calibrate } from "../confidence/calibrate.ts";
import type { Distribution } from "../confidence/distribution.ts";
import { flagRows, reasonsOf } from "../confidence/flag.ts";
import { findLabelIssues, type LabelIssue } from "../confidence/labelIssues.ts";
import { type PredictionSetRule, predictionSet } from "../confidence/predictionSets.ts";
import {
  type OutOfFoldRows,
  outOfFoldRows,
  poolRows,
  type Role,
  type RowSet,
  testRows,
  tuneRows,
  validationRows,
} from "../confidence/roles.ts";
import { distributionAt, type ScoredRows } from "../confidence/scoredRows.ts";
import { keepPace } from "../dataset/pace.ts";
import { isVoidInPool } from "../evaluation/drift.ts";
import { scoredRowsOf } from "../evaluation/scored.ts";

/** One target's prediction of a row, as people see it. */
export interface Judged {
  target: string;
  /** The predicted label; null when there is no usable answer. */
  label: string | null;
  /** Calibrated probability that `label` is right; 0 without an answer. */
  confidence: number;
  /** Uncalibrated difference of the two likeliest labels. */
  margin: number;
  /** The likeliest labels with calibrated probabilities; the predicted label first. */
  top: [string, number][];
  accepted: boolean;
  reasons: FlagReason[];
  /** The labels among which the right one is with the promised coverage; only for rows that are not accepted. */
  set?: LabelSet;
  /** How doubtful the given label is: 1 less its probability; and the label suggested instead. Only where it is suspected. */
  issue?: number;
  suggested?: string;
}

/** The rules of an evaluation. */
export interface Rules {
  model: ModelReport;
  targets: readonly JobTarget[];
  /** The audit's draw of a decision: whether a row that it accepts is reviewed all the same. */
  audited?(decision: AcceptDecision): (row: string) => boolean;
}

/** How many labels a person is shown. */
const SHOWN = 10;

type Part = Exclude<Role, "cross-fitted">;
const PROVE: Record<Part, (rows: ScoredRows) => RowSet<Role>> = {
  tune: tuneRows,
  validation: validationRows,
  "out-of-fold": outOfFoldRows,
  test: testRows,
  pool: poolRows,
};

/**
 * Judges rows of one kind together. Rows that the model was trained on can only be judged out-of-fold.
 * @param predictions by target name, then row id
 * @returns in the order of `rows`, one entry a target (of rows trained on: a target with a prediction)
 */
export function judgeRows(
  part: Part,
  rows: readonly JobRow[],
  predictions: ReadonlyMap<string, ReadonlyMap<string, Prediction>>,
  { model, targets, audited }: Rules,
): Judged[][] {
  const sets = new Map(
    targets.map((target) => {
      const scored = scoredRowsOf(rows, target, predictions.get(target.name) ?? new Map());
      return [target.name, calibrate(PROVE[part](scored), model.targets[target.name]!.calibrator)] as const;
    }),
  );
  const judged = rows.map((): Judged[] => []);
  for (const decision of model.accept) {
    const group = targets.filter(({ name }) => decision.targets.includes(name));
    const labelRisks = group.flatMap(({ name, risk }) =>
      Object.entries(risk ?? {}).map(([label, value]) => ({ target: name, label, risk: value })),
    );
    const { rule } = decision;
    const by = rule?.by ?? "score";
    const accepts = acceptRows(
      rule?.scope ?? (group.length > 1 ? "row" : "target"),
      group.map(({ name, never = [] }) => ({ target: name, set: sets.get(name)!, never })),
      { by, labelRisks: by === "score" ? labelRisks : [] },
    );
    const drawn = audited?.(decision);
    const auditDraw = drawn && Uint8Array.from(rows, ({ row }) => (drawn(row) ? 1 : 0));
    const flags = flagRows({
      rows: accepts,
      rule:
        rule && !(part === "pool" && isVoidInPool(rule, model.drift))
          ? thresholdsOf(rule, labelRisks.length + 1)
          : null,
      never: group.map(({ name, never = [] }) => ({ target: name, labels: never })),
      ...(auditDraw ? { auditDraw } : {}),
    });
    for (const target of group) {
      const { rows: scored } = sets.get(target.name)!;
      const issues = part === "out-of-fold" ? issuesOf(outOfFoldRows(scored)) : new Map<number, LabelIssue>();
      const { calibrator, sets: conformal } = model.targets[target.name]!;
      const { map } = calibrator;
      rows.forEach(({ row }, i) => {
        // Rows trained on have out-of-fold predictions of the targets they have a label for.
        if (part === "out-of-fold" && !predictions.get(target.name)?.has(row)) return;
        const distribution = distributionAt(scored, i);
        const shown = distribution && applyCalibration(map, distribution);
        const top = shown ? likeliest(distribution, shown, scored.labels) : [];
        const issue = issues.get(i);
        const set =
          distribution && flags.accepted[i] === 0 ? labelSet(conformal?.rule, distribution, scored.labels) : null;
        const reasons = reasonsOf(flags.reasons[i]!);
        judged[i]!.push({
          target: target.name,
          label: scored.predicted[i]! < 0 ? null : scored.labels[scored.predicted[i]!]!,
          confidence: scored.confidence[i]!,
          margin: scored.margin[i]!,
          top,
          accepted: flags.accepted[i] === 1,
          reasons: issue === undefined ? reasons : [...reasons, "label-issue"],
          ...(set ? { set } : {}),
          ...(issue === undefined
            ? {}
            : { issue: 1 - issue.selfConfidence, suggested: scored.labels[issue.suggested]! }),
        });
      });
    }
  }
  return judged;
}

/** Rows judged between two turns of the thread: with hundreds of labels they take some ten milliseconds. */
const PIECE = 100;

/**
 * As {@link judgeRows}, while others of the thread get their turn. What is said of a row hangs on no other one, save out of fold, where
 * doubtful labels are found by comparing rows: those are judged at once.
 */
export async function judgeManyRows(
  ...[part, rows, predictions, rules]: Parameters<typeof judgeRows>
): Promise<Judged[][]> {
  if (part === "out-of-fold") return judgeRows(part, rows, predictions, rules);
  const pace = keepPace();
  const judged: Judged[][] = [];
  for (let start = 0; start < rows.length; start += PIECE) {
    await pace();
    judged.push(...judgeRows(part, rows.slice(start, start + PIECE), predictions, rules));
  }
  return judged;
}

/**
 * The likeliest labels with their calibrated probabilities, in the order of the uncalibrated ones: the predicted label is
 * always first, also where the calibrator says that it is probably wrong.
 */
function likeliest(scores: Distribution, shown: Distribution, names: readonly string[]): [string, number][] {
  const { probabilities } = scores;
  // Places of the highest so far, in order: sorting hundreds of labels for ten would be most of the work on a row.
  const best: number[] = [];
  for (let k = 0; k < probabilities.length; k++) {
    let at = best.length;
    while (at > 0 && probabilities[k]! > probabilities[best[at - 1]!]!) at--;
    if (at === SHOWN) continue;
    best.splice(at, 0, k);
    best.length = Math.min(best.length, SHOWN);
  }
  return best.map((k): [string, number] => [names[shown.labels[k]!]!, shown.probabilities[k]!]);
}

function labelSet(
  rule: PredictionSetRule | undefined,
  distribution: Distribution,
  names: readonly string[],
): LabelSet | null {
  if (rule === undefined || rule.quantile === null) return null;
  const { labels, others } = predictionSet(rule, distribution, names.length);
  return { labels: labels.map((label) => names[label]!), others, coverage: rule.coverage };
}

/** Suspected label errors by the place of the row. */
function issuesOf(set: OutOfFoldRows): Map<number, LabelIssue> {
  return new Map(findLabelIssues(set).issues.map((issue) => [issue.row, issue]));
}
