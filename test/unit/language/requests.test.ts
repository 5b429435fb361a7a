import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { createConnection, ProposedFeatures } from "vscode-languageserver/node";
import {
  CancellationTokenSource,
  createProtocolConnection,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import { RequestError, type RequestHandlers, registerRequests } from "../../../server/src/requests.ts";

describe("requests at the door", () => {
  const open: { dispose(): void }[] = [];
  const log: string[] = [];

  function serve(handlers: RequestHandlers): ProtocolConnection {
    const [there, back] = [new PassThrough(), new PassThrough()];
    const connection = createConnection(
      ProposedFeatures.all,
      new StreamMessageReader(there),
      new StreamMessageWriter(back),
    );
    registerRequests(connection, handlers);
    connection.listen();
    const client = createProtocolConnection(new StreamMessageReader(back), new StreamMessageWriter(there));
    client.onNotification("window/logMessage", ({ message }: { message: string }) => void log.push(message));
    client.listen();
    open.push(client, connection);
    return client;
  }
  afterEach(() => {
    for (const each of open.splice(0)) each.dispose();
    log.length = 0;
  });

  it("hand on checked parameters with their defaults, and the answer", async () => {
    const client = serve({
      "clf/jobs/log": ({ offset, ...rest }) => ({
        ...{ attempt: 1, text: JSON.stringify(rest), start: 0, offset, size: 0, ended: true },
      }),
    });
    assert.deepEqual(await client.sendRequest("clf/jobs/log", { project: "p", job: "j" }), {
      attempt: 1,
      text: '{"project":"p","job":"j"}',
      start: 0,
      offset: 0,
      size: 0,
      ended: true,
    });
  });

  it("refuse wrong parameters, and name them", async () => {
    const client = serve({ "clf/jobs/cancel": () => assert.fail("reached the handler") });
    await assert.rejects(
      client.sendRequest("clf/jobs/cancel", { project: 1 }),
      (error: { code: number; message: string }) => {
        assert.equal(error.code, -32602);
        assert.match(error.message, /clf\/jobs\/cancel: project: .*; job: /);
        return true;
      },
    );
    await assert.rejects(client.sendRequest("clf/jobs/cancel", { project: "p", job: "j", more: 1 }), { code: -32602 });
  });

  it("say when there is no handler", async () => {
    await assert.rejects(serve({}).sendRequest("clf/projects", {}), { code: -32601 });
  });

  it("pass on a message meant for people, and log only what is not", async () => {
    const client = serve({
      "clf/projects": () => {
        throw new RequestError("There is no project. Open a folder that has one.");
      },
      "clf/diagnostics": () => (undefined as unknown as { text: string }).text,
    });
    await assert.rejects(client.sendRequest("clf/projects", {}), {
      code: -32803,
      message: "There is no project. Open a folder that has one.",
    });
    await assert.rejects(client.sendRequest("clf/diagnostics", {}), (error: Error) => {
      assert.match(error.message, /clf\/diagnostics.*log/);
      assert.doesNotMatch(error.message, /at .*\.ts/);
      return true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(log.length, 1);
    assert.match(log[0]!, /requests\.test\.ts/);
  });

  it("tell a handler that its answer is no longer wanted", async () => {
    const client = serve({
      "clf/projects": (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    const cancel = new CancellationTokenSource();
    const asked = client.sendRequest("clf/projects", {}, cancel.token);
    setTimeout(() => cancel.cancel(), 20);
    await assert.rejects(asked, { code: -32800 });
  });
});
