import assert from "node:assert/strict";
import type { JobTarget } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import type { ModelReport } from "../../../schemas/report.ts";
import type { JobRow } from "../../../schemas/rows.ts";
import { judgeManyRows, judgeRows } from "../../../server/src/workflow/judge.ts";

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

  it("says of many rows what it says of each", async () => {
    const labels = Array.from({ length: 30 }, (_, k) => ({ name: `label ${k}` }));
    const many: JobTarget = { name: "part", column: "part", labels };
    const rows = Array.from({ length: 250 }, (_, i): JobRow => ({ ...row, row: `row ${i}` }));
    const predictions = new Map(
      rows.map(({ row: id }, i): [string, Prediction] => {
        // Several labels are equally likely: the first of them comes first.
        const all = labels.map((_, k) => 1 + ((k * 7 + i) % 11));
        const sum = all.reduce((a, b) => a + b, 0);
        const likely = all.map((weight) => weight / sum);
        const best = likely.indexOf(Math.max(...likely));
        const at = { row: id, target: "part", model: "m", split: "pool" } as const;
        return [id, { ...at, label: labels[best]!.name, score: likely[best]!, top: [], rest: 0, all: likely }];
      }),
    );
    const by = new Map([["part", predictions]]);
    const rules = { model: doubting, targets: [many] };
    const judged = await judgeManyRows("pool", rows, by, rules);
    assert.equal(judged.length, rows.length);
    assert.deepEqual(
      judged,
      rows.map((each) => judgeRows("pool", [each], by, rules)[0]),
    );
    const { all = [] } = predictions.get("row 3")!;
    const order = labels.map(({ name }, k) => ({ name, likely: all[k]! })).sort((a, b) => b.likely - a.likely);
    assert.deepEqual(
      judged[3]![0]!.top.map(([label]) => label),
      order.slice(0, 10).map(({ name }) => name),
    );
  });
});
