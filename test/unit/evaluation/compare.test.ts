import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import { testRows } from "../../../server/src/confidence/roles.ts";
import { type ScoredRow, scoredRows } from "../../../server/src/confidence/scoredRows.ts";
import { compareModels, comparePair, mcnemarExact } from "../../../server/src/evaluation/compare.ts";
import { madeRows } from "../confidence/madeRows.ts";

function answers(rows: readonly (readonly [string, string | null])[], labels: readonly string[]) {
  return testRows(
    scoredRows(
      rows.map(
        ([truth, predicted], i): ScoredRow => ({
          id: `r${i}`,
          split: "test",
          truth: labels.indexOf(truth),
          status: predicted === null ? "failed" : "answered",
          distribution:
            predicted === null
              ? null
              : { labels: [labels.indexOf(predicted)], probabilities: [0.8], rest: 0.2, restCount: labels.length - 1 },
        }),
      ),
      { labels },
    ),
  );
}

describe("McNemar's exact test", () => {
  it("is the two-sided binomial test at one half", () => {
    // scipy.stats.binomtest(3, 13).pvalue = 0.09228515625; binomtest(0, 6) = 0.03125
    assert.ok(Math.abs(mcnemarExact(3, 10) - 0.09228515625) < 1e-12);
    assert.ok(Math.abs(mcnemarExact(6, 0) - 0.03125) < 1e-12);
    assert.equal(mcnemarExact(0, 0), 1);
    assert.equal(mcnemarExact(5, 5), 1);
  });

  it("does not know which model is which", () => {
    fc.assert(fc.property(fc.nat(200), fc.nat(200), (b, c) => assert.equal(mcnemarExact(b, c), mcnemarExact(c, b))));
  });
});

describe("comparing two models", () => {
  const labels = ["a", "b"];
  const truth = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? "a" : "b"));
  const other = (label: string) => (label === "a" ? "b" : "a");
  // A is wrong on the last 20, B on the last 10 and the first 50.
  const a = answers(
    truth.map((t, i) => [t, i < 180 ? t : other(t)] as const),
    labels,
  );
  const b = answers(
    truth.map((t, i) => [t, i >= 190 || i < 50 ? other(t) : t] as const),
    labels,
  );

  it("counts pairs and puts intervals around the difference", () => {
    const pair = comparePair(a, b);
    assert.deepEqual([pair.n, pair.both, pair.onlyA, pair.onlyB, pair.neither], [200, 130, 50, 10, 10]);
    assert.ok(Math.abs(pair.difference.value - 0.2) < 1e-12);
    for (const interval of [pair.difference, pair.differenceAnalytic]) {
      // Wald: 0.2 ± 1.96 × 0.0361
      assert.ok(
        Math.abs(interval.low - 0.129) < 0.015 && Math.abs(interval.high - 0.271) < 0.015,
        JSON.stringify(interval),
      );
    }
    assert.ok(pair.mcnemar < 1e-6);
    assert.ok(pair.macroF1Difference.low > 0.1);
  });

  it("turns its sign with the models", () => {
    const forth = comparePair(a, b);
    const back = comparePair(b, a);
    assert.equal(back.difference.value, -forth.difference.value);
    assert.equal(back.mcnemar, forth.mcnemar);
    assert.equal(back.labels[0]!.gained, forth.labels[0]!.lost);
  });

  it("finds no difference between a model and itself", () => {
    const same = comparePair(a, a);
    assert.deepEqual(same.difference, { value: 0, low: 0, high: 0 });
    assert.equal(same.mcnemar, 1);
    assert.deepEqual(same.labels, []);
    assert.equal(same.logLossDifference!.value, 0);
  });

  it("matches labels by name, not by number", () => {
    const turned = answers(
      truth.map((t, i) => [t, i < 180 ? t : other(t)] as const),
      ["b", "a"],
    );
    assert.deepEqual(comparePair(a, turned).difference, { value: 0, low: 0, high: 0 });
  });

  it("counts failed rows as wrong, and refuses other rows or other labels", () => {
    const failing = answers(
      truth.map((t, i) => [t, i < 100 ? t : null] as const),
      labels,
    );
    assert.equal(comparePair(a, failing).onlyA, 80);
    assert.throws(() => comparePair(a, answers([["a", "a"]], labels)), /same rows/);
    assert.throws(
      () =>
        comparePair(
          a,
          answers(
            truth.map((t) => [other(t), t] as const),
            labels,
          ),
        ),
      /different given labels/,
    );
  });

  it("shows changes by label, most net change first", () => {
    const pair = comparePair(a, b);
    assert.deepEqual(
      pair.labels.map(({ label, support, gained, lost }) => [label, support, gained, lost]),
      [
        ["a", 100, 25, 5],
        ["b", 100, 25, 5],
      ],
    );
  });

  it("covers the true difference about as often as it says", () => {
    const random = seededRandom(12);
    let analytic = 0;
    let bootstrap = 0;
    for (let draw = 0; draw < 100; draw++) {
      // A is right with 0.85, B with 0.75, half of the time by the same luck: the true difference is 0.1.
      const luck = truth.map(() => [random.uniform(), random.uniform(), random.uniform()] as const);
      const model = (accuracy: number, own: 1 | 2) =>
        answers(
          truth.map((t, i) => [t, luck[i]![i % 2 === 0 ? 0 : own]! < accuracy ? t : other(t)] as const),
          labels,
        );
      const pair = comparePair(model(0.85, 1), model(0.75, 2), { seed: draw });
      if (pair.differenceAnalytic.low <= 0.1 && pair.differenceAnalytic.high >= 0.1) analytic++;
      if (pair.difference.low <= 0.1 && pair.difference.high >= 0.1) bootstrap++;
    }
    // 95 of 100, less three standard errors.
    assert.ok(analytic >= 88 && bootstrap >= 88, `${analytic}, ${bootstrap}`);
  });
});

describe("comparing several models", () => {
  it("takes every pair, the better first, with Holm's correction", () => {
    const rows = madeRows(400, 3, { split: "test" });
    const worse = (share: number) =>
      testRows({ ...rows, predicted: rows.predicted.map((p, i) => (i % 100 < share ? (p + 1) % 4 : p)) });
    const pairs = compareModels([
      { name: "poor", set: worse(40) },
      { name: "best", set: testRows(rows) },
      { name: "fair", set: worse(5) },
    ]);
    assert.deepEqual(
      pairs.map(({ a, b }) => [a, b]),
      [
        ["best", "poor"],
        ["fair", "poor"],
        ["best", "fair"],
      ],
    );
    for (const pair of pairs) {
      assert.ok(pair.difference.value >= 0);
      assert.ok(pair.mcnemarHolm >= pair.mcnemar && pair.mcnemarHolm <= 1);
    }
  });
});
