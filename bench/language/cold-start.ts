/**
 * From the start of the server's process to its first diagnostics, of the bundle, on a project of ordinary size.
 *
 * Run: node bench/language/cold-start.ts [--rounds 20]   (after `npm run build`)
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import { largeProject } from "./large-project.ts";

const bundle = join(import.meta.dirname, "../../dist/server.mjs");
const rounds = Number(process.argv[process.argv.indexOf("--rounds") + 1] || 20) || 20;
const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
const { text } = largeProject(80);
const file = join(folder, "p.clf.yaml");
writeFileSync(file, text);
const uri = pathToFileURL(file).href;

interface Start {
  /** Milliseconds to the answer to `initialize`, and to the first diagnostics. */
  initialized: number;
  diagnostics: number;
  /** Milliseconds of processor time until then (Linux). */
  processor: number | null;
  /** MiB of memory then (Linux). */
  memory: number | null;
}

async function start(): Promise<Start> {
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

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

try {
  await start();
  const starts: Start[] = [];
  for (let i = 0; i < rounds; i++) starts.push(await start());
  const of = (name: keyof Start) => starts.flatMap((each) => each[name] ?? []);
  console.log(`${rounds} starts, ${text.split("\n").length} lines; ${cpus()[0]?.model}, Node ${process.version}`);
  console.log(
    `first diagnostics  median ${median(of("diagnostics")).toFixed(0)} ms, fastest ${Math.min(...of("diagnostics")).toFixed(0)} ms`,
  );
  console.log(`initialize         median ${median(of("initialized")).toFixed(0)} ms`);
  if (of("processor").length > 0) {
    console.log(
      `processor time     median ${median(of("processor")).toFixed(0)} ms; memory ${median(of("memory")).toFixed(0)} MiB`,
    );
  }
  console.log(`dist/server.mjs    ${(statSync(bundle).size / 1024).toFixed(0)} KiB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
