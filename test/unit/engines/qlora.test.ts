/** The engine's side of the worker: what is passed on of what it writes. A shell script stands for Python. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { JobEvent, type NewEvent } from "../../../schemas/events.ts";
import { Job } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import { Model } from "../../../schemas/project.ts";
import { EngineError, type PredictRun } from "../../../server/src/engines/engine.ts";
import { qloraEngine } from "../../../server/src/engines/qlora/engine.ts";
import { workerCommand } from "../../../server/src/engines/qlora/worker.ts";
import { madeJob, madeTarget } from "../made-job.ts";

const model = (name: string, base = "some/model") => ({
  name,
  spec: Model.parse({ engine: "qlora", base, epochs: 0 }),
  training_spec: "0".repeat(64),
});
const linear = { name: "linear", spec: Model.parse({ engine: "linear" }), training_spec: "0".repeat(64) };
const line = (name: string, row: string): Prediction => ({
  row,
  target: "kind",
  model: name,
  split: "test",
  label: "a",
  score: 0.75,
  top: [
    ["a", 0.75],
    ["b", 0.25],
  ],
  rest: 0,
});
const event = (seq: number, body: Record<string, unknown>) =>
  JSON.stringify({ seq, time: "2026-11-22T00:00:00.000Z", ...body });

describe("engine qlora", function () {
  this.timeout(20_000);
  let folder: string;
  const before = process.env.CLF_PYTHON;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clf-qlora-"));
    await mkdir(join(folder, "job", "data"), { recursive: true });
    await writeFile(join(folder, "job", "data", "rows.jsonl"), "{}\n");
    process.env.CLF_PYTHON = join(folder, "python");
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.CLF_PYTHON;
    else process.env.CLF_PYTHON = before;
    await rm(folder, { recursive: true, force: true });
  });

  /** A worker that writes these lines; `more` is what its script does besides. It is called as `python -m clf_worker FOLDER`. */
  async function worker(events: string[], predictions: Prediction[] = [], more = ""): Promise<void> {
    const lines = predictions.map((prediction) => JSON.stringify(prediction));
    const script = [
      "#!/bin/sh",
      'cd "$3" && mkdir -p attempts/$CLF_ATTEMPT && test -e data/rows.jsonl || exit 9',
      `cat >>attempts/$CLF_ATTEMPT/events.jsonl <<'END'\n${events.join("\n")}\nEND`,
      ...(lines.length > 0 ? [`cat >>predictions.jsonl <<'END'\n${lines.join("\n")}\nEND`] : []),
      more,
    ].join("\n");
    await writeFile(join(folder, "python"), `${script}\n`);
    await chmod(join(folder, "python"), 0o755);
  }

  function run(of: ReturnType<typeof model>, signal = new AbortController().signal) {
    const job = madeJob({
      kind: "compare",
      project: { name: "p", file: join(folder, "p.clf.yaml") },
      models: [model("base"), linear, model("tuned")],
      task: { inputs: [{ column: "text", name: "text" }], targets: [madeTarget("kind", ["a", "b"])] },
    });
    const events: NewEvent[] = [];
    const predicted: Prediction[] = [];
    const asked: PredictRun = {
      job,
      model: of,
      rows: [],
      threads: 1,
      folder: join(folder, "job"),
      work: join(folder, "job", "work"),
      signal,
      emit: (body) => events.push(body),
      splits: ["test"],
      outOfFold: false,
      done: (row) => row === "known",
      predicted: (prediction) => predicted.push(prediction),
    };
    return { asked, events, predicted };
  }

  it("passes on what the worker tells and predicts, model by model, and starts it once", async () => {
    await worker(
      [
        event(1, { type: "state", state: "running" }),
        event(2, { type: "metric", name: "rows a second", value: 3, model: "base" }),
        event(3, { type: "error", message: "Row r9 is too long.", row: "r9" }),
        event(4, { type: "log", level: "info", message: "done" }),
        event(5, { type: "state", state: "succeeded" }),
      ],
      [line("base", "r1"), line("tuned", "r1"), line("base", "known"), line("base", "r2")],
      'echo x >>"$3/starts"',
    );
    const first = run(model("base"));
    await qloraEngine.predict(first.asked);
    assert.deepEqual(
      first.predicted.map(({ model: of, row }) => [of, row]),
      [
        ["base", "r1"],
        ["base", "r2"],
      ],
    );
    assert.deepEqual(
      first.events.map(({ type }) => type),
      ["metric", "error", "log"],
    );
    const second = run(model("tuned"));
    await qloraEngine.predict(second.asked);
    assert.deepEqual(
      second.predicted.map(({ row }) => row),
      ["r1"],
    );
    const at = join(folder, "job", "work", "qlora");
    assert.equal(await readFile(join(at, "starts"), "utf8"), "x\n");
    const job = Job.parse(JSON.parse(await readFile(join(at, "job.json"), "utf8")));
    assert.deepEqual(
      job.models.map(({ name }) => name),
      ["base", "tuned"],
    );
  });

  it("makes the worker's error the job's, with its remedy and row, and tells it once", async () => {
    await worker(
      [
        event(1, { type: "error", message: "It is too long.", remedy: "Shorten it.", row: "r7" }),
        event(2, { type: "state", state: "failed", message: "It is too long." }),
      ],
      [],
      "exit 1",
    );
    const { asked, events } = run(model("base"));
    await assert.rejects(qloraEngine.predict(asked), (error) => {
      assert.ok(error instanceof EngineError);
      assert.deepEqual([error.message, error.remedy, error.row], ["It is too long.", "Shorten it.", "r7"]);
      return true;
    });
    assert.deepEqual(events, []);
  });

  it("a worker that ends without a word did not succeed", async () => {
    await worker([event(1, { type: "state", state: "running" })], [], "kill -KILL $$");
    await assert.rejects(qloraEngine.predict(run(model("base")).asked), /ended by SIGKILL without a word/);
    await worker([event(1, { type: "state", state: "running" })], [], "exit 0");
    await assert.rejects(qloraEngine.predict(run(model("base")).asked), /ended with code 0 without a word/);
  });

  it("asks the worker to stop when the job is cancelled", async () => {
    await worker(
      [event(1, { type: "state", state: "running" })],
      [],
      'while ! [ -e "$3/cancel" ]; do sleep 0.05; done; exit 1',
    );
    const controller = new AbortController();
    const { asked } = run(model("base"), controller.signal);
    const stopped = qloraEngine.predict(asked);
    setTimeout(() => controller.abort("cancel"), 300);
    await assert.rejects(stopped, (reason) => reason === "cancel");
  });

  it("a base in the project's folder is named by its full path", async () => {
    await mkdir(join(folder, "weights"));
    await worker([event(1, { type: "state", state: "succeeded" })]);
    const { asked } = run(model("base"));
    asked.job.models[0] = model("base", "weights");
    await qloraEngine.predict(asked);
    const job = Job.parse(JSON.parse(await readFile(join(folder, "job/work/qlora/job.json"), "utf8")));
    const bases = job.models.map(({ spec }) => (spec.engine === "qlora" ? spec.base : ""));
    assert.deepEqual(bases, [join(folder, "weights"), "some/model"]);
  });
});

describe("the worker's environment", function () {
  this.timeout(20_000);
  const made = '"$UV_PROJECT_ENVIRONMENT/bin/python"';
  const makes = `mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"; printf '#!/bin/sh\\necho answer\\n' >${made}; chmod +x ${made}`;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clf-environment-"));
    await mkdir(join(folder, "fakes"));
    await mkdir(join(folder, "job"));
    await fake("python3.13", "exit 0");
    await fake("df", 'echo Filesystem; echo "x 99999999 1 99999999 1% /"');
    await fake("uv", `echo "$*" >>${join(folder, "uv.log")}\n${makes}`);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fake = (name: string, script: string) =>
    writeFile(join(folder, "fakes", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const asked = async () => (await readFile(join(folder, "uv.log"), "utf8")).trimEnd().split("\n");

  /** Runs worker/run.sh with the fakes first on the path. @param by the program that runs it */
  function start(args: string[], env: Record<string, string> = {}, by = workerCommand()[0]) {
    return execa(by, [workerCommand()[1]!, ...args], {
      reject: false,
      env: {
        PATH: `${join(folder, "fakes")}:${process.env.PATH}`,
        CLF_ENVIRONMENTS: join(folder, "environments"),
        CLF_PYTHON: "",
        CLF_UV: join(folder, "fakes", "uv"),
        CLF_WHEELHOUSE: "",
        CLF_ATTEMPT: "1",
        ...env,
      },
    });
  }
  const ask = ["--python", "-m", "module"];

  async function events(): Promise<JobEvent[]> {
    const text = await readFile(join(folder, "job/attempts/1/events.jsonl"), "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JobEvent.parse(JSON.parse(line)));
  }

  it("what is said while it is made is no part of what a module of the worker prints", async () => {
    const { stdout, stderr } = await start(ask);
    assert.equal(stdout, "answer");
    assert.match(stderr, /making the environment/);
    assert.match((await asked()).join(), /sync .*--frozen/);
  });

  it("is made once by two that start at once, and used again", async () => {
    await fake("uv", `echo x >>${join(folder, "uv.log")}; sleep 0.3; ${makes}`);
    const both = await Promise.all([start(ask), start(ask)]);
    assert.deepEqual(
      [...both, await start(ask)].map(({ stdout }) => stdout),
      ["answer", "answer", "answer"],
    );
    assert.equal((await asked()).length, 1);
  });

  it("one that was left half-made is made anew; a job is told why, with what to do", async () => {
    await fake("uv", `mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"; echo half >${made}; exit 2`);
    assert.equal((await start([join(folder, "job")])).exitCode, 1);
    const [error, state] = (await events()).slice(-2);
    assert.ok(error?.type === "error" && /could not be made/.test(error.message));
    assert.match(error.remedy!, /CLF_WHEELHOUSE/);
    assert.ok(state?.type === "state" && state.state === "failed");
    await fake("uv", makes);
    assert.equal((await start(ask)).stdout, "answer");
  });

  it("asks nobody but the wheelhouse where there is one", async () => {
    await fake(
      "uv",
      `echo "$*" >>${join(folder, "uv.log")}; for last; do :; done; if [ "$1" = venv ]; then UV_PROJECT_ENVIRONMENT=$last; ${makes}; fi`,
    );
    assert.equal((await start(ask, { CLF_WHEELHOUSE: "/wheels" })).stdout, "answer");
    const steps = await asked();
    assert.deepEqual(
      steps.map((step) => step.split(" ")[0]),
      ["venv", "export", "pip"],
    );
    assert.match(steps[2]!, /--no-index --find-links \/wheels --require-hashes/);
  });

  it("says that the disk is too small before anything is fetched", async () => {
    await fake("df", 'echo Filesystem; echo "x 99999999 1 3145728 1% /"');
    const { exitCode, stderr } = await start(ask);
    assert.equal(exitCode, 1);
    assert.match(stderr, /needs 9 GiB of disk, and 3 GiB are free .*CLF_ENVIRONMENTS/);
    await assert.rejects(asked(), { code: "ENOENT" });
  });

  it("hands on where the job's bases lie, and tells the job of what goes wrong all the same", async () => {
    await fake("uv", makes.replace("echo answer", 'for word; do printf "<%%s>" "$word"; done'));
    const words = ["--base", "models/own one", "/there/models/1", "--base", "b", "/c", join(folder, "job")];
    const { stdout } = await start(words);
    assert.equal(stdout, ["-m", "clf_worker", ...words].map((word) => `<${word}>`).join(""));
    await rm(join(folder, "environments"), { recursive: true });
    await fake("uv", "exit 2");
    assert.equal((await start(words)).exitCode, 1);
    assert.ok((await events()).some(({ type }) => type === "error"));
  });

  it("leaves the GPU's lock, which the runner inherits, alone", async function () {
    const lock = join(folder, "gpu.lock");
    const { exitCode } = await execa("flock", ["-n", lock, "true"], { reject: false });
    if (exitCode !== 0) this.skip();
    const look = `if flock -n ${lock} true; then echo free; else echo held; fi`;
    await fake("uv", makes.replace("echo answer", look));
    await fake("held", `exec 9>>${lock}; flock 9; exec sh "$@"`);
    const run = await start(ask, {}, join(folder, "fakes", "held"));
    assert.deepEqual([run.exitCode, run.stdout], [0, "held"]);
  });
});
