import assert from "node:assert/strict";
import { QloraModel } from "../../../schemas/project.ts";
import {
  A10G,
  describePreflight,
  estimateFineTune,
  estimatePrediction,
  parametersOf,
  processors,
} from "../../../server/src/engines/qlora/preflight.ts";

const qwen = QloraModel.parse({ engine: "qlora", base: "Qwen/Qwen2.5-7B-Instruct" });

describe("what a fine-tune takes", () => {
  it("reads the size of a base from its name", () => {
    const names = [
      "Qwen/Qwen2.5-7B-Instruct",
      "SmolLM2-135M-Instruct.Q4_1.gguf",
      "meta-llama/Llama-3.2-1B",
      "gpt2",
      "models/8bit",
    ];
    assert.deepEqual(names.map(parametersOf), [7e9, 135e6, 1e9, null, null]);
  });

  it("is near what is published of a 7B model on that card: two days, 11.5 GB at 512 tokens", () => {
    // 60,000 rows of about 520 characters: the injury reports' train split.
    const lengths = new Array<number>(60_000).fill(520);
    const { rows, steps, seconds, dollars, memory } = estimateFineTune(qwen, lengths, { ...A10G, pricePerHour: 1 });
    assert.equal(rows, 60_000);
    assert.equal(steps, 7500);
    assert.ok(seconds! / 3600 > 4 && seconds! / 3600 < 48, `${seconds}`);
    assert.equal(dollars, seconds! / 3600);
    assert.ok(memory! > 8e9 && memory! < 17e9, `${memory}`);
  });

  it("counts no more tokens than max_tokens, and no price where none is known", () => {
    const estimate = estimateFineTune({ ...qwen, max_tokens: 100 }, [1_000_000, 40]);
    assert.equal(estimate.tokens, 100 + 22);
    assert.equal(estimate.dollars, null);
    assert.doesNotMatch(describePreflight("m", estimate), /\$/);
    assert.match(describePreflight("m", estimateFineTune({ ...qwen, base: "x" }, [1])), /cannot be told/);
  });

  it("of a prediction: every trie node of an untuned model, few of a tuned one, none of a classifier", () => {
    const texts = [400, 400];
    const labels = [new Array<number>(77).fill(20), [8, 8]];
    const tokens = (more: Partial<typeof qwen>) => estimatePrediction({ ...qwen, ...more }, texts, labels).tokens;
    assert.equal(tokens({ head: "classifier" }), 2 * 112);
    assert.equal(tokens({ epochs: 0 }), 2 * (112 + 77 * 5 + 4));
    assert.equal(tokens({}), 2 * (112 + 12 + 4));
    const said = describePreflight("m", estimatePrediction(qwen, texts, labels, { ...A10G, pricePerHour: 2 }));
    assert.match(said, /2 rows to predict, about 256 tokens\. On one A10G, on paper: about a minute, \$0\.00/);
    assert.doesNotMatch(said, /steps/);
  });

  it("is much longer without a GPU, and whole weights take more than twice the memory", () => {
    const here = processors(2);
    const [cpu, gpu] = [here, A10G].map((machine) => estimateFineTune(qwen, [400], machine));
    assert.ok(cpu!.seconds! > 100 * gpu!.seconds!);
    assert.ok(cpu!.memory! > 2 * gpu!.memory!);
    assert.match(describePreflight("m", cpu!, here), /On 2 processor cores: about/);
  });
});
