/** Whole lines of a file that grows. */
import { open } from "node:fs/promises";

export interface Line {
  text: string;
  /** Byte offset of the line's start, and of the next line's. */
  offset: number;
  end: number;
}

const CHUNK = 1 << 18;
const NEWLINE = 10;

/**
 * The whole lines of a file from a byte offset on. A last line without its newline is not there yet. A file that does
 * not exist has no lines.
 */
export async function* wholeLines(path: string, from = 0): AsyncGenerator<Line> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    let offset = from;
    let rest = Buffer.alloc(0);
    const chunk = Buffer.allocUnsafe(CHUNK);
    while (true) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK, offset + rest.length);
      if (bytesRead === 0) return;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, start)) {
        yield { text: rest.toString("utf8", start, end), offset: offset + start, end: offset + end + 1 };
        start = end + 1;
      }
      offset += start;
      rest = Buffer.from(rest.subarray(start));
    }
  } finally {
    await handle.close();
  }
}

/** Where the whole lines of a file end: its size, less a torn last line. */
export async function wholeLinesEnd(path: string): Promise<number> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
  try {
    let end = (await handle.stat()).size;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(end, 1)));
    while (end > 0) {
      const start = Math.max(0, end - chunk.length);
      const { bytesRead } = await handle.read(chunk, 0, end - start, start);
      const last = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
      if (last >= 0) return start + last + 1;
      end = start;
    }
    return 0;
  } finally {
    await handle.close();
  }
}

/** Cuts a torn last line off a file that this process alone writes. Returns the bytes cut. */
export async function cutTornLine(path: string): Promise<number> {
  const end = await wholeLinesEnd(path);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, "r+");
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
  try {
    const torn = (await handle.stat()).size - end;
    if (torn > 0) await handle.truncate(end);
    return torn;
  } finally {
    await handle.close();
  }
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
