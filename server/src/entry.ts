import { fileURLToPath } from "node:url";

/**
 * The processes and worker threads this code base starts, by name. In a bundle each is a sibling `dist/<name>.mjs`;
 * run from source (tests) it is the TypeScript file itself, which Node runs as it stands.
 */
const sources = {
  cli: "./cli.ts",
  server: "./server.ts",
  runner: "./runner.ts",
  duckdb: "./dataset/duckdb-process.ts",
  workbench: "./workbench/worker.ts",
  "data-worker": "./language/data-worker.ts",
  "linear-worker": "./engines/linear/worker.ts",
} as const;

export type EntryName = keyof typeof sources;

/** Absolute path of an entry point, in the form this very process was started in (bundle or source). */
export function entryPath(name: EntryName): string {
  const bundled = import.meta.url.endsWith(".mjs");
  return fileURLToPath(new URL(bundled ? `./${name}.mjs` : sources[name], import.meta.url));
}

/** Absolute path of a bundle that is made for webviews: run from source, that of the last build. */
export function webviewPath(file: string): string {
  const folder = import.meta.url.endsWith(".mjs") ? "./webview" : "../../dist/webview";
  return fileURLToPath(new URL(`${folder}/${file}`, import.meta.url));
}
