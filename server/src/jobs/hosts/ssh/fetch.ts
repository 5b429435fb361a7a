/** Brings files from a host: only what has changed, checked by size and checksum, gone on with after a break. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HostUnreachable } from "../host.ts";
import { type Channel, HostError } from "./channel.ts";
import { checksum } from "./checksum.ts";
import { type Connection, PATIENCE } from "./connection.ts";
import { jobName, jobPath, mayBeWritten } from "./paths.ts";

interface Entry {
  path: string;
  size: number;
  sum: string;
}

/** Bytes that are written at a time. */
const TOGETHER = 1 << 20;

/** A host that lists more than this is not answering as a job would. */
const FILES_LIMIT = 20_000;

export async function fetchFiles(
  connection: Connection,
  job: string,
  folder: string,
  paths: readonly string[],
): Promise<void> {
  const roots = paths.map((path) => jobPath(job, path));
  // Files that have come whole wait here, by checksum, until all of their folder are there. A break leaves them to the next try.
  const waiting = join(folder, ".fetch");
  await mkdir(waiting, { recursive: true });
  await connection.call(
    ["fetch", jobName(job), ...roots],
    async (channel) => {
      const sizes = new Map<string, number>();
      const entries: Entry[] = [];
      for (let line = await channel.line(); line !== "listed"; line = await channel.line()) {
        const size = /^size (\d{1,15}) (.+)$/.exec(line);
        const sum = /^sum ([0-9a-f]{64}) [ *](.+)$/.exec(line);
        const path = size?.[2] ?? sum?.[2];
        if (path === undefined || sizes.size > FILES_LIMIT) {
          throw new HostUnreachable(`${connection.address} lists its files in a way that is not understood.`);
        }
        if (!mayBeWritten(path, roots)) throw new HostError(outside(connection.address, path), "other");
        if (size) sizes.set(path, Number(size[1]));
        else if (sizes.has(path)) entries.push({ path, size: sizes.get(path)!, sum: sum![1]! });
      }
      // By checksum: the same content may stand in several places.
      const wanted = new Map<string, Wanted>();
      for (const entry of entries) {
        if (wanted.has(entry.sum)) continue;
        const to = join(waiting, entry.sum);
        if ((await sizeOf(to)) === entry.size || (await isAlready(join(folder, entry.path), entry))) continue;
        wanted.set(entry.sum, { ...entry, to, have: await begun(`${to}.part`, entry.size) });
      }
      // All at once: on a long line each answer that is waited for costs its way there and back.
      const asked = channel.write(
        [...wanted.values()].map(({ path, size, have }) => `${have} ${size - have}\n${path}\n`).join(""),
      );
      for (const each of wanted.values()) await bring(channel, each, connection.address);
      await asked;
      for (const root of roots)
        await place(
          folder,
          waiting,
          root,
          entries.filter(({ path }) => path === root || path.startsWith(`${root}/`)),
        );
    },
    PATIENCE.long,
  );
  await rm(waiting, { recursive: true, force: true });
}

const outside = (address: string, path: string): string =>
  `${address} offers a file under a name that was not asked for (${JSON.stringify(path.slice(0, 80))}). Nothing was fetched.`;

interface Wanted extends Entry {
  /** Where it waits once it is whole. */
  to: string;
  /** Bytes that an earlier try has brought. */
  have: number;
}

/** Bytes that lie in a part; one that is longer than the file is none of it. */
async function begun(part: string, size: number): Promise<number> {
  const have = (await sizeOf(part)) ?? 0;
  if (have <= size) return have;
  await rm(part);
  return 0;
}

/** One file, which has been asked for, from where an earlier try ended. */
async function bring(channel: Channel, { path, size, sum, to, have }: Wanted, address: string): Promise<void> {
  const part = `${to}.part`;
  const answer = /^bytes (\d+)$/.exec(await channel.line());
  if (Number(answer?.[1]) !== size - have)
    throw new HostUnreachable(`${address} sends another length than it was asked for.`);
  // The checksum is taken as the bytes come: a second look at a large file costs as long as the first.
  const hash = createHash("sha256");
  if (have > 0) for await (const piece of createReadStream(part, { end: have - 1 })) hash.update(piece as Buffer);
  const file = await open(part, "a");
  try {
    // Pieces come as the pipe has them, and are written many at a time.
    let pieces: Buffer[] = [];
    let bytes = 0;
    const write = async () => {
      if (bytes > 0) await file.writev(pieces);
      pieces = [];
      bytes = 0;
    };
    try {
      for await (const piece of channel.bytes(size - have)) {
        hash.update(piece);
        pieces.push(piece);
        bytes += piece.length;
        if (bytes >= TOGETHER) await write();
      }
    } finally {
      // A break leaves what has come to the next try.
      await write();
    }
  } finally {
    await file.close();
  }
  if (hash.digest("hex") !== sum) {
    await rm(part, { force: true });
    throw new HostUnreachable(`${path} has not come from ${address} as it is there. It is fetched again.`);
  }
  await rename(part, to);
}

/** Gives what has come its name; a folder at once, with nothing in it that the host has not. */
async function place(folder: string, waiting: string, root: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const target = join(folder, root);
  const made = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  await mkdir(dirname(target), { recursive: true });
  await rm(made, { recursive: true, force: true });
  let changed = entries.length !== (await filesUnder(target));
  for (const { path, sum } of entries) {
    const part = join(waiting, sum);
    const to = path === root ? made : join(made, path.slice(root.length + 1));
    await mkdir(dirname(to), { recursive: true });
    const source = (await sizeOf(part)) === undefined ? join(folder, path) : part;
    if (source === part) changed = true;
    // A copy under the second name: the same content may stand in several places.
    await linkOrCopy(source, to);
  }
  if (!changed) {
    await rm(made, { recursive: true, force: true });
    return;
  }
  await rename(made, target).catch(async () => {
    await rm(target, { recursive: true, force: true });
    await rename(made, target);
  });
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

async function filesUnder(path: string): Promise<number> {
  const status = await lstat(path).catch(() => null);
  if (!status) return -1;
  if (!status.isDirectory()) return 1;
  return (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
}

async function isAlready(path: string, { size, sum }: Entry): Promise<boolean> {
  return (await sizeOf(path)) === size && (await checksum(path)) === sum;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (status) => (status.isFile() ? status.size : undefined),
    () => undefined,
  );
}
