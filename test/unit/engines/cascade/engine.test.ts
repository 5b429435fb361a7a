import assert from "node:assert/strict";
import type { JobModel } from "../../../../schemas/job.ts";
import { Model } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { cascadeEngine } from "../../../../server/src/engines/cascade/engine.ts";
import type { Engine } from "../../../../server/src/engines/engine.ts";
import { usageOf } from "../../../../server/src/evaluation/usage.ts";
import { jobOf, ran, remove, temporary } from "../chat/run.ts";

const SPLITS = ["tune", "validation", "test"] as const;
/** The first stage is right, and sure, where the text is even; else unsure and mostly wrong. */
const rows: JobRow[] = SPLITS.flatMap((split) =>
  Array.from(
    { length: 100 },
    (_, i): JobRow => ({
      row: `${split}-${i}`,
      split,
      inputs: { text: String(i) },
      labels: { label: i % 3 === 0 ? "bad" : "good" },
    }),
  ),
);

/** A stage that notes which rows it is asked. */
function stage(asked: Set<string>, answer: (row: JobRow) => [label: string, score: number], dollars?: number): Engine {
  return {
    async predict(run) {
      for (const row of run.rows) {
        if (!run.splits.includes(row.split)) continue;
        asked.add(row.row);
        const [label, score] = answer(row);
        const other = label === "good" ? "bad" : "good";
        run.predicted({
          row: row.row,
          target: "label",
          model: run.model.name,
          split: row.split,
          label,
          score,
          top: [
            [label, score],
            [other, 1 - score],
          ],
          rest: 0,
          ...(dollars === undefined ? {} : { dollars, seconds: 0.1, tokens: { prompt: 10, completion: 1 } }),
        });
      }
    },
  };
}

describe("engine cascade", () => {
  let folder: string;
  beforeEach(() => {
    folder = temporary();
  });
  afterEach(() => remove(folder));

  const run = async (options: { take?: number; agree?: boolean } = {}, cheapIsRight?: JobRow["split"]) => {
    const asked = { cheap: new Set<string>(), dear: new Set<string>() };
    const truth = (row: JobRow) => row.labels.label!;
    const engines: Record<string, Engine> = {
      cheap: stage(asked.cheap, (row) => {
        const i = Number(row.inputs.text);
        return i % 2 === 0 || row.split === cheapIsRight
          ? [truth(row), 0.9 + (i % 10) / 200]
          : [i % 5 === 0 ? truth(row) : "good", 0.55 + (i % 10) / 200];
      }),
      dear: stage(asked.dear, (row) => [truth(row), 0.99], 0.01),
    };
    const spec = Model.parse({ engine: "cascade", stages: ["cheap", "dear"], ...options });
    const stages = ["cheap", "dear"].map((name) => ({
      name,
      spec: Model.parse({ engine: "linear" }),
      training_spec: "0",
    }));
    const given = { rows, endpoint: { base_url: "http://127.0.0.1:1/v1" } };
    const model: JobModel = { name: "m", spec, training_spec: "0", stages };
    const { predictions, error } = await ran(
      cascadeEngine(({ name }) => engines[name]!),
      { ...given },
      folder,
      {
        job: { ...jobOf(given), models: [model] },
        model,
        splits: SPLITS,
      },
    );
    assert.equal(error, undefined);
    return { predictions, asked, model };
  };

  it("the first takes what it is surest of, the next sees only the rest", async () => {
    const { predictions, asked, model } = await run();
    assert.equal(predictions.length, 300);
    assert.equal(asked.cheap.size, 300);
    assert.ok(asked.dear.size >= 140 && asked.dear.size <= 160, `${asked.dear.size}`);
    for (const { row, stage: by } of predictions) assert.equal(by, asked.dear.has(row) ? "dear" : "cheap");
    const usage = usageOf(model, new Map([["label", new Map(predictions.map((one) => [one.row, one]))]]), new Map());
    assert.deepEqual(
      usage.stages!.map(({ seen, decided }) => [seen, decided]),
      [
        [300, 300 - asked.dear.size],
        [asked.dear.size, asked.dear.size],
      ],
    );
    assert.equal(usage.cost!.toFixed(6), (asked.dear.size * 0.01).toFixed(6));
    assert.equal(usage.stages![1]!.cost_alone!.toFixed(6), "3.000000");
    assert.equal(usage.calls!.latency!.median, 0.1);
  });

  it("scores of all stages are on one scale, and each line is a distribution", async () => {
    const { predictions } = await run();
    for (const { label, score, top, rest } of predictions) {
      assert.equal(top[0]![0], label);
      assert.equal(top[0]![1], score);
      const sum = top.reduce((total, [, p]) => total + p, rest);
      assert.ok(Math.abs(sum - 1) < 1e-4, String(sum));
    }
    // The cheap stage's sure rows are right without fail on tune; 0.9 of its own would say less.
    const sure = predictions.filter(({ stage: by }) => by === "cheap").map(({ score }) => score);
    assert.ok(Math.min(...sure) >= 0.95);
  });

  it("takes less when it must be surer", async () => {
    const { asked: usual } = await run();
    const { asked: strict } = await run({ take: 0.999999 });
    assert.ok(strict.dear.size > usual.dear.size);
  });

  it("a stage that is right on all tune rows takes what its own score is sure of, not everything", async () => {
    const { predictions, asked } = await run({ take: 0.92 }, "tune");
    for (const { row, split, stage: by } of predictions) {
      const i = Number(row.split("-")[1]);
      if (split !== "tune") assert.equal(by, i % 2 === 0 && 0.9 + (i % 10) / 200 >= 0.92 ? "cheap" : "dear", row);
    }
    assert.ok(asked.dear.size > 100);
  });

  it("with agree the last stage decides every row, and rows that another labels otherwise say so", async () => {
    const { predictions, asked, model } = await run({ agree: true });
    assert.deepEqual([asked.cheap.size, asked.dear.size], [300, 300]);
    const apart = new Set(
      rows
        .filter(({ inputs, labels }) => {
          const i = Number(inputs.text);
          return i % 2 === 1 && i % 5 !== 0 && labels.label !== "good";
        })
        .map(({ row }) => row),
    );
    assert.ok(apart.size > 30);
    for (const { row, label, score, disagrees } of predictions) {
      assert.equal(label, rows.find((one) => one.row === row)!.labels.label);
      assert.equal(score, 0.99);
      assert.equal(disagrees === true, apart.has(row), row);
    }
    const usage = usageOf(model, new Map([["label", new Map(predictions.map((one) => [one.row, one]))]]), new Map());
    assert.equal(usage.cost!.toFixed(6), "3.000000");
    assert.equal(usage.stages, undefined);
  });
});
