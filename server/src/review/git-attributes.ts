/** Files that only grow, line by line, merge by keeping both sides' lines: git's `merge=union`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";

/** The `.gitattributes` line for a file that only grows. `eol=lf`: its bytes are the same on every machine. */
export function unionMergeLine(path: string): string {
  return `${pattern(path)} text eol=lf merge=union`;
}

/**
 * Adds to `<folder>/.gitattributes` the lines that are missing for these files, and leaves the rest as it is. A file
 * that has a `merge` attribute there already keeps it.
 * @param paths relative to `folder`
 * @returns the lines added
 */
export async function ensureUnionMerge(folder: string, paths: readonly string[]): Promise<string[]> {
  const file = join(folder, ".gitattributes");
  let content = "";
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const lines = content.split(/\r?\n/);
  const missing = paths.filter((path) => {
    const start = pattern(path);
    return !lines.some((line) => line.startsWith(`${start} `) && /\smerge(=|\s|$)/.test(line));
  });
  const added = missing.map(unionMergeLine);
  if (added.length > 0) {
    const separator = content === "" || content.endsWith("\n") ? "" : "\n";
    await writeFileAtomic(file, `${content}${separator}${added.join("\n")}\n`);
  }
  return added;
}

/** A pattern of .gitattributes that matches this path alone: anchored, special characters escaped, quoted where needed. */
function pattern(path: string): string {
  const anchored = `/${path
    .split("\\")
    .join("/")
    .replace(/^\.?\//, "")}`;
  const escaped = anchored.replace(/[*?[\]]/g, "\\$&");
  return /[\s"\\]/.test(escaped) ? JSON.stringify(escaped) : escaped;
}
