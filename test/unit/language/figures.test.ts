import assert from "node:assert/strict";
import { age } from "../../../server/src/language/figures.ts";
import { hints, LABEL_LIMIT } from "../../../server/src/language/hints.ts";
import { figuresAt } from "../../../server/src/language/hover.ts";
import { lenses } from "../../../server/src/language/lenses.ts";
import { code, plainText } from "../../../server/src/language/markdown.ts";
import { spotAt } from "../../../server/src/language/places.ts";
import { COLUMNS, DATA, inSample, MODELS, NOW, read, SAMPLE } from "./sample.ts";

const lineOf = (text: string) => SAMPLE.split("\n").findIndex((line) => line.includes(text));

describe("hints", () => {
  it("stand behind the lines that name data, targets and models", () => {
    const found = hints({ file: read(SAMPLE), data: DATA, models: MODELS, now: NOW });
    assert.deepEqual(
      found.map(({ position, label }) => [position.line, label]),
      [
        [lineOf("source:"), "4,812 rows · 3,080/770/962 · 31 duplicates"],
        [lineOf("column: Nature"), "2 labels · acc 0.83 ±0.02 · 71 % accepted"],
        [lineOf("baseline:"), "acc 0.83 · 2 minutes ago"],
      ],
    );
    for (const { position, label } of found) {
      assert.ok(String(label).length <= LABEL_LIMIT);
      assert.equal(position.character, SAMPLE.split("\n")[position.line]!.length);
    }
  });

  it("drop what does not fit, and keep it for the tooltip", () => {
    const data = { ...DATA, rows: 104_812_000, splits: { train: 83_849_600, validation: 770_000, test: 962_000 } };
    const [hint] = hints({ file: read(SAMPLE), data, models: {}, now: NOW });
    assert.equal(hint?.label, "104,812,000 rows · 83,849,600/770,000/962,000".slice(0, 16));
    assert.match(JSON.stringify(hint?.tooltip), /83,849,600 train/);
  });

  it("are absent before anything is known", () => {
    assert.deepEqual(hints({ file: read(SAMPLE), models: {}, now: NOW }), []);
    assert.deepEqual(hints({ file: read(""), data: DATA, models: MODELS, now: NOW }), []);
  });
});

describe("age", () => {
  it("is in the largest unit that fits", () => {
    const at = (seconds: number) => age(new Date(NOW - seconds * 1000).toISOString(), NOW);
    assert.deepEqual([5, 60, 3 * 3600, 86_400, 40 * 86_400, -9].map(at), [
      "just now",
      "1 minute ago",
      "3 hours ago",
      "1 day ago",
      "1 month ago",
      "just now",
    ]);
  });
});

describe("hover", () => {
  const at = (find: string) => {
    const { file, offset } = inSample(find);
    return figuresAt({ file, data: DATA, columns: COLUMNS, models: MODELS, now: NOW }, spotAt(file, offset)) ?? "";
  };

  it("gives a label's rows by split and how often it is right", () => {
    const text = at("labels: [Bur│ns");
    assert.match(text, /3,100 rows/);
    assert.match(text, /\| train \| 2,000 \|/);
    assert.match(text, /540 of 600 test rows right \(0\.90\)/);
  });

  it("gives a column's values and a target's labels", () => {
    assert.match(at("group: Emplo│yer"), /2 distinct values in the first 100 rows/);
    assert.match(at("column: Na│ture"), /\| `Cuts` \| 1,712 \|/);
  });

  it("gives a model's last figures wherever it is named", () => {
    assert.match(at("stages: [base│line"), /0\.83 \| 0\.81 to 0\.85 \| 962/);
    assert.match(at("  tun│ed:"), /Not evaluated yet/);
  });

  it("shows what a host or endpoint is", () => {
    assert.match(at("host: a│10g"), /address: me@there/);
    assert.match(at("endpoint: he│re"), /localhost:8000/);
  });

  it("shows names from foreign files as they are, never as markup", () => {
    assert.equal(code("a`b"), "`` a`b ``");
    assert.equal(code("![x](https://evil.example/x.png)"), "`![x](https://evil.example/x.png)`");
    assert.equal(code("a\n\n# b"), "`a # b`");
    assert.ok(code("x".repeat(5000)).length < 300);
  });

  it("has a plain form", () => {
    assert.equal(plainText("| a | b |\n| --- | ---: |\n| `x` | 1 |"), "a  b\nx  1");
  });
});

describe("lenses", () => {
  const titles = (text: string, trusted = true) =>
    lenses(read(text), "file:///p.clf.yaml", trusted).map(({ range, command }) => [
      range.start.line,
      command?.title,
      ...(command?.arguments ?? []).slice(1),
    ]);

  it("stand over the file and over each model; only what has something to train is fine-tuned", () => {
    const found = titles(SAMPLE);
    assert.deepEqual(
      found.slice(0, 4).map(([line, title]) => [line, title]),
      [
        [0, "▷ Fine-tune"],
        [0, "▷ Evaluate"],
        [0, "▷ Compare"],
        [0, "▷ Preview data"],
      ],
    );
    assert.deepEqual(
      found.filter(([, , model]) => model === "zero").map(([, title]) => title),
      ["▷ Evaluate"],
    );
    assert.deepEqual(
      found.filter(([, , model]) => model === "tuned").map(([, title]) => title),
      ["▷ Fine-tune", "▷ Evaluate"],
    );
  });

  it("start nothing in an untrusted workspace", () => {
    assert.deepEqual(titles(SAMPLE, false), [[0, "▷ Preview data"]]);
  });

  it("are absent in an empty file", () => assert.deepEqual(titles(""), []));
});
