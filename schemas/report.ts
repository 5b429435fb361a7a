/**
 * `report.json` of an evaluation or comparison: every figure that is shown, and everything that is needed to turn a
 * prediction's score into a confidence and a decision. Meanings stand at the result types of server/src/confidence and
 * server/src/evaluation, which produce these objects as they are.
 */
import * as z from "zod";
import { SplitName } from "./rows.ts";

const share = z.number();
export const Interval = z.strictObject({ low: z.number(), high: z.number() });
/** A figure with its 95 % interval. */
export const Measure = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
export type Measure = z.output<typeof Measure>;

/** Test figures of the rows with one value of a column. */
export const Slice = z.strictObject({
  /** Null gathers the values beyond the most frequent ones. */
  value: z.string().nullable(),
  n: z.int().min(0),
  accuracy: Measure,
  meanConfidence: share,
  /** Mean confidence less accuracy: above 0 is overconfident. */
  overconfidence: z.number(),
  coverage: share.nullable(),
  /** Wrong ones among the accepted. */
  acceptedErrorRate: Measure.nullable(),
  /** Where the accuracy's interval lies wholly below or above that of all rows. */
  stands: z.enum(["below", "above"]).nullable(),
});
export type Slice = z.output<typeof Slice>;

export const CalibrationMap = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("temperature"), temperature: z.number().positive() }),
  z.strictObject({ kind: z.literal("platt"), a: z.number(), b: z.number() }),
  z.strictObject({ kind: z.literal("histogram"), edges: z.array(z.number()), values: z.array(z.number()) }),
  z.strictObject({ kind: z.literal("isotonic"), x: z.array(z.number()), y: z.array(z.number()) }),
]);

export const Calibrator = z.strictObject({
  map: CalibrationMap,
  fittedOn: z.enum(["validation", "out-of-fold"]),
  rows: z.int(),
  why: z.string(),
});

const ReliabilityBin = z.strictObject({
  low: z.number(),
  high: z.number(),
  count: z.number(),
  confidence: z.number().nullable(),
  accuracy: z.number().nullable(),
});

const CalibrationReport = z.strictObject({
  kind: z.enum(["width", "mass"]),
  convention: z.enum(["(lo,hi]", "[lo,hi)"]),
  bins: z.array(ReliabilityBin),
  n: z.int(),
  ece: z.number(),
  interval: Interval.nullable(),
  mce: z.number(),
  band: z.strictObject({ mean: z.number(), high: z.number(), mceMean: z.number(), mceHigh: z.number() }).nullable(),
});

export const TargetReport = z.strictObject({
  rows: z.enum(["test", "cross-fitted"]),
  calibrated: z.boolean(),
  n: z.int(),
  unlabelled: z.int(),
  answered: z.int(),
  failed: z.int(),
  unparsed: z.int(),
  outOfList: z.int(),
  averages: z.strictObject({
    accuracy: Measure,
    balancedAccuracy: Measure,
    macroPrecision: Measure,
    macroRecall: Measure,
    macroF1: Measure,
    weightedPrecision: Measure,
    weightedRecall: Measure,
    weightedF1: Measure,
    mcc: Measure,
  }),
  labelsSeen: z.int(),
  logLoss: Measure.nullable(),
  brier: Measure.nullable(),
  confidenceBrier: Measure.nullable(),
  meanConfidence: z.number().nullable(),
  calibration: CalibrationReport,
  calibrationEqualMass: CalibrationReport,
  auroc: Measure.nullable(),
  aurc: Measure,
  excessAurc: Measure,
  coverageAtRisk: z.array(
    z.strictObject({
      risk: share,
      coverage: share,
      threshold: z.number().nullable(),
      low: z.number(),
      high: z.number(),
    }),
  ),
  labels: z.array(
    z.strictObject({
      label: z.string(),
      support: z.number(),
      predicted: z.number(),
      precision: Measure.nullable(),
      recall: Measure.nullable(),
      f1: Measure.nullable(),
    }),
  ),
  confusions: z.array(
    z.strictObject({ given: z.string(), predicted: z.string().nullable(), count: z.number(), share }),
  ),
});
export type TargetReport = z.output<typeof TargetReport>;

/** Right answers among `rows` test rows after training on `trained` rows that have a label of the target. */
export const LearningPoint = z.strictObject({ trained: z.int(), right: z.int(), rows: z.int() });
export type LearningPoint = z.output<typeof LearningPoint>;

/** Accuracy against training rows, error fitted as floor + scale × n^−decay; what more rows would give is an extrapolation. */
export const LearningCurve = z.strictObject({
  points: z.array(LearningPoint.extend({ accuracy: share, fitted: z.number() })),
  floor: z.number(),
  scale: z.number(),
  decay: z.number(),
  forecasts: z.array(Measure.extend({ trained: z.number() })),
  gainOfDoubling: Measure,
});
export type LearningCurve = z.output<typeof LearningCurve>;

const LabelRisk = z.strictObject({ target: z.string(), label: z.string(), risk: share });
const AcceptScope = z.enum(["row", "target"]);
const ScoreKind = z.enum(["score", "confidence"]);

const RowsNeeded = z.discriminatedUnion("answer", [
  z.strictObject({ answer: z.literal("rows"), total: z.int(), more: z.int() }),
  z.strictObject({ answer: z.literal("never"), sure: z.boolean() }),
]);

export const Certificate = z.strictObject({
  certified: z.boolean(),
  why: z.string(),
  scope: AcceptScope,
  targets: z.array(z.string()),
  risk: share,
  certainty: share,
  by: ScoreKind,
  parts: z.array(
    z.strictObject({
      label: LabelRisk.nullable(),
      risk: share,
      certainty: share,
      threshold: z.number().nullable(),
      rows: z.int(),
      accepted: z.int(),
      errors: z.int(),
      coverage: share,
      coverageInterval: Interval,
      bound: share,
      sequences: z.array(
        z.strictObject({
          start: share,
          passed: z.int(),
          failed: z
            .strictObject({ threshold: z.number(), accepted: z.int(), errors: z.int(), bound: share })
            .nullable(),
        }),
      ),
      rowsNeeded: RowsNeeded.nullable(),
    }),
  ),
  never: z.array(z.strictObject({ target: z.string(), labels: z.array(z.string()) })),
  accepted: z.int(),
  coverage: share,
  coverageInterval: Interval,
  population: z.string(),
  labelSource: z.string(),
  basis: z.enum(["validation", "out-of-fold"]),
  rows: z.int(),
  unlabelled: z.int(),
  sameGroup: z.int(),
  grid: z.strictObject({ madeFrom: z.enum(["tune", "pool"]), rows: z.int() }),
  uses: z.int(),
  date: z.string(),
  modelFingerprint: z.string().nullable(),
  dataFingerprint: z.string().nullable(),
});
export type Certificate = z.output<typeof Certificate>;

export const ThresholdRule = z.strictObject({
  certified: z.literal(false),
  why: z.string(),
  scope: AcceptScope,
  targets: z.array(z.string()),
  by: ScoreKind,
  threshold: z.number(),
  rows: z.int(),
  accepted: z.int(),
  errors: z.int(),
  coverage: share,
  coverageInterval: Interval,
  errorRate: z.number().nullable(),
  errorInterval: Interval,
  bound: share,
});

/** What an accept rule does on the reported rows. */
const AcceptReport = z.strictObject({
  n: z.int(),
  accepted: z.int(),
  errors: z.int(),
  coverage: Measure.nullable(),
  errorRate: Measure.nullable(),
  errorBound: share,
  reviewShare: z.number().nullable(),
});

const NoiseShare = Measure.extend({ n: z.int() });
/** What blind re-labelling of random validation rows says of the given labels, and of the risk against the new ones. */
export const LabelNoise = z.strictObject({
  judged: z.int(),
  skipped: z.int(),
  noise: NoiseShare.nullable(),
  noiseAccepted: NoiseShare.nullable(),
  riskAgainstGiven: NoiseShare.nullable(),
  riskAgainstJudged: NoiseShare.nullable(),
  riskAgainstJudgedBound: share,
});

const CostLine = z.strictObject({ threshold: z.number(), coverage: share, errors: z.int(), costPerRow: z.number() });
export type CostLine = z.output<typeof CostLine>;
/** The threshold of least cost, with `confidence.price`: on the certifying rows, and what it would have cost on the test rows. */
export const Cost = z.strictObject({
  n: z.int(),
  prices: z.strictObject({ error: z.number(), review: z.number() }),
  calibrated: CostLine,
  measured: CostLine,
  reviewAll: CostLine,
  acceptAll: CostLine,
  /** On the rows that are reported: the calibrated threshold, the rule in force (null without one), and the two extremes. */
  reported: z
    .strictObject({ calibrated: CostLine, rule: CostLine.nullable(), reviewAll: CostLine, acceptAll: CostLine })
    .nullable(),
});
export type Cost = z.output<typeof Cost>;

/** Split conformal prediction sets for flagged rows, and what they did on flagged rows that are reported. */
export const PredictionSets = z.strictObject({
  rule: z.strictObject({
    method: z.enum(["lac", "aps"]),
    coverage: share,
    quantile: z.number().nullable(),
    rows: z.int(),
    fittedOn: z.enum(["validation", "out-of-fold"]),
  }),
  measured: z
    .strictObject({
      n: z.int(),
      covered: z.int(),
      coverage: Measure.nullable(),
      meanSize: z.number().nullable(),
      sizes: z.array(z.int()),
    })
    .nullable(),
});
export type PredictionSets = z.output<typeof PredictionSets>;

/** The pool against the rows that certify. */
export const Drift = z.strictObject({
  reference: z.int(),
  current: z.int(),
  /** Rows that reviews have taken out of the pool: so much more must the answers of the rest have moved. */
  reviewed: z.int(),
  /** What the model says of the pool moved: its certificates do not hold there. */
  voids: z.boolean(),
  tests: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(["ks", "labels"]),
      distance: share,
      p: share,
      drifted: z.boolean(),
      moved: z.array(z.strictObject({ label: z.string(), change: z.number() })),
      /** Null: of the inputs. */
      target: z.string().nullable(),
    }),
  ),
});
export type Drift = z.output<typeof Drift>;

/** One accept decision: of whole rows (one entry) or of each target (an entry a target). */
export const AcceptDecision = z.strictObject({
  /** The targets that are decided together. */
  targets: z.array(z.string()),
  rule: z.union([Certificate, ThresholdRule]).nullable(),
  /** Why there is no rule. */
  why: z.string(),
  measured: AcceptReport.nullable(),
  thresholds: z.array(
    z.strictObject({
      threshold: z.number(),
      accepted: z.int(),
      coverage: Measure,
      accuracy: Measure.nullable(),
      errors: z.int(),
      expectedErrors: z.number().nullable(),
      errorBound: share,
      reviewShare: share,
      /** Errors and reviews at `confidence.price`; absent without prices. */
      costPerRow: z.number().optional(),
    }),
  ),
  /** On the rows without labels, when they were predicted. */
  pool: z.strictObject({ rows: z.int(), accepted: z.int(), flagged: z.int() }).nullable(),
  /** With `confidence.price`. */
  cost: Cost.optional(),
  /** In sentences: parts of the rule, labels never accepted, the threshold of least cost, prediction sets. */
  details: z.array(z.string()).optional(),
  /** Beside the certificate once validation rows have been labelled again; not in the file, for it follows the decisions. */
  labelNoise: LabelNoise.optional(),
});
export type AcceptDecision = z.output<typeof AcceptDecision>;

const LabelChange = z.strictObject({
  label: z.string(),
  support: z.number(),
  recallA: share,
  recallB: share,
  gained: z.number(),
  lost: z.number(),
  mcnemar: share,
});

export const PairComparison = z.strictObject({
  n: z.int(),
  accuracyA: share,
  accuracyB: share,
  both: z.int(),
  onlyA: z.int(),
  onlyB: z.int(),
  neither: z.int(),
  difference: Measure,
  differenceAnalytic: Measure,
  mcnemar: share,
  mcnemarHolm: share,
  macroF1Difference: Measure,
  logLossDifference: Measure.nullable(),
  labels: z.array(LabelChange),
});
export type PairComparison = z.output<typeof PairComparison>;

export const ModelReport = z.strictObject({
  engine: z.string(),
  /** The fine-tune job whose artifact was evaluated. */
  artifact: z.string().nullable(),
  targets: z.record(
    z.string(),
    z.strictObject({
      labels: z.array(z.string()),
      calibrator: Calibrator,
      /** Why this kind of calibration. */
      calibration_why: z.string(),
      /** Null when there is no row to report from. */
      report: TargetReport.nullable(),
      /** Only where it was asked for, of engine `linear`. */
      curve: LearningCurve.optional(),
      /** Absent when there was nothing to calibrate them on. */
      sets: PredictionSets.optional(),
    }),
  ),
  joint: z.strictObject({ targets: z.int(), n: z.int(), jointAccuracy: Measure.nullable() }).nullable(),
  accept: z.array(AcceptDecision),
  /** Absent without a pool. */
  drift: Drift.optional(),
  /** Seconds of the prediction run, and rows a second. */
  seconds: z.number(),
  predictions: z.int(),
  tokens: z.strictObject({ prompt: z.int(), completion: z.int() }).nullable(),
  /** Dollars, where a price is known. */
  cost: z.number().nullable(),
  /** Engines that ask an endpoint: of the answered calls. */
  calls: z
    .strictObject({
      /** Rows asked. */
      rows: z.int(),
      /** Seconds a row: median and 95th percentile. */
      latency: z.strictObject({ median: z.number(), p95: z.number() }).nullable(),
      /** Dollars a row. */
      cost_per_row: z.number().nullable(),
      /** Where the price is from. */
      price_from: z.string().nullable(),
      /** By kind: refused, unparsed, out-of-list, truncated, failed. */
      problems: z.record(z.string(), z.int()),
    })
    .optional(),
  /** Engine `cascade`: what each stage decided, in order. */
  stages: z
    .array(
      z.strictObject({
        name: z.string(),
        /** Rows that it saw, and rows whose answer is its own. */
        seen: z.int(),
        decided: z.int(),
        cost: z.number().nullable(),
        /** What it would have cost to ask it for every row, at its price a row. */
        cost_alone: z.number().nullable(),
      }),
    )
    .optional(),
  /** What the figures cannot say of themselves, in sentences: of another system's predictions. */
  notes: z.array(z.string()).optional(),
});
export type ModelReport = z.output<typeof ModelReport>;

/** Model `a` (the more accurate) against `b` on one target, or on all targets jointly (`target: null`). */
export const Comparison = z.strictObject({
  a: z.string(),
  b: z.string(),
  target: z.string().nullable(),
  pair: PairComparison,
});
export type Comparison = z.output<typeof Comparison>;

/** This evaluation against the one before of the same model, on the test rows both have. */
export const Change = z.strictObject({
  model: z.string(),
  previous: z.string(),
  previous_date: z.string(),
  decisions_before: z.int(),
  decisions_now: z.int(),
  targets: z.record(z.string(), PairComparison),
  accepted_before: z.number().nullable(),
  accepted_now: z.number().nullable(),
});
export type Change = z.output<typeof Change>;

export const Report = z.strictObject({
  contract: z.literal(1),
  job: z.string(),
  kind: z.enum(["evaluate", "compare"]),
  project: z.string(),
  date: z.string(),
  rows: z.partialRecord(SplitName, z.int()),
  decisions: z.int(),
  data: z.string(),
  seed: z.int(),
  versions: z.record(z.string(), z.string()),
  /** In the order of importance: what a person should read first. */
  verdict: z.array(z.string()),
  models: z.record(z.string(), ModelReport),
  comparisons: z.array(Comparison),
  changes: z.array(Change),
});
export type Report = z.output<typeof Report>;

/** One round against an earlier one of the same model, on the test rows both have with the same labels. */
export const RoundsChange = z.strictObject({
  /** The earlier evaluation. */
  since: z.string(),
  /** Rows decided between the two. */
  decisions: z.int(),
  /** Accuracy now − then, with the rows that became right and wrong, and exact McNemar. */
  targets: z.record(
    z.string(),
    z.strictObject({ n: z.int(), difference: Measure, mcnemar: share, gained: z.int(), lost: z.int() }),
  ),
  /** Accepted share now − then. */
  coverage: z.strictObject({ n: z.int(), difference: Measure }).nullable(),
});
export type RoundsChange = z.output<typeof RoundsChange>;

/** A fine-tune with its newest evaluation. */
export const Round = z.strictObject({
  job: z.string(),
  date: z.string(),
  /** Rows with a decision that took part, and rows trained on. */
  decisions: z.int(),
  trained: z.int(),
  /** By target name, on that evaluation's own test rows. */
  targets: z.record(z.string(), z.strictObject({ n: z.int(), accuracy: Measure })),
  /** Accepted share of the test rows. */
  coverage: Measure.nullable(),
  certified: z.boolean(),
  /** Models and rounds that shared the validation rows then, and the certainty that all of them have together. */
  uses: z.int().nullable(),
  certainty: share.nullable(),
  /** Null for the first, and where predictions are gone. */
  change: RoundsChange.nullable(),
});
export type Round = z.output<typeof Round>;

/** What review bought, round by round: oldest first. */
export const Rounds = z.strictObject({
  model: z.string(),
  rounds: z.array(Round),
  /** The last against the first. */
  total: RoundsChange.nullable(),
  /** In sentences: from first to last, what a hundred decided rows bought, how often the validation rows have certified. */
  words: z.array(z.string()),
});
export type Rounds = z.output<typeof Rounds>;
