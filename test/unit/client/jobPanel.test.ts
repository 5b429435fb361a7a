import assert from "node:assert/strict";
import {
  createFigures,
  drawn,
  figureWords,
  hasLine,
  MOST_POINTS,
  overDecades,
} from "../../../client/webview/job/figures.ts";
import {
  endOf,
  MOST_PIECES,
  NO_LOG,
  placesOf,
  startOf,
  withEarlier,
  withLater,
} from "../../../client/webview/job/log.ts";
import type { JobEvent } from "../../../schemas/events.ts";

type Metric = Extract<JobEvent, { type: "metric" }>;
const metric = (given: Partial<Metric>): Metric => ({
  ...{ seq: 1, time: "2026-11-22T00:00:00Z", type: "metric", name: "loss", value: 1 },
  ...given,
});

describe("figures of a job", () => {
  it("are a line for each model, target and split", () => {
    const figures = createFigures();
    for (let step = 1; step <= 3; step++) figures.add(metric({ step, value: 1 / step, split: "train" }));
    figures.add(metric({ step: 3, value: 0.5, split: "tune" }));
    figures.add(metric({ name: "accuracy", value: 0.8, model: "baseline", target: "label", split: "test" }));
    const [loss, accuracy] = figures.all();
    assert.deepEqual(
      loss!.series.map(({ name, count, low, high, last }) => [name, count, low, high, last.x]),
      [
        ["train", 3, 1 / 3, 1, 3],
        ["tune", 1, 0.5, 0.5, 3],
      ],
    );
    assert.equal(loss!.axis, "step");
    assert.deepEqual([hasLine(loss!), hasLine(accuracy!)], [true, false]);
    assert.equal(accuracy!.series[0]!.name, "baseline · label · test");
  });

  it("stay few however long the job runs, with the newest among them and the extremes known", () => {
    const figures = createFigures();
    const steps = 30_000;
    for (let step = 1; step <= steps; step++) figures.add(metric({ step, value: step === 777 ? -5 : step }));
    const [series] = figures.all()[0]!.series;
    assert.ok(series!.points.length <= MOST_POINTS, `${series!.points.length}`);
    assert.ok(series!.points.length > MOST_POINTS / 4);
    assert.deepEqual(drawn(series!).at(-1), { x: steps, y: steps });
    assert.deepEqual([series!.count, series!.low, series!.high], [steps, -5, steps]);
    const xs = series!.points.map(({ x }) => x);
    const gaps = new Set(xs.slice(1).map((x, i) => x - xs[i]!));
    assert.equal(gaps.size, 1, "evenly spread");
  });

  it("count reports where there is neither step nor epoch", () => {
    const figures = createFigures();
    for (const value of [5, 6]) figures.add(metric({ name: "rows a second", value }));
    const [figure] = figures.all();
    assert.equal(figure!.axis, "report");
    assert.deepEqual(drawn(figure!.series[0]!), [
      { x: 1, y: 5 },
      { x: 2, y: 6 },
    ]);
  });

  it("know a search over decades from the steps of a training", () => {
    const of = (steps: number[]) => {
      const figures = createFigures();
      for (const step of steps) figures.add(metric({ step }));
      return overDecades(figures.all()[0]!);
    };
    assert.equal(of([0.1, 1, 10, 100]), true);
    assert.equal(of([1, 2, 3, 4]), false);
    assert.equal(of(Array.from({ length: 1000 }, (_, i) => i + 1)), false);
  });

  it("are written as people read them", () => {
    assert.deepEqual([0.41321, 12_345, 1234.5, 0, 1.234e-7, -0.5, Number.NaN].map(figureWords), [
      ...["0.4132", "12,345", "1,235", "0", "1.23e-7", "-0.5", "NaN"],
    ]);
  });
});

describe("the log on hand", () => {
  const big = "x".repeat(200_000);
  const piece = (start: number, text: string) => ({ text, start, offset: start + text.length });

  it("grows at its end, and lets its beginning go", () => {
    let log = NO_LOG;
    let at = 0;
    for (let i = 0; i < MOST_PIECES + 3; i++) {
      log = withLater(log, piece(at, big), at + big.length);
      at += big.length;
    }
    assert.equal(log.pieces.length, MOST_PIECES);
    assert.deepEqual([startOf(log), endOf(log)], [3 * big.length, at]);
    const grown = withLater(log, piece(at, "a line\n"), at + 7);
    assert.equal(grown.pieces.length, MOST_PIECES, "a drop joins the last piece");
    assert.equal(endOf(grown), at + 7);
  });

  it("is read backwards, and lets its end go", () => {
    let log = withLater(NO_LOG, piece(10 * big.length, big), 11 * big.length);
    for (let i = 9; i >= 2; i--) log = withEarlier(log, piece(i * big.length, big), 11 * big.length);
    assert.equal(log.pieces.length, MOST_PIECES);
    assert.deepEqual([startOf(log), endOf(log)], [2 * big.length, (2 + MOST_PIECES) * big.length]);
  });

  it("starts anew at another place, and keeps what it has when nothing comes", () => {
    const log = withLater(NO_LOG, piece(0, "one\n"), 100);
    assert.deepEqual(withLater(log, piece(50, "two\n"), 100).pieces, [piece(50, "two\n")]);
    assert.deepEqual(withLater(log, piece(4, ""), 120), { pieces: log.pieces, size: 120 });
  });

  it("is searched without regard to case", () => {
    assert.deepEqual(placesOf("Error: error, ERROR", "error", 10), [0, 7, 14]);
    assert.deepEqual(placesOf("aaaa", "aa", 1), [0]);
    assert.deepEqual(placesOf("anything", "", 10), []);
    // A letter that is longer when small.
    assert.deepEqual(placesOf("İ error", "error", 10), []);
  });
});
