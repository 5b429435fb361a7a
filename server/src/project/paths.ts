/** Paths of a project file: relative to its folder, and never outside it. */
import { readlink, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep, win32 } from "node:path";

/** A path that may be used, absolute; or why it may not, and what to do. */
export type Confined = { path: string } | { refused: string };

const URL_LIKE = /^[a-z][a-z0-9+.-]+:\/\//i;
const GLOB = /[*?[\]{}]/;

export const isGlob = (path: string) => GLOB.test(path);

/**
 * Resolves a path or glob of a project file against the project's folder. Refused: remote addresses, absolute paths, `..`
 * that leads out, and symbolic links that lead out. The files a glob matches have to be confined once more, each by itself.
 */
export async function confine(folder: string, path: string): Promise<Confined> {
  const shown = path.length > 60 ? `${path.slice(0, 57)}…` : path;
  if (URL_LIKE.test(path)) {
    return { refused: `"${shown}" is a remote address. Download the file into the project's folder and name it here.` };
  }
  const outside = `"${shown}" is outside the project's folder. Copy or move the file into it, and give its relative path.`;
  if (path.includes("\0")) return { refused: `"${shown}" is not a path. Remove the zero character.` };
  if (isAbsolute(path) || win32.isAbsolute(path) || /^(~|[a-z]:)/i.test(path)) return { refused: outside };
  // Backslashes count as separators everywhere, so that a project means the same on every system.
  const steps = path.split(/[\\/]/);
  if (isGlob(path) && path.split(/[\\/{},]/).includes("..")) {
    return { refused: `"${shown}" uses ".." in a pattern. Give a pattern inside the project's folder.` };
  }
  const absolute = resolve(folder, steps.join(sep));
  if (!isInside(folder, absolute)) return { refused: outside };
  const fixed = isGlob(path) ? join(folder, ...steps.slice(0, steps.findIndex(isGlob))) : absolute;
  const real = await realpathOfExisting(fixed);
  if (!isInside(await realpathOfExisting(folder), real)) {
    return {
      refused: `"${shown}" leads outside the project's folder by a symbolic link. Copy the file into the folder.`,
    };
  }
  return { path: absolute };
}

/** Whether `path` is `folder` or lies in it, by name alone. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way.split(sep)[0] !== "..");
}

/** The real path of the deepest part that exists, with the rest appended. A link to nothing counts as where it points. */
async function realpathOfExisting(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const target = links < 40 ? await readlink(path).catch(() => undefined) : undefined;
    if (target !== undefined) return realpathOfExisting(resolve(dirname(path), target), links + 1);
    const parent = dirname(path);
    return parent === path ? path : join(await realpathOfExisting(parent, links), relative(parent, path));
  }
}
