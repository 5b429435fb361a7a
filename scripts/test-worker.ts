/**
 * The worker's tests, as the suite `worker` of `npm test`. Makes their environment from worker/uv.lock: a small one for the tests that
 * need no model, or with CLF_WORKER_TORCH=1 the whole one (about 3 GB to fetch, 6 GB on the disk), which is then used whenever it is there.
 * CLF_PYTHON names a Python that has everything already. CLF_FAULT_ROUNDS=30: so many kills of training and of scoring, and what came of it.
 * Where an environment cannot be made, what it would have run is skipped, and it is said why.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const worker = join(root, "worker");
const cache = join(root, "node_modules", ".cache", "clf-worker");
const MINUTE = 60_000;
/** Bytes of disk the whole environment and its download need. */
const NEEDS = 14e9;

function run(command: string, args: string[], milliseconds: number, env: Record<string, string> = {}) {
  return spawnSync(command, args, {
    cwd: worker,
    encoding: "utf8",
    timeout: milliseconds,
    killSignal: "SIGKILL",
    env: { ...process.env, ...env },
  });
}

function report(passed: number, failed: number, skipped: number): never {
  if (process.env.CLF_TEST_COUNTS) writeFileSync(process.env.CLF_TEST_COUNTS, `${passed} ${failed} ${skipped}`);
  process.exit(failed === 0 ? 0 : 1);
}

function skip(why: string): never {
  console.log(`  the worker's tests are skipped: ${why}`);
  report(0, 0, 1);
}

/** A Python that the lock file is for. */
function findPython(): string {
  const fits = "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))";
  for (const name of ["python3", "python3.13", "python3.12", "python3.11"]) {
    if (run(name, ["-c", fits], MINUTE).status === 0) return name;
  }
  skip("there is no Python 3.11 to 3.14.");
}

/** uv: the machine's own, else one in a folder of ours. */
function findUv(python: string): string | null {
  if (run("uv", ["--version"], MINUTE).status === 0) return "uv";
  const folder = join(cache, "uv");
  const uv = join(folder, "bin", "uv");
  if (existsSync(uv)) return uv;
  if (run(python, ["-m", "venv", folder], 2 * MINUTE).status !== 0) return null;
  const installed = run(join(folder, "bin", "python"), ["-m", "pip", "install", "-q", "uv"], 3 * MINUTE);
  return installed.status === 0 ? uv : null;
}

/** The environment's Python; null when it cannot be made. */
function environment(kind: "small" | "whole", python: string): string | null {
  const hash = createHash("sha256")
    .update(readFileSync(join(worker, "uv.lock")))
    .digest("hex")
    .slice(0, 16);
  const folder = join(cache, `${kind}-${hash}`);
  const interpreter = join(folder, "bin", "python");
  const ready = join(folder, ".ready");
  if (existsSync(ready)) return interpreter;
  if (kind === "whole") {
    if (process.env.CLF_WORKER_TORCH !== "1") return null;
    const { bavail, bsize } = statfsSync(root);
    if (bavail * bsize < NEEDS) {
      console.log("  too little disk for the environment with torch");
      return null;
    }
  }
  mkdirSync(cache, { recursive: true });
  const uv = findUv(python);
  if (uv === null) return null;
  const groups = kind === "small" ? ["--only-group", "test"] : ["--group", "test"];
  const started = performance.now();
  const made = run(uv, ["sync", "-q", "--frozen", ...groups, "--python", python], 10 * MINUTE, {
    UV_PROJECT_ENVIRONMENT: folder,
  });
  if (made.status !== 0) {
    console.log(
      `  the ${kind} environment could not be made: ${made.stderr || made.error?.message || "it took too long"}`,
    );
    rmSync(folder, { recursive: true, force: true });
    return null;
  }
  console.log(`  made the ${kind} environment in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  writeFileSync(ready, "");
  return interpreter;
}

if (process.platform === "win32") skip("its environment is made by a shell script.");
const python = findPython();
const whole = process.env.CLF_PYTHON || environment("whole", python);
const interpreter = whole ?? environment("small", python);
if (interpreter === null)
  skip("their environment could not be made; it needs python3-venv and the Python package index.");
if (whole === null) console.log("  without torch: what needs a model is skipped (CLF_WORKER_TORCH=1 runs it)");
// "P": what tests that passed have printed.
const told = process.env.CLF_FAULT_ROUNDS ? "-rsP" : "-rs";
const tests = run(interpreter, ["-m", "pytest", "-q", "-p", "no:cacheprovider", told], 20 * MINUTE, {
  PYTHONDONTWRITEBYTECODE: "1",
  // Threads that wait busily are slower than one on a machine that does other things.
  OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? "1",
});
process.stdout.write(tests.stdout);
process.stderr.write(tests.stderr);
const count = (what: string): number =>
  Number(new RegExp(`(\\d+) ${what}`).exec(tests.stdout.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? 0);
const failed = count("failed") + count("errors?");
report(count("passed"), tests.status === 0 || failed > 0 ? failed : 1, count("skipped"));
