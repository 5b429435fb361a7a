/** What the job panel and Try It ask for, over stdio; and that a wish for a job outlives the server in which it was made. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobDetail } from "../../schemas/jobPanel.ts";
import type { JobView } from "../../schemas/protocol.ts";
import type { NearestRow, TriedTarget } from "../../schemas/tryIt.ts";
import { type Client, startClient, uriOf } from "./client.ts";

const WORDS = { refund: ["money back", "refund", "charged twice"], delivery: ["parcel", "late package", "shipment"] };

/** Rows whose labels can be learned, each text once. */
const ROWS = Array.from({ length: 200 }, (_, i) => {
  const label = i % 2 === 0 ? "refund" : "delivery";
  return [`Customer ${i * 37} asks about the ${WORDS[label][(i >> 1) % 3]} of order ${i * 11}`, label];
});

describe("panels", function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;
  let client: Client;
  let changed: JobView[] = [];
  let evaluation: string;

  async function open(): Promise<void> {
    changed = [];
    client = await startClient({ folders: [folder], trusted: true });
    client.connection.onNotification("clf/jobs/changed", ({ job }: { job: JobView }) => void changed.push(job));
  }
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "clf-panels-"));
    file = join(folder, "mail.clf.yaml");
    writeFileSync(
      file,
      `version: 1
dataset: { source: data.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear } }
`,
    );
    writeFileSync(join(folder, "data.csv"), `text,label\n${ROWS.map((cells) => cells.join(",")).join("\n")}\n`);
    await open();
    evaluation = (await ask<{ job: string }>("clf/jobs/start", { kind: "evaluate", models: ["baseline"] })).job;
    assert.equal((await ended(evaluation)).state, "succeeded");
  });
  after(async () => {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = <T>(method: string, params: object = {}) =>
    client.request<T>(method, { project: uriOf(file), ...params });
  const jobs = () => join(folder, ".clf", "jobs");
  const fineTunes = async () => (await ask<JobView[]>("clf/jobs/list")).filter(({ kind }) => kind === "fine-tune");

  /** The first job that satisfies `wanted` and has ended. */
  async function ended(wanted: string | ((job: JobView) => boolean)): Promise<JobView> {
    const is = (view: JobView) => (typeof wanted === "string" ? view.job === wanted : wanted(view));
    for (;;) {
      const seen = changed.findLast((view) => is(view) && ["succeeded", "failed", "lost"].includes(view.state));
      if (seen) return seen;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it("tell what a job was made from, what it made, and what differs from the one before", async () => {
    const [first] = await fineTunes();
    const alone = await ask<JobDetail>("clf/jobs/detail", { job: first!.job });
    assert.equal(alone.difference, null);
    assert.ok(
      alone.facts.some(
        ({ section, name, value }) => section === "Model baseline" && name === "engine" && value === "linear",
      ),
    );
    assert.deepEqual(
      alone.artifacts.map(({ path }) => path).filter((path) => !path.startsWith("attempts/")),
      ["model", "data/rows.jsonl", "job.json"],
    );
    assert.ok(alone.artifacts.every(({ path, bytes }) => bytes > 0 || path.endsWith("log.txt")));

    writeFileSync(file, readFileSync(file, "utf8").replace("engine: linear", "engine: linear, regularisation: 0.5"));
    client.changed(file);
    const { job } = await ask<{ job: string }>("clf/jobs/start", { kind: "fine-tune", models: ["baseline"] });
    await ended(job);
    const { difference } = await ask<JobDetail>("clf/jobs/detail", { job });
    assert.equal(difference!.job, first!.job);
    assert.equal(difference!.same_data, true);
    const [change] = difference!.changes.filter(({ section }) => section === "Model baseline");
    assert.deepEqual([change!.name, change!.before, change!.after], ["regularisation", "auto", "0.5"]);
    writeFileSync(file, readFileSync(file, "utf8").replace(", regularisation: 0.5", ""));
    client.changed(file);
  });

  it("read events and the log in pieces, and search the log", async () => {
    const attempt = join(jobs(), evaluation, "attempts", "1");
    const log = join(attempt, "log.txt");
    const lines = Array.from({ length: 9000 }, (_, i) => `line ${i + 1} über die Wörter: ${"ä".repeat(20)}`);
    writeFileSync(log, `${lines.join("\n")}\nlast`);
    const whole = readFileSync(log);

    type Events = { events: { seq: number }[]; offset: number; more: boolean };
    const all = await ask<Events>("clf/jobs/events", { job: evaluation });
    assert.equal(all.events[0]!.seq, 1);
    assert.equal(all.more, false);
    assert.deepEqual((await ask<Events>("clf/jobs/events", { job: evaluation, offset: all.offset })).events, []);

    type Piece = { text: string; start: number; offset: number; size: number; ended: boolean };
    const piece = (at: object) => ask<Piece>("clf/jobs/log", { job: evaluation, ...at });
    let forwards = "";
    for (let offset = 0; ; ) {
      const next = await piece({ offset });
      assert.equal(next.start, offset);
      forwards += next.text;
      offset = next.offset;
      if (next.ended) break;
    }
    assert.equal(forwards, whole.toString());
    let backwards = "";
    for (let before = Number.MAX_SAFE_INTEGER; before > 0; ) {
      const earlier = await piece({ before });
      assert.equal(earlier.size, whole.length);
      backwards = earlier.text + backwards;
      before = earlier.start;
      assert.ok(before === 0 || whole[before - 1] === 10, "from the beginning of a line on");
    }
    assert.equal(backwards, forwards);

    type Found = { total: number; hits: { offset: number; line: number; text: string }[] };
    const found = await ask<Found>("clf/jobs/logSearch", { job: evaluation, text: "LINE 8", limit: 3 });
    assert.equal(found.total, lines.filter((line) => line.startsWith("line 8")).length);
    assert.deepEqual(
      found.hits.map(({ line }) => line),
      [8, 80, 81],
    );
    const there = await piece({ offset: found.hits[1]!.offset });
    assert.ok(there.text.startsWith("line 80 "));
  });

  it("try a text: label, confidence, acceptance, words, and the rows that are like it", async () => {
    const inputs = { text: "Where is my parcel" };
    const { targets } = await ask<{ targets: TriedTarget[] }>("clf/predict", { model: "baseline", inputs });
    const [seen] = targets;
    assert.equal(seen!.label, "delivery");
    assert.ok(seen!.confidence !== null && seen!.confidence > 0.5);
    assert.equal(typeof seen!.accepted, "boolean");
    const parcel = seen!.words.find(({ text }) => text === "parcel");
    assert.ok(parcel && parcel.weight > 0);
    assert.equal(inputs.text.slice(parcel.start, parcel.end), "parcel");
    const { rows } = await ask<{ rows: NearestRow[] }>("clf/try/nearest", { inputs, most: 3 });
    assert.equal(rows.length, 3);
    for (const { split, text, labels, similarity, place } of rows) {
      assert.ok(["train", "tune"].includes(split), "no row of validation or test is shown");
      assert.match(text, /parcel/);
      assert.deepEqual(labels, [{ target: "label", label: "delivery", decided: false }]);
      assert.ok(similarity > 0 && similarity <= 1);
      const line = readFileSync(join(folder, "data.csv"), "utf8").split("\n")[place!.line]!;
      assert.ok(line.startsWith(text));
    }
    const nothing = await ask<{ rows: NearestRow[] }>("clf/try/nearest", { inputs: { text: "" } });
    assert.deepEqual(nothing.rows, []);
  });

  it("go on with what a fine-tune was for when the window was closed before its end, once", async () => {
    const [fineTune] = (await fineTunes()).filter(
      ({ job }) => JSON.parse(readFileSync(join(jobs(), job, "job.json"), "utf8")).options.next !== undefined,
    );
    await client.stop();
    // As if nobody had been there when it ended.
    const records = join(jobs(), fineTune!.job, "manager.jsonl");
    const lines = readFileSync(records, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).type),
      ["submitted", "followed"],
    );
    assert.equal(JSON.parse(lines[1]!).job, evaluation);
    writeFileSync(records, `${lines[0]}\n`);
    rmSync(join(jobs(), evaluation), { recursive: true });

    await open();
    await ask("clf/jobs/list");
    const again = await ended(({ kind }) => kind === "evaluate");
    assert.equal(again.state, "succeeded");
    await client.stop();
    const followed = JSON.parse(readFileSync(records, "utf8").trimEnd().split("\n")[1]!);
    assert.deepEqual([followed.type, followed.job], ["followed", again.job]);

    const before = readdirSync(jobs());
    await open();
    // The answer to a start comes after the server has looked at what is there.
    const { job } = await ask<{ job: string }>("clf/jobs/start", { kind: "evaluate", models: ["baseline"] });
    await ended(job);
    assert.deepEqual(
      readdirSync(jobs()).filter((name) => !before.includes(name) && /^\d/.test(name)),
      [job],
    );
  });
});
