import assert from "node:assert/strict";
import fc from "fast-check";
import { matrixOf, ORDERS, type Order, orderLabels } from "../../../client/webview/report/cells.ts";
import {
  atCoverage,
  atThreshold,
  breakEven,
  cheapest,
  costOf,
  pointsOf,
  thinned,
  wilson,
} from "../../../client/webview/report/curve.ts";
import { seriesColour, seriesDash, trainingLegend } from "../../../client/webview/report/trainingSeries.ts";
import { asTsv } from "../../../client/webview/report/tsv.ts";
import { inView, zoomed } from "../../../client/webview/report/view.ts";
import { count, share, words } from "../../../client/webview/report/words.ts";

describe("the risk–coverage curve of a report", () => {
  // Ten rows: two never accepted, five at .9 (one wrong), two at .8 (both wrong), one at .5.
  const curve = { n: 10, confidence: [9000, 8000, 5000], rows: [5, 2, 1], wrong: [1, 2, 0] };
  const points = pointsOf(curve);

  it("says what a threshold accepts", () => {
    assert.deepEqual(atThreshold(points, 0.9), { confidence: 0.9, accepted: 5, wrong: 1, coverage: 0.5, risk: 0.2 });
    assert.equal(atThreshold(points, 0.9001).accepted, 0);
    assert.equal(atThreshold(points, 0.8).accepted, 7);
    assert.equal(atThreshold(points, 0).accepted, 8);
    assert.equal(atThreshold(points, 1).risk, null);
    assert.equal(atCoverage(points, 0.68).confidence, 0.8);
  });

  it("says what it costs, and where it pays", () => {
    const prices = { error: 3, review: 1 };
    assert.equal(costOf(atThreshold(points, 0.9), 10, prices), (3 + 5) / 10);
    assert.equal(cheapest(points, 10, prices).confidence, 0.9);
    assert.equal(cheapest(points, 10, { error: 100, review: 1 }).accepted, 0);
    assert.equal(breakEven(atThreshold(points, 0.9)), 5);
    // At the break-even price accepting costs what reviewing everything costs.
    assert.equal(costOf(atThreshold(points, 0.9), 10, { error: 5, review: 1 }), 1);
    assert.equal(breakEven(atThreshold(points, 1)), null);
  });

  it("keeps first and last where it is thinned", () => {
    assert.deepEqual(thinned([1, 2, 3, 4, 5], 3), [1, 3, 5]);
    assert.deepEqual(thinned([1, 2], 3), [1, 2]);
    const { low, high } = wilson(5, 10);
    assert.ok(Math.abs(low - 0.2366) < 1e-4 && Math.abs(high - 0.7634) < 1e-4);
  });
});

describe("the confusion matrix of a report", () => {
  const reported = (pairs: [number, number][]) => ({
    rows: null,
    given: pairs.map(([given]) => given),
    predicted: pairs.map(([, predicted]) => predicted),
    confidence: pairs.map(() => 0),
  });

  it("counts cells, and rows without an answer", () => {
    const matrix = matrixOf(
      reported([
        [0, 0],
        [0, 1],
        [0, 1],
        [2, -1],
      ]),
      3,
    );
    assert.deepEqual(matrix.cells, [
      { given: 0, predicted: 0, count: 1 },
      { given: 0, predicted: 1, count: 2 },
      { given: 2, predicted: -1, count: 1 },
    ]);
    assert.deepEqual([matrix.given, matrix.predicted, matrix.unanswered], [[3, 0, 1], [1, 2, 0], 1]);
  });

  it("brings what is confused together", () => {
    const matrix = matrixOf(
      reported([
        [0, 4],
        [4, 0],
        [1, 3],
        [3, 1],
        [2, 2],
        [0, 0],
        [1, 1],
        [3, 3],
        [4, 4],
      ]),
      5,
    );
    const order = orderLabels(matrix, ["a", "b", "c", "d", "e"], "alike");
    assert.equal(Math.abs(order.indexOf(0) - order.indexOf(4)), 1);
    assert.equal(Math.abs(order.indexOf(1) - order.indexOf(3)), 1);
  });

  it("has each label that occurs once, in every order", () => {
    const pairs = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: -1, max: 9 })), { maxLength: 60 });
    fc.assert(
      fc.property(pairs, fc.constantFrom(...(Object.keys(ORDERS) as Order[])), (of, order) => {
        const matrix = matrixOf(reported(of), 10);
        const labels = Array.from("abcdefghij");
        const seen = new Set(of.flat().filter((label) => label >= 0));
        const ordered = orderLabels(matrix, labels, order);
        assert.equal(ordered.length, seen.size);
        assert.deepEqual(new Set(ordered), seen);
      }),
    );
  });

  it("is zoomed and moved within its bounds", () => {
    assert.deepEqual(zoomed({ x: 0, y: 0, span: 100 }, 0.5, 100), { x: 25, y: 25, span: 50 });
    assert.deepEqual(zoomed({ x: 25, y: 25, span: 50 }, 4, 100), { x: 0, y: 0, span: 100 });
    // What is pointed at stays where it is.
    assert.deepEqual(zoomed({ x: 0, y: 0, span: 100 }, 0.5, 100, { x: 0, y: 100 }), { x: 0, y: 50, span: 50 });
    assert.deepEqual(inView({ x: 0, y: 0, span: 10 }, { line: 14, column: 3 }), { x: 0, y: 5, span: 10 });
  });
});

describe("a table of a report as tab-separated values", () => {
  it("keeps a cell one cell", () => {
    const rows = [[words("two\nlines\tand a tab"), count(1234), share({ value: 0.5, low: 0.4, high: 0.6 })]];
    assert.equal(
      asTsv(["label", "rows", "recall"], rows),
      "label\trows\trecall\ntwo lines and a tab\t1,234\t50.0 % 40.0 to 60.0 %",
    );
  });
});

describe("names of training curves", () => {
  const series = Array.from({ length: 14 }, (_, i) => ({
    name: "accuracy",
    target: i < 13 ? `target number ${i}` : "a target whose name is longer than a line of it can be",
    split: "validation",
    points: [[1, 0.5]] as [number, number][],
  }));

  for (const width of [140, 300, 460]) {
    it(`are those of all curves, side by side as far as ${width} pixels go`, () => {
      const { entries, height } = trainingLegend(series, width);
      assert.deepEqual(
        entries.map(({ name }) => name),
        series.map(({ target }) => `${target}, validation`),
      );
      for (const [i, { x, y, words, colour, dash }] of entries.entries()) {
        assert.equal(colour, seriesColour(i));
        assert.equal(dash ?? "none", seriesDash(i));
        const end = x + 18 + 6 * words.length;
        assert.ok(end <= width, `${words} ends at ${end}`);
        assert.ok(y < height);
        const next = entries[i + 1];
        if (next?.y === y) assert.ok(next.x > end, `${next.words} stands on ${words}`);
      }
      assert.equal(new Set(entries.map(({ x, y }) => `${x} ${y}`)).size, series.length);
    });
  }

  it("stand in one line where there is room", () => {
    const two = ["tune", "validation"].map((split) => ({ ...series[0]!, target: null, split }));
    const { entries, height } = trainingLegend(two, 460);
    assert.equal(new Set(entries.map(({ y }) => y)).size, 1);
    assert.equal(height, 26);
  });
});
