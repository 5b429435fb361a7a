import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AcceptGrid,
  acceptedMask,
  acceptedRowsNeeded,
  acceptGrid,
  acceptRows,
  type Certificate,
  certify,
  thresholdRule,
  thresholdsOf,
} from "../../../server/src/confidence/acceptRule.ts";
import { clopperPearsonUpper } from "../../../server/src/confidence/binomial.ts";
import { flagRows, reasonsOf } from "../../../server/src/confidence/flag.ts";
import { seededRandom } from "../../../server/src/confidence/random.ts";
import {
  poolRows,
  type Role,
  type RowSet,
  testRows,
  tuneRows,
  validationRows,
} from "../../../server/src/confidence/roles.ts";
import { type ScoredRow, type Split, type Status, scoredRows } from "../../../server/src/confidence/scoredRows.ts";
import { madeRows } from "./madeRows.ts";

const context = { population: "made rows", date: "2026-11-22" };

/** Rows of a two-label target with given scores and outcomes (label 0 is always predicted unless said). */
function rowsOf(
  split: Split,
  rows: readonly { score: number; right: boolean; predicted?: number; status?: Status; disagrees?: boolean }[],
) {
  return scoredRows(
    rows.map(
      ({ score, right, predicted = 0, status = "answered", disagrees }, i): ScoredRow => ({
        id: `r${i}`,
        split,
        status,
        ...(disagrees ? { disagrees } : {}),
        truth: right ? predicted : 2,
        distribution:
          status === "answered" ? { labels: [predicted], probabilities: [score], rest: 1 - score, restCount: 2 } : null,
      }),
    ),
    { labels: ["x", "y", "z"] },
  );
}

const one = <R extends Role>(set: RowSet<R>, never: string[] = []) =>
  acceptRows("target", [{ target: "t", set, never }]);

/** Uniform scores, right with probability 1 − (1 − score) × slope. */
function uniform(n: number, seed: number, slope = 0.5, ties = 0) {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => {
    const raw = 0.5 + 0.5 * random.uniform();
    const score = ties > 0 ? Math.round(raw * ties) / ties : raw;
    return { score, right: random.uniform() >= (1 - raw) * slope };
  });
}

const certified = (
  n: number,
  policy = { risk: 0.1, certainty: 0.95 },
  slope = 0.5,
): { certificate: Certificate; grid: AcceptGrid } => {
  const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(400, 1)))));
  return {
    certificate: certify(one(validationRows(rowsOf("validation", uniform(n, 2, slope)))), grid, policy, context),
    grid,
  };
};

describe("the grid of thresholds", () => {
  it("goes from 20 % of the tune rows to all of them, and falls", () => {
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(500, 3)))));
    const { thresholds, coverage, starts } = grid.parts[0]!;
    assert.ok(Math.abs(coverage[starts[0]]! - 0.2) < 0.003);
    assert.ok(Math.abs(coverage[starts[1]]! - 0.5) < 0.003);
    assert.equal(starts[0], 0);
    assert.equal(thresholds.at(-1), 0);
    for (let t = 1; t < thresholds.length; t++)
      assert.ok(thresholds[t]! < thresholds[t - 1]! && coverage[t]! >= coverage[t - 1]!);
  });

  it("keeps ties together and can be made from unlabelled rows", () => {
    const pool = rowsOf("pool", uniform(300, 4, 0.5, 10));
    pool.truth.fill(-1);
    const { thresholds } = acceptGrid(one(poolRows(pool))).parts[0]!;
    assert.equal(new Set(thresholds).size, thresholds.length);
    assert.ok(thresholds.length <= 7);
  });

  it("survives having almost no rows", () => {
    for (const n of [0, 1, 2, 5]) {
      const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(n, 5)))));
      const certificate = certify(
        one(validationRows(rowsOf("validation", uniform(300, 6, 0)))),
        grid,
        { risk: 0.1, certainty: 0.95 },
        context,
      );
      assert.equal(certificate.certified, true);
    }
  });
});

describe("the accept rule", () => {
  it("certifies what an exact bound supports, with the whole of δ once the sequences have met", () => {
    const { certificate } = certified(1000);
    assert.equal(certificate.certified, true);
    const part = certificate.parts[0]!;
    assert.ok(part.bound <= 0.1 && part.coverage > 0.5);
    assert.equal(part.bound, clopperPearsonUpper(part.errors, part.accepted, 0.05));
    const [fromFifth, fromHalf] = part.sequences;
    assert.deepEqual(fromFifth!.failed, fromHalf!.failed);
    assert.equal(fromFifth!.passed - fromHalf!.passed, 30);
    assert.match(certificate.why, /At most 10 % wrong, 95 % sure \(against the given labels\)/);
  });

  it("accepts exactly the rows at or above the threshold, ties together", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0, 8, 20), (seed, ties) => {
        const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(200, seed, 0.3, ties)))));
        const rows = one(validationRows(rowsOf("validation", uniform(300, seed + 5000, 0.3, ties))));
        const certificate = certify(rows, grid, { risk: 0.1, certainty: 0.9 }, context);
        const { threshold, accepted } = certificate.parts[0]!;
        const mask = acceptedMask(rows, thresholdsOf(certificate));
        let count = 0;
        for (let i = 0; i < rows.n; i++) {
          count += mask[i]!;
          assert.equal(mask[i] === 1, threshold !== null && rows.score[i]! >= threshold);
        }
        assert.equal(count, accepted);
      }),
      { numRuns: 40 },
    );
  });

  it("stops each sequence at its first failed test", () => {
    // 20 % to 40 %: perfect. Between 40 % and 60 %: hopeless. Then perfect again, so that the whole would pass at 60 %.
    const rows = Array.from({ length: 1000 }, (_, i) => ({ score: 1 - i / 2000, right: i < 400 || i >= 460 }));
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", rows))));
    const { parts } = certify(
      one(validationRows(rowsOf("validation", rows))),
      grid,
      { risk: 0.1, certainty: 0.95 },
      context,
    );
    const [fromFifth, fromHalf] = parts[0]!.sequences;
    assert.ok(fromFifth!.failed !== null && fromFifth!.failed.accepted < 460);
    assert.ok(fromHalf!.passed === 0, "the second sequence starts inside the hopeless stretch");
    assert.ok(parts[0]!.accepted >= 400 && parts[0]!.accepted < 460);
  });

  it("gives nine tenths of δ to the start that looks better on tune, and half to each where nothing is known", () => {
    const shares = (right: (i: number) => boolean) => {
      const rows = Array.from({ length: 200 }, (_, i) => ({ score: 1 - i / 400, right: right(i) }));
      return acceptGrid(one(tuneRows(rowsOf("tune", rows)))).parts[0]!.shares.map((share) => share.toFixed(3));
    };
    assert.deepEqual(
      shares((i) => i < 60),
      ["0.900", "0.100"],
    );
    assert.deepEqual(
      shares((i) => i > 10),
      ["0.100", "0.900"],
    );
    const pool = rowsOf("pool", uniform(300, 4));
    pool.truth.fill(-1);
    assert.deepEqual(acceptGrid(one(poolRows(pool))).parts[0]!.shares, [0.5, 0.5]);
  });

  it("spends no more than δ: each sequence its share until they meet", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 100, max: 900 }), (seed, n) => {
        const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(200, seed, 0.6)))));
        const { shares, starts } = grid.parts[0]!;
        assert.ok(Math.abs(shares[0] + shares[1] - 1) < 1e-12);
        const rows = one(validationRows(rowsOf("validation", uniform(n, seed + 5000, 0.6))));
        const part = certify(rows, grid, { risk: 0.1, certainty: 0.95 }, context).parts[0]!;
        const [first, second] = part.sequences;
        const met = first!.passed >= starts[1] - starts[0];
        for (const [s, { passed, failed }] of part.sequences.entries()) {
          if (failed === null) continue;
          const level = met && starts[s]! + passed >= starts[1] ? 0.05 : 0.05 * shares[s]!;
          assert.ok(Math.abs(failed.bound - clopperPearsonUpper(failed.errors, failed.accepted, level)) < 1e-12);
          assert.ok(failed.bound > 0.1, "what was refused could not be shown");
        }
        assert.equal(part.threshold === null, first!.passed === 0 && second!.passed === 0);
        assert.ok(part.threshold === null || part.bound <= 0.1);
      }),
      { numRuns: 60 },
    );
  });

  it("takes the farther of the two sequences: a noisy top does not stop the one from 50 %", () => {
    const rows = Array.from({ length: 1000 }, (_, i) => ({ score: 1 - i / 2000, right: i >= 20 && i % 100 !== 0 }));
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", rows))));
    const { parts, certified: yes } = certify(
      one(validationRows(rowsOf("validation", rows))),
      grid,
      { risk: 0.1, certainty: 0.95 },
      context,
    );
    assert.equal(parts[0]!.sequences[0]!.passed, 0);
    assert.ok(yes && parts[0]!.accepted > 500);
  });

  it("accepts less with more certainty, less risk, or more uses", () => {
    const coverage = (policy: { risk: number; certainty: number }, uses = 1) => {
      const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(400, 1)))));
      return certify(one(validationRows(rowsOf("validation", uniform(800, 2)))), grid, policy, { ...context, uses })
        .coverage;
    };
    const base = coverage({ risk: 0.1, certainty: 0.95 });
    assert.ok(base > 0);
    assert.ok(coverage({ risk: 0.1, certainty: 0.999 }) < base);
    assert.ok(coverage({ risk: 0.06, certainty: 0.95 }) < base);
    assert.ok(coverage({ risk: 0.1, certainty: 0.95 }, 16) < base);
    assert.ok(Math.abs(certified(800).certificate.parts[0]!.certainty - 0.95) < 1e-12);
  });

  it("never accepts failed rows or never-labels, and counts them in the coverage", () => {
    const rows = [
      ...uniform(500, 7, 0).map((row, i) => ({ ...row, predicted: i % 5 === 0 ? 1 : 0 })),
      ...Array.from({ length: 100 }, () => ({ score: 1, right: false, status: "unparsed" as const })),
    ];
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(400, 1)))));
    const joint = one(validationRows(rowsOf("validation", rows)), ["y"]);
    const certificate = certify(
      joint,
      grid,
      { risk: 0.05, certainty: 0.95 },
      { ...context, never: [{ target: "t", labels: ["y"] }] },
    );
    assert.ok(certificate.certified);
    assert.ok(certificate.coverage <= 400 / 600);
    const mask = acceptedMask(joint, thresholdsOf(certificate));
    for (let i = 0; i < 600; i++) if (i >= 500 || i % 5 === 0) assert.equal(mask[i], 0);
  });

  it("scope row: one score, the product; wrong when any target is", () => {
    const a = validationRows(
      rowsOf("validation", [
        { score: 0.9, right: true },
        { score: 0.8, right: true },
      ]),
    );
    const b = validationRows(
      rowsOf("validation", [
        { score: 0.5, right: true },
        { score: 0.5, right: false },
      ]),
    );
    const rows = acceptRows("row", [
      { target: "a", set: a },
      { target: "b", set: b },
    ]);
    assert.deepEqual([...rows.score], [0.45, 0.4]);
    assert.deepEqual([...rows.wrong], [0, 1]);
    assert.throws(
      () =>
        acceptRows("target", [
          { target: "a", set: a },
          { target: "b", set: b },
        ]),
      /one target/,
    );
  });

  it("gives a label its own risk on its own rows, and shares the certainty", () => {
    // Label y is wrong far more often than x.
    const random = seededRandom(11);
    const draw = (n: number) =>
      Array.from({ length: n }, () => {
        const predicted = random.uniform() < 0.5 ? 1 : 0;
        const score = 0.5 + 0.5 * random.uniform();
        return { score, predicted, right: random.uniform() >= (predicted === 1 ? 0.25 : 0.02) };
      });
    const labelRisks = [{ target: "t", label: "y", risk: 0.05 }];
    const rows = <R extends Role>(set: RowSet<R>) => acceptRows("target", [{ target: "t", set }], { labelRisks });
    const grid = acceptGrid(rows(tuneRows(rowsOf("tune", draw(600)))));
    const validation = rows(validationRows(rowsOf("validation", draw(2000))));
    const certificate = certify(validation, grid, { risk: 0.1, certainty: 0.95 }, context);
    assert.equal(certificate.parts.length, 2);
    assert.ok(certificate.parts[0]!.threshold !== null);
    assert.equal(certificate.parts[1]!.threshold, null);
    assert.ok(Math.abs(certificate.parts[0]!.certainty - 0.975) < 1e-12);
    const mask = acceptedMask(validation, thresholdsOf(certificate));
    const predicted = validation.sets[0]!.rows.predicted;
    for (let i = 0; i < validation.n; i++) if (predicted[i] === 1) assert.equal(mask[i], 0);
  });

  it("says how many rows would do, or that none would", () => {
    const few = certified(60).certificate;
    assert.equal(few.certified, false);
    const needed = few.parts[0]!.rowsNeeded!;
    assert.ok(needed.answer === "rows" && needed.more > 0 && needed.total === needed.more + 60);
    assert.match(few.why, new RegExp(`about ${needed.more} more labelled validation rows`));
    const hopeless = certified(2000, { risk: 0.02, certainty: 0.95 }, 1.8).certificate;
    assert.deepEqual(hopeless.parts[0]!.rowsNeeded, { answer: "never", sure: true });
    assert.match(hopeless.why, /No number of labelled rows would do/);
    const none = certified(0).certificate;
    assert.equal(none.certified, false);
    assert.match(none.why, /no labelled validation row/);
  });

  it("counts rows needed as the formula does when nothing is wrong", () => {
    assert.equal(acceptedRowsNeeded(0.05, 0.05, 0), 59);
    assert.equal(acceptedRowsNeeded(0.05, 0.05, 0.05), null);
    assert.ok(acceptedRowsNeeded(0.05, 0.05, 0.04)! > acceptedRowsNeeded(0.05, 0.05, 0.02)!);
  });

  it("uses one random row of each group, the same for the same seed", () => {
    const rows = one(validationRows(rowsOf("validation", uniform(900, 2, 0.1))));
    const groups = Int32Array.from({ length: 900 }, (_, i) => Math.floor(i / 3));
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(400, 1)))));
    const make = (seed: number) => certify(rows, grid, { risk: 0.1, certainty: 0.95 }, { ...context, groups, seed });
    assert.equal(make(1).rows, 300);
    assert.equal(make(1).sameGroup, 600);
    assert.deepEqual(make(1), make(1));
    assert.notDeepEqual(make(1).parts, make(2).parts);
  });

  it("shows figures but certifies nothing when something forbids it", () => {
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(400, 1)))));
    const certificate = certify(
      one(validationRows(rowsOf("validation", uniform(1000, 2)))),
      grid,
      { risk: 0.1, certainty: 0.95 },
      { ...context, voidBecause: ["sampling.apply: all"] },
    );
    assert.equal(certificate.certified, false);
    assert.ok(certificate.parts[0]!.threshold !== null);
    assert.match(certificate.why, /sampling\.apply: all/);
  });

  it("refuses calibrated confidences, another grid, and impossible policies", () => {
    const set = validationRows(rowsOf("validation", uniform(100, 2)));
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(100, 1)))));
    const byConfidence = acceptRows("target", [{ target: "t", set }], { by: "confidence" });
    assert.throws(() => certify(byConfidence, grid, { risk: 0.1, certainty: 0.95 }, context), /uncalibrated score/);
    assert.throws(() => certify(one(set), grid, { risk: 0, certainty: 0.95 }, context), /risk of 0/);
    const risky = acceptRows("target", [{ target: "t", set }], {
      labelRisks: [{ target: "t", label: "x", risk: 0.01 }],
    });
    assert.throws(() => certify(risky, grid, { risk: 0.1, certainty: 0.95 }, context), /other label risks/);
  });

  it("is plain JSON", () => {
    const { certificate, grid } = certified(500);
    assert.deepEqual(JSON.parse(JSON.stringify(certificate)), certificate);
    assert.deepEqual(JSON.parse(JSON.stringify(grid)), grid);
  });

  it("holds its promise on seeded draws", () => {
    // Risk among accepted rows with score ≥ t (t uniform on [.5, 1]): mean of (1 − s) × 0.5 above t = (1 − t)/4.
    const grid = acceptGrid(one(tuneRows(rowsOf("tune", uniform(300, 1)))));
    let violations = 0;
    let coverage = 0;
    const draws = 300;
    for (let seed = 0; seed < draws; seed++) {
      const rows = one(validationRows(rowsOf("validation", uniform(500, 100 + seed))));
      const { threshold } = certify(rows, grid, { risk: 0.08, certainty: 0.9 }, context).parts[0]!;
      if (threshold === null) continue;
      const lowest = Math.max(0.5, threshold);
      coverage += (1 - lowest) / 0.5 / draws;
      if ((1 - lowest) / 4 > 0.08) violations++;
    }
    // Violations are at most 10 % on average: 30 ± 3 × 5.2.
    assert.ok(violations <= 46, `${violations} violations`);
    assert.ok(coverage > 0.2, `mean coverage ${coverage}`);
  });
});

describe("a plain threshold", () => {
  it("counts and promises nothing", () => {
    const set = testRows(
      rowsOf("test", [
        { score: 0.9, right: true },
        { score: 0.9, right: false },
        { score: 0.2, right: true },
      ]),
    );
    const rule = thresholdRule(acceptRows("row", [{ target: "t", set }], { by: "confidence" }), 0.9);
    assert.equal(rule.certified, false);
    assert.deepEqual([rule.rows, rule.accepted, rule.errors, rule.errorRate], [3, 2, 1, 0.5]);
    assert.equal(thresholdRule(one(set), 0.95).errorRate, null);
  });
});

describe("flags", () => {
  const set = poolRows(
    rowsOf("pool", [
      { score: 0.99, right: true },
      { score: 0.5, right: true },
      { score: 0.99, right: true, predicted: 1 },
      { score: 0.99, right: true, status: "failed" },
      { score: 0.99, right: true, status: "out-of-list" },
      { score: 0.99, right: true },
      { score: 0.99, right: true, disagrees: true },
      { score: 0.99, right: true, disagrees: true },
    ]),
  );
  const never = [{ target: "t", labels: ["y"] }];
  const rows = acceptRows("row", [{ target: "t", set, never: ["y"] }]);
  const rule = { by: "score" as const, thresholds: [0.9] };

  it("give every reason", () => {
    const flags = flagRows({
      rows,
      rule,
      never,
      auditDraw: [0, 1, 0, 0, 0, 1, 0, 0],
      labelIssue: [0, 0, 0, 0, 0, 0, 1, 0],
    });
    assert.deepEqual(Array.from(flags.reasons, reasonsOf), [
      [],
      ["below-threshold"],
      ["never-label"],
      ["failed"],
      ["out-of-list"],
      ["audit"],
      ["label-issue", "disagreement"],
      ["disagreement"],
    ]);
    assert.deepEqual([...flags.accepted], [1, 0, 0, 0, 0, 1, 0, 0]);
    assert.equal(flags.acceptedCount, 2);
    assert.equal(flags.reviewCount, 7);
  });

  it("flag everything while there is no rule in force", () => {
    const flags = flagRows({ rows, rule: null });
    assert.equal(flags.acceptedCount, 0);
    for (const mask of flags.reasons) assert.ok(reasonsOf(mask).includes("no-accept-rule"));
  });

  it("accept exactly the rows without a reason other than audit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, threshold) => {
        const made = acceptRows("row", [
          { target: "t", set: testRows(madeRows(40, seed, { split: "test", failEvery: 9 })) },
        ]);
        const auditDraw = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 1 : 0));
        const flags = flagRows({ rows: made, rule: { by: "score", thresholds: [threshold] }, auditDraw });
        for (let i = 0; i < 40; i++) {
          const reasons = reasonsOf(flags.reasons[i]!);
          assert.equal(
            flags.accepted[i] === 1,
            reasons.every((reason) => reason === "audit"),
          );
          if (flags.accepted[i]) assert.ok(made.score[i]! >= threshold);
        }
      }),
    );
  });
});
