import assert from "node:assert/strict";
import type { Job } from "../../../schemas/job.ts";
import { Model } from "../../../schemas/project.ts";
import { jobChanges, jobFacts } from "../../../server/src/jobs/difference.ts";
import { madeJob, madeTarget } from "../made-job.ts";

const model = (spec: object): Job["models"][number] => ({
  name: "baseline",
  spec: Model.parse({ engine: "linear", ...spec }),
  training_spec: "0",
});
const job = (given: Parameters<typeof madeJob>[0] = {}) => madeJob({ models: [model({})], ...given });

describe("what differs from the job before", () => {
  it("is nothing for the same job, made anew", () => {
    const later = job({ id: "20261122-0001-made-00000001", created: "2026-11-22T00:01:00Z" });
    assert.deepEqual(jobChanges(job(), later), []);
  });

  it("tells labels of one name in two targets apart", () => {
    const task = (ofBody: string): Job["task"] => ({
      inputs: [{ column: "text", name: "text" }],
      targets: [
        { ...madeTarget("event", []), labels: [{ name: "Other", description: "any other event" }] },
        { ...madeTarget("body", []), labels: [{ name: "Other", description: ofBody, aliases: ["rest"] }] },
      ],
    });
    assert.deepEqual(jobChanges(job({ task: task("a part") }), job({ task: task("a part") })), []);
    assert.deepEqual(jobChanges(job({ task: task("a part") }), job({ task: task("any part") })), [
      { section: "Task", name: "description of Other of body", before: "a part", after: "any part", list: false },
    ]);
  });

  it("names a setting of the model with both values", () => {
    const later = job({ models: [model({ regularisation: 0.5 })] });
    assert.deepEqual(jobChanges(job(), later), [
      { section: "Model baseline", name: "regularisation", before: "auto", after: "0.5", list: false },
    ]);
  });

  it("says which labels came and which left", () => {
    const task = (...labels: string[]): Job["task"] => ({
      inputs: [{ column: "text", name: "text" }],
      targets: [madeTarget("label", labels)],
    });
    const [change, ...more] = jobChanges(
      job({ task: task("good", "bad") }),
      job({ task: task("good", "awful", "odd") }),
    );
    assert.deepEqual(more, []);
    assert.deepEqual(change, { section: "Task", name: "labels", before: "bad", after: "awful, odd", list: true });
    // The order of labels is a fact too: both orders are shown.
    const [turned] = jobChanges(job({ task: task("good", "bad") }), job({ task: task("bad", "good") }));
    assert.equal(turned?.list, false);
  });

  it("sees other rows by fingerprint and counts", () => {
    const data = (fingerprint: string, train: number, decisions: number) => ({
      fingerprint,
      rows: { train },
      decisions,
    });
    const changes = jobChanges(job({ data: data("a", 80, 0) }), job({ data: data("b", 1085, 5) }));
    assert.deepEqual(
      changes.map(({ section, name, before, after }) => [section, name, before, after]),
      [
        ["Data", "fingerprint", "a", "b"],
        ["Data", "train rows", "80", "1,085"],
        ["Data", "rows with a decision", "0", "5"],
      ],
    );
  });

  it("says what was added and what is gone", () => {
    const before = job({ versions: { clf: "0.1.0", node: "24" }, options: { splits: ["test"], uses: [1] } });
    const after = job({ versions: { clf: "0.1.0" }, options: { splits: ["test"], learningCurve: true, uses: [1, 2] } });
    assert.deepEqual(jobChanges(before, after), [
      { section: "Run", name: "learningCurve", before: null, after: "yes", list: false },
      { section: "Run", name: "version.node", before: "24", after: null, list: false },
    ]);
  });

  it("bounds what is shown of long texts and lists", () => {
    const labels = Array.from({ length: 282 }, (_, i) => `label ${i}`);
    const task: Job["task"] = {
      instructions: "x".repeat(100_000),
      inputs: [{ column: "text", name: "text" }],
      targets: [madeTarget("label", labels)],
    };
    const facts = jobFacts(job({ task }));
    assert.ok(facts.every(({ value }) => value.length < 1000));
    assert.match(facts.find(({ name }) => name === "labels")!.value, /^label 0, .* and 270 more$/);
  });
});
