import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createDuckDb, type DuckDb, DuckDbError } from "../../../server/src/dataset/duckdb.ts";
import { entryPath } from "../../../server/src/entry.ts";

describe("DuckDB in a child process", () => {
  let folder: string;
  let duckdb: DuckDb;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), "clf-duckdb-")));
    duckdb = createDuckDb({ folder, idle: 60_000 });
  });
  afterEach(async () => {
    await duckdb.close();
    rmSync(folder, { recursive: true });
  });

  it("answers with columns, and streams what is long", async () => {
    const { columns, data } = await duckdb.query("SELECT $1::VARCHAR AS a, $2::INTEGER + 1 AS b", ["x", 41]);
    assert.deepEqual(columns, [
      { name: "a", type: "VARCHAR" },
      { name: "b", type: "INTEGER" },
    ]);
    assert.deepEqual(data, [["x"], [42]]);
    let rows = 0;
    for await (const batch of duckdb.stream("SELECT i::INTEGER FROM range(100000) t(i)")) {
      rows += batch.data[0]!.length;
      if (rows > 50_000) break;
    }
    assert.ok(rows > 50_000 && rows < 100_000);
    assert.deepEqual((await duckdb.query("SELECT 1")).data, [[1]]);
  });

  it("reads inside the folder only, loads nothing, and lets no setting be changed", async () => {
    writeFileSync(path.join(folder, "a.csv"), "x\n1\n");
    assert.deepEqual((await duckdb.query(`SELECT x::INTEGER FROM read_csv('${folder}/a.csv')`)).data, [[1]]);
    const outside = path.join(tmpdir(), `clf-outside-${process.pid}.csv`);
    writeFileSync(outside, "x\n1\n");
    try {
      for (const sql of [
        `FROM read_csv('${outside}')`,
        `FROM read_csv('${folder}/../${path.basename(outside)}')`,
        `COPY (SELECT 1) TO '${outside}.copy'`,
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        `SET allowed_directories = ['/']`,
        "FROM read_csv('https://example.invalid/a.csv')",
      ]) {
        await assert.rejects(duckdb.query(sql), DuckDbError, sql);
      }
    } finally {
      rmSync(outside);
    }
  });

  it("when it is retired, answers what it was asked, ends, and answers later requests all the same", async () => {
    const slow = duckdb.query("SELECT count(*)::INTEGER FROM range(30000000) t(i) WHERE i % 7 = 3");
    await duckdb.start();
    const { pid } = duckdb;
    duckdb.retire();
    assert.deepEqual((await slow).data, [[4285714]]);
    while (duckdb.pid !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual((await duckdb.query("SELECT 1")).data, [[1]]);
    assert.notEqual(duckdb.pid, pid);
  });

  it("interrupts a statement", async () => {
    const control = new AbortController();
    const long = duckdb.query(
      "SELECT count(*) FROM range(100000000) a(i), range(1000) b(j) WHERE i * j % 7 = 3",
      [],
      control.signal,
    );
    setTimeout(() => control.abort(), 100);
    await assert.rejects(long, { name: "AbortError" });
    assert.deepEqual((await duckdb.query("SELECT 1")).data, [[1]]);
  });

  it("says that its process ended, and starts another at the next request", async () => {
    const before = (await duckdb.query("SELECT 1")).data;
    const long = duckdb.query("SELECT count(*) FROM range(100000000) a(i), range(1000) b(j) WHERE i * j % 7 = 3");
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(duckdb.pid!, "SIGKILL");
    await assert.rejects(long, /ended unexpectedly \(SIGKILL.*The next request starts it again/);
    assert.deepEqual((await duckdb.query("SELECT 1")).data, before);
  });

  it("ends when it has nothing to do, and with its parent", async () => {
    const short = createDuckDb({ folder, idle: 20 });
    await short.query("SELECT 1");
    const ended = async (): Promise<void> => {
      while (short.pid !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await ended();
    const child = fork(entryPath("duckdb"), [], { serialization: "advanced" });
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.disconnect();
    assert.equal(await exit, 0);
  });
});
