import assert from "node:assert/strict";
import { Prompt } from "../../../../schemas/project.ts";
import { examplesOf } from "../../../../server/src/engines/chat/examples.ts";
import { EngineError } from "../../../../server/src/engines/engine.ts";
import { jobOf, rowsOf } from "./run.ts";

const train = rowsOf(["red apple", "green apple", "grey stone", "red apple pie"], "train", { label: "good" });
const [test] = rowsOf(["a red apple pie"]);
const { task } = jobOf({ rows: train, endpoint: { base_url: "http://127.0.0.1:1/v1" } });
const similar = (shots: object) =>
  examplesOf(task, Prompt.parse({ style: "few-shot", shots: { strategy: "similar", ...shots } }), train);
const texts = (examples: readonly { inputs: Readonly<Record<string, string>> }[]) =>
  examples.map(({ inputs }) => inputs.text);

describe("examples of a row's prompt", () => {
  it("the nearest train rows, the likest last; without a count so many a label", () => {
    assert.deepEqual(texts(similar({ count: 1 })(test!)), ["red apple pie"]);
    assert.deepEqual(texts(similar({ per_label: 1 })(test!)), ["red apple", "red apple pie"]);
  });

  it("a row is never its own example", () => {
    assert.ok(!texts(similar({ count: 3 })(train[0]!)).includes("red apple"));
    const shared = examplesOf(task, Prompt.parse({}), train, [{ row: "train-0" }, { row: "train-2" }]);
    assert.deepEqual(texts(shared(train[0]!)), ["grey stone"]);
    assert.deepEqual(texts(shared(test!)), ["red apple", "grey stone"]);
  });

  it("a test row is no example", () => {
    assert.throws(() => examplesOf(task, Prompt.parse({}), [test!], [{ row: "test-0" }]), EngineError);
  });
});
