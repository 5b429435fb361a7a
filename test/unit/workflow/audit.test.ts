import assert from "node:assert/strict";
import type { Decision } from "../../../schemas/decisions.ts";
import type { Job } from "../../../schemas/job.ts";
import type { AcceptDecision } from "../../../schemas/report.ts";
import { auditOutcomes, auditStream } from "../../../server/src/workflow/audit.ts";
import { line } from "../review/lines.ts";

const STREAM = "audit:0123456789abcdef";
const said = (row: string, target: string, hidden: string, fields: Partial<Decision>): Decision =>
  line({
    ...{ row, target, kind: "corrected", reasons: ["audit"], blind: true, inclusion: 0.1 },
    draw: { stream: STREAM, prediction: { model: "m", job: "j", label: hidden, confidence: 0.9 } },
    ...fields,
  });
const outcomes = (decisions: Decision[], targets = ["T"]) => {
  const { units, skipped } = auditOutcomes(decisions, STREAM, targets);
  return { wrong: Object.fromEntries([...units].map(([row, { wrong }]) => [row, wrong])), skipped };
};

describe("what an audit counts", () => {
  it("is the hidden prediction against the label said; skips and none are wrong", () => {
    const decisions = [
      said("a", "T", "Cuts", { after: "Cuts" }),
      said("b", "T", "Cuts", { after: "Burns" }),
      said("c", "T", "Cuts", { kind: "none", after: null }),
      said("d", "T", "Cuts", { kind: "skipped", after: null }),
    ];
    assert.deepEqual(outcomes(decisions), { wrong: { a: false, b: true, c: true, d: true }, skipped: 1 });
  });

  it("takes the judgement that follows a skip, and no second thoughts", () => {
    const decisions = [
      said("a", "T", "Cuts", { kind: "skipped", after: null }),
      said("a", "T", "Cuts", { after: "Cuts" }),
      said("b", "T", "Cuts", { after: "Burns" }),
      said("b", "T", "Cuts", { after: "Cuts" }),
    ];
    assert.deepEqual(outcomes(decisions), { wrong: { a: false, b: true }, skipped: 0 });
  });

  it("judges a row as a whole once all its targets are, or one is wrong", () => {
    const decisions = [
      said("a", "T", "Cuts", { after: "Cuts" }),
      said("b", "T", "Cuts", { after: "Cuts" }),
      said("b", "U", "Toe", { after: "Toe" }),
      said("c", "U", "Toe", { after: "Arm" }),
    ];
    assert.deepEqual(outcomes(decisions, ["T", "U"]).wrong, { b: false, c: true });
  });

  it("leaves out other draws and what was not drawn", () => {
    const decisions = [
      said("a", "T", "Cuts", { after: "Cuts", draw: { stream: "audit:fedcba9876543210" } }),
      line({ row: "b", target: "T" }),
    ];
    assert.deepEqual(outcomes(decisions), { wrong: {}, skipped: 0 });
  });
});

describe("the name of an audit", () => {
  const job = (id: string, artifact: string) =>
    ({ id, models: [{ name: "m", artifact: { job: artifact, path: "x" } }] }) as unknown as Job;
  const decision = (threshold: number) =>
    ({ targets: ["T"], rule: { by: "score", parts: [{ threshold }] } }) as unknown as AcceptDecision;

  it("changes with the artifact and with what is accepted, not with another evaluation of the same", () => {
    const name = auditStream(job("e1", "f1"), "m", decision(0.5));
    assert.equal(auditStream(job("e2", "f1"), "m", decision(0.5)), name);
    assert.notEqual(auditStream(job("e2", "f2"), "m", decision(0.5)), name);
    assert.notEqual(auditStream(job("e1", "f1"), "m", decision(0.6)), name);
  });
});
