/**
 * Installs the real VS Code workbench and extension host that run without a display: the npm package `code-server`
 * (4.139.1 carries VS Code 1.139.1). It goes into `.vscode-test/`, outside the tracked files, once.
 */
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";

/** The release that is installed. VS Code's version is the same with the first number 1. */
export const CODE_SERVER_VERSION = "4.139.1";

export const repository = join(import.meta.dirname, "..", "..");
const cache = join(repository, ".vscode-test");
const installed = join(cache, `code-server-${CODE_SERVER_VERSION}`);
const marker = "ready.json";

/** The pinned Node: code-server needs Node 24. */
export const pinnedNode = join(
  repository,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);

/** Native modules of the server; everything else needs no build. */
const NATIVE = ["@vscode/spdlog", "@vscode/native-watchdog", "node-pty", "@parcel/watcher"];

/**
 * The folder of an installed code-server; installs it when it is missing (one to two minutes, needs the npm registry).
 * Two callers at a time do no harm: each installs into a folder of its own and the first to finish wins.
 * @param say receives one line a step
 * @throws when a step fails: its name and the end of its output
 */
export async function installWorkbench(say: (line: string) => void = () => {}): Promise<string> {
  if (existsSync(join(installed, marker))) return installed;
  if (!existsSync(pinnedNode)) throw new Error("node_modules/node is missing. Run `npm ci`, then the command again.");

  const staging = join(cache, `installing-${process.pid}`);
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  const steps: Record<string, number> = {};
  const step = async (name: string, cwd: string, command: string, ...args: string[]) => {
    say(`${name}…`);
    const started = performance.now();
    const result = await execa(command, args, {
      cwd,
      all: true,
      reject: false,
      timeout: 600_000,
      // npm's scripts take the first `node` of the path: they have to build for the one that runs the server.
      env: { PATH: `${dirname(pinnedNode)}${delimiter}${process.env.PATH ?? ""}` },
    });
    if (result.failed) {
      const why = result.timedOut ? "took more than ten minutes" : `failed: ${result.shortMessage}`;
      throw new Error(`Installing VS Code's workbench: "${name}" ${why}\n${result.all?.slice(-2000) ?? ""}`);
    }
    steps[name] = Math.round(performance.now() - started) / 1000;
    say(`${name}: ${steps[name]?.toFixed(1)} s`);
  };

  try {
    const archive = `code-server-${CODE_SERVER_VERSION}.tgz`;
    await step("download", staging, "npm", "pack", `code-server@${CODE_SERVER_VERSION}`, "--loglevel=error");
    await step("unpack", staging, "tar", "-xzf", archive);
    await rm(join(staging, archive));
    const server = join(staging, "package");
    const vscode = join(server, "lib", "vscode");
    const install = ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await step("server's packages", server, "npm", ...install);
    await step("workbench's packages", vscode, "npm", ...install);
    await step("native modules", vscode, "npm", "rebuild", ...NATIVE, "--loglevel=error");
    await writeFile(
      join(server, marker),
      `${JSON.stringify({ version: CODE_SERVER_VERSION, seconds: steps }, null, 2)}\n`,
    );
    try {
      await rename(server, installed);
    } catch {
      // Either another process was first, or a folder without a marker is in the way.
      if (!existsSync(join(installed, marker))) {
        await rm(installed, { recursive: true, force: true });
        await rename(server, installed);
      }
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return installed;
}
