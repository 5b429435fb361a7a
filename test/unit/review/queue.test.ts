import assert from "node:assert/strict";
import fc from "fast-check";
import { drawAtRate, drawCount, drawPosition } from "../../../server/src/review/draws.ts";
import { foldDecisions } from "../../../server/src/review/fold.ts";
import { whoDecides } from "../../../server/src/review/identity.ts";
import { type LabelPair, type ReviewItem, type ReviewOrder, reviewQueue } from "../../../server/src/review/queue.ts";
import { line } from "./lines.ts";

function item(row: string, fields: Partial<ReviewItem> = {}): ReviewItem {
  return {
    row,
    target: "NatureTitle",
    label: "Cuts",
    confidence: 0.5,
    margin: 0.1,
    top: [["Cuts", 0.5]],
    set: null,
    reasons: ["below-threshold"],
    given: "Burns",
    split: "pool",
    position: Number(row),
    ...fields,
  };
}
const rowsOf = (items: readonly ReviewItem[]) => items.map(({ row }) => row);
const nothing = foldDecisions([]);

describe("the review queue", () => {
  const items = [
    item("0", { margin: 0.3, confidence: 0.9 }),
    item("1", { margin: 0.2, confidence: 0.3, issue: 0.4 }),
    item("2", { margin: 0.1, confidence: 0.6, issue: 0.9, reasons: ["label-issue"] }),
    item("3", { reasons: [] }),
  ];
  const order = (name: ReviewOrder) => rowsOf(reviewQueue(items, nothing, { order: name }).items);

  it("has the orders of the project file, and leaves accepted rows out", () => {
    assert.deepEqual(order("margin"), ["2", "1", "0"]);
    assert.deepEqual(order("confidence"), ["1", "2", "0"]);
    assert.deepEqual(order("label-issues"), ["2", "1", "0"]);
    assert.deepEqual(order("file"), ["0", "1", "2"]);
  });

  it("orders at random by the seed alone", () => {
    const many = Array.from({ length: 50 }, (_, i) => item(`${i}`));
    const at = (seed: number, from = many) => rowsOf(reviewQueue(from, nothing, { order: "random", seed }).items);
    assert.deepEqual(at(1), at(1, [...many].reverse()));
    assert.notDeepEqual(at(1), at(2));
    assert.notDeepEqual(at(1), rowsOf(many));
  });

  it("has rows that are judged blind last, in the order of their draw whatever order is asked for", () => {
    const blind = [
      item("5", { draw: 0.7, margin: 0, reasons: ["audit"] }),
      item("6", { draw: 0.2, margin: 0, reasons: ["audit"] }),
    ];
    for (const name of ["margin", "confidence", "label-issues", "random", "file"] as const) {
      const shown = rowsOf(reviewQueue([...blind, ...items], nothing, { order: name, seed: 3 }).items);
      assert.deepEqual(shown.slice(-2), ["6", "5"], name);
      assert.equal(shown.length, 5);
    }
  });

  it("shows rows to be labelled again only when they are asked for, and says how many there are", () => {
    const again = [item("7", { draw: 0.1, reasons: ["relabel"] }), item("8", { draw: 0.3, reasons: ["relabel"] })];
    const verdicts = foldDecisions([line({ row: "8" })]);
    const all = reviewQueue([...items, ...again], verdicts, { order: "margin" });
    assert.deepEqual(rowsOf(all.items), ["2", "1", "0"]);
    assert.deepEqual([all.counts.total, all.counts.waiting, all.counts.reasons.get("relabel")], [3, 3, 1]);
    const asked = reviewQueue([...items, ...again], verdicts, { order: "margin", filter: { reasons: ["relabel"] } });
    assert.deepEqual(rowsOf(asked.items), ["7"]);
    assert.deepEqual([asked.counts.total, asked.counts.decided], [2, 1]);
  });

  it("lets decided rows leave and puts skipped ones last, the longest ago first", () => {
    const verdicts = foldDecisions([
      line({ row: "2", kind: "skipped", after: null }),
      line({ row: "0", kind: "skipped", after: null }),
      line({ row: "4", kind: "none", after: null }),
    ]);
    const queue = reviewQueue([...items, item("4"), item("5")], verdicts, { order: "margin" });
    assert.deepEqual(rowsOf(queue.items), ["5", "1", "2", "0"]);
    assert.deepEqual(
      queue.items.map(({ skipped }) => skipped),
      [false, false, true, true],
    );
    const { total, decided, waiting, skipped } = queue.counts;
    assert.deepEqual({ total, decided, waiting, skipped }, { total: 5, decided: 1, waiting: 4, skipped: 2 });
  });

  it("brings an unsettled conflict back, even of an accepted row", () => {
    const lines = [line({ row: "3", after: "A" }), line({ row: "3", who: "ben", after: "B" })];
    const queue = reviewQueue(items, foldDecisions(lines), { order: "file" });
    const found = queue.items.find(({ row }) => row === "3");
    assert.deepEqual(found?.reasons, ["conflict"]);
    assert.deepEqual(found?.conflict, [lines[1], lines[0]]);
    assert.equal(queue.counts.conflicts, 1);
  });

  it("filters by target, label, reason and pair, and counts what is left", () => {
    const mixed = [
      item("0"),
      item("1", { label: "Burns", given: "Cuts" }),
      item("2", { target: "Part", label: "Foot" }),
      item("3", { reasons: ["below-threshold", "label-issue"] }),
      item("4", { label: null, reasons: ["failed"] }),
    ];
    const filtered = (filter: object) => rowsOf(reviewQueue(mixed, nothing, { order: "file", filter }).items);
    assert.deepEqual(filtered({ targets: ["Part"] }), ["2"]);
    assert.deepEqual(filtered({ labels: ["Burns"], given: ["Cuts"] }), ["1"]);
    assert.deepEqual(filtered({ reasons: ["label-issue", "failed"] }), ["3", "4"]);
    assert.deepEqual(filtered({ splits: ["test"] }), []);
    assert.deepEqual(filtered({ targets: [] }), ["0", "1", "2", "3", "4"]);
    const { counts } = reviewQueue(mixed, nothing, { order: "file" });
    assert.equal(counts.reasons.get("below-threshold"), 4);
    assert.equal(counts.reasons.get("label-issue"), 1);
    assert.equal(counts.labels.get(null), 1);
    assert.equal(counts.targets.get("NatureTitle"), 4);
  });

  it("filters by the two labels between which a row stands, in whichever direction", () => {
    const between = [
      item("0", {
        label: "Cuts",
        given: null,
        top: [
          ["Cuts", 0.5],
          ["Burns", 0.4],
        ],
      }),
      item("1", { label: "Burns", given: "Cuts" }),
      item("2", { label: "Cuts", given: "Burns" }),
      // Where the label in the data is the predicted one, the second likeliest is what it may be confused with.
      item("3", {
        label: "Burns",
        given: "Burns",
        top: [
          ["Burns", 0.5],
          ["Bruises", 0.4],
        ],
      }),
      item("4", { label: "Cuts", given: null, top: [["Cuts", 1]] }),
      item("5", { label: "Cuts", given: "Burns", draw: 0.5 }),
    ];
    const verdicts = foldDecisions([line({ row: "2" })]);
    const of = (pair?: LabelPair) => reviewQueue(between, verdicts, { order: "file", filter: { pair } });
    assert.deepEqual(rowsOf(of(["Burns", "Cuts"]).items), ["0", "1"]);
    assert.deepEqual(rowsOf(of(["Bruises", "Burns"]).items), ["3"]);
    for (const { counts } of [of(), of(["Bruises", "Burns"])]) {
      assert.deepEqual(
        [...counts.pairs],
        [
          ['["Burns","Cuts"]', 2],
          ['["Bruises","Burns"]', 1],
        ],
      );
    }
  });

  it("puts uncertain rows that stand for many others first in the order `informative`", () => {
    const dense = [
      item("0", { margin: 0.1, density: 0.1 }),
      item("1", { margin: 0.2, density: 0.4 }),
      item("2", { margin: 0.9, density: 0.5 }),
      item("3", { margin: 0.1 }),
    ];
    assert.deepEqual(rowsOf(reviewQueue(dense, nothing, { order: "informative" }).items), ["1", "0", "2", "3"]);
  });

  it("shows every flagged item once or counts it as decided, in an order that the input's does not change", () => {
    const anyItem = fc.record({
      margin: fc.constantFrom(0, 0.1, 0.2),
      flagged: fc.boolean(),
      said: fc.constantFrom("nothing", "label", "skip"),
    });
    fc.assert(
      fc.property(
        fc.array(anyItem),
        fc.constantFrom<ReviewOrder>("margin", "confidence", "label-issues", "informative", "random", "file"),
        (cases, by) => {
          const all = cases.map((each, i) =>
            item(`${i}`, { margin: each.margin, reasons: each.flagged ? ["audit"] : [] }),
          );
          const verdicts = foldDecisions(
            cases.flatMap(({ said }, i) =>
              said === "nothing"
                ? []
                : [line({ row: `${i}`, ...(said === "skip" ? { kind: "skipped" as const, after: null } : {}) })],
            ),
          );
          const queue = reviewQueue(all, verdicts, { order: by });
          assert.equal(queue.counts.total, cases.filter(({ flagged }) => flagged).length);
          assert.equal(queue.counts.waiting + queue.counts.decided, queue.counts.total);
          assert.equal(queue.items.length, queue.counts.waiting);
          assert.deepEqual(rowsOf(reviewQueue([...all].reverse(), verdicts, { order: by }).items), rowsOf(queue.items));
        },
      ),
    );
  });
});

describe("draws", () => {
  const key = { seed: 7, stream: "audit:job" };
  const rows = Array.from({ length: 20_000 }, (_, i) => `row ${i}`);

  it("take about the share asked for, the same rows every time, independently by stream", () => {
    const drawn = drawAtRate(rows, 0.02, key);
    // 400 expected, standard deviation 20.
    assert.ok(Math.abs(drawn.length - 400) < 100, `${drawn.length}`);
    assert.ok(drawn.every(({ inclusion }) => inclusion === 0.02));
    assert.deepEqual(drawAtRate(rows, 0.02, key), drawn);
    const other = new Set(names(drawAtRate(rows, 0.02, { ...key, stream: "audit:other" })));
    assert.ok(drawn.filter(({ row }) => other.has(row)).length < 40);
  });

  it("keep rows drawn when the rate grows or other rows come", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, a, b) => {
          const some = rows.slice(0, 200);
          const less = names(drawAtRate(some, Math.min(a, b), { seed, stream: "s" }));
          const more = new Set(names(drawAtRate(rows.slice(0, 300), Math.max(a, b), { seed, stream: "s" })));
          assert.ok(less.every((each) => more.has(each)));
        },
      ),
    );
    assert.equal(drawAtRate(rows, 1, key).length, rows.length);
    assert.equal(drawAtRate(rows, 0, key).length, 0);
    assert.throws(() => drawAtRate(rows, 1.5, key), RangeError);
    assert.throws(() => drawAtRate(rows, Number.NaN, key), RangeError);
  });

  it("of a number give that number, in an order of which every beginning is a draw", () => {
    const ten = drawCount(rows.slice(0, 100), 10, key);
    assert.deepEqual(new Set(ten.map(({ inclusion }) => inclusion)), new Set([0.1]));
    assert.deepEqual(names(drawCount(rows.slice(0, 100).reverse(), 5, key)), names(ten).slice(0, 5));
    assert.equal(drawCount(["a"], 5, key)[0]!.inclusion, 1);
    assert.deepEqual(drawCount([], 5, key), []);
  });

  it("place rows evenly", () => {
    const bins = new Array(10).fill(0);
    for (const each of rows) bins[Math.floor(drawPosition(each, key) * 10)]++;
    // 2,000 expected in each, standard deviation 42.
    assert.ok(
      bins.every((count) => Math.abs(count - 2000) < 210),
      bins.join(),
    );
  });
});

const names = (draws: readonly { row: string }[]) => draws.map(({ row }) => row);

describe("who decides", () => {
  it("has a name even where git knows none", async () => {
    assert.ok((await whoDecides("/nowhere/at/all")).length > 0);
  });
});
