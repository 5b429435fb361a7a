/** What stands beside an accept rule: drift of the pool, the threshold of least cost, prediction sets, parts of the rule. */
import assert from "node:assert/strict";
import type { Job } from "../../../schemas/job.ts";
import type { Prediction } from "../../../schemas/predictions.ts";
import { Confidence, Model } from "../../../schemas/project.ts";
import { ModelReport } from "../../../schemas/report.ts";
import type { JobRow, SplitName } from "../../../schemas/rows.ts";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import { assessModel } from "../../../server/src/evaluation/assess.ts";
import { judgeRows } from "../../../server/src/workflow/judge.ts";

const LABELS = ["calm", "rain", "snow"];
const model = { name: "m", spec: Model.parse({ engine: "linear" }), training_spec: "" };

function jobOf(confidence: object, target: object = {}): Job {
  return {
    contract: 1,
    id: "20260101-0000-m-000000",
    kind: "evaluate",
    project: { name: "made", file: "/made.clf.yaml" },
    models: [model],
    host: { name: "local", kind: "local" },
    task: {
      inputs: [{ column: "text", name: "text" }],
      targets: [{ name: "sky", column: "sky", labels: LABELS.map((name) => ({ name })), ...target }],
    },
    data: {
      ...{ fingerprint: "", rows: {}, decisions: 0, validation: true, grouped: false },
      sampling: { left_out: 0, dropped_labels: {}, applied: "train" },
    },
    confidence: Confidence.parse(confidence),
    ...{ seed: 1, created: "2026-01-01T00:00:00.000Z", versions: {}, options: {} },
  };
}

/** Rows whose label follows the model's probabilities exactly: it is calibrated. `sure` moves its scores. */
function made(sizes: Partial<Record<SplitName, number>>, sure: (split: SplitName) => number = () => 1) {
  const random = seededRandom(7);
  const rows: JobRow[] = [];
  const of = new Map<string, Prediction>();
  for (const [split, size] of Object.entries(sizes) as [SplitName, number][]) {
    for (let i = 0; i < size; i++) {
      const best = Math.floor(random.uniform() * 3);
      const score = 0.4 + 0.6 * (1 - (1 - random.uniform()) ** (3 * sure(split)));
      const shares = LABELS.map((_, k) => (k === best ? score : (1 - score) * (k === (best + 1) % 3 ? 0.8 : 0.2)));
      let draw = random.uniform();
      const truth = shares.findIndex((share) => {
        draw -= share;
        return draw < 0;
      });
      const label = LABELS[truth < 0 ? best : truth]!;
      const row = `${split}-${i}`;
      rows.push({
        row,
        split,
        inputs: { text: "cloud ".repeat(1 + (i % 9)) },
        labels: { sky: split === "pool" ? null : label },
      });
      const top = LABELS.map((name, k): [string, number] => [name, shares[k]!]).sort((a, b) => b[1] - a[1]);
      of.set(row, { row, target: "sky", model: "m", split, label: LABELS[best]!, score, top, rest: 0 });
    }
  }
  return { rows, predictions: new Map([["sky", of]]) };
}

const SIZES = { tune: 200, validation: 800, test: 800, pool: 800 };

function assess(job: Job, { rows, predictions }: ReturnType<typeof made>) {
  const figures = { seconds: 0, predictions: 0, tokens: null, cost: null };
  const { report } = assessModel(job, model, rows, { plain: predictions, outOfFold: new Map() }, figures, 1);
  // What is written is what the schema says.
  return ModelReport.parse(JSON.parse(JSON.stringify(report)));
}

const ACCEPT = { accept: { risk: 0.1, certainty: 0.9 } };

describe("a pool that is not like the rows that certify", () => {
  const same = made(SIZES);
  const moved = made(SIZES, (split) => (split === "pool" ? 0.4 : 1));

  it("voids the certificate: nothing of the pool is accepted, and the report says what to do", () => {
    const job = jobOf(ACCEPT);
    const fine = assess(job, same);
    assert.equal(fine.drift!.voids, false);
    assert.equal(fine.accept[0]!.rule!.certified, true);
    assert.ok(fine.accept[0]!.pool!.accepted > 100);
    const report = assess(job, moved);
    assert.equal(report.drift!.voids, true);
    assert.equal(report.accept[0]!.rule!.certified, false);
    assert.equal(report.accept[0]!.pool!.accepted, 0);
    assert.match(
      report.accept[0]!.why,
      /the pool is not like the rows that certify: score .*Label a random part of the pool/,
    );
    const pool = moved.rows.filter(({ split }) => split === "pool");
    const judged = judgeRows("pool", pool, moved.predictions, { model: report, targets: job.task.targets });
    assert.ok(judged.every(([target]) => !target!.accepted && target!.reasons.includes("no-accept-rule")));
    // A plain threshold promises nothing that could be void.
    assert.ok(assess(jobOf({ accept: { threshold: 0.8 } }), moved).accept[0]!.pool!.accepted > 0);
  });

  it("is not what reviews leave of it: the unsure rows go first", () => {
    const { rows, predictions } = made(SIZES);
    const left = rows.map((row): JobRow => {
      if (row.split !== "pool" || predictions.get("sky")!.get(row.row)!.score > 0.75) return row;
      return { ...row, split: "train", joined: true, labels: { sky: "rain" } };
    });
    const joined = left.filter((row) => row.joined).length;
    assert.ok(joined > 200, `${joined} reviewed`);
    const report = assess(jobOf(ACCEPT), { rows: left, predictions });
    assert.equal(report.drift!.reviewed, joined);
    assert.equal(report.drift!.voids, false);
  });

  it("is told when only its texts changed", () => {
    const { rows, predictions } = made(SIZES);
    const longer = rows.map((row) => (row.split === "pool" ? { ...row, inputs: { text: "wind ".repeat(40) } } : row));
    const report = assess(jobOf(ACCEPT), { rows: longer, predictions });
    assert.equal(report.drift!.voids, false);
    assert.match(report.notes![0]!, /length of the text .* so the certificate stands/);
  });
});

describe("what stands beside an accept rule", () => {
  const rows = made(SIZES);

  it("is the threshold of least cost, where prices are given", () => {
    const report = assess(jobOf({ ...ACCEPT, price: { error: 10, review: 1 } }), rows);
    const { cost, thresholds, details } = report.accept[0]!;
    // Chow's rule for confidences that are right.
    assert.equal(cost!.calibrated.threshold, 0.9);
    assert.ok(Math.abs(cost!.reported!.reviewAll.costPerRow - 1) < 1e-9);
    assert.ok(cost!.reported!.calibrated.costPerRow < cost!.reported!.reviewAll.costPerRow);
    assert.ok(cost!.measured.costPerRow <= cost!.calibrated.costPerRow);
    const line = thresholds.find(({ threshold }) => threshold === 0.9)!;
    assert.ok(Math.abs(line.costPerRow! - cost!.reported!.calibrated.costPerRow) < 1e-9);
    assert.ok(details!.some((words) => /error at 10 and a review at 1, .* confidence at least 0\.900/.test(words)));
    const without = assess(jobOf(ACCEPT), rows).accept[0]!;
    assert.equal(without.cost, undefined);
    assert.equal(without.thresholds[0]!.costPerRow, undefined);
  });

  it("are prediction sets that keep their promise on flagged rows, and are shown on those", () => {
    for (const method of ["lac", "aps"]) {
      const job = jobOf({ ...ACCEPT, sets: { method, coverage: 0.95 } });
      const report = assess(job, rows);
      const { rule, measured } = report.targets.sky!.sets!;
      assert.equal(rule.method, method);
      assert.ok(rule.rows < 800, "calibrated on flagged rows only");
      assert.ok(measured!.coverage!.high >= 0.95, `${method}: ${measured!.coverage!.value}`);
      if (method === "lac") assert.ok(measured!.coverage!.low <= 0.95, `${measured!.coverage!.value}`);
      const pool = rows.rows.filter(({ split }) => split === "pool");
      const judged = judgeRows("pool", pool, rows.predictions, { model: report, targets: job.task.targets });
      for (const [target] of judged) {
        assert.equal(target!.set === undefined, target!.accepted);
        if (target!.set)
          assert.deepEqual(target!.set.labels, target!.top.map(([l]) => l).slice(0, target!.set.labels.length));
      }
    }
  });

  it("are the parts of the rule, with what each still needs, and the labels never accepted", () => {
    const report = assess(jobOf(ACCEPT, { never: ["snow"], risk: { rain: 0.001 } }), rows);
    const details = report.accept[0]!.details!.join("\n");
    assert.match(details, /^All other answers: at most 10 % wrong; \d+ of \d+ such rows accepted/);
    assert.match(details, /^rain \(sky\): at most 0\.1 % wrong; not certified, /m);
    assert.match(details, /^Never accepted for sky: snow\.$/m);
  });
});
