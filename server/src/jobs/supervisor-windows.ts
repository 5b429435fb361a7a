/**
 * supervisor.sh for Windows `local`, which has no POSIX shell: the same command lines, files and order.
 * Its parts are tested on other systems; it has not been tried on Windows.
 *
 * Two differences. There is no gate: the runner is recorded right after it was started, so a supervisor that is killed in
 * between leaves a runner that nobody knows of. And the GPU lock is a lock folder kept fresh by the supervisor, so it is
 * held for the supervisor's life rather than the runner's.
 */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lock as takeLock } from "proper-lockfile";
import type { Exit, Launch, RunnerIdentity } from "../../../schemas/job.ts";
import { identify, signalGroup } from "./process.ts";

const [mode, folder = "", attempt = "", lock = "-", ...command] = process.argv.slice(2);
const at = join(folder, "attempts", attempt);

if (mode === "launch") launch();
else if (mode === "supervise") await supervise();
else {
  console.error("usage: supervisor launch FOLDER ATTEMPT LOCK COMMAND [ARGUMENT…]");
  process.exitCode = 64;
}

/** Starts `supervise` detached, hands on what it says first, and ends. */
function launch(): void {
  mkdirSync(at, { recursive: true });
  const supervisor = spawn(process.execPath, [fileURLToPath(import.meta.url), "supervise", ...process.argv.slice(3)], {
    detached: true,
    windowsHide: true,
    stdio: ["ignore", "pipe", openSync(join(at, "log.txt"), "a")],
  });
  supervisor.stdout?.once("data", (text: Buffer) => {
    process.stdout.write(text, () => process.exit());
  });
  supervisor.once("exit", (code) => process.exit(code ?? 1));
}

async function supervise(): Promise<void> {
  const me = await identify(process.pid);
  if (!me) throw new Error("The supervisor cannot find out who it is.");
  // A launcher that was killed meanwhile does not hear us.
  process.stdout.on("error", () => {});
  const launched: Launch = { ...me, time: new Date().toISOString(), lock: lock !== "-" };
  if (!writeExclusively(join(at, "launch.json"), launched)) {
    console.log("already launched");
    return;
  }
  console.log("launched");

  let release: (() => Promise<void>) | undefined;
  if (lock !== "-") {
    const path = lock.startsWith("~/") ? join(homedir(), lock.slice(2)) : lock;
    mkdirSync(dirname(path), { recursive: true });
    for (let delay = 200; !release && !existsSync(join(folder, "cancel")); delay = Math.min(delay * 1.5, 5000)) {
      release = await takeLock(path, { realpath: false, stale: 20_000 }).catch(() => undefined);
      if (!release) await sleep(delay);
    }
  }
  if (existsSync(join(folder, "cancel"))) return finish(143, null, null);

  const log = openSync(join(at, "log.txt"), "a");
  const [file, ...args] = command;
  const runner = spawn(file!, args, {
    detached: true,
    windowsHide: true,
    cwd: folder,
    env: { ...process.env, CLF_ATTEMPT: attempt },
    stdio: ["ignore", log, log],
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    runner.once("exit", (code, signal) => resolve({ code, signal }));
    runner.once("error", (error) => {
      appendFileSync(log, `${error.message}\n`);
      resolve({ code: 127, signal: null });
    });
  });
  for (const name of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(name, () => {});
  const identity = runner.pid === undefined ? null : await identify(runner.pid);
  if (identity) writeWhole("runner.json", { ...identity, time: new Date().toISOString() } satisfies RunnerIdentity);
  const { code, signal } = await ended;
  // What the runner started and left.
  if (identity) await signalGroup(identity, "SIGKILL");
  await release?.();
  finish(code ?? 137, signal?.replace("SIG", "") ?? null, null);
}

function finish(code: number, signal: string | null, message: string | null): void {
  const events = join(at, "events.jsonl");
  const exit: Exit = {
    code,
    signal,
    cancelled: existsSync(join(folder, "cancel")),
    events: existsSync(events) ? readFileSync(events).filter((byte) => byte === 10).length : 0,
    message,
    time: new Date().toISOString(),
  };
  writeWhole("exit.json", exit);
  process.exit();
}

function writeWhole(name: string, value: unknown): void {
  const temporary = join(at, `${name}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(value)}\n`);
  renameSync(temporary, join(at, name));
}

/** False when the file is there already. */
function writeExclusively(path: string, value: unknown): boolean {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value)}\n`);
  try {
    linkSync(temporary, path);
    return true;
  } catch {
    if (existsSync(path)) return false;
    // No hard links on this file system.
    writeFileSync(path, `${JSON.stringify(value)}\n`, { flag: "wx" });
    return true;
  } finally {
    rmSync(temporary, { force: true });
  }
}
