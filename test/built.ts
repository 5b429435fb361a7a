/** The built bundles, for tests that run what is shipped. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");
export const DIST = join(ROOT, "dist");

/** Newest change of a file, or of any file under a folder, in milliseconds. */
function changed(path: string): number {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

let fresh = false;

/** Builds dist/ when a source is newer than it is. Once a process. */
export function build(): void {
  if (fresh) return;
  const sources = ["server/src", "schemas", "client/src", "client/webview", "esbuild.mjs", "package.json"];
  const built = Math.min(changed(join(DIST, "cli.mjs")), changed(join(DIST, "extension.cjs")));
  if (Math.max(...sources.map((path) => changed(join(ROOT, path)))) > built) {
    execFileSync(process.execPath, [join(ROOT, "esbuild.mjs")], { cwd: ROOT, stdio: "inherit" });
  }
  fresh = true;
}
