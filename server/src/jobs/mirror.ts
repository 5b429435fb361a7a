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

async function mirrorLines(host: Host, job: string, folder: string, path: string): Promise<number> {
  const local = join(folder, path);
  let offset = await wholeLinesEnd(local);
  const begin = offset;
  while (true) {
    const piece = await host.read(job, path, offset);
    const whole = piece ? piece.data.lastIndexOf(10) + 1 : 0;
    if (!piece || whole === 0) return offset - begin;
    await mkdir(dirname(local), { recursive: true });
    await writeFile(local, "", { flag: "a" });
    const handle = await open(local, "r+");
    try {
      await handle.write(piece.data, 0, whole, offset);
    } finally {
      await handle.close();
    }
    offset += whole;
    if (offset >= piece.size) return offset - begin;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
