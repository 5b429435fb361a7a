/** Kills of real jobs: the `linear` engine in the bundled runner, started as the editor and the command line start it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDuckDb } from "../../server/src/dataset/duckdb.ts";
import { readPredictionsParquet } from "../../server/src/dataset/predictions-parquet.ts";
import type { RunnerCommand } from "../../server/src/jobs/hosts/host.ts";
import { localHost } from "../../server/src/jobs/hosts/local.ts";
import { jobManager } from "../../server/src/jobs/manager.ts";
import { loadProject } from "../../server/src/project/load.ts";
import { type ProjectData, readData } from "../../server/src/workflow/data.ts";
import { type JobRequest, prepareJob } from "../../server/src/workflow/prepare.ts";
import { openSession, type Session } from "../../server/src/workflow/session.ts";
import { DIST } from "../built.ts";
import { survivesKills } from "../jobs/faults.ts";
import { build, clf, removeFolder, smallProject, start, temporaryFolder } from "./support.ts";

const RUNNER: RunnerCommand = { command: [process.execPath, join(DIST, "runner.mjs")], env: { NODE_OPTIONS: "" } };

/** Each kind of job in turn. */
const REQUESTS: readonly JobRequest[] = [
  { kind: "evaluate", models: ["baseline"], splits: ["pool"] },
  { kind: "fine-tune", models: ["baseline"] },
  { kind: "predict", models: ["baseline"], outOfFold: true },
];

let template: string;
let session: Session;
let data: ProjectData;
/** What jobs make that nobody disturbs, by kind. */
const undisturbed = new Map<string, string>();

const managerOf = (root: string) => jobManager({ root, host: () => localHost({ jobs: root }), runner: () => RUNNER });

/** Everything that a job is for, without what says when it was made. */
async function resultOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const model = join(folder, "model", "linear.json");
  if (existsSync(model)) hash.update(readFileSync(model));
  const parquet = join(folder, "predictions.parquet");
  const keys: string[] = [];
  if (existsSync(parquet)) {
    const lines: string[] = [];
    const duckdb = createDuckDb({ folder });
    try {
      for await (const prediction of readPredictionsParquet(duckdb, parquet)) {
        keys.push(`${prediction.row} ${prediction.target} ${prediction.model}`);
        lines.push(JSON.stringify({ ...prediction, seconds: undefined }));
      }
    } finally {
      await duckdb.close();
    }
    hash.update(lines.sort().join("\n"));
  }
  assert.equal(new Set(keys).size, keys.length, "a prediction was doubled");
  return `${keys.length} predictions, ${hash.digest("hex")}`;
}

survivesKills("linear jobs", {
  runner: RUNNER,
  span: 1500,
  compaction: 120,
  concurrency: 2,
  rounds: 1,
  async open() {
    build();
    template = await smallProject();
    assert.equal((await clf(["fine-tune", template, "-m", "baseline"])).code, 0);
    const { project } = await loadProject(join(template, "small.clf.yaml"));
    session = openSession(project!);
    data = await readData(session);
    // Jobs beside the project's own: `prepareJob` finds the fine-tune there, and every job starts from the same.
    const root = join(template, ".clf", "faults");
    const manager = managerOf(root);
    for (const request of REQUESTS) {
      const { id } = await manager.submit("baseline", (folder) => prepareJob(session, data, request, folder));
      const { state, folder } = await manager.ended(id);
      assert.equal(state, "succeeded");
      undisturbed.set(request.kind, await resultOf(folder));
    }
    return {
      manager,
      async close() {
        await session.close();
        await removeFolder(template);
      },
    };
  },
  prepare: (n, predicts, folder) =>
    prepareJob(session, data, predicts ? REQUESTS[2 * (n % 2)]! : REQUESTS[n % 3]!, folder),
  async checkResult({ job, folder }) {
    assert.equal(await resultOf(folder), undisturbed.get(job.kind), `${job.kind}: not what an undisturbed job makes`);
    assert.equal(existsSync(join(folder, "report.json")), job.kind === "evaluate");
  },
  async folder() {
    const path = temporaryFolder();
    cpSync(template, path, { recursive: true, filter: (source) => !source.endsWith("faults") });
    return { path, remove: () => removeFolder(path) };
  },
  async killManager(folder, { chance, early }) {
    const child = start(["evaluate", folder, "-m", "baseline"]);
    // The command reads the data first; then the job is made and launched.
    const jobs = join(folder, ".clf", "jobs");
    const before = readdirSync(jobs).length;
    const makes = () => readdirSync(jobs).length > before;
    for (let tries = 0; (early || chance < 0.9) && !makes() && tries < 4000; tries++) await sleep(5);
    await sleep(chance * (early ? 100 : 1500));
    child.kill("SIGKILL");
    await child;
    return [];
  },
  async succeed(folder) {
    return { manager: managerOf(join(folder, ".clf", "jobs")), close: async () => {} };
  },
});
