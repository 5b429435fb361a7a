import assert from "node:assert/strict";
import fc from "fast-check";
import type { JobTarget } from "../../../../schemas/job.ts";
import { knownLabels } from "../../../../server/src/engines/chat/labels.ts";
import {
  answerTokens,
  comparableSpellings,
  labelMasses,
  normalised,
  perToken,
  withoutPrior,
} from "../../../../server/src/engines/chat/logprobs.ts";
import { rescaled } from "../../../../server/src/engines/prediction.ts";
import { token } from "./server.ts";

const known = (names: string[], codes = false) => {
  const target: JobTarget = { name: "t", column: "t", labels: names.map((name) => ({ name })) };
  return knownLabels(target, codes);
};
const near = (actual: number, expected: number, what = "") =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what} ${actual} is not ${expected}`);
const span = (text: string, label: string) => ({ start: text.indexOf(label), end: text.indexOf(label) + label.length });

function masses(labels: string[], tokens: ReturnType<typeof token>[], label: string, codes = false) {
  const list = answerTokens(tokens);
  return labelMasses(list, span(list.map(({ text }) => text).join(""), label), known(labels, codes))!;
}

describe("label probabilities from token log-probabilities", () => {
  it("sum over spelling variants", () => {
    const found = masses(
      ["good", "bad"],
      [token(["Good", 0.5], ["good", 0.2], [" good", 0.1], ["bad", 0.1], ["BAD", 0.05])],
      "Good",
    );
    near(found.mass[0]!, 0.8);
    near(found.mass[1]!, 0.15);
    near(found.unseen, 0.05);
  });

  it("labels that begin alike are told apart at the token that decides", () => {
    const names = ["card", "card_arrival", "card_lost", "cash"];
    const tokens = [
      token(["card", 0.7], ["cash", 0.2], ["x", 0.1]),
      token(["_arr", 0.6], ["_lost", 0.3], ["", 0.1]),
      token(["ival", 0.9], ["x", 0.1]),
    ];
    const found = masses(names, tokens, "card_arrival");
    near(found.mass[1]!, 0.42);
    near(found.mass[2]!, 0.21);
    near(found.mass[0]!, 0.07, "the end of the answer is a label's too");
    near(found.mass[3]!, 0.2);
    near(found.other, 0.1);
    near(found.unseen, 0);
    near(found.sequence.probability, 0.7 * 0.6 * 0.9);
    near(perToken(found), (0.7 * 0.6 * 0.9) ** (1 / 3));
  });

  it("what several labels share on a path that was not written is nobody's", () => {
    const found = masses(["card_arrival", "card_lost", "cash"], [token(["cash", 0.6], ["card", 0.4])], "cash");
    near(found.mass[2]!, 0.6);
    near(found.unseen, 0.4);
    near(normalised(found)!.uncovered, 0.4);
  });

  it("of an answer that is held to a schema, what is not shown is no likelier than what is", () => {
    const known3 = known(["cash", "card", "loan"]);
    const at = { start: 0, end: 4 };
    // Before the mask: the model would rather say something else, and "loan" is not shown.
    const tokens = [token(["cash", 0.04], ["The", 0.5], ["card", 0.02], ["Card", 0.015], ["I", 0.01]), token(['"', 1])];
    const held = labelMasses(answerTokens(tokens), at, known3, comparableSpellings(known3, true))!;
    near(held.unseen, 0.01);
    near(normalised(held)!.uncovered, 0.01 / 0.07);
    near(held.mass[1]!, 0.02, "the schema has no other spelling");
    const free = labelMasses(answerTokens(tokens), at, known3)!;
    near(free.unseen, 0.415);
    near(free.mass[1]!, 0.035);
  });

  it("in JSON each field at its own place, with the closing quote as the label's end", () => {
    const tokens = [
      token(['{"', 1]),
      token(["t", 1]),
      token(['": "', 1]),
      token(["card", 0.9], ["cash", 0.1]),
      token(['"}', 0.75], ["_arrival", 0.25]),
    ];
    const text = '{"t": "card"}';
    const found = labelMasses(answerTokens(tokens), span(text, "card"), known(["card", "card_arrival", "cash"]))!;
    near(found.mass[0]!, 0.675);
    near(found.mass[1]!, 0.225);
    near(found.mass[2]!, 0.1);
  });

  it("a token that holds the quote and the label's beginning", () => {
    const tokens = [token(['{"t":', 1]), token([' "ca', 0.6], [' "do', 0.4]), token(["t", 1]), token(['"}', 1])];
    const found = labelMasses(answerTokens(tokens), span('{"t": "cat"}', "cat"), known(["cat", "dog"]))!;
    near(found.mass[0]!, 0.6);
    near(found.mass[1]!, 0.4);
  });

  it("one token decides among codes, whatever the labels begin with", () => {
    const found = masses(["Burns", "Amputations"], [token(["A", 0.7], ["B", 0.3])], "A", true);
    near(found.mass[0]!, 0.7);
    near(found.mass[1]!, 0.3);
  });

  it("tokens that are parts of one character", () => {
    const [first, second] = [...Buffer.from("é")];
    const part = (byte: number, p: number) => ({
      token: "\ufffd",
      bytes: [byte],
      logprob: Math.log(p),
      top_logprobs: [],
    });
    const list = answerTokens([token(["caf", 1]), part(first!, 0.9), part(second!, 1)]);
    assert.deepEqual(
      list.map(({ text }) => text),
      ["caf", "é"],
    );
  });

  it("dividing by what rows without content get keeps the uncovered share", () => {
    const found = masses(["good", "bad"], [token(["good", 0.6], ["bad", 0.3])], "good");
    const fair = withoutPrior(found, Float64Array.from([0.8, 0.2]));
    const { probabilities, uncovered } = normalised(fair)!;
    assert.equal(probabilities[0]![0], 1);
    near(uncovered, 0.1);
    near(probabilities[0]![1] / probabilities[1]![1], 0.3 / 0.2 / (0.6 / 0.8));
  });

  it("masses never exceed what the tokens have, and with all alternatives nothing is unseen", () => {
    const names = ["aa", "ab", "b", "ba", "c"];
    const weights = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(weights, weights, (first, second) => {
        const share = (list: number[]) => list.map((weight) => weight / list.reduce((a, b) => a + b));
        const [a, b, c] = share(first) as [number, number, number];
        const [x, y, z] = share(second) as [number, number, number];
        const found = masses(names, [token(["a", a], ["b", b], ["c", c]), token(["b", x], ["a", y], ["z", z])], "ab");
        const total = found.mass.reduce((sum, p) => sum + p, 0) + found.unseen + found.other;
        near(total, 1);
        // "b" may go on as "ba": on a path that was not written, nobody's.
        near(found.unseen, b);
        near(found.mass[1]!, a * x);
      }),
    );
  });

  it("another score keeps the label first and the sum 1", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.34, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (first, to) => {
          const rest = (1 - first) / 3;
          const scored = rescaled(
            {
              labels: [0, 1],
              probabilities: [first, Math.min(first, 2 * rest)],
              rest: 1 - first - Math.min(first, 2 * rest),
              uncovered: 0,
            },
            to,
          );
          const sum = scored.probabilities.reduce((a, b) => a + b, scored.rest);
          assert.ok(Math.abs(sum - 1) < 1e-9);
          assert.ok(scored.probabilities[0]! >= scored.probabilities[1]! - 1e-12);
        },
      ),
    );
  });
});
