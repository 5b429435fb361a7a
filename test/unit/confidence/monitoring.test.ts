/** What watches and explains a certificate: audit, drift, label noise, costs. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { acceptRows } from "../../../server/src/confidence/acceptRule.ts";
import {
  type AuditedRow,
  auditAlarm,
  auditPower,
  auditReport,
  detectableRisk,
} from "../../../server/src/confidence/audit.ts";
import { costOptimalThreshold } from "../../../server/src/confidence/costOptimal.ts";
import { chiSquaredTail, driftTest, kolmogorovSmirnov } from "../../../server/src/confidence/drift.ts";
import { estimateLabelNoise } from "../../../server/src/confidence/labelNoise.ts";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import { validationRows } from "../../../server/src/confidence/roles.ts";
import { madeRows } from "./madeRows.ts";

describe("the audit", () => {
  const stream = (
    n: number,
    rate: number,
    seed: number,
    inclusion: (i: number) => number = () => 0.02,
  ): AuditedRow[] => {
    const random = seededRandom(seed);
    return Array.from({ length: n }, (_, i) => ({ inclusion: inclusion(i), wrong: random.uniform() < rate }));
  };

  it("raises few false alarms however often one looks", () => {
    let alarms = 0;
    for (let seed = 0; seed < 300; seed++) if (auditAlarm(stream(1000, 0.05, seed), 0.05) !== null) alarms++;
    // At most 5 % of 300 = 15, plus three standard errors.
    assert.ok(alarms <= 26, `${alarms} false alarms of 300`);
  });

  it("finds a broken promise, and says after how many rows", () => {
    const report = auditReport(stream(1500, 0.12, 3), 0.05);
    assert.ok(report.alarm && report.alarmAt! < 500);
    assert.ok(report.low > 0.05 && report.low < 0.12 && report.high > 0.12);
    assert.ok(report.highestEvidence >= 20);
  });

  it("keeps its alarm once raised", () => {
    const rows = [...stream(600, 0.15, 1), ...stream(5000, 0, 2)];
    const report = auditReport(rows, 0.05);
    assert.equal(report.alarm, true);
    assert.ok(report.evidence < report.highestEvidence);
  });

  it("keeps its alarm when later rows are drawn more rarely", () => {
    const early = stream(600, 0.15, 1);
    const { alarmAt } = auditReport(early, 0.05);
    assert.ok(alarmAt !== null);
    assert.equal(auditReport([...early, ...stream(50, 0, 2, () => 0.0005)], 0.05).alarmAt, alarmAt);
  });

  it("raises few false alarms with rows of unequal inclusion", () => {
    let alarms = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const rows: AuditedRow[] = [];
      while (rows.length < 600) {
        const inclusion = random.uniform() < 0.5 ? 0.2 : 0.02;
        const wrong = random.uniform() < (inclusion === 0.2 ? 0.08 : 0.02);
        if (random.uniform() < inclusion) rows.push({ inclusion, wrong });
      }
      if (auditAlarm(rows, 0.05) !== null) alarms++;
    }
    // At most 5 % of 200 = 10, plus three standard errors; the error rate of the judged rows, unweighted, is over 7 %.
    assert.ok(alarms <= 19, `${alarms} false alarms of 200`);
  });

  it("weights rows by their inclusion probability", () => {
    // A stratum drawn ten times as often has ten times the errors: unweighted far too high, weighted right.
    const random = seededRandom(5);
    const rows: AuditedRow[] = [];
    for (let i = 0; i < 40_000; i++) {
      const often = i % 2 === 0;
      if (random.uniform() < (often ? 0.2 : 0.02))
        rows.push({ inclusion: often ? 0.2 : 0.02, wrong: random.uniform() < (often ? 0.1 : 0) });
    }
    const report = auditReport(rows, 0.06);
    assert.ok(Math.abs(report.rate! - 0.05) < 0.012, `${report.rate}`);
    assert.ok(report.errors / report.n > 0.08);
    assert.equal(report.alarm, false);
  });

  it("knows nothing from nothing, and refuses impossible probabilities", () => {
    const report = auditReport([], 0.05);
    assert.deepEqual(
      [report.rate, report.low, report.high, report.alarm, report.detectable],
      [null, 0, 1, false, null],
    );
    assert.throws(() => auditReport([{ inclusion: 0, wrong: false }], 0.05), /inclusion/);
  });

  it("detects smaller increases with more rows, and its power table agrees", () => {
    assert.ok(detectableRisk(1000, 0.05)! < detectableRisk(200, 0.05)!);
    const power = auditPower(0.05, 0.1, { draws: 100, seed: 1 });
    assert.ok(power.half! < power.most! && power.most! < power.nearlyAll!);
    const detectable = detectableRisk(power.half!, 0.05)!;
    assert.ok(Math.abs(detectable - 0.1) < 0.025, `${detectable}`);
  });
});

describe("drift", () => {
  it("has the distance and tails of the literature", () => {
    assert.equal(kolmogorovSmirnov(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 3)), 0);
    assert.equal(kolmogorovSmirnov(Float64Array.of(1, 2), Float64Array.of(3, 4)), 1);
    assert.equal(kolmogorovSmirnov(Float64Array.of(1, 1, 1, 2), Float64Array.of(1, 2, 2, 2)), 0.5);
    // scipy.stats.chi2.sf
    assert.ok(Math.abs(chiSquaredTail(3.841458820694124, 1) - 0.05) < 1e-9);
    assert.ok(Math.abs(chiSquaredTail(18.307038053275146, 10) - 0.05) < 1e-9);
    assert.ok(Math.abs(chiSquaredTail(0.5, 10) - 0.999993388289439) < 1e-8);
  });

  const scores = (n: number, seed: number, shift = 0) => {
    const random = seededRandom(seed);
    return Float64Array.from({ length: n }, () => random.normal() + shift);
  };
  const answers = (n: number, seed: number, first: number) => {
    const random = seededRandom(seed);
    return Int32Array.from({ length: n }, () => (random.uniform() < first ? 0 : 1 + random.below(3)));
  };
  const names = ["a", "b", "c", "d"];

  it("is quiet on rows of the same kind", () => {
    let drifted = 0;
    for (let seed = 0; seed < 100; seed++) {
      const report = driftTest(
        [{ name: "score", reference: scores(500, seed), current: scores(800, seed + 1000) }],
        { names, reference: answers(500, seed, 0.25), current: answers(800, seed + 1000, 0.25) },
        { distance: 0 },
      );
      if (report.drifted) drifted++;
    }
    assert.ok(drifted <= 5, `${drifted} of 100 at level 0.01`);
  });

  it("finds a shift of the scores, and of the labels with their names", () => {
    const report = driftTest([{ name: "score", reference: scores(500, 1), current: scores(500, 2, -0.6) }], {
      names,
      reference: answers(500, 1, 0.25),
      current: answers(500, 2, 0.6),
    });
    assert.deepEqual(
      report.tests.map((test) => [test.name, test.drifted]),
      [
        ["score", true],
        ["predicted labels", true],
      ],
    );
    assert.equal(report.tests[1]!.moved[0]!.label, "a");
    assert.ok(report.tests[1]!.moved[0]!.change > 0.25);
  });

  it("does not cry over a significant but tiny shift", () => {
    const report = driftTest([{ name: "score", reference: scores(50_000, 1), current: scores(50_000, 2, 0.05) }], null);
    assert.ok(report.tests[0]!.p < 0.001);
    assert.equal(report.drifted, false);
  });

  it("says nothing without rows", () => {
    const empty = new Float64Array(0);
    assert.equal(
      driftTest([{ name: "s", reference: empty, current: empty }], { names, reference: [], current: [] }).drifted,
      false,
    );
  });
});

describe("label noise", () => {
  it("finds the risk that the given labels hide", () => {
    // Given labels are wrong with 10 %, the model repeats half of these errors, and errs alone with 3 %.
    const random = seededRandom(4);
    const sample = Array.from({ length: 4000 }, () => {
      const noisy = random.uniform() < 0.1;
      const given = noisy ? "wrong" : "right";
      const predicted = noisy && random.uniform() < 0.5 ? "wrong" : random.uniform() < 0.03 ? "other" : "right";
      return { given, judged: "right", predicted, accepted: random.uniform() < 0.5 };
    });
    const estimate = estimateLabelNoise(sample);
    assert.ok(Math.abs(estimate.noise!.value - 0.1) < 0.015);
    assert.ok(Math.abs(estimate.riskAgainstJudged!.value - 0.0785) < 0.02);
    assert.ok(estimate.riskAgainstJudgedBound > estimate.riskAgainstJudged!.value);
  });

  it("leaves skips out of the shares and counts them as wrong in the bound", () => {
    const row = { given: "a", judged: "a", predicted: "a", accepted: true };
    const all = estimateLabelNoise(Array.from({ length: 50 }, () => row));
    const some = estimateLabelNoise([...Array.from({ length: 50 }, () => row), { ...row, judged: null }]);
    assert.equal(some.noise!.value, 0);
    assert.equal(some.skipped, 1);
    assert.ok(some.riskAgainstJudgedBound > all.riskAgainstJudgedBound);
    assert.equal(estimateLabelNoise([]).noise, null);
  });
});

describe("the cost-optimal threshold", () => {
  it("is 1 − review/error for calibrated confidences, and never beaten by reviewing or accepting all", () => {
    const set = validationRows(madeRows(4000, 2, { temperature: 1, failEvery: 50 }));
    const rows = acceptRows("row", [{ target: "t", set }], { by: "confidence" });
    const { calibrated, measured, reviewAll, acceptAll } = costOptimalThreshold(rows, { error: 10, review: 2 });
    assert.equal(calibrated.threshold, 0.8);
    assert.ok(measured.costPerRow <= Math.min(calibrated.costPerRow, reviewAll.costPerRow, acceptAll.costPerRow));
    assert.ok(calibrated.costPerRow < 1.05 * measured.costPerRow);
    assert.equal(reviewAll.costPerRow, 2);
    assert.equal(acceptAll.coverage, 0.98);
  });

  it("accepts all when an error costs less than a review, and finds the cheapest threshold", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        (seed, error, review) => {
          const set = validationRows(madeRows(40, seed));
          const rows = acceptRows("row", [{ target: "t", set }], { by: "confidence" });
          const optimum = costOptimalThreshold(rows, { error, review });
          if (error <= review) assert.equal(optimum.calibrated.coverage, 1);
          const cheapest = Math.min(
            review,
            ...Array.from(rows.score, (threshold) => {
              let cost = 0;
              for (let i = 0; i < 40; i++) cost += rows.score[i]! >= threshold ? rows.wrong[i]! * error : review;
              return cost / 40;
            }),
          );
          assert.ok(Math.abs(optimum.measured.costPerRow - cheapest) < 1e-9);
        },
      ),
    );
  });
});
