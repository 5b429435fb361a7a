/** A remote job's growing files, copied into the manager's folder at the offsets they have at their source. */
import { mkdir, open, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { Host } from "./hosts/host.ts";
import { wholeLinesEnd } from "./lines.ts";

/** Files of an attempt that are written once. */
const ONCE = ["launch.json", "runner.json", "exit.json"];
/** And those that grow, by whole lines. */
const GROWING = ["events.jsonl", "log.txt"];

/** Brings an attempt's files up to date. Returns the bytes that were new. Two mirrors at once write the same bytes twice. */
export async function mirrorAttempt(host: Host, job: string, folder: string, attempt: number): Promise<number> {
  let bytes = 0;
  for (const name of ONCE) {
    const path = `attempts/${attempt}/${name}`;
    if (await isThere(join(folder, path))) continue;
    const piece = await host.read(job, path, 0);
    if (piece && piece.data.length === piece.size) {
      await writeFileAtomic(join(folder, path), piece.data);
      bytes += piece.data.length;
    }
  }
  for (const name of GROWING) bytes += await mirrorLines(host, job, folder, `attempts/${attempt}/${name}`);
  return bytes;
}

/**
 * Writes what a host tells of an attempt's files, as it comes. Growing files get whole lines; a line's beginning waits here for its end.
 */
export interface AttemptMirror {
  /** What is wanted: files that are not complete here, from the byte on that comes next. */
  wanted(): Promise<{ path: string; offset: number }[]>;
  /** False when nothing more of the file is wanted. @throws when a line of events has no end, which no runner writes */
  data(path: string, offset: number, data: Buffer): Promise<boolean>;
}

/** Bytes of a log that are copied at most. A runner that writes without end fills its host's disk, not this one's. */
const LOG_LIMIT = 64 << 20;
/** Bytes of the longest line. */
const LINE_LIMIT = 1 << 20;

export function attemptMirror(folder: string, attempt: number): AttemptMirror {
  const at = `attempts/${attempt}`;
  const log = `${at}/log.txt`;
  const beginnings = new Map<string, Buffer>();
  return {
    async wanted() {
      beginnings.clear();
      const files = [];
      for (const name of ONCE)
        if (!(await isThere(join(folder, at, name)))) files.push({ path: `${at}/${name}`, offset: 0 });
      for (const name of GROWING)
        files.push({ path: `${at}/${name}`, offset: await wholeLinesEnd(join(folder, at, name)) });
      return files.filter(({ path, offset }) => path !== log || offset < LOG_LIMIT);
    },
    async data(path, offset, data) {
      const target = join(folder, path);
      if (ONCE.some((name) => path === `${at}/${name}`)) {
        if (offset === 0) await writeFileAtomic(target, data);
        return true;
      }
      const before = beginnings.get(path) ?? Buffer.alloc(0);
      const begin = offset - before.length;
      const all = Buffer.concat([before, data]);
      // A log's lines may have no end for long (progress bars): its bytes are written as they come.
      const whole = path === log ? all.length : all.lastIndexOf(10) + 1;
      if (all.length - whole > LINE_LIMIT) throw new Error(`${path} has a line without an end.`);
      beginnings.set(path, Buffer.from(all.subarray(whole)));
      if (whole > 0) await writeAt(target, all.subarray(0, whole), begin);
      return path !== log || begin + all.length < LOG_LIMIT;
    },
  };
}

async function mirrorLines(host: Host, job: string, folder: string, path: string): Promise<number> {
  const local = join(folder, path);
  let offset = await wholeLinesEnd(local);
  const begin = offset;
  while (true) {
    const piece = await host.read(job, path, offset);
    const whole = piece ? piece.data.lastIndexOf(10) + 1 : 0;
    if (!piece || whole === 0) return offset - begin;
    await writeAt(local, piece.data.subarray(0, whole), offset);
    offset += whole;
    if (offset >= piece.size) return offset - begin;
  }
}

async function writeAt(path: string, data: Buffer, offset: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "", { flag: "a" });
  const handle = await open(path, "r+");
  try {
    await handle.write(data, 0, data.length, offset);
  } finally {
    await handle.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
