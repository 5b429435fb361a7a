import assert from "node:assert/strict";
import fc from "fast-check";
import { descendingOrder } from "../../../server/src/confidence/order.ts";
import { seededPermutation, seededRandom } from "../../../server/src/confidence/random.ts";

describe("the order of scores", () => {
  it("falls, and keeps row order among equals", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 0.5, 1, -1))), (values) => {
        const scores = Float64Array.from(values);
        const expected = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
        // The comparator gives NaN for equal infinities.
        if (values.some((value) => !Number.isFinite(value))) return;
        assert.deepEqual([...descendingOrder(scores)], expected);
      }),
    );
  });

  it("puts infinities at the ends and refuses what is no number", () => {
    assert.deepEqual([...descendingOrder(Float64Array.of(0, -Infinity, Infinity))], [2, 0, 1]);
    assert.throws(() => descendingOrder(Float64Array.of(1, Number.NaN)), /Row 1/);
  });
});

describe("seeded random numbers", () => {
  it("repeat with the seed and differ between seeds", () => {
    const draws = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.uniform());
    };
    assert.deepEqual(draws(7), draws(7));
    assert.notDeepEqual(draws(7), draws(8));
  });

  it("have the moments they should", () => {
    const random = seededRandom(1);
    const n = 40_000;
    for (const mean of [0.3, 4, 12, 80, 5000]) {
      let sum = 0;
      let squares = 0;
      for (let i = 0; i < n; i++) {
        const value = random.poisson(mean);
        assert.ok(Number.isInteger(value) && value >= 0);
        sum += value;
        squares += value * value;
      }
      const measured = sum / n;
      const variance = squares / n - measured * measured;
      assert.ok(Math.abs(measured - mean) < 5 * Math.sqrt(mean / n), `mean ${measured} of ${mean}`);
      assert.ok(Math.abs(variance / mean - 1) < 0.05 + 5 / Math.sqrt(mean * n), `variance ${variance} of ${mean}`);
    }
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const value = random.normal();
      sum += value;
      squares += value * value;
    }
    assert.ok(Math.abs(sum / n) < 0.025 && Math.abs(squares / n - 1) < 0.04);
  });

  it("permute", () => {
    assert.deepEqual(
      [...seededPermutation(50, 3)].sort((a, b) => a - b),
      [...Array(50).keys()],
    );
  });
});
