import assert from "node:assert/strict";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import { learningCurve } from "../../../server/src/evaluation/learningCurve.ts";

describe("the learning curve", () => {
  const accuracy = (n: number) => 1 - (0.05 + 2 * n ** -0.5);
  const sizes = [250, 500, 1000, 2000, 4000];

  it("finds the curve that made the points, and what twice the data gives", () => {
    const rows = 1_000_000;
    const curve = learningCurve(
      sizes.map((trained) => ({ trained, rows, right: Math.round(rows * accuracy(trained)) })),
    );
    assert.ok(Math.abs(curve.decay - 0.5) < 0.03 && Math.abs(curve.floor - 0.05) < 0.005);
    assert.ok(Math.abs(curve.forecasts[0]!.value - accuracy(8000)) < 0.001);
    assert.equal(curve.forecasts[0]!.trained, 8000);
    assert.ok(Math.abs(curve.gainOfDoubling.value - (accuracy(8000) - accuracy(4000))) < 0.001);
  });

  it("holds the truth in its interval most of the time", () => {
    const random = seededRandom(3);
    let held = 0;
    for (let draw = 0; draw < 30; draw++) {
      const points = sizes.map((trained) => {
        let right = 0;
        for (let i = 0; i < 1000; i++) if (random.uniform() < accuracy(trained)) right++;
        return { trained, rows: 1000, right };
      });
      const { low, high } = learningCurve(points, [8000], draw).forecasts[0]!;
      if (low <= accuracy(8000) && accuracy(8000) <= high) held++;
    }
    assert.ok(held >= 24, `${held} of 30`);
  });

  it("promises no gain from a flat curve and refuses too few points", () => {
    const flat = learningCurve(sizes.map((trained) => ({ trained, rows: 1000, right: 800 })));
    assert.ok(flat.gainOfDoubling.value < 0.005);
    assert.throws(() => learningCurve([{ trained: 1, rows: 1, right: 1 }]), /three different/);
  });
});
