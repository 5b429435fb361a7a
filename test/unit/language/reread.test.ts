import assert from "node:assert/strict";
import fc from "fast-check";
import { reread } from "../../../server/src/language/reread.ts";
import { type Place, readYaml, type YamlFile } from "../../../server/src/project/yaml.ts";

const PROJECT = `# A project
version: 1
name: some thing   # with a comment

dataset:
  source: data/a.csv
  split: { train: 0.64, validation: 0.16, test: 0.2 }
task:
  instructions: |
    Several lines,

      as they stand.
  inputs: [Text, { column: Other, name: other }]
  targets:
    - column: Nature
      labels:
        - Burns
        # between
        - name: Cuts
          description: >-
            folded
            text
          aliases: [cut, "a: b"]

        - Falls: no
    -
      column: Part
      never:
      - x
      - y
models:
  baseline: { engine: linear,
    folds: 5 }
  chat:
    engine: chat
    model: "quoted
      over lines"

  last:
    engine: linear
# the end
`;

/**
 * What a YAML file says, in a form that compares quickly. Where a block collection ends is left out: whether the comments
 * behind it belong to it depends on what follows, and nothing else depends on that.
 */
function told(file: YamlFile) {
  const block = (at: Place) => at.kind !== "scalar" && !/[[{]/.test(file.text.charAt(at.value[0]));
  const place = (at: Place): unknown => [
    at.key ?? null,
    block(at) ? at.value[0] : at.value,
    at.kind,
    at.plain ?? null,
    at.children ? [...at.children].map(([step, inner]) => [step, place(inner)]) : null,
  ];
  return JSON.stringify({ value: file.value, root: place(file.root), lines: file.lineStarts, problems: file.problems });
}

function edited(text: string, start: number, length: number, put: string) {
  return text.slice(0, start) + put + text.slice(start + length);
}

describe("reading a part again", () => {
  const base = readYaml("/p.clf.yaml", PROJECT);

  it("starts from a file without problems", () => assert.deepEqual(base.problems, []));

  it("reads only a part after an edit inside an entry", () => {
    for (const [find, put] of [
      ["Burns", "Burn"],
      ["        - Burns\n", "        - Burns\n        - Scalds\n"],
      ["engine: linear\n#", "engine: chat\n#"],
      ["      - x\n", ""],
      ["folds: 5", "folds: 7"],
    ] as const) {
      const text = PROJECT.replace(find, put);
      const part = reread(base, text);
      assert.ok(part?.exact, `${JSON.stringify(find)} → ${JSON.stringify(put)} took the whole file`);
      assert.equal(told(part.file), told(readYaml("/p.clf.yaml", text)));
    }
  });

  it("says that a syntax error may reach further", () => {
    const part = reread(base, PROJECT.replace("- Burns", '- "Burns'));
    assert.equal(part?.exact ?? false, false);
  });

  it("gives what reading the whole file gives, whatever the edit", () => {
    const snippet = fc.oneof(
      fc.constantFrom(
        "",
        " ",
        "  ",
        "\n",
        "- ",
        "- a\n",
        ":",
        ": ",
        "#",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ",",
        "|",
        ">",
        "\r\n",
      ),
      fc.constantFrom(
        "&a ",
        "*a",
        "<<: ",
        "---\n",
        "...\n",
        "? ",
        "! ",
        "%",
        "\t",
        "key: v\n",
        "    - z\n",
        "  x: 1\n",
        "😀",
        "é",
      ),
      fc.string({ maxLength: 6 }),
      // A piece of the file itself, put elsewhere.
      fc.tuple(fc.nat(PROJECT.length), fc.nat(80)).map(([start, length]) => PROJECT.slice(start, start + length)),
    );
    let parts = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(PROJECT.length), fc.oneof(fc.nat(3), fc.nat(60)), snippet), {
          minLength: 1,
          maxLength: 3,
        }),
        (edits) => {
          // One after the other, as keystrokes are: each from what the one before gave.
          let from = base;
          let text = PROJECT;
          for (const [start, length, put] of edits) {
            text = edited(text, start, length, put);
            const whole = readYaml("/p.clf.yaml", text);
            const part = reread(from, text);
            if (part?.exact) {
              parts++;
              assert.equal(told(part.file), told(whole));
              from = part.file;
            } else if (whole.problems.length === 0) from = whole;
          }
        },
      ),
      // An empty key has no place of its own.
      { numRuns: 300, examples: [[[[211, 0, ":\n  "]]]] },
    );
    assert.ok(parts > 50, `only ${parts} readings of a part`);
  });
});
