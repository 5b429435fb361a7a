/** From the start of the server's process to its first diagnostics, of the bundle, on a project of ordinary size. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import { largeProject } from "./large-project.ts";

const bundle = join(import.meta.dirname, "../../dist/server.mjs");

export interface Start {
  /** Milliseconds to the answer to `initialize`, and to the first diagnostics. */
  initialized: number;
  diagnostics: number;
  /** Milliseconds of processor time until then (Linux). */
  processor: number | null;
  /** MiB of memory then (Linux). */
  memory: number | null;
}

async function start(uri: string, text: string): Promise<Start> {
  const began = performance.now();
  const child = spawn(process.execPath, [bundle, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const first = new Promise<number>((resolve) => {
    connection.onNotification("textDocument/publishDiagnostics", () => resolve(performance.now() - began));
  });
  connection.listen();
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: null,
    capabilities: {},
  });
  const initialized = performance.now() - began;
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "clf-yaml", version: 1, text },
  });
  const diagnostics = await first;
  let processor: number | null = null;
  let memory: number | null = null;
  if (process.platform === "linux") {
    const ticks = readFileSync(`/proc/${child.pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    processor = (Number(ticks[11]) + Number(ticks[12])) * 10;
    memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024;
  }
  child.kill();
  connection.dispose();
  return { initialized, diagnostics, processor, memory };
}

/** Starts the server `rounds` times, one after the other; a first start is not counted. */
export async function coldStarts(rounds: number): Promise<Start[]> {
  const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
  try {
    const { text } = largeProject(80);
    const file = join(folder, "p.clf.yaml");
    writeFileSync(file, text);
    const uri = pathToFileURL(file).href;
    await start(uri, text);
    const starts: Start[] = [];
    for (let i = 0; i < rounds; i++) starts.push(await start(uri, text));
    return starts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
