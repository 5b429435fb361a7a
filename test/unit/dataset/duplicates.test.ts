import assert from "node:assert/strict";
import fc from "fast-check";
import { findDuplicates, NEAR, normalise, similarity } from "../../../server/src/dataset/duplicates.ts";
import { keepPace } from "../../../server/src/dataset/pace.ts";
import { buildTextColumn } from "../../../server/src/dataset/text-column.ts";
import { disjointSets } from "../../../server/src/dataset/union-find.ts";

const find = (texts: string[], seed = 1) => {
  const column = buildTextColumn();
  for (const text of texts) column.appendText(text);
  return findDuplicates([column.finish()], () => true, seed, keepPace());
};

describe("duplicates", () => {
  it("are equal but for case, white space, punctuation and Unicode form", async () => {
    const texts = [
      "Hello,  World!",
      "hello world",
      "ＨＥＬＬＯ world",
      "hello word",
      "Café au lait",
      "CAFÉ — au lait…",
      "!!!",
      "???",
    ];
    assert.deepEqual([...(await find(texts)).exact], [0, 0, 0, 3, 4, 4, 6, 7]);
  });

  it("are normalised alike whether or not a text is ASCII", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: fc.constantFrom("a", "B", "é", "É", "ﬁ", " ", "\n", "\u00a0", ",", "-", "$", "\t") }),
          { maxLength: 12 },
        ),
        async (texts) => {
          const { exact } = await find(texts);
          for (const [i, text] of texts.entries()) {
            assert.equal(
              exact[i],
              texts.findIndex((other) => normalise(other) === normalise(text)),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("compare each input for itself", async () => {
    const [a, b] = [buildTextColumn(), buildTextColumn()];
    for (const [x, y] of [
      ["one two", "three"],
      ["one", "two three"],
      ["one two", "three."],
    ]) {
      a.appendText(x!);
      b.appendText(y!);
    }
    const { exact } = await findDuplicates([a.finish(), b.finish()], () => true, 1, keepPace());
    assert.deepEqual([...exact], [0, 1, 0]);
  });

  it("near: what is reported is verified, hardly anything is missed, and the same seed gives the same", async () => {
    const words = (n: number): string =>
      Array.from({ length: 30 }, (_, k) => (((n + 1) * 7919 ** ((k % 3) + 1) + k * 104729) % 99991).toString(36)).join(
        " ",
      );
    const texts: string[] = [];
    for (let n = 0; n < 300; n++) {
      const parts = words(n).split(" ");
      texts.push(parts.join(" "));
      // From nearly equal to quite different.
      const changed = parts.map((word, k) => (k < n % 8 ? `new${word}` : word));
      texts.push(changed.join(" "));
    }
    const { near } = await find(texts, 5);
    assert.deepEqual((await find(texts, 5)).near, near);
    const sets = disjointSets(texts.length);
    for (let i = 0; i < near.length; i += 2) {
      assert.ok(near[i]! < near[i + 1]!);
      assert.ok(similarity(normalise(texts[near[i]!]!), normalise(texts[near[i + 1]!]!)) >= NEAR);
      sets.join(near[i]!, near[i + 1]!);
    }
    let all = 0;
    let missed = 0;
    for (let n = 0; n < 600; n += 2) {
      if (similarity(normalise(texts[n]!), normalise(texts[n + 1]!)) < NEAR || texts[n] === texts[n + 1]) continue;
      all++;
      if (sets.find(n) !== sets.find(n + 1)) missed++;
    }
    assert.ok(all > 80, `${all} near pairs made`);
    assert.ok(missed <= all * 0.03, `${missed} of ${all} missed`);
  });
});
