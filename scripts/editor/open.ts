/** Opens a folder in VS Code with this repository's extension: in `code`, else in the browser. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { installWorkbench, repository } from "./install.ts";
import { startEditor } from "./workbench.ts";

/** First executable file of that name on the path. */
function onPath(name: string): string | undefined {
  const names = process.platform === "win32" ? [`${name}.cmd`, `${name}.exe`] : [name];
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const file of names) {
      try {
        accessSync(join(folder, file), constants.X_OK);
        return join(folder, file);
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/** VS Code's command line: on the path, else where its installers put it. */
export function findCode(): string | undefined {
  const places = [
    "/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code",
    join(process.env.LOCALAPPDATA ?? "", "Programs", "Microsoft VS Code", "bin", "code.cmd"),
  ];
  return onPath("code") ?? places.find((file) => existsSync(file));
}

/** Shows an address in the system's browser. A machine without one is no error. */
async function showInBrowser(url: string): Promise<boolean> {
  const display = Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY || process.env.WSL_DISTRO_NAME);
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url.replaceAll("&", "^&")]
        : ["xdg-open", url];
  if (process.platform === "linux" && (!display || !onPath("xdg-open"))) return false;
  const result = await execa(command!, args, { reject: false, stdio: "ignore", timeout: 10_000, cleanup: false });
  return !result.failed;
}

export interface OpenOptions {
  /** The folder that is opened. */
  folder: string;
  /** Ends the browser workbench. */
  signal: AbortSignal;
  /** Receives what a person reads. */
  say: (line: string) => void;
  /** `workbench` opens the browser workbench even where `code` is installed. */
  prefer?: "code" | "workbench";
}

/**
 * Returns once `code` has opened its window, or, for the workbench in the browser, once `signal` has ended it.
 * @throws when neither can be started: what to install
 */
export async function openEditor(options: OpenOptions): Promise<void> {
  const folder = resolve(options.folder);
  if (!existsSync(folder)) throw new Error(`There is no folder ${folder}.`);
  const code = options.prefer === "workbench" ? undefined : findCode();
  if (code) {
    const opened = await execa(code, [`--extensionDevelopmentPath=${repository}`, "--new-window", folder], {
      reject: false,
      all: true,
      timeout: 60_000,
    });
    if (!opened.failed) {
      options.say(`Opened ${folder} in VS Code.`);
      return;
    }
    options.say(`VS Code (${code}) did not open: ${opened.all?.trim() || opened.shortMessage}`);
  }

  await installWorkbench(options.say);
  const editor = await startEditor({
    workspace: folder,
    extensionPath: repository,
    state: join(repository, ".vscode-test", "open"),
    grace: 300,
    // The workbench is a person's here: the person's own folders, and a password where one is set.
    env: {
      XDG_DATA_HOME: process.env.XDG_DATA_HOME,
      XDG_CONFIG_HOME: process.env.XDG_CONFIG_HOME,
      XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR,
      PASSWORD: process.env.PASSWORD,
    },
  });
  try {
    options.say(`\nVS Code with Clf: ${editor.url}\n`);
    if (!process.env.PASSWORD) {
      options.say("Whoever can reach this machine's loopback address can use it: set PASSWORD on a shared machine.");
    }
    if (!(await showInBrowser(editor.url))) options.say("Open the address in a browser.");
    options.say("Ctrl+C ends it.");
    await new Promise<void>((done) => {
      if (options.signal.aborted) done();
      else options.signal.addEventListener("abort", () => done(), { once: true });
    });
  } finally {
    await editor.stop();
  }
}
