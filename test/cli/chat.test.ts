/** Prompted models through the built `clf`: jobs against an endpoint on loopback, killed in the middle, and gone on with. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import {
  CompareDocument,
  DryRunDocument,
  EvaluateDocument,
  PromptDocument,
  SignalsDocument,
} from "../../schemas/cli.ts";
import { lastMessage, startServer, type TestServer, token } from "../unit/engines/chat/server.ts";
import { build, CLI, clf, document, ENVIRONMENT, removeFolder, start, temporaryFolder } from "./support.ts";

const LABELS = ["refund", "card_lost", "card_arrival", "exchange"];
/** How many rows; 20 kills instead of 2 with CLF_LONG=1. */
const ROWS = process.env.CLF_LONG ? 2000 : 400;
const KILLS = process.env.CLF_LONG ? 20 : 2;

/** The label stands in the text; one text in six says too little, and is answered wrong and unsurely. */
function makeProject(folder: string, url: string, concurrency = 8): string {
  const splits = ["train", "train", "train", "validation", "test"];
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const label = LABELS[i % LABELS.length]!;
    const text = i % 6 === 5 ? `message ${i} says little` : `message ${i} about ${label.replace("_", " ")} today`;
    return `r${i},${text},${label},${splits[i % splits.length]}`;
  });
  writeFileSync(join(folder, "data.csv"), ["id,text,label,split", ...lines].join("\n"));
  const file = join(folder, "bank.clf.yaml");
  writeFileSync(
    file,
    `# Kept comment
version: 1
dataset: { source: data.csv, id: id, split: { column: split, tune: 0.3 } }
task: { inputs: [text], targets: [{ column: label }] }
models:
  baseline: { engine: linear, char_ngrams: [3, 3], word_ngrams: [1, 1] }
  zero-shot: { engine: chat, endpoint: here, model: some-model } # of the tests
  cheap-first: { engine: cascade, stages: [baseline, zero-shot] }
endpoints:
  here: { base_url: "${url}", concurrency: ${concurrency}, price: { input_per_million: 1, output_per_million: 2 } }
confidence: { accept: { risk: 0.2, certainty: 0.9 } }
`,
  );
  return file;
}

const serve = (delay = 0): Promise<TestServer> =>
  startServer({
    delay,
    keepBodies: true,
    reply(body) {
      const text = lastMessage(body);
      const examples = body.messages.length > 2;
      const label = LABELS.find((one) => text.includes(one.replace("_", " ")));
      // Examples help with what says little.
      const said = label ?? (examples ? LABELS[Number(/\d+/.exec(text)?.[0] ?? 0) % 4]! : "refund");
      const p = label ? 0.97 : 0.5;
      return { text: said, tokens: [token([said, p], [LABELS.find((one) => one !== said)!, 1 - p])] };
    },
  });

describe("prompted models on the command line", () => {
  let folder: string;
  let project: string;
  let server: TestServer;

  before(async function () {
    this.timeout(180_000);
    await build();
  });
  beforeEach(async () => {
    folder = temporaryFolder();
    server = await serve();
    project = makeProject(folder, server.url);
  });
  afterEach(async () => {
    await server.close();
    await removeFolder(folder);
  });

  it("previews a prompt and prices a run, and sends nothing", async () => {
    const preview = await document(PromptDocument, ["prompt", project, "--model", "zero-shot", "--row", "r3"]);
    assert.match(preview.messages[0]!.content, /- card_arrival/);
    assert.ok(preview.cost! > 0);
    assert.equal(preview.price_from, "the project file");
    const { models } = await document(DryRunDocument, ["evaluate", project, "--model", "zero-shot", "--dry-run"]);
    assert.ok(models["zero-shot"]!.rows > 100 && models["zero-shot"]!.cost! > 0);
    assert.equal(server.requests, 0);
  });

  it("zero-shot, then examples aimed at its errors, compared on the same rows; the second asks only what is new", async () => {
    const { models } = await document(EvaluateDocument, ["evaluate", project, "--model", "zero-shot"]);
    const { accuracy } = models["zero-shot"]!.targets.label!;
    assert.ok(accuracy > 0.8 && accuracy < 0.95, String(accuracy));
    assert.ok(models["zero-shot"]!.cost! > 0);
    const { out: log } = await clf(["jobs", project, "logs", models["zero-shot"]!.job]);
    assert.match(log, /info: here: .*log-probabilities of \d+ alternatives a token.* the score comes from logprobs/);
    const asked = server.requests;
    const report = await document(CompareDocument, ["few-shot", project, "--after", "zero-shot"]);
    const text = readFileSync(project, "utf8");
    assert.match(
      text,
      /zero-shot-few-shot: \{ engine: chat, endpoint: here, model: some-model, prompt: \{ style: few-shot, shots: \{ strategy: targeted, after: zero-shot \} \} \}/,
    );
    assert.match(text, /# Kept comment[\s\S]*# of the tests/);
    assert.ok(report.comparisons[0]!.pair.difference.value > 0.02);
    assert.equal(report.comparisons[0]!.a, "zero-shot-few-shot");
    const { calls, tokens } = report.models["zero-shot-few-shot"]!;
    assert.ok(calls!.latency!.median > 0 && calls!.cost_per_row! > 0 && tokens!.prompt > 0);
    // The zero-shot answers were paid for; what can be done was asked once.
    assert.equal(server.requests, 2 * asked - 1);
    const job = JSON.parse(readFileSync(join(folder, ".clf", "jobs", report.job, "job.json"), "utf8"));
    const shots = job.models.find(({ name }: { name: string }) => name === "zero-shot-few-shot").shots;
    assert.ok(shots.length >= 1 && shots.length <= 3, `${shots.length} examples`);
    assert.match(shots[0].why, /wrong, mostly taken for refund/);
    const train = new Set(
      readFileSync(join(folder, "data.csv"), "utf8")
        .split("\n")
        .filter((line) => line.endsWith(",train"))
        .map((line) => line.split(",")[0]),
    );
    for (const { row } of shots) assert.ok(train.has(row), `${row} is no train row`);
  });

  it("a cascade asks the endpoint only for what the first stage does not take, under one certificate", async () => {
    await clf(["fine-tune", project, "--model", "baseline"]);
    const { models } = await document(EvaluateDocument, ["evaluate", project, "--model", "cheap-first"]);
    const of = models["cheap-first"]!;
    const total = ROWS * 0.4;
    assert.ok(server.requests < total * 0.8, `${server.requests} of ${total}`);
    assert.equal(typeof of.targets.label!.accept.certified, "boolean");
    const report = await document(CompareDocument, ["report", project, "--job", of.job]);
    const [first, second] = report.models["cheap-first"]!.stages!;
    assert.equal(first!.seen, first!.decided + second!.seen);
    assert.ok(second!.cost_alone! > second!.cost!);
    assert.equal(report.models["cheap-first"]!.accept.length, 1);
    const beside = ["compare", project, "-m", "baseline", "-m", "zero-shot", "-m", "cheap-first"];
    const { models: all } = await document(CompareDocument, beside);
    assert.deepEqual(Object.keys(all).sort(), ["baseline", "cheap-first", "zero-shot"]);
    assert.ok(all["cheap-first"]!.cost! < all["zero-shot"]!.cost!);
  });

  it("the bake-off of signals", async () => {
    const found = await document(SignalsDocument, ["signals", project, "--model", "zero-shot"]);
    const { rows, signals } = found.targets.label!;
    assert.ok(rows > 10);
    const names = signals.map(({ name }) => name);
    for (const name of ["logprobs", "margin", "per token", "content-free", "votes"])
      assert.ok(names.includes(name), name);
    const area = (name: string) => signals.find((signal) => signal.name === name)!.aurc.value;
    assert.ok(area("logprobs") < area("votes"), "votes are all alike here");
  });

  it("a key goes to the origin it was allowed for, and nowhere else", async () => {
    writeFileSync(project, readFileSync(project, "utf8").replace("concurrency: 8", "concurrency: 8, key: MY_KEY"));
    const evaluate = ["evaluate", project, "--model", "zero-shot"];
    const none = await clf(evaluate, { env: { XDG_CONFIG_HOME: folder } });
    assert.equal(none.code, 1);
    assert.match(none.err, /wants the key MY_KEY/);
    const env = { MY_KEY: "sesame-1234", XDG_CONFIG_HOME: folder };
    const refused = await clf(evaluate, { env });
    assert.match(refused.err, /which you have not agreed to.*CLF_ALLOW_KEYS/);
    assert.equal(server.requests, 0);
    const origin = new URL(server.url).origin;
    const allowed = await clf(evaluate, { env: { ...env, CLF_ALLOW_KEYS: `MY_KEY=${origin}` } });
    assert.equal(allowed.code, 0, allowed.err);
    for (const path of readdirSync(join(folder, ".clf"), { recursive: true, withFileTypes: true })) {
      if (path.isFile()) assert.ok(!readFileSync(join(path.parentPath, path.name)).includes("sesame"), path.name);
    }
  });

  it("asks on a terminal whether a key may be sent, once a key and origin", async function () {
    // A terminal for the command: util-linux's script, which Debian always has.
    if (process.platform !== "linux" || !existsSync("/usr/bin/script")) return this.skip();
    writeFileSync(project, readFileSync(project, "utf8").replace("concurrency: 8", "concurrency: 8, key: MY_KEY"));
    const env = { ...ENVIRONMENT, MY_KEY: "sesame-1234", XDG_CONFIG_HOME: join(folder, "config") };
    const evaluate = ["evaluate", project, "--model", "zero-shot"];
    const command = [process.execPath, CLI, ...evaluate].map((word) => `'${word}'`).join(" ");
    const onTerminal = async (answer: string) => {
      const options = { env, input: `${answer}\n`, reject: false } as const;
      const { exitCode, stdout } = await execa("script", ["-qefc", command, "/dev/null"], options);
      return { code: exitCode, out: stdout };
    };
    const { origin } = new URL(server.url);
    const refused = await onTerminal("n");
    assert.equal(refused.code, 1, refused.out);
    assert.ok(refused.out.includes(`send your key MY_KEY to ${origin}? [y/N]`), refused.out);
    assert.match(refused.out, /was not sent to .*: you said no/);
    assert.equal(server.requests, 0);
    const allowed = await onTerminal("y");
    assert.equal(allowed.code, 0, allowed.out);
    assert.ok(server.requests > 0);
    const remembered = await clf(evaluate, { env });
    assert.equal(remembered.code, 0, remembered.err);
  });

  it(`killed ${KILLS} times in the middle: every row answered once, at most the calls in flight paid again`, async function () {
    this.timeout(600_000);
    await server.close();
    server = await serve(100);
    project = makeProject(folder, server.url, 2);
    const jobs = join(folder, ".clf", "jobs");
    const first = start(["evaluate", project, "--model", "zero-shot", "--json"]);
    const idOf = () => (existsSync(jobs) ? readdirSync(jobs).find((name) => /^\d/.test(name)) : undefined);
    const over = () => existsSync(join(jobs, idOf() ?? "-", "predictions.parquet"));
    let killed = 0;
    for (; killed < KILLS && !over(); killed++) {
      // Anywhere in this part of the rows.
      const goal = ((killed + Math.random() * 0.8) / (KILLS + 1)) * ROWS * 0.55 + 2;
      const runner = () => join(jobs, idOf() ?? "-", "attempts", String(killed + 1), "runner.json");
      while ((server.requests < goal || !existsSync(runner())) && !over()) await sleep(5);
      if (over()) break;
      process.kill(Number(JSON.parse(readFileSync(runner(), "utf8")).pid), "SIGKILL");
      // The supervisor may need a moment to see it. Nobody waits for the command: the runner is at work before it ends.
      const next = join(jobs, idOf()!, "attempts", String(killed + 2));
      for (let tries = 0; !existsSync(next) && tries < 30; tries++) {
        const resumed = clf(["jobs", project, "resume", idOf()!]).catch(() => undefined);
        while (!existsSync(next) && !(await Promise.race([resumed.then(() => true), sleep(20).then(() => false)])));
      }
      assert.ok(existsSync(next), "the job was not resumed");
    }
    assert.ok(killed >= 1);
    assert.equal((await first).exitCode, 3);
    const id = idOf();
    let state = "";
    for (let tries = 0; tries < 600 && state !== "succeeded"; tries++) {
      await sleep(200);
      state = JSON.parse((await clf(["jobs", project, "show", id!, "--json"])).out).state;
      assert.notEqual(state, "failed");
    }
    const report = await document(CompareDocument, ["report", project, "--job", id!]);
    assert.equal(
      report.models["zero-shot"]!.predictions,
      report.rows.tune! + report.rows.validation! + report.rows.test!,
    );
    const paid = [...server.answered.values()].reduce((sum, times) => sum + times, 0);
    const rows = server.answered.size;
    assert.equal(rows, report.models["zero-shot"]!.predictions + 1);
    assert.ok(paid - rows <= 2 * KILLS, `${paid - rows} calls were paid again`);
  });
});
