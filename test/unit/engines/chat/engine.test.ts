import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { chatEngine } from "../../../../server/src/engines/chat/engine.ts";
import { priceOf } from "../../../../server/src/engines/chat/price.ts";
import { EngineError } from "../../../../server/src/engines/engine.ts";
import { jobOf, ran, remove, rowsOf, temporary } from "./run.ts";
import { type Fault, lastMessage, startServer, type TestServer, type TestServerOptions, token } from "./server.ts";

describe("engine chat", () => {
  let folder: string;
  let server: TestServer | undefined;
  beforeEach(() => {
    folder = temporary();
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    remove(folder);
  });
  const serve = async (options: Partial<TestServerOptions> = {}) => {
    server = await startServer({ reply: () => ({ text: "good" }), keepBodies: true, ...options });
    return { base_url: server.url };
  };
  const texts = (n: number) => Array.from({ length: n }, (_, i) => `text ${i}`);

  it("asks each row once and reads the label", async () => {
    const endpoint = await serve({ reply: (body) => ({ text: lastMessage(body).endsWith("1") ? "Bad." : "good" }) });
    const { predictions, error } = await ran(chatEngine, { rows: rowsOf(texts(3)), endpoint }, folder);
    assert.equal(error, undefined);
    assert.deepEqual(predictions.map(({ row, label }) => [row, label]).sort(), [
      ["test-0", "good"],
      ["test-1", "bad"],
      ["test-2", "good"],
    ]);
    assert.deepEqual([...server!.answered.values()], [1, 1, 1]);
    assert.ok(predictions[0]!.tokens!.prompt > 0);
  });

  it("holds on to no call that is over: a job may have a million", async () => {
    const stop = new AbortController();
    let most = 0;
    const endpoint = await serve({
      keepBodies: false,
      reply() {
        most = Math.max(most, getEventListeners(stop.signal, "abort").length);
        return { text: "good" };
      },
    });
    const given = { rows: rowsOf(texts(200)), endpoint };
    const { predictions } = await ran(chatEngine, given, folder, { signal: stop.signal });
    assert.equal(predictions.length, 200);
    assert.ok(most <= 2 * 8, `${most} listeners`);
    assert.equal(getEventListeners(stop.signal, "abort").length, 0);
  });

  const kinds: (Fault | undefined)[] = [
    "429",
    "429 with headers",
    "500",
    "cut",
    "slow",
    "malformed",
    "empty choices",
    "error in 200",
    "hang up",
  ];
  /** 10,000 rows with CLF_LONG=1. */
  const MANY = process.env.CLF_LONG ? 10_000 : 1000;
  it(`${MANY} rows through every kind of fault: each answered once, counted once, paid once`, async function () {
    this.timeout(process.env.CLF_LONG ? 600_000 : 60_000);
    const tries = new Map<string, number>();
    const endpoint = await serve({
      keepBodies: false,
      reply: (body) =>
        lastMessage(body).endsWith("7") ? { text: "", refusal: "I cannot help with that." } : { text: "bad" },
      fault(body) {
        const key = lastMessage(body);
        const before = tries.get(key) ?? 0;
        tries.set(key, before + 1);
        const row = Number(key.split(" ")[1]);
        // One row in five, each with a fault of its own, once.
        return before === 0 && row % 5 === 0 ? kinds[(row / 5) % kinds.length] : undefined;
      },
    });
    const price = { input_per_million: 0, output_per_million: 1e6 };
    const given = { rows: rowsOf(texts(MANY)), endpoint: { ...endpoint, concurrency: 32, price } };
    const { predictions, events, error } = await ran(chatEngine, given, folder);
    assert.equal(error, undefined);
    assert.equal(predictions.length, MANY);
    assert.equal(new Set(predictions.map(({ row }) => row)).size, MANY);
    assert.equal(predictions.filter(({ problem }) => problem === "refused").length, MANY / 10);
    assert.equal(predictions.filter(({ label }) => label === "bad").length, 0.9 * MANY);
    // Five votes of three tokens, a dollar each: what is said to be paid, on the rows and in all, is what was answered.
    assert.equal(
      predictions.reduce((sum, { dollars = 0 }) => sum + dollars, 0),
      15 * MANY,
    );
    const said = events.flatMap((event) => (event.type === "log" ? [event.message] : [])).join("\n");
    assert.ok(said.includes(`${MANY.toLocaleString("en-US")} calls, $${(15 * MANY).toFixed(4)} paid`), said);
    assert.equal(server!.answered.size, MANY);
    assert.ok(
      [...server!.answered.values()].every((times) => times === 1),
      "a row was paid twice",
    );
    assert.ok(server!.mostInFlight <= 32);
  });

  it("a second job asks nothing that was paid for; another prompt does", async () => {
    const endpoint = await serve();
    const cache = `${folder}/cache`;
    const given = { rows: rowsOf(texts(20)), endpoint };
    await ran(chatEngine, given, folder, { cache });
    const before = server!.requests;
    const again = await ran(chatEngine, given, folder, { cache, ...secondJob(given) });
    assert.equal(again.predictions.length, 20);
    assert.equal(server!.requests, before);
    await ran(chatEngine, { ...given, instructions: "Something else." }, folder, { cache });
    assert.equal(server!.requests, before + 20);
  });

  it("a run that was broken off goes on where it stopped", async () => {
    const stop = new AbortController();
    const endpoint = await serve({
      reply() {
        if (server!.requests >= 30) stop.abort("cancel");
        return { text: "good" };
      },
      delay: 2,
    });
    const given = { rows: rowsOf(texts(100)), endpoint };
    const first = await ran(chatEngine, given, folder, { signal: stop.signal });
    assert.equal(first.error, "cancel");
    const second = await ran(chatEngine, given, folder);
    assert.equal(second.error, undefined);
    assert.equal(second.predictions.length, 100);
    const twice = [...server!.answered.values()].filter((times) => times > 1).length;
    assert.ok(twice <= 8, `${twice} calls were sent again`);
    const lost = second.events.filter((event) => event.type === "log" && /never answered/.test(event.message));
    assert.equal(lost.length, 1);
  });

  it("stops at the budget, and keeps what was paid for", async () => {
    const endpoint = await serve();
    const price = { input_per_million: 1000, output_per_million: 1000 };
    const given = { rows: rowsOf(texts(50)), endpoint: { ...endpoint, price, concurrency: 1 }, spec: { budget: 1 } };
    const { predictions, error } = await ran(chatEngine, given, folder);
    assert.ok(error instanceof EngineError);
    assert.match(error.message, /budget of \$1 is spent.*of 50 rows are answered/);
    assert.ok(predictions.length > 0 && predictions.length < 50);
    assert.ok(predictions.reduce((sum, { dollars = 0 }) => sum + dollars, 0) <= 1);
    assert.equal(predictions.length, server!.requests);
  });

  it("what an earlier attempt paid counts, though its rows are not asked again", async () => {
    const endpoint = await serve();
    const price = { input_per_million: 1000, output_per_million: 1000 };
    const given = { rows: rowsOf(texts(50)), endpoint: { ...endpoint, price, concurrency: 1 }, spec: { budget: 1 } };
    const first = await ran(chatEngine, given, folder);
    const asked = server!.requests;
    const second = await ran(chatEngine, given, folder, {}, first.predictions);
    assert.match((second.error as Error).message, /budget of \$1 is spent/);
    assert.equal(server!.requests, asked);
  });

  it("says where its prices are from", async () => {
    const endpoint = await serve();
    const price = { input_per_million: 1, output_per_million: 1 };
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, price, price_from: "a dated table" } };
    const { events } = await ran(chatEngine, given, folder);
    assert.ok(events.some((event) => event.type === "log" && event.message === "Prices are from a dated table."));
  });

  it("OpenAI's own prices are known of its models, not of fine-tunes of them", () => {
    const openai = { base_url: "https://api.openai.com/v1" };
    assert.match(priceOf(openai, "gpt-4o-mini-2024-07-18")!.from, /table of \d{4}-\d\d-\d\d/);
    assert.equal(priceOf(openai, null), null);
    assert.equal(priceOf({ base_url: "http://127.0.0.1/v1" }, "gpt-4o-mini"), null);
  });

  it("a budget without a price is refused before anything is asked", async () => {
    const endpoint = await serve();
    const { error } = await ran(chatEngine, { rows: rowsOf(texts(1)), endpoint, spec: { budget: 1 } }, folder);
    assert.match((error as Error).message, /nothing is known of the price/);
    assert.equal(server!.requests, 0);
  });

  for (const [status, code, pattern] of [
    [401, "invalid_api_key", /does not accept the key/],
    [404, "model_not_found", /knows no model "test-model"/],
    [429, "insufficient_quota", /no credit left/],
  ] as const) {
    it(`${status} ${code} ends the job with what to do, after one call a slot`, async () => {
      const body = { error: { message: `${code}: no`, code, param: null, type: "x" } };
      const endpoint = await serve({ fault: () => ({ status, body }) });
      const { error } = await ran(chatEngine, { rows: rowsOf(texts(50)), endpoint }, folder);
      assert.ok(error instanceof EngineError);
      assert.match(error.message, pattern);
      assert.ok(error.remedy);
      assert.ok(server!.requests <= 8);
    });
  }

  it("leaves out what the endpoint does not take", async () => {
    const endpoint = await serve({
      fault: (body) =>
        body.seed != null
          ? {
              status: 400,
              body: { error: { message: "Unsupported parameter: 'seed'", code: "x", param: "seed", type: "x" } },
            }
          : undefined,
    });
    const { predictions, events } = await ran(chatEngine, { rows: rowsOf(texts(5)), endpoint }, folder);
    assert.equal(predictions.filter(({ label }) => label === "good").length, 5);
    assert.ok(events.some((event) => event.type === "log" && /does not take "seed"/.test(event.message)));
  });

  it("one bad request is that row's failure, not the job's", async () => {
    const endpoint = await serve({
      fault: (body) =>
        lastMessage(body) === "text 2"
          ? {
              status: 400,
              body: { error: { message: "too long", code: "context_length_exceeded", param: null, type: "x" } },
            }
          : undefined,
    });
    const { predictions, error } = await ran(chatEngine, { rows: rowsOf(texts(5)), endpoint }, folder);
    assert.equal(error, undefined);
    assert.deepEqual(
      predictions.filter(({ problem }) => problem).map(({ row, problem }) => [row, problem]),
      [["test-2", "failed"]],
    );
  });

  it("a server that is not there is said at once, with what to do", async () => {
    const endpoint = await serve();
    await server!.close();
    server = undefined;
    const { predictions, error } = await ran(chatEngine, { rows: rowsOf(texts(3)), endpoint }, folder);
    assert.match(String(error), /Nobody answers at http:\/\/127\.0\.0\.1:\d+ \(connect ECONNREFUSED/);
    assert.match((error as EngineError).remedy!, /Start the server of endpoint "test"/);
    assert.equal(predictions.length, 0);
  });

  it("rows that a vanished endpoint left without an answer are asked again by the next attempt", async () => {
    let down = true;
    const gone: Fault = { status: 400, body: { error: { message: "gone", code: null, param: null, type: "x" } } };
    const endpoint = await serve({
      fault: (body) => (down && Number(lastMessage(body).split(" ")[1]) >= 3 ? gone : undefined),
    });
    const given = { rows: rowsOf(texts(40)), endpoint: { ...endpoint, concurrency: 1 } };
    const first = await ran(chatEngine, given, folder);
    assert.match(String(first.error), /20 rows in a row got no answer from .*gone\. 3 of 40 rows are answered\./);
    assert.deepEqual(
      first.predictions.map(({ row }) => row),
      ["test-0", "test-1", "test-2"],
    );
    down = false;
    const second = await ran(chatEngine, given, folder, {}, first.predictions);
    assert.equal(second.error, undefined);
    assert.equal(second.predictions.filter(({ label }) => label === "good").length, 37);
  });

  it("sends no key to another origin, and says which it wants", async () => {
    const endpoint = await serve();
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, key: "SOME_KEY" } };
    const keys = [{ name: "SOME_KEY", origin: "https://elsewhere.example", value: "secret" }];
    const { error } = await ran(chatEngine, given, folder, { keys });
    assert.match((error as Error).message, /wants the key SOME_KEY/);
    assert.equal(server!.requests, 0);
  });

  it("looks once at what the endpoint can do, and asks by schema where it keeps to one", async () => {
    const endpoint = await serve({
      reply: (body) => ({
        text: lastMessage(body).startsWith("Is this text") ? '{"label": "quartz"}' : '{"label": "bad"}',
      }),
    });
    const given = { rows: rowsOf(texts(3)), endpoint: { ...endpoint, structured: undefined, logprobs: undefined } };
    const { predictions } = await ran(chatEngine, given as never, folder);
    assert.ok(predictions.every(({ label }) => label === "bad"));
    const [probe, first] = server!.bodies;
    assert.match(lastMessage(probe!), /^Is this text/);
    assert.equal(first!.response_format?.type, "json_schema");
    // No log-probabilities: votes.
    assert.equal(first!.n, 5);
  });

  it("votes: the share of the answers, the rest of a failed one uncovered", async () => {
    const said = ["good", "bad", "good", "good", "what?"];
    const endpoint = await serve({ reply: (_, choice) => ({ text: said[choice]! }) });
    const spec = { confidence: { signal: "votes", samples: 5 } };
    const { predictions } = await ran(chatEngine, { rows: rowsOf(texts(1)), endpoint, spec }, folder);
    const [{ label, score, top, rest, uncovered }] = predictions as [(typeof predictions)[number]];
    assert.deepEqual(
      [label, score, top, rest, uncovered],
      [
        "good",
        0.6,
        [
          ["good", 0.6],
          ["bad", 0.2],
        ],
        0.2,
        0.2,
      ],
    );
    assert.equal(server!.requests, 1);
    assert.equal(server!.bodies[0]!.temperature, 1);
  });

  it("votes of an endpoint that gives one answer a call", async () => {
    const endpoint = await serve({
      fault: (body) =>
        (body.n ?? 1) > 1
          ? { status: 400, body: { error: { message: "n > 1 is not supported", code: null, param: "n", type: "x" } } }
          : undefined,
      reply: (body) => ({ text: (body.seed ?? 0) % 2 === 0 ? "good" : "bad" }),
    });
    const spec = { confidence: { signal: "votes", samples: 3 } };
    const { predictions } = await ran(chatEngine, { rows: rowsOf(texts(1)), endpoint, spec }, folder);
    assert.equal(predictions[0]!.top.reduce((sum, [, p]) => sum + p, 0).toFixed(3), "1.000");
    assert.equal(server!.answered.get("text 0"), 3);
  });

  it("scores from log-probabilities", async () => {
    const endpoint = await serve({
      reply: () => ({ text: "good", tokens: [token(["good", 0.6], ["bad", 0.2], ["The", 0.1]), token(["", 1])] }),
    });
    const { predictions } = await ran(
      chatEngine,
      { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 3 } },
      folder,
    );
    const [{ label, top, uncovered }] = predictions as [(typeof predictions)[number]];
    // 0.6 and 0.2 of the 0.9 that is a label or may be one: 0.1 was not seen.
    assert.equal(label, "good");
    assert.deepEqual(
      top.map(([name, p]) => [name, p.toFixed(4)]),
      [
        ["good", "0.6667"],
        ["bad", "0.2222"],
      ],
    );
    assert.equal(uncovered?.toFixed(4), "0.1111");
  });

  it("tokens hold a code fence and reasoning that the text leaves out", async () => {
    const tokens = [
      token(["<think>good?</think>", 1]),
      token(["```json\n", 1]),
      token(['{"label": "', 0.9], ["{", 0.1]),
      token(["good", 0.6], ["bad", 0.4]),
      token(['"}', 1]),
      token(["\n```", 1]),
    ];
    const endpoint = await serve({ reply: () => ({ text: '{"label": "good"}', tokens }) });
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 2, structured: true } };
    const { predictions } = await ran(chatEngine, given, folder);
    const [{ label, score, uncovered = 0 }] = predictions as [(typeof predictions)[number]];
    assert.deepEqual([label, score.toFixed(4), uncovered.toFixed(4)], ["good", "0.6000", "0.0000"]);
  });

  it("a label behind the dash of the list has the score of the label", async () => {
    const tokens = [token(["-", 0.2], ["The", 0.1]), token([" good", 0.6], [" bad", 0.4]), token(["", 1])];
    const endpoint = await serve({ reply: () => ({ text: "- good", tokens }) });
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 2 } };
    const { predictions } = await ran(chatEngine, given, folder);
    const [{ label, score, uncovered = 0 }] = predictions as [(typeof predictions)[number]];
    assert.deepEqual([label, score.toFixed(4), uncovered.toFixed(4)], ["good", "0.6000", "0.0000"]);
  });

  it("of equally likely labels the one that was written is the answer", async () => {
    const endpoint = await serve({ reply: () => ({ text: "bad", tokens: [token(["bad", 0.5], ["good", 0.5])] }) });
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 2 } };
    const { predictions } = await ran(chatEngine, given, folder);
    assert.equal(predictions[0]!.label, "bad");
  });

  it("an answer without its log-probabilities has no score; a model that wants them of an endpoint with none ends", async () => {
    const endpoint = await serve({ reply: () => ({ text: "bad" }) });
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 2 } };
    const { predictions } = await ran(chatEngine, given, folder);
    const { label, score, uncovered } = predictions[0]!;
    assert.deepEqual([label, score, uncovered], ["bad", 0, 1]);
    const spec = { confidence: { signal: "logprobs" } };
    const none = await ran(chatEngine, { ...given, endpoint: { ...endpoint, logprobs: 0 }, spec }, folder);
    assert.match(String(none.error), /gives none for test-model/);
  });

  it("the bake-off looks at log-probabilities and at rows without content, whatever signal the model has", async () => {
    const endpoint = await serve({
      reply: (body) => {
        const empty = ["N/A", "", "[MASK]"].includes(lastMessage(body));
        return { text: "good", tokens: [token(["good", empty ? 0.8 : 0.7], ["bad", empty ? 0.2 : 0.3])] };
      },
    });
    const spec = { confidence: { signal: "votes", samples: 2 } };
    const given = { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 2 }, spec, options: { signals: true } };
    const { predictions } = await ran(chatEngine, given, folder);
    const { signals, score } = predictions[0]!;
    assert.equal(score, 1);
    assert.deepEqual(signals!.votes, ["good", 1]);
    assert.deepEqual(signals!.logprobs, ["good", 0.7]);
    assert.equal(signals!["content-free"]![0], "bad");
  });

  it("divides out what rows without content get", async () => {
    const endpoint = await serve({
      reply: (body) => {
        const empty = ["N/A", "", "[MASK]"].includes(lastMessage(body));
        return {
          text: "good",
          tokens: [empty ? token(["good", 0.8], ["bad", 0.2]) : token(["good", 0.7], ["bad", 0.3])],
        };
      },
    });
    const spec = { confidence: { length_bias: "content-free" } };
    const { predictions } = await ran(
      chatEngine,
      { rows: rowsOf(texts(1)), endpoint: { ...endpoint, logprobs: 2 }, spec },
      folder,
    );
    assert.equal(predictions[0]!.label, "bad");
    assert.equal(predictions[0]!.score.toFixed(4), (0.3 / 0.2 / (0.3 / 0.2 + 0.7 / 0.8)).toFixed(4));
  });
});

function secondJob(given: Parameters<typeof ran>[1]) {
  const job = { ...jobOf(given), id: "20261122-0001-test-00000001" };
  return { job };
}
