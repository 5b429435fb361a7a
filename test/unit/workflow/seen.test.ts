/** What a model learned from is never reported as if it had not seen it, whatever became of the data since. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProject } from "../../../server/src/project/load.ts";
import { readData } from "../../../server/src/workflow/data.ts";
import { type JobRequest, prepareJob } from "../../../server/src/workflow/prepare.ts";
import { seenRows } from "../../../server/src/workflow/seen.ts";
import { openSession, type Session } from "../../../server/src/workflow/session.ts";

const PROJECT = `version: 1
dataset: { source: data.csv, id: id, split: { column: split, tune: 0 } }
task: { inputs: [text], targets: [{ column: label }] }
models: { m: { engine: linear }, other: { engine: linear, class_weight: balanced } }
`;
const TEXTS = ["one apple", "two bears", "three cars", "four dogs", "five eels", "six foxes", "seven goats"];
type Row = [id: string, text: string, label: string, split: string];
const ROWS = TEXTS.map((text, i): Row => {
  return [`r${i}`, text, i % 2 ? "x" : "y", ["train", "train", "train", "train", "validation", "test", "pool"][i]!];
});

describe("rows that a model has learned from", () => {
  let folder: string;
  let session: Session;
  let fineTune: string;

  const write = (rows: readonly Row[]) =>
    writeFileSync(join(folder, "data.csv"), ["id,text,label,split", ...rows.map((row) => row.join(","))].join("\n"));
  const seen = async (rows: readonly Row[]) => {
    write(rows);
    return seenRows(session, await readData(session), fineTune);
  };
  const prepare = async (request: JobRequest) => {
    const data = await readData(session);
    return session.jobs.store.create("m", (making) => prepareJob(session, data, request, making));
  };

  before(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "clf-seen-")));
    writeFileSync(join(folder, "p.clf.yaml"), PROJECT);
    write(ROWS);
    session = openSession((await loadProject(join(folder, "p.clf.yaml"))).project!);
    fineTune = (await prepare({ kind: "fine-tune", models: ["m"] })).id;
    mkdirSync(join(session.jobs.store.folder(fineTune), "model"));
  });
  after(async () => {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are none while the data stays, in whatever order", async () => {
    assert.equal(await seen(ROWS), null);
    assert.equal(await seen([...ROWS].reverse()), null);
  });

  for (const split of ["validation", "test", "pool"] as const) {
    it(`are found in ${split}`, async () => {
      const moved = ROWS.map((row, i): Row => (i === 1 ? [row[0], row[1], row[2], split] : row));
      assert.deepEqual(await seen(moved), { count: 1, row: "r1", split });
    });
  }

  it("are found by their texts under another id, unless train has the same texts still", async () => {
    const renamed = ROWS.map((row, i): Row => (i === 1 ? ["new", row[1], row[2], "test"] : row));
    assert.deepEqual(await seen(renamed), { count: 1, row: "new", split: "test" });
    assert.equal(await seen([...ROWS, ["copy", TEXTS[1]!, "x", "test"]]), null);
  });

  it("are found in the pool when their label is gone", async () => {
    const unlabelled = ROWS.map((row, i): Row => (i === 2 ? [row[0], row[1], "", row[3]] : row));
    assert.deepEqual(await seen(unlabelled), { count: 1, row: "r2", split: "pool" });
  });

  it("are not evaluated: the job is refused, and says which row and what to do", async () => {
    const evaluation: JobRequest = { kind: "evaluate", models: ["m"], splits: ["pool"], artifact: fineTune };
    write(ROWS);
    assert.equal((await prepare(evaluation)).kind, "evaluate");
    write(ROWS.map((row, i): Row => (i === 0 ? [row[0], row[1], row[2], "test"] : row)));
    await assert.rejects(prepare(evaluation), /on 1 row that is .* now \(r0 is in test\).* Fine-tune "m" again/);
  });

  it("are those of the model's own fine-tune: another's, or no fine-tune, is refused", async () => {
    write(ROWS);
    const other: JobRequest = { kind: "evaluate", models: ["other"], artifact: fineTune };
    await assert.rejects(prepare(other), /is a fine-tune of "m", not of "other"/);
    const { id } = await prepare({ kind: "evaluate", models: ["m"], artifact: fineTune });
    await assert.rejects(prepare({ ...other, models: ["m"], artifact: id }), /is no fine-tune/);
  });
});
