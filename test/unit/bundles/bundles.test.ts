/** Every bundle in dist/ starts and does its first piece of work: what runs from source may still break when bundled. */
import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { execa } from "execa";
import type { DuckDbAnswer, DuckDbRequest } from "../../../server/src/dataset/duckdb-protocol.ts";
import type { Task } from "../../../server/src/engines/linear/tasks.ts";
import { build, DIST, ROOT } from "../../built.ts";

const run = (file: string, args: string[] = []) =>
  execa(process.execPath, [join(DIST, file), ...args], { reject: false, stdin: "ignore", timeout: 15_000 });

/** Asks the bundled DuckDB child, as duckdb.ts does. */
async function askDuckDb(requests: DuckDbRequest[]): Promise<DuckDbAnswer[]> {
  const child = fork(join(DIST, "duckdb.mjs"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const answers: DuckDbAnswer[] = [];
  try {
    for (const request of requests) {
      const answer = once(child, "message");
      child.send(request);
      answers.push((await answer)[0] as DuckDbAnswer);
    }
    return answers;
  } finally {
    child.disconnect();
    await once(child, "exit");
  }
}

/** Sends `initialize` over stdio and gives the answer. */
async function initialize(): Promise<{ result: { capabilities: object } }> {
  const child = spawn(process.execPath, [join(DIST, "server.mjs"), "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const params = { processId: process.pid, rootUri: null, capabilities: {}, workspaceFolders: null };
  const message = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  child.stdin.write(`Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`);
  let text = "";
  try {
    for await (const chunk of child.stdout) {
      text += chunk;
      for (const part of text.split(/Content-Length: \d+\r\n\r\n/)) {
        if (part.includes('"id":1') && part.endsWith("}}")) return JSON.parse(part);
      }
    }
    throw new Error(`no answer, only: ${text}`);
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

const TESTS: Record<string, () => Promise<void>> = {
  "cli.mjs": async () => {
    const { exitCode, stdout, stderr } = await run("cli.mjs", ["--version"]);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    assert.match(stdout, /^\d+\.\d+\.\d+$/);
  },
  "runner.mjs": async () => {
    const { exitCode, stderr } = await run("runner.mjs");
    assert.deepEqual([exitCode, stderr], [2, "Usage: runner JOBFOLDER"]);
  },
  "supervisor.mjs": async () => {
    const folder = await mkdtemp(join(tmpdir(), "clf-bundle-"));
    try {
      const { exitCode } = await run("supervisor.mjs", ["no-such-mode", folder, "1"]);
      assert.notEqual(exitCode, 0);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  "duckdb.mjs": async () => {
    const [started, opened, taken] = await askDuckDb([
      { id: 1, do: "start", settings: { folders: [], memoryLimit: "128MB", threads: 1 } },
      { id: 2, do: "open", sql: "SELECT $1::INTEGER * 2 AS twice", values: [21] },
      { id: 3, do: "take", stream: 2, rows: 10 },
    ]);
    assert.ok(started?.ok && opened?.ok && taken?.ok, JSON.stringify([started, opened, taken]));
    assert.deepEqual(taken?.data, [[42]]);
  },
  "server.mjs": async () => {
    const { result } = await initialize();
    assert.ok("hoverProvider" in result.capabilities);
  },
  "data-worker.mjs": () => startsAsWorker("data-worker.mjs"),
  "workbench.mjs": () => startsAsWorker("workbench.mjs"),
  "linear-worker.mjs": async () => {
    const cancel = new SharedArrayBuffer(4);
    const worker = new Worker(join(DIST, "linear-worker.mjs"), { workerData: { cancel } });
    try {
      const { extractFeatures, defaultOptions } = await import("../../../server/src/engines/linear/index.ts");
      const rows = ["a cat sat", "the cat ran", "a dog sat", "the dog ran"].map((text) => [text]);
      const options = { ...defaultOptions, minDf: 1 };
      const task: Task = {
        kind: "fit",
        counts: await extractFeatures(rows, options),
        labels: Int32Array.of(0, 0, 1, 1),
        classes: 2,
        train: Int32Array.of(0, 1, 2, 3),
        options,
        seed: 1,
        c: 10,
      };
      worker.postMessage(task);
      let message: { type: string; result?: { weights: Int8Array } };
      do [message] = await once(worker, "message");
      while (message.type === "progress");
      assert.equal(message.type, "result", JSON.stringify(message));
      assert.ok(message.result!.weights.some((weight) => weight !== 0));
    } finally {
      await worker.terminate();
    }
  },
  "language-client.cjs": () => loadsInExtensionHost("language-client.cjs", ["LanguageClient", "TransportKind"]),
  "extension.cjs": () => loadsInExtensionHost("extension.cjs", ["activate", "deactivate"]),
};

/** A worker thread that waits for its first message. */
async function startsAsWorker(file: string): Promise<void> {
  const worker = new Worker(join(DIST, file));
  const failed = once(worker, "error").then(([error]) => Promise.reject(error));
  await Promise.race([once(worker, "online"), failed]);
  // Its imports run after it is online; a message that it does not know is left alone.
  await Promise.race([new Promise((resolve) => setTimeout(resolve, 300)), failed]);
  failed.catch(() => {});
  await worker.terminate();
}

/** Loads a CommonJS bundle with a stand-in for `vscode`: anything asked of it is a class, a function and a namespace. */
async function loadsInExtensionHost(file: string, exported: string[]): Promise<void> {
  const script = `
    const { Module } = require("node:module");
    const any = () => {
      const made = new Map();
      return new Proxy(class {}, {
        get(target, key) {
          if (key in target || typeof key === "symbol") return target[key];
          if (!made.has(key)) made.set(key, any());
          return made.get(key);
        },
      });
    };
    // A plain object, as the real one is: bundled code copies its own keys.
    const text = require("node:fs").readFileSync(${JSON.stringify(join(DIST, file))}, "utf8");
    const names = new Set([...text.matchAll(/\\.([A-Za-z]\\w*)/g)].map(([, name]) => name));
    const vscode = Object.fromEntries([...names].map((name) => [name, any()]));
    const load = Module._load;
    Module._load = (request, ...rest) => (request === "vscode" ? vscode : load(request, ...rest));
    const found = require(${JSON.stringify(join(DIST, file))});
    console.log(JSON.stringify(${JSON.stringify(exported)}.map((name) => typeof found[name])));
    process.exit();
  `;
  const { stdout, stderr } = await execa(process.execPath, ["-e", script], {
    cwd: ROOT,
    reject: false,
    timeout: 15_000,
  });
  assert.equal(stderr, "");
  for (const kind of JSON.parse(stdout)) assert.notEqual(kind, "undefined");
}

describe("bundles", function () {
  this.timeout(30_000);
  before(function () {
    this.timeout(120_000);
    build();
  });

  it("are all tested here", () => {
    // Parts of several bundles, and what a bundle loads when it is needed.
    const shared = /-[A-Z0-9]{8}\.mjs$/;
    const built = readdirSync(DIST).filter((name) => /\.[mc]js$/.test(name) && !shared.test(name));
    assert.deepEqual(built.sort(), Object.keys(TESTS).sort());
  });

  for (const [file, test] of Object.entries(TESTS)) it(`${file} starts and works`, test);
});
