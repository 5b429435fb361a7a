/** The clf/* requests over stdio, as any editor sends them: a job from start to report, review, inline confidence. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FlaggedItem, InlineRow, JobView, ProjectSummary, Requests, RowDetail } from "../../schemas/protocol.ts";
import { Report } from "../../schemas/report.ts";
import { ReportDetail } from "../../schemas/reportPanel.ts";
import { nextDecisionId } from "../../server/src/review/decision-id.ts";
import { eventually } from "../editor/eventually.ts";
import { type Client, startClient, uriOf } from "./client.ts";

const SUBJECTS = [
  "The customer",
  "A shopper",
  "My colleague",
  "Somebody",
  "The driver",
  "An old friend",
  "Our neighbour",
];
const SENTENCES = {
  refund: [
    "wants the money back",
    "asks for a refund",
    "was charged twice and wants it returned",
    "needs a reimbursement",
  ],
  delivery: [
    "is waiting for the parcel",
    "asks where the delivery is",
    "says the package is late",
    "never got the shipment",
  ],
};

/** Rows whose labels can be learned, each text once. */
function rows(count: number, from = 0): { text: string; label: keyof typeof SENTENCES }[] {
  return Array.from({ length: count }, (_, k) => {
    const i = k + from;
    const label = i % 2 === 0 ? "refund" : "delivery";
    const sentence = SENTENCES[label][(i >> 1) % 4]!;
    return { text: `${SUBJECTS[i % 7]} ${sentence}, case ${i * 37}`, label };
  });
}

/** Rows of the data file whose label is the other one. */
const WRONG = [20, 61, 102, 143, 184];
const OTHER = { refund: "delivery", delivery: "refund" } as const;

const csv = (lines: string[][]) => lines.map((cells) => cells.map((cell) => `"${cell}"`).join(",")).join("\n") + "\n";

const PROJECT = `version: 1
dataset: { source: data.csv, pool: new.csv }
task: { inputs: [text], targets: [{ column: label }] }
models: { baseline: { engine: linear } }
confidence: { accept: { risk: 0.001, certainty: 0.99 } }
`;

describe("workbench", function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;
  let client: Client;
  const changed: JobView[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "clf-workbench-"));
    file = join(folder, "mail.clf.yaml");
    writeFileSync(file, PROJECT);
    writeFileSync(
      join(folder, "data.csv"),
      csv([
        ["text", "label"],
        ...rows(240).map(({ text, label }, i) => [text, WRONG.includes(i) ? OTHER[label] : label]),
      ]),
    );
    writeFileSync(
      join(folder, "new.csv"),
      csv([["text"], ...rows(40, 1000).map(({ text }) => [`${text} or perhaps the other`])]),
    );
    client = await startClient({ folders: [folder], trusted: true });
    client.connection.onNotification("clf/jobs/changed", ({ job }: { job: JobView }) => void changed.push(job));
  });

  after(async () => {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const project = () => uriOf(file);
  const ask = <T>(method: string, params: object = {}) => client.request<T>(method, params);
  const rejected = async (method: string, params: object): Promise<string> => {
    try {
      await ask(method, params);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail("It was not refused.");
  };

  async function ended(job: string): Promise<JobView> {
    for (;;) {
      const seen = changed.findLast((view) => view.job === job);
      if (seen && ["succeeded", "failed", "cancelled", "lost"].includes(seen.state)) return seen;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it("lists the projects of the workspace", async () => {
    const [only, ...more] = await ask<ProjectSummary[]>("clf/projects");
    assert.deepEqual(more, []);
    assert.equal(only!.project, project());
    assert.equal(only!.valid, true);
    assert.deepEqual(
      only!.models.map(({ name, current, evaluation }) => [name, current, evaluation]),
      [["baseline", null, null]],
    );
    assert.deepEqual(only!.data, [uriOf(join(folder, "data.csv")), uriOf(join(folder, "new.csv"))]);
  });

  it("says what to do while nothing has been evaluated", async () => {
    const list = await ask<{ empty: string; items: unknown[] }>("clf/flagged/list", { project: project() });
    assert.deepEqual(list.items, []);
    assert.match(list.empty, /not been evaluated yet.*Evaluate it first/);
  });

  it("evaluates a model, fine-tuning it first, and tells of both jobs as they go", async () => {
    const { job } = await ask<{ job: string }>("clf/jobs/start", {
      project: project(),
      kind: "evaluate",
      models: ["baseline"],
    });
    const view = await ended(job);
    assert.equal(view.state, "succeeded", view.message ?? "");
    assert.equal(view.can.report, true);
    assert.deepEqual(view.can, { cancel: false, resume: false, delete: true, report: true });
    assert.equal(view.metric?.name, "accuracy");
    const kinds = new Set(changed.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), ["evaluate", "fine-tune"]);
    const report = Report.parse(await ask("clf/report", { project: project(), job }));
    assert.ok(report.models.baseline!.targets.label!.report!.averages.accuracy.value > 0.9);
    const [summary] = await ask<ProjectSummary[]>("clf/projects");
    assert.equal(summary!.models[0]!.evaluation!.job, job);
    assert.ok(summary!.models[0]!.current);
  });

  it("predicts the rows of any file into a new one, and says which file cannot be read or would be replaced", async () => {
    const [data, output] = ["letters.csv", "letters.predicted.csv"].map((name) => uriOf(join(folder, name)));
    writeFileSync(join(folder, "letters.csv"), csv([["text"], ...rows(5, 2000).map(({ text }) => [text])]));
    const of = { project: project(), model: "baseline", data };
    assert.deepEqual(await ask("clf/predictFile", { ...of, output }), { rows: 5 });
    const [head, ...lines] = readFileSync(join(folder, "letters.predicted.csv"), "utf8").trim().split("\n");
    assert.match(head!, /^line,text,label predicted,label confidence,/);
    assert.equal(lines.length, 5);
    for (const [i, { text, label }] of rows(5, 2000).entries()) {
      assert.ok(lines[i]!.startsWith(`${i + 2},"${text}",${label},0.`), lines[i]);
    }
    assert.match(await rejected("clf/predictFile", { ...of, output: data }), /would replace the data/);
    writeFileSync(join(folder, "other.csv"), "body\nhello\n");
    const other = uriOf(join(folder, "other.csv"));
    assert.match(
      await rejected("clf/predictFile", { ...of, data: other, output }),
      /other\.csv.*"text".*Nothing was predicted/,
    );
    rmSync(join(folder, "letters.csv"));
    rmSync(join(folder, "other.csv"));
  });

  it("gives what a report's plots are drawn from, the rows behind them, and figures by a column", async () => {
    const [{ models }] = (await ask<ProjectSummary[]>("clf/projects")) as [ProjectSummary];
    const of = { project: project(), job: models[0]!.evaluation!.job };
    const figures = Report.parse(await ask("clf/report", of)).models.baseline!.targets.label!.report!;
    const detail = ReportDetail.parse(await ask("clf/report/detail", of));
    const rows = detail.models.baseline!.targets.label!;
    assert.equal(rows.given.length, figures.n);
    const right = rows.given.filter((given, i) => given === rows.predicted[i]).length;
    assert.equal(right / figures.n, figures.averages.accuracy.value);
    assert.ok(detail.models.baseline!.training.some(({ name }) => name === "log_loss"));
    // Evaluations of other machines come without the file: it is made again.
    const kept = join(folder, ".clf", "jobs", of.job, "report-rows.json");
    const before = readFileSync(kept, "utf8");
    rmSync(kept);
    assert.deepEqual(await ask("clf/report/detail", of), detail);
    assert.equal(readFileSync(kept, "utf8"), before);

    const wanted = detail.ids.slice(0, 3);
    const texts = await ask<Requests["clf/report/rows"]["result"]>("clf/report/rows", {
      ...of,
      rows: [...wanted, "no"],
    });
    assert.deepEqual(
      texts.rows.map(({ row }) => row),
      wanted,
    );
    assert.ok(texts.rows.every(({ text }) => text.includes("case")));
    const { columns } = await ask<Requests["clf/report/columns"]["result"]>("clf/report/columns", of);
    assert.deepEqual(columns.sort(), ["label", "text"]);
    const by = { ...of, model: "baseline", column: "label" };
    const { targets } = await ask<Requests["clf/report/slices"]["result"]>("clf/report/slices", by);
    assert.equal(
      targets.label!.reduce((sum, { n }) => sum + n, 0),
      figures.n,
    );
    assert.match(await rejected("clf/report/slices", { ...by, column: "lable" }), /no column "lable"/);
  });

  it("takes decisions on flagged rows, and takes them back", async () => {
    type List = { items: FlaggedItem[]; total: number; decided: number };
    const list = await ask<List>("clf/flagged/list", { project: project(), order: "margin" });
    assert.ok(list.total > 0 && list.total <= 40, `${list.total}`);
    assert.ok(list.items.every((item, i) => i === 0 || item.margin >= list.items[i - 1]!.margin));
    const { row, target } = list.items[0]!;
    await ask("clf/review/decide", { project: project(), row, target, kind: "corrected", label: "refund" });
    const after = await ask<List>("clf/flagged/list", { project: project() });
    assert.equal(after.decided, 1);
    assert.ok(!after.items.some((item) => item.row === row));
    assert.match(
      await rejected("clf/review/decide", { project: project(), row, target, kind: "corrected", label: "refunds" }),
      /Did you mean "refund"\?/,
    );
    assert.deepEqual(await ask("clf/review/undo", { project: project() }), { undone: { row, target }, rows: 1 });
    assert.equal((await ask<List>("clf/flagged/list", { project: project() })).decided, 0);
    assert.equal(readFileSync(join(folder, "reviews.jsonl"), "utf8").trim().split("\n").length, 2);
  });

  it("gives nothing away of rows that are judged blind", async () => {
    type List = { items: FlaggedItem[]; notes: string[]; reasons: Record<string, number>; total: number };
    const all = await ask<List>("clf/flagged/list", { project: project() });
    assert.ok(all.reasons.relabel! > 10);
    assert.ok(all.items.every(({ reasons }) => !reasons.includes("relabel")));
    assert.deepEqual(all.notes, []);
    const again = await ask<List>("clf/flagged/list", { project: project(), reason: "relabel" });
    assert.match(again.notes[0]!, /validation rows are drawn at random, 0 labelled again/);
    const [item] = again.items;
    assert.deepEqual([item!.split, item!.blind, item!.predicted, item!.given], ["validation", true, null, null]);
    const row = { project: project(), row: item!.row };
    const detail = await ask<RowDetail>("clf/rows/detail", row);
    const [seen] = detail.targets;
    assert.deepEqual([seen!.given, seen!.predicted, seen!.top, detail.place], [null, null, [], null]);
    assert.equal(await ask("clf/rows/explain", { ...row, target: "label" }), null);
    assert.match(
      await rejected("clf/review/decide", { ...row, target: "label", kind: "confirmed", blind: true }),
      /Choose a label/,
    );
    await ask("clf/review/decide", { ...row, target: "label", kind: "corrected", label: "refund", blind: true });
    const line = JSON.parse(readFileSync(join(folder, "reviews.jsonl"), "utf8").trim().split("\n").at(-1)!);
    assert.deepEqual([line.blind, line.reasons, line.draw], [true, ["relabel"], { stream: "relabel" }]);
    const after = await ask<List>("clf/flagged/list", { project: project(), reason: "relabel" });
    assert.equal(after.items.length, again.items.length - 1);
    assert.match(after.notes[1]!, /^1 random validation row was labelled again/);
    await ask("clf/review/undo", { project: project() });
  });

  it("finds a row in the list, shows what is like it, and decides many by one act that one undo takes back", async () => {
    type List = Requests["clf/flagged/list"]["result"];
    const list = (params: object = {}) => ask<List>("clf/flagged/list", { project: project(), ...params });
    const { items, pairs, models, total, decided } = await list();
    assert.deepEqual(models, ["baseline"]);
    const waiting = items.filter(({ blind }) => !blind);
    const last = items.at(-1)!;
    const found = await list({ limit: 3, find: { row: last.row, target: "label" } });
    assert.equal(found.found, items.length - 1);
    assert.equal(found.offset, 3 * Math.floor((items.length - 1) / 3));
    assert.equal(found.items.at(-1)!.row, last.row);
    assert.deepEqual(
      pairs.map(({ labels }) => labels),
      [["delivery", "refund"]],
    );
    assert.equal((await list({ pair: ["refund", "delivery"] })).total - decided, pairs[0]!.rows);

    const { row, target, predicted } = waiting[0]!;
    const similar = await ask<Requests["clf/rows/similar"]["result"]>("clf/rows/similar", {
      project: project(),
      row,
      target,
    });
    assert.ok(similar!.labelled.length > 0);
    assert.ok(similar!.labelled.every(({ similarity }, i, all) => i === 0 || similarity <= all[i - 1]!.similarity));
    const { alike } = similar!;
    assert.ok(alike.length > 1);
    for (const each of alike) assert.equal(items.find((item) => item.row === each.row)!.predicted, predicted);
    const rows = [row, ...alike.slice(0, 2).map((each) => each.row)];
    const together = { project: project(), target, rows };
    assert.match(
      await rejected("clf/review/decideTogether", { ...together, label: "refunds" }),
      /"refunds" is no label/,
    );
    assert.equal((await list()).decided, decided);
    assert.deepEqual(await ask("clf/review/decideTogether", { ...together, label: predicted }), { decisions: 3 });
    assert.equal((await list()).decided, decided + 3);
    const day = new Date(Date.now() - 3_600_000).toISOString();
    const progress = await ask<Requests["clf/review/progress"]["result"]>("clf/review/progress", {
      project: project(),
      day,
    });
    assert.equal(progress.today.confirmed, 3);
    assert.equal(progress.fresh, progress.everybody);
    const undone = await ask<Requests["clf/review/undo"]["result"]>("clf/review/undo", { project: project() });
    assert.equal(undone.rows, 3);
    assert.deepEqual([(await list()).total, (await list()).decided], [total, decided]);
  });

  it("shows a conflict on a row of which the model says nothing, as it comes with a merge", async () => {
    const reviews = join(folder, "reviews.jsonl");
    const before = readFileSync(reviews);
    const data = uriOf(join(folder, "data.csv"));
    let row: Requests["clf/preview/row"]["result"] = null;
    for (let n = 0; row?.split !== "train"; n++) row = await ask("clf/preview/row", { data, row: n });
    const line = (who: string, after: string) => ({
      ...{ id: nextDecisionId(undefined, Date.now()), row: row!.id, target: "label", kind: "corrected" },
      ...{ before: null, after, replaces: [], reasons: [], inputs: {}, who, when: new Date().toISOString() },
    });
    appendFileSync(reviews, `${JSON.stringify(line("Ada", "refund"))}\n${JSON.stringify(line("Ben", "delivery"))}\n`);
    client.notify("workspace/didChangeWatchedFiles", { changes: [{ uri: uriOf(reviews), type: 2 }] });
    const list = await eventually(
      () => ask<Requests["clf/flagged/list"]["result"]>("clf/flagged/list", { project: project(), reason: "conflict" }),
      ({ items }) => items.length === 1,
    );
    assert.equal(list.items[0]!.row, row!.id);
    const detail = await ask<RowDetail>("clf/rows/detail", { project: project(), row: row!.id });
    assert.deepEqual(
      new Set(detail.targets[0]!.said.map(({ who, label }) => `${who} ${label}`)),
      new Set(["Ada refund", "Ben delivery"]),
    );
    await ask("clf/review/decide", {
      project: project(),
      row: row!.id,
      target: "label",
      kind: "corrected",
      label: "refund",
    });
    const after = await ask<Requests["clf/flagged/list"]["result"]>("clf/flagged/list", {
      project: project(),
      reason: "conflict",
    });
    assert.deepEqual(after.items, []);
    writeFileSync(reviews, before);
    client.notify("workspace/didChangeWatchedFiles", { changes: [{ uri: uriOf(reviews), type: 2 }] });
    await eventually(
      () => ask<Requests["clf/flagged/list"]["result"]>("clf/flagged/list", { project: project() }),
      ({ decided }) => decided === 0,
    );
  });

  it("shows a row with its place, and the words that mattered", async () => {
    const { items } = await ask<{ items: FlaggedItem[] }>("clf/flagged/list", { project: project() });
    const { row, target } = items[0]!;
    const detail = await ask<{ inputs: { text: string }[]; place: { uri: string; line: number } }>("clf/rows/detail", {
      project: project(),
      row,
    });
    const line = readFileSync(join(folder, "new.csv"), "utf8").split("\n")[detail.place.line]!;
    assert.ok(line.includes(detail.inputs[0]!.text));
    const { words } = await ask<{ words: { text: string }[] }>("clf/rows/explain", { project: project(), row, target });
    assert.ok(words.length > 0);
  });

  it("finds rows by content for inline confidence, wherever they have moved", async () => {
    const lines = readFileSync(join(folder, "new.csv"), "utf8").trimEnd().split("\n");
    const hints = (first: number, text: string) =>
      ask<{ rows: InlineRow[] }>("clf/inline/hints", {
        data: uriOf(join(folder, "new.csv")),
        header: lines[0]!,
        first,
        text,
      });
    const whole = await hints(0, lines.join("\n"));
    assert.equal(whole.rows.length, 40);
    assert.deepEqual(
      whole.rows.map(({ line }) => line),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    const edited = [lines[0]!, '"a row that nobody has predicted"', ...lines.slice(1)];
    const moved = await hints(0, edited.join("\n"));
    assert.deepEqual(
      moved.rows.map(({ row, line }) => [row, line - 1]),
      whole.rows.map(({ row, line }) => [row, line]),
    );
    const window = await hints(10, lines.slice(10, 14).join("\n"));
    assert.deepEqual(
      window.rows.map(({ line }) => line),
      [10, 11, 12, 13],
    );
    assert.deepEqual(
      window.rows.map(({ row }) => row),
      whole.rows.slice(9, 13).map(({ row }) => row),
    );
    assert.equal(
      await ask("clf/inline/hints", { data: uriOf(join(folder, "other.csv")), header: "text", first: 0, text: "text" }),
      null,
    );
  });

  it("finds wrong labels in a data file, and takes what its quick fixes say as decisions", async () => {
    const { job } = await ask<{ job: string }>("clf/jobs/start", {
      ...{ project: project(), kind: "predict", models: ["baseline"] },
      options: { outOfFold: true },
    });
    assert.equal((await ended(job)).state, "succeeded");
    const lines = readFileSync(join(folder, "data.csv"), "utf8").trimEnd().split("\n");
    const suspects = async () => {
      const { rows: found } = await ask<{ rows: InlineRow[] }>("clf/inline/hints", {
        ...{ data: uriOf(join(folder, "data.csv")), header: lines[0]!, first: 1 },
        text: lines.slice(1).join("\n"),
      });
      return found.filter(({ targets: [seen] }) => seen?.reasons.includes("label-issue") && seen.decided === null);
    };
    const found = await suspects();
    const wrong = found.filter(({ line }) => WRONG.includes(line - 1));
    assert.ok(wrong.length >= 2, `wrong labels found in lines ${found.map(({ line }) => line)}`);
    for (const { line, targets } of wrong) {
      const [{ given, predicted, cell }] = targets as [InlineRow["targets"][number]];
      assert.notEqual(given, predicted);
      assert.equal(lines[line]!.slice(cell!.start.character, cell!.end.character), `"${given}"`, "the label's cell");
    }
    const [first, second] = wrong;
    const decide = (row: InlineRow, answer: object) =>
      ask("clf/review/decide", { project: project(), row: row.row, target: "label", ...answer });
    await decide(first!, { kind: "corrected", label: first!.targets[0]!.predicted! });
    await decide(second!, { kind: "none" });
    const left = await suspects();
    assert.deepEqual([left.length, left.some(({ row }) => row === first!.row)], [found.length - 2, false]);
    await ask("clf/review/undo", { project: project() });
    assert.equal((await suspects()).length, found.length - 1);
    await decide(second!, { kind: "confirmed", label: second!.targets[0]!.given! });
    assert.equal((await suspects()).length, found.length - 2, "right as it is");
    await ask("clf/review/undo", { project: project() });
    await decide(second!, { kind: "skipped" });
    const made = readFileSync(join(folder, "reviews.jsonl"), "utf8").trim().split("\n").slice(-6);
    assert.deepEqual(
      made.map((line) => JSON.parse(line).kind),
      // What is confirmed or corrected is the prediction; whether a label changed stands in before and after.
      ["confirmed", "none", "undone", "corrected", "undone", "skipped"],
    );
    const [{ given, predicted }] = first!.targets as [InlineRow["targets"][number]];
    const { before, after } = JSON.parse(made[0]!);
    assert.deepEqual([before, after], [given, predicted], "the file stays, the decision knows");
    for (let i = 0; i < 2; i++) await ask("clf/review/undo", { project: project() });
  });

  it("writes a new project, and never over one that is there", async () => {
    writeFileSync(join(folder, "fresh.csv"), readFileSync(join(folder, "data.csv")));
    const data = uriOf(join(folder, "fresh.csv"));
    const guess = await ask<{ columns: { name: string; guess: string }[]; file: string }>("clf/newProject/guess", {
      data,
    });
    assert.deepEqual(
      guess.columns.map(({ name, guess: use }) => [name, use]),
      [
        ["text", "input"],
        ["label", "target"],
      ],
    );
    const params = { data, file: guess.file, inputs: ["text"], targets: ["label"], id: null };
    await ask("clf/newProject/write", params);
    const [fresh] = (await ask<ProjectSummary[]>("clf/projects")).filter(({ name }) => name === "fresh");
    assert.equal(fresh!.valid, true);
    assert.match(await rejected("clf/newProject/write", params), /exists already/);
    rmSync(join(folder, "fresh.clf.yaml"));
    rmSync(join(folder, "fresh.csv"));
  });

  it("reads the data again when it has changed on disk", async () => {
    appendFileSync(join(folder, "data.csv"), csv([["A new text about a refund", "refund"]]));
    client.changed(join(folder, "data.csv"));
    const { rows: count } = await ask<{ rows: number }>("clf/jobs/preflight", {
      project: project(),
      kind: "evaluate",
      models: ["baseline"],
    });
    assert.equal(count, 281);
  });

  it("tells what fine-tuning a language model takes, and asks before a long one", async () => {
    const lm = join(folder, "lm.clf.yaml");
    const host = "hosts: { box: { kind: ssh, address: box, price_per_hour: 2 } }";
    const model = "{ engine: qlora, base: some/Model-7B, epochs: 40, host: box }";
    writeFileSync(lm, PROJECT.replace("models: {", `${host}\nmodels: { lm: ${model},`));
    client.changed(lm);
    const params = { project: uriOf(lm), kind: "fine-tune", models: ["lm"] };
    const takes = await ask<{ seconds: number; cost: number; confirm: boolean; summary: string }>(
      "clf/jobs/preflight",
      params,
    );
    assert.equal(takes.confirm, true);
    assert.equal(takes.cost, (takes.seconds / 3600) * 2);
    assert.match(takes.summary, /train rows, about [\d,]+ tokens an epoch, .* GiB of its memory/);
    rmSync(lm);
    client.changed(lm);
  });

  it("refuses to run anything in a workspace that is not trusted, and files outside it", async () => {
    assert.match(
      await rejected("clf/flagged/list", { project: "file:///etc/other.clf.yaml" }),
      /no project of this workspace/,
    );
    client.notify("clf/trust", { trusted: false });
    assert.match(
      await rejected("clf/jobs/start", { project: project(), kind: "fine-tune", models: ["baseline"] }),
      /not trusted/,
    );
  });

  it("answers a wrong request with a message, and goes on", async () => {
    assert.match(await rejected("clf/flagged/list", { project: 7 }), /clf\/flagged\/list/);
    assert.ok(Array.isArray(await ask("clf/jobs/list")));
  });
});
