/**
 * The language server beside yaml-language-server's own, on one project file of 4,000 lines with the same schema, by
 * turns, debounces off: time from an edit to its diagnostics, and of completion and hover right after an edit.
 *
 * Run: node bench/language/bench.ts [--rounds 30]   (after `npm run build`)
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createProtocolConnection,
  type Diagnostic,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import { editorSchema } from "../../server/src/language/editor-schema.ts";
import { largeProject } from "./large-project.ts";

const root = join(import.meta.dirname, "../..");
const rounds = Number(process.argv[process.argv.indexOf("--rounds") + 1] || 30) || 30;

const folder = mkdtempSync(join(tmpdir(), "clf-bench-"));
const { text, labels } = largeProject();
const file = join(folder, "large.clf.yaml");
const schema = join(folder, "project.schema.json");
writeFileSync(file, text);
writeFileSync(schema, JSON.stringify(editorSchema()));
// Data to check in the background while it is measured.
const columns = Object.keys(labels);
const rows = Array.from({ length: 20_000 }, (_, i) =>
  [
    i,
    `The employee had accident number ${i * 7919} at work`,
    `Employer ${i % 900}`,
    ...columns.map((c) => labels[c]![i % labels[c]!.length]),
  ].join(","),
);
mkdirSync(join(folder, "data"));
writeFileSync(
  join(folder, "data/rows.csv"),
  [["id", "Narrative", "Employer", ...columns].join(","), ...rows, ""].join("\n"),
);
const uri = pathToFileURL(file).href;
const lines = text.split("\n");

/** Where is typed, and where is asked. */
const labelLine = lines.findIndex((line) => line.includes("name: Part label 100"));
const hostLine = lines.findLastIndex((line) => line.includes("host: a10g"));

interface Server {
  name: string;
  process: ChildProcess;
  connection: ProtocolConnection;
  version: number;
  /** Called with each publication of diagnostics. */
  published: (diagnostics: Diagnostic[], version?: number) => void;
}

async function start(
  name: string,
  args: string[],
  initializationOptions: unknown,
  settings?: unknown,
): Promise<Server> {
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const server: Server = { name, process: child, connection, version: 1, published: () => {} };
  connection.onNotification("textDocument/publishDiagnostics", ({ diagnostics, version }) =>
    server.published(diagnostics, version),
  );
  connection.onRequest("client/registerCapability", () => null);
  connection.onRequest("workspace/configuration", ({ items }: { items: { section: string }[] }) =>
    items.map(({ section }) => (settings as Record<string, unknown> | undefined)?.[section] ?? {}),
  );
  connection.listen();
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: null,
    capabilities: {
      textDocument: {
        completion: { completionItem: { snippetSupport: true } },
        hover: { contentFormat: ["markdown"] },
      },
      workspace: { configuration: settings !== undefined },
    },
    initializationOptions,
  });
  await connection.sendNotification("initialized", {});
  const opened = new Promise<void>((resolve) => {
    server.published = () => resolve();
  });
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: name === "clf" ? "clf-yaml" : "yaml", version: 1, text },
  });
  await opened;
  return server;
}

function type(server: Server, line: number, start: number, end: number, put: string): Promise<void> {
  server.version++;
  const range = { start: { line, character: start }, end: { line, character: end } };
  return server.connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version: server.version },
    contentChanges: [{ range, text: put }],
  });
}

/** Milliseconds from an edit to diagnostics that fulfil the condition. */
async function toDiagnostics(server: Server, edit: () => Promise<void>, until: (found: Diagnostic[]) => boolean) {
  const started = performance.now();
  const found = new Promise<number>((resolve) => {
    server.published = (diagnostics) => until(diagnostics) && resolve(performance.now() - started);
  });
  await edit();
  return found;
}

async function ask(server: Server, method: string, position: { line: number; character: number }) {
  const started = performance.now();
  const result = await server.connection.sendRequest(method, { textDocument: { uri }, position });
  return { time: performance.now() - started, result };
}

const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));
const marked = (line: number) => (found: Diagnostic[]) =>
  found.some(({ severity, range }) => severity === 1 && range.start.line <= line && line <= range.end.line);
const clean = (line: number) => (found: Diagnostic[]) => !marked(line)(found);

const measures = ["syntax error", "syntax mended", "schema error", "schema mended", "completion", "hover"] as const;
type Times = Record<(typeof measures)[number], number[]>;

async function round(server: Server, times: Times, counts: boolean): Promise<void> {
  const end = lines[labelLine]!.length;
  const add = (name: keyof Times, time: number) => counts && times[name].push(time);
  add("syntax error", await toDiagnostics(server, () => type(server, labelLine, end, end, ": ["), marked(labelLine)));
  await pause(400);
  add("syntax mended", await toDiagnostics(server, () => type(server, labelLine, end, end + 3, ""), clean(labelLine)));
  await pause(400);
  add(
    "schema error",
    await toDiagnostics(server, () => type(server, labelLine + 1, 10, 10, "x"), marked(labelLine + 1)),
  );
  await pause(400);
  add(
    "schema mended",
    await toDiagnostics(server, () => type(server, labelLine + 1, 10, 11, ""), clean(labelLine + 1)),
  );
  await pause(400);
  for (const [name, method, character] of [
    ["completion", "textDocument/completion", lines[hostLine]!.length],
    ["hover", "textDocument/hover", lines[hostLine]!.indexOf("host") + 1],
  ] as const) {
    // A space at the end of a line far from where is asked: both servers read the text again.
    const settled = toDiagnostics(
      server,
      () => type(server, labelLine, end, end, " "),
      () => true,
    );
    const { time, result } = await ask(server, method, { line: hostLine, character });
    if (!result) throw new Error(`${server.name}: no ${name}`);
    add(name, time);
    await settled;
    await pause(300);
    await type(server, labelLine, end, end + 1, "");
    await pause(400);
  }
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

try {
  const yamlSettings = {
    schemas: { [pathToFileURL(schema).href]: "*" },
    schemaStore: { enable: false, url: "" },
    validate: true,
  };
  const ours = await start("clf", [join(root, "dist/server.mjs"), "--stdio"], {
    delays: { check: 0, reread: 0, data: 0 },
  });
  const theirs = await start(
    "yaml-language-server",
    [join(import.meta.dirname, "yaml-server.cjs"), "--stdio"],
    {},
    {
      yaml: yamlSettings,
      "http.proxy": "",
      "http.proxyStrictSSL": true,
    },
  );
  await pause(1500);
  const empty = (): Times => ({
    "syntax error": [],
    "syntax mended": [],
    "schema error": [],
    "schema mended": [],
    completion: [],
    hover: [],
  });
  const [a, b] = [empty(), empty()];
  for (let i = -3; i < rounds; i++) {
    for (const [server, times] of i % 2 === 0
      ? ([
          [ours, a],
          [theirs, b],
        ] as const)
      : ([
          [theirs, b],
          [ours, a],
        ] as const)) {
      await round(server, times, i >= 0);
    }
  }
  console.log(`${lines.length} lines, ${rounds} rounds, medians in ms; ${cpus()[0]?.model}, Node ${process.version}`);
  for (const measure of measures) {
    const [mine, other] = [median(a[measure]), median(b[measure])];
    console.log(
      `${measure.padEnd(14)} clf ${mine.toFixed(1).padStart(7)}   yaml-language-server ${other.toFixed(1).padStart(7)}   ratio ${(mine / other).toFixed(2)}`,
    );
  }
  for (const { process: child } of [ours, theirs]) child.kill();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
