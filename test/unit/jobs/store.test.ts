import assert from "node:assert/strict";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { JOB_CONTRACT, JobId, type JobSummary } from "../../../schemas/job.ts";
import { parseJob, UnreadableJob } from "../../../server/src/jobs/contract.ts";
import { newestFirst, newJobId } from "../../../server/src/jobs/id.ts";
import { appendRecord, readRecords } from "../../../server/src/jobs/records.ts";
import { expiredJobs } from "../../../server/src/jobs/retention.ts";
import { JobError, type JobStore, jobStore } from "../../../server/src/jobs/store.ts";
import { newJob, removeFolder, temporaryFolder, upTo } from "../../jobs/support.ts";

describe("job ids", () => {
  it("tell time and name, and sort by age", () => {
    const id = newJobId("tuned-qwen", new Date("2026-11-21T23:30:59Z"));
    assert.match(id, /^20261121-2330-tuned-qwen-[0-9a-f]{8}$/);
    assert.ok(id < newJobId("a", new Date("2026-11-22T00:00:00Z")));
  });

  it("sort by age within a minute as well, whatever the names", () => {
    const times = [
      "2026-11-21T23:30:00.001Z",
      "2026-11-21T23:30:00.900Z",
      "2026-11-21T23:30:59.999Z",
      "2026-11-21T23:31:00Z",
    ];
    const ids = ["z", "b", "b", "a"].map((name, n) => newJobId(name, new Date(times[n]!)));
    assert.deepEqual([...ids].sort(newestFirst), ids.reverse());
  });

  it("are safe as file names whatever the model is called", () => {
    for (const name of ["../../etc", "été à la mer", "a b/c\\d:e", "", "-rf", "模型", "x".repeat(300), "..", "$(id)"]) {
      const id = newJobId(name);
      assert.ok(JobId.safeParse(id).success, id);
      assert.doesNotMatch(id, /[^A-Za-z0-9._-]|^[-.]/);
    }
  });
});

describe("job store", () => {
  let top: string;
  let store: JobStore;
  beforeEach(async () => {
    top = await temporaryFolder();
    store = jobStore(join(top, ".clf", "jobs"));
  });
  afterEach(() => removeFolder(top));

  it("gives jobs that are made at once ids of their own", async () => {
    const made = await Promise.all(Array.from({ length: 60 }, () => store.create("m", async () => newJob({}))));
    assert.equal(new Set(made.map(({ id }) => id)).size, 60);
  });

  it("makes a whole folder or none", async () => {
    let seen: string[] = [];
    await assert.rejects(
      store.create("m", async (folder) => {
        await writeFile(join(folder, "data"), "half");
        seen = await store.ids();
        throw new Error("the data cannot be read");
      }),
      /cannot be read/,
    );
    assert.deepEqual(seen, []);
    assert.deepEqual(await readdir(store.root), []);
    const job = await store.create("m", async (folder, id) => {
      assert.match(id, /-m-/);
      await writeFile(join(folder, "data"), "all");
      return newJob({});
    });
    assert.deepEqual(await store.ids(), [job.id]);
    const snapshot = await store.read(job.id);
    assert.equal(snapshot.state, "preparing");
    assert.deepEqual(
      snapshot.records.map(({ seq, type, attempt }) => [seq, type, attempt]),
      [[1, "submitted", 1]],
    );
    assert.ok((await store.size(job.id)) > 1000);
  });

  it("lists what cannot be read with its reason, and leaves it alone", async () => {
    const good = await store.create("good", async () => newJob({}));
    const broken = join(store.root, "20200101-0000-broken-0000");
    const newer = join(store.root, "20200101-0001-newer-0000");
    const empty = join(store.root, "20200101-0002-empty-0000");
    for (const folder of [broken, newer, empty, join(store.root, "notes")]) await mkdir(folder);
    await writeFile(join(broken, "job.json"), '{"contract": 1, ');
    await writeFile(join(newer, "job.json"), JSON.stringify({ contract: JOB_CONTRACT + 1 }));
    const list = await store.list();
    assert.deepEqual(
      list.map(({ id, state }) => [id, state]),
      [
        [good.id, "preparing"],
        ["20200101-0002-empty-0000", undefined],
        ["20200101-0001-newer-0000", undefined],
        ["20200101-0000-broken-0000", undefined],
      ],
    );
    assert.match(list[1]?.problem ?? "", /no job.json/);
    assert.match(list[2]?.problem ?? "", /newer version of Clf/);
    assert.match(list[3]?.problem ?? "", /not JSON/);
    assert.equal(await readFile(join(broken, "job.json"), "utf8"), '{"contract": 1, ');
  });

  it("does not take a path for an id", async () => {
    for (const id of ["../x", "20200101-0000-x-0000/../..", "", "."]) await assert.rejects(store.read(id), JobError);
    await assert.rejects(store.read("20200101-0000-none-0000"), /There is no job/);
  });

  it("cleans up what was interrupted, but not what is being made", async () => {
    await mkdir(store.root, { recursive: true });
    for (const name of [".new-old", ".new-young", ".old-x"]) await mkdir(join(store.root, name));
    await utimes(join(store.root, ".new-old"), 1, 1);
    await store.clean();
    assert.deepEqual(await readdir(store.root), [".new-young"]);
  });

  it("cleans up while other windows make jobs", async () => {
    const making = Array.from({ length: 20 }, () => store.create("m", async () => newJob({})));
    const cleaning = Array.from({ length: 60 }, (_, n) =>
      new Promise((resolve) => setTimeout(resolve, n)).then(() => store.clean()),
    );
    await Promise.all([...making, ...cleaning]);
    assert.equal((await store.ids()).length, 20);
  });

  it("leaves a .gitignore of the user's as it is", async () => {
    await mkdir(join(top, ".clf"));
    await writeFile(join(top, ".clf", ".gitignore"), "mine");
    await store.create("m", async () => newJob({}));
    assert.equal(await readFile(join(top, ".clf", ".gitignore"), "utf8"), "mine");
  });

  it("appends records of many managers, each once and in order, after a torn line too", async () => {
    const { id } = await store.create("m", async () => newJob({}));
    const folder = store.folder(id);
    await writeFile(join(folder, "manager.jsonl"), '{"seq":2,"ti', { flag: "a" });
    const once = () =>
      appendRecord(folder, (records) =>
        records.some(({ type }) => type === "lost") ? null : { type: "lost", attempt: 1 },
      );
    const written = await Promise.all([once(), once(), once(), appendRecord(folder, () => ({ type: "fetched" }))]);
    assert.equal(written.filter((record) => record?.type === "lost").length, 1);
    assert.deepEqual(
      (await readRecords(folder)).map(({ seq }) => seq),
      upTo(3),
    );
  });
});

describe("the job contract", () => {
  it("reads jobs of older versions by migrating them", () => {
    const job = { ...newJob({}), id: "20200101-0000-m-0000", created: "then" };
    const { seed, ...old } = job;
    const migrations = { 0: (was: Record<string, unknown>) => ({ ...was, seed: was.random ?? 7 }) };
    const parsed = parseJob(JSON.stringify({ ...old, contract: 0, random: undefined }), migrations, 1);
    assert.equal(parsed.seed, 7);
    assert.equal(parsed.contract, JOB_CONTRACT);
    assert.equal(seed, 1);
  });

  it("reads qlora jobs of contract 1, whose settings packing and folds are gone", () => {
    const spec = { engine: "qlora", base: "b", packing: false, folds: 5 };
    const entry = { name: "m", spec, training_spec: "0".repeat(64) };
    const linear = { name: "l", spec: { engine: "linear", folds: 4 }, training_spec: "0".repeat(64) };
    const cascade = { name: "c", spec: { engine: "cascade", stages: ["l", "m"] }, training_spec: "0".repeat(64) };
    const models = [entry, linear, { ...cascade, stages: [linear, entry] }];
    const job = { ...newJob({}), id: "20200101-0000-m-0000", created: "then", contract: 1, models };
    const [one, two, three] = parseJob(JSON.stringify(job)).models;
    assert.equal(one!.spec.engine, "qlora");
    assert.ok(!("packing" in one!.spec) && !("folds" in one!.spec));
    assert.equal((two!.spec as { folds?: number }).folds, 4);
    assert.ok(!("packing" in three!.stages![1]!.spec));
  });

  it("says what is wrong with a job", () => {
    const job = { ...newJob({}), id: "20200101-0000-m-0000", created: "then", contract: 1, kind: "dance" };
    assert.throws(
      () => parseJob(JSON.stringify(job)),
      (error) => error instanceof UnreadableJob && /kind/.test(error.message),
    );
    assert.throws(() => parseJob("[]"), UnreadableJob);
  });
});

describe("retention", () => {
  const day = 86_400_000;
  const now = Date.parse("2026-06-30T00:00:00Z");
  function job(age: number, more: Partial<JobSummary> = {}): JobSummary {
    const created = new Date(now - age * day).toISOString();
    return {
      id: `${age}${more.models ?? ""}`,
      kind: "fine-tune",
      models: ["a"],
      state: "succeeded",
      created,
      ended: created,
      ...more,
    };
  }

  it("keeps the newest of each model and kind, whatever order they come in", () => {
    const jobs = [job(3), job(1), job(2), job(9, { models: ["b"] }), job(8, { kind: "evaluate", id: "e" })];
    assert.deepEqual(expiredJobs(jobs, { keep: 2 }, new Set(), now), ["3"]);
  });

  it("never lets go what goes on, what cannot be read, or what is kept; and these do not count", () => {
    const jobs = [job(1), job(2, { state: "running" }), { id: "x", problem: "?" }, job(3), job(4), job(5)];
    assert.deepEqual(expiredJobs(jobs, { keep: 1 }, new Set(["1", "5"]), now), ["4"]);
  });

  it("lets go what is too old", () => {
    assert.deepEqual(expiredJobs([job(1), job(40)], { keep: 9, days: 30 }, new Set(), now), ["40"]);
  });
});
