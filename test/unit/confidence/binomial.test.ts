import assert from "node:assert/strict";
import fc from "fast-check";
import {
  binomialAtLeast,
  binomialAtMost,
  clopperPearsonLower,
  clopperPearsonUpper,
  normalQuantile,
  wilson,
} from "../../../server/src/confidence/binomial.ts";

/** P[Bin(n, p) ≤ k] by summing its terms (their logarithms grow term by term, so that none underflows early). */
function summed(k: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let i = 1; i <= k; i++) {
    log += Math.log((n - i + 1) / i) + Math.log(p / (1 - p));
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

const counts = fc.integer({ min: 1, max: 300 }).chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
const share = fc.double({ min: 0.001, max: 0.9, noNaN: true });

describe("the binomial distribution", () => {
  it("has the tails that summing its terms gives", () => {
    fc.assert(
      fc.property(counts, share, ([k, n], p) => {
        assert.ok(Math.abs(binomialAtMost(k, n, p) - summed(k, n, p)) < 1e-10);
        assert.ok(Math.abs(binomialAtMost(k, n, p) + binomialAtLeast(k + 1, n, p) - 1) < 1e-10);
      }),
    );
  });

  it("keeps its digits for a million rows", () => {
    // scipy.stats.binom.cdf and beta.ppf
    assert.ok(Math.abs(binomialAtMost(50_200, 1_000_000, 0.05) - 0.8212301689317025) < 1e-7);
    assert.ok(Math.abs(binomialAtMost(3, 1_000_000, 1e-5) - 0.010335785844903855) < 1e-8);
    assert.ok(Math.abs(clopperPearsonUpper(50_000, 1_000_000, 0.025) - 0.05042896936846393) < 1e-9);
  });

  it("bounds: exact at their level, ordered, monotone in the errors", () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.001, max: 0.4, noNaN: true }), ([k, n], delta) => {
        const upper = clopperPearsonUpper(k, n, delta);
        const lower = clopperPearsonLower(k, n, delta);
        assert.ok(lower <= k / n + 1e-12 && upper >= k / n - 1e-12);
        if (k < n) {
          assert.ok(Math.abs(summed(k, n, upper) - delta) < 1e-8);
          assert.ok(clopperPearsonUpper(k + 1, n, delta) >= upper);
        } else assert.equal(upper, 1);
        if (k === 0) assert.equal(lower, 0);
        else assert.ok(Math.abs(1 - summed(k - 1, n, lower) - delta) < 1e-8);
      }),
    );
  });

  it("needs 59 rows without an error for a risk of 5 % at 95 %", () => {
    assert.ok(clopperPearsonUpper(0, 58, 0.05) > 0.05);
    assert.ok(clopperPearsonUpper(0, 59, 0.05) <= 0.05);
  });

  it("refuses impossible counts and knows nothing from no rows", () => {
    assert.throws(() => clopperPearsonUpper(3, 2, 0.05), /not possible/);
    assert.equal(clopperPearsonUpper(0, 0, 0.05), 1);
    assert.deepEqual(wilson(0, 0), { low: 0, high: 1 });
  });

  it("has Wilson's interval", () => {
    // statsmodels proportion_confint(81, 263, method="wilson") (Newcombe 1998, table I)
    const { low, high } = wilson(81, 263);
    assert.ok(Math.abs(low - 0.2553) < 5e-5 && Math.abs(high - 0.3662) < 5e-5);
  });

  it("has the normal quantile", () => {
    for (const [p, z] of [
      [0.975, 1.959963984540054],
      [0.95, 1.6448536269514722],
      [0.5, 0],
      [1e-10, -6.361340902404056],
    ]) {
      assert.ok(Math.abs(normalQuantile(p!) - z!) < 1e-9);
    }
  });
});
