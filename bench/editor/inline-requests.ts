/**
 * The server alone, asked for the hints of a large table as the editor asks: the first time, at places all over the file, and
 * after a decision of a person; and its memory.
 *
 * Run: node bench/editor/inline-requests.ts [--rows 100000]   (after `npm run build`)
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { FlaggedItem, InlineRow } from "../../schemas/protocol.ts";
import { startClient, uriOf } from "../../test/server/client.ts";
import { largeFolder } from "./large-folder.ts";

const { values } = parseArgs({ options: { rows: { type: "string", default: "100000" }, folder: { type: "string" } } });
const rows = Number(values.rows);
/** Lines that the client asks for at once: those on screen and some around them. */
const WINDOW = 160;
const PLACES = 50;

const folder = largeFolder(rows, values.folder);
try {
  console.log(`${rows.toLocaleString("en-US")} rows, ${(folder.bytes / 2 ** 20).toFixed(1)} MiB; ${cpus()[0]?.model}`);
  const client = await startClient({
    server: join(import.meta.dirname, "../../dist/server.mjs"),
    folders: [folder.path],
  });
  const file = join(folder.path, folder.file);
  const lines = readFileSync(file, "utf8").split("\n");
  const project = uriOf(join(folder.path, "large.clf.yaml"));

  async function ask(first: number): Promise<number> {
    const text = lines.slice(first, first + WINDOW).join("\n");
    const began = performance.now();
    const answer = await client.request<{ rows: InlineRow[] } | null>("clf/inline/hints", {
      data: uriOf(file),
      header: lines[0]!,
      first,
      text,
    });
    const time = performance.now() - began;
    if ((answer?.rows.length ?? 0) < WINDOW - 1)
      throw new Error(`${answer?.rows.length ?? "no"} rows at line ${first}`);
    return time;
  }
  const memory = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${client.process.pid}/status`, "utf8"))![1]) / 1024;
  const say = (what: string, value: string) => console.log(`${what.padEnd(28)}${value}`);

  say("first request", `${((await ask(1)) / 1000).toFixed(1)} s`);
  const times: number[] = [];
  for (let i = 0; i < PLACES; i++)
    times.push(await ask(1 + Math.floor(((i * 37) % PLACES) * ((rows - WINDOW) / PLACES))));
  times.sort((a, b) => a - b);
  say(`${PLACES} places`, `median ${times[PLACES >> 1]!.toFixed(1)} ms, worst ${times.at(-1)!.toFixed(1)} ms`);
  const began = performance.now();
  const { items } = await client.request<{ items: FlaggedItem[] }>("clf/flagged/list", { project });
  say("flagged rows listed", `${(performance.now() - began).toFixed(0)} ms`);
  const decisions: number[] = [];
  for (const { row, target } of items.slice(0, 5)) {
    await client.request("clf/review/decide", { project, row, target, kind: "none" });
    decisions.push(await ask(1));
  }
  say("request after a decision", `median ${decisions.sort((a, b) => a - b)[2]!.toFixed(0)} ms`);
  say("memory of the server", `${memory().toFixed(0)} MiB`);
  await client.stop();
} finally {
  folder.remove();
}
