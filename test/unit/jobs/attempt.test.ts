import assert from "node:assert/strict";
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { attemptFolder, readEvents } from "../../../server/src/jobs/attempt.ts";
import { removeFolder, temporaryFolder } from "../../jobs/support.ts";

describe("an attempt's events", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(attemptFolder(folder, 1), { recursive: true });
  });
  afterEach(() => removeFolder(folder));

  let seq = 0;
  const metrics = (figures: Record<string, number>) =>
    appendFile(
      join(attemptFolder(folder, 1), "events.jsonl"),
      Object.entries(figures)
        .map(([name, value]) => ({ seq: ++seq, time: "2026-11-22T10:00:00Z", type: "metric", name, value }))
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(""),
    );

  it("amount to the newest figure of the model, not to what the run took", async () => {
    await metrics({ "memory needed": 2e9 });
    const before = await readEvents(folder, 1);
    assert.equal(before.metric, undefined);
    await metrics({ loss: 0.4, accuracy: 0.91, "rows a second": 12, "dollars a million rows": 5.52 });
    const { metric } = await readEvents(folder, 1, before);
    assert.deepEqual([metric?.name, metric?.value], ["accuracy", 0.91]);
  });
});
