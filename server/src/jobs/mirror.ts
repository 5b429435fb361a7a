/** A remote job's growing files, copied into the manager's folder at the offsets they have at their source. */
import { mkdir, open, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { Host } from "./hosts/host.ts";
import { wholeLinesEnd } from "./lines.ts";

/** Files of an attempt that are written once, as one line. */
const ONCE = ["launch.json", "runner.json", "exit.json"];
/** And those that grow: events by whole lines, the log by whatever there is. */
const GROWING = ["events.jsonl", "log.txt"];

/** Brings an attempt's files up to date by reading them. Two mirrors at once write the same bytes twice. */
export async function mirrorAttempt(host: Host, job: string, folder: string, attempt: number): Promise<void> {
  const mirror = attemptMirror(folder, attempt);
  for (const { path, offset } of await mirror.wanted()) {
    for (let at = offset; ; ) {
      const piece = await host.read(job, path, at);
      if (!piece || piece.data.length === 0 || !(await mirror.data(path, at, piece.data))) break;
      at += piece.data.length;
      if (at >= piece.size) break;
    }
  }
}

/**
 * Writes what a host tells of an attempt's files, as it comes. All but the log is written by whole lines: a line's beginning waits here for its end.
 */
export interface AttemptMirror {
  /** What is wanted: files that are not complete here, from the byte on that comes next. */
  wanted(): Promise<{ path: string; offset: number }[]>;
  /** False when nothing more of the file is wanted. @throws when a line has no end, which no runner writes */
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
      const before = beginnings.get(path) ?? Buffer.alloc(0);
      const begin = offset - before.length;
      const all = Buffer.concat([before, data]);
      // A log's lines may have no end for long (progress bars): its bytes are written as they come.
      const whole = path === log ? all.length : all.lastIndexOf(10) + 1;
      if (all.length - whole > LINE_LIMIT) throw new Error(`${path} has a line without an end.`);
      beginnings.set(path, Buffer.from(all.subarray(whole)));
      if (whole > 0 && ONCE.some((name) => path === `${at}/${name}`))
        await writeFileAtomic(target, all.subarray(0, whole));
      else if (whole > 0) await writeAt(target, all.subarray(0, whole), begin);
      return path !== log || begin + all.length < LOG_LIMIT;
    },
  };
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
