/** The clf/preview/* requests over stdio: a plain file, a project's file before and after an evaluation, a decision. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PreviewDetail, PreviewPage, PreviewProfile } from "../../schemas/preview.ts";
import type { JobView } from "../../schemas/protocol.ts";
import { type Client, startClient, uriOf } from "./client.ts";

const WORDS = {
  refund: ["wants the money back", "asks for a refund", "was charged twice"],
  delivery: ["waits for the parcel", "asks where the delivery is", "never got the shipment"],
};
const rows = Array.from({ length: 240 }, (_, i) => {
  const label = i % 2 === 0 ? ("refund" as const) : ("delivery" as const);
  return { text: `Customer ${i} ${WORDS[label][(i >> 1) % 3]}, case ${i * 37}`, label, note: `note ${i % 3}` };
});
const NEW = [
  "Where on earth is my parcel?",
  "Money back, now!",
  "Nobody delivered anything on Tuesday",
  "I was charged a second time for one order",
  "The shipment has been lost between two towns",
  "Please return what I paid",
];
const csv = (lines: string[][]) => `${lines.map((cells) => cells.map((cell) => `"${cell}"`).join(",")).join("\n")}\n`;

describe("data preview over stdio", function () {
  this.timeout(120_000);
  let folder: string;
  let elsewhere: string;
  let client: Client;
  let data: string;
  const changed: string[] = [];
  const jobs: JobView[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "clf-preview-"));
    elsewhere = mkdtempSync(join(tmpdir(), "clf-preview-"));
    writeFileSync(
      join(folder, "mail.clf.yaml"),
      `version: 1
dataset: { source: data.csv, pool: new.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear } }
confidence: { accept: { threshold: 0.01 }, audit: 1 }
`,
    );
    writeFileSync(join(folder, "new.csv"), csv([["text"], ...NEW.map((text) => [text])]));
    const repeated = { ...rows[4]!, label: "delivery" };
    writeFileSync(
      join(folder, "data.csv"),
      csv([["text", "label", "note"], ...[...rows, repeated].map(({ text, label, note }) => [text, label, note])]),
    );
    data = uriOf(join(folder, "data.csv"));
    client = await startClient({ folders: [folder], trusted: true });
    client.connection.onNotification(
      "clf/preview/changed",
      (params: { data: string }) => void changed.push(params.data),
    );
    client.connection.onNotification("clf/jobs/changed", ({ job }: { job: JobView }) => void jobs.push(job));
  });
  after(async () => {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(elsewhere, { recursive: true, force: true });
  });

  const ask = <T>(method: string, params: object) => client.request<T>(method, params);
  const page = (params: object = {}) => ask<PreviewPage>("clf/preview/page", { data, ...params });
  async function until(wanted: (page: PreviewPage) => boolean, params: object = {}): Promise<PreviewPage> {
    for (let i = 0; i < 400; i++) {
      const found = await page(params);
      if (wanted(found)) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return assert.fail("It did not come to that.");
  }
  const byProject = ({ mode }: PreviewPage) => mode === "project";

  it("shows a file outside every project as the table it is", async () => {
    const path = join(elsewhere, "plain.csv");
    writeFileSync(
      path,
      csv([
        ["name", "size"],
        ["b", "2"],
        ["a", "10"],
        ["c", "1"],
      ]),
    );
    const plain = await ask<PreviewPage>("clf/preview/page", {
      data: uriOf(path),
      sort: { column: "c1" },
      filter: { ranges: [{ column: "c1", of: "value", min: 2, max: null }] },
    });
    assert.equal(plain.mode, "file");
    assert.equal(plain.project, null);
    assert.deepEqual(plain.rows, [
      { row: 0, cells: ["b", "2"] },
      { row: 1, cells: ["a", "10"] },
    ]);
    assert.deepEqual([plain.total, plain.of, plain.complete], [2, 3, true]);
    const detail = await ask<PreviewDetail>("clf/preview/row", { data: uriOf(path), row: 2 });
    assert.deepEqual(detail.place, { uri: uriOf(path), line: 3, end_line: 3 });

    writeFileSync(path, csv([["name"], ["changed"]]));
    const again = await ask<PreviewPage>("clf/preview/page", { data: uriOf(path) });
    assert.deepEqual(again.rows, [{ row: 0, cells: ["changed"] }]);
    rmSync(path);
    await assert.rejects(ask("clf/preview/page", { data: uriOf(path) }), /plain.csv is not there any more/);
  });

  it("shows a project's file as the project reads it, and whole when asked", async () => {
    const first = await page();
    const joined = await until(byProject);
    assert.deepEqual(
      joined.columns.map(({ name, role }) => [name, role]),
      [
        ["text", "input"],
        ["label", "target"],
        ["split", "split"],
        ["status", "status"],
      ],
    );
    if (first.mode !== "project") assert.ok(changed.includes(data));
    assert.equal(joined.of, 241);
    assert.equal(joined.project!.model, null);
    assert.deepEqual(joined.project!.targets, [{ name: "label", labels: ["delivery", "refund"] }]);
    const whole = await page({ whole: true });
    assert.deepEqual(
      [whole.mode, whole.columns.map(({ name }) => name), whole.of],
      ["file", ["text", "label", "note"], 241],
    );
  });

  it("filters by duplicates and splits, finds a row's place, and plots by split", async () => {
    const repeated = await page({ filter: { duplicates: true } });
    assert.deepEqual(
      repeated.rows.map(({ row }) => row),
      [4, 240],
    );
    const test = await page({ filter: { values: [{ column: "split", values: ["test"] }] }, limit: 1000 });
    assert.ok(test.total > 20 && test.total < 80, String(test.total));
    const last = test.rows.at(-1)!.row;
    const found = await page({
      filter: { values: [{ column: "split", values: ["test"] }] },
      sort: { column: "t0", by: "value", descending: true },
      find: last,
      limit: 1000,
    });
    assert.equal(found.rows[found.found!]!.row, last);
    const profile = await ask<PreviewProfile>("clf/preview/profile", { data });
    assert.deepEqual(profile.splits, ["train", "tune", "validation", "test"]);
    assert.equal(profile.duplicates, 2);
    const total = profile.labels!.bars.flatMap((bar) => bar.rows).reduce((a, b) => a + b, 0);
    assert.equal(total, 241);
  });

  it("shows a row with its near-duplicates", async () => {
    const detail = await ask<PreviewDetail>("clf/preview/row", { data, row: 240 });
    assert.deepEqual(
      detail.alike.map(({ row, file, labels }) => [row, file, labels]),
      [[4, null, ["refund"]]],
    );
    assert.equal(detail.targets[0]!.label, "delivery");
  });

  it("knows confidences once a model has been evaluated, and filters by them", async () => {
    const { job } = await ask<{ job: string }>("clf/jobs/start", {
      project: uriOf(join(folder, "mail.clf.yaml")),
      kind: "evaluate",
      models: ["baseline"],
    });
    while (!jobs.some((view) => view.job === job && ["succeeded", "failed"].includes(view.state))) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const judged = await until(({ project }) => project?.model === "baseline");
    assert.deepEqual(
      judged.columns.map(({ role }) => role),
      ["input", "target", "split", "predicted", "confidence", "status"],
    );
    const sure = await page({
      filter: { ranges: [{ column: "f0", of: "value", min: 0, max: 1 }] },
      sort: { column: "f0", by: "value", descending: true },
      limit: 1000,
    });
    const confidences = sure.rows.map(({ cells }) => Number(cells[4]));
    assert.ok(confidences.length > 20);
    assert.deepEqual(
      confidences,
      confidences.toSorted((a, b) => b - a),
    );
    const row = sure.rows.find(({ cells }) => cells[2] === "test")!.row;
    const detail = await ask<PreviewDetail>("clf/preview/row", { data, row });
    assert.deepEqual(
      detail.targets[0]!.predictions.map(({ model }) => model),
      ["baseline"],
    );
  });

  it("keeps predictions from those who are to judge without them, also in orders and filters", async () => {
    const pool = { data: uriOf(join(folder, "new.csv")) };
    const all = await until(byProject, pool);
    const at = (name: string) => all.columns.findIndex((column) => column.name === name);
    assert.equal(all.total, 6);
    for (const { cells } of all.rows) {
      assert.deepEqual([cells[at("predicted")], cells[at("confidence")], cells[at("status")]], ["", "", "flagged"]);
    }
    const sure = await page({ ...pool, filter: { ranges: [{ column: "f0", of: "value", min: 0, max: 1 }] } });
    assert.equal(sure.total, 0);
    const detail = await ask<PreviewDetail>("clf/preview/row", { ...pool, row: 0 });
    assert.deepEqual([detail.targets[0]!.blind, detail.targets[0]!.predictions], [true, []]);
  });

  it("shows a decision as soon as it is recorded", async () => {
    const before = await ask<PreviewDetail>("clf/preview/row", { data, row: 0 });
    await ask("clf/review/decide", {
      project: uriOf(join(folder, "mail.clf.yaml")),
      row: before.id!,
      target: "label",
      kind: "corrected",
      label: "delivery",
    });
    const decided = await until(({ rows }) => rows[0]!.cells[1] === "delivery");
    assert.equal(decided.rows[0]!.cells.at(-1), "decided");
    const after = await ask<PreviewDetail>("clf/preview/row", { data, row: 0 });
    const { label, in_file, decided: kind } = after.targets[0]!;
    assert.deepEqual([label, in_file, kind], ["delivery", "refund", "corrected"]);
    assert.equal(readFileSync(join(folder, "reviews.jsonl"), "utf8").trim().split("\n").length, 1);
  });

  it("refuses what it cannot show, in words", async () => {
    await assert.rejects(
      ask("clf/preview/page", { data: uriOf(join(folder, "mail.clf.yaml")) }),
      /mail.clf.yaml is not a kind of file that can be previewed/,
    );
    await assert.rejects(ask("clf/preview/page", { data: "untitled:x" }), /this one lies elsewhere/);
  });
});
