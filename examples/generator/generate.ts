/**
 * Writes the data of the examples: `node examples/generator/generate.ts`. The same files byte for byte on every machine.
 * With a folder as argument it writes there instead.
 */
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import writeFileAtomic from "write-file-atomic";
import { toCsv } from "./csv.ts";
import { type InjuryRow, makeInjuries, NATURE, PART } from "./injuries.ts";
import { makeOutages, outageColumns } from "./outages.ts";

/** Path relative to examples/ → content. */
export function exampleFiles(): Map<string, string> {
  const files = new Map<string, string>();

  const injuries = makeInjuries({ seed: 20261121, rows: 4800, pool: 600, wrongLabels: 0.04 });
  const columns = ["report_id", "event_date", "Employer", "Final Narrative"];
  const unlabelled = (row: InjuryRow) => ({
    report_id: row.id,
    event_date: row.date,
    Employer: row.employer,
    "Final Narrative": row.narrative,
  });
  const labelled = injuries.rows.map((row) => ({ ...unlabelled(row), [NATURE]: row.nature, [PART]: row.part }));
  files.set("severe-injuries/data/injuries.csv", toCsv([...columns, NATURE, PART], labelled));
  const half = injuries.pool.length / 2;
  files.set("severe-injuries/inbox/2026-11-02.csv", toCsv(columns, injuries.pool.slice(0, half).map(unlabelled)));
  files.set("severe-injuries/inbox/2026-11-09.csv", toCsv(columns, injuries.pool.slice(half).map(unlabelled)));
  const poolTruth = injuries.pool.flatMap(({ id, nature, part }) => [
    { report_id: id, target: NATURE, given: "", true: nature },
    { report_id: id, target: PART, given: "", true: part },
  ]);
  const truth = [...injuries.wrong.map(({ id, ...rest }) => ({ report_id: id, ...rest })), ...poolTruth];
  files.set("severe-injuries/truth.csv", toCsv(["report_id", "target", "given", "true"], truth));

  const outages = makeOutages({ seed: 20261122, rows: 2500 });
  files.set("power-outages/data/outages.csv", toCsv(outageColumns, outages));
  return files;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), ".."));
  for (const [path, content] of exampleFiles()) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, content);
    process.stderr.write(`${path}: ${content.length} characters\n`);
  }
}
