/** Brings files to a host: only those that it has not, each with its checksum, in one stream. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../lines.ts";
import { HostUnreachable } from "../host.ts";
import { checksum } from "./checksum.ts";
import { type Connection, PATIENCE } from "./connection.ts";
import { jobName, jobPath } from "./paths.ts";

export interface File {
  path: string;
  full: string;
  size: number;
  /** Milliseconds. */
  changed: number;
}

interface Entry extends File {
  sum: string;
}

export async function putFiles(
  connection: Connection,
  job: string,
  folder: string,
  paths: readonly string[],
): Promise<void> {
  const roots = paths.length === 0 ? ["."] : paths.map((path) => jobPath(job, path));
  const files: File[] = [];
  for (const root of roots) await collect(job, folder, root, files);
  if (paths.length === 0 && files.length === 0) {
    await connection.call(["remove", jobName(job)], async (channel) => void (await channel.line()), PATIENCE.long);
  } else {
    const entries = summed(files);
    // Told where it is waited for.
    entries.catch(() => {});
    await send(connection, `jobs/${jobName(job)}`, roots, entries);
  }
}

/** Bytes that are read at a time. */
const PIECE = 1 << 20;

/** Folders of a program's source that its runs do not need. */
const NOT_NEEDED = /(^|\/)(tests|__pycache__|\.[^/]*)(\/|$)/;

/** Brings a runner's own files, under a name that their content gives them. Returns its path below the host's folder. */
export async function putProgram(connection: Connection, folder: string): Promise<string> {
  const all: File[] = [];
  await collect("program", folder, ".", all);
  const entries = await summed(all.filter(({ path }) => !NOT_NEEDED.test(path)));
  const path = `programs/${nameOf(entries)}`;
  const there = await connection.call(["has", path], (channel) => channel.line());
  if (there !== "yes") await send(connection, path, ["."], entries);
  return path;
}

/** A name that the content gives. */
export function nameOf(entries: readonly Entry[]): string {
  return createHash("sha256")
    .update(entries.map(({ sum, path }) => `${sum}  ${path}\n`).join(""))
    .digest("hex")
    .slice(0, 16);
}

/** @param to the folder below the host's own */
export async function send(
  connection: Connection,
  to: string,
  roots: readonly string[],
  files: readonly Entry[] | Promise<readonly Entry[]>,
): Promise<void> {
  await connection.call(
    ["put", to],
    async (channel) => {
      // Checksums that are still being made are, while the host answers the call.
      const entries = await files;
      const lines = [
        ...roots,
        "",
        ...entries.map(({ sum, path }) => `${sum}  ${path}`),
        "",
        entries.map(({ size }) => size).join(" "),
        "",
      ];
      await channel.write(lines.join("\n"));
      const wanted: number[] = [];
      for (let line = await channel.line(); line !== "go"; line = await channel.line()) {
        const index = Number(/^want (\d+)$/.exec(line)?.[1]);
        if (!entries[index - 1] || wanted.length >= entries.length)
          throw new HostUnreachable(`${connection.address} asks for a file that is not there.`);
        wanted.push(index);
      }
      const answer = channel.line();
      // A host that gives up in the middle says why on its own line.
      const sending = (async () => {
        for (const index of wanted) {
          const entry = entries[index - 1]!;
          await channel.write(`${index} ${entry.size}\n`);
          // As many bytes as were announced, whatever becomes of the file meanwhile: its checksum tells.
          let left = entry.size;
          if (left > 0) {
            for await (const piece of createReadStream(entry.full, { end: entry.size - 1, highWaterMark: PIECE })) {
              left -= (piece as Buffer).length;
              await channel.write(piece as Buffer);
            }
          }
          if (left > 0) {
            channel.close();
            throw new Error(`${entry.path} has changed while it was sent.`);
          }
        }
        await channel.write("0 0\n");
      })();
      await Promise.all([answer, sending]);
    },
    PATIENCE.long,
  );
}

/** The files under a root, sorted. Links are left out: what they lead to is not the job's. */
export async function collect(job: string, folder: string, path: string, files: File[]): Promise<void> {
  const full = path === "." ? folder : join(folder, path);
  let status: Awaited<ReturnType<typeof lstat>>;
  try {
    // The folder itself may be reached by a link; what lies in it may not.
    status = await (path === "." ? stat(full) : lstat(full));
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  if (status.isDirectory()) {
    for (const name of (await readdir(full)).sort()) {
      await collect(job, folder, path === "." ? name : `${path}/${name}`, files);
    }
  } else if (status.isFile()) {
    files.push({ path: jobPath(job, path), full, size: status.size, changed: status.mtimeMs });
  }
}

/** Checksums of large files, for as long as neither size nor time of the file changes: each job on the same model asks again. */
const sums = new Map<string, { size: number; changed: number; sum: string }>();
const LARGE = 64 << 20;

export async function summed(files: readonly File[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const file of files) {
    const { full, size, changed } = file;
    const known = sums.get(full);
    const sum = known?.size === size && known.changed === changed ? known.sum : await checksum(full);
    if (size >= LARGE) sums.set(full, { size, changed, sum });
    entries.push({ ...file, sum });
  }
  return entries;
}
