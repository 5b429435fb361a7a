import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { acceptRows } from "../../../server/src/confidence/acceptRule.ts";
import { calibrate, fitCalibrator } from "../../../server/src/confidence/calibrate.ts";
import { fullDistribution } from "../../../server/src/confidence/distribution.ts";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import { testRows, validationRows } from "../../../server/src/confidence/roles.ts";
import { type ScoredRow, type Split, scoredRows } from "../../../server/src/confidence/scoredRows.ts";
import { binOf, calibrationErrors, calibrationReport } from "../../../server/src/evaluation/bins.ts";
import {
  confusionAverages,
  confusionPairs,
  confusionTable,
  labelFigures,
} from "../../../server/src/evaluation/confusion.ts";
import { reportAccept, reportJoint, reportSlices, reportTarget } from "../../../server/src/evaluation/metrics.ts";
import {
  aurc,
  auroc,
  coverageAtRisk,
  excessAurc,
  rankIntervals,
  rankRows,
} from "../../../server/src/evaluation/ranking.ts";
import { thresholdsTable } from "../../../server/src/evaluation/thresholds.ts";
import { LABELS, madeRows } from "../confidence/madeRows.ts";

const near = (actual: number, expected: number, tolerance = 1e-9): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
};

const pairs = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
  minLength: 2,
  maxLength: 60,
});
const columns = (rows: readonly (readonly [number, boolean])[]) => ({
  confidence: Float64Array.from(rows, ([confidence]) => confidence),
  right: Uint8Array.from(rows, ([, right]) => (right ? 1 : 0)),
});

/** Rows with given truth and prediction, each fully sure. */
function answers(rows: readonly (readonly [number, number])[], split: Split = "test") {
  return scoredRows(
    rows.map(
      ([truth, predicted]): ScoredRow => ({
        split,
        truth,
        status: predicted < 0 ? "unparsed" : "answered",
        distribution: predicted < 0 ? null : { labels: [predicted], probabilities: [1], rest: 0, restCount: 0 },
      }),
    ),
    { labels: LABELS },
  );
}

describe("calibration error", () => {
  it("puts edges into the lower bin and 0 into the first, despite rounding", () => {
    assert.equal(binOf(0, 10), 0);
    assert.equal(binOf(0.1, 10), 0);
    assert.equal(binOf(0.1 + 0.2, 10), 2);
    assert.equal(binOf(0.7, 10), 6);
    assert.equal(binOf(1, 10), 9);
    assert.equal(binOf(0.7, 10, "[lo,hi)"), 7);
    assert.equal(binOf(1, 10, "[lo,hi)"), 9);
  });

  it("does not depend on the order of rows, nor on rows standing twice", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        for (const kind of ["width", "mass"] as const) {
          const { confidence, right } = columns(rows);
          const turned = columns([...rows].reverse());
          const errors = calibrationErrors(confidence, right, { kind });
          near(calibrationErrors(turned.confidence, turned.right, { kind }).l1, errors.l1);
          if (kind === "width") {
            const twice = columns([...rows, ...rows]);
            near(calibrationErrors(twice.confidence, twice.right).l1, errors.l1);
          }
          assert.ok(errors.l1 <= errors.l2 + 1e-12 && errors.l2 <= errors.max + 1e-12 && errors.max <= 1);
        }
      }),
    );
  });

  it("is the overall gap with one bin, and 0 when each bin is right in the mean", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const { confidence, right } = columns(rows);
        const gap = Math.abs(confidence.reduce((a, b) => a + b) - right.reduce((a, b) => a + b)) / rows.length;
        near(calibrationErrors(confidence, right, { bins: 1 }).l1, gap);
        assert.ok(calibrationErrors(confidence, right, { bins: 15 }).l1 >= gap - 1e-12);
      }),
    );
    near(calibrationErrors(Float64Array.of(0.5, 0.5, 0.75, 0.75, 0.75, 0.75), Uint8Array.of(1, 0, 1, 1, 0, 1)).l1, 0);
  });

  it("never parts equal confidences into two bins of equal mass", () => {
    const rows = Array.from({ length: 90 }, (_, i) => [i < 60 ? 0.5 : 0.9, i % 2 === 0] as const);
    const { confidence, right } = columns(rows);
    const report = calibrationReport(confidence, right, { kind: "mass", bins: 9 });
    assert.deepEqual(
      report.bins.filter((bin) => bin.count > 0).map((bin) => bin.count),
      [60, 30],
    );
  });

  it("of a perfectly calibrated model lies in the band; of an overconfident one does not", () => {
    let inside = 0;
    for (let seed = 0; seed < 40; seed++) {
      const random = seededRandom(seed);
      const confidence = Float64Array.from({ length: 800 }, () => 0.3 + 0.7 * random.uniform());
      const right = Uint8Array.from(confidence, (c) => (random.uniform() < c ? 1 : 0));
      const { ece, band } = calibrationReport(confidence, right, { seed });
      if (ece <= band!.high) inside++;
    }
    // 95 % of 40, less three standard errors.
    assert.ok(inside >= 34, `${inside} of 40`);
    const { confidence } = columns(Array.from({ length: 800 }, (_, i) => [0.9, i % 2 === 0] as const));
    const right = Uint8Array.from({ length: 800 }, (_, i) => i % 2);
    const { ece, band, interval } = calibrationReport(confidence, right);
    assert.ok(ece > 3 * band!.high);
    assert.ok(interval!.low < 0.4 && interval!.high > 0.4 && interval!.low > 0.3);
  });

  it("has the same band from single draws and from sums", () => {
    const random = seededRandom(3);
    const confidence = Float64Array.from({ length: 20_001 }, () => 0.5 + 0.5 * random.uniform());
    const right = Uint8Array.from(confidence, (c) => (random.uniform() < c ? 1 : 0));
    const exact = calibrationReport(confidence.slice(1), right.slice(1)).band!;
    const summed = calibrationReport(confidence, right).band!;
    near(summed.mean / exact.mean, 1, 0.05);
    near(summed.high / exact.high, 1, 0.08);
  });
});

describe("ranking", () => {
  it("AUROC is the share of pairs in order, ties half", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const { confidence, right } = columns(rows.map(([c, r]) => [Math.round(c * 8) / 8, r] as const));
        let sum = 0;
        let count = 0;
        for (let i = 0; i < right.length; i++) {
          for (let j = 0; j < right.length; j++) {
            if (!right[i] || right[j]) continue;
            count++;
            sum += confidence[i]! > confidence[j]! ? 1 : confidence[i] === confidence[j] ? 0.5 : 0;
          }
        }
        const area = auroc(rankRows(confidence, right));
        if (count === 0) assert.equal(area, null);
        else near(area!.value, sum / count);
      }),
    );
  });

  it("AURC with ties is the mean over random orders of the ties", () => {
    const confidence = Float64Array.of(0.9, 0.5, 0.5, 0.5);
    const right = Uint8Array.of(1, 1, 0, 1);
    // The error stands 2nd, 3rd or 4th with probability 1/3 each.
    const orders = [
      [0, 1 / 2, 1 / 3, 1 / 4],
      [0, 0, 1 / 3, 1 / 4],
      [0, 0, 0, 1 / 4],
    ];
    const expected = orders.flat().reduce((a, b) => a + b) / 12;
    near(aurc(rankRows(confidence, right)), expected);
    const many = Float64Array.from({ length: 200 }, () => 0.7);
    const alternating = Uint8Array.from({ length: 200 }, (_, i) => i % 2);
    near(aurc(rankRows(many, alternating)), 0.5);
  });

  it("loses nothing by a perfect order, and is never better than it", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const { confidence, right } = columns(rows);
        assert.ok(excessAurc(rankRows(confidence, right)) >= -1e-9);
        const perfect = Float64Array.from(right, (r, i) => r * 1000 - i / 1e4);
        near(excessAurc(rankRows(perfect, right)), 0, 1e-9);
      }),
    );
  });

  it("coverage at a risk keeps the risk, rises with it, and takes ties whole", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const { confidence, right } = columns(rows.map(([c, r]) => [Math.round(c * 10) / 10, r] as const));
        const ranked = rankRows(confidence, right);
        let last = 0;
        for (const risk of [0, 0.1, 0.3, 1]) {
          const { coverage, threshold } = coverageAtRisk(ranked, risk);
          assert.ok(coverage >= last);
          last = coverage;
          if (threshold === null) continue;
          const taken = [...confidence.keys()].filter((i) => confidence[i]! >= threshold);
          near(taken.length / confidence.length, coverage);
          assert.ok(taken.filter((i) => !right[i]).length <= risk * taken.length + 1e-9);
        }
        assert.equal(last, 1);
      }),
    );
  });

  it("has intervals that hold the value, narrower with more rows", () => {
    const width = (n: number) => {
      const random = seededRandom(4);
      const confidence = Float64Array.from({ length: n }, () => random.uniform());
      const right = Uint8Array.from(confidence, (c) => (random.uniform() < c ? 1 : 0));
      const ranked = rankRows(confidence, right);
      const intervals = rankIntervals(ranked, [0.3]);
      assert.ok(intervals.aurc.low < aurc(ranked) && aurc(ranked) < intervals.aurc.high);
      const area = auroc(ranked)!;
      assert.ok(area.interval.low < area.value && area.value < area.interval.high);
      return intervals.aurc.high - intervals.aurc.low;
    };
    const ratio = width(500) / width(20_000);
    assert.ok(ratio > 4 && ratio < 10, `${ratio}, √40 = 6.3 expected`);
  });
});

describe("figures of the confusion table", () => {
  // scikit-learn: truth [0,0,0,1,1,2], predicted [0,0,1,1,2,2].
  const rows = answers([
    [0, 0],
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 2],
    [2, 2],
  ]);

  it("agree with scikit-learn", () => {
    const averages = confusionAverages(confusionTable(rows));
    near(averages.accuracy.value, 4 / 6);
    near(averages.balancedAccuracy.value, (2 / 3 + 1 / 2 + 1) / 3);
    near(averages.macroPrecision.value, (1 + 1 / 2 + 1 / 2) / 3);
    near(averages.macroF1.value, (0.8 + 0.5 + 2 / 3) / 3);
    near(averages.weightedF1.value, (3 * 0.8 + 2 * 0.5 + 2 / 3) / 6);
    near(averages.mcc.value, (4 * 6 - (3 * 2 + 2 * 2 + 1 * 2)) / Math.sqrt((36 - 14) * (36 - 12)));
    for (const { value, low, high } of Object.values(averages)) assert.ok(low <= value && value <= high);
  });

  it("leave out labels that are neither given nor predicted", () => {
    assert.deepEqual(
      labelFigures(confusionTable(rows)).map((figure) => [figure.label, figure.support, figure.predicted]),
      [
        ["ant", 3, 2],
        ["bee", 2, 2],
        ["cat", 1, 2],
      ],
    );
    assert.deepEqual(confusionPairs(confusionTable(rows)), [
      { given: "bee", predicted: "cat", count: 1, share: 0.5 },
      { given: "ant", predicted: "bee", count: 1, share: 1 / 3 },
    ]);
  });

  it("count a row without an answer as a miss and as no prediction", () => {
    const table = confusionTable(
      answers([
        [0, 0],
        [0, -1],
        [1, 1],
      ]),
    );
    const averages = confusionAverages(table);
    near(averages.accuracy.value, 2 / 3);
    near(averages.macroPrecision.value, 1);
    near(averages.macroRecall.value, 0.75);
    assert.deepEqual(confusionPairs(table), [{ given: "ant", predicted: null, count: 1, share: 0.5 }]);
  });
});

describe("the report of a target", () => {
  const made = madeRows(600, 5, { split: "test", failEvery: 20 });
  const report = reportTarget(testRows(made));

  it("counts apart what was not answered, and counts it wrong", () => {
    assert.deepEqual(
      [report.n, report.answered, report.failed, report.unparsed, report.outOfList],
      [600, 570, 30, 0, 0],
    );
    assert.equal(report.calibration.n, 570);
    const right = made.predicted.reduce((sum, predicted, i) => sum + (predicted === made.truth[i] ? 1 : 0), 0);
    near(report.averages.accuracy.value, right / 600);
    const half = testRows(madeRows(600, 5, { split: "test", failEvery: 2 }));
    assert.ok(reportTarget(half).aurc.value > report.aurc.value);
  });

  it("sums Brier over classes and apart over the confidence", () => {
    const [p, q] = [0.7, 0.2];
    const rows = scoredRows([{ split: "test", truth: 1, distribution: fullDistribution([p, q, 0.06, 0.04]) }], {
      labels: LABELS,
    });
    const one = reportTarget(testRows(rows));
    near(one.brier!.value, p * p + (1 - q) ** 2 + 0.06 ** 2 + 0.04 ** 2);
    near(one.confidenceBrier!.value, p * p);
    near(one.logLoss!.value, -Math.log(q));
  });

  it("clips the log loss at 1e-12", () => {
    near(reportTarget(testRows(answers([[0, 1]]))).logLoss!.value, -Math.log(1e-12));
  });

  it("says nothing of unlabelled rows, and survives having none at all", () => {
    const unlabelled = { ...made, truth: made.truth.slice() };
    unlabelled.truth.fill(-1, 0, 100);
    assert.equal(reportTarget(testRows(unlabelled)).n, 500);
    assert.equal(reportTarget(testRows(unlabelled)).unlabelled, 100);
    unlabelled.truth.fill(-1);
    const empty = reportTarget(testRows(unlabelled));
    assert.equal(empty.n, 0);
    assert.equal(empty.logLoss, null);
    assert.equal(empty.auroc, null);
    assert.doesNotMatch(JSON.stringify(empty), /NaN/);
    assert.ok(Object.values(empty.averages).every((m) => Number.isFinite(m.value)));
  });

  it("is plain JSON and the same for the same seed", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
    assert.deepEqual(reportTarget(testRows(made)), report);
  });

  it("has intervals around every figure", () => {
    for (const name of ["logLoss", "brier", "confidenceBrier", "auroc", "aurc", "excessAurc"] as const) {
      const { value, low, high } = report[name]!;
      assert.ok(low <= value && value <= high && high - low > 0, name);
    }
  });

  it("joint accuracy: all targets right", () => {
    const a = testRows(
      answers([
        [0, 0],
        [1, 1],
        [2, 0],
      ]),
    );
    const b = testRows(
      answers([
        [0, 0],
        [1, 0],
        [2, 2],
      ]),
    );
    near(reportJoint([a, b]).jointAccuracy!.value, 1 / 3);
    assert.throws(() => reportJoint([a, testRows(answers([[0, 0]]))]), /same rows/);
  });

  it("slices by a column's values", () => {
    const set = testRows(
      answers([
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 1],
        [2, 2],
        [2, 0],
      ]),
    );
    const slices = reportSlices(set, [0, 0, 1, 1, 1, -1], ["night", "day", "never"], Uint8Array.of(1, 1, 0, 0, 1, 1));
    assert.deepEqual(
      slices.map(({ value, n, accuracy, coverage }) => [value, n, accuracy.value, coverage]),
      [
        ["day", 3, 1, 1 / 3],
        ["night", 2, 0.5, 1],
      ],
    );
    near(slices[1]!.acceptedErrorRate!.value, 0.5);
    const gathered = reportSlices(set, [0, 1, 2, 3, 0, 0], ["a", "b", "c", "d"], undefined, 1);
    assert.deepEqual(
      gathered.map((slice) => [slice.value, slice.n]),
      [
        ["a", 3],
        [null, 3],
      ],
    );
  });
});

describe("the thresholds table and accept figures", () => {
  const set = testRows(madeRows(500, 8, { split: "test", failEvery: 25 }));

  it("falls in coverage, and counts what the threshold takes", () => {
    const rows = acceptRows("row", [{ target: "t", set }], { by: "confidence" });
    const table = thresholdsTable(rows, { thresholds: [0.9, 0, 0.5] });
    assert.deepEqual(
      table.map((line) => line.threshold),
      [0, 0.5, 0.9],
    );
    for (const line of table) {
      const taken = [...rows.score.keys()].filter((i) => rows.score[i]! >= 0 && rows.score[i]! >= line.threshold);
      assert.equal(line.accepted, taken.length);
      assert.equal(line.errors, taken.filter((i) => rows.wrong[i]).length);
      near(
        line.expectedErrors!,
        taken.reduce((sum, i) => sum + 1 - rows.score[i]!, 0),
        1e-6,
      );
      near(line.reviewShare + line.coverage.value, 1);
      const accept = reportAccept(rows, { by: "confidence", thresholds: [line.threshold] });
      assert.equal(accept.accepted, line.accepted);
      assert.equal(accept.errors, line.errors);
    }
    // Failed rows are never accepted, not even at 0.
    assert.equal(table[0]!.accepted, 480);
  });
});

describe("real probabilities", () => {
  const PATH = new URL("../../../../shared/data/calibration/", import.meta.url);
  const read = (name: string) =>
    gunzipSync(readFileSync(new URL(name, PATH)))
      .toString()
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(",").map(Number));
  const rowsOf = (lines: readonly number[][], split: Split) =>
    scoredRows(
      lines.map(
        (line): ScoredRow => ({
          id: String(line[0]),
          split,
          truth: line[1]!,
          distribution: fullDistribution(line.slice(2)),
        }),
      ),
      { labels: lines[0]!.slice(2).map((_, k) => String(k)), keepDistributions: true },
    );

  it("have the published figures, and a temperature of about 2 that repairs them", function () {
    if (!existsSync(PATH)) this.skip();
    const lines = read("wideresnet_cifar10.csv.gz");
    const report = reportTarget(testRows(rowsOf(lines, "test")));
    near(report.averages.accuracy.value, 0.9109, 1e-4);
    near(report.calibration.ece, 0.0537, 1e-4);
    near(report.logLoss!.value, 0.3778, 1e-4);
    near(report.brier!.value, 0.1439, 1e-4);
    const halves = [lines.filter((_, i) => i < 5000), lines.filter((_, i) => i >= 5000)];
    const temperatures: number[] = [];
    for (const [fit, judge] of [halves, [...halves].reverse()]) {
      const calibrator = fitCalibrator(validationRows(rowsOf(fit!, "validation")), "temperature");
      const map = calibrator.map as { kind: "temperature"; temperature: number };
      temperatures.push(map.temperature);
      const ece = reportTarget(calibrate(testRows(rowsOf(judge!, "test")), calibrator)).calibration.ece;
      assert.ok(ece <= 0.015, `${ece}`);
    }
    // More than a third of the file's probabilities are zeros (of eight decimals): 2.039 on the first half, 2.032 on the second.
    for (const temperature of temperatures) assert.ok(temperature >= 2 && temperature <= 2.05, `${temperature}`);
  });

  it("have the published figures for two classes", function () {
    if (!existsSync(PATH)) this.skip();
    const report = reportTarget(testRows(rowsOf(read("imdb_crossval.csv.gz"), "test")));
    near(report.averages.accuracy.value, 0.8958, 1e-4);
    near(report.calibration.ece, 0.0404, 1e-4);
    near(report.logLoss!.value, 0.3006, 1e-4);
  });
});
