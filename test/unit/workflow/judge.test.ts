import assert from "node:assert/strict";
import type { JobTarget } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { ModelReport } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { judgeRows } from "../../../server/src/workflow/judge.ts";

const target: JobTarget = {
  name: "part",
  column: "part",
  labels: [{ name: "Arm" }, { name: "Leg" }, { name: "Head" }],
};
const row: JobRow = { row: "a", split: "pool", inputs: { text: "fell" }, labels: { part: null } };

/** A report whose calibrator trusts no answer: every confidence is 0.1. */
const doubting = {
  targets: {
    part: {
      labels: ["Arm", "Leg", "Head"],
      calibrator: { map: { kind: "histogram", edges: [], values: [0.1] }, fittedOn: "validation", rows: 1000, why: "" },
      calibration_why: "",
      report: null,
    },
  },
  accept: [{ targets: ["part"], rule: null, why: "", measured: null, thresholds: [], pool: null }],
} as unknown as ModelReport;

describe("judging rows", () => {
  it("shows the predicted label first, also where the calibrator puts another above it", () => {
    const prediction: Prediction = {
      row: "a",
      target: "part",
      model: "m",
      split: "pool",
      label: "Leg",
      score: 0.5,
      top: [
        ["Leg", 0.5],
        ["Head", 0.3],
        ["Arm", 0.2],
      ],
      rest: 0,
    };
    const predictions = new Map([["part", new Map([["a", prediction]])]]);
    const judged = judgeRows("pool", [row], predictions, { model: doubting, targets: [target] })[0]![0]!;
    assert.equal(judged.label, "Leg");
    assert.deepEqual(
      judged.top.map(([label]) => label),
      ["Leg", "Head", "Arm"],
    );
    assert.ok(Math.abs(judged.confidence - 0.1) < 1e-9);
    assert.ok(judged.top[1]![1] > judged.top[0]![1]);
  });
});
