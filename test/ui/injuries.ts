/** A small folder of data for tests: the first reports of examples/severe-injuries, some of them without labels. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../built.ts";

const example = join(ROOT, "examples", "severe-injuries");

/** The example's records are one line each. */
function lines(file: string, n: number): string[] {
  return readFileSync(join(example, file), "utf8")
    .split("\n")
    .slice(0, n + 1);
}

/**
 * Call it where a hook may be: the folder is removed after the tests.
 * @returns a new folder with `injuries.csv` (of `rows` rows) and `inbox.csv` (of `pool` rows) and no project
 */
export function injuriesFolder(rows: number, pool: number): string {
  const folder = mkdtempSync(join(tmpdir(), "clf-injuries-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "injuries.csv"), `${lines("data/injuries.csv", rows).join("\n")}\n`);
  writeFileSync(join(folder, "inbox.csv"), `${lines("inbox/2026-11-02.csv", pool).join("\n")}\n`);
  return folder;
}

/** The same with `injuries.clf.yaml`: one model, `baseline`, of one input and one target. */
export function injuriesProject(
  rows: number,
  pool: number,
  { input = "Final Narrative", model = "{ engine: linear }" } = {},
): string {
  const folder = injuriesFolder(rows, pool);
  writeFileSync(
    join(folder, "injuries.clf.yaml"),
    `version: 1
name: injuries
dataset: { source: injuries.csv, id: report_id }
task:
  inputs: [${input}]
  targets: [{ column: NatureTitle }]
models:
  baseline: ${model}
`,
  );
  return folder;
}
