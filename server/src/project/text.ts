/** Reads text files that people write: UTF-8, bounded, with problems instead of exceptions. */
import { open } from "node:fs/promises";
import type { Problem } from "../../../schemas/problem.ts";
import { LIMITS } from "./yaml.ts";

/** The text of a file, without a byte order mark; or what is wrong with it. */
export async function readText(file: string): Promise<{ text: string } | { problem: Problem }> {
  const fail = (code: string, message: string) => ({ problem: { severity: "error" as const, code, message, file } });
  try {
    const handle = await open(file, "r");
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return fail("not-a-file", "This is not a file. Give the path of a file.");
      if (stat.size > LIMITS.length) {
        const size = (stat.size / 1024 / 1024).toFixed(1);
        return fail("too-large", `This file is too large: ${size} MiB, where 4 MiB are allowed. Keep data out of it.`);
      }
      const bytes = await handle.readFile();
      if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
        return fail("wrong-encoding", "This file is in UTF-16. Save it as UTF-8.");
      }
      // The decoder drops a byte order mark.
      return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return fail("missing-file", "There is no such file. Check its path.");
    if (code === "EACCES" || code === "EPERM")
      return fail("unreadable-file", "This file may not be read. Check its permissions.");
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA")
      return fail("wrong-encoding", "This file is not UTF-8. Save it as UTF-8.");
    return fail(
      "unreadable-file",
      `This file cannot be read (${code ?? (error as Error).message}). Check it and try again.`,
    );
  }
}
