/** Finds the project files below a folder. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export const PROJECT_FILE = /\.clf\.ya?ml$/i;

const SKIPPED = new Set(["node_modules", ".git", ".clf", ".hg", ".svn", "__pycache__", ".venv", "venv"]);

export interface DiscoverLimits {
  /** Folders looked into, at most. Default 20,000. */
  folders?: number;
  /** Levels below the folder. Default 16. */
  depth?: number;
}

/**
 * Absolute paths of the `.clf.yaml` and `.clf.yml` files in `folder` and below, sorted. Links are not followed; folders
 * that cannot be read are passed over. Nearest folders come first when a limit cuts the search short.
 */
export async function discoverProjects(folder: string, limits: DiscoverLimits = {}): Promise<string[]> {
  const { folders = 20_000, depth = 16 } = limits;
  const found: string[] = [];
  let level = [folder];
  let visited = 0;
  for (let below = 0; below <= depth && level.length > 0; below++) {
    const next: string[] = [];
    for (const at of level) {
      if (++visited > folders) return found.sort();
      const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (entry.isDirectory() && !SKIPPED.has(entry.name)) next.push(join(at, entry.name));
        else if (entry.isFile() && PROJECT_FILE.test(entry.name)) found.push(join(at, entry.name));
      }
    }
    level = next;
  }
  return found.sort();
}
