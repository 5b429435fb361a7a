/** `clf serve`, built, as people start it: over HTTP with a linear model, a prompted one and a cascade. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import {
  CompareDocument,
  CostDocument,
  ExportDocument,
  FlaggedDocument,
  PredictTextDocument,
} from "../../schemas/cli.ts";
import { ClassifyAnswer, ServeDocument, ServeHealth } from "../../schemas/serve.ts";
import { lastMessage, startServer, type TestServer, token } from "../unit/engines/chat/server.ts";
import { build, clf, document, removeFolder, start, temporaryFolder } from "./support.ts";

const LABELS = ["refund", "card_lost", "card_arrival", "exchange"];
const words = (label: string) => label.replace("_", " ");

describe("finished models: clf serve and clf cost", () => {
  let folder: string;
  let project: string;
  let endpoint: TestServer;
  let served: ReturnType<typeof start>;
  let url: string;

  before(async function () {
    this.timeout(240_000);
    await build();
    folder = temporaryFolder();
    endpoint = await startServer({
      reply(body) {
        const text = lastMessage(body);
        const label = LABELS.find((one) => text.includes(words(one)));
        const said = label ?? "refund";
        const p = label ? 0.97 : 0.5;
        return { text: said, tokens: [token([said, p], [LABELS.find((one) => one !== said)!, 1 - p])] };
      },
    });
    const splits = ["train", "train", "train", "validation", "test"];
    const lines = Array.from({ length: 500 }, (_, i) => {
      const label = LABELS[i % LABELS.length]!;
      const text = i % 6 === 5 ? `message ${i} says little` : `message ${i} about ${words(label)} today`;
      return `r${i},${text},${label},${splits[i % splits.length]}`;
    });
    writeFileSync(join(folder, "data.csv"), ["id,text,label,split", ...lines].join("\n"));
    project = join(folder, "bank.clf.yaml");
    writeFileSync(
      project,
      `version: 1
dataset: { source: data.csv, pool: inbox/*.jsonl, id: id, split: { column: split, tune: 0.3 } }
task: { inputs: [text], targets: [{ column: label }] }
models:
  baseline: { engine: linear, char_ngrams: [3, 3], word_ngrams: [1, 1] }
  zero-shot: { engine: chat, endpoint: here, model: some-model }
  cheap-first: { engine: cascade, stages: [baseline, zero-shot] }
  other: { engine: predictions, source: preds.csv }
endpoints:
  here: { base_url: "${endpoint.url}", concurrency: 8, price: { input_per_million: 1, output_per_million: 2 } }
confidence: { accept: { risk: 0.06, certainty: 0.9 }, audit: 0 }
`,
    );
    for (const model of ["baseline", "zero-shot", "cheap-first"]) {
      const { code, err } = await clf(["evaluate", project, "--model", model]);
      assert.equal(code, 0, err);
    }
  });
  after(async () => {
    await endpoint.close();
    await removeFolder(folder);
  });
  afterEach(async () => {
    served?.kill("SIGKILL");
    await served;
  });

  async function serving(...args: string[]): Promise<z.output<typeof ServeDocument>> {
    served = start(["serve", project, "--port", "0", "--json", ...args]);
    let text = "";
    for await (const part of served.stdout!) {
      text += String(part);
      if (/\n\}\n$/.test(text)) break;
    }
    assert.notEqual(text, "", String((await Promise.race([served, Promise.resolve({ stderr: "" })])).stderr));
    const told = ServeDocument.parse(JSON.parse(text));
    url = told.url;
    return told;
  }

  const post = (body: unknown) =>
    fetch(`${url}/classify`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const classify = async (...texts: string[]) => {
    const response = await post({ rows: texts.map((text) => ({ inputs: { text } })) });
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return ClassifyAnswer.parse(body);
  };

  it("a linear model says the same as clf predict; what it flags joins the pool, and Ctrl+C ends it", async () => {
    const { pool, job } = await serving("--model", "baseline");
    const [sure, unsure] = ["message 7000 about card lost today", "nothing of this was ever seen"];
    const answer = await classify(sure, unsure);
    assert.equal(answer.job, job);
    assert.equal(answer.certificates[0]!.certified, true);
    assert.equal(answer.certificates[0]!.risk, 0.06);
    for (const [i, text] of [sure, unsure].entries()) {
      const { targets } = await document(PredictTextDocument, [
        "predict",
        project,
        "--model",
        "baseline",
        "--text",
        text,
      ]);
      const { label, confidence, accepted, reasons } = answer.rows[i]!.targets[0]!;
      assert.deepEqual([label, accepted, reasons], [targets[0]!.label, targets[0]!.accepted, targets[0]!.reasons]);
      assert.ok(Math.abs(confidence - targets[0]!.confidence!) < 1e-9);
    }
    assert.deepEqual(
      answer.rows.map(({ accepted, pool: joined }) => [accepted, joined]),
      [
        [true, null],
        [false, "joined"],
      ],
    );
    assert.equal(answer.rows[0]!.targets[0]!.label, "card_lost");
    const { band, confidence } = answer.rows[0]!.targets[0]!;
    assert.ok(band && band.low <= confidence && confidence <= band.high && band.rows > 0);
    assert.equal((await classify(unsure)).rows[0]!.pool, "known");
    const row = answer.rows[1]!.row;
    assert.equal(readFileSync(pool, "utf8"), `${JSON.stringify({ id: row, text: unsure })}\n`);

    const health = ServeHealth.parse(await (await fetch(`${url}/health`)).json());
    assert.deepEqual(health.rows, { answered: 3, accepted: 1, flagged: 2 });
    assert.deepEqual(health.pool, { file: pool, rows: 1, named: true });
    assert.deepEqual(health.targets[0]!.labels.toSorted(), LABELS.toSorted());

    served.kill("SIGINT");
    const { exitCode } = await served;
    assert.equal(exitCode, 0);
    await assert.rejects(fetch(`${url}/health`));

    // It waits for a person like every other row of the pool.
    assert.equal((await clf(["evaluate", project, "--model", "baseline"])).code, 0);
    const { items } = await document(FlaggedDocument, ["flagged", project, "--model", "baseline"]);
    assert.ok(items.some((item) => item.row === row && item.text === unsure));
    await document(ExportDocument, ["export", project, "--model", "baseline", "--output", join(folder, "all.jsonl")]);
    assert.ok(readFileSync(join(folder, "all.jsonl"), "utf8").includes(row));
  });

  it("a prompted model asks its endpoint, each text once", async () => {
    await serving("--model", "zero-shot");
    const asked = endpoint.requests;
    const text = "message 8000 about refund today";
    const answers = await Promise.all([
      classify(text),
      classify("message 8001 about exchange today"),
      classify("message 8002 says little"),
    ]);
    assert.deepEqual(
      answers.map(({ rows }) => rows[0]!.targets[0]!.label),
      ["refund", "exchange", "refund"],
    );
    assert.ok(answers[0]!.rows[0]!.targets[0]!.confidence > answers[2]!.rows[0]!.targets[0]!.confidence);
    assert.equal(endpoint.requests, asked + 3);
    await classify(text);
    assert.equal(endpoint.requests, asked + 3);
  });

  it("a cascade asks the endpoint only for what its first stage does not take", async () => {
    await serving("--model", "cheap-first");
    const asked = endpoint.requests;
    const { rows, certificates } = await classify("message 9000 about card lost today", "message 9001 says little");
    assert.equal(rows[0]!.targets[0]!.label, "card_lost");
    assert.ok(endpoint.requests - asked <= 1, `${endpoint.requests - asked} rows were asked`);
    assert.equal(certificates.length, 1);
  });

  it("what each costs over volume, people included, and where one becomes cheaper", async () => {
    const args = ["cost", project, "--rows", "1000", "--rows", "500000", "--review", "0.1", "--hour", "1"];
    const { models, break_evens, prices, rows } = await document(CostDocument, args);
    assert.deepEqual([rows, prices], [[1000, 500_000], { review: 0.1, error: 0 }]);
    const of = (name: string) => models.find(({ model }) => model === name)!;
    const report = await document(CompareDocument, ["report", project, "--model", "zero-shot"]);
    const { calls, accept } = report.models["zero-shot"]!;
    assert.equal(of("zero-shot").inference, calls!.cost_per_row);
    assert.equal(of("zero-shot").training, 0);
    assert.equal(of("zero-shot").reviews, accept[0]!.measured!.reviewShare);
    const { inference, training, review, row, totals } = of("baseline");
    assert.ok(training! > 0 && inference! > 0 && Math.abs(row! - inference! - review!) < 1e-12);
    assert.ok(Math.abs(totals[1]! - training! - 500_000 * row!) < 1e-6);
    assert.ok(of("cheap-first").inference! < of("zero-shot").inference! + inference!);
    assert.deepEqual([of("other").row, of("other").job], [null, null]);
    assert.equal(break_evens.length, 3);
    for (const { first, later, rows: from } of break_evens) {
      if (from !== null) assert.ok(of(first).training! < of(later).training! && of(first).row! > of(later).row!);
    }
    const { out } = await clf(["cost", project]);
    assert.match(out, /Reviews and errors are not counted/);
    assert.match(out, /other: It has not been evaluated/);
  });

  it("says what it cannot serve, and why", async () => {
    const refused = async (args: string[], says: RegExp) => {
      const { code, err } = await clf(["serve", project, ...args]);
      assert.notEqual(code, 0);
      assert.match(err, says);
    };
    await refused(["--model", "other"], /another system's predictions/);
    await refused(["--model", "baselin"], /Did you mean "baseline"/);
    await refused(["--model", "baseline", "--port", "99999"], /0 to 65535/);
    await refused(["--model", "baseline", "--pool", "/tmp/elsewhere.jsonl"], /in the project's folder/);
    writeFileSync(project, readFileSync(project, "utf8").replace("[3, 3]", "[3, 4]"));
    await refused(["--model", "baseline"], /has changed since it was evaluated/);
    assert.equal(existsSync(join(folder, "served.jsonl")), false);
  });

  it("says when the port is taken", async () => {
    writeFileSync(project, readFileSync(project, "utf8").replace("[3, 4]", "[3, 3]"));
    const { url: first } = await serving("--model", "baseline");
    const { code, err } = await clf(["serve", project, "--model", "baseline", "--port", new URL(first).port]);
    assert.equal(code, 1);
    assert.match(err, /Port \d+ is in use.*--port/);
  });
});
