import assert from "node:assert/strict";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import { loadProject } from "../../../server/src/project/load.ts";
import { findSecrets } from "../../../server/src/project/secrets.ts";
import { readYaml } from "../../../server/src/project/yaml.ts";
import { withFolder } from "./folder.ts";

/** A project that is fine; tests replace or add parts of it. */
const GOOD = `version: 1
name: severe-injuries
dataset:
  source: data/injuries.csv
  id: report_id
task:
  inputs: [Final Narrative, { column: Employer, name: employer }]
  targets:
    - column: NatureTitle
      labels: [Finger, { name: Toe, aliases: [toes] }]
      never: [Toe]
models:
  baseline: { engine: linear }
`;

/** \`line:column severity code: message\`, one-based, as the CLI prints them. */
function shown(problem: Problem): string {
  const { line, character } = problem.range?.start ?? { line: -1, character: -1 };
  return `${line + 1}:${character + 1} ${problem.severity} ${problem.code}: ${problem.message}`;
}

async function problemsOf(text: string): Promise<string[]> {
  const { problems } = await loadProject("/nowhere/at/all/x.clf.yaml", { text });
  return problems.map(shown);
}

/** Minimal frame around a part that is tested, so that the table below stays readable. */
const frame = (parts: { dataset?: string; task?: string; rest?: string }) =>
  `version: 1\ndataset:\n  source: a.csv\n${parts.dataset ?? ""}task:\n${
    parts.task ?? "  inputs: [Text]\n  targets:\n    - column: Kind\n"
  }${parts.rest ?? ""}`;

/** Bad project files: what is wrong, the text, and every problem that is expected of it. */
const BAD: [name: string, text: string, expected: string[]][] = [
  [
    "an empty file",
    "# nothing\n",
    ["1:1 error empty-file: The file is empty. Start with `clf init DATA`, or the command New Project from Data."],
  ],
  [
    "a list in place of a mapping",
    "- a\n",
    ["1:3 error wrong-value: The file must be a mapping (version, dataset, task); it is a list."],
  ],
  [
    "a tab that indents",
    "version: 1\ndataset:\n\tsource: a.csv\n",
    ["3:1 error yaml-syntax: A tab is used to indent. YAML wants spaces: replace it by two spaces a level."],
  ],
  [
    "a bracket that is not closed",
    "version: 1\ntask:\n  inputs: [a, b\n  targets: []\n",
    ['4:3 error yaml-syntax: A "[" that was opened above is not closed by here. Add "]".'],
  ],
  [
    "a glob without quotes",
    "version: 1\ndataset:\n  source: *.csv\n",
    ["3:11 error unknown-alias: Nothing above is marked &.csv. For text that starts with `*`, put quotes around it."],
  ],
  [
    "a key twice",
    frame({ rest: "review: {}\nreview: {}\n" }),
    ['9:1 error duplicate-key: "review" stands here twice: it is also on line 8. Remove one of them.'],
  ],
  [
    "two documents",
    `${frame({})}---\na: 1\n`,
    ["8:1 error several-documents: A file holds one YAML document. Remove this `---` and what follows."],
  ],
  [
    "no version",
    frame({}).replace("version: 1\n", ""),
    ['1:1 error missing-version: "version" is missing. Add the line: version: 1'],
  ],
  [
    "a later version",
    frame({}).replace("version: 1", "version: 7"),
    ["1:10 error newer-version: This project is in version 7 of the format; this Clf reads up to 1. Update Clf."],
  ],
  [
    "a version that is none",
    frame({}).replace("version: 1", "version: one"),
    ['1:10 error wrong-value: "version" must be 1; it is "one".'],
  ],
  [
    "a mistyped key",
    frame({ rest: "modles: {}\n" }),
    ['8:1 error unknown-key: Unknown key "modles". Did you mean "models"?'],
  ],
  [
    "a mistyped key that is required: one problem, not two",
    frame({ task: "  inputs: [Text]\n  targets:\n    - colum: Kind\n" }),
    ['7:7 error unknown-key: Unknown key "colum". Did you mean "column"?'],
  ],
  [
    "a key in the wrong section",
    frame({ rest: "sampling: { strategy: natural }\n" }),
    ['8:1 error unknown-key: Unknown key "sampling". It belongs under "dataset".'],
  ],
  [
    "a setting of another engine",
    frame({ rest: "models:\n  m: { engine: linear, lora: {} }\n" }),
    [
      '9:24 error unknown-key: Unknown key "lora". It is a setting of engine "qlora", not of "linear". Remove it, or change "engine".',
    ],
  ],
  [
    "a mistyped engine",
    frame({ rest: "models:\n  m: { engine: linaer }\n" }),
    ['9:16 error unknown-engine: Unknown engine "linaer". Did you mean "linear"?'],
  ],
  [
    "a mistyped key where the engine should be",
    frame({ rest: "models:\n  m: { enigne: linear }\n" }),
    ['9:8 error unknown-key: Unknown key "enigne". Did you mean "engine"?'],
  ],
  [
    "an engine that is missing",
    frame({ rest: "models:\n  m: {}\n" }),
    [
      '9:3 error missing-key: "engine" is missing in "m". It may be "linear", "chat", "openai", "qlora", "predictions" or "cascade".',
    ],
  ],
  [
    "a word for a number",
    frame({ rest: "models:\n  m:\n    engine: openai\n    base: x\n    epochs: three\n" }),
    ['12:13 error wrong-value: "epochs" must be "auto" or a number, 0 to 1000; it is "three".'],
  ],
  [
    "a number out of bounds, an empty value, a list of the wrong length",
    frame({ rest: "models:\n  m: { engine: linear, folds: 1, class_weight: , char_ngrams: [2] }\n" }),
    [
      '9:31 error wrong-value: "folds" must be a whole number, 2 to 20; it is 1.',
      '9:34 error empty-value: "class_weight" is empty. Give it "none" or "balanced", or remove it.',
      '9:50 error wrong-value: "char_ngrams" must have at least 2 items; it has 1.',
    ],
  ],
  [
    "a mistyped choice",
    frame({ dataset: "  sampling: { strategy: balancd }\n" }),
    [
      '4:25 error wrong-value: "strategy" must be "natural", "balanced" or "undersample"; it is "balancd". Did you mean "balanced"?',
    ],
  ],
  [
    "a mistake inside one form of a value that has several",
    frame({ task: "  inputs: [{ column: Text, nme: t }]\n  targets:\n    - column: Kind\n      labels: [A]\n" }),
    [
      '5:28 error unknown-key: Unknown key "nme". Did you mean "name"?',
      '8:7 error wrong-value: "labels" must have at least 2 items; it has 1.',
    ],
  ],
  [
    "a name that cannot be one",
    frame({ rest: "models:\n  my model: { engine: linear }\n" }),
    ['9:3 error bad-name: "my model" cannot be a name: use letters, digits, dots, dashes and underscores, 64 at most.'],
  ],
  [
    "shares that do not sum to 1",
    frame({ dataset: "  split: { train: 0.7, validation: 0.2, test: 0.2 }\n" }),
    ["4:3 error split-sum: The shares train, validation and test sum to 1.1; they must sum to 1. Change one of them."],
  ],
  [
    "a split column and a share",
    frame({ dataset: "  split: { column: split, test: 0.2 }\n" }),
    [
      '4:27 error split-column-and-shares: "test" does nothing here: "column" says each row\'s split. Remove one of the two.',
    ],
  ],
  [
    "a sampling setting of another strategy",
    frame({ dataset: "  sampling: { strategy: balanced, max_ratio: 5 }\n" }),
    [
      '4:35 error sampling-field: "max_ratio" belongs to strategy "undersample"; this is "balanced". Remove it, or change the strategy.',
    ],
  ],
  [
    "an input that is a target, and a target twice",
    frame({ task: "  inputs: [Text, Kind]\n  targets:\n    - column: Kind\n    - column: Kind\n" }),
    [
      '5:18 error input-is-target: Column "Kind" is a target too: the model would read the answer. Remove it from the inputs.',
      '8:15 error duplicate-target: Column "Kind" is a target twice: it is also target 1. Remove one.',
    ],
  ],
  [
    "names that are no keys of objects",
    frame({
      task: "  inputs: [Text, { column: Other, name: __proto__ }]\n  targets:\n    - column: __proto__\n    - { column: Kind, name: constructor }\n",
    }),
    [
      '5:41 error reserved-name: "__proto__" cannot be used as a name. Give the column another "name".',
      '7:15 error reserved-name: "__proto__" cannot be used as a name. Give the column another "name".',
    ],
  ],
  [
    "labels that clash",
    frame({
      task: "  inputs: [Text]\n  targets:\n    - column: Kind\n      labels:\n        - Toe\n        - Toe\n        - TOE\n        - { name: Foot, aliases: [Toe] }\n      never: [Tow]\n",
    }),
    [
      '10:11 error duplicate-label: Label "Toe" stands here twice: it is also on line 9. Remove one.',
      '11:11 warning similar-label: Label "TOE" differs from "Toe" (line 9) only in case or spaces. If they mean the same, keep one and make the other its alias.',
      '12:35 error alias-clash: "Toe" is a label of its own (line 9) and cannot be an alias of "Foot". Remove one of the two.',
      '13:15 error unknown-label: "Tow" is not among the labels of "Kind". Did you mean "Toe"?',
    ],
  ],
  [
    "names that do not exist",
    frame({
      rest: "models:\n  base: { engine: linear }\n  zero: { engine: chat, endpoint: opnai, model: x }\n  q: { engine: qlora, base: b, host: a1g }\n  both: { engine: cascade, stages: [base, zeros] }\nhosts:\n  a10g: { kind: ssh, address: me@there }\nreview: { model: bse }\n",
    }),
    [
      '10:35 error unknown-endpoint: There is no endpoint "opnai". Did you mean "openai"?',
      '11:38 error unknown-host: There is no host "a1g". Did you mean "a10g"?',
      '12:43 error unknown-model: There is no model "zeros". Did you mean "zero"?',
      '14:3 information unused-host: No model uses the host "a10g". Remove it, or name it in a model\'s "host".',
      '15:18 error unknown-model: There is no model "bse". Did you mean "base"?',
    ],
  ],
  [
    "columns of predictions",
    frame({
      task: "  inputs: [Text]\n  targets: [{ column: Kind, labels: [Finger, Toe] }]\n",
      rest: "models:\n  p: { engine: predictions, source: preds.csv, targets: { Kind: { probability: a, probabilities: { Finger: a, Tow: b } } } }\n",
    }),
    [
      '8:37 warning missing-file: There is no file "preds.csv" in the project\'s folder. Check the path, or create it.',
      '8:67 error predictions-columns: "probability" does nothing beside a column a label. Remove it.',
      '8:111 error unknown-label: "Tow" is not among the labels of "Kind". Did you mean "Toe"?',
    ],
  ],
  [
    "a threshold and a risk",
    frame({ rest: "confidence:\n  accept: { threshold: 0.9, risk: 0.05 }\n" }),
    [
      '9:29 error threshold-and-risk: "risk" and "threshold" exclude each other: a plain threshold guarantees nothing. Remove one of the two.',
    ],
  ],
  [
    "paths that lead out, and a remote address",
    frame({ dataset: "  pool: [../new.csv, /etc/passwd, ~/x.csv, 'https://example.org/x.csv', 'a/../../b.csv']\n" }),
    [
      '4:10 error path-outside: "../new.csv" is outside the project\'s folder. Copy or move the file into it, and give its relative path.',
      '4:22 error path-outside: "/etc/passwd" is outside the project\'s folder. Copy or move the file into it, and give its relative path.',
      '4:35 error path-outside: "~/x.csv" is outside the project\'s folder. Copy or move the file into it, and give its relative path.',
      '4:44 error path-outside: "https://example.org/x.csv" is a remote address. Download the file into the project\'s folder and name it here.',
      '4:73 error path-outside: "a/../../b.csv" is outside the project\'s folder. Copy or move the file into it, and give its relative path.',
    ],
  ],
  [
    "an ssh address that is an option",
    frame({ rest: "hosts:\n  a10g: { kind: ssh, address: -oProxyCommand=x }\n" }),
    [
      '9:31 error wrong-value: "address" must be an ssh address: host, user@host, or a name from your ssh config; it is "-oProxyCommand=x".',
    ],
  ],
];

describe("project file: bad ones", () => {
  for (const [name, text, expected] of BAD) {
    it(name, async () => {
      assert.deepEqual(await problemsOf(text), expected);
    });
  }
});

describe("loadProject", () => {
  it("resolves a good project, with defaults", async () => {
    await withFolder({ "x.clf.yaml": GOOD }, async (folder) => {
      const { project, problems } = await loadProject(join(folder, "x.clf.yaml"));
      assert.deepEqual(problems, []);
      assert.ok(project);
      assert.equal(project.folder, folder);
      assert.equal(project.name, "severe-injuries");
      assert.equal(project.splitsFile, join(folder, "x.splits.jsonl"));
      assert.equal(project.decisionsFile, join(folder, "reviews.jsonl"));
      assert.deepEqual(project.inputs, [
        { column: "Final Narrative", name: "Final Narrative" },
        { column: "Employer", name: "employer" },
      ]);
      assert.deepEqual(project.targets, [
        {
          column: "NatureTitle",
          name: "NatureTitle",
          labels: [{ name: "Finger" }, { name: "Toe", aliases: ["toes"] }],
          never: ["Toe"],
          risk: {},
        },
      ]);
      assert.deepEqual(project.shares, { train: 0.64, validation: 0.16, test: 0.2 });
      assert.equal(project.reviewModel, "baseline");
      assert.deepEqual(project.spec.confidence.accept, { risk: 0.05, certainty: 0.95, scope: "row" });
    });
  });

  it("takes plain numbers as written where text is asked for", async () => {
    const text = GOOD.replace("[Finger, { name: Toe, aliases: [toes] }]", "[007, 1.50, true]").replace(
      "[Toe]",
      "[007]",
    );
    const { project, problems } = await loadProject("/nowhere/x.clf.yaml", { text });
    assert.deepEqual(problems.map(shown), []);
    assert.deepEqual(project!.targets[0]!.labels, [{ name: "007" }, { name: "1.50" }, { name: "true" }]);
    assert.deepEqual(project!.targets[0]!.never, ["007"]);
  });

  it("shares settings by anchors and merge keys; own keys win", async () => {
    const text = `${frame({})}models:
  a: &a { engine: linear, folds: 3, class_weight: balanced }
  b: { <<: *a, folds: 4 }
`;
    const { project, problems } = await loadProject("/nowhere/x.clf.yaml", { text });
    assert.deepEqual(problems.map(shown), []);
    const { b } = project!.spec.models;
    assert.ok(b?.engine === "linear");
    assert.equal(b.folds, 4);
    assert.equal(b.class_weight, "balanced");
  });

  it("declares the endpoint openai when a model uses it undeclared", async () => {
    const text = `${frame({})}models:\n  t: { engine: openai, base: gpt-4o-mini }\n`;
    const { project } = await loadProject("/nowhere/x.clf.yaml", { text });
    assert.deepEqual(Object.keys(project!.spec.endpoints), ["openai"]);
  });

  it("says once that a key stands in the file, where, and never repeats it", async () => {
    const key = "sk-proj-abc123def456ghi789";
    const text = frame({
      rest: `models:\n  c: { engine: chat, endpoint: mine, model: x }\nendpoints:\n  mine:\n    base_url: https://x.example/v1\n    key: ${key}\n# old: ${key}\n`,
    });
    const { problems } = await loadProject("/nowhere/x.clf.yaml", { text });
    const errors = problems.filter(({ severity }) => severity === "error");
    assert.deepEqual(
      errors.map(({ code, range }) => [code, range!.start.line, range!.start.character]),
      [
        ["secret-in-file", 12, 9],
        ["secret-in-file", 13, 7],
      ],
    );
    assert.ok(!JSON.stringify(problems).includes(key));
  });

  it("knows the usual forms of keys, and leaves ordinary words alone", () => {
    const found = (text: string) => findSecrets(readYaml("/x.yaml", text)).length;
    assert.equal(found("key: AKIAABCDEFGHIJKLMNOP"), 1);
    assert.equal(found("a: hf_abcdefghijklmnopqrstuv"), 1);
    assert.equal(found("e: { base_url: x, key: 3f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c }"), 1);
    assert.equal(found("-----BEGIN OPENSSH PRIVATE KEY-----"), 1);
    assert.equal(
      found("key: ANTHROPIC_API_KEY\nname: sk-learn-baseline-with-tfidf\nbase: Qwen/Qwen2.5-7B-Instruct"),
      0,
    );
    // Text made to be slow for a search that starts over at every place.
    assert.equal(found(`# ${"sk-".repeat(300_000)}`), 0);
    assert.equal(found(`# ${"-eyJa".repeat(200_000)}`), 0);
  });

  it("does not show what stands where a key's name should", async () => {
    const text = frame({ rest: "endpoints:\n  openai: { key: hunter 2 }\n" });
    const { problems } = await loadProject("/nowhere/x.clf.yaml", { text });
    const wrong = problems.find(({ code }) => code === "wrong-value")!;
    assert.match(wrong.message, /^"key" must be the name of an environment variable/);
    assert.ok(!wrong.message.includes("hunter"));
  });

  it("offers replacements of the marked text", async () => {
    const text = frame({ rest: "models:\n  m: { engine: linaer }\n" });
    const { problems } = await loadProject("/nowhere/x.clf.yaml", { text });
    assert.deepEqual(problems[0]!.suggestions, ["linear"]);
    const { start, end } = problems[0]!.range!;
    assert.equal(text.split("\n")[start.line]!.slice(start.character, end.character), "linaer");
  });

  it("keeps checking the rest of a file with a faulty part, without false alarms about it", async () => {
    const text = frame({
      rest: "models:\n  good: { engine: linear }\n  bad: { engine: linear, folds: x }\nreview: { model: bad }\nconfidence: { accept: { threshold: 0.9, risk: 0.1 } }\n",
    });
    const { problems, project, spec } = await loadProject("/nowhere/x.clf.yaml", { text });
    assert.equal(project, undefined);
    assert.ok(spec);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["wrong-value", "threshold-and-risk"],
    );
  });

  it("answers with problems for files that cannot be read", async () => {
    await withFolder(
      {
        "latin.clf.yaml": Uint8Array.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]),
        "utf16.clf.yaml": Uint8Array.from([0xff, 0xfe, 0x61, 0x00]),
        "large.clf.yaml": `# ${"x".repeat(5 * 1024 * 1024)}`,
        "folder.clf.yaml/x": "",
      },
      async (folder) => {
        const codeOf = async (name: string) => (await loadProject(join(folder, name))).problems.map(({ code }) => code);
        assert.deepEqual(await codeOf("none.clf.yaml"), ["missing-file"]);
        assert.deepEqual(await codeOf("latin.clf.yaml"), ["wrong-encoding"]);
        assert.deepEqual(await codeOf("utf16.clf.yaml"), ["wrong-encoding"]);
        assert.deepEqual(await codeOf("large.clf.yaml"), ["too-large"]);
        assert.equal((await codeOf("folder.clf.yaml")).length, 1);
      },
    );
  });

  it("reads a file with a byte order mark and Windows line ends", async () => {
    await withFolder({ "x.clf.yaml": `\uFEFF${GOOD.replace(/\n/g, "\r\n")}` }, async (folder) => {
      const { project, problems } = await loadProject(join(folder, "x.clf.yaml"));
      assert.deepEqual(problems.map(shown), []);
      assert.ok(project);
    });
  });
});

describe("labels in a file", () => {
  const withLabels = frame({ task: "  inputs: [Text]\n  targets:\n    - column: Kind\n      labels: labels.yaml\n" });

  it("are read", async () => {
    const files = { "x.clf.yaml": withLabels, "labels.yaml": "- A\n- { name: B, aliases: [b] }\n- 007\n" };
    await withFolder(files, async (folder) => {
      const { project, problems } = await loadProject(join(folder, "x.clf.yaml"));
      assert.deepEqual(problems, []);
      assert.deepEqual(project!.targets[0]!.labels, [{ name: "A" }, { name: "B", aliases: ["b"] }, { name: "007" }]);
    });
  });

  it("have problems at their own places", async () => {
    const files = { "x.clf.yaml": withLabels, "labels.yaml": "- A\n- { nme: B }\n" };
    await withFolder(files, async (folder) => {
      const { project, problems } = await loadProject(join(folder, "x.clf.yaml"));
      assert.equal(project, undefined);
      assert.deepEqual(problems.map(shown), ['2:5 error unknown-key: Unknown key "nme". Did you mean "name"?']);
      assert.equal(problems[0]!.file, join(folder, "labels.yaml"));
    });
    await withFolder({ ...files, "labels.yaml": "- A\n- B\n- A\n" }, async (folder) => {
      const { problems } = await loadProject(join(folder, "x.clf.yaml"));
      assert.deepEqual(problems.map(shown), [
        '3:3 error duplicate-label: Label "A" stands here twice: it is also on line 1. Remove one.',
      ]);
      assert.equal(problems[0]!.file, join(folder, "labels.yaml"));
    });
  });

  it("that is not there is an error at its name", async () => {
    await withFolder({ "x.clf.yaml": withLabels, "lables.yaml": "- A\n- B\n" }, async (folder) => {
      const { problems } = await loadProject(join(folder, "x.clf.yaml"));
      assert.deepEqual(problems.map(shown), [
        '8:15 error missing-file: There is no file "labels.yaml" in the project\'s folder. Did you mean "lables.yaml"?',
      ]);
    });
  });

  it("may not be reached by a link that leads out", async () => {
    await withFolder({ "secret/labels.yaml": "- A\n- B\n", "p/x.clf.yaml": withLabels }, async (folder) => {
      await symlink(join(folder, "secret", "labels.yaml"), join(folder, "p", "labels.yaml"));
      const { problems } = await loadProject(join(folder, "p", "x.clf.yaml"));
      assert.deepEqual(
        problems.map(({ code }) => code),
        ["path-outside"],
      );
      assert.match(problems[0]!.message, /symbolic link/);
    });
  });

  for (const name of [".clf", "x.splits.jsonl"]) {
    it(`nothing is written through a link out, ${name}`, async () => {
      await withFolder({ "p/x.clf.yaml": GOOD }, async (folder) => {
        await mkdir(join(folder, "elsewhere"));
        await symlink(join(folder, "elsewhere"), join(folder, "p", name));
        const { problems, project } = await loadProject(join(folder, "p", "x.clf.yaml"));
        assert.deepEqual(
          problems.map(({ code }) => code),
          ["path-outside"],
        );
        assert.match(problems[0]!.message, /by a symbolic link\. Remove the link/);
        assert.equal(project, undefined);
      });
    });
  }

  it("a link to nothing, outside, is no place for decisions", async () => {
    await withFolder({ "p/x.clf.yaml": GOOD }, async (folder) => {
      await mkdir(join(folder, "elsewhere"));
      await symlink(join(folder, "elsewhere", "new.jsonl"), join(folder, "p", "reviews.jsonl"));
      const { problems } = await loadProject(join(folder, "p", "x.clf.yaml"));
      assert.deepEqual(
        problems.map(({ code }) => code),
        ["path-outside"],
      );
    });
  });
});
