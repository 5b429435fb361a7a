import assert from "node:assert/strict";
import type { Prediction } from "../../../schemas/predictions.ts";
import { Model } from "../../../schemas/project.ts";
import { usageOf } from "../../../server/src/evaluation/usage.ts";

describe("usageOf", () => {
  it("of a model on a priced host: tokens, latency and dollars a row, and where the price is from", () => {
    const line = (row: string, seconds: number): Prediction => ({
      row,
      target: "t",
      model: "m",
      split: "test",
      label: "a",
      score: 1,
      top: [["a", 1]],
      rest: 0,
      tokens: { prompt: 30, completion: 10, cached: 20 },
      seconds,
      dollars: seconds / 4,
    });
    const rows = new Map([1, 2, 3].map((seconds) => [`r${seconds}`, line(`r${seconds}`, seconds)]));
    const model = { name: "m", spec: Model.parse({ engine: "qlora", base: "b" }), training_spec: "0".repeat(64) };
    const usage = usageOf(model, new Map([["t", rows]]), new Map());
    assert.deepEqual(usage.tokens, { prompt: 90, completion: 30 });
    assert.equal(usage.cost, 1.5);
    assert.deepEqual(usage.calls, {
      rows: 3,
      latency: { median: 2, p95: 3 },
      cost_per_row: 0.5,
      price_from: "the host's price_per_hour",
      problems: {},
    });
  });
});
