/**
 * The data preview on a large file, over stdio as an editor asks: first rows, first pass, jumps, filters, orders, memory of all
 * the server's processes; beside pandas for the profile. Prints, asserts nothing.
 * Usage: node bench/preview/bench.ts FILE.csv [FILE.parquet …] [--python PYTHON]
 * A file to try: node bench/dataset/make-rows.ts rows.csv 1000000 200
 */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { PreviewPage, PreviewProfile } from "../../schemas/preview.ts";
import { startClient, uriOf } from "../../test/server/client.ts";
import { treeMegabytes } from "../spine/process-tree.ts";

const { positionals, values } = parseArgs({ allowPositionals: true, options: { python: { type: "string" } } });
const server = join(import.meta.dirname, "../../dist/server.mjs");

async function timed<T>(what: () => Promise<T>): Promise<[milliseconds: number, result: T]> {
  const started = performance.now();
  const result = await what();
  return [performance.now() - started, result];
}
const ms = (value: number): string => `${value.toFixed(0)} ms`;

for (const file of positionals.map((path) => resolve(path))) {
  console.log(`\n${file}: ${(statSync(file).size / 1e6).toFixed(0)} MB`);
  const client = await startClient({ server, folders: [], trusted: true });
  const data = uriOf(file);
  let most = 0;
  const memory = (): number => treeMegabytes("no such mark", client.process.pid!);
  const sample = setInterval(() => {
    most = Math.max(most, memory());
  }, 200);
  const before = memory();
  const page = (params: object) => client.request<PreviewPage>("clf/preview/page", { data, ...params });

  const started = performance.now();
  const [first, head] = await timed(() => page({ limit: 100 }));
  console.log(`first rows: ${ms(first)} (${head.rows.length} rows; the server's thread starts meanwhile)`);
  const during: number[] = [];
  for (;;) {
    const [time, { complete, of }] = await timed(() => page({ limit: 100, offset: 0 }));
    during.push(time);
    if (complete) {
      console.log(
        `first pass: ${((performance.now() - started) / 1000).toFixed(2)} s, ${of.toLocaleString("en")} rows`,
      );
      break;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  during.sort((a, b) => a - b);
  console.log(`a page during the pass: median ${ms(during[during.length >> 1]!)}, longest ${ms(during.at(-1)!)}`);

  const { of: rows } = await page({ limit: 0 });
  const jumps: number[] = [];
  for (let i = 0; i < 60; i++) {
    const [time] = await timed(() => page({ offset: Math.floor((rows * ((i * 37) % 60)) / 60), limit: 100 }));
    jumps.push(time);
  }
  jumps.sort((a, b) => a - b);
  console.log(`jump: median ${ms(jumps[30]!)}, longest of 60 ${ms(jumps[59]!)}`);

  const column = Object.fromEntries(head.columns.map(({ name, key }) => [name, key]));
  const filters: Record<string, object> = {
    "search, few rows": { text: "tion" },
    "search, every row": { text: "e" },
    "search, no row": { text: "zzzzqqqq" },
    "search of one column": { text: "Employer 7", column: column.employer },
    "one label": { values: [{ column: column.label, values: ["label 3"] }] },
    "bounds of a length": { ranges: [{ column: column.text, of: "length", min: 100, max: 150 }] },
    duplicates: { duplicates: true },
  };
  for (const [name, filter] of Object.entries(filters)) {
    const [time, { total }] = await timed(() => page({ filter, limit: 100 }));
    console.log(`filter, ${name}: ${ms(time)} (${total.toLocaleString("en")} rows)`);
  }
  for (const name of ["label", "id", "text"]) {
    const [time] = await timed(() => page({ sort: { column: column[name] }, limit: 100 }));
    console.log(`sort by ${name}: ${ms(time)}`);
  }
  const [profiled] = await timed(() => client.request<PreviewProfile>("clf/preview/profile", { data }));
  console.log(`profile after the pass: ${ms(profiled)}`);
  const after = memory();
  clearInterval(sample);
  console.log(
    `memory of all processes: ${before.toFixed(0)} MB before, at most ${most.toFixed(0)} MB, ${after.toFixed(0)} MB after`,
  );
  await client.stop();

  if (values.python) {
    const out = execFileSync(values.python, [join(import.meta.dirname, "profile.py"), file], { encoding: "utf8" });
    const pandas = JSON.parse(out) as Record<string, number>;
    console.log(
      `pandas: read ${pandas.read!.toFixed(2)} s, read and profile ${pandas.profile!.toFixed(2)} s, search ${(1000 * pandas.search!).toFixed(0)} ms (${pandas.found!.toLocaleString("en")} rows), at most ${pandas.megabytes!.toFixed(0)} MB`,
    );
  }
}
