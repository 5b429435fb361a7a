/** Kills of small jobs whose runner does nothing but write: many rounds in little time. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { survivesKills } from "./faults.ts";
import { FAKE_RUNNER, newJob, predictedRows, removeFolder, temporaryFolder, testManager, upTo } from "./support.ts";

const ROWS = 8;

survivesKills("tiny jobs", {
  runner: FAKE_RUNNER,
  span: 700,
  compaction: 60,
  concurrency: 6,
  rounds: 3,
  async open() {
    const top = await temporaryFolder();
    return { manager: testManager(join(top, "jobs")), close: () => removeFolder(top) };
  },
  prepare: async () => newJob({ rows: ROWS, pause: 10, compact: 40 }),
  async checkResult({ folder }) {
    const rows = await predictedRows(folder);
    assert.deepEqual(
      rows,
      upTo(ROWS).map((n) => `row-${n - 1}`),
      "a prediction was lost or doubled",
    );
    assert.ok(existsSync(join(folder, "predictions.parquet")));
  },
  async folder() {
    const path = await temporaryFolder();
    return { path, remove: () => removeFolder(path) };
  },
  async killManager(folder, { chance, early }) {
    const program = fileURLToPath(new URL("./fake-manager.ts", import.meta.url));
    const child = spawn(process.execPath, [program, folder, "3"], { stdio: ["ignore", "pipe", "inherit"] });
    const promised: string[] = [];
    const lines = createInterface(child.stdout);
    const closed = once(lines, "close");
    await once(lines, "line");
    lines.on("line", (id) => promised.push(id));
    // From before the first job to after the last; most of all while jobs are made and launched.
    await sleep(chance * (early ? 60 : 2000));
    child.kill("SIGKILL");
    await closed;
    return promised;
  },
  succeed: async (folder) => ({ manager: testManager(folder), close: async () => {} }),
  mayFail: /Row 7/,
});
