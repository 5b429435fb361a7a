import assert from "node:assert/strict";
import { extractFeatures } from "../../../../server/src/engines/linear/index.ts";
import { lowerCase, type TermOptions, visitTerms } from "../../../../server/src/engines/linear/terms.ts";
import { fitWeighting, weighRows } from "../../../../server/src/engines/linear/weighting.ts";
import { range } from "./corpus.ts";

const docs = [["The card has not arrived, the card!"], ["I want my card"], ["Where is it? Überweisung fehlt"]];

/** Values of each row, ascending. */
const expectedWords = [
  [0.2636, 0.2636, 0.2636, 0.2636, 0.2636, 0.2636, 0.2636, 0.33943, 0.44631, 0.44631],
  [0.29652, 0.38989, 0.38989, 0.38989, 0.38989, 0.38989, 0.38989],
  new Array<number>(9).fill(1 / 3),
];
/** Entries, sum and largest value of each row. */
const expectedCharacters = [
  [81, 8.7842, 0.16768],
  [37, 6.0209, 0.18379],
  [91, 9.4653, 0.17552],
];

function spans(text: string, options: TermOptions): string[] {
  const found: string[] = [];
  visitTerms(lowerCase(text), 0, options, (_, start, end) => found.push(text.slice(start, end)));
  return found;
}

async function weighted(texts: string[][], options: TermOptions, rows = range(0, texts.length)) {
  const features = await extractFeatures(texts, { ...options, minRows: 1 });
  const weighting = fitWeighting(features, rows, 1, 1e9);
  const { starts, values } = weighRows(features, weighting, range(0, texts.length));
  return texts.map((_, i) => [...values.slice(starts[i], starts[i + 1])].sort((a, b) => a - b));
}

describe("linear features", () => {
  it("finds words and neighbours with their places", () => {
    assert.deepEqual(spans("My card, Zürich!", { wordNgrams: 2, characterNgrams: [0, 0] }), [
      "My",
      "My card",
      "card",
      "card, Zürich",
      "Zürich",
    ]);
  });

  it("finds character n-grams inside pieces between white space", () => {
    // Padded with one space on each side; the padding has no place in the text.
    assert.deepEqual(spans("ab c", { wordNgrams: 0, characterNgrams: [2, 3] }), [
      ...["a", "ab", "ab", "ab", "b"],
      ...["c", "c", "c"],
    ]);
  });

  it("keeps places when lower case changes length, and words of other scripts", () => {
    const text = "İstanbul 🙂ok 東京 день";
    assert.equal(lowerCase(text).length, text.length);
    assert.deepEqual(spans(text, { wordNgrams: 1, characterNgrams: [0, 0] }), ["İstanbul", "🙂ok", "東京", "день"]);
  });

  // Reference: scikit-learn 1.9.1 TfidfVectorizer(sublinear_tf=True), token_pattern=r"(?u)\b\w+\b" for words.
  it("weighs words as scikit-learn does", async () => {
    const rows = await weighted(docs, { wordNgrams: 2, characterNgrams: [0, 0] });
    for (const [i, expected] of expectedWords.entries()) {
      assert.equal(rows[i]!.length, expected.length);
      for (const [j, value] of expected.entries()) assert.ok(Math.abs(rows[i]![j]! - value) < 2e-5);
    }
  });

  it("weighs character n-grams as scikit-learn's char_wb does", async () => {
    const rows = await weighted(docs, { wordNgrams: 0, characterNgrams: [2, 5] });
    for (const [i, [entries, sum, largest]] of expectedCharacters.entries()) {
      assert.equal(rows[i]!.length, entries);
      assert.ok(Math.abs(rows[i]!.reduce((a, b) => a + b, 0) - sum!) < 1e-3);
      assert.ok(Math.abs(rows[i]!.at(-1)! - largest!) < 2e-5);
    }
  });

  it("learns nothing from rows outside the fit", async () => {
    const terms = { wordNgrams: 1, characterNgrams: [0, 0] } as const;
    const [alone] = await weighted(docs.slice(0, 2), terms, range(0, 2));
    const [beside] = await weighted([...docs.slice(0, 2), ["the card the card"], ["new words"]], terms, range(0, 2));
    assert.deepEqual(beside, alone);
  });

  it("tells the same word in two columns apart", async () => {
    const features = await extractFeatures(
      [
        ["yes", "no"],
        ["no", "yes"],
      ],
      { wordNgrams: 1, characterNgrams: [0, 0], minRows: 1 },
    );
    assert.equal(features.hashes.length, 4);
  });

  it("keeps the terms in most rows under a cap", async () => {
    const features = await extractFeatures([["a b c"], ["a b"], ["a d"]], {
      wordNgrams: 1,
      characterNgrams: [0, 0],
      minRows: 1,
    });
    const { featureOf, hashes } = fitWeighting(features, range(0, 3), 1, 2);
    assert.deepEqual([...featureOf], [0, 1, -1, -1]);
    assert.equal(hashes.length, 2);
    assert.equal(fitWeighting(features, range(0, 3), 2, 100).hashes.length, 2);
  });

  it("stops when aborted", async () => {
    await assert.rejects(extractFeatures(docs, {}, { signal: AbortSignal.abort(new Error("cancelled")) }), /cancelled/);
  });
});
