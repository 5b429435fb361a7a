/**
 * From one model's predictions to its part of the report: calibrator, figures, accept rule. The rows that each step may
 * read are those of DESIGN §5; confidence/roles.ts refuses any other use.
 */
import type { Job, JobModel, JobTarget } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { AcceptDecision, Cost, CostLine, Drift, ModelReport, PredictionSets } from "../../../schemas/report.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import {
  type AcceptGrid,
  type AcceptRows,
  acceptGrid,
  acceptRows,
  type Certificate,
  certify,
  type LabelRisk,
  type ThresholdRule,
  thresholdRule,
  thresholdsOf,
} from "../confidence/acceptRule.ts";
import {
  type CalibrationKind,
  type Calibrator,
  calibrate,
  chooseCalibration,
  fitCalibrator,
} from "../confidence/calibrate.ts";
import { costLine, costOptimalThreshold, NOTHING, type Prices } from "../confidence/costOptimal.ts";
import { flagRows } from "../confidence/flag.ts";
import { calibratePredictionSets, measurePredictionSets } from "../confidence/predictionSets.ts";
import {
  type CertifyingRows,
  type PoolRows,
  poolRows,
  type ReportRows,
  type Role,
  type RowSet,
  type TuneRows,
  tuneRows,
  validationRows,
} from "../confidence/roles.ts";
import { acceptDetails } from "./acceptDetails.ts";
import { driftReason, isVoidInPool, poolDrift } from "./drift.ts";
import { reportAccept, reportJoint, reportTarget } from "./metrics.ts";
import { notesOf } from "./notes.ts";
import { fittedRows, type ModelPredictions, reportedRows, rowsInCommon } from "./reported.ts";
import { scoredRowsOf } from "./scored.ts";
import { thresholdsTable } from "./thresholds.ts";

/** What the run itself measured. */
export interface RunFigures {
  seconds: number;
  predictions: number;
  tokens: { prompt: number; completion: number } | null;
  cost: number | null;
  calls?: ModelReport["calls"];
  stages?: ModelReport["stages"];
}

/** One target, ready for figures and for the accept rule. */
interface AssessedTarget {
  target: JobTarget;
  calibrator: Calibrator;
  why: string;
  tune: TuneRows;
  certifying: CertifyingRows;
  reported: ReportRows | null;
  pool: PoolRows;
}

/** The report of a model, and the rows it was reported from (by target), for comparisons. */
export interface Assessment {
  report: ModelReport;
  reported: Map<string, ReportRows>;
}

/**
 * @param rows the job's rows
 * @param uses models and rounds certified on these validation rows, this one included
 */
export function assessModel(
  job: Job,
  model: JobModel,
  rows: readonly JobRow[],
  predictions: ModelPredictions,
  figures: RunFigures,
  uses: number,
): Assessment {
  const bySplit = (wanted: SplitName[]) => rows.filter((row) => wanted.includes(row.split));
  const splits = {
    tune: bySplit(["tune"]),
    validation: bySplit(["validation"]),
    pool: bySplit(["pool"]),
  };
  const targets = job.task.targets.map((target): AssessedTarget => {
    const plain = predictions.plain.get(target.name) ?? new Map<string, Prediction>();
    const folds = predictions.outOfFold.get(target.name) ?? new Map<string, Prediction>();
    const predicted = (part: readonly JobRow[]) => part.filter((row) => plain.has(row.row));
    // Tune and pool rows need not be predicted: without them there is no choice to make and nothing to flag.
    // Without validation rows the out-of-fold predictions serve for the choices too.
    const choosing = job.data.validation ? plain : folds;
    const tune = tuneRows(
      scoredRowsOf(
        splits.tune.filter((row) => choosing.has(row.row)),
        target,
        choosing,
      ),
    );
    const outOfFold = fittedRows(rows, target, folds);
    const certifying = job.data.validation ? validationRows(scoredRowsOf(splits.validation, target, plain)) : outOfFold;
    const wanted = job.confidence.calibration;
    const choice = wanted === "auto" ? chooseCalibration(tune, job.seed) : null;
    const kind: CalibrationKind = choice?.kind ?? (wanted as CalibrationKind);
    const why = choice?.why ?? `${kind} stands in the project file.`;
    const calibrator = fitCalibrator(certifying, kind, why);
    const reported = reportedRows(job, rows, target, predictions, calibrator);
    return {
      target,
      calibrator,
      why,
      tune,
      certifying,
      reported,
      pool: calibrate(poolRows(scoredRowsOf(predicted(splits.pool), target, plain)), calibrator),
    };
  });

  const reports = targets.map(({ reported }) => (reported ? reportTarget(reported, { seed: job.seed }) : null));
  const sets = targets.map(({ reported }) => reported);
  const joint = sets.every((set) => set !== null) ? reportJoint(rowsInCommon(sets)) : null;
  const scope = job.confidence.accept.scope;
  const groups = scope === "row" ? [targets] : targets.map((target) => [target]);
  const drift = poolDrift(job, rows, targets);
  const decided = groups.map((group) => decide(job, model, group, uses, rows, drift));
  const predictionSets = new Map(decided.flatMap((each) => [...each.sets]));
  return {
    report: {
      engine: model.spec.engine,
      artifact: model.artifact?.job ?? null,
      targets: Object.fromEntries(
        targets.map(({ target, calibrator, why }, i) => [
          target.name,
          {
            labels: target.labels.map((label) => label.name),
            calibrator,
            calibration_why: why,
            report: reports[i]!,
            ...(predictionSets.has(target.name) ? { sets: predictionSets.get(target.name)! } : {}),
          },
        ]),
      ),
      joint,
      accept: decided.map(({ decision }) => decision),
      ...(drift ? { drift } : {}),
      ...figures,
      ...notesOf(job, model, predictions.plain, drift),
    },
    reported: new Map(targets.flatMap(({ target, reported }) => (reported ? [[target.name, reported] as const] : []))),
  };
}

const size = (set: RowSet<Role>): number => set.rows.n;

/** Rule, measurement and thresholds for targets that are decided together. */
function decide(
  job: Job,
  model: JobModel,
  group: readonly AssessedTarget[],
  uses: number,
  rows: readonly JobRow[],
  drift: Drift | null,
): { decision: AcceptDecision; sets: Map<string, PredictionSets> } {
  const { accept, price: prices } = job.confidence;
  const scope = accept.scope;
  const names = group.map(({ target }) => target.name);
  const never = group.map(({ target }) => ({ target: target.name, labels: target.never ?? [] }));
  const labelRisks: LabelRisk[] = group.flatMap(({ target }) =>
    Object.entries(target.risk ?? {}).map(([label, risk]) => ({ target: target.name, label, risk })),
  );
  const by = accept.threshold === undefined ? "score" : "confidence";
  const of = <R extends Role>(
    pick: (assessed: AssessedTarget) => RowSet<R>,
    kind: "score" | "confidence" = by,
  ): AcceptRows<R> => {
    const sets = rowsInCommon(group.map(pick));
    return acceptRows(
      scope,
      group.map(({ target }, i) => ({ target: target.name, set: sets[i]!, never: target.never ?? [] })),
      { by: kind, labelRisks: by === "score" ? labelRisks : [] },
    );
  };

  const calibrated = (assessed: AssessedTarget) =>
    calibrate(assessed.certifying, assessed.calibrator) as RowSet<"validation" | "out-of-fold">;
  const reported = group.every((assessed) => assessed.reported !== null);
  const pooled = group.every((assessed) => size(assessed.pool) > 0);
  const pool = of((assessed) => assessed.pool);
  let rule: Certificate | ThresholdRule | null = null;
  let why: string;
  if (accept.threshold !== undefined) {
    rule = thresholdRule(of(calibrated), accept.threshold);
    why = rule.why;
  } else if (group.some(({ certifying }) => size(certifying) === 0)) {
    why = "Nothing is accepted: there are no validation rows and no out-of-fold probabilities to certify on.";
  } else {
    let grid: AcceptGrid | null = null;
    const tune = of((assessed) => assessed.tune);
    if (tune.n > 0) grid = acceptGrid(tune);
    else if (pool.n > 0) grid = acceptGrid(pool);
    if (grid === null) {
      why = rows.some(({ split }) => split === "tune")
        ? "Nothing is accepted: thresholds are chosen on tune rows, else on rows of the pool, and not one of either has a prediction."
        : "Nothing is accepted: there are no tune rows to choose thresholds on. Give `split.tune` a share of train.";
    } else {
      const certifying = of<"validation" | "out-of-fold">((assessed) => assessed.certifying);
      rule = certify(
        certifying as AcceptRows<"validation"> | AcceptRows<"out-of-fold">,
        grid,
        { risk: accept.risk ?? 0.05, certainty: accept.certainty ?? 0.95 },
        {
          population: populationOf(job, model),
          date: job.created,
          uses,
          voidBecause: voidReasons(job, drift),
          ...fingerprintOf(model),
          dataFingerprint: job.data.fingerprint,
          ...(job.data.grouped ? { groups: groupNumbers(certifying, rows) } : {}),
          seed: job.seed,
          never,
        },
      );
      why = rule.why;
    }
  }

  const thresholds = rule === null ? null : thresholdsOf(rule, labelRisks.length + 1);
  const inPool = rule === null || isVoidInPool(rule, drift ?? undefined) ? null : thresholds;
  const flags = pooled ? flagRows({ rows: pool, rule: inPool, never }) : null;
  const measuredRows = reported
    ? (of((assessed) => assessed.reported!) as AcceptRows<"test"> | AcceptRows<"cross-fitted">)
    : null;
  const byConfidence = reported
    ? (of((assessed) => assessed.reported!, "confidence") as AcceptRows<"test"> | AcceptRows<"cross-fitted">)
    : null;
  const measured = measuredRows && thresholds ? reportAccept(measuredRows, thresholds) : null;

  const certified = group.every(({ certifying }) => size(certifying) > 0);
  const cost =
    prices && certified
      ? costOf(
          of(calibrated, "confidence") as AcceptRows<"validation"> | AcceptRows<"out-of-fold">,
          byConfidence,
          prices,
          rule && measured && { rule, measured },
        )
      : undefined;
  const sets = new Map<string, PredictionSets>();
  if (certified) {
    const flagged = (rowsAt: AcceptRows<Role>) => {
      const { accepted } = flagRows({ rows: rowsAt, rule: thresholds, never });
      return accepted.map((is) => 1 - is);
    };
    const certifyingSets = rowsInCommon(group.map(({ certifying }) => certifying));
    const reportedSets = reported ? rowsInCommon(group.map((assessed) => assessed.reported!)) : null;
    const wait = flagged(of(calibrated));
    const reportedWait = measuredRows && flagged(measuredRows);
    const { method, coverage } = job.confidence.sets;
    for (const [t, { target }] of group.entries()) {
      const setRule = calibratePredictionSets(certifyingSets[t]!, wait, method, coverage);
      const found = reportedSets && reportedWait && measurePredictionSets(setRule, reportedSets[t]!, reportedWait);
      sets.set(target.name, { rule: setRule, measured: found });
    }
  }
  return {
    decision: {
      targets: names,
      rule,
      why,
      measured,
      thresholds: byConfidence ? thresholdsTable(byConfidence, { prices }) : [],
      pool: flags ? { rows: pool.n, accepted: flags.acceptedCount, flagged: pool.n - flags.acceptedCount } : null,
      ...(cost ? { cost } : {}),
      details: acceptDetails({ rule, cost }, sets),
    },
    sets,
  };
}

/** Why nothing may be certified, whatever the rows say. */
function voidReasons(job: Job, drift: Drift | null): string[] {
  const drifted = driftReason(drift);
  return [
    ...(job.data.sampling.applied === "all"
      ? ["sampling is applied to validation and test too, so they are not like the rows to come"]
      : []),
    ...(drifted ? [drifted] : []),
  ];
}

/** The threshold of least cost, and what it and the rule in force would have cost on the reported rows. */
function costOf(
  certifying: AcceptRows<"validation"> | AcceptRows<"out-of-fold">,
  reported: AcceptRows<"test"> | AcceptRows<"cross-fitted"> | null,
  prices: Prices,
  inForce: { rule: Certificate | ThresholdRule; measured: NonNullable<AcceptDecision["measured"]> } | null,
): Cost {
  const optimum = costOptimalThreshold(certifying, prices);
  if (reported === null) return { ...optimum, reported: null };
  const at = (threshold: number): CostLine => {
    const { rows, accepted, errors } = thresholdRule(reported, threshold);
    return costLine(prices, threshold, rows, accepted, errors);
  };
  let rule: CostLine | null = null;
  if (inForce !== null) {
    const { n, accepted, errors } = inForce.measured;
    const { rule: of } = inForce;
    rule = costLine(prices, "parts" in of ? (of.parts[0]!.threshold ?? NOTHING) : of.threshold, n, accepted, errors);
  }
  return {
    ...optimum,
    reported: { calibrated: at(optimum.calibrated.threshold), rule, reviewAll: at(NOTHING), acceptAll: at(0) },
  };
}

function populationOf(job: Job, model: JobModel): string {
  const rows = `rows like those of ${job.project.name}`;
  if (model.spec.engine !== "predictions") return rows;
  return `${rows}, if none of them was among the rows that "${model.name}" was trained on: nothing is known of those`;
}

/** What the certificate depends on: the artifact, or the file of predictions. */
function fingerprintOf({ artifact, source, identity }: JobModel): { modelFingerprint?: string } {
  const fingerprint = artifact?.job ?? source?.sha256 ?? identity;
  return fingerprint === undefined ? {} : { modelFingerprint: fingerprint };
}

/** A number for each row's group; rows without one are groups of their own. */
function groupNumbers(rows: AcceptRows<Role>, jobRows: readonly JobRow[]): Int32Array {
  const groupOf = new Map(jobRows.map((row) => [row.row, row.group]));
  const numbers = new Map<string, number>();
  return Int32Array.from(rows.sets[0]!.rows.ids ?? [], (id, i) => {
    const group = groupOf.get(id);
    if (group === undefined) return -i - 1;
    if (!numbers.has(group)) numbers.set(group, numbers.size);
    return numbers.get(group)!;
  });
}
