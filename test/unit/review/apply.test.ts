import assert from "node:assert/strict";
import fc from "fast-check";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import { rowsKeptInTrain, trainingDecisions } from "../../../server/src/review/apply.ts";
import { attachDecisions, normaliseText } from "../../../server/src/review/attach.ts";
import { foldDecisions, type Verdicts } from "../../../server/src/review/fold.ts";
import { line } from "./lines.ts";

const targets = [
  { name: "NatureTitle", labels: [{ name: "Burns" }, { name: "Cuts" }, { name: "Fractures" }] },
  { name: "Part" },
];

function row(
  id: string,
  split: SplitName,
  labels: JobRow["labels"] = {},
  inputs = { narrative: `text of ${id}` },
): JobRow {
  return { row: id, split, inputs, labels: { NatureTitle: null, Part: null, ...labels } };
}

/** The rules on these rows; `labels` is what train gets, by row and target. */
function decide(rows: readonly JobRow[], verdicts: Verdicts) {
  const byId = new Map(rows.map((each) => [each.row, each]));
  const { decisions, applied } = trainingDecisions(verdicts, (id) => byId.get(id), targets);
  const labels = Object.fromEntries(
    [...decisions].map(([id, of]) => [id, Object.fromEntries([...of].map(([target, { label }]) => [target, label]))]),
  );
  return { decisions, applied, labels };
}

describe("decisions that train", () => {
  it("change, confirm, add and remove labels of train rows", () => {
    const rows = [
      row("a", "train", { NatureTitle: "Burns" }),
      row("b", "train", { NatureTitle: "Burns" }),
      row("c", "tune", { NatureTitle: "Burns" }),
      row("d", "train", { Part: "Foot" }),
    ];
    const lines = [
      line({ row: "a", after: "Cuts" }),
      line({ row: "b", kind: "confirmed", after: "Burns" }),
      line({ row: "c", kind: "none", after: null }),
      line({ row: "d", after: "Fractures" }),
    ];
    const { decisions, labels, applied } = decide(rows, foldDecisions(lines));
    assert.deepEqual(labels, {
      a: { NatureTitle: "Cuts" },
      b: { NatureTitle: "Burns" },
      c: { NatureTitle: null },
      d: { NatureTitle: "Fractures" },
    });
    assert.equal(decisions.get("a")!.get("NatureTitle")!.decision, lines[0]!.id);
    const { changed, confirmed, added, removed, heldOut } = applied;
    assert.deepEqual(
      { changed, confirmed, added, removed, heldOut },
      { changed: 1, confirmed: 1, added: 1, removed: 1, heldOut: 0 },
    );
  });

  it("let pool rows that got a label join train, and only those", () => {
    const rows = [row("a", "pool"), row("b", "pool"), row("c", "pool"), row("d", "pool")];
    const lines = [
      line({ row: "a", split: "pool", before: null, after: "Cuts" }),
      line({ row: "b", split: "pool", before: null, kind: "none", after: null }),
      line({ row: "c", split: "pool", before: null, kind: "skipped", after: null }),
    ];
    const { labels, applied } = decide(rows, foldDecisions(lines));
    assert.deepEqual(labels, { a: { NatureTitle: "Cuts" }, b: { NatureTitle: null } });
    assert.deepEqual(applied.joined, ["a"]);
    assert.equal(applied.skipped, 1);
  });

  it("never come from validation and test; blind random judgements there are listed apart", () => {
    const rows = [
      row("v", "validation", { NatureTitle: "Burns" }),
      row("t", "test", { NatureTitle: "Burns" }),
      row("b", "test", { NatureTitle: "Burns" }),
    ];
    const lines = [
      line({ row: "v", split: "validation", after: "Cuts", blind: true, inclusion: 0.1 }),
      line({ row: "t", split: "test", after: "Cuts", inclusion: 0.1 }),
      line({ row: "b", split: "test", after: "Cuts", blind: true }),
    ];
    const { decisions, applied } = decide(rows, foldDecisions(lines));
    assert.equal(decisions.size, 0);
    assert.equal(applied.heldOut, 3);
    assert.deepEqual(applied.relabelled, [
      { row: "v", target: "NatureTitle", given: "Burns", relabelled: "Cuts", inclusion: 0.1, decision: lines[0]!.id },
    ]);
  });

  it("name the rows that a split must keep in train because they were reviewed in the pool", () => {
    const rows = [row("p", "test", { NatureTitle: "Burns" }), row("q", "test", { NatureTitle: "Burns" })];
    const verdicts = foldDecisions([
      line({ row: "p", split: "pool", before: null, after: "Cuts" }),
      line({ row: "q", split: "pool", before: null, after: "Cuts", blind: true, inclusion: 0.02 }),
    ]);
    assert.deepEqual([...rowsKeptInTrain(verdicts)], ["p"]);
    const { decisions, applied } = decide(rows, verdicts);
    assert.equal(decisions.size, 0);
    assert.deepEqual(applied.misplaced, ["p"]);
  });

  it("use no side of an unsettled conflict", () => {
    const rows = [row("a", "train", { NatureTitle: "Burns" }), row("b", "pool")];
    const lines = ["a", "b"].flatMap((id) => [
      line({ row: id, after: "Cuts" }),
      line({ row: id, who: "ben", after: "Fractures" }),
    ]);
    const { decisions, applied } = decide(rows, foldDecisions(lines));
    assert.equal(decisions.size, 0);
    assert.equal(applied.conflicts.length, 2);
  });

  it("have no effect for labels and targets that the project does not have, and are reported", () => {
    const rows = [row("a", "train", { NatureTitle: "Burns" })];
    const lines = [
      line({ row: "a", after: "Burnz" }),
      line({ row: "a", target: "Gone", after: "x" }),
      line({ row: "a", target: "Part", after: "anything" }),
    ];
    const { labels, applied } = decide(rows, foldDecisions(lines));
    assert.deepEqual(applied.unknown, lines.slice(0, 2));
    assert.deepEqual(labels, { a: { Part: "anything" } });
  });

  it("never speak of validation or test rows, whatever was decided", () => {
    const split = fc.constantFrom<SplitName>("train", "tune", "validation", "test", "pool");
    const label = fc.constantFrom("Burns", "Cuts", null);
    fc.assert(
      fc.property(
        fc.array(fc.record({ split, label, judgedIn: split, after: label, blind: fc.boolean(), random: fc.boolean() })),
        (cases) => {
          const rows = cases.map((each, i) => row(`${i}`, each.split, { NatureTitle: each.label }));
          const lines = cases.map((each, i) =>
            line({
              row: `${i}`,
              split: each.judgedIn,
              kind: each.after === null ? "none" : "corrected",
              after: each.after,
              blind: each.blind,
              ...(each.random ? { inclusion: 0.5 } : {}),
            }),
          );
          const { decisions } = decide(rows, foldDecisions(lines));
          for (const each of rows) {
            if (each.split === "validation" || each.split === "test") assert.ok(!decisions.has(each.row));
            else assert.ok(decisions.has(each.row));
          }
        },
      ),
    );
  });
});

describe("re-attaching decisions", () => {
  it("finds rows by equal inputs after normalisation", () => {
    const decision = line({ row: "old", inputs: { narrative: "He  FELL\nﬁrst" } });
    const result = attachDecisions(
      [decision],
      [row("x", "train"), row("new", "train", {}, { narrative: "he fell first " })],
    );
    assert.equal(result.decisions[0]!.row, "new");
    assert.deepEqual([...result.reattached], [["old", "new"]]);
    assert.deepEqual(result.orphaned, []);
  });

  it("moves the undo of a decision along, and reports rows that are gone", () => {
    const first = line({ row: "old", inputs: { narrative: "a" } });
    const undo = line({ row: "old", kind: "undone", after: null, undoes: first.id, inputs: {} });
    const gone = line({ row: "gone", inputs: { narrative: "zzz" } });
    const result = attachDecisions([first, undo, gone], [row("new", "train", {}, { narrative: "A" })]);
    assert.deepEqual(
      result.decisions.map((each) => each.row),
      ["new", "new", "gone"],
    );
    assert.deepEqual(result.orphaned, ["gone"]);
    assert.equal(foldDecisions(result.decisions).get("new"), undefined);
  });

  it("gives each of several equal rows to one old row, in file order", () => {
    const lines = ["h", "h#2", "h#3"].map((id) => line({ row: id, inputs: { narrative: "same" } }));
    const rows = ["n1", "n2"].map((id) => row(id, "train", {}, { narrative: "Same" }));
    const result = attachDecisions(lines, rows);
    assert.deepEqual([...result.reattached.values()], ["n1", "n2"]);
    assert.deepEqual(result.orphaned, ["h#3"]);
  });

  it("leaves a row that has decisions of its own to them", () => {
    const own = line({ row: "h", inputs: { narrative: "same" } });
    const other = line({ row: "h#2", inputs: { narrative: "same" } });
    const result = attachDecisions([own, other], [row("h", "train", {}, { narrative: "same" })]);
    assert.deepEqual(result.orphaned, ["h#2"]);
  });

  it("compares the common inputs when columns were added or removed, if only one row fits", () => {
    const decision = line({ row: "old", inputs: { narrative: "fell", employer: "Acme" } });
    const rows = (texts: string[]) => texts.map((narrative, i) => row(`n${i}`, "train", {}, { narrative }));
    assert.deepEqual([...attachDecisions([decision], rows(["fell", "cut"])).reattached.values()], ["n0"]);
    assert.deepEqual(attachDecisions([decision], rows(["fell", "Fell"])).orphaned, ["old"]);
    const widened = [{ row: "w", inputs: { narrative: "fell", employer: "Acme", state: "OH" } }];
    assert.deepEqual([...attachDecisions([decision], widened).reattached.values()], ["w"]);
  });

  it("keeps a decision on a row found by its id, and reports that the inputs changed", () => {
    const decision = line({ row: "42", inputs: { narrative: "fell from a ladder" } });
    const result = attachDecisions([decision], [row("42", "train", {}, { narrative: "fell from a roof" })]);
    assert.deepEqual(result.decisions, [decision]);
    assert.deepEqual(result.changed, ["42"]);
  });

  it("reads no more of the rows than it needs", () => {
    const untouchable: Iterable<never> = {
      [Symbol.iterator]: () => assert.fail("rows were read"),
    };
    assert.deepEqual(attachDecisions([], untouchable).decisions, []);
    const decision = line({ row: "a", inputs: { narrative: "x" } });
    const rows = [
      row("a", "train", {}, { narrative: "x" }),
      {
        row: "b",
        get inputs(): Record<string, string> {
          return assert.fail("inputs of a row without decisions were read");
        },
      },
    ];
    assert.deepEqual(attachDecisions([decision], rows).decisions, [decision]);
  });

  it("normalises without losing what tells texts apart", () => {
    assert.equal(normaliseText("  Ａ\u00a0b\tc "), "a b c");
    assert.notEqual(normaliseText("no. 1"), normaliseText("no. 2"));
  });
});
