/** `clf serve` of a model that a worker keeps loaded, and of a cascade with one. Small programs stand for Python. */
import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClassifyAnswer, ServeDocument, ServeFailure, ServeHealth } from "../../schemas/serve.ts";
import type { TriedTarget } from "../../schemas/tryIt.ts";
import { ROOT } from "../built.ts";
import { weatherProject, weatherReports } from "../jobs/ssh-worker.ts";
import { uriOf } from "../server/client.ts";
import { openEditorClient } from "../server/editor-client.ts";
import { build, clf, removeFolder, start, temporaryFolder } from "./support.ts";

const FAKES = join(ROOT, "test", "jobs");

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("clf serve: engine qlora", function () {
  this.timeout(120_000);
  let folder: string;
  let project: string;
  let env: Record<string, string>;
  let served: ReturnType<typeof start> | undefined;
  let url: string;

  before(async function () {
    if (process.platform === "win32") this.skip();
    this.timeout(240_000);
    build();
    folder = temporaryFolder();
    writeFileSync(join(folder, "gate"), "");
    const python = join(folder, "python");
    writeFileSync(
      python,
      `#!/bin/sh
case "$1 $2" in
  "-m clf_worker") mkdir -p "$3/attempts/$CLF_ATTEMPT" && exec sh "${FAKES}/fake-worker.sh" "${folder}/gate" "$3" ;;
  "-m clf_worker.serve") exec "${process.execPath}" "${FAKES}/fake-scorer.ts" "$3" "$4" ;;
esac
exit 9
`,
    );
    chmodSync(python, 0o755);
    // A home of its own: the lock of this machine's GPU lies there.
    env = {
      HOME: folder,
      CLF_PYTHON: python,
      CLF_FAKE_PID: join(folder, "pid"),
      CLF_FAKE_GATE: join(folder, "serve-gate"),
    };
    project = join(folder, "weather.clf.yaml");
    writeFileSync(join(folder, "reports.csv"), weatherReports());
    writeFileSync(
      project,
      weatherProject().replace(
        "\nconfidence",
        "\n  baseline: { engine: linear }\n  cheap-first: { engine: cascade, stages: [baseline, tuned] }\nconfidence",
      ),
    );
    for (const args of [
      ["fine-tune", project, "--model", "tuned"],
      ["evaluate", project, "--model", "tuned"],
      ["evaluate", project, "--model", "cheap-first"],
    ]) {
      const { code, err } = await clf(args, { env });
      assert.equal(code, 0, err);
    }
  });
  after(async () => {
    if (folder) await removeFolder(folder);
  });
  beforeEach(() => {
    writeFileSync(join(folder, "serve-gate"), "");
    rmSync(join(folder, "pid"), { force: true });
  });
  afterEach(async () => {
    served?.kill("SIGKILL");
    await served;
    served = undefined;
  });

  const pid = () => Number(readFileSync(join(folder, "pid"), "utf8"));
  const ended = async (worker: number) => {
    while (isAlive(worker)) await sleep(20);
  };

  /** Starts the server. Its address is known before its model is loaded. */
  async function begin(model: string): Promise<void> {
    served = start(["serve", project, "--model", model, "--port", "0", "--json"], { env });
    url = await new Promise((resolve, reject) => {
      let said = "";
      served!.stderr!.on("data", (part) => {
        said += String(part);
        const found = /(http:\S+)\/health/.exec(said);
        if (found) resolve(found[1]!);
      });
      served!.stderr!.on("end", () => reject(new Error(said)));
    });
  }

  async function answers(): Promise<void> {
    let text = "";
    for await (const part of served!.stdout!) {
      text += String(part);
      if (/\n\}\n$/.test(text)) break;
    }
    assert.equal(ServeDocument.parse(JSON.parse(text)).url, url);
  }

  const health = async () => ServeHealth.parse(await (await fetch(`${url}/health`)).json());
  const post = (texts: string[]) =>
    fetch(`${url}/classify`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ rows: texts.map((text) => ({ inputs: { text } })) }),
    });
  const labels = async (...texts: string[]) => {
    const response = await post(texts);
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return ClassifyAnswer.parse(body).rows.map(({ targets }) => targets[0]!.label);
  };
  const refused = async (response: Response) => ServeFailure.parse(await response.json()).error.message;

  it("loads first and turns rows away meanwhile, then answers them in their order, several requests at once", async () => {
    rmSync(join(folder, "serve-gate"));
    await begin("tuned");
    const early = await post(["rain"]);
    assert.equal(early.status, 503);
    assert.equal(early.headers.get("retry-after"), "5");
    assert.match(await refused(early), /^tuned is still being loaded/);
    while ((await health()).message !== "loading Qwen/Qwen2.5-0.5B-Instruct") await sleep(20);
    assert.equal((await health()).status, "loading");
    writeFileSync(join(folder, "serve-gate"), "");
    await answers();
    const { status, message, artifact } = await health();
    assert.deepEqual([status, message], ["ok", null]);
    assert.match(artifact ?? "", /-tuned-/);
    assert.deepEqual(
      await Promise.all([labels("rain", "sun", "dust and rain"), labels("heat"), labels("rain again")]),
      [["wet", "dry", "wet"], ["dry"], ["wet"]],
    );
    assert.deepEqual((await health()).rows, { answered: 5, accepted: 5, flagged: 0 });

    const worker = pid();
    served!.kill("SIGTERM");
    assert.equal((await served)!.exitCode, 0);
    assert.equal(isAlive(worker), false);
    assert.deepEqual(readdirSync(join(folder, ".clf", "cache", "serve")), []);
  });

  it("a worker that ends is told of and started again; an error of its own is passed on", async () => {
    await begin("tuned");
    await answers();
    const failed = await post(["fail"]);
    assert.equal(failed.status, 502);
    assert.match(await refused(failed), /out of memory/);
    const died = await post(["die"]);
    assert.equal(died.status, 502);
    assert.match(await refused(died), /ended with code 7/);
    assert.equal((await health()).status, "failed");
    const next = await post(["rain"]);
    assert.equal(next.status, 503);
    assert.match(await refused(next), /^tuned is loaded again: .*code 7/);
    while ((await health()).status !== "ok") await sleep(20);
    assert.deepEqual(await labels("rain"), ["wet"]);
  });

  it("a cascade asks the worker for the rows that its first stage is not sure of", async () => {
    await begin("cheap-first");
    await answers();
    // The words of the one are train rows' own; the other's have not been seen, so that the label is the worker's.
    const [sure, unsure] = ["report 5: rain and flood at place 7", "qqq zzz"];
    const answer = ClassifyAnswer.parse(await (await post([sure, unsure])).json());
    assert.deepEqual(
      answer.rows.map(({ targets }) => targets[0]!.label),
      ["wet", "dry"],
    );
    const worker = pid();
    // The worker notices that nobody asks any more.
    served!.kill("SIGKILL");
    await ended(worker);
  });

  it("Try It loads the model at the first question, keeps it for the next, and lets it go with the window", async () => {
    const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, env);
    const window = await openEditorClient([folder]);
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    const said = async (text: string) => {
      const asked = { project: uriOf(project), model: "tuned", inputs: { text } };
      const { targets } = await window.request<{ targets: TriedTarget[] }>("clf/predict", asked);
      return targets.map(({ label, confidence, accepted }) => [label, confidence !== null, accepted]);
    };
    try {
      assert.deepEqual(await said("rain"), [["wet", true, true]]);
      const worker = pid();
      assert.deepEqual(await said("sun"), [["dry", true, true]]);
      await assert.rejects(said("fail"), { message: "The GPU ran out of memory. Lower max_tokens." });
      assert.equal(pid(), worker);
      await window.end("closes");
      await ended(worker);
    } finally {
      await window.end("dies");
    }
  });

  it("ends with the worker's words when the model cannot be loaded", async () => {
    const text = readFileSync(project, "utf8");
    const job = JSON.parse((await clf(["jobs", project, "--json"])).out).jobs.find(
      ({ kind, models }: { kind: string; models: string[] }) => kind === "evaluate" && models.includes("tuned"),
    );
    assert.ok(job, text);
    const file = join(folder, ".clf", "jobs", job.id, "job.json");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replaceAll("Qwen/Qwen2.5-0.5B-Instruct", "missing"));
    try {
      const { code, err } = await clf(["serve", project, "--model", "tuned", "--port", "0"], { env });
      assert.equal(code, 1);
      assert.match(err, /The model "missing" cannot be loaded\. Check the name\./);
    } finally {
      writeFileSync(file, before);
    }
  });
});
