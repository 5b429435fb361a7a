import assert from "node:assert/strict";
import { acceptGrid, acceptRows, certify } from "../../../server/src/confidence/acceptRule.ts";
import { calibrate, chooseCalibration, crossFit, fitCalibrator } from "../../../server/src/confidence/calibrate.ts";
import {
  outOfFoldRows,
  poolRows,
  RowUseError,
  rowsFor,
  testRows,
  tuneRows,
  validationRows,
} from "../../../server/src/confidence/roles.ts";
import { scoredRows, takeRows } from "../../../server/src/confidence/scoredRows.ts";
import { comparePair } from "../../../server/src/evaluation/compare.ts";
import { reportTarget } from "../../../server/src/evaluation/metrics.ts";
import { madeRows } from "./madeRows.ts";

describe("who may read which rows", () => {
  const validation = validationRows(madeRows(200, 1));
  const test = testRows(madeRows(200, 2, { split: "test" }));
  const tune = tuneRows(madeRows(200, 3, { split: "tune" }));
  const outOfFold = outOfFoldRows(madeRows(200, 4, { split: "train", seen: "out-of-fold" }));

  it("is proven row by row, and the message names the row", () => {
    assert.throws(
      () => validationRows(madeRows(3, 1, { split: "test" })),
      /Row r0 cannot be used as a validation row: it belongs to test/,
    );
    assert.throws(() => testRows(madeRows(3, 1)), RowUseError);
    assert.throws(() => tuneRows(madeRows(3, 1, { split: "tune", seen: "trained-on" })), /trained on it/);
    assert.throws(() => outOfFoldRows(madeRows(3, 1, { split: "train" })), /Row r0/);
    assert.throws(() => testRows(madeRows(3, 1, { split: "test", seen: "trained-on" })), RowUseError);
    assert.throws(() => poolRows(madeRows(3, 1, { ids: false })), /Row number 0/);
  });

  it("lets a calibrator or certificate come from validation or out-of-fold rows alone", () => {
    fitCalibrator(validation, "temperature");
    fitCalibrator(outOfFold, "temperature");
    // @ts-expect-error test rows must not calibrate
    assert.throws(() => fitCalibrator(test, "temperature"), RowUseError);
    // @ts-expect-error nor tune rows
    assert.throws(() => fitCalibrator(tune, "temperature"), RowUseError);
    const grid = acceptGrid(acceptRows("row", [{ target: "t", set: tune }]));
    const policy = { risk: 0.1, certainty: 0.9 };
    const context = { population: "made rows", date: "2026-11-22" };
    certify(acceptRows("row", [{ target: "t", set: validation }]), grid, policy, context);
    // @ts-expect-error test rows must not certify
    assert.throws(() => certify(acceptRows("row", [{ target: "t", set: test }]), grid, policy, context), RowUseError);
  });

  it("lets a report come from test or cross-fitted rows alone", () => {
    reportTarget(test);
    reportTarget(crossFit(outOfFold, "temperature"));
    // @ts-expect-error validation rows are not reported
    assert.throws(() => reportTarget(validation), RowUseError);
    // @ts-expect-error nor out-of-fold rows calibrated on themselves
    assert.throws(() => reportTarget(calibrate(outOfFold, fitCalibrator(outOfFold, "temperature"))), RowUseError);
    // @ts-expect-error nor compared
    assert.throws(() => comparePair(validation, test), RowUseError);
  });

  it("lets choices be made on tune rows alone", () => {
    chooseCalibration(tune);
    // @ts-expect-error validation rows choose nothing
    assert.throws(() => chooseCalibration(validation), RowUseError);
  });

  it("is not won by a cast", () => {
    const forged = { role: "test", rows: validation.rows } as unknown as typeof test;
    assert.throws(() => reportTarget(forged), /no proven role/);
  });

  it("picks the rows of a table that have the role", () => {
    const mixed = scoredRows(
      (["validation", "test", "test", "train"] as const).map((split, i) => ({
        id: `m${i}`,
        split,
        truth: 0,
        distribution: { labels: [0], probabilities: [1], rest: 0, restCount: 0 },
      })),
      { labels: ["only", "other"], keepDistributions: true },
    );
    assert.deepEqual(rowsFor("test", mixed).rows.ids, ["m1", "m2"]);
    assert.deepEqual(rowsFor("out-of-fold", mixed).rows.n, 0);
    assert.deepEqual(takeRows(mixed, [3, 0]).ids, ["m3", "m0"]);
  });

  it("refuses predictions that make no sense", () => {
    const labels = ["a", "b"];
    const row = { split: "test", truth: 0 } as const;
    const d = { labels: [0], probabilities: [0.5], rest: 0.5, restCount: 1 };
    assert.throws(() => scoredRows([{ ...row, truth: 5, distribution: d }], { labels }), /number 5/);
    assert.throws(() => scoredRows([{ ...row, distribution: { ...d, labels: [9] } }], { labels }), /Label number 9/);
    assert.throws(() => scoredRows([{ ...row, distribution: { ...d, rest: 0.1 } }], { labels }), /add up to 0.6/);
    assert.throws(
      () => scoredRows([{ ...row, distribution: { ...d, probabilities: [Number.NaN] } }], { labels }),
      /NaN/,
    );
    assert.throws(() => scoredRows([{ ...row, distribution: null }], { labels }), /exactly when it is answered/);
    assert.throws(() => scoredRows([{ ...row, status: "failed", distribution: d }], { labels }), /exactly when/);
  });
});
