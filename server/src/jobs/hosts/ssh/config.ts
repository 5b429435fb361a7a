/** The hosts that a person has named in the ssh configuration: for choosing one. What they mean is ssh's business. */
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";

export interface ConfiguredHost {
  name: string;
  hostName?: string;
  user?: string;
}

const DEPTH = 8;

/** Names of the `Host` lines, patterns left out, in their order; files that `Include` names too. A file that is not there has none. */
export async function configuredHosts(file = join(homedir(), ".ssh", "config"), depth = 0): Promise<ConfiguredHost[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return [];
  }
  const hosts = new Map<string, ConfiguredHost>();
  let current: ConfiguredHost[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, keyword = "", value = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const words = [...value.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
    switch (keyword.toLowerCase()) {
      case "host":
        current = words
          .filter((word) => /^(?![-!])[A-Za-z0-9._@:[\]%-]+$/.test(word))
          .map((name) => hosts.get(name) ?? { name });
        for (const host of current) hosts.set(host.name, host);
        break;
      case "match":
        current = [];
        break;
      case "hostname":
        for (const host of current) host.hostName ??= words[0]!;
        break;
      case "user":
        for (const host of current) host.user ??= words[0]!;
        break;
      case "include":
        if (depth >= DEPTH) break;
        for (const word of words) {
          const path = word.startsWith("~/")
            ? join(homedir(), word.slice(2))
            : isAbsolute(word)
              ? word
              : join(dirname(file), word);
          for (const included of await matching(path)) {
            for (const host of await configuredHosts(included, depth + 1))
              if (!hosts.has(host.name)) hosts.set(host.name, host);
          }
        }
    }
  }
  return [...hosts.values()];
}

/** Files that a path of `Include` means: `*` and `?` in its last part. */
async function matching(path: string): Promise<string[]> {
  if (!/[*?]/.test(path)) return [path];
  const escaped = basename(path).replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => pattern.test(name) && !name.startsWith("."))
    .sort()
    .map((name) => join(dirname(path), name));
}
