import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { matrixOf } from "../../../client/webview/report/cells.ts";
import { atThreshold, pointsOf } from "../../../client/webview/report/curve.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import { Confidence, Model } from "../../../schemas/project.ts";
import { ReportDetail } from "../../../schemas/reportPanel.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import { rowsDetail } from "../../../server/src/evaluation/detail.ts";
import { reportPage } from "../../../server/src/evaluation/page.ts";
import { buildReport } from "../../../server/src/evaluation/report.ts";
import { madeJob, madeTarget } from "../made-job.ts";

const LABELS = ["a", "b", "</script><script>alert(1)</script><!--"];
const model = { name: "m", spec: Model.parse({ engine: "linear" }), training_spec: "" };

/** Rows of three labels, and a model that is right of most, without an answer now and then. */
function made(splits: readonly SplitName[]) {
  const random = seededRandom(7);
  const job = madeJob({
    models: [model],
    task: { inputs: [{ column: "text", name: "text" }], targets: [madeTarget("label", LABELS)] },
    data: { validation: splits.includes("validation") },
    confidence: Confidence.parse({ calibration: "temperature", accept: { risk: 0.2, certainty: 0.9 } }),
  });
  const plain = new Map<string, Prediction>();
  const outOfFold = new Map<string, Prediction>();
  const rows = Array.from({ length: 600 }, (_, i): JobRow => {
    const split = splits[i % splits.length]!;
    const row = `${i}`;
    const given = Math.floor(3 * random.uniform());
    const label = random.uniform() < 0.75 ? given : Math.floor(3 * random.uniform());
    const score = 0.4 + 0.6 * random.uniform();
    const others = LABELS.filter((_, k) => k !== label).map((name): [string, number] => [name, (1 - score) / 2]);
    const answered = {
      label: LABELS[label]!,
      score,
      top: [[LABELS[label]!, score], ...others] as Prediction["top"],
      rest: 0,
    };
    const nothing = { label: null, score: 0, top: [], rest: 1, problem: "failed" as const };
    const base = { row, target: "label", model: "m", split };
    const said = i % 50 === 7 ? nothing : answered;
    plain.set(row, { ...base, ...said });
    if (split === "train" || split === "tune") outOfFold.set(row, { ...base, ...said, fold: i % 5 });
    return { row, split, inputs: { text: row }, labels: { label: i % 40 === 3 ? null : LABELS[given]! } };
  });
  const predictions = { plain: new Map([["label", plain]]), outOfFold: new Map([["label", outOfFold]]) };
  const figures = { seconds: 1, predictions: 600, tokens: null, cost: null };
  const evaluated = new Map([["m", { predictions, figures, uses: 1, previous: null }]]);
  const report = buildReport(job, rows, evaluated, "2026-11-22T08:00:00Z");
  return { report, detail: rowsDetail(job, rows, new Map([["m", predictions]]), report) };
}

describe("what a report's plots are drawn from", () => {
  for (const [what, splits] of [
    ["test rows", ["test", "validation", "tune"]],
    ["out-of-fold rows", ["train", "tune"]],
  ] as const) {
    it(`says of ${what} what the report's figures say`, () => {
      const { report, detail } = made(splits);
      const figures = report.models.m!.targets.label!.report!;
      const rows = detail.models.m!.targets.label!;
      assert.equal(rows.given.length, figures.n);
      const right = rows.given.filter((given, i) => given === rows.predicted[i]).length;
      assert.equal(right / figures.n, figures.averages.accuracy.value);
      const { cells, unanswered } = matrixOf(rows, LABELS.length);
      assert.equal(unanswered, figures.failed);
      for (const { given, predicted, count } of figures.confusions) {
        const column = predicted === null ? -1 : LABELS.indexOf(predicted);
        const cell = cells.find((each) => each.given === LABELS.indexOf(given) && each.predicted === column);
        assert.equal(cell?.count, count);
      }
      const curve = detail.models.m!.curves[0]!;
      const points = pointsOf(curve);
      assert.ok(report.models.m!.accept[0]!.thresholds.length > 5);
      for (const { threshold, accepted, errors, coverage } of report.models.m!.accept[0]!.thresholds) {
        const at = atThreshold(points, threshold);
        assert.deepEqual([at.accepted, at.wrong], [accepted, errors], `at ${threshold}`);
        assert.equal(at.coverage, coverage.value);
      }
    });
  }

  it("names test rows, and no row that was trained on", () => {
    const tested = made(["test", "validation", "tune"]);
    const rows = tested.detail.models.m!.targets.label!;
    assert.deepEqual(new Set(rows.rows!.map((place) => Number(tested.detail.ids[place]) % 3)), new Set([0]));
    const folds = made(["train", "tune"]).detail;
    assert.deepEqual([folds.ids, folds.models.m!.targets.label!.rows], [[], null]);
  });
});

describe("a report as an HTML file", () => {
  const { report, detail } = made(["test", "validation", "tune"]);
  const models = { m: { ...detail.models.m!, training: [] } };
  const data = { report, rounds: [], detail: ReportDetail.parse({ ...detail, models, cost: null }), missing: null };
  const bundle = {
    script: "const a = '<!-- <script>'; const b = `</script>`;\n//# sourceMappingURL=report.js.map\n",
    style: "p { color: red }\n/*# sourceMappingURL=report.css.map */\n",
  };
  const page = reportPage(data, bundle);

  it("holds text of the data as data: it ends no element and begins none", () => {
    assert.equal(page.match(/<script/gi)!.length, 2);
    assert.equal(page.match(/<\/script/gi)!.length, 2);
    assert.ok(!page.includes("<!--"));
    const json = /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(page)![1]!;
    assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(data)));
  });

  it("runs its own script and styles, and by its policy no other", () => {
    const script = /<script>(.*?)<\/script>/s.exec(page)![1]!;
    const style = /<style>(.*?)<\/style>/s.exec(page)![1]!;
    assert.ok(!script.includes("sourceMappingURL") && !style.includes("sourceMappingURL"));
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!;
    for (const text of [script, style]) {
      assert.ok(policy.includes(`'sha256-${createHash("sha256").update(text).digest("base64")}'`), text);
    }
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  });
});
