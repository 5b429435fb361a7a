/** What models cost over volume, against the figures published for prompting and fine-tuning (2025), from their inputs. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { dollarsOf } from "../../../server/src/engines/chat/price.ts";
import { breakEven, machineDollars, reviewDollars, totalDollars } from "../../../server/src/evaluation/cost.ts";

const MILLION = 1e6;

describe("cost over volume", () => {
  it("$789 a million rows: 2.84 seconds a row on a machine of $1 an hour", () => {
    const line = { once: 0, row: machineDollars(2.84, 1) };
    assert.equal(Math.round(totalDollars(line, MILLION)), 789);
  });

  it("$48 to train: two days of it", () => {
    assert.equal(machineDollars(2 * 24 * 3600, 1), 48);
  });

  it("$11,485 a million prompted rows, and where the fine-tuned model has paid for itself", () => {
    // Only the sum is published as far as we know it: at $2.50 a million prompt tokens, 4,594 tokens a row make it.
    const row = dollarsOf({ prompt: 4594, completion: 0 }, { input_per_million: 2.5, output_per_million: 10 });
    assert.equal(Math.round(totalDollars({ once: 0, row }, MILLION)), 11_485);
    const tuned = { name: "tuned", once: machineDollars(48 * 3600, 1), row: machineDollars(2.84, 1) };
    const prompted = { name: "prompted", once: 0, row };
    const { first, later, rows } = breakEven(tuned, prompted);
    assert.deepEqual([first, later], ["prompted", "tuned"]);
    // 48 / (0.011485 − 0.000789)
    assert.equal(rows, 4488);
    // 13.9 rows a second on that machine are $20 a million.
    assert.ok(Math.abs(machineDollars(1 / 13.9, 1) * MILLION - 20) < 0.05);
  });

  it("reviews may cost more than any model", () => {
    const people = reviewDollars({ reviews: 0.29, errors: 0.01 }, { review: 0.5, error: 20 });
    assert.ok(Math.abs(people - 0.345) < 1e-12);
  });

  it("below the break-even the first costs no more, from it on the later", () => {
    const line = fc.record({
      once: fc.double({ min: 0, max: 1e4, noNaN: true }),
      row: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(line, line, (one, two) => {
        const [a, b] = [
          { name: "a", ...one },
          { name: "b", ...two },
        ];
        const { first, later, rows } = breakEven(a, b);
        assert.deepEqual(new Set([first, later]), new Set(["a", "b"]));
        const cost = (name: string, n: number) => totalDollars(name === "a" ? a : b, n);
        const slack = (n: number) => 1e-9 * (1 + cost(first, n) + cost(later, n));
        if (rows === null) for (const n of [0, 1, 1e6]) assert.ok(cost(first, n) <= cost(later, n) + slack(n));
        else if (rows < 1e12) {
          assert.ok(cost(later, rows) <= cost(first, rows) + slack(rows));
          if (rows > 0) assert.ok(cost(first, rows - 1) <= cost(later, rows - 1) + slack(rows));
        }
      }),
    );
  });
});
