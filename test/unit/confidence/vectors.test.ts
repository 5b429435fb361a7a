/** Every value of the reference file, which stands beside the repository and is not part of it. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { selectiveGuaranteedRisk } from "../../../bench/confidence/sgr.ts";
import { binomialAtMost, clopperPearsonUpper } from "../../../server/src/confidence/binomial.ts";
import { fullDistribution } from "../../../server/src/confidence/distribution.ts";
import { applyIsotonic, fitIsotonic } from "../../../server/src/confidence/isotonic.ts";
import { findLabelIssues } from "../../../server/src/confidence/labelIssues.ts";
import { fitPlatt } from "../../../server/src/confidence/platt.ts";
import { outOfFoldRows } from "../../../server/src/confidence/roles.ts";
import { scoredRows } from "../../../server/src/confidence/scoredRows.ts";
import { applyTemperature, fitTemperature } from "../../../server/src/confidence/temperature.ts";
import { calibrationErrors } from "../../../server/src/evaluation/bins.ts";
import { aurc, auroc, excessAurc, rankRows } from "../../../server/src/evaluation/ranking.ts";

const PATH = new URL("../../../../shared/vectors/confidence.json", import.meta.url);

const near = (actual: number, expected: number, tolerance = 1e-6): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
};

/** The linear congruential generator both recipes use. */
function generator(): () => number {
  let s = 1;
  return () => {
    s = (Math.imul(1664525, s) + 1013904223) >>> 0;
    return s / 4294967296;
  };
}

const roundHalfEven = (x: number): number => {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
};

const softmax = (logits: readonly number[]) => {
  const exps = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const sum = exps.reduce((a, b) => a + b, 0);
  return fullDistribution(exps.map((e) => e / sum));
};

const nll = (probability: readonly number[]): number =>
  probability.reduce((sum, p) => sum - Math.log(p), 0) / probability.length;

describe("confidence vectors", () => {
  // biome-ignore lint/suspicious/noExplicitAny: the reference file is data of many shapes
  let vectors: any;
  before(function () {
    if (!existsSync(PATH)) this.skip();
    vectors = JSON.parse(readFileSync(PATH, "utf8"));
  });

  it("torchmetrics' calibration errors, binary", () => {
    const { p, y, bins, l1, l2, max } = vectors.torchmetrics_binary;
    const errors = calibrationErrors(Float64Array.from(p), Uint8Array.from(y), { bins, convention: "[lo,hi)" });
    near(errors.l1, l1, 1e-4);
    near(errors.l2, l2, 1e-4);
    near(errors.max, max, 1e-4);
  });

  it("torchmetrics' calibration errors, multiclass", () => {
    const { p, y, bins, l1, l2, max } = vectors.torchmetrics_multiclass;
    const confidence = Float64Array.from(p as number[][], (row) => Math.max(...row));
    const right = Uint8Array.from(p as number[][], (row, i) => (row.indexOf(Math.max(...row)) === y[i] ? 1 : 0));
    const errors = calibrationErrors(confidence, right, { bins, convention: "[lo,hi)" });
    near(errors.l1, l1, 1e-4);
    near(errors.l2, l2, 1e-4);
    near(errors.max, max, 1e-4);
  });

  it("Platt", () => {
    const { f, y, A, B } = vectors.platt;
    const { a, b } = fitPlatt(f, y);
    near(a, A);
    near(b, B);
  });

  it("isotonic", () => {
    for (const { x, y, fit, at } of vectors.isotonic) {
      const fitted = fitIsotonic(x, y);
      x.forEach((value: number, i: number) => {
        near(applyIsotonic(fitted, value), fit[i]);
      });
      for (const [value, expected] of Object.entries(at ?? {}))
        near(applyIsotonic(fitted, Number(value)), expected as number);
    }
  });

  it("temperature", () => {
    const { logits, y, T, nll: best, nll_at_T1 } = vectors.temperature;
    const distributions = (logits as number[][]).map(softmax);
    near(fitTemperature(distributions, y), T);
    near(nll(distributions.map((d, i) => applyTemperature(d, T).probabilities[y[i]]!)), best);
    near(nll(distributions.map((d, i) => d.probabilities[y[i]]!)), nll_at_T1);
  });

  it("Clopper–Pearson", () => {
    const { delta, cases } = vectors.clopper_pearson_upper;
    for (const [k, n, bound] of cases) near(clopperPearsonUpper(k, n, delta), bound);
  });

  it("binomial tails", () => {
    for (const { risk, n, alpha, p } of vectors.binomial_tail_p.cases)
      near(binomialAtMost(Math.round(risk * n), n, alpha), p);
  });

  it("AURC", () => {
    const { confidence, error, aurc: expected } = vectors.aurc;
    const ranked = rankRows(
      Float64Array.from(confidence),
      Uint8Array.from(error, (e) => 1 - (e as number)),
    );
    near(aurc(ranked), expected);
  });

  it("confident learning", () => {
    const { labels, p, thresholds, confident_joint, issues, self_confidence, normalized_margin } =
      vectors.confident_learning;
    const rows = scoredRows(
      (p as number[][]).map((row, i) => ({
        split: "train" as const,
        seen: "out-of-fold" as const,
        truth: labels[i] as number,
        distribution: fullDistribution(row),
      })),
      { labels: ["a", "b", "c"], keepDistributions: true },
    );
    const found = findLabelIssues(outOfFoldRows(rows));
    thresholds.forEach((value: number, k: number) => {
      near(found.thresholds[k]!, value);
    });
    const joint = [0, 1, 2].map(() => [0, 0, 0]);
    for (const cell of found.confidentJoint) joint[cell.given]![cell.confident] = cell.count;
    assert.deepEqual(joint, confident_joint);
    assert.deepEqual(found.issues.map((issue) => issue.row).sort(), issues);
    self_confidence.forEach((value: number, i: number) => {
      near(found.quality.selfConfidence[i]!, value);
    });
    normalized_margin.forEach((value: number, i: number) => {
      near(found.quality.normalizedMargin[i]!, value);
    });
  });

  it("synthetic", () => {
    const v = vectors.synthetic;
    const u = generator();
    const confidence = new Float64Array(500);
    const right = new Uint8Array(500);
    for (let i = 0; i < 500; i++) {
      const a = 0.5 + 0.5 * u();
      confidence[i] = a;
      right[i] = u() < a * a ? 1 : 0;
    }
    v.first_confidences.forEach((value: number, i: number) => {
      near(confidence[i]!, value);
    });
    assert.deepEqual([...right.slice(0, 10)], v.first_correct);
    near(
      confidence.reduce((a, b) => a + b),
      v.sum_confidence,
    );
    assert.equal(
      right.reduce((a, b) => a + b),
      v.sum_correct,
    );
    for (const bins of [10, 15, 20]) {
      const errors = calibrationErrors(confidence, right, { bins });
      near(errors.l1, v.ece[bins]);
      near(errors.max, v.mce[bins]);
    }
    near(calibrationErrors(confidence, right, { bins: 15, kind: "mass" }).l1, v.ace15_equal_mass);
    near(confidence.reduce((sum, c, i) => sum + (c - right[i]!) ** 2, 0) / 500, v.brier);
    near(nll([...confidence].map((c, i) => (right[i] ? c : 1 - c))), v.nll);
    const ranked = rankRows(confidence, right);
    near(auroc(ranked)!.value, v.auroc);
    near(aurc(ranked), v.aurc);
    near(excessAurc(ranked), v.e_aurc);
    const platt = fitPlatt(confidence, right);
    near(platt.a, v.platt.A);
    near(platt.b, v.platt.B);
    // "Right" as a class of its own: temperature on the logit of the confidence.
    const binary = [...confidence].map((c) => fullDistribution([1 - c, c]));
    near(fitTemperature(binary, right), v.temperature_on_logit.T);
    near(
      nll(binary.map((d, i) => applyTemperature(d, v.temperature_on_logit.T).probabilities[right[i]!]!)),
      v.temperature_on_logit.nll,
    );
    const isotonic = fitIsotonic(confidence, right);
    for (const [at, expected] of Object.entries(v.isotonic_at))
      near(applyIsotonic(isotonic, Number(at)), expected as number);
    const wrong = right.map((r) => 1 - r);
    for (const [risk, expected] of Object.entries(v["sgr_delta_0.05"])) {
      const found = selectiveGuaranteedRisk(confidence, wrong, Number(risk), 0.05);
      const wanted = expected as { threshold: number; n: number; errors: number; bound: number } | null;
      if (wanted === null) assert.equal(found, null);
      else {
        near(found!.threshold, wanted.threshold);
        assert.equal(found!.n, wanted.n);
        assert.equal(found!.errors, wanted.errors);
        near(found!.bound, wanted.bound);
      }
    }
  });

  it("mixed", () => {
    const v = vectors.mixed;
    const u = generator();
    const confidences: number[] = [];
    const rights: number[] = [];
    for (let i = 0; i < 400; i++) {
      const a = roundHalfEven(100 * u()) / 100;
      confidences.push(a);
      rights.push(u() < 0.15 + 0.6 * a ? 1 : 0);
    }
    confidences.push(0, 0, 1, 1, 1);
    rights.push(0, 1, 1, 0, 1);
    const confidence = Float64Array.from(confidences);
    const right = Uint8Array.from(rights);
    assert.equal(confidence.length, v.n);
    v.first_confidences.forEach((value: number, i: number) => {
      near(confidence[i]!, value);
    });
    assert.deepEqual(rights.slice(0, 10), v.first_correct);
    near(
      confidences.reduce((a, b) => a + b),
      v.sum_confidence,
    );
    assert.equal(
      rights.reduce((a, b) => a + b),
      v.sum_correct,
    );
    for (const bins of [5, 10, 15, 20]) {
      for (const [convention, text] of [
        ["(lo,hi]", "(lo,hi] with 0 in the first"],
        ["[lo,hi)", "[lo,hi) with 1 in the last"],
      ] as const) {
        const errors = calibrationErrors(confidence, right, { bins, convention });
        near(errors.l1, v.bins[bins][text].ece);
        near(errors.max, v.bins[bins][text].mce);
      }
    }
    near(confidence.reduce((sum, c, i) => sum + (c - right[i]!) ** 2, 0) / v.n, v.brier);
  });
});
