import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { fullDistribution } from "../../../server/src/confidence/distribution.ts";
import { findLabelIssues, suspicionOrder } from "../../../server/src/confidence/labelIssues.ts";
import {
  calibratePredictionSets,
  measurePredictionSets,
  predictionSet,
} from "../../../server/src/confidence/predictionSets.ts";
import { seededPermutation, seededRandom } from "../../../server/src/confidence/random.ts";
import { outOfFoldRows, testRows, validationRows } from "../../../server/src/confidence/roles.ts";
import { scoredRows } from "../../../server/src/confidence/scoredRows.ts";
import { madeRows } from "./madeRows.ts";

const flaggedBelow = (rows: ReturnType<typeof madeRows>, threshold: number) =>
  Uint8Array.from(rows.score, (score, i) => (rows.predicted[i]! < 0 || score < threshold ? 1 : 0));

describe("prediction sets", () => {
  it("cover flagged rows of another split as promised", () => {
    for (const method of ["lac", "aps"] as const) {
      const validation = madeRows(4000, 1, { temperature: 2, failEvery: 40 });
      const test = madeRows(4000, 2, { temperature: 2, split: "test", failEvery: 40 });
      const flagged = flaggedBelow(validation, 0.8);
      const rule = calibratePredictionSets(validationRows(validation), flagged, method);
      const report = measurePredictionSets(rule, testRows(test), flaggedBelow(test, 0.8));
      assert.ok(
        report.coverage!.value > 0.875 && report.coverage!.value < 0.925,
        `${method}: ${report.coverage!.value}`,
      );
      assert.ok(report.meanSize! > 1 && report.meanSize! < 4);
      assert.equal(
        report.sizes.reduce((a, b) => a + b),
        report.n,
      );
    }
  });

  it("cover the flagged rows of real probabilities as promised, with few labels", function () {
    const path = new URL("../../../../shared/data/calibration/wideresnet_cifar10.csv.gz", import.meta.url);
    if (!existsSync(path)) this.skip();
    this.timeout(30_000);
    const lines = gunzipSync(readFileSync(path)).toString().trim().split("\n").slice(1);
    const stream = lines.map((line) => line.split(",").map(Number));
    const table = (split: "validation" | "test", rows: readonly number[][]) =>
      scoredRows(
        rows.map((row) => ({ split, truth: row[1]!, distribution: fullDistribution(row.slice(2)) })),
        { labels: Array.from({ length: 10 }, (_, k) => `${k}`), keepDistributions: true },
      );
    for (const method of ["lac", "aps"] as const) {
      let coverage = 0;
      let size = 0;
      const splits = 8;
      for (let seed = 0; seed < splits; seed++) {
        const order = [...seededPermutation(stream.length, seed)].map((i) => stream[i]!);
        const [validation, test] = [table("validation", order.slice(0, 5000)), table("test", order.slice(5000))];
        const rule = calibratePredictionSets(validationRows(validation), flaggedBelow(validation, 0.99), method);
        const report = measurePredictionSets(rule, testRows(test), flaggedBelow(test, 0.99));
        coverage += report.coverage!.value / splits;
        size += report.meanSize! / splits;
      }
      assert.ok(coverage >= 0.88 && coverage <= 0.92, `${method}: ${coverage}`);
      assert.ok(size < 2.5, `${method}: ${size} labels`);
    }
  });

  it("cover as promised where the right label is often among what an endpoint does not show", () => {
    // One label of four is seen, the rest of the mass is nobody's; it is right in a third of the rows.
    const rows = (split: "validation" | "test") =>
      scoredRows(
        Array.from({ length: 300 }, (_, i) => ({
          split,
          truth: i % 3,
          distribution: { labels: [0], probabilities: [0.3 + (i % 7) / 10], rest: 0.7 - (i % 7) / 10, restCount: 0 },
        })),
        { labels: ["a", "b", "c", "d"], keepDistributions: true },
      );
    const flagged = new Uint8Array(300).fill(1);
    for (const method of ["lac", "aps"] as const) {
      const rule = calibratePredictionSets(validationRows(rows("validation")), flagged, method);
      const report = measurePredictionSets(rule, testRows(rows("test")), flagged);
      assert.ok(report.coverage!.value >= 0.9, `${method}: ${report.coverage!.value}`);
      assert.ok(report.meanSize! > 3, `${method}: ${report.meanSize}`);
    }
  });

  it("judge a label by what is more probable: rounded zeros are not in a set because the first label is sure", () => {
    // The first label is right in 19 rows of 20 and said to be certain in all.
    const rows = scoredRows(
      Array.from({ length: 200 }, (_, i) => ({
        split: "validation" as const,
        truth: i % 20 === 0 ? 3 : 0,
        distribution: fullDistribution([1, 0, 0, 0]),
      })),
      { labels: ["a", "b", "c", "d"], keepDistributions: true },
    );
    const rule = calibratePredictionSets(validationRows(rows), new Uint8Array(200).fill(1), "aps");
    assert.deepEqual(predictionSet(rule, fullDistribution([1, 0, 0, 0]), 4), { labels: [0], others: false });
    assert.deepEqual(predictionSet(rule, fullDistribution([0.5, 0.5, 0, 0]), 4), { labels: [0, 1], others: false });
  });

  it("always hold the most probable label, grow with the promise, and hold everything with too few rows", () => {
    const set = validationRows(madeRows(300, 3));
    const all = new Uint8Array(300).fill(1);
    fc.assert(
      fc.property(fc.constantFrom("lac", "aps"), fc.integer({ min: 0, max: 299 }), (method, row) => {
        const d = set.rows.distributions!;
        const distribution = fullDistribution(d.probabilities.slice(d.offsets[row], d.offsets[row + 1]));
        let last = 0;
        for (const coverage of [0.5, 0.8, 0.95]) {
          const found = predictionSet(
            calibratePredictionSets(set, all, method, coverage),
            distribution,
            set.rows.labels.length,
          );
          assert.equal(found.labels[0], set.rows.predicted[row]);
          assert.ok(found.labels.length >= last);
          last = found.labels.length;
        }
      }),
    );
    const few = calibratePredictionSets(validationRows(madeRows(5, 3)), all, "lac", 0.9);
    assert.equal(few.quantile, null);
    assert.deepEqual(predictionSet(few, { labels: [2], probabilities: [0.9], rest: 0.1, restCount: 3 }, 4), {
      labels: [2],
      others: true,
    });
  });
});

describe("label issues", () => {
  it("find planted errors first, suggest what they were, and estimate the noise", () => {
    const random = seededRandom(8);
    const rows = madeRows(3000, 7, { split: "train", seen: "out-of-fold", sharpness: 4 });
    const truth = rows.predicted.slice();
    const planted = new Set<number>();
    for (let i = 0; i < rows.n; i++) {
      if (random.uniform() >= 0.1) continue;
      planted.add(i);
      truth[i] = (truth[i]! + 1 + random.below(3)) % 4;
    }
    const found = findLabelIssues(outOfFoldRows({ ...rows, truth }));
    const hits = found.issues.slice(0, 150).filter((issue) => planted.has(issue.row));
    assert.ok(hits.length > 120, `${hits.length} of the first 150`);
    const suggestions = hits.filter((issue) => issue.suggested === rows.predicted[issue.row]);
    assert.ok(suggestions.length > 0.9 * hits.length);
    assert.ok(Math.abs(found.noise - 0.1) < 0.06, `${found.noise}`);
    for (let k = 1; k < found.issues.length; k++) {
      assert.ok(found.issues[k]!.selfConfidence >= found.issues[k - 1]!.selfConfidence);
    }
  });

  it("leave rows without label or answer alone", () => {
    const rows = madeRows(200, 7, { split: "train", seen: "out-of-fold", failEvery: 4 });
    const truth = rows.truth.slice();
    truth.fill(-1, 100);
    const found = findLabelIssues(outOfFoldRows({ ...rows, truth }));
    assert.equal(found.n, 75);
    assert.equal(suspicionOrder(found.quality).length, 75);
    assert.ok(found.issues.every((issue) => issue.row < 100 && issue.row % 4 !== 0));
  });
});
