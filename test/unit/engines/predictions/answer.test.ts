import assert from "node:assert/strict";
import fc from "fast-check";
import { Prediction } from "../../../../schemas/predictions.ts";
import { checkDistribution, topPosition } from "../../../../server/src/confidence/distribution.ts";
import {
  type Answer,
  fromLabel,
  fromLogits,
  fromProbabilities,
  numberOf,
  overrule,
  predictionOfAnswer,
  type Told,
} from "../../../../server/src/engines/predictions/answer.ts";
import { distributionOf } from "../../../../server/src/evaluation/scored.ts";

const numbers = new Map([
  ["good", 0],
  ["bad", 1],
  ["mixed", 2],
]);
const names = [...numbers.keys()];
const ALL = [0, 1, 2];

function told(answer: Answer): Told {
  assert.ok(!("fault" in answer), JSON.stringify(answer));
  return answer;
}
const fault = (answer: Answer): string => ("fault" in answer ? answer.fault : "none");
const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

describe("cells of another system's prediction", () => {
  it("are numbers, nothing, or no number", () => {
    assert.deepEqual(["0.5", " .5 ", "5e-1", "1"].map(numberOf), [0.5, 0.5, 0.5, 1]);
    assert.deepEqual(["", "  ", "nan", "NULL", "None", "n/a"].map(numberOf), Array(6).fill(undefined));
    assert.deepEqual(["0,5", "50 %", "high"].map(numberOf), [Number.NaN, Number.NaN, Number.NaN]);
    assert.equal(numberOf("-inf"), Number.NEGATIVE_INFINITY);
  });

  it("a label and its probability: the rest belongs to the others, to none of them by name", () => {
    const { label, labels, probabilities, rest } = told(fromLabel(numbers, " bad ", "0.8"));
    assert.deepEqual([label, labels, probabilities], [1, [1], [0.8]]);
    near(rest, 0.2);
  });

  it("a label alone is as good as certain", () => {
    assert.deepEqual(told(fromLabel(numbers, "good", undefined)).probabilities, [1]);
  });

  it("what is wrong is told apart", () => {
    assert.equal(fault(fromLabel(numbers, "", "0.8")), "failed");
    assert.equal(fault(fromLabel(numbers, "Good", "0.8")), "out-of-list");
    assert.equal(fault(fromLabel(numbers, "good", "80")), "outside");
    assert.equal(fault(fromLabel(numbers, "good", "-0.1")), "outside");
    assert.equal(fault(fromLabel(numbers, "good", "sure")), "not-a-number");
    assert.equal(fault(fromLabel(numbers, "good", "")), "not-a-number");
    assert.equal(fault(fromProbabilities(ALL, ["", "", ""], 3)), "failed");
    assert.equal(fault(fromProbabilities(ALL, ["0.9", "0.8", "0.1"], 3)), "sum");
    assert.equal(fault(fromProbabilities(ALL, ["0", "0", "0"], 3)), "sum");
    assert.equal(fault(fromProbabilities(ALL, ["0.9", "x", "0.1"], 3)), "not-a-number");
    assert.equal(fault(fromLogits(ALL, ["1", "inf", "2"])), "not-a-number");
    assert.equal(fault(fromLogits(ALL, ["", "-inf", ""])), "failed");
  });

  it("probabilities that sum nearly to 1 are divided by their sum, and it is said beyond rounding", () => {
    const rounding = told(fromProbabilities(ALL, ["0.3333", "0.3333", "0.3333"], 3));
    assert.equal(rounding.sum, undefined);
    near(
      rounding.probabilities.reduce((a, b) => a + b),
      1,
    );
    const close = told(fromProbabilities(ALL, ["0.7", "0.2", "0.08"], 3));
    near(close.sum!, 0.98);
    near(close.probabilities[0]!, 0.7 / 0.98);
  });

  it("a label without a number gets what the others leave", () => {
    const one = told(fromProbabilities([1], ["0.1"], 2));
    assert.deepEqual([one.label, one.labels], [0, [0, 1]]);
    near(one.probabilities[0]!, 0.9);
    const two = told(fromProbabilities(ALL, ["0.6", "", ""], 3));
    assert.deepEqual(two.labels, [0]);
    near(two.rest, 0.4);
  });

  it("values just outside 0 to 1, as float32 gives them, are rounding", () => {
    const { probabilities, sum } = told(fromProbabilities([0, 1], ["1.00000119", "-0.00000002"], 2));
    assert.deepEqual([probabilities, sum], [[1, 0], undefined]);
    assert.deepEqual(told(fromLabel(numbers, "good", "1.00000119")).probabilities, [1]);
    assert.equal(fault(fromLabel(numbers, "good", "1.01")), "outside");
  });

  it("logits: softmax, whatever their size", () => {
    near(told(fromLogits(ALL, ["1000", "1000", "-inf"])).probabilities[0]!, 0.5);
    near(told(fromLogits([0, 1], [String(Math.log(3)), "0"])).probabilities[0]!, 0.75);
  });

  it("the label column decides", () => {
    const tie = told(overrule(fromProbabilities(ALL, ["0.4", "0.4", "0.2"], 3), numbers, "bad"));
    assert.deepEqual([tie.label, tie.labels, tie.overruled], [1, [1, 0, 2], undefined]);
    const other = told(overrule(fromProbabilities(ALL, ["0.5", "0.3", "0.2"], 3), numbers, "bad"));
    assert.deepEqual([other.label, other.labels, other.probabilities, other.overruled], [1, [1], [0.3], true]);
    near(other.rest, 0.7);
    assert.equal(fault(overrule(fromProbabilities(ALL, ["0.5", "0.3", "0.2"], 3), numbers, "ugly")), "out-of-list");
    assert.equal(told(overrule(fromProbabilities(ALL, ["0.5", "0.3", "0.2"], 3), numbers, "")).label, 0);
  });
});

describe("prediction lines of another system", () => {
  const row = { row: "r", split: "test" as const };
  const line = (answer: Answer, labels: string[] = names) =>
    predictionOfAnswer(answer, row, { target: "t", model: "m", labels, labelled: true });

  it("without an answer have no label and no score", () => {
    const problem = (answer: Answer) => Prediction.parse(line(answer)).problem;
    assert.equal(problem({ fault: "failed", text: "" }), "failed");
    assert.equal(problem({ fault: "sum", text: "1.8" }), "unparsed");
    assert.equal(problem({ fault: "out-of-list", text: "ugly" }), "out-of-list");
    assert.equal(line({ fault: "out-of-list", text: "ugly" }).answer, "ugly");
    assert.equal(line({ fault: "failed", text: "" }).label, null);
  });

  it("read back, give the label and probabilities that were told, for any number of labels", () => {
    const weights = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(weights, fc.nat(), (raw, pick) => {
        const sum = raw.reduce((a, b) => a + b, 0);
        fc.pre(sum > 1e-3);
        const labels = raw.map((_, i) => `l${i}`);
        const of = new Map(labels.map((name, i) => [name, i]));
        const cells = raw.map((w) => String(w / sum));
        const named = labels[pick % labels.length]!;
        for (const answer of [
          fromProbabilities([...raw.keys()], cells, raw.length),
          overrule(fromProbabilities([...raw.keys()], cells, raw.length), of, named),
        ]) {
          const prediction = Prediction.parse(line(told(answer), labels));
          const distribution = distributionOf(prediction, of);
          checkDistribution(distribution, labels.length);
          const top = topPosition(distribution);
          assert.equal(labels[distribution.labels[top]!], prediction.label);
          assert.equal(distribution.probabilities[top], prediction.score);
          assert.ok(Math.abs(prediction.score - raw[told(answer).label]! / sum) < 1e-5);
        }
        assert.equal(
          told(overrule(fromProbabilities([...raw.keys()], cells, raw.length), of, named)).label,
          of.get(named),
        );
      }),
      { numRuns: 300 },
    );
  });
});
