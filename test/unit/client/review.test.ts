import assert from "node:assert/strict";
import { choicesOf, setWords } from "../../../client/webview/review/choices.ts";
import { createPages, PAGE } from "../../../client/webview/review/pages.ts";
import { searchLabels } from "../../../client/webview/review/search.ts";
import type { FlaggedItem, TargetView } from "../../../schemas/protocol.ts";

const item = (n: number): FlaggedItem => ({
  ...{ row: `r${n}`, target: "T", split: "pool", text: "", predicted: null, given: null },
  ...{ confidence: 0, margin: 0, reasons: [], blind: false },
});
const target: TargetView = {
  ...{ target: "T", given: null, predicted: "Cuts", confidence: 0.5, top: [], set: null },
  ...{ accepted: false, reasons: [], decided: null, blind: false },
};
const items = (from: number, count: number) => Array.from({ length: count }, (_, i) => item(from + i));

describe("labels found by typing", () => {
  const labels = ["Chemical burns", "Heat burns", "Bruises", "Abrasions", "Électrocution"];

  it("puts beginnings before words before parts", () => {
    assert.deepEqual(searchLabels(labels, "b"), ["Bruises", "Chemical burns", "Heat burns", "Abrasions"]);
  });
  it("ignores case and accents", () => {
    assert.deepEqual(searchLabels(labels, " ELEC "), ["Électrocution"]);
  });
  it("gives all for nothing typed, none for what is nowhere", () => {
    assert.deepEqual(searchLabels(labels, ""), labels);
    assert.deepEqual(searchLabels(labels, "zz"), []);
  });
});

describe("the marked labels", () => {
  const choice = (label: string, inSet: boolean) => ({ label, confidence: 0.3, inSet });
  const set = (labels: string[], others = false) => ({ labels, others, coverage: 0.9 });

  it("are those of the prediction set, and say how often they hold", () => {
    const view = { ...target, top: [["Cuts", 0.5] as [string, number], ["Burns", 0.3] as [string, number]] };
    const made = choicesOf(item(1), { ...view, set: set(["Cuts"]) }, []);
    assert.deepEqual(
      made.map(({ label, inSet }) => [label, inSet]),
      [
        ["Cuts", true],
        ["Burns", false],
      ],
    );
    assert.equal(setWords(set(["Cuts"]), made), "It is the marked one for 90 % of flagged rows.");
  });
  it("are not all that are in it", () => {
    const shown = [choice("a", true), choice("b", true)];
    assert.equal(setWords(set(["a", "b"]), shown), "It is among the 2 marked for 90 % of flagged rows.");
    assert.equal(
      setWords(set(["a", "b", "c"]), shown),
      "It is among the 2 marked, or one of 1 more for 90 % of flagged rows.",
    );
    assert.match(setWords(set(["a", "b"], true), shown), /or among those not shown/);
  });
  it("have a number each, however unlikely, before others have", () => {
    const top = Array.from({ length: 10 }, (_, n): [string, number] => [`l${n}`, 0.3 - n / 100]);
    const made = choicesOf(item(1), { ...target, top, set: set(["l0", "l9"]) }, []);
    assert.deepEqual(
      made.map(({ label }) => label),
      ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l9"],
    );
  });
  it("come after those that people disagree about", () => {
    const said = ["Cuts", "Burns", "Cuts", null].map((label, n) => ({
      ...{ who: `p${n}`, when: "2026-11-21T00:00:00.000Z", kind: "corrected" as const, label, note: null },
    }));
    const top: [string, number][] = [
      ["Bruises", 0.5],
      ["Burns", 0.3],
    ];
    const made = choicesOf({ ...item(1), reasons: ["conflict"] }, { ...target, top, said }, []);
    assert.deepEqual(
      made.map(({ label, confidence }) => [label, confidence]),
      [
        ["Cuts", null],
        ["Burns", 0.3],
        ["Bruises", 0.5],
      ],
    );
  });
  it("are none where the prediction must not be seen", () => {
    const blind = choicesOf({ ...item(1), blind: true }, target, ["x", "y"]);
    assert.deepEqual(blind, [
      { label: "x", confidence: null, inSet: false },
      { label: "y", confidence: null, inSet: false },
    ]);
  });
});

describe("pages of flagged rows", () => {
  it("asks for the pages that are not on hand", () => {
    const pages = createPages();
    pages.put(PAGE, items(PAGE, PAGE), 3 * PAGE);
    assert.deepEqual(pages.missing(0, 3 * PAGE), [0, 2 * PAGE]);
    assert.deepEqual(pages.missing(PAGE, 2 * PAGE - 1), []);
    assert.equal(pages.find("r205", "T"), 205);
    assert.equal(pages.find("r205", "U"), -1);
  });

  it("moves rows up when one is taken out, and asks for what the gap needs", () => {
    const pages = createPages();
    pages.put(0, items(0, PAGE), 2 * PAGE);
    pages.remove(3);
    assert.equal(pages.total, 2 * PAGE - 1);
    assert.equal(pages.at(3)!.row, "r4");
    assert.deepEqual(pages.missing(0, PAGE - 1), [0]);
    pages.remove(-1);
    pages.remove(10_000);
    assert.equal(pages.total, 2 * PAGE - 1);
  });
});
