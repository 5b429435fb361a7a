/**
 * Bad project files, bad data, damaged files of our own. Each gets a message that says what is wrong, where, and what to do;
 * exit code 1; no stack (support.ts looks at all output); and nothing on the disk is changed or lost.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, clf, files, PROJECT, removeFolder, smallProject, temporaryFolder } from "./support.ts";

/** One bad input. */
interface Bad {
  name: string;
  /** Damages a copy of the sound project in `folder`. */
  make(folder: string): void;
  /** Default: check. */
  args?: string[];
  /** Essential parts of what is said, place first where there is one. */
  says: (string | RegExp)[];
  /** Default: 1. */
  code?: number;
  /** Files that may be new or changed, by pattern. Nothing else may. */
  changes?: RegExp;
  /** Needs a copy of a project that has been fine-tuned and evaluated. */
  evaluated?: boolean;
}

const project = (from: string | RegExp, to: string) => (folder: string) => {
  assert.notEqual(PROJECT.replace(from, to), PROJECT, "the change changes nothing");
  writeFileSync(join(folder, "small.clf.yaml"), PROJECT.replace(from, to));
};
const data = (change: (text: string) => string | Buffer) => (folder: string) => {
  const file = join(folder, "data", "injuries.csv");
  const text = readFileSync(file, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text, "the change changes nothing");
  writeFileSync(file, changed);
};
/** Another source, named in the project. */
const source = (name: string, content: string | Buffer) => (folder: string) => {
  writeFileSync(join(folder, "data", name), content);
  project("data/injuries.csv", `data/${name}`)(folder);
};
const file = (path: string, content: string) => (folder: string) => writeFileSync(join(folder, path), content);

const records = (edit: (line: string, n: number) => string): string =>
  Array.from({ length: 40 }, (_, n) =>
    edit(
      JSON.stringify({
        report_id: `${n}`,
        "Final Narrative": `He hurt ${n % 2 ? "a finger" : "an arm"} at ${n} o'clock.`,
        Employer: "Acme",
        NatureTitle: n % 2 ? "Cuts" : "Fractures",
        "Part of Body Title": n % 2 ? "Finger" : "Arm",
      }),
      n,
    ),
  ).join("\n");

const job = (folder: string, kind: string): string => {
  const jobs = join(folder, ".clf", "jobs");
  const id = readdirSync(jobs).find((name) => {
    if (name.startsWith(".")) return false;
    return JSON.parse(readFileSync(join(jobs, name, "job.json"), "utf8")).kind === kind;
  });
  return join(jobs, id!);
};

const BAD: Bad[] = [
  // --- project files
  {
    name: "YAML syntax",
    make: project("id: report_id", "id: [report_id"),
    says: [/^small\.clf\.yaml:\d+:\d+: error: /m],
  },
  {
    name: "an empty project file",
    make: file("small.clf.yaml", ""),
    says: [/^small\.clf\.yaml:1:1: error: /m, "empty"],
  },
  {
    name: "an unknown key",
    make: project("pool:", "poool:"),
    says: ["small.clf.yaml:6:3: error: ", 'Unknown key "poool"', 'Did you mean "pool"?'],
  },
  {
    name: "a key twice",
    make: project("  id: report_id", "  id: report_id\n  id: Employer"),
    says: ["small.clf.yaml:8:3: error: ", "id"],
  },
  {
    name: "a YAML bomb",
    make: project(
      "version: 1",
      `version: 1\n${Array.from({ length: 12 }, (_, n) => `x${n}: &x${n} [${Array(9).fill(n ? `*x${n - 1}` : "lol")}]`).join("\n")}`,
    ),
    says: [/^small\.clf\.yaml:\d+:\d+: error: /m, /alias/i],
  },
  {
    name: "nesting without end",
    make: project("version: 1", `version: 1\nname: ${"[".repeat(5000)}`),
    says: [/^small\.clf\.yaml:\d+:\d+: error: /m, /deep|nest/i],
  },
  {
    name: "a newer version",
    make: project("version: 1", "version: 2"),
    says: ["small.clf.yaml:2:10: error: ", "version 2 of the format", "Update Clf"],
  },
  {
    name: "a path that leaves the folder",
    make: project("data/injuries.csv", "../../etc/passwd.csv"),
    says: ["small.clf.yaml:5:11: error: ", '"../../etc/passwd.csv"', "folder"],
  },
  {
    name: "a link that leaves the folder",
    make(folder) {
      symlinkSync("/etc/hosts", join(folder, "data", "hosts.csv"));
      project("data/injuries.csv", "data/hosts.csv")(folder);
    },
    says: ["small.clf.yaml:5:11: error: ", "hosts.csv", /outside|leads out|leave/],
  },
  {
    name: "a key in the project file",
    make: project(
      "models:",
      'endpoints:\n  openai: { key: "sk-proj-abcdefghijklmnopqrstuvwx0123456789ABCDEFGHIJ" }\nmodels:',
    ),
    says: [/^small\.clf\.yaml:\d+:\d+: error: /m, /environment variable/],
  },
  {
    name: "split shares that do not sum to 1",
    make: project("{ seed: 42 }", "{ train: 0.8, validation: 0.3, test: 0.2 }"),
    says: [/^small\.clf\.yaml:8:\d+: error: /m, "1.3"],
  },
  {
    name: "an input that is a target",
    make: project("- column: NatureTitle", "- column: Final Narrative"),
    says: [/^small\.clf\.yaml:\d+:\d+: error: /m, '"Final Narrative"', /input/, /target/],
  },
  {
    name: "two targets of one column",
    make: project("- column: Part of Body Title", "- column: NatureTitle"),
    says: [/^small\.clf\.yaml:\d+:\d+: error: /m, "NatureTitle"],
  },
  {
    name: "a model that is not there",
    make: project("review: { model: baseline }", "review: { model: baselin }"),
    says: ["small.clf.yaml:21:18: error: ", '"baselin"', 'Did you mean "baseline"?'],
  },
  {
    name: "an engine that is not there",
    make: project("words: { engine: linear,", "words: { engine: linaer,"),
    says: ["small.clf.yaml:18:20: error: ", '"linaer"', '"linear"'],
  },
  {
    name: "a number where a share belongs",
    make: project("risk: 0.25", "risk: 25"),
    says: [/^small\.clf\.yaml:20:19: error: /m, "25"],
  },
  {
    name: "a project that is a data file",
    make: () => {},
    args: ["check", "data/injuries.csv"],
    says: [/^data\/injuries\.csv:\d+:\d+: error: /m],
  },
  // --- data files
  {
    name: "missing data",
    make: (folder) => renameSync(join(folder, "data", "injuries.csv"), join(folder, "data", "injurys.csv")),
    says: ["small.clf.yaml:5:11: error: ", "data/injuries.csv", 'Did you mean "data/injurys.csv"?'],
  },
  {
    name: "a missing column",
    make: data((text) => text.replace("Employer", "Employeur")),
    says: ["data/injuries.csv:1:1: error: ", 'no column "Employer"', 'Did you mean "Employeur"?'],
  },
  {
    name: "a column twice",
    make: data((text) => text.replace("Employer", "NatureTitle")),
    says: ["data/injuries.csv:1:", 'error: Two columns of data/injuries.csv are named "NatureTitle"'],
  },
  {
    name: "a ragged row",
    make: data((text) => `${text}99,too,many,fields,in,this,row,of,the,file\n`),
    says: [/^data\/injuries\.csv:424:\d+: error: .*10 fields, the header has 6/m],
  },
  {
    name: "a quote that is never closed",
    make: data((text) => `${text}99,"no end,Acme,Fractures,Arm\n`),
    says: [/^data\/injuries\.csv:424:4: error: .*never closed/m],
  },
  {
    name: "Windows-1252",
    make: data((text) => Buffer.concat([Buffer.from(text), Buffer.from("99,caf\xe9,Acme,Fractures,Arm\n", "latin1")])),
    says: [/^data\/injuries\.csv:424:\d+: error: .*0xe9/m, "UTF-8"],
  },
  {
    name: "UTF-16",
    make: data((text) => Buffer.from(`\ufeff${text}`, "utf16le")),
    says: [/^data\/injuries\.csv:1:1: error: .*UTF-16/m, "UTF-8"],
  },
  {
    name: "NUL bytes",
    make: data((text) => `${text}99,a\0b,Acme,Fractures,Arm\n`),
    says: [/^data\/injuries\.csv:424:\d+: error: /m, /NUL|zero byte|0x00|control/i],
  },
  { name: "an empty file", make: data(() => ""), says: ["data/injuries.csv", "error: ", "is empty"] },
  {
    name: "a header and no rows",
    make: data((text) => text.slice(0, text.indexOf("\n") + 1)),
    says: ["data/injuries.csv:1:1: error: ", "no rows"],
  },
  {
    name: "a target of one label",
    make: data((text) => text.replaceAll(/(Amputations|"Cuts .* more")(?=,)/g, "Fractures")),
    says: [/^small\.clf\.yaml:14:\d+: error: /m, "NatureTitle", /same label/],
  },
  {
    name: "a label that is not in the list",
    make: project("- column: NatureTitle", "- { column: NatureTitle, labels: [Fractures, Amputation] }"),
    says: [
      'data/injuries.csv:6:1: warning: "Amputations" is not among the labels of "NatureTitle". Did you mean "Amputation"?',
      /^small\.clf\.yaml:14:17: error: Every labelled row has the same label/m,
    ],
  },
  {
    name: "an id twice",
    make: data((text) => {
      const lines = text.split("\n");
      return [...lines.slice(0, -1), lines[1]!.replace(/=1\+1 /, "Another text. "), ""].join("\n");
    }),
    says: ['data/injuries.csv:424:1: warning: The id "240009" stands here for the second time'],
    code: 0,
  },
  {
    name: "a line that is not JSON",
    make: source(
      "bad.jsonl",
      records((line, n) => (n === 6 ? line.slice(0, -9) : line)),
    ),
    says: [/^data\/bad\.jsonl:7:\d+: error: /m, "JSON"],
  },
  {
    name: "a line that is JSON but no object",
    make: source(
      "bad.jsonl",
      records((line, n) => (n === 6 ? "[1, 2]" : line)),
    ),
    says: [/^data\/bad\.jsonl:7:\d+: error: /m, "object"],
  },
  {
    name: "a gzip file that was cut off",
    make(folder) {
      const packed = gzipSync(readFileSync(join(folder, "data", "injuries.csv")));
      source("cut.csv.gz", packed.subarray(0, packed.length / 2))(folder);
    },
    says: ["data/cut.csv.gz", "error: ", /gzip|decompress|cut off/i],
  },
  {
    name: "a gzip file that is none",
    make: source("none.csv.gz", "report_id,Final Narrative\n"),
    says: ["data/none.csv.gz", "error: ", /gzip/i],
  },
  {
    name: "a corrupt Parquet file",
    make: source("bad.parquet", Buffer.concat([Buffer.from("PAR1"), Buffer.alloc(400, 7), Buffer.from("PAR1")])),
    says: ["data/bad.parquet", "error: ", /Parquet/i],
  },
  {
    name: "a spreadsheet",
    make: source("data.xlsx", "PK"),
    says: ["small.clf.yaml:5:11: error: ", "data/data.xlsx", "csv, tsv, jsonl, json or parquet"],
  },
  {
    name: "init on a corrupt Parquet file",
    make: file("data/bad.parquet", "PAR1 no PAR1"),
    args: ["init", "data/bad.parquet"],
    says: [/^data\/bad\.parquet cannot be read: .*[Pp]arquet/m],
  },
  {
    name: "init on a file of no known format",
    make: file("data/data.xlsx", "PK"),
    args: ["init", "data/data.xlsx"],
    says: ["data.xlsx is not a kind of file that can be read. Use csv, tsv, jsonl, json or parquet."],
  },
  {
    name: "init on an empty file",
    make: file("data/none.csv", ""),
    args: ["init", "data/none.csv"],
    says: ["data/none.csv", "no rows"],
  },
  // --- files of our own
  {
    name: "a decisions file that is a folder",
    make: (folder) => mkdirSync(join(folder, "reviews.jsonl")),
    args: ["fine-tune", "small.clf.yaml"],
    says: [/^reviews\.jsonl: error: The decisions file cannot be read/m],
    changes: /^small\.splits\.jsonl$/,
  },
  {
    name: "a line of decisions that was cut off: said, and the rest holds",
    make: file("reviews.jsonl", '{"id":"019338a1-0000-7000-8000-0000000'),
    says: [/reviews\.jsonl:1:1: (warning|error): /],
    code: 0,
  },
  {
    name: "a splits file that is damaged: set aside before it is written again",
    make: file("small.splits.jsonl", '{"row":"264001","split":"train"}\n<<<<<<< ours\n'),
    args: ["fine-tune", "small.clf.yaml", "-m", "words"],
    says: [/^small\.splits\.jsonl:2:1: warning: .*cannot be read/m, /small\.splits\.jsonl\.unreadable-/],
    code: 0,
    changes: /^small\.splits\.jsonl/,
  },
  {
    name: "a splits file that is a folder",
    make: (folder) => mkdirSync(join(folder, "small.splits.jsonl")),
    args: ["fine-tune", "small.clf.yaml"],
    says: [/small\.splits\.jsonl.*error: /],
  },
  {
    name: "a damaged job.json: shown, left alone, and in nobody's way",
    evaluated: true,
    make(folder) {
      writeFileSync(join(job(folder, "evaluate"), "job.json"), '{"contract": 1, ');
    },
    args: ["jobs", "small.clf.yaml"],
    says: [/^! .*job\.json is not JSON/m, /succeeded/],
    code: 0,
  },
  {
    name: "a job of a newer version",
    evaluated: true,
    make(folder) {
      const path = join(job(folder, "evaluate"), "job.json");
      writeFileSync(path, readFileSync(path, "utf8").replace(/"contract": ?\d+/, '"contract":99'));
    },
    args: ["flagged", "small.clf.yaml"],
    says: ['"baseline" has not been evaluated yet'],
  },
  {
    name: "a damaged model file",
    evaluated: true,
    make(folder) {
      const model = join(job(folder, "fine-tune"), "model");
      for (const name of readdirSync(model)) {
        if (name !== "linear.json") writeFileSync(join(model, name), readFileSync(join(model, name)).subarray(0, 100));
      }
    },
    args: ["predict", "small.clf.yaml", "--text", "Cut his finger."],
    says: [/model/i, /damaged|cut off|not whole|fine-tune/i],
  },
  {
    name: "a model whose files are gone",
    evaluated: true,
    make: (folder) => renameSync(join(job(folder, "fine-tune"), "model"), join(folder, "model-aside")),
    args: ["predict", "small.clf.yaml", "--text", "Cut his finger."],
    says: [/model/, /[Ff]ine-tune/],
  },
  {
    name: "predictions that are damaged",
    evaluated: true,
    make: (folder) => writeFileSync(join(job(folder, "evaluate"), "predictions.parquet"), "PAR1"),
    args: ["flagged", "small.clf.yaml"],
    says: [/^The predictions of job \S+ cannot be read: .* Delete the job and run it again\.$/m],
  },
  {
    name: "predictions that are gone: nothing would seem to be flagged",
    evaluated: true,
    make: (folder) =>
      renameSync(join(job(folder, "evaluate"), "predictions.parquet"), join(folder, "predictions-aside")),
    args: ["flagged", "small.clf.yaml"],
    says: [/^The predictions of job \S+ are missing\. Delete the job and run it again\.$/m],
  },
  {
    name: "rows of a job that are damaged",
    evaluated: true,
    make: (folder) => writeFileSync(join(job(folder, "evaluate"), "data", "rows.jsonl"), '{"row":1}\n'),
    args: ["flagged", "small.clf.yaml"],
    says: [/^The rows of job \S+ are damaged\. Delete the job and run it again\.$/m],
  },
  {
    name: "a job whose job.json is cut off",
    evaluated: true,
    make(folder) {
      const whole = job(folder, "evaluate");
      const cut = join(whole, "..", "20260101-0000-cut-000000");
      cpSync(whole, cut, { recursive: true });
      writeFileSync(join(cut, "job.json"), '{"contract":1,');
    },
    args: ["jobs", "small.clf.yaml", "show", "20260101-0000-cut-000000"],
    says: [
      "Job 20260101-0000-cut-000000 cannot be read: job.json is not JSON",
      "delete it: clf jobs small.clf.yaml delete 20260101-0000-cut-000000",
    ],
  },
  {
    name: "an id that is no job",
    args: ["jobs", "small.clf.yaml", "show", "20260101-0000-none-000000"],
    make: () => {},
    code: 2,
    says: ["There is no job 20260101-0000-none-000000."],
  },
  {
    name: "a file where the jobs should be",
    make: file(".clf", ""),
    args: ["fine-tune", "small.clf.yaml", "-m", "words"],
    says: [/^Cannot make \S+\.clf\/jobs: a part of the path is a file, not a folder\.$/m],
    changes: /^small\.splits\.jsonl$/,
  },
  {
    name: "a damaged report",
    evaluated: true,
    make: (folder) => writeFileSync(join(job(folder, "evaluate"), "report.json"), "{"),
    args: ["report", "small.clf.yaml"],
    says: ['"baseline" has not been evaluated yet'],
  },
  {
    name: "decisions to record that are no JSON",
    evaluated: true,
    make: file("d.jsonl", "row,target,label\n"),
    args: ["review", "small.clf.yaml", "--from", "d.jsonl"],
    says: ["d.jsonl:1: this line is not JSON."],
  },
  {
    name: "a model of an engine that has to be fine-tuned first",
    make: project(
      "words: { engine: linear,",
      "tuned: { engine: qlora, base: Qwen/Qwen2.5-7B-Instruct }\n  words: { engine: linear,",
    ),
    args: ["evaluate", "small.clf.yaml", "--model", "tuned"],
    says: ['Model "tuned" has not been fine-tuned as it now stands. Run: clf fine-tune small.clf.yaml --model tuned'],
    changes: /^small\.splits\.jsonl$/,
  },
];

describe(`bad inputs (${BAD.length})`, function () {
  this.timeout(60_000);
  let evaluated: string;
  const made: string[] = [];

  before(async function () {
    this.timeout(120_000);
    build();
    evaluated = await smallProject();
    made.push(evaluated);
    const { code, err } = await clf(["evaluate", evaluated, "-m", "baseline"]);
    assert.equal(code, 0, err);
  });
  after(async () => {
    for (const folder of made) await removeFolder(folder);
  });

  for (const bad of BAD) {
    it(bad.name, async () => {
      const folder = bad.evaluated ? temporaryFolder() : await smallProject();
      if (bad.evaluated) cpSync(evaluated, folder, { recursive: true, preserveTimestamps: true });
      made.push(folder);
      bad.make(folder);
      const before = files(folder);
      const { code, out, err } = await clf(bad.args ?? ["check", "small.clf.yaml"], { cwd: folder });
      const said = err + out;
      if (process.env.CLF_SHOW) console.log(said);
      assert.equal(code, bad.code ?? 1, said);
      for (const part of bad.says) {
        if (typeof part === "string") assert.ok(said.includes(part), `${JSON.stringify(part)} is not in:\n${said}`);
        else assert.match(said, part);
      }
      assert.doesNotMatch(said, /Something went wrong|^LINE 1:/m);
      const now = files(folder);
      for (const [path, content] of Object.entries(before)) {
        if (!bad.changes?.test(path)) assert.equal(now[path], content, `${path} was changed`);
      }
      for (const path of Object.keys(now)) {
        if (path.startsWith(".clf")) continue;
        assert.ok(path in before || bad.changes?.test(path), `${path} is new`);
      }
    });
  }

  it("a damaged splits file is kept under another name", async () => {
    const folder = await smallProject();
    made.push(folder);
    const damaged = '{"row":"264001","split":"train"}\n<<<<<<< ours\n';
    writeFileSync(join(folder, "small.splits.jsonl"), damaged);
    const { code } = await clf(["fine-tune", "small.clf.yaml", "-m", "words"], { cwd: folder });
    assert.equal(code, 0);
    const aside = readdirSync(folder).filter((name) => name.startsWith("small.splits.jsonl.unreadable-"));
    assert.equal(aside.length, 1);
    assert.equal(readFileSync(join(folder, aside[0]!), "utf8"), damaged);
    assert.ok(readFileSync(join(folder, "small.splits.jsonl"), "utf8").split("\n").length > 300);
  });

  it("damaged predictions of an old evaluation do not stand in the way of a new one", async () => {
    const folder = temporaryFolder();
    made.push(folder);
    cpSync(evaluated, folder, { recursive: true });
    writeFileSync(join(job(folder, "evaluate"), "predictions.parquet"), "PAR1");
    const { code, err, out } = await clf(["evaluate", "small.clf.yaml", "-m", "baseline"], { cwd: folder });
    assert.equal(code, 0, err);
    assert.match(out, /accuracy/);
  });

  it("a profile leaves nothing behind", async () => {
    const folder = await smallProject();
    made.push(folder);
    const before = files(folder);
    assert.equal((await clf(["profile", "small.clf.yaml"], { cwd: folder })).code, 0);
    assert.deepEqual(files(folder), before);
  });

  it("a project that was moved keeps its jobs", async () => {
    const folder = temporaryFolder();
    made.push(folder);
    cpSync(evaluated, folder, { recursive: true });
    const { code, out } = await clf(["report", folder]);
    assert.equal(code, 0);
    assert.match(out, /accuracy/);
  });
});
