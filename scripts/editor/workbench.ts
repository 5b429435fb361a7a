/** Starts the real workbench on a loopback port, and ends it with everything it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { installWorkbench, pinnedNode } from "./install.ts";

export interface EditorOptions {
  /** The folder or `.code-workspace` file that is opened. */
  workspace: string;
  /** Sources of an extension: installed as a link, so that the newest build runs; with `testsPath`, in development mode. */
  extensionPath?: string;
  /** A packaged extension, installed before the start. */
  vsix?: string;
  /** User settings. They are written once; an existing state folder keeps its own beside them. */
  settings?: Record<string, unknown>;
  /** `workbench.colorTheme`, for example `Dark Modern`, `Light Modern`, `Default High Contrast`. */
  theme?: string;
  /** `ask` switches Workspace Trust on: folders start untrusted. Default `disabled`: everything is trusted. */
  trust?: "disabled" | "ask";
  /** Holds user data and installed extensions, and outlives the editor. Without it: a temporary folder, removed by `stop`. */
  state?: string;
  /** Environment of the server and so of the extension host; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Seconds that the extension host of a closed window waits for its window to come back. Default 2. */
  grace?: number;
  /** Built test module (`.cjs`) whose `run()` the extension host executes. See extensionTests.ts. */
  testsPath?: string;
}

export interface Editor {
  /** Address of a window on the workspace. */
  url: string;
  /** Address of a window on another folder or `.code-workspace` file, on the same server. */
  urlOf(workspace: string): string;
  workspace: string;
  /** Folder with `user-data/` and `extensions/`. */
  state: string;
  /** Process ids of the running extension hosts (Linux; elsewhere empty). */
  extensionHosts(): number[];
  /** Adds to the user settings. A window reads them when it opens or reloads. */
  configure(settings: Record<string, unknown>): Promise<void>;
  /** What the server, the extension hosts and our output channels wrote: for a failure's message. */
  logs(): Promise<string>;
  stop(): Promise<void>;
}

/** Quiet and repeatable: nothing pops up, nothing blinks, nothing is fetched. */
const SETTINGS: Record<string, unknown> = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.editor.useModal": "off",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "chat.commandCenter.enabled": false,
  "security.workspace.trust.startupPrompt": "never",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  // Off as on the desktop; the browser's default saves after a second.
  "files.autoSave": "off",
  "editor.cursorBlinking": "solid",
  "editor.minimap.enabled": false,
  "editor.fontFamily": "DejaVu Sans Mono, Menlo, Consolas, monospace",
  "git.openRepositoryInParentFolders": "never",
  "git.autoRepositoryDetection": false,
};

const START_SECONDS = 60;

/** Groups of processes that are running; ended when this process ends, however it ends. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) signal(child, "SIGKILL");
});

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, name);
  } catch {
    // The group has ended.
  }
}

/**
 * Starts VS Code's workbench and waits until it answers.
 * @throws when it cannot be installed, does not start within a minute, or cannot install the VSIX; with its output
 */
export async function startEditor(options: EditorOptions): Promise<Editor> {
  if (process.platform === "win32") {
    throw new Error(
      "The browser workbench runs on Linux and macOS. On Windows install VS Code, with `code` on the path.",
    );
  }
  if (!existsSync(options.workspace)) throw new Error(`There is no ${options.workspace} to open.`);
  const server = join(await installWorkbench(), "out", "node", "entry.js");
  // Short: the path of a Unix socket in it is at most 107 bytes long.
  const state = options.state ?? (await mkdtemp(join(tmpdir(), "clf-editor-")));
  const data = join(state, "user-data");
  const extensions = join(state, "extensions");
  const config = join(state, "config.yaml");
  await mkdir(join(data, "User"), { recursive: true });
  await mkdir(extensions, { recursive: true });
  await mkdir(join(state, "xdg"), { recursive: true, mode: 0o700 });
  await writeFile(config, "");
  const settingsFile = join(data, "User", "settings.json");
  const configure = async (settings: Record<string, unknown>) => {
    const old = existsSync(settingsFile) ? (JSON.parse(await readFile(settingsFile, "utf8")) as object) : {};
    await writeFile(settingsFile, `${JSON.stringify({ ...old, ...settings }, null, 2)}\n`);
  };
  await configure({
    ...SETTINGS,
    ...(options.theme ? { "workbench.colorTheme": options.theme } : {}),
    ...options.settings,
  });

  const common = ["--config", config, "--user-data-dir", data, "--extensions-dir", extensions, "--disable-telemetry"];
  const env: Record<string, string | undefined> = {
    ...process.env,
    // The server's own files stay out of the home folder, its sockets out of the temporary folder.
    XDG_DATA_HOME: join(state, "xdg"),
    XDG_CONFIG_HOME: join(state, "xdg"),
    XDG_RUNTIME_DIR: join(state, "xdg"),
    ...options.env,
    PATH: `${dirname(pinnedNode)}:${process.env.PATH ?? ""}`,
  };
  // Variables that would change the server's address or make it believe that it runs inside an editor.
  for (const name of Object.keys(env)) {
    if (/^(PORT|PASSWORD|HASHED_PASSWORD|GITHUB_TOKEN|ELECTRON_.*|VSCODE_.*|CODE_SERVER_.*)$/.test(name)) {
      if (!(name in (options.env ?? {}))) delete env[name];
    }
  }

  if (options.extensionPath && !options.testsPath) await link(options.extensionPath, extensions, data);
  if (options.vsix) {
    const installed = await execa(pinnedNode, [server, ...common, "--force", "--install-extension", options.vsix], {
      env,
      extendEnv: false,
      all: true,
      reject: false,
      timeout: 120_000,
    });
    if (installed.failed || !/successfully installed/.test(installed.all ?? "")) {
      if (!options.state) await rm(state, { recursive: true, force: true });
      throw new Error(`VS Code did not install ${options.vsix}:\n${installed.all?.slice(-2000) ?? ""}`);
    }
  }

  const password = options.env?.PASSWORD;
  const args = [
    ...[server, ...common, "--auth", password ? "password" : "none", "--bind-addr", "127.0.0.1:0"],
    ...[
      "--disable-update-check",
      "--disable-getting-started-override",
      "--reconnection-grace-time",
      String(options.grace ?? 2),
    ],
    ...(options.trust === "ask" ? [] : ["--disable-workspace-trust"]),
    // Without it the two payload keys below are ignored; with it VS Code shows no notification toasts.
    ...(options.testsPath ? ["--vscode-option", "enable-smoke-test-driver"] : []),
  ];
  // The shell ends the whole group once this process is gone, even if it was killed: its standard input closes then.
  const guard =
    'exec 3<&0; (cat <&3 >/dev/null; trap "" TERM; kill -TERM 0; sleep 5; kill -KILL 0) & "$@" <&-; kill -TERM 0';
  const child = spawn("/bin/sh", ["-c", guard, "workbench", pinnedNode, ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: env as NodeJS.ProcessEnv,
    cwd: state,
  });
  running.add(child);
  child.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      running.delete(child);
      resolve();
    });
  });

  let output = "";
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      signal(child, "SIGTERM");
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 4000).unref())]);
      // Also what ignored the signal: a language server that hangs, a terminal.
      signal(child, "SIGKILL");
      await ended;
      if (!options.state) await rm(state, { recursive: true, force: true, maxRetries: 5 });
    })();
    return stopping;
  };

  const origin = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`VS Code's workbench ${why}. Its output:\n${output.slice(-4000)}`));
    const timer = setTimeout(() => fail(`did not start within ${START_SECONDS} seconds`), START_SECONDS * 1000);
    const read = (chunk: string) => {
      output = (output + chunk).slice(-200_000);
      const address = /HTTP server listening on (http:\/\/\S+?)\/?\s/.exec(output)?.[1];
      if (!address) return;
      clearTimeout(timer);
      resolve(address);
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.once("error", (error) => fail(`could not be started (${error.message})`));
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with status ${code}`);
    });
  }).catch(async (error) => {
    await stop();
    throw error;
  });

  const remote = `vscode-remote://${new URL(origin).host}`;
  const payload: [string, string][] = [];
  if (options.testsPath) {
    if (options.extensionPath) payload.push(["extensionDevelopmentPath", remote + options.extensionPath]);
    payload.push(["extensionTestsPath", remote + options.testsPath]);
  }
  const urlOf = (workspace: string) => {
    const query = new URLSearchParams({
      [workspace.endsWith(".code-workspace") ? "workspace" : "folder"]: workspace,
      ...(payload.length > 0 ? { payload: JSON.stringify(payload) } : {}),
    });
    return `${origin}/?${query}`;
  };

  return {
    url: urlOf(options.workspace),
    urlOf,
    workspace: options.workspace,
    state,
    extensionHosts: () => extensionHosts(child.pid!),
    configure,
    logs: () => logs(data, output),
    stop,
  };
}

/**
 * Installs an extension's sources as a link. Unlike a development host it has only the rights of an installed
 * extension: proposed APIs are refused, notifications show, and the window has its usual title.
 */
async function link(source: string, extensions: string, data: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(source, "package.json"), "utf8"));
  const id = `${manifest.publisher}.${manifest.name}`.toLowerCase();
  for (const name of await readdir(extensions)) {
    if (name.startsWith(`${id}-`)) await rm(join(extensions, name), { recursive: true, force: true });
  }
  await symlink(source, join(extensions, `${id}-${manifest.version}`), "dir");
  // VS Code builds its list from the folder when it has none, and reads the manifest again when it has no cache.
  await rm(join(extensions, "extensions.json"), { force: true });
  await rm(join(data, "CachedProfilesData"), { recursive: true, force: true });
}

/** Extension hosts in the process group of the server. */
function extensionHosts(group: number): number[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // After the command's name in brackets: state, parent, group.
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
        if (Number(fields[2]) !== group || fields[0] === "Z") return false;
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=extensionHost");
      } catch {
        return false; // Ended between the two looks.
      }
    })
    .map(Number);
}

/** The end of every log that can explain a failure, newest start of the server only. */
async function logs(data: string, output: string): Promise<string> {
  const parts = [`── server\n${output.slice(-4000)}`];
  const folder = join(data, "logs");
  const starts = existsSync(folder) ? (await readdir(folder)).sort() : [];
  const newest = starts.at(-1);
  if (newest) {
    const files = (await readdir(join(folder, newest), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.endsWith(".log") && /exthost/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => /remoteexthost\.log$|output_logging/.test(file) || /clf/i.test(basename(dirname(file))));
    for (const file of files.sort()) {
      if ((await stat(file)).size === 0) continue;
      parts.push(`── ${file.slice(folder.length + 1)}\n${(await readFile(file, "utf8")).slice(-6000)}`);
    }
  }
  return parts.join("\n");
}
