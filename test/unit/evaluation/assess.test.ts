import assert from "node:assert/strict";
import type { Job } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import { Confidence, Model } from "../../../schemas/project.ts";
import type { Report } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { assessModel } from "../../../server/src/evaluation/assess.ts";
import { verdictOf } from "../../../server/src/evaluation/verdict.ts";
import { madeJob, madeTarget } from "../made-job.ts";

const LABELS = ["x", "y"];
const model = { name: "m", spec: Model.parse({ engine: "linear" }), training_spec: "" };

/** A job without validation and test rows: its out-of-fold predictions calibrate, certify and are reported. */
const job = madeJob({
  models: [model],
  task: { inputs: [{ column: "text", name: "text" }], targets: [madeTarget("label", LABELS)] },
  data: { validation: false },
  confidence: Confidence.parse({ calibration: "temperature", accept: { risk: 0.2, certainty: 0.9 } }),
});

/** 100 train and tune rows; the model says x of all, and every fifth is y. */
const rows = Array.from({ length: 100 }, (_, i): JobRow => {
  const label = i % 5 === 0 ? "y" : "x";
  return { row: `${i}`, split: i % 10 < 2 ? "tune" : "train", inputs: { text: `${i}` }, labels: { label } };
});

function assess(rows: readonly JobRow[]) {
  const outOfFold = new Map(
    rows.map(({ row, split }, i): [string, Prediction] => {
      const score = 0.6 + 0.3 * ((i % 7) / 7);
      const top: Prediction["top"] = [
        ["x", score],
        ["y", 1 - score],
      ];
      return [row, { row, target: "label", model: "m", split, fold: i % 5, label: "x", score, top, rest: 0 }];
    }),
  );
  const figures = { seconds: 0, predictions: rows.length, tokens: null, cost: null };
  const predictions = { plain: new Map(), outOfFold: new Map([["label", outOfFold]]) };
  return assessModel(job, model, rows, predictions, figures, 1).report;
}

describe("figures from out-of-fold predictions", () => {
  const before = assess(rows).targets.label!;

  it("are against the labels of the file, whatever people decided since", () => {
    assert.equal(before.report!.averages.accuracy.value, 0.8);
    // The rows whose label and prediction disagree are looked at, and the prediction is found right.
    const decided = rows.map(
      (row, i): JobRow =>
        i % 5 === 0 ? { ...row, labels: { label: "x" }, given: { label: "y" }, decision: "d" } : row,
    );
    const after = assess(decided).targets.label!;
    assert.deepEqual(after.report!.averages.accuracy, before.report!.averages.accuracy);
    assert.deepEqual(after.calibrator, before.calibrator);
  });

  it("leave out the rows that joined from the pool", () => {
    const joined = Array.from({ length: 50 }, (_, i): JobRow => {
      return { row: `p${i}`, split: "train", inputs: { text: "" }, labels: { label: "y" }, joined: true };
    });
    const after = assess([...rows, ...joined]);
    assert.deepEqual(after.targets.label!.report!.averages.accuracy, before.report!.averages.accuracy);
    assert.equal(after.targets.label!.calibrator.rows, 100);
  });
});

describe("targets that are decided together", () => {
  const NAMES = ["a", "b"];
  const both: Job = {
    ...job,
    task: { ...job.task, targets: NAMES.map((name) => ({ ...job.task.targets[0]!, name })) },
  };

  /** Row i has a label of target t where `has(i, t)`; predictions are of labelled rows, as those of engine linear. */
  function assessBoth(has: (i: number, t: number) => boolean) {
    const labelled = rows.map((row, i): JobRow => {
      return { ...row, labels: { a: has(i, 0) ? row.labels.label! : null, b: has(i, 1) ? row.labels.label! : null } };
    });
    const outOfFold = new Map(
      NAMES.map((target, t) => {
        const of = labelled.flatMap(({ row, split }, i): [string, Prediction][] => {
          const score = 0.6 + 0.3 * ((i % 7) / 7);
          const top: Prediction["top"] = [
            ["x", score],
            ["y", 1 - score],
          ];
          return has(i, t)
            ? [[row, { row, target, model: "m", split, fold: i % 5, label: "x", score, top, rest: 0 }]]
            : [];
        });
        return [target, new Map(of)] as const;
      }),
    );
    const figures = { seconds: 0, predictions: 0, tokens: null, cost: null };
    return assessModel(both, model, labelled, { plain: new Map(), outOfFold }, figures, 1).report;
  }

  it("are judged on the rows that have a label of each, where some have one alone", () => {
    const report = assessBoth((i, t) => i % 4 !== t);
    assert.equal(report.joint!.n, 50);
    const [decision] = report.accept;
    assert.deepEqual(decision!.targets, NAMES);
    assert.equal(decision!.measured!.n, 50);
    assert.equal(report.targets.a!.report!.n, 75);
  });

  it("accept nothing where no row has a label of each", () => {
    const report = assessBoth((i, t) => i % 2 === t);
    assert.equal(report.joint!.jointAccuracy, null);
    assert.equal(report.accept[0]!.rule?.certified ?? false, false);
    assert.match(report.accept[0]!.why, /^(Nothing is accepted|Not certified)/);
  });
});

describe("the verdict", () => {
  it("says why there are no figures without test rows", () => {
    const { targets, ...rest } = assess(rows);
    const m = { ...rest, targets: { label: { ...targets.label!, report: null } } };
    const [first] = verdictOf({ comparisons: [], changes: [], models: { m } } as unknown as Report);
    assert.match(first!, /^There are no test rows/);
    const sound = verdictOf({ comparisons: [], changes: [], models: { m: { ...rest, targets } } } as unknown as Report);
    assert.ok(!sound.some((sentence) => sentence.includes("no test rows")));
  });
});
