/** Between the editor's URIs and paths. */
import { fileURLToPath, pathToFileURL } from "node:url";

/** The path of a `file:` URI; undefined for any other, and for one that names no local file. */
export function pathOf(uri: string): string | undefined {
  if (!uri.startsWith("file:")) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

export const uriOf = (path: string): string => pathToFileURL(path).href;
