import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "../../../../schemas/job.ts";
import type { Prediction } from "../../../../schemas/predictions.ts";
import { Confidence, Model } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { linearEngine } from "../../../../server/src/engines/linear/engine.ts";

const WORDS = { x: ["apple", "pear"], y: ["stone", "gravel"] };
const rows = Array.from({ length: 40 }, (_, i): JobRow => {
  const label = i % 2 ? "x" : "y";
  const text = `${WORDS[label][i % 4 < 2 ? 0 : 1]} number ${i}`;
  return { row: `${i}`, split: i % 8 === 0 ? "tune" : "train", inputs: { text }, labels: { label } };
});
const model = { name: "m", spec: Model.parse({ engine: "linear" }), training_spec: "" };

function jobOf(validation: boolean): Job {
  return {
    contract: 1,
    id: "20260101-0000-m-000000",
    kind: "evaluate",
    project: { name: "made", file: "/made.clf.yaml" },
    models: [model],
    host: { name: "local", kind: "local" },
    task: {
      inputs: [{ column: "text", name: "text" }],
      targets: [{ name: "label", column: "label", labels: [{ name: "x" }, { name: "y" }] }],
    },
    data: {
      fingerprint: "",
      rows: {},
      decisions: 0,
      sampling: { left_out: 0, dropped_labels: {}, applied: "train" },
      validation,
      grouped: false,
    },
    confidence: Confidence.parse({}),
    seed: 1,
    created: "2026-01-01T00:00:00.000Z",
    versions: {},
    options: {},
  };
}

describe("linear engine", () => {
  const artifact = mkdtempSync(join(tmpdir(), "clf-linear-"));
  after(() => rmSync(artifact, { recursive: true, force: true }));

  it("gives out-of-fold predictions where the validation rows of the fine-tune are gone", async () => {
    const run = { model, rows, threads: 1, signal: new AbortController().signal, emit: () => {} };
    await linearEngine.fineTune!({ ...run, job: jobOf(true), artifact });
    const made: Prediction[] = [];
    await linearEngine.predict({
      ...run,
      job: jobOf(false),
      artifact,
      splits: ["tune", "test"],
      outOfFold: true,
      done: () => false,
      predicted: (prediction) => made.push(prediction),
    });
    assert.deepEqual(
      made.map(({ row }) => row),
      rows.map(({ row }) => row),
    );
    assert.ok(made.every(({ fold }) => fold !== undefined));
  });
});
