/**
 * Windows that close in mid-job: whatever becomes of the server, the job goes on and the next window shows how it ended.
 * CLF_FAULT_ROUNDS says how often (50 in the full run), CLF_FAULT_SEED repeats the draws.
 */
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobEvent } from "../../schemas/events.ts";
import type { JobView } from "../../schemas/protocol.ts";
import { seededRandom } from "../../server/src/engines/linear/random.ts";
import { build, clf, smallProject, temporaryFolder } from "../cli/support.ts";
import { leftProcesses } from "../jobs/support.ts";
import { uriOf } from "./client.ts";
import { type EditorClient, type End, openEditorClient } from "./editor-client.ts";

const ROUNDS = Number(process.env.CLF_FAULT_ROUNDS ?? 3);
const SEED = Number(process.env.CLF_FAULT_SEED ?? Date.now() % 1_000_000);
/** Milliseconds that a job takes from the request to its end, roughly: windows close anywhere within. */
const SPAN = 2500;
const ENDS: readonly End[] = ["closes", "hangs", "dies"];

describe("windows and jobs", function () {
  this.timeout(120_000 + ROUNDS * 30_000);
  /** A project whose model is fine-tuned, so that either kind of job can be started on a copy. */
  let template: string;
  const open: EditorClient[] = [];

  before(async () => {
    build();
    template = await smallProject();
    assert.equal((await clf(["fine-tune", template, "-m", "baseline"])).code, 0);
  });
  after(() => rmSync(template, { recursive: true, force: true }));
  afterEach(async () => {
    for (const window of open.splice(0)) await window.end("dies");
  });

  function copy(): string {
    const folder = temporaryFolder();
    cpSync(template, folder, { recursive: true });
    return folder;
  }
  async function openWindow(folder: string, how?: End): Promise<EditorClient> {
    const window = await openEditorClient([folder], how);
    open.push(window);
    return window;
  }
  async function close(window: EditorClient, how: End): Promise<void> {
    open.splice(open.indexOf(window), 1);
    await window.end(how);
  }
  const projectOf = (folder: string) => uriOf(join(folder, "small.clf.yaml"));
  const start = (window: EditorClient, folder: string, kind: JobView["kind"]) =>
    window.request<{ job: string }>("clf/jobs/start", { project: projectOf(folder), kind, models: ["baseline"] });
  const newest = async (window: EditorClient, before: ReadonlySet<string>): Promise<JobView | undefined> =>
    (await window.jobs()).find(({ job }) => !before.has(job));

  /** Each once, in order, from the beginning of the job to its one end. */
  function checkEvents(events: readonly JobEvent[]): void {
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, i) => i + 1),
      "an event was lost or doubled",
    );
    const states = events.flatMap((event) => (event.type === "state" ? [event.state] : []));
    assert.deepEqual(states, ["running", "succeeded"]);
  }

  /** What a window was told of a job: never a step back. */
  function checkTold(told: readonly JobView[], job: string): void {
    const order = ["preparing", "queued", "running", "succeeded"];
    const states = told.filter((view) => view.job === job).map(({ state }) => order.indexOf(state));
    assert.deepEqual(
      states,
      states.toSorted((a, b) => a - b),
    );
    assert.ok(!states.includes(-1), "a state that the job was never in");
  }

  it(`a window closes in mid-job, ${ROUNDS} times (seed ${SEED}): the job finishes, and the next window shows it`, async () => {
    const next = seededRandom(SEED);
    const tally = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const how = ENDS[round % ENDS.length]!;
      const kind = next() < 0.5 ? "fine-tune" : "evaluate";
      // Some of them in the first moments, while the job is made and launched.
      const wait = next() * (next() < 0.3 ? 400 : SPAN);
      const folder = copy();
      const first = await openWindow(folder, how);
      const before = new Set((await first.jobs()).map(({ job }) => job));
      const answer = start(first, folder, kind).catch(() => undefined);
      await sleep(wait);
      const seen = await Promise.race([newest(first, before), sleep(1000)]);
      const some = seen ? await Promise.race([first.events(seen).catch(() => []), sleep(1000)]) : undefined;
      await close(first, how);
      const promised = await Promise.race([answer, sleep(10)]);

      const second = await openWindow(folder);
      const found = await newest(second, before);
      const id = promised?.job ?? found?.job;
      assert.equal(found?.job, id, "a job that was promised is gone");
      const what = `${how}: ${seen === undefined ? (id ? "made" : "not yet made") : (seen as JobView).state}`;
      tally.set(what, (tally.get(what) ?? 0) + 1);
      if (id !== undefined) {
        const end = await second.ended(id);
        assert.equal(end.state, "succeeded", `${what} after ${wait} ms: ${JSON.stringify(end)}`);
        assert.equal(end.attempt, 1, "it was started again");
        assert.equal(end.can.report, kind === "evaluate");
        const events = await second.events(end);
        checkEvents(events);
        assert.deepEqual(some ?? [], events.slice(0, some?.length ?? 0), "the next window tells another story");
        checkTold(first.told, id);
        checkTold(second.told, id);
        const left = readdirSync(join(folder, ".clf", "jobs", id));
        assert.deepEqual(
          left.filter((name) => /\.tmp|predictions\.jsonl/.test(name)),
          [],
        );
      }
      assert.equal((await second.jobs()).length, before.size + (id === undefined ? 0 : 1));
      await close(second, "closes");
      assert.deepEqual(await leftProcesses(folder), [], `a process was left behind (${what})`);
      rmSync(folder, { recursive: true, force: true });
    }
    console.log(
      `      ${[...tally]
        .sort()
        .map(([what, count]) => `${what}: ${count}`)
        .join(", ")}`,
    );
  });

  it("two windows on one project see the same jobs, whichever of them closes", async () => {
    const folder = copy();
    const [one, two] = await Promise.all([openWindow(folder), openWindow(folder)]);
    const before = new Set((await two.jobs()).map(({ job }) => job));
    const { job } = await start(one, folder, "evaluate");
    await close(one, "dies");
    const end = await two.ended(job);
    assert.equal(end.state, "succeeded");
    checkTold(two.told, job);
    assert.ok(
      two.told.some((view) => view.job === job),
      "the other window was told of it",
    );
    checkEvents(await two.events(end));
    assert.deepEqual(
      (await two.jobs()).filter((view) => !before.has(view.job)).map((view) => view.job),
      [job],
    );
    await close(two, "closes");
    assert.deepEqual(await leftProcesses(folder), []);
    rmSync(folder, { recursive: true, force: true });
  });

  it("what one of two windows cancels both can resume, and one attempt is made of it", async () => {
    const folder = copy();
    const [one, two] = await Promise.all([openWindow(folder, "hangs"), openWindow(folder)]);
    await two.jobs();
    const { job } = await start(one, folder, "evaluate");
    const of = { project: projectOf(folder), job };
    await two.request("clf/jobs/cancel", of);
    const [here, there] = await Promise.all([one.ended(job), two.ended(job)]);
    assert.equal(here.state, there.state);
    if (here.state === "cancelled") {
      await Promise.all([one.request("clf/jobs/resume", of), two.request("clf/jobs/resume", of)]);
      for (const window of [one, two]) {
        while ((await window.jobs()).find((view) => view.job === job)?.state !== "succeeded") await sleep(50);
      }
      assert.deepEqual(readdirSync(join(folder, ".clf", "jobs", job, "attempts")), ["1", "2"]);
      checkEvents(await one.events(of));
    }
    assert.ok(existsSync(join(folder, ".clf", "jobs", job, "report.json")));
    await close(one, "hangs");
    await close(two, "closes");
    assert.deepEqual(await leftProcesses(folder), []);
    rmSync(folder, { recursive: true, force: true });
  });
});
