/** Files of lines that several processes append to and none rewrites. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { lock } from "proper-lockfile";

/** Makes the file's folder where there is none, and waits until nobody else appends. @returns what lets the next one in */
export async function lockToAppend(file: string): Promise<() => Promise<void>> {
  await mkdir(dirname(file), { recursive: true });
  const release = await lock(file, {
    realpath: false,
    // A writer that was killed leaves its lock behind: wait until it counts as stale, then take it over.
    stale: 5000,
    retries: { retries: 400, factor: 1, minTimeout: 20, maxTimeout: 20 },
    // A lock lost while the machine slept does no harm: the one write of `appendLines` is atomic on its own.
    onCompromised: () => {},
  });
  return () => release().catch(() => {});
}

/** One write at the end of the file, after a newline if the last writer was cut off within a line; on the disk when it returns. */
export async function appendLines(file: string, lines: readonly string[]): Promise<void> {
  const handle = await open(file, "a+");
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const torn = size > 0 && last[0] !== 0x0a;
    const bytes = Buffer.from((torn ? "\n" : "") + lines.map((line) => `${line}\n`).join(""));
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten !== bytes.length) throw new Error("the disk is full");
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
