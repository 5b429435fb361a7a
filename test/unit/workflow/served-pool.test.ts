/** The file in which `clf serve` leaves rows for people. */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProject } from "../../../server/src/project/load.ts";
import type { Project } from "../../../server/src/project/project.ts";
import { openServedPool } from "../../../server/src/workflow/served-pool.ts";

describe("the pool of clf serve", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "clf-pool-"));
    file = join(folder, "inbox", "served.jsonl");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function project(dataset = "id: key, pool: inbox/*.jsonl"): Promise<Project> {
    writeFileSync(join(folder, "data.csv"), "key,Text,label\n1,a,x\n");
    writeFileSync(
      join(folder, "p.clf.yaml"),
      `version: 1\ndataset: { source: data.csv, ${dataset} }\ntask: { inputs: [{ column: Text, name: text }], targets: [{ column: label }] }\n`,
    );
    return (await loadProject(join(folder, "p.clf.yaml"))).project!;
  }
  const row = (id: string, text = `text ${id}`) => ({ row: id, inputs: { text } });
  const lines = () => readFileSync(file, "utf8").split("\n");

  it("holds the project's own columns, each row once, whoever wrote it", async () => {
    const of = await project();
    const [one, other] = [await openServedPool(of, file), await openServedPool(of, file)];
    assert.equal(await one.named(), null);
    assert.deepEqual(await one.add([row("a"), row("b"), row("a")]), [true, true, false]);
    assert.deepEqual(await other.add([row("b"), row("c")]), [false, true]);
    assert.deepEqual(lines(), [
      '{"key":"a","Text":"text a"}',
      '{"key":"b","Text":"text b"}',
      '{"key":"c","Text":"text c"}',
      "",
    ]);
    assert.equal((await openServedPool(of, file)).rows, 3);
    assert.equal(await one.named(), true);
  });

  it("many at once: no line is torn, none stands twice", async () => {
    const of = await project();
    const pools = await Promise.all([1, 2, 3].map(() => openServedPool(of, file)));
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => pools[i % 3]!.add([row(`${i % 20}`), row(`own ${i}`, "x".repeat(5000))])),
    );
    const ids = lines()
      .filter(Boolean)
      .map((line) => JSON.parse(line).key);
    assert.equal(ids.length, 80);
    assert.equal(new Set(ids).size, 80);
  });

  it("without an id column a row is known by its inputs", async () => {
    const pool = await openServedPool(await project("pool: inbox/*.jsonl"), file);
    assert.deepEqual(await pool.add([row("a", "same"), row("b", "same"), row("c", "other")]), [true, false, true]);
    assert.deepEqual(lines(), ['{"Text":"same"}', '{"Text":"other"}', ""]);
  });

  it("goes on after a line that was cut off, and keeps lines that are not its own", async () => {
    mkdirSync(join(folder, "inbox"));
    appendFileSync(file, 'not JSON\n{"key":"a","Text":"te');
    const pool = await openServedPool(await project(), file);
    assert.deepEqual(await pool.add([row("a")]), [true]);
    assert.deepEqual(lines(), ["not JSON", '{"key":"a","Text":"te', '{"key":"a","Text":"text a"}', ""]);
  });

  it("says whether the project reads it", async () => {
    const pool = await openServedPool(await project("id: key"), file);
    await pool.add([row("a")]);
    assert.equal(await pool.named(), false);
  });

  it("says why it cannot be written, and counts nothing then", async function () {
    if (process.getuid?.() === 0 || process.platform === "win32") return this.skip();
    mkdirSync(join(folder, "inbox"));
    const pool = await openServedPool(await project(), file);
    chmodSync(join(folder, "inbox"), 0o500);
    await assert.rejects(pool.add([row("a")]), /could not join the pool.*permission denied/);
    chmodSync(join(folder, "inbox"), 0o700);
    assert.deepEqual(await pool.add([row("a")]), [true]);
  });
});
