/** manager.jsonl: what managers did with a job. Several windows may append, each under a short lock. */
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { lock } from "proper-lockfile";
import { ManagerRecord } from "../../../schemas/job.ts";
import { cutTornLine, wholeLines } from "./lines.ts";

export type NewRecord = Omit<ManagerRecord, "seq" | "time">;

export async function readRecords(folder: string): Promise<ManagerRecord[]> {
  const records: ManagerRecord[] = [];
  for await (const line of wholeLines(join(folder, "manager.jsonl"))) {
    const record = parseRecord(line.text);
    if (record) records.push(record);
  }
  return records;
}

/**
 * Appends what `decide` makes of the records so far, or nothing. No other manager writes in between, so "once only" can be
 * decided there. Returns the record, or null.
 */
export async function appendRecord(
  folder: string,
  decide: (records: readonly ManagerRecord[]) => NewRecord | null | Promise<NewRecord | null>,
): Promise<ManagerRecord | null> {
  const path = join(folder, "manager.jsonl");
  // A lock left by a manager that was killed is taken over after `stale` milliseconds.
  const release = await lock(path, {
    realpath: false,
    stale: 5000,
    retries: { retries: 60, factor: 1.3, minTimeout: 20, maxTimeout: 500, randomize: true },
    onCompromised: () => {},
  });
  try {
    const records = await readRecords(folder);
    const wanted = await decide(records);
    if (!wanted) return null;
    await cutTornLine(path);
    const record = { seq: (records.at(-1)?.seq ?? 0) + 1, time: new Date().toISOString(), ...wanted };
    await appendFile(path, `${JSON.stringify(record)}\n`);
    return record;
  } finally {
    await release().catch(() => {});
  }
}

function parseRecord(text: string): ManagerRecord | null {
  try {
    return ManagerRecord.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
