import { readFileSync } from "node:fs";

/** What made a job: written into job.json, so that a result can be traced to the code behind it. */
export function versions(): Record<string, string> {
  return { clf: clfVersion(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}

let version: string | undefined;

/** The version in package.json, which lies above `dist/` as well as above `server/src/`. */
export function clfVersion(): string {
  if (version !== undefined) return version;
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as {
        name?: string;
        version?: string;
      };
      if (found.name === "clf" && found.version) return (version = found.version);
    } catch {
      // Not here: the other place.
    }
  }
  return (version = "unknown");
}
