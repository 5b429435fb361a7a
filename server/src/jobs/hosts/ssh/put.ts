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

interface Entry {
  path: string;
  full: string;
  size: number;
  sum: string;
}

export async function putFiles(
  connection: Connection,
  job: string,
  folder: string,
  paths: readonly string[],
): Promise<void> {
  const roots = paths.length === 0 ? ["."] : paths.map((path) => jobPath(job, path));
  const entries: Entry[] = [];
  for (const root of roots) await collect(job, folder, root, entries);
  if (paths.length === 0 && entries.length === 0) {
    await connection.call(["remove", jobName(job)], async (channel) => void (await channel.line()), PATIENCE.long);
  } else {
    await send(connection, `jobs/${jobName(job)}`, roots, entries);
  }
}

/** Folders of a program's source that its runs do not need. */
const NOT_NEEDED = /(^|\/)(tests|__pycache__|\.[^/]*)(\/|$)/;

/** Brings a runner's own files, under a name that their content gives them. Returns its path below the host's folder. */
export async function putProgram(connection: Connection, folder: string): Promise<string> {
  const all: Entry[] = [];
  await collect("program", folder, ".", all);
  const entries = all.filter(({ path }) => !NOT_NEEDED.test(path));
  const name = createHash("sha256")
    .update(entries.map(({ sum, path }) => `${sum}  ${path}\n`).join(""))
    .digest("hex")
    .slice(0, 16);
  const path = `programs/${name}`;
  const there = await connection.call(["has", path], (channel) => channel.line());
  if (there !== "yes") await send(connection, path, ["."], entries);
  return path;
}

/** @param to the folder below the host's own */
async function send(
  connection: Connection,
  to: string,
  roots: readonly string[],
  entries: readonly Entry[],
): Promise<void> {
  await connection.call(
    ["put", to],
    async (channel) => {
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
            for await (const piece of createReadStream(entry.full, { end: entry.size - 1, highWaterMark: 1 << 18 })) {
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
async function collect(job: string, folder: string, path: string, entries: Entry[]): Promise<void> {
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
      await collect(job, folder, path === "." ? name : `${path}/${name}`, entries);
    }
  } else if (status.isFile()) {
    entries.push({ path: jobPath(job, path), full, size: status.size, sum: await checksum(full) });
  }
}
