import assert from "node:assert/strict";
import { loadProject } from "../../../server/src/project/load.ts";
import { canonicalJson, trainingSpecHash } from "../../../server/src/project/training-spec.ts";

const BASE = `version: 1
dataset:
  source: a.csv
task:
  instructions: What is it?
  inputs: [Text]
  targets: [{ column: Kind, labels: [A, { name: B, description: the second }] }]
models:
  linear: { engine: linear }
  tuned: { engine: qlora, base: x, host: a10g, epochs: 2 }
  both: { engine: cascade, stages: [linear, tuned] }
hosts:
  a10g: { kind: ssh, address: me@there, price_per_hour: 1 }
`;

async function hashes(text: string) {
  const { project, problems } = await loadProject("/nowhere/x.clf.yaml", { text });
  assert.ok(project, JSON.stringify(problems));
  return Object.fromEntries(["linear", "tuned", "both"].map((name) => [name, trainingSpecHash(project, name)]));
}

describe("trainingSpecHash", () => {
  /** Edit, and the models that are stale after it. */
  const edits: [name: string, from: string, to: string, stale: string[]][] = [
    ["a default written out", "{ engine: linear }", "{ class_weight: none, engine: linear }", []],
    [
      "a comment and another order",
      "dataset:\n  source: a.csv\n",
      "# new\ndataset:\n  split: {}\n  source: a.csv\n",
      [],
    ],
    ["the data file", "source: a.csv", "source: b.csv", []],
    ["the price", "price_per_hour: 1", "price_per_hour: 2", []],
    ["the host", ", host: a10g", "", []],
    ["the accept rule", "hosts:", "confidence: { accept: { risk: 0.1 } }\nhosts:", []],
    ["never", "{ column: Kind,", "{ column: Kind, never: [A],", []],
    ["epochs", "epochs: 2", "epochs: 3", ["tuned", "both"]],
    ["class weights", "engine: linear }", "engine: linear, class_weight: balanced }", ["linear", "both"]],
    ["the instructions", "What is it?", "What is this?", ["tuned", "both"]],
    ["a description", "the second", "the other", ["tuned", "both"]],
    ["a label", "labels: [A,", "labels: [C,", ["linear", "tuned", "both"]],
    ["an input", "inputs: [Text]", "inputs: [Title]", ["linear", "tuned", "both"]],
    ["the seed", "source: a.csv", "source: a.csv\n  split: { seed: 1 }", ["linear", "tuned", "both"]],
    ["a share", "source: a.csv", "source: a.csv\n  split: { test: 0.3 }", ["linear", "tuned", "both"]],
    ["sampling", "source: a.csv", "source: a.csv\n  sampling: { min_examples: 9 }", ["linear", "tuned", "both"]],
  ];
  for (const [name, from, to, stale] of edits) {
    it(`${name}: ${stale.length ? `stale: ${stale.join(", ")}` : "nothing is stale"}`, async () => {
      assert.ok(BASE.includes(from));
      const before = await hashes(BASE);
      const after = await hashes(BASE.replace(from, to));
      assert.deepEqual(
        Object.keys(before).filter((model) => before[model] !== after[model]),
        stale,
      );
    });
  }

  it("says which model there is none of", async () => {
    const { project } = await loadProject("/nowhere/x.clf.yaml", { text: BASE });
    assert.throws(() => trainingSpecHash(project!, "toString"), /There is no model "toString"/);
  });
});

describe("canonicalJson", () => {
  it("does not depend on the order of keys, and leaves out what is undefined", () => {
    assert.equal(canonicalJson({ b: [1, { d: "x", c: null }], a: undefined }), '{"b":[1,{"c":null,"d":"x"}]}');
  });
});
