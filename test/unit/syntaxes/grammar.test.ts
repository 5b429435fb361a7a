import assert from "node:assert/strict";
import * as z from "zod";
import { ProjectFile } from "../../../schemas/project.ts";
import { loadGrammar, type Token, type Tokenize } from "./tokenizer.ts";

const KNOWN = "entity.name.tag";
const SECTION = "keyword.control.section";
const NAME = "entity.name.class";
const OTHER = "support.type.property-name";
const PLAIN = "string.unquoted.plain";

type Schema = { [key: string]: unknown };

/** Every property of the format with the words that it takes. */
function properties(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const words = (schema: unknown): string[] => {
    if (Array.isArray(schema)) return schema.flatMap(words);
    if (!schema || typeof schema !== "object") return [];
    const { enum: choices, const: only, anyOf, oneOf, $ref } = schema as Schema;
    const own = [...((choices as unknown[]) ?? []), only].filter((value): value is string => typeof value === "string");
    return [...own, ...words(anyOf), ...words(oneOf), ...words($ref)];
  };
  const walk = (schema: unknown): void => {
    if (!schema || typeof schema !== "object") return;
    const own = Array.isArray(schema) ? {} : (schema as Schema).properties;
    for (const [key, value] of Object.entries(own ?? {})) {
      const all = found.get(key) ?? new Set();
      for (const word of words(value)) all.add(word);
      found.set(key, all);
    }
    for (const [key, value] of Object.entries(schema)) if (!/^(default|examples|enum)$/.test(key)) walk(value);
  };
  walk(z.toJSONSchema(ProjectFile, { io: "input" }));
  return found;
}

describe("The grammar of .clf.yaml", () => {
  let tokenize: Tokenize;
  before(async () => {
    tokenize = await loadGrammar();
  });

  /** Tokens without punctuation, as `text scope` pairs. */
  const colours = (text: string) =>
    tokenize(text).map((line) =>
      line
        .filter((token) => !token.scope.startsWith("punctuation"))
        .map((token): [string, string] => [token.text, token.scope]),
    );
  const only = (text: string) => colours(text)[0]!;
  const scopeOf = (tokens: Token[], text: string) => tokens.find((token) => token.text === text)?.scope;

  it("knows every key of the schema, in blocks, in lists and in brackets", () => {
    const keys = [...properties().keys()];
    assert.ok(keys.length > 80);
    for (const key of keys) {
      assert.equal(scopeOf(tokenize(`  ${key}: x`)[0]!, key), KNOWN, key);
      assert.equal(scopeOf(tokenize(`  - ${key}: x`)[0]!, key), KNOWN, `- ${key}`);
      assert.equal(scopeOf(tokenize(`  x: {a: 1, ${key}: x}`)[0]!, key), KNOWN, `{ ${key} }`);
    }
  });

  it("knows every section of the schema at the margin", () => {
    for (const key of Object.keys(ProjectFile.shape)) assert.equal(scopeOf(tokenize(`${key}:`)[0]!, key), SECTION, key);
  });

  it("knows every word that the schema lists", () => {
    const words = [...properties()].flatMap(([key, all]) => [...all].map((word) => [key, word] as const));
    assert.ok(words.length > 40);
    for (const [key, word] of words) {
      for (const text of [`  ${key}: ${word}`, `  x: { ${key}: ${word}, y: 1 }`, `  ${key}: ${word} # why`]) {
        const scope = scopeOf(tokenize(text)[0]!, word);
        assert.match(scope ?? "none", /^(support\.function|constant\.language)/, text);
      }
    }
  });

  it("shows a mistyped key or word as unknown", () => {
    assert.deepEqual(only("  enigne: linear"), [
      ["enigne", OTHER],
      ["linear", PLAIN],
    ]);
    assert.deepEqual(only("  engine: linaer"), [
      ["engine", KNOWN],
      ["linaer", PLAIN],
    ]);
    assert.deepEqual(only("  engine: linear regression"), [
      ["engine", KNOWN],
      ["linear regression", PLAIN],
    ]);
  });

  it("tells the names that the author gives from the keys below them", () => {
    const text = [
      "models:",
      "  # the simple one",
      "  baseline: { engine: linear }",
      "",
      "  engine:",
      "    engine: qlora",
      "    lora:",
      "      rank: 16",
      '  "two words": {}',
      "hosts:",
      "  a10g: { kind: ssh }",
      "review: { model: baseline }",
    ].join("\n");
    assert.deepEqual(colours(text), [
      [["models", SECTION]],
      [[" the simple one", "comment.line.number-sign"]],
      [
        ["baseline", NAME],
        ["engine", KNOWN],
        ["linear", "support.function.engine"],
      ],
      [],
      [["engine", NAME]],
      [
        ["engine", KNOWN],
        ["qlora", "support.function.engine"],
      ],
      [["lora", KNOWN]],
      [
        ["rank", KNOWN],
        ["16", "constant.numeric"],
      ],
      [['"two words"', NAME]],
      [["hosts", SECTION]],
      [
        ["a10g", NAME],
        ["kind", KNOWN],
        ["ssh", "support.function.host"],
      ],
      [
        ["review", SECTION],
        ["model", KNOWN],
        ["baseline", PLAIN],
      ],
    ]);
  });

  it("tells numbers, booleans and null from text that starts like them", () => {
    const value = (text: string) => only(`  x: ${text}`)[1];
    for (const text of ["0.64", "-1", "2e-4", "42", ".5", ".inf", "0x1F"]) {
      assert.deepEqual(value(text), [text, "constant.numeric"]);
      assert.deepEqual(only(`  x: [${text}, ${text}]`).slice(1), [
        [text, "constant.numeric"],
        [text, "constant.numeric"],
      ]);
    }
    for (const text of ["true", "False"]) assert.deepEqual(value(text), [text, "constant.language.boolean"]);
    for (const text of ["~", "null"]) assert.deepEqual(value(text), [text, "constant.language.null"]);
    for (const text of ["4 people", "2026-11-22", "1.2.3", "true story", "nullable", "12:30", "gpt-4o-mini"]) {
      assert.deepEqual(value(text), [text, PLAIN]);
    }
  });

  it("ends a plain text where YAML ends it", () => {
    assert.deepEqual(only("  x: C# and F#, [a] {b} # comment"), [
      ["x", OTHER],
      ["C# and F#, [a] {b}", PLAIN],
      [" comment", "comment.line.number-sign"],
    ]);
    assert.deepEqual(only("  inputs: [Final Narrative, { column: Employer, name: employer }]"), [
      ["inputs", KNOWN],
      ["Final Narrative", PLAIN],
      ["column", KNOWN],
      ["Employer", PLAIN],
      ["name", KNOWN],
      ["employer", PLAIN],
    ]);
    assert.deepEqual(only("  address: http://ray-head:8265"), [
      ["address", KNOWN],
      ["http://ray-head:8265", PLAIN],
    ]);
    assert.deepEqual(only("  source: data/a.csv"), [
      ["source", KNOWN],
      ["data/a.csv", PLAIN],
    ]);
  });

  it("reads quotes with their escapes, over lines, and as keys", () => {
    const [first, second] = tokenize('  x: "a\\tb\\q # no comment\n    name: no key" # comment');
    assert.equal(scopeOf(first!, "\\t"), "constant.character.escape");
    assert.equal(scopeOf(first!, "\\q"), "invalid.illegal.escape");
    assert.equal(scopeOf(first!, " # no comment"), "string.quoted.double");
    assert.equal(scopeOf(second!, "    name: no key"), "string.quoted.double");
    assert.equal(scopeOf(second!, " comment"), "comment.line.number-sign");
    assert.deepEqual(scopeOf(tokenize("  x: 'it''s'")[0]!, "''"), "constant.character.escape");
    assert.deepEqual(only('  "a: b": 1')[0], ['"a: b"', OTHER]);
  });

  it("reads a block of text up to where its indentation ends", () => {
    const block = "string.unquoted.block";
    const text = [
      "task:",
      "  instructions: |",
      "    Classify: the # injury",
      "",
      "      engine: linear",
      "  inputs: [a]",
      "  targets:",
      "    - description: >-",
      "        text: text",
      "      aliases: [b]",
      "    - |",
      "      text",
      "    - column: c",
    ].join("\n");
    const lines = colours(text);
    const scopes = (line: number) => lines[line]!.map(([, scope]) => scope);
    assert.deepEqual(lines[1], [
      ["instructions", KNOWN],
      ["|", "keyword.control.flow.block-scalar"],
    ]);
    assert.deepEqual(scopes(2), [block]);
    assert.deepEqual(scopes(4), [block]);
    assert.deepEqual(scopes(5), [KNOWN, PLAIN]);
    assert.deepEqual(scopes(7), [KNOWN, "keyword.control.flow.block-scalar"]);
    assert.deepEqual(scopes(8), [block]);
    assert.deepEqual(scopes(9), [KNOWN, PLAIN]);
    assert.deepEqual(scopes(11), [block]);
    assert.deepEqual(scopes(12), [KNOWN, PLAIN]);
  });

  it("marks anchors, aliases, tags, merge keys, document marks and tabs", () => {
    assert.equal(scopeOf(tokenize("x: &base {a: 1}")[0]!, "base"), "entity.name.label.anchor");
    assert.equal(scopeOf(tokenize("  <<: *base")[0]!, "base"), "variable.other.alias");
    assert.equal(scopeOf(tokenize("  <<: *base")[0]!, "<<"), "keyword.control.merge");
    assert.equal(scopeOf(tokenize("x: !!str 1")[0]!, "!!str"), "storage.type.tag");
    assert.equal(scopeOf(tokenize("---")[0]!, "---"), "entity.other.document");
    assert.deepEqual(
      tokenize("\tx: 1")[0]!
        .map((token) => token.scope)
        .includes(OTHER),
      true,
    );
  });

  it("reads right-to-left text, emoji and long lines as text", () => {
    assert.deepEqual(only("  labels: [כוויות, 🔥 Burns, 手]"), [
      ["labels", KNOWN],
      ["כוויות", PLAIN],
      ["🔥 Burns", PLAIN],
      ["手", PLAIN],
    ]);
    const long = `  labels: [${"a label, ".repeat(2_000)}]`;
    assert.equal(colours(long)[0]!.filter(([, scope]) => scope === PLAIN).length, 2_000);
    // Unfinished and hostile lines come to an end. VS Code gives up on lines over 20,000 characters.
    for (const piece of ["'", '"', "a ", "- ", ": ", "[", "a: {", "&a ", "| "]) {
      const line = piece.repeat(300);
      assert.equal(tokenize(`x: ${line}\n${line}`).length, 2);
    }
  });
});
