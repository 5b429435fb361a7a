import assert from "node:assert/strict";
import {
  explain,
  extractFeatures,
  fitLinear,
  type LinearModel,
  predictProbabilities,
} from "../../../../server/src/engines/linear/index.ts";
import { range, topicCorpus } from "./corpus.ts";

describe("linear explanation", () => {
  let model: LinearModel;
  before(async () => {
    const { texts, labels, classes } = topicCorpus(300, 1);
    const features = await extractFeatures(texts);
    ({ model } = await fitLinear({ features, labels, classes, train: range(0, 300), seed: 1, threads: 1, c: 10 }));
  });

  it("adds up to the lead over the runner-up", async () => {
    const text = "Hello,  my PASSCODE is blocked (the card too)!";
    const { label, other, lead, intercept, words } = explain(model, [text]);
    const probabilities = await predictProbabilities(model, [[text]]);
    assert.equal(label, 3);
    assert.ok(Math.abs(Math.log(probabilities[label]! / probabilities[other]!) - lead) < 1e-4);
    assert.ok(Math.abs(words.reduce((sum, word) => sum + word.contribution, intercept) - lead) < 1e-4);
    for (const { start, end, word } of words) assert.equal(text.slice(start, end), word);
    assert.equal(words.toSorted((a, b) => b.contribution - a.contribution)[0]!.word, "PASSCODE");
  });

  it("speaks for any label that is asked about", () => {
    const { label, other, words } = explain(model, ["exchange rate and passcode"], 3);
    assert.equal(label, 3);
    assert.notEqual(other, 3);
    const part = (word: string) => words.find((w) => w.word === word)!.contribution;
    assert.ok(part("passcode") > 0);
    assert.ok(part("exchange") < 0);
  });

  it("takes a text without words", () => {
    const { words, lead, intercept } = explain(model, ["  "]);
    assert.deepEqual(words, []);
    assert.ok(Math.abs(lead - intercept) < 1e-5);
  });
});
