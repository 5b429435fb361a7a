/** The door of `clf serve`: who is answered, and what the others are told. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { type ServedInput, ServeFailure } from "../../../schemas/serve.ts";
import { type Doors, type Listening, listen } from "../../../server/src/cli/serve-http.ts";

describe("the door of clf serve", () => {
  let listening: Listening;
  let asked: ServedInput[][];
  let answer: (rows: ServedInput[]) => Promise<unknown>;
  const doors: Doors = {
    inputs: ["text", "place"],
    health: async () => ({ status: "ok" }),
    classify: (rows) => {
      asked.push(rows);
      return answer(rows);
    },
    explain: (error) =>
      (error as Error).message === "full"
        ? { status: 503, message: "The disk is full.", remedy: "Make room." }
        : undefined,
  };

  beforeEach(async () => {
    asked = [];
    answer = async () => ({ rows: [] });
    listening = await listen(0, doors);
  });
  afterEach(() => listening.close());

  interface Sent {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
  }

  /** By node:http, which sends whatever headers it is given. */
  function send({ method = "POST", path = "/classify", headers = {}, body = "" }: Sent) {
    return new Promise<{ status: number; json: unknown; headers: NodeJS.Dict<string | string[]> }>(
      (resolve, reject) => {
        const sent = request(
          `${listening.url}${path}`,
          { method, headers: { "content-type": "application/json", ...headers } },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (part) => (text += part));
            response.on("end", () =>
              resolve({
                status: response.statusCode!,
                json: text === "" ? null : JSON.parse(text),
                headers: response.headers,
              }),
            );
          },
        );
        sent.on("error", reject);
        sent.end(body);
      },
    );
  }

  async function refused(status: number, words: RegExp, of: Sent): Promise<void> {
    const { status: is, json } = await send(of);
    const { error } = ServeFailure.parse(json);
    assert.equal(is, status, error.message);
    assert.match(`${error.message} ${error.remedy}`, words);
    assert.equal(asked.length, 0);
  }

  const row = { inputs: { text: "broke his wrist", place: "" } };
  const body = JSON.stringify(row);

  it("listens on the loopback address alone", () => {
    assert.equal(new URL(listening.url).hostname, "127.0.0.1");
  });

  it("takes a row, or a list of them", async () => {
    assert.equal((await send({ body })).status, 200);
    const headers = { "content-type": "application/json; charset=utf-8" };
    assert.equal((await send({ headers, body: JSON.stringify({ rows: [row, { id: "7", ...row }] }) })).status, 200);
    assert.deepEqual(asked, [[row], [row, { id: "7", ...row }]]);
    assert.deepEqual((await send({ method: "GET", path: "/health" })).json, { status: "ok" });
  });

  it("answers nobody who asks by another name or from a page", async () => {
    const { port } = new URL(listening.url);
    await refused(421, /Host header.*127\.0\.0\.1/, { headers: { host: "evil.example" }, body });
    await refused(421, /Host header/, { headers: { host: `evil.example:${port}` }, body });
    await refused(403, /other origins/, { headers: { origin: "https://evil.example" }, body });
    await refused(403, /other origins/, { headers: { origin: "null" }, body });
    await refused(421, /Host header/, { method: "GET", path: "/health", headers: { host: "evil.example" } });
    assert.equal(
      (await send({ headers: { host: `localhost:${port}`, origin: `http://localhost:${port}` }, body })).status,
      200,
    );
  });

  it("answers nothing a page could send unasked", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      await refused(415, /application\/json/, { headers: { "content-type": type }, body });
    }
    const { headers } = await send({ body });
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  it("says what is wrong with a request", async () => {
    await refused(404, /POST \/classify or GET \/health/, { path: "/nothing" });
    await refused(405, /POST the rows/, { method: "GET" });
    await refused(405, /GET it/, { path: "/health" });
    await refused(400, /not JSON.*"inputs"/, { body: "{" });
    await refused(400, /not UTF-8/, { body: Buffer.from([0x7b, 0xff, 0x7d]) });
    await refused(400, /not a row/, { body: '{"text": "x"}' });
    await refused(400, /not a row/, { body: '{"rows": []}' });
    await refused(400, /no input "place".*text, place/, { body: '{"inputs": {"text": "x"}}' });
    await refused(400, /Row 2 has an input "txt"/, {
      body: JSON.stringify({ rows: [row, { inputs: { ...row.inputs, txt: "" } }] }),
    });
    await refused(400, /has no text/, { body: '{"inputs": {"text": " ", "place": ""}}' });
    await refused(413, /1001 rows.*1000 at most/, {
      body: JSON.stringify({ rows: Array.from({ length: 1001 }, () => row) }),
    });
  });

  it("reads no more of a body than it may hold", async () => {
    await refused(413, /longer than 8 MiB/, { headers: { "content-length": String(9 * 2 ** 20) } });
    // Without a length, the connection may be cut before all is sent: refused either way.
    const told = await send({
      headers: { "transfer-encoding": "chunked" },
      body: Buffer.alloc(9 * 2 ** 20, 0x20),
    }).catch(() => null);
    if (told) assert.equal(told.status, 413);
    assert.equal(asked.length, 0);
    assert.equal((await send({ body })).status, 200);
  });

  it("an error of the model is told with what to do, a defect without where", async () => {
    answer = async () => {
      throw new Error("full");
    };
    const known = await send({ body });
    assert.deepEqual(
      [known.status, known.json],
      [503, { error: { message: "The disk is full.", remedy: "Make room." } }],
    );
    answer = async () => {
      throw new Error("odd");
    };
    const defect = await send({ body });
    assert.equal(defect.status, 500);
    assert.doesNotMatch(JSON.stringify(defect.json), /\bat .*\.ts/);
  });

  it("closing answers what is there first", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    answer = () => held.then(() => ({ rows: ["late"] }));
    const reply = send({ body });
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const closing = listening.close();
    release();
    assert.deepEqual((await reply).json, { rows: ["late"] });
    await closing;
    await assert.rejects(send({ body }));
    listening = await listen(0, doors);
  });
});
