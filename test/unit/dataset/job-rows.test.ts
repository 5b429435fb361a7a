import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { JobRow } from "../../../schemas/rows.ts";
import { type TrainDecision, writeJobRows } from "../../../server/src/dataset/job-rows.ts";
import { type MadeProject, withProject } from "./made-project.ts";

const csv = `id,text,label,split
1,alpha alpha alpha,x,train
2,beta beta beta,y,train
3,Alpha alpha alpha.,x,train
4,gamma gamma gamma,z,train
5,delta delta delta,x,test
6,epsilon epsilon epsilon,y,validation
7,zeta zeta zeta,,
8,"Delta, delta delta",,
`;
const made = {
  dataset: {
    source: "data.csv",
    id: "id",
    split: { column: "split", tune: 0 },
    sampling: { strategy: "balanced" as const, labels: 2 },
  },
  files: { "data.csv": csv },
};

const decide = (entries: [string, string | null][]): Map<string, Map<string, TrainDecision>> =>
  new Map(entries.map(([row, label], i) => [row, new Map([["label", { label, decision: `d${i}` }]])]));

async function write(project: MadeProject, options: Parameters<typeof writeJobRows>[1] = {}) {
  const file = path.join(project.folder, "rows.jsonl");
  const report = await writeJobRows(await project.open(), options, file);
  const rows = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JobRow.parse(JSON.parse(line)));
  return { report, rows, byId: new Map(rows.map((row) => [row.row, row])) };
}

describe("job rows", () => {
  it("are the rows that take part, with their duplicates marked", () =>
    withProject(made, async (project) => {
      const { report, byId } = await write(project);
      // x and y are the most frequent labels; one row of each stays.
      assert.deepEqual(report.rows, { train: 2, tune: 0, validation: 1, test: 1, pool: 2 });
      assert.deepEqual(byId.get("5"), {
        row: "5",
        split: "test",
        inputs: { text: "delta delta delta" },
        labels: { label: "x" },
        group: byId.get("8")!.group,
      });
      assert.deepEqual(byId.get("7"), {
        row: "7",
        split: "pool",
        inputs: { text: "zeta zeta zeta" },
        labels: { label: null },
      });
      assert.match(report.fingerprint, /^[0-9a-f]{64}$/);
    }));

  it("take decisions in train and pool, never in validation or test", () =>
    withProject(made, async (project) => {
      const decisions = decide([
        ["2", "x"],
        ["4", "y"],
        ["5", "y"],
        ["6", "x"],
        ["7", "z"],
        ["8", "x"],
        ["99", "x"],
      ]);
      const { report, byId } = await write(project, { decisions });
      assert.deepEqual([byId.get("2")!.labels.label, byId.get("2")!.decision], ["x", "d0"]);
      // Sampling had left row 4 out: a reviewed row joins train, always.
      assert.deepEqual([byId.get("4")!.split, byId.get("4")!.labels.label], ["train", "y"]);
      assert.deepEqual([byId.get("5")!.labels.label, byId.get("6")!.labels.label], ["x", "y"]);
      assert.deepEqual([byId.get("7")!.split, byId.get("7")!.labels.label], ["train", "z"]);
      // It was reviewed because a model was unsure of it: no random row, and marked as such.
      assert.equal(byId.get("7")!.joined, true);
      assert.deepEqual(
        ["2", "4", "8"].map((id) => byId.get(id)!.joined),
        [undefined, undefined, undefined],
      );
      // A duplicate of a test row may not train.
      assert.deepEqual([byId.get("8")!.split, byId.get("8")!.labels.label], ["pool", null]);
      assert.deepEqual(report.withheld, ["8"]);
      assert.equal(report.decisions, 3);
    }));

  it("tell the file's label where a decision put another", () =>
    withProject(made, async (project) => {
      const { byId } = await write(project, {
        decisions: decide([
          ["1", "x"],
          ["2", "x"],
          ["7", "z"],
        ]),
      });
      assert.deepEqual(byId.get("2")!.given, { label: "y" });
      assert.deepEqual([byId.get("1")!.given, byId.get("7")!.given], [undefined, undefined]);
    }));

  it("lose a label that is none of the target's, and ignore one the target does not know", () =>
    withProject(made, async (project) => {
      const { byId, report } = await write(project, {
        decisions: decide([
          ["2", null],
          ["7", "unheard of"],
        ]),
      });
      assert.equal(byId.get("2")!.labels.label, null);
      assert.deepEqual([byId.get("7")!.split, byId.get("7")!.labels.label], ["pool", null]);
      assert.equal(report.decisions, 1);
    }));

  it("have a fingerprint that changes with a label and with nothing else", () =>
    withProject(made, async (project) => {
      const first = (await write(project)).report.fingerprint;
      assert.equal((await write(project)).report.fingerprint, first);
      assert.notEqual((await write(project, { decisions: decide([["2", "x"]]) })).report.fingerprint, first);
    }));

  it("can be those of some splits, and leave nothing behind when stopped", () =>
    withProject(made, async (project) => {
      const { rows } = await write(project, { splits: ["pool"] });
      assert.deepEqual(
        rows.map((row) => row.row),
        ["7", "8"],
      );
      const dataset = await project.open();
      const before = readdirSync(project.folder);
      await assert.rejects(
        writeJobRows(dataset, { signal: AbortSignal.abort() }, path.join(project.folder, "other.jsonl")),
      );
      assert.deepEqual(readdirSync(project.folder), before);
    }));
});
