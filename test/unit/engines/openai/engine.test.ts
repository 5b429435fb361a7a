import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { NewEvent } from "../../../../schemas/events.ts";
import { Model } from "../../../../schemas/project.ts";
import { chatEngine } from "../../../../server/src/engines/chat/engine.ts";
import { EngineError } from "../../../../server/src/engines/engine.ts";
import { openaiEngine } from "../../../../server/src/engines/openai/engine.ts";
import { closingNotes, shutdownNote } from "../../../../server/src/engines/openai/lifecycle.ts";
import { jobOf, ran, remove, rowsOf, temporary } from "../chat/run.ts";
import { type ApiOptions, type ApiServer, batchLine, startApi } from "./server.ts";

describe("engine openai", () => {
  let folder: string;
  let server: ApiServer | undefined;
  beforeEach(() => {
    folder = temporary();
    process.env.CLF_POLL_MILLISECONDS = "1";
  });
  afterEach(async () => {
    delete process.env.CLF_POLL_MILLISECONDS;
    await server?.close();
    server = undefined;
    remove(folder);
  });

  const texts = (n: number) => Array.from({ length: n }, (_, i) => `text ${i}`);
  const rows = [
    ...rowsOf(texts(20), "train", { label: "good" }),
    ...rowsOf(texts(4), "tune", { label: "bad" }),
    ...rowsOf(texts(4), "validation", { label: "bad" }),
    ...rowsOf(texts(3), "test", { label: "good" }),
  ];

  /** One attempt; `stopAt`: the event after which it is broken off, as by a crash or by a person. */
  async function attempt(stopAt?: (event: NewEvent) => boolean, reason = "signal", structured = false) {
    const job = jobOf({ rows, endpoint: { base_url: server!.url, structured } });
    const model = { ...job.models[0]!, spec: Model.parse({ engine: "openai", base: "some-model", endpoint: "test" }) };
    const stop = new AbortController();
    const events: NewEvent[] = [];
    const artifact = join(folder, "model");
    mkdirSync(artifact, { recursive: true });
    let error: unknown;
    try {
      await openaiEngine.fineTune!({
        job: { ...job, created: new Date().toISOString() },
        model,
        rows,
        threads: 1,
        work: join(folder, "work"),
        keys: [],
        signal: stop.signal,
        artifact,
        emit(event) {
          events.push(event);
          if (stopAt?.(event)) stop.abort(reason);
        },
      });
    } catch (thrown) {
      error = thrown;
    }
    return { error, events, artifact };
  }
  const start = async (options?: ApiOptions) => {
    server = await startApi(options);
    return server;
  };
  const manifest = () =>
    JSON.parse(readFileSync(join(folder, "model", "openai.json"), "utf8")) as Record<string, unknown>;

  it("trains on train, looks at tune, and leaves the model's name", async () => {
    const api = await start();
    const { error, events } = await attempt();
    assert.equal(error, undefined);
    assert.equal(manifest().model, "ft:some-model:me:suffix:ftjob-1");
    const lines = api.files[0]!.content.trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { messages: { role: string; content: string }[] });
    assert.equal(lines.length, 20);
    assert.deepEqual(
      lines[0]!.messages.map(({ role }) => role),
      ["system", "user", "assistant"],
    );
    assert.equal(lines[0]!.messages[2]!.content, "good");
    assert.equal(api.files[1]!.content.trim().split("\n").length, 4);
    assert.deepEqual(
      events.flatMap((event) => (event.type === "metric" ? [[event.name, event.value, event.split]] : [])),
      [
        ["loss", 0.5, "train"],
        ["loss", 0.6, "tune"],
      ],
    );
  });

  it("trains on JSON where it will be asked for it", async () => {
    const api = await start();
    await attempt(undefined, undefined, true);
    const [line] = api.files[0]!.content.split("\n");
    assert.equal(JSON.parse(line!).messages[2].content, '{"label":"good"}');
    assert.match(JSON.parse(line!).messages[0].content, /Answer with one JSON object/);
  });

  const states = ["validating_files", "queued", "running", "paused", "something_new", "succeeded"];
  for (const state of states) {
    it(`broken off while it is ${state}: the next attempt follows the same fine-tune`, async () => {
      const api = await start({ states });
      const said = `the endpoint says: ${state.replaceAll("_", " ")}`;
      await attempt((event) => event.type === "progress" && event.step === said);
      const { error } = await attempt();
      assert.equal(error, undefined);
      assert.deepEqual(api.created, { file: 2, fineTune: 1, batch: 0 });
      assert.equal(api.fineTunes[0]!.status, "succeeded");
    });
  }

  it("broken off while files are uploaded: none is uploaded twice", async () => {
    const api = await start();
    await attempt((event) => event.type === "progress" && event.step === "uploading tune rows");
    await attempt();
    assert.deepEqual(api.created, { file: 2, fineTune: 1, batch: 0 });
  });

  it("the answer to its making is lost: it is found, not made again", async () => {
    const api = await start({ loseFirst: true });
    const { error } = await attempt();
    assert.equal(error, undefined);
    assert.equal(api.created.fineTune, 1);
  });

  it("its making is lost where metadata are not kept: it is known by its file", async () => {
    const api = await start({ loseFirst: true, forgetful: true });
    const { error } = await attempt();
    assert.equal(error, undefined);
    assert.deepEqual(api.created, { file: 2, fineTune: 1, batch: 0 });
  });

  it("says what the endpoint says of the model's end, before anything is uploaded", async () => {
    const day = Date.UTC(2099, 0, 14) / 1000;
    await start({ listed: { shutdown_date: day } });
    const { error, events } = await attempt();
    assert.equal(error, undefined);
    const warned = events.findIndex(
      (event) => event.type === "log" && /some-model stops on 2099-01-14/.test(event.message),
    );
    const uploaded = events.findIndex((event) => event.type === "progress" && event.step.startsWith("uploading"));
    assert.ok(warned >= 0 && warned < uploaded, `${warned} ${uploaded}`);
    assert.equal(shutdownNote("m", { shutdown_date: "2020-05-01" }), "The endpoint says that m stopped on 2020-05-01.");
    for (const listed of [null, {}, { shutdown_date: null }, { shutdown_date: "soon" }])
      assert.equal(shutdownNote("m", listed), null);
  });

  it("a person cancels: the fine-tune there is cancelled too", async () => {
    const api = await start({ states: ["running"] });
    const { error } = await attempt((event) => event.type === "progress" && event.step.endsWith("running"), "cancel");
    assert.equal(error, "cancel");
    assert.equal(api.fineTunes[0]!.status, "cancelled");
  });

  it("the end of the process is no cancel", async () => {
    const api = await start({ states: ["running"] });
    await attempt((event) => event.type === "progress" && event.step.endsWith("running"), "signal");
    assert.equal(api.fineTunes[0]!.status, "running");
  });

  for (const state of ["failed", "cancelled"]) {
    it(`${state} there is failed here, with the reason`, async () => {
      await start({ states: ["running", state] });
      const { error } = await attempt();
      assert.ok(error instanceof EngineError);
      assert.match(error.message, new RegExp(`ended as ${state}${state === "failed" ? ": The file is no good" : ""}`));
    });
  }

  it("predicts with the tuned model", async () => {
    await start();
    const { artifact } = await attempt();
    const spec = { engine: "openai", base: "some-model", endpoint: "test" };
    const given = { rows, endpoint: { base_url: server!.url } };
    const job = jobOf(given);
    const model = { ...job.models[0]!, spec: Model.parse(spec) };
    const { predictions, error } = await ran(openaiEngine, given, folder, { model, artifact });
    assert.equal(error, undefined);
    assert.deepEqual(
      predictions.map(({ label }) => label),
      ["good", "good", "good"],
    );
  });

  it("says what is closing before money is spent", () => {
    const openai = { base_url: "https://api.openai.com/v1" };
    const day = new Date("2026-11-22");
    assert.match(
      closingNotes(openai, "gpt-4o-mini-2024-07-18", true, day).join(" "),
      /no new fine-tuning jobs from 2027-01-06.*stops on 2027-01-14/,
    );
    assert.match(closingNotes(openai, "ft:gpt-4.1:me:x:1", false, day).join(" "), /stops on 2027-01-14/);
    assert.match(
      closingNotes(openai, "gpt-4o", true, new Date("2027-02-01")).join(" "),
      /has taken no new.*stopped on/,
    );
    assert.deepEqual(closingNotes({ base_url: "http://localhost:1/v1" }, "gpt-4o", true, day), []);
  });

  describe("the Batch API", () => {
    const given = () => ({
      rows,
      endpoint: { base_url: server!.url },
      spec: { batch: true, confidence: { signal: "votes", samples: 1 } },
    });

    it("answers the rows, and nothing is asked one by one", async () => {
      const api = await start();
      const { predictions, error } = await ran(chatEngine, given(), folder);
      assert.equal(error, undefined);
      assert.equal(predictions.length, 3);
      assert.equal(api.requests, 0);
      assert.equal(api.created.batch, 1);
    });

    it("what it leaves out, and what nobody asked, is dealt with", async () => {
      const api = await start({
        output: ([first, ...others]) => [
          batchLine("some-other-id", "bad"),
          batchLine(first!.custom_id, "good"),
          batchLine(first!.custom_id, "bad"),
          { custom_id: others[0]!.custom_id, response: { status_code: 500, body: {} } },
        ],
      });
      const { predictions, events } = await ran(chatEngine, given(), folder);
      assert.deepEqual(
        predictions.map(({ label }) => label),
        ["good", "good", "good"],
      );
      assert.equal(api.requests, 2);
      assert.ok(events.some((event) => event.type === "log" && /^2 lines of batch/.test(event.message)));
    });

    it("is not sent where it may take more than the budget", async () => {
      const api = await start();
      const price = { input_per_million: 1000, output_per_million: 1000 };
      const of = given();
      const dear = { ...of, endpoint: { ...of.endpoint, price }, spec: { ...of.spec, budget: 0.05 } };
      const { error } = await ran(chatEngine, dear, folder);
      assert.match((error as Error).message, /batch may take \$[\d.]+, and \$0\.050 are left of the budget/);
      assert.deepEqual([api.created.batch, api.created.file, api.requests], [0, 0, 0]);
    });

    it("is not sent twice when its answer was lost, nor by a second attempt", async () => {
      const api = await start({ loseFirst: true });
      await ran(chatEngine, given(), folder);
      await ran(chatEngine, given(), folder);
      assert.equal(api.created.batch, 1);
    });
  });
});
