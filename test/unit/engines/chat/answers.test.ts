import assert from "node:assert/strict";
import fc from "fast-check";
import type { JobTarget } from "../../../../schemas/job.ts";
import { fold, knownLabels, labelCode } from "../../../../server/src/engines/chat/labels.ts";
import { readAnswer, readFields } from "../../../../server/src/engines/chat/read-answer.ts";

const target = (name: string, ...labels: (string | [name: string, ...aliases: string[]])[]): JobTarget => ({
  name,
  column: name,
  labels: labels.map((label) =>
    typeof label === "string" ? { name: label } : { name: label[0], aliases: label.slice(1) },
  ),
});
const nature = knownLabels(
  target("nature", "Burns", ["Cuts, lacerations", "cut"], "card", "card_arrival", "Not elsewhere"),
  false,
);
const part = knownLabels(target("part", "Hand", "Finger", ["Toe", "toes"]), false);

/** The label that is read, or why there is none. */
function said(
  text: string,
  { cut = false, refused = false, reasoned = false, json = false, of = [nature] } = {},
): string {
  return readAnswer({ text, cut, refused }, of, { json, reasoned })
    .map((one, t) => ("problem" in one ? one.problem : of[t]!.labels[one.label]!.name))
    .join(" | ");
}

describe("answers", () => {
  it("exact, alias, case, punctuation, quotes, markdown", () => {
    for (const text of [
      "Burns",
      "burns",
      " BURNS. ",
      '"Burns"',
      "**Burns**",
      "`burns`",
      "Label: Burns",
      "Answer: burns\n",
      "Burns\n\nBecause of the fire.",
    ])
      assert.equal(said(text), "Burns", text);
    assert.equal(said("Cut"), "Cuts, lacerations");
    assert.equal(said("card-arrival"), "card_arrival");
    assert.equal(said("Card arrival."), "card_arrival");
    assert.equal(said("card"), "card");
  });

  it("the longest label of a sentence, when it is the only one", () => {
    assert.equal(said("The label is card_arrival, I think."), "card_arrival");
    assert.equal(said("This is about burns to the arm."), "Burns");
    assert.equal(said("It could be Burns or card_arrival."), "unparsed");
    assert.equal(said("It is not Burns."), "unparsed");
    assert.equal(said("It is Burns rather than cut"), "Burns");
    assert.equal(said("sunburns everywhere, as one sees."), "out-of-list");
  });

  it("what is no label is told apart", () => {
    assert.equal(said("Fractures"), "out-of-list");
    assert.equal(said(""), "unparsed");
    assert.equal(
      said("Let me think about this. The text speaks of a fire in a hall, and of many people in it."),
      "unparsed",
    );
    assert.equal(said("I'm sorry, but I can't help with that."), "refused");
    assert.equal(said("anything", { refused: true }), "refused");
    assert.equal(said("The text", { cut: true }), "truncated");
  });

  it("an answer that was cut off after a label which begins another is no label", () => {
    assert.equal(said("card", { cut: true }), "truncated");
    assert.equal(said("card_arrival", { cut: true }), "card_arrival");
    assert.equal(said("Burns", { cut: true }), "Burns");
  });

  it("after reasoning only the answer's line counts", () => {
    const text = "The fire suggests burns. A card is named too.\nAnswer: card_arrival";
    assert.equal(said(text, { reasoned: true }), "card_arrival");
    assert.equal(said("It says fire.\nBurns", { reasoned: true }), "Burns");
    assert.equal(said("The fire suggests burns and the", { reasoned: true, cut: true }), "truncated");
    assert.equal(said("The fire suggests burns. So it is.", { reasoned: true }), "unparsed");
  });

  it("JSON: fences, prose, single quotes, misnamed keys, other order", () => {
    const both = { json: true, of: [nature, part] };
    assert.equal(said('{"nature": "Burns", "part": "Hand"}', both), "Burns | Hand");
    assert.equal(said('Sure!\n```json\n{"part": "toes", "nature": "burns"}\n```', both), "Burns | Toe");
    assert.equal(said("{'nature': 'Burns', 'part': 'Hand',}", both), "Burns | Hand");
    assert.equal(said('{"Nature": "Burns", "body_part": "Hand"}', both), "Burns | Hand");
    assert.equal(said('{"injury": "Burns", "body": "Finger"}', both), "Burns | Finger");
    assert.equal(said('{"nature": "Burns"}', both), "Burns | unparsed");
    assert.equal(said('{"nature": "Fractures", "part": "Hand"}', both), "out-of-list | Hand");
    assert.equal(said('{"nature": "Burns", "part": "Ha', { ...both, cut: true }), "Burns | truncated");
    assert.equal(said('{"nature": "Burns", "part": "Ha', both), "Burns | truncated");
    assert.equal(
      said('{"reasoning": "Burns? no: it is a card", "nature": "card", "part": "Hand"}', both),
      "card | Hand",
    );
    assert.equal(said("Burns, Hand", both), "unparsed | unparsed");
    assert.equal(said('{"category": "Burns"}', { json: true }), "Burns");
    assert.equal(said('{"label": ["Burns"]}', { json: true }), "Burns");
    assert.equal(said('{"result": {"nature": "Burns"}}', { json: true }), "Burns");
    assert.equal(said('{"nature": null}', { json: true }), "unparsed");
  });

  it("codes", () => {
    const coded = knownLabels(target("nature", "Burns", "Cuts", "Assaults"), true);
    assert.equal(said("B", { of: [coded] }), "Cuts");
    assert.equal(said("b.", { of: [coded] }), "Cuts");
    assert.equal(said("Cuts", { of: [coded] }), "Cuts");
    // A word that is a code by chance is no label of a sentence.
    assert.equal(said("A text about fire, and more than that.", { of: [coded] }), "out-of-list");
    for (const n of [2, 26, 27, 676, 677, 10_000]) {
      const codes = Array.from({ length: n }, (_, i) => labelCode(i, n));
      assert.equal(new Set(codes).size, n);
      assert.equal(new Set(codes.map(({ length }) => length)).size, 1);
    }
  });

  it("labels that differ in case alone are read exactly, or not at all", () => {
    const cases = knownLabels(target("t", "US", "us"), false);
    assert.equal(said("US", { of: [cases] }), "US");
    assert.equal(said("us", { of: [cases] }), "us");
    assert.equal(said("Us", { of: [cases] }), "out-of-list");
  });

  it("never a guess: whatever is written, a label is read only where it stands", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.boolean(), (text, cut) => {
        const [one] = readAnswer({ text, cut, refused: false }, [nature], { json: false, reasoned: false });
        if ("problem" in one!) return true;
        const { name, aliases } = nature.labels[one!.label]!;
        return [name, ...aliases].some((spelling) => fold(text).includes(fold(spelling)));
      }),
    );
  });

  it("says where the label stands", () => {
    const text = 'Here: {"nature": "card_arrival", "part": "Hand"}';
    const reads = readAnswer({ text, cut: false, refused: false }, [nature, part], { json: true, reasoned: false });
    assert.deepEqual(
      reads.map((one) => ("at" in one ? text.slice(one.at.start, one.at.end) : one.problem)),
      ["card_arrival", "Hand"],
    );
  });

  it("any JSON object of strings is read back, whatever stands around it", () => {
    const value = fc.string({ maxLength: 20 }).filter((text) => text.trim() !== "" && text !== "null");
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,10}$/), value, { minKeys: 1, maxKeys: 4 }), (object) => {
        const fields = readFields(`prose ${JSON.stringify(object)} more`);
        assert.deepEqual(Object.fromEntries(fields!.map(({ name, value }) => [name, value])), { ...object });
      }),
    );
  });
});
