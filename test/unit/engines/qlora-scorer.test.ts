/** A model that a worker keeps loaded: how it starts, answers, fails and ends. A small program stands for Python. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobRow } from "../../../schemas/rows.ts";
import { EngineError } from "../../../server/src/engines/engine.ts";
import { openScorer, type Scorer } from "../../../server/src/engines/qlora/scorer.ts";

const rows = (...texts: string[]): JobRow[] =>
  texts.map((text, i) => ({ row: `${i}`, split: "pool", inputs: { text }, labels: { weather: null } }));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const failure =
  (message: RegExp, remedy: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof EngineError);
    assert.match(error.message, message);
    assert.match(error.remedy ?? "", remedy);
    return true;
  };

describe("a qlora model that stays loaded", function () {
  this.timeout(60_000);
  let folder: string;
  let scorer: Scorer;
  const before = { ...process.env };

  beforeEach(async function () {
    if (process.platform === "win32") this.skip();
    folder = await mkdtemp(join(tmpdir(), "clf-scorer-"));
    const fake = join(import.meta.dirname, "..", "..", "jobs", "fake-scorer.ts");
    // Called as `python -m clf_worker.serve FOLDER MODEL`.
    await writeFile(join(folder, "python"), `#!/bin/sh\nshift 2\nexec "${process.execPath}" "${fake}" "$@"\n`);
    await chmod(join(folder, "python"), 0o755);
    process.env.CLF_PYTHON = join(folder, "python");
    process.env.CLF_FAKE_PID = join(folder, "pid");
    process.env.CLF_FAKE_GATE = join(folder, "gate");
    await writeFile(join(folder, "gate"), "");
    await open();
  });
  afterEach(async () => {
    await scorer?.close();
    for (const name of ["CLF_PYTHON", "CLF_FAKE_PID", "CLF_FAKE_GATE"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function open(base = "tiny", limits?: { loading: number; silent: number }): Promise<void> {
    const job = { models: [{ name: "tuned", spec: { base } }], task: { targets: [{ name: "weather" }] } };
    await writeFile(join(folder, "job.json"), JSON.stringify(job));
    scorer = openScorer({ folder, model: "tuned", warn: () => {}, ...(limits ? { limits } : {}) });
  }
  const pid = () => Number(readFileSync(join(folder, "pid"), "utf8"));
  const labels = async (...texts: string[]) =>
    Object.fromEntries((await scorer.predict(rows(...texts))).map(({ row, label }) => [row, label]));

  it("is loaded once, says what it does meanwhile, and answers batch after batch", async () => {
    await rm(join(folder, "gate"));
    const ready = scorer.ready();
    while (scorer.state.message !== "loading tiny") await sleep(20);
    assert.equal(scorer.state.status, "loading");
    // Waits for the model.
    const first = labels("rain", "sun");
    await writeFile(join(folder, "gate"), "");
    await ready;
    assert.deepEqual(scorer.state, { status: "ok", message: null });
    assert.deepEqual(await first, { 0: "wet", 1: "dry" });
    const started = pid();
    assert.deepEqual(await labels("sun", "more rain", "dust"), { 0: "dry", 1: "wet", 2: "dry" });
    assert.deepEqual(await labels(), {});
    assert.equal(pid(), started);
  });

  it("passes on why a model cannot be loaded", async () => {
    await open("missing");
    await assert.rejects(scorer.ready(), failure(/^The model "missing" cannot be loaded\.$/, /^Check the name\.$/));
    assert.deepEqual(scorer.state, { status: "failed", message: 'The model "missing" cannot be loaded.' });
  });

  it("an error ends the question alone", async () => {
    await assert.rejects(scorer.predict(rows("fail")), failure(/out of memory/, /Lower max_tokens/));
    const started = pid();
    assert.deepEqual(await labels("rain"), { 0: "wet" });
    assert.equal(pid(), started);
  });

  it("a worker that ends fails the question in hand, and the next one starts another", async () => {
    await assert.rejects(scorer.predict(rows("rain", "die")), failure(/ended with code 7/, /ask again/i));
    assert.equal(scorer.state.status, "failed");
    const died = pid();
    assert.deepEqual(await labels("rain"), { 0: "wet" });
    assert.notEqual(pid(), died);
    process.kill(pid(), "SIGKILL");
    const status = (): string => scorer.state.status;
    while (status() === "ok") await sleep(20);
    assert.match(scorer.state.message ?? "", /ended by SIGKILL/);
    assert.deepEqual(await labels("sun"), { 0: "dry" });
  });

  it("a silent worker is ended, and so is one that says what cannot be read", async () => {
    await scorer.ready();
    await scorer.close();
    await open("tiny", { loading: 60, silent: 0.3 });
    await assert.rejects(scorer.predict(rows("say nothing")), failure(/silent for 0\.3 s/, /Ask again/));
    assert.equal(isAlive(pid()), false);
    await scorer.close();
    await open();
    await assert.rejects(scorer.predict(rows("say nonsense")), failure(/cannot be read/, /Ask again/));
    assert.equal(isAlive(pid()), false);
  });

  it("a model that is not loaded in time is given up", async () => {
    await rm(join(folder, "gate"));
    await open("tiny", { loading: 0.5, silent: 60 });
    await assert.rejects(scorer.ready(), failure(/not loaded within/, /log/));
  });

  it("ends with whoever holds it: idle, loading, or with a question in hand", async () => {
    await scorer.ready();
    const idle = pid();
    await scorer.close();
    assert.equal(isAlive(idle), false);
    await assert.rejects(scorer.predict(rows("rain")), failure(/not served any more/, /^$/));

    await rm(join(folder, "gate"));
    await rm(join(folder, "pid"));
    await open();
    const ready = assert.rejects(scorer.ready(), failure(/not served any more/, /^$/));
    while (!existsSync(join(folder, "pid")) || pid() === 0) await sleep(20);
    const loading = pid();
    await scorer.close();
    await ready;
    assert.equal(isAlive(loading), false);

    await writeFile(join(folder, "gate"), "");
    await open();
    await scorer.ready();
    const busy = pid();
    const asked = assert.rejects(scorer.predict(rows("say nothing")), failure(/not served any more/, /^$/));
    await scorer.close();
    await asked;
    assert.equal(isAlive(busy), false);
  });
});
