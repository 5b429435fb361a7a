import assert from "node:assert/strict";
import fc from "fast-check";
import type { Range } from "../../../schemas/problem.ts";
import { loadProject } from "../../../server/src/project/load.ts";
import { LIMITS, markAt, readYaml } from "../../../server/src/project/yaml.ts";

const codes = (text: string) => readYaml("/x.yaml", text).problems.map(({ code }) => code);

/** The text a range covers, by an editor's idea of lines. */
function covered(text: string, range: Range): string | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  const offset = ({ line, character }: Range["start"]) => {
    if (line >= lines.length || character > lines[line]!.length) return undefined;
    let at = 0;
    const breaks = text.matchAll(/\r\n|\n|\r/g);
    for (let i = 0; i < line; i++) {
      const match = breaks.next().value!;
      at = match.index + match[0].length;
    }
    return at + character;
  };
  const start = offset(range.start);
  const end = offset(range.end);
  return start === undefined || end === undefined || end < start ? undefined : text.slice(start, end);
}

describe("readYaml", () => {
  it("reads the YAML 1.2 core schema", () => {
    const { value, problems } = readYaml("/x.yaml", "a: yes\nb: 0x10\nc: ~\nd: 012\ne: 2024-01-01\nf: 1e3\n");
    assert.deepEqual(problems, []);
    assert.deepEqual(value, { a: "yes", b: 16, c: null, d: 12, e: "2024-01-01", f: 1000 });
  });

  it("keeps keys as they are written", () => {
    assert.deepEqual(readYaml("/x.yaml", "007: a\ntrue: b\n1.0: c\n").value, { "007": "a", true: "b", "1.0": "c" });
  });

  it("marks a scalar at its value, a collection at its key", () => {
    const text = "a:\n  b: [x, yy]\n  c: { d: 1 }\n";
    const file = readYaml("/x.yaml", text);
    assert.equal(covered(text, markAt(file, ["a", "b", 1])), "yy");
    assert.equal(covered(text, markAt(file, ["a", "b"])), "b");
    assert.equal(covered(text, markAt(file, ["a", "c", "d"], "key")), "d");
    assert.equal(covered(text, markAt(file, ["a", "none", "deeper"])), "a");
  });

  it("marks what an alias repeats where it is defined, and the alias itself for a scalar", () => {
    const text = "a: &x { b: 1 }\nc: *x\nd: &y 5\ne: *y\n";
    const file = readYaml("/x.yaml", text);
    assert.deepEqual(file.problems, []);
    assert.equal(markAt(file, ["c", "b"]).start.line, 0);
    assert.equal(markAt(file, ["e"]).start.line, 3);
  });

  it("merges in order, own keys first", () => {
    const text = "a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc: { <<: [*a, *b], z: 3 }\n";
    const { value, problems } = readYaml("/x.yaml", text);
    assert.deepEqual(problems, []);
    assert.deepEqual((value as Record<string, unknown>).c, { z: 3, x: 1, y: 1 });
  });

  it("refuses what only a hostile or mistaken file holds", () => {
    const bomb = Array.from({ length: 9 }, (_, i) => `x${i}: &x${i} [${`${i ? `*x${i - 1}` : "lol"}, `.repeat(9)}]`);
    assert.deepEqual(codes(bomb.join("\n")), ["too-many-aliases"]);
    const wide = `a: &a [${"x, ".repeat(1000)}]\nb: [${"*a, ".repeat(600)}]\n`;
    assert.deepEqual(codes(wide), ["too-many-nodes"]);
    assert.deepEqual(codes("a: &a { b: *a }"), ["recursive-alias"]);
    assert.deepEqual(codes("[".repeat(100_000)), ["too-deep"]);
    assert.deepEqual(codes("- ".repeat(100_000)), ["too-deep"]);
    assert.deepEqual(codes("x".repeat(LIMITS.length + 1)), ["too-large"]);
    assert.deepEqual(codes("__proto__: { a: 1 }"), ["reserved-name"]);
    assert.deepEqual(codes("? [a]\n: 1\n"), ["key-not-text"]);
    assert.deepEqual(codes("a: !!js/function x\n"), ["yaml-tag"]);
    assert.deepEqual(codes("a: { <<: 3 }"), ["merge-not-mapping"]);
    assert.equal(({} as Record<string, unknown>).a, undefined);
  });

  it("reports a bounded number of problems", () => {
    const text = Array.from({ length: 5000 }, () => "a: 1").join("\n");
    assert.equal(readYaml("/x.yaml", text).problems.length, LIMITS.problems);
  });
});

/** Text made of what YAML and project files are made of, so that much of it gets past the parser. */
const piece = fc.constantFrom(
  ...["version: 1\n", "dataset:\n", "  source: a.csv\n", "task:\n", "  inputs: [a, b]\n", "  targets:\n"],
  ...[
    "    - column: c\n",
    "      labels: [x, y]\n",
    "models:\n",
    "  m: { engine: linear }\n",
    "hosts: {a: }\n",
    "- ",
    "? ",
  ],
  ...[
    "&a ",
    "*a ",
    "<<: *a\n",
    "!t ",
    "|\n",
    ">-\n",
    '"',
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    ": ",
    "#",
    "\t",
    "\n",
    "\r\n",
    "\r",
  ],
  ...[
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "007",
    "~",
    "é",
    "😀",
    "\u2028",
    "\uFEFF",
    "\0",
    "sk-abc123def456ghi789",
    "  ",
    "__proto__: ",
  ],
);
const yamlText = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.string(),
  fc.string({ unit: "binary" }),
);

describe("any text", () => {
  it("never makes loadProject throw, and every range lies inside it", async () => {
    await fc.assert(
      fc.asyncProperty(yamlText, async (text) => {
        const { problems, project } = await loadProject("/nowhere/x.clf.yaml", { text });
        assert.equal(
          project === undefined,
          problems.some(({ severity }) => severity === "error"),
        );
        const seen = text.replace(/^\uFEFF/, "");
        for (const problem of problems) {
          assert.ok(problem.range, problem.message);
          assert.notEqual(covered(seen, problem.range), undefined, JSON.stringify(problem));
          assert.ok(problem.message.length > 10 && problem.message.length < 500, problem.message);
          assert.doesNotMatch(problem.message, /Invalid input|undefined|\[object|at line \d+, column/);
        }
      }),
      { numRuns: 400 },
    );
  });
});

const GOOD_LINES = `version: 1
dataset:
  source: data/injuries.csv
  split: { train: 0.64, validation: 0.16, test: 0.2 }
task:
  inputs: [Final Narrative, { column: Employer, name: employer }]
  targets:
    - column: NatureTitle
      labels: [Finger, { name: Toe, aliases: [toes] }]
models:
  baseline: { engine: linear, word_ngrams: [1, 2] }
  tuned: { engine: qlora, base: x, host: a10g, lora: { rank: 16 } }
hosts:
  a10g: { kind: ssh, address: me@there }
review: { model: tuned }
`;

describe("a good file with one place changed", () => {
  it("gives a project or errors, never a crash, never silence about a broken one", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(GOOD_LINES.length),
        fc.nat(12),
        fc.oneof(piece, fc.string({ maxLength: 3 })),
        async (at, cut, put) => {
          const text = GOOD_LINES.slice(0, at) + put + GOOD_LINES.slice(at + cut);
          const { problems, project } = await loadProject("/nowhere/x.clf.yaml", { text });
          if (!project) assert.ok(problems.some(({ severity }) => severity === "error"));
          for (const { range } of problems) assert.notEqual(covered(text, range!), undefined);
        },
      ),
      { numRuns: 600 },
    );
  });
});
