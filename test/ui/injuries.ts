/** A small folder of data for tests: the first reports of examples/severe-injuries, some of them without labels. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const example = join(import.meta.dirname, "..", "..", "examples", "severe-injuries");

/** The example's records are one line each. */
function lines(file: string, n: number): string[] {
  return readFileSync(join(example, file), "utf8")
    .split("\n")
    .slice(0, n + 1);
}

/** @returns a new folder with `injuries.csv` (of `rows` rows) and `inbox.csv` (of `pool` rows) and no project */
export function injuriesFolder(rows: number, pool: number): string {
  const folder = mkdtempSync(join(tmpdir(), "clf-injuries-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "injuries.csv"), `${lines("data/injuries.csv", rows).join("\n")}\n`);
  writeFileSync(join(folder, "inbox.csv"), `${lines("inbox/2026-11-02.csv", pool).join("\n")}\n`);
  return folder;
}
