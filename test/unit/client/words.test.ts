import assert from "node:assert/strict";
import { agoOf, bytes, dollars, duration, facts, spoken } from "../../../client/src/jobs/words.ts";
import type { JobView } from "../../../schemas/protocol.ts";

const job = (fields: Partial<JobView>): JobView => ({
  ...{ project: "file:///p", job: "j", kind: "fine-tune", models: ["baseline"], host: "local", state: "running" },
  ...{ attempt: 1, created: "2026-11-21T10:00:00Z", started: "2026-11-21T10:00:10Z", ended: null, progress: null },
  ...{ metric: null, message: null, cost: null, connection: null, place: null, bytes: null },
  can: { cancel: true, resume: false, delete: false, report: false },
  ...fields,
});

describe("a job in words", () => {
  it("says how far a running job is", () => {
    const progress = { step: "epoch 1/2", done: 41, total: 100, left: 2280 };
    const running = job({ progress, metric: { name: "loss", value: 0.41 }, cost: 0.63, host: "a10g" });
    assert.deepEqual(facts(running), ["fine-tune", "a10g", "epoch 1/2", "loss 0.410", "41 %", "38 min left", "$0.63"]);
    assert.equal(spoken(running), "fine-tune of baseline, running, 41 percent, loss 0.410, on a10g");
  });

  it("says why a failed job failed, and how long a finished one took", () => {
    const ended = "2026-11-21T10:00:22Z";
    const failed = job({ state: "failed", message: "Out of budget at row 212. Raise it.", ended });
    assert.deepEqual(facts(failed), ["fine-tune", "local", "failed", "Out of budget at row 212.", "12 s"]);
    const done = job({ state: "succeeded", kind: "evaluate", metric: { name: "accuracy", value: 0.83 }, ended });
    assert.deepEqual(facts(done), ["evaluation", "local", "acc 0.830", "12 s"]);
  });

  it("does not claim a share of an unknown total", () => {
    const progress = { step: "reading", done: 5, total: null };
    assert.deepEqual(facts(job({ progress })), ["fine-tune", "local", "reading"]);
  });

  it("rounds for people", () => {
    assert.deepEqual([0, 89, 91, 5400, 7500, 400_000].map(duration), [
      ...["0 s", "89 s", "2 min", "1 h 30 min", "2 h 05 min", "5 days"],
    ]);
    assert.equal(agoOf("2026-11-21T10:00:00Z", Date.parse("2026-11-21T10:00:30Z")), "just now");
    assert.equal(agoOf("2026-11-21T10:00:00Z", Date.parse("2026-11-21T10:10:00Z")), "10 min ago");
    assert.deepEqual([200, 2_500_000, 3e9].map(bytes), ["1 kB", "2.5 MB", "3.0 GB"]);
    assert.deepEqual([0.012, 3.5].map(dollars), ["$0.012", "$3.50"]);
  });
});
