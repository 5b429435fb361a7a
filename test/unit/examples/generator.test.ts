import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { toCsv } from "../../../examples/generator/csv.ts";
import { exampleFiles } from "../../../examples/generator/generate.ts";
import { expand, mistype, pickWeighted, sentence } from "../../../examples/generator/grammar.ts";
import { bestAccuracy, makeInjuries } from "../../../examples/generator/injuries.ts";
import { makeOutages, outageColumns } from "../../../examples/generator/outages.ts";
import { seededRandom } from "../../../server/src/confidence/random.ts";

const examples = new URL("../../../examples/", import.meta.url);

describe("the examples' data", () => {
  it("is what the generator writes: else run `node examples/generator/generate.ts`", async () => {
    const files = exampleFiles();
    let bytes = 0;
    for (const [path, content] of files) {
      const committed = await readFile(new URL(path, examples), "utf8");
      // Not assert.equal: the difference of two files of a megabyte helps nobody.
      assert.ok(committed === content, `examples/${path} is stale`);
      bytes += Buffer.byteLength(content);
    }
    assert.ok(bytes < 2_000_000, `${bytes} bytes`);
  });

  it("has the share of wrong labels asked for, and tells which", () => {
    const options = { seed: 3, rows: 500, pool: 10, wrongLabels: 0.04 };
    const { rows, wrong, incidents, pool } = makeInjuries(options);
    assert.equal(rows.length, 500);
    assert.equal(pool.length, 10);
    assert.equal(wrong.length, 40);
    const byId = new Map(rows.map((row, index) => [row.id, { row, incident: incidents[index]! }]));
    assert.equal(byId.size, 500);
    const wrongOnes = new Set<string>();
    for (const { id, target, given, true: right } of wrong) {
      const { row, incident } = byId.get(id)!;
      const nature = target === "NatureTitle";
      assert.equal(nature ? row.nature : row.part, given);
      assert.equal(nature ? incident.nature : incident.part, right);
      assert.notEqual(given, right);
      wrongOnes.add(`${id}|${target}`);
    }
    for (const { row, incident } of byId.values()) {
      if (!wrongOnes.has(`${row.id}|NatureTitle`)) assert.equal(row.nature, incident.nature);
      if (!wrongOnes.has(`${row.id}|Part of Body Title`)) assert.equal(row.part, incident.part);
    }
    assert.deepEqual(makeInjuries(options).wrong, wrong);
    assert.notDeepEqual(makeInjuries({ ...options, seed: 4 }).rows, rows);
  });

  it("leaves a tenth of the natures open to anybody: the README's figures", () => {
    const best = bestAccuracy(1, 40_000);
    // The standard error of each is about 0.001.
    assert.ok(Math.abs(best.nature - 0.9) < 0.01, `${best.nature}`);
    assert.ok(Math.abs(best.part - 0.93) < 0.01, `${best.part}`);
    assert.ok(Math.abs(best.both - 0.84) < 0.01, `${best.both}`);
  });

  it("has odd texts, duplicates and conflicting labels", () => {
    const { rows } = makeInjuries({ seed: 20261121, rows: 4800, pool: 0, wrongLabels: 0.04 });
    const has = (pattern: RegExp) =>
      assert.ok(
        rows.some(({ narrative }) => pattern.test(narrative)),
        `${pattern}`,
      );
    for (const pattern of [
      /"/,
      /\n/,
      /<script>/,
      /\p{Emoji_Presentation}/u,
      /\p{Script=Arabic}/u,
      /\p{Script=Hebrew}/u,
      /^=/,
    ]) {
      has(pattern);
    }
    const labels = new Map<string, Set<string>>();
    let repeats = 0;
    for (const { narrative, nature, part } of rows) {
      const seen = labels.get(narrative) ?? new Set();
      if (seen.size > 0) repeats++;
      labels.set(narrative, seen.add(`${nature}|${part}`));
    }
    assert.ok(repeats >= 20, `${repeats} repeats`);
    assert.ok([...labels.values()].some((each) => each.size > 1));
    assert.equal(new Set(rows.map(({ nature }) => nature)).size, 26);
    assert.equal(new Set(rows.map(({ part }) => part)).size, 20);
  });

  it("fills every column of an outage but the weather", () => {
    const rows = makeOutages({ seed: 1, rows: 300 });
    for (const row of rows) {
      for (const column of outageColumns) assert.ok(column === "Weather" || row[column] !== "", column);
    }
    assert.ok(rows.some((row) => row.Weather === ""));
  });
});

describe("the generator's grammar", () => {
  it("takes one alternative, nested ones and variables too", () => {
    const random = seededRandom(1);
    const seen = new Set(Array.from({ length: 100 }, () => expand(random, "a (b|(c|{x}) d|)", { x: "(e|f)" })));
    assert.deepEqual(seen, new Set(["a b", "a c d", "a e d", "a f d", "a"]));
    assert.throws(() => expand(random, "{y}", {}), /needs \{y\}/);
    assert.throws(() => expand(random, "a (b", {}), /Unbalanced/);
  });

  it("draws by weight", () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 4000 }, () => pickWeighted(random, { a: 3, b: 1, c: 0 }));
    const share = draws.filter((each) => each === "a").length / draws.length;
    assert.ok(Math.abs(share - 0.75) < 0.03, `${share}`);
    assert.ok(!draws.includes("c"));
    assert.throws(() => pickWeighted(random, { a: 0 }), RangeError);
  });

  it("makes sentences and slips of the keyboard", () => {
    assert.equal(sentence("he fell"), "He fell.");
    assert.equal(sentence("Why?"), "Why?");
    const random = seededRandom(1);
    assert.equal(mistype(random, "a cat sat"), "a cat sat");
    for (let i = 0; i < 50; i++) {
      const slipped = mistype(random, "a hammer fell");
      assert.match(slipped, /^a h[amer]{4,6} fell$/);
      assert.ok(Math.abs(slipped.length - 13) <= 1);
    }
  });

  it("quotes what CSV needs quoted", () => {
    assert.equal(
      toCsv(["a", "b"], [{ a: 'x "y"', b: "1,2" }, { a: "l\nm", b: " z" }, { b: "plain" }]),
      'a,b\n"x ""y""","1,2"\n"l\nm"," z"\n,plain\n',
    );
  });
});
