/**
 * Engine `openai` through the built `clf`: the runner of one fine-tune is killed with SIGKILL at every step there is, when the endpoint has done
 * what it was asked and the runner does not know it yet; each time the job is resumed. CLF_LONG=1: at every step; else at some.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JobDocument } from "../../schemas/cli.ts";
import type { JobEvent } from "../../schemas/events.ts";
import { type ApiServer, type Moment, startApi } from "../unit/engines/openai/server.ts";
import { build, clf, document, removeFolder, temporaryFolder } from "./support.ts";

const STATES = ["validating_files", "queued", "running", "succeeded"];
const looks = STATES.map((state): Moment => `look: ${state}`);
const MOMENTS: Moment[] = process.env.CLF_LONG
  ? ["look for it", "upload train", "upload tune", "make it", ...looks, "results"]
  : ["upload train", "make it", "look: running"];

describe("clf fine-tune of engine openai, killed", function () {
  this.timeout(300_000);
  let folder: string;
  let project: string;
  let api: ApiServer;

  before(async function () {
    if (process.platform === "win32") this.skip();
    build();
    folder = temporaryFolder();
  });
  after(async () => {
    await api?.close();
    if (folder) await removeFolder(folder);
  });

  const jobs = () => join(folder, ".clf", "jobs");
  const job = () => readdirSync(jobs()).find((name) => /^\d/.test(name))!;

  it(`at ${MOMENTS.length} steps, and resumed: each file is uploaded once, one fine-tune is made and followed to its end`, async () => {
    const killed: Moment[] = [];
    api = await startApi({
      states: STATES,
      results: true,
      before(moment) {
        if (!MOMENTS.includes(moment) || killed.includes(moment)) return;
        killed.push(moment);
        const runner = join(jobs(), job(), "attempts", `${killed.length}`, "runner.json");
        process.kill(Number(JSON.parse(readFileSync(runner, "utf8")).pid), "SIGKILL");
      },
    });
    project = join(folder, "bank.clf.yaml");
    const lines = Array.from(
      { length: 60 },
      (_, i) => `message ${i},${i % 2 ? "refund" : "exchange"},${["train", "train", "validation", "test"][i % 4]}`,
    );
    writeFileSync(join(folder, "data.csv"), ["text,label,split", ...lines].join("\n"));
    writeFileSync(
      project,
      `version: 1
dataset: { source: data.csv, split: { column: split, tune: 0.3 } }
task: { inputs: [text], targets: [{ column: label }] }
models:
  tuned: { engine: openai, base: some-model, endpoint: here }
endpoints:
  here: { base_url: "${api.url}" }
`,
    );
    const env = { CLF_POLL_MILLISECONDS: "50" };
    let { code, err } = await clf(["fine-tune", project, "--model", "tuned"], { env });
    for (let n = 1; n <= MOMENTS.length; n++) {
      assert.equal(killed.length, n, `${killed.join(", ")}: ${err}`);
      assert.equal(code, 3, err);
      ({ code, err } = await clf(["jobs", project, "resume", job()], { env }));
    }
    assert.equal(code, 0, err);
    assert.deepEqual(killed, MOMENTS);
    assert.deepEqual(api.created, { file: 2, fineTune: 1, batch: 0 });

    const shown = await document(JobDocument, ["jobs", project, "show", job()]);
    assert.equal(shown.state, "succeeded");
    const model = JSON.parse(readFileSync(join(jobs(), job(), "model", "openai.json"), "utf8"));
    assert.deepEqual([model.fine_tune, model.model], ["ftjob-1", "ft:some-model:me:suffix:ftjob-1"]);
    const attempts = readdirSync(join(jobs(), job(), "attempts"));
    assert.equal(attempts.length, MOMENTS.length + 1);
    const metrics = attempts.flatMap((attempt) =>
      readFileSync(join(jobs(), job(), "attempts", attempt, "events.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as JobEvent)
        .flatMap((event) => (event.type === "metric" ? [`${event.name} ${event.split ?? ""}`.trim()] : [])),
    );
    // What the endpoint told of the training, once over all attempts, and what its result file says.
    assert.deepEqual(metrics.sort(), ["loss train", "loss tune", "train_accuracy", "train_loss"]);
  });
});
