import assert from "node:assert/strict";
import fc from "fast-check";
import {
  applyCalibration,
  type CalibrationMap,
  calibrate,
  chooseCalibration,
  crossFit,
  fitCalibrator,
} from "../../../server/src/confidence/calibrate.ts";
import {
  type Distribution,
  fullDistribution,
  probabilityOf,
  shownFigures,
  topPosition,
} from "../../../server/src/confidence/distribution.ts";
import { applyHistogram, fitHistogram } from "../../../server/src/confidence/histogram.ts";
import { applyIsotonic, fitIsotonic } from "../../../server/src/confidence/isotonic.ts";
import { applyPlatt, fitPlatt } from "../../../server/src/confidence/platt.ts";
import { outOfFoldRows, testRows, tuneRows, validationRows } from "../../../server/src/confidence/roles.ts";
import { isCorrect, scoredRows } from "../../../server/src/confidence/scoredRows.ts";
import { applyTemperature, fitTemperature, temperedFigures } from "../../../server/src/confidence/temperature.ts";
import { calibrationErrors } from "../../../server/src/evaluation/bins.ts";
import { madeRows } from "./madeRows.ts";

const vector = fc
  .array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 })
  .map((weights) => weights.map((weight) => weight / weights.reduce((a, b) => a + b)));
const temperature = fc.double({ min: 0.05, max: 20, noNaN: true });
const outcomes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
  minLength: 1,
  maxLength: 40,
});

const total = (d: Distribution): number => Array.from(d.probabilities).reduce((a, b) => a + b, d.rest);

/** The k most probable labels of a vector, the rest as mass. */
function topK(probabilities: readonly number[], k: number): Distribution {
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]!);
  const kept = order.slice(0, k);
  return {
    labels: kept,
    probabilities: kept.map((i) => probabilities[i]!),
    rest: order.slice(k).reduce((sum, i) => sum + probabilities[i]!, 0),
    restCount: probabilities.length - kept.length,
  };
}

describe("temperature scaling", () => {
  it("keeps the order of labels and adds up to 1", () => {
    fc.assert(
      fc.property(vector, temperature, (p, t) => {
        const scaled = applyTemperature(fullDistribution(p), t);
        assert.ok(Math.abs(total(scaled) - 1) < 1e-9);
        for (let i = 0; i < p.length; i++) {
          for (let j = 0; j < p.length; j++) {
            if (p[i]! > p[j]!) assert.ok(scaled.probabilities[i]! >= scaled.probabilities[j]! - 1e-15);
          }
        }
      }),
    );
  });

  it("is the same on top-k with an even rest as on the full vector with that rest spelled out", () => {
    fc.assert(
      fc.property(vector, fc.integer({ min: 1, max: 8 }), temperature, (p, k, t) => {
        const short = topK(p, Math.min(k, p.length));
        const spelled = Array.from(p, (_, label) => probabilityOf(short, label));
        const scaledShort = applyTemperature(short, t);
        const scaledFull = applyTemperature(fullDistribution(spelled), t);
        for (let label = 0; label < p.length; label++) {
          assert.ok(Math.abs(probabilityOf(scaledShort, label) - probabilityOf(scaledFull, label)) < 1e-9);
        }
      }),
    );
  });

  it("never gives uncovered mass to a label", () => {
    const uncovered: Distribution = { labels: [0, 1], probabilities: [0.6, 0.1], rest: 0.3, restCount: 0 };
    const scaled = applyTemperature(uncovered, 2);
    assert.equal(scaled.restCount, 0);
    assert.equal(probabilityOf(scaled, 2), 0);
    assert.ok(Math.abs(total(scaled) - 1) < 1e-12);
  });

  it("finds the temperature that made the labels", () => {
    for (const made of [0.5, 1, 2]) {
      const rows = validationRows(madeRows(6000, 5, { temperature: made }));
      const calibrator = fitCalibrator(rows, "temperature");
      const map = calibrator.map as { kind: "temperature"; temperature: number };
      assert.ok(Math.abs(map.temperature / made - 1) < 0.08, `${map.temperature} for ${made}`);
    }
  });

  it("has no better neighbour", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(vector, fc.nat()), { minLength: 3, maxLength: 20 }), (rows) => {
        const distributions = rows.map(([p]) => fullDistribution(p));
        const truths = rows.map(([p, t]) => t % p.length);
        const loss = (t: number): number =>
          distributions.reduce((sum, d, i) => sum - Math.log(applyTemperature(d, t).probabilities[truths[i]!]!), 0);
        const fitted = fitTemperature(distributions, truths);
        for (const factor of [0.9, 1.1]) {
          const neighbour = Math.min(50, Math.max(0.02, fitted * factor));
          assert.ok(loss(fitted) <= loss(neighbour) + 1e-9);
        }
      }),
    );
  });

  it("learns only 'wrong' from a given label that the answer has no place for", () => {
    const sure: Distribution = { labels: [0], probabilities: [0.99], rest: 0.01, restCount: 0 };
    const half = fitTemperature([sure, sure], [0, 3]);
    const confidence = applyTemperature(sure, half).probabilities[0]!;
    assert.ok(Math.abs(confidence - 0.5) < 1e-3 || half === 50, `${confidence}`);
  });
});

describe("maps of the score", () => {
  it("rise with the score: Platt when right follows the score, isotonic always", () => {
    fc.assert(
      fc.property(
        outcomes,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, s, t) => {
          const x = rows.map(([score]) => score);
          const y = rows.map(([, right]) => (right ? 1 : 0));
          const isotonic = fitIsotonic(x, y);
          const low = Math.min(s, t);
          const high = Math.max(s, t);
          assert.ok(applyIsotonic(isotonic, low) <= applyIsotonic(isotonic, high) + 1e-12);
          const platt = fitPlatt(x, y);
          const step = applyPlatt(platt, high) - applyPlatt(platt, low);
          assert.ok(platt.a <= 0 ? step >= -1e-12 : step <= 1e-12);
        },
      ),
    );
  });

  it("isotonic is the projection: right in the mean on every pool, and closer than any other rising function", () => {
    fc.assert(
      fc.property(outcomes, outcomes, (rows, other) => {
        const x = rows.map(([score]) => score);
        const y = rows.map(([, right]) => (right ? 1 : 0));
        const fitted = x.map((score) => applyIsotonic(fitIsotonic(x, y), score));
        // The projection P onto a convex cone satisfies ⟨y − Py, z − Py⟩ ≤ 0 for every z of the cone.
        const rising = fitIsotonic(
          other.map(([score]) => score),
          other.map(([score]) => 3 * score - 1),
        );
        const inner = x.reduce(
          (sum, score, i) => sum + (y[i]! - fitted[i]!) * (applyIsotonic(rising, score) - fitted[i]!),
          0,
        );
        assert.ok(inner <= 1e-9, `${inner}`);
        const gap = y.reduce((sum: number, value, i) => sum + value - fitted[i]!, 0);
        assert.ok(Math.abs(gap) < 1e-9);
      }),
    );
  });

  it("histogram: never 0 or 1, never parts equal scores", () => {
    fc.assert(
      fc.property(outcomes, (rows) => {
        const x = rows.map(([score]) => Math.round(score * 5) / 5);
        const map = fitHistogram(
          x,
          rows.map(([, right]) => (right ? 1 : 0)),
          4,
        );
        assert.equal(map.values.length, map.edges.length + 1);
        assert.ok(map.values.length <= 4);
        for (const value of map.values) assert.ok(value > 0 && value < 1);
        for (const score of x) assert.ok(!map.edges.includes(score));
        for (const score of x) assert.ok(applyHistogram(map, score) > 0);
      }),
    );
  });

  it("give the top label its confidence and leave the others their proportions", () => {
    const map: CalibrationMap = { kind: "isotonic", x: [0, 1], y: [0.2, 0.8] };
    const shown = applyCalibration(map, { labels: [4, 2, 7], probabilities: [0.5, 0.2, 0.1], rest: 0.2, restCount: 4 });
    assert.ok(Math.abs(shown.probabilities[0]! - 0.5) < 1e-12);
    const sharp = applyCalibration(map, { labels: [4, 2], probabilities: [0.9, 0.1], rest: 0, restCount: 0 });
    assert.ok(Math.abs(sharp.probabilities[0]! - 0.74) < 1e-12);
    assert.ok(Math.abs(total(sharp) - 1) < 1e-12);
    const certain = applyCalibration(map, { labels: [4], probabilities: [1], rest: 0, restCount: 0 });
    assert.ok(Math.abs(certain.probabilities[0]! - 0.8) < 1e-12 && Math.abs(certain.rest - 0.2) < 1e-12);
  });

  it("survive JSON", () => {
    const rows = validationRows(madeRows(1500, 3, { temperature: 2 }));
    const d = fullDistribution([0.7, 0.1, 0.1, 0.1]);
    for (const kind of ["none", "temperature", "platt", "histogram", "isotonic"] as const) {
      const { map } = fitCalibrator(rows, kind);
      assert.equal(map.kind, kind);
      assert.deepEqual(applyCalibration(JSON.parse(JSON.stringify(map)), d), applyCalibration(map, d));
    }
  });
});

describe("calibrating rows", () => {
  const ece = (rows: ReturnType<typeof madeRows>): number => {
    const right = Uint8Array.from({ length: rows.n }, (_, i) => (isCorrect(rows, i) ? 1 : 0));
    return calibrationErrors(rows.confidence, right).l1;
  };

  it("helps overconfident rows it was not fitted on, by every kind", () => {
    const validation = validationRows(madeRows(3000, 1, { temperature: 3 }));
    const test = testRows(madeRows(3000, 2, { temperature: 3, split: "test" }));
    const raw = ece(test.rows);
    assert.ok(raw > 0.1);
    for (const kind of ["temperature", "platt", "histogram", "isotonic"] as const) {
      const calibrated = calibrate(test, fitCalibrator(validation, kind));
      assert.equal(calibrated.rows.calibrated, true);
      assert.ok(ece(calibrated.rows) < 0.035, `${kind}: ${ece(calibrated.rows)}`);
      assert.deepEqual(calibrated.rows.predicted, test.rows.predicted);
    }
  });

  it("does not calibrate on too few rows, and says so", () => {
    const few = validationRows(madeRows(200, 1));
    const calibrator = fitCalibrator(few, "isotonic");
    assert.deepEqual(calibrator.map, { kind: "none" });
    assert.match(calibrator.why, /at least 1000 labelled validation rows and there are 200/);
  });

  it("gives the same from rows calibrated on arrival as from rows calibrated afterwards", () => {
    const made = madeRows(50, 9, { split: "test", failEvery: 7 });
    const map: CalibrationMap = { kind: "temperature", temperature: 1.7 };
    const after = calibrate(testRows(made), { map, fittedOn: "validation", rows: 1, why: "" }).rows;
    const packed = made.distributions!;
    const arriving = scoredRows(
      Array.from({ length: made.n }, (_, i) => ({
        split: "test" as const,
        status: made.predicted[i]! < 0 ? ("failed" as const) : ("answered" as const),
        truth: made.truth[i]!,
        distribution:
          made.predicted[i]! < 0
            ? null
            : fullDistribution(packed.probabilities.slice(packed.offsets[i], packed.offsets[i + 1])),
      })),
      {
        labels: made.labels,
        calibrate: (d, predicted, truth) => shownFigures(applyCalibration(map, d), predicted, truth),
      },
    );
    for (const column of ["confidence", "truthProbability", "squaredSum", "predicted", "score", "margin"] as const) {
      for (let i = 0; i < made.n; i++) assert.ok(Math.abs(arriving[column][i]! - after[column][i]!) < 1e-12, column);
    }
  });

  it("gives figures without making the distribution that are those of the distribution", () => {
    const short = fc
      .record({
        weights: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }),
        rest: fc.double({ min: 0, max: 1, noNaN: true }),
        restCount: fc.integer({ min: 0, max: 4 }),
      })
      .filter(({ weights, rest }) => weights.reduce((a, b) => a + b, rest) > 1e-3)
      .map(({ weights, rest, restCount }) => {
        const sum = weights.reduce((a, b) => a + b, rest);
        const probabilities = weights.map((weight) => weight / sum);
        return { labels: weights.map((_, i) => i), probabilities, rest: rest / sum, restCount };
      });
    fc.assert(
      fc.property(
        short,
        fc.double({ min: 0.05, max: 20, noNaN: true }),
        fc.integer({ min: -1, max: 9 }),
        (d, t, truth) => {
          const predicted = topPosition(d);
          const whole = shownFigures(applyTemperature(d, t), predicted, truth);
          const direct = temperedFigures(d, t, predicted, truth);
          for (const [key, value] of Object.entries(whole)) {
            assert.ok(Math.abs(value - direct[key as keyof typeof direct]) < 1e-12, `${key}: ${value}`);
          }
        },
      ),
    );
  });

  it("cross-fits: a row's own outcome never reaches its confidence", () => {
    const made = madeRows(300, 4, { split: "train", seen: "out-of-fold", temperature: 2 });
    const before = crossFit(outOfFoldRows(made), "temperature", 5, 1).rows;
    const changed = { ...made, truth: made.truth.slice() };
    changed.truth[17] = (changed.truth[17]! + 1) % 4;
    const after = crossFit(outOfFoldRows(changed), "temperature", 5, 1).rows;
    assert.equal(after.confidence[17], before.confidence[17]);
    assert.notDeepEqual(after.confidence, before.confidence);
  });
});

describe("the choice of a calibrator", () => {
  it("is temperature when the labels were made by one, and says why", () => {
    const choice = chooseCalibration(tuneRows(madeRows(1500, 6, { split: "tune", temperature: 2.5 })));
    assert.equal(choice.kind, "temperature");
    assert.match(choice.why, /1500 tune rows/);
    assert.equal(choice.candidates.length, 5);
  });

  it("is a map of the score when no temperature fits", () => {
    // Right with 50 % whatever the score: a temperature can lower, not flatten.
    const made = madeRows(4000, 8, { split: "tune", sharpness: 4 });
    const truth = Int32Array.from(made.predicted, (predicted, i) => (i % 2 === 0 ? predicted : (predicted + 1) % 4));
    const choice = chooseCalibration(tuneRows({ ...made, truth }));
    assert.ok(["platt", "histogram", "isotonic"].includes(choice.kind), choice.why);
  });

  it("says which kinds lack rows", () => {
    const choice = chooseCalibration(tuneRows(madeRows(60, 6, { split: "tune" })));
    assert.ok(["temperature", "none"].includes(choice.kind));
    assert.match(choice.why, /Not tried for lack of rows: platt, histogram, isotonic/);
    const none = chooseCalibration(tuneRows(madeRows(5, 6, { split: "tune" })));
    assert.equal(none.kind, "temperature");
    assert.match(none.why, /too few/);
  });

  it("does not change with the order it is asked in", () => {
    const rows = tuneRows(madeRows(400, 6, { split: "tune" }));
    assert.deepEqual(chooseCalibration(rows), chooseCalibration(rows));
  });
});

describe("distributions", () => {
  it("have the first of equals on top", () => {
    assert.equal(topPosition(fullDistribution([0.4, 0.4, 0.2])), 0);
  });
});
