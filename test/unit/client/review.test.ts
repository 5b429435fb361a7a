import assert from "node:assert/strict";
import { createPages, PAGE } from "../../../client/webview/review/pages.ts";
import { searchLabels } from "../../../client/webview/review/search.ts";
import type { FlaggedItem } from "../../../schemas/protocol.ts";

const item = (n: number): FlaggedItem => ({
  ...{ row: `r${n}`, target: "T", split: "pool", text: "", predicted: null, given: null },
  ...{ confidence: 0, margin: 0, reasons: [], blind: false },
});
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
