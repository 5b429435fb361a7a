import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Model } from "../../../schemas/project.ts";
import { jobStore } from "../../../server/src/jobs/store.ts";
import { watchJobs } from "../../../server/src/workbench/watch-jobs.ts";
import type { Session } from "../../../server/src/workflow/session.ts";
import { madeJob } from "../made-job.ts";

describe("watching a project's jobs", () => {
  it("tells of the end of another machine's job once its results are here, not when it ends there", async () => {
    const root = await mkdtemp(join(tmpdir(), "clf-watch-"));
    const id = "20261122-0000-made-00000000";
    const folder = join(root, id);
    const models = [{ name: "tuned", spec: Model.parse({ engine: "qlora", base: "b" }), training_spec: "0" }];
    await mkdir(join(folder, "attempts/1"), { recursive: true });
    await writeFile(
      join(folder, "job.json"),
      JSON.stringify(
        madeJob({ id, models, host: { name: "gpu", kind: "ssh" }, project: { name: "p", file: "/p.clf.yaml" } }),
      ),
    );
    const record = (seq: number, type: string) =>
      appendFile(
        join(folder, "manager.jsonl"),
        `${JSON.stringify({ seq, time: "2026-11-22T00:00:00Z", type, attempt: 1 })}\n`,
      );
    const event = (seq: number, state: string) =>
      appendFile(
        join(folder, "attempts/1/events.jsonl"),
        `${JSON.stringify({ seq, time: "2026-11-22T00:00:00Z", type: "state", state })}\n`,
      );
    await record(1, "submitted");
    await event(1, "running");
    const states: string[] = [];
    const ends: boolean[] = [];
    const session = {
      project: { file: "/p.clf.yaml" },
      jobs: { store: jobStore(root), condition: () => null, place: () => null },
    } as unknown as Session;
    const watch = watchJobs(session, {
      onChange: ({ state }) => states.push(state),
      onRemoved() {},
      onEnd: ({ can }) => ends.push(can.report),
      log: (message) => assert.fail(message),
    });
    const until = async (what: () => unknown) => {
      for (let tries = 0; tries < 200 && !what(); tries++) await sleep(25);
      assert.ok(what(), JSON.stringify(states));
    };
    try {
      await until(() => states.at(-1) === "running");
      await event(2, "succeeded");
      await until(() => states.at(-1) === "succeeded");
      assert.deepEqual(ends, []);
      await writeFile(join(folder, "report.json"), "{}");
      await record(2, "fetched");
      await until(() => ends.length > 0);
      assert.deepEqual(ends, [true]);
    } finally {
      watch.close();
      await rm(root, { recursive: true });
    }
  });
});
