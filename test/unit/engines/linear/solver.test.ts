import assert from "node:assert/strict";
import fc from "fast-check";
import { createKernel } from "../../../../server/src/engines/linear/kernel.ts";
import { seededRandom } from "../../../../server/src/engines/linear/random.ts";
import { solveRow } from "../../../../server/src/engines/linear/row-solution.ts";
import { BIAS, loadRow, Solver } from "../../../../server/src/engines/linear/solver.ts";
import type { WeightedRows } from "../../../../server/src/engines/linear/weighting.ts";

/** Random sparse rows of length 1. */
function randomRows(rows: number, features: number, entries: number, seed: number): WeightedRows {
  const random = seededRandom(seed);
  const columns = Int32Array.from({ length: rows * entries }, (_, j) =>
    Math.floor(((j % entries) + random()) * (features / entries)),
  );
  const values = Float32Array.from({ length: rows * entries }, () => random() + 0.1);
  for (let i = 0; i < rows; i++) {
    const row = values.subarray(i * entries, (i + 1) * entries);
    const length = Math.hypot(...row);
    for (let j = 0; j < entries; j++) row[j]! /= length;
  }
  return { starts: Float64Array.from({ length: rows + 1 }, (_, i) => i * entries), columns, values };
}

describe("linear solver", () => {
  it("solves a row to the fixed point α = softmax(v − qα), whatever the scores, the α before and the guess", () => {
    const value = fc.double({ min: -50, max: 50, noNaN: true });
    const weight = fc.double({ min: 0, max: 1, noNaN: true });
    const row = fc.array(fc.tuple(value, weight), { minLength: 2, maxLength: 20 });
    const positive = fc.double({ min: 0.01, max: 3000, noNaN: true });
    const guess = fc.oneof(fc.constant(Number.NaN), fc.double({ min: -300, max: 300, noNaN: true }));
    fc.assert(
      fc.property(row, positive, guess, (labels, q, start) => {
        const classes = labels.length;
        const kernel = createKernel(1, classes, 1);
        const total = labels.reduce((sum, [, w]) => sum + w + 0.01, 0);
        labels.forEach(([z, w], k) => {
          kernel.output[k] = z;
          kernel.alpha[k] = (w + 0.01) / total;
        });
        const [z, before] = [kernel.output.slice(), kernel.alpha.slice()];
        const { tau, movement } = solveRow(kernel, { q, c: 2, start });
        // A few more visits, as passes over the rows make, take the rounding of the first one out.
        let last = tau;
        for (let visit = 0; visit < 3; visit++) {
          for (let k = 0; k < classes; k++) kernel.output[k] = z[k]! - q * (kernel.alpha[k]! - before[k]!);
          last = solveRow(kernel, { q, c: 2, start: last }).tau;
        }
        const alpha = kernel.alpha.subarray(0, classes);
        const scores = Array.from(alpha, (a, k) => z[k]! - q * (a - before[k]!));
        const largest = Math.max(...scores);
        const normaliser = largest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0));
        assert.ok(Math.abs(last - normaliser) < 0.02, `τ ${last} instead of ${normaliser}`);
        for (let k = 0; k < classes; k++) {
          // The bound allows for float32: q multiplies the rounding of α in the exponent.
          assert.ok(Math.abs(Math.exp(scores[k]! - normaliser) - alpha[k]!) < 0.005, `α[${k}]`);
        }
        assert.ok(Math.abs(alpha.reduce((sum, a) => sum + a, 0) - 1) < 1e-3);
        assert.ok(movement >= 0 && movement < 1.001);
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves the padding out of account where all scores are negative and q is small", () => {
    const kernel = createKernel(1, 2, 1);
    kernel.output.set([-3, -18]);
    kernel.alpha.set([0.5, 0.5]);
    solveRow(kernel, { q: 0.01, c: 1, start: Number.NaN });
    assert.ok(kernel.alpha[0]! > 0.999, `α ${kernel.alpha[0]}`);
  });

  it("gives the weights' change beside the new α", () => {
    const kernel = createKernel(1, 3, 1);
    kernel.output.set([1, -2, 0.5]);
    kernel.alpha.set([0, 1, 0]);
    const { movement } = solveRow(kernel, { q: 4, c: 3, start: Number.NaN });
    const change = [0, 1, 0].map((a, k) => kernel.alpha[k]! - a);
    for (let k = 0; k < 3; k++) assert.ok(Math.abs(kernel.delta[k]! + 3 * change[k]!) < 1e-6);
    assert.ok(Math.abs(movement - change.reduce((sum, c) => sum + Math.abs(c), 0) / 2) < 1e-6);
    assert.equal(kernel.alpha[3], 0);
  });

  it("runs the same sums in WebAssembly as in JavaScript", () => {
    for (const labels of [1, 2, 4, 5, 31, 32, 33, 77, 282, 5000]) {
      const kernel = createKernel(50, labels, 10);
      const random = seededRandom(labels);
      for (let f = 0; f < 50; f++)
        for (let k = 0; k < labels; k++) kernel.weights[f * kernel.stride + k] = random() - 0.5;
      const expected = new Float32Array(labels);
      for (let j = 0; j < 7; j++) {
        kernel.columns[j] = (j * 13) % 50;
        kernel.values[j] = random();
        for (let k = 0; k < labels; k++) {
          expected[k]! += Math.fround(kernel.values[j]! * kernel.weights[kernel.columns[j]! * kernel.stride + k]!);
        }
      }
      kernel.scores(7);
      assert.deepEqual([...kernel.output.subarray(0, labels)], [...expected]);
      const before = kernel.weights.slice();
      for (let k = 0; k < labels; k++) kernel.delta[k] = random();
      kernel.update(7);
      for (let j = 0; j < 7; j++) {
        for (let k = 0; k < labels; k++) {
          before[kernel.columns[j]! * kernel.stride + k]! += Math.fround(kernel.values[j]! * kernel.delta[k]!);
        }
      }
      assert.deepEqual(kernel.weights, before);
    }
  });

  it("refuses weights that no memory holds", () => {
    assert.throws(() => createKernel(2e9, 77, 10), /do not fit in memory/);
  });

  it("reaches the optimum: the gradient of the regularised log loss is 0", () => {
    const [rowCount, features, entries, classes, c] = [120, 40, 6, 5, 3];
    const rows = randomRows(rowCount, features, entries, 7);
    const random = seededRandom(8);
    const labels = Int32Array.from({ length: rowCount }, () => Math.floor(random() * classes));
    const weights = Float32Array.from({ length: rowCount }, () => 0.5 + random());
    const solver = new Solver({ rows, features, labels, classes, weights, rowCapacity: entries + 1, seed: 1 });
    solver.fit(c, { maxEpochs: 500, tolerance: 1e-5 }, () => {});
    const { kernel } = solver;
    // Gradient: W − Σ cᵢ (e_yᵢ − softmax(zᵢ)) xᵢᵀ
    const gradient = Float64Array.from(kernel.weights);
    for (let i = 0; i < rowCount; i++) {
      const n = loadRow(rows, i, kernel);
      kernel.scores(n);
      const exponentials = Array.from({ length: classes }, (_, k) => Math.exp(kernel.output[k]!));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < classes; k++) {
          const residual = (labels[i] === k ? 1 : 0) - exponentials[k]! / sum;
          gradient[kernel.columns[j]! * kernel.stride + k]! -= c * weights[i]! * residual * kernel.values[j]!;
        }
      }
    }
    assert.ok(Math.max(...gradient.map(Math.abs)) < 2e-3, `largest: ${Math.max(...gradient.map(Math.abs))}`);
    assert.ok(BIAS > 0);
  });

  it("reaches the same optimum by way of a smaller or a larger C", () => {
    const rows = randomRows(80, 30, 5, 3);
    const labels = Int32Array.from({ length: 80 }, (_, i) => (i * 7) % 3);
    const fit = (...path: number[]) => {
      const solver = new Solver({ rows, features: 30, labels, classes: 3, rowCapacity: 6, seed: 1 });
      for (const c of path) solver.fit(c, { maxEpochs: 500, tolerance: 1e-5 }, () => {});
      return solver.kernel.weights;
    };
    const direct = fit(5);
    for (const path of [fit(0.5, 5), fit(50, 5)]) {
      for (let i = 0; i < direct.length; i++) assert.ok(Math.abs(path[i]! - direct[i]!) < 2e-3);
    }
  });

  it("reaches the same optimum from dual variables of some of the rows, sooner", () => {
    const rows = randomRows(80, 30, 5, 3);
    const problem = { features: 30, classes: 3, rowCapacity: 6, seed: 1 };
    const labels = Int32Array.from({ length: 80 }, (_, i) => (i * 7) % 3);
    const weights = Float32Array.from(labels, (_, i) => 0.5 + (i % 4) / 4);
    const tight = { maxEpochs: 500, tolerance: 1e-5 };
    const some = Int32Array.from({ length: 70 }, (_, i) => i + (i >= 35 ? 10 : 0));
    const part = new Solver({
      ...problem,
      rows: { starts: rows.starts, columns: rows.columns, values: rows.values },
      labels,
      // The other rows weigh nothing: this is a fit of the 70 alone.
      weights: weights.map((weight, i) => (some.includes(i) ? weight : 0)),
    });
    part.fit(5, tight, () => {});
    const alpha = part.dualVariables();
    const solver = () => new Solver({ ...problem, rows, labels, weights });
    const [cold, warm] = [solver(), solver()];
    const alphaOfSome = Float32Array.from(
      { length: some.length * 3 },
      (_, j) => alpha[some[Math.floor(j / 3)]! * 3 + (j % 3)]!,
    );
    warm.startFrom(5, some, alphaOfSome);
    const passes = { cold: cold.fit(5, tight, () => {}), warm: warm.fit(5, tight, () => {}) };
    for (let i = 0; i < cold.kernel.weights.length; i++) {
      assert.ok(Math.abs(warm.kernel.weights[i]! - cold.kernel.weights[i]!) < 2e-3);
    }
    assert.ok(passes.warm < passes.cold, JSON.stringify(passes));
  });
});
