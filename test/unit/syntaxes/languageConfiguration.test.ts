import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "..", "..", "..", "syntaxes", "clf-yaml.language-configuration.json");
const configuration = JSON.parse(readFileSync(file, "utf8"));

/** What the first rule that fits a line adds to the next line: its indentation and text. */
function onEnter(before: string, after = ""): { indent: string; appendText: string } | undefined {
  return configuration.onEnterRules.find(
    (rule: { beforeText: string; afterText?: string }) =>
      new RegExp(rule.beforeText).test(before) && (!rule.afterText || new RegExp(rule.afterText).test(after)),
  )?.action;
}

describe("The language configuration of .clf.yaml", () => {
  it("indents below a key without a value", () => {
    const increase = new RegExp(configuration.indentationRules.increaseIndentPattern);
    for (const line of ["dataset:", "  split: # shares", "  instructions: >-", "    - column:"]) {
      assert.ok(increase.test(line), line);
    }
    for (const line of ["version: 1", "  # a comment:", "  - Finger", "  a: { b: 1 }", '  x: "a:"', ""]) {
      assert.ok(!increase.test(line), line);
    }
  });

  it("lines up the next key with the first one of a list's item", () => {
    assert.deepEqual(onEnter("    - column: NatureTitle"), { indent: "none", appendText: "  " });
    assert.deepEqual(onEnter("    - column:"), { indent: "indent", appendText: "  " });
    assert.equal(onEnter("    - Finger"), undefined);
    assert.equal(onEnter("    - { column: Employer }"), undefined);
    assert.equal(onEnter('    - "a: b"'), undefined);
    assert.equal(onEnter("  column: x"), undefined);
  });

  it("goes on with a comment that is broken in its middle, and only there", () => {
    assert.deepEqual(onEnter("  # one", "two"), { indent: "none", appendText: "# " });
    assert.equal(onEnter("  # one"), undefined);
  });

  it("takes a label, a path or a column for one word", () => {
    const word = new RegExp(configuration.wordPattern, "g");
    assert.deepEqual("source: data/injuries.csv, [zero-shot] # x".match(word), [
      "source",
      "data/injuries.csv",
      "zero-shot",
      "x",
    ]);
  });
});
