/**
 * `npm test`: builds, checks types and style, runs every suite, and ends with `N passed, N failed, N skipped`.
 * `npm test -- unit jobs` runs only the suites named.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

/** What has to pass before suites make sense: each counts as one test. */
const checks: Record<string, string[]> = {
  build: [process.execPath, join(root, "esbuild.mjs")],
  types: [bin("tsc"), "--noEmit", "-p", root],
  "types of code in browsers": [bin("tsc"), "--noEmit", "-p", join(root, "tsconfig.dom.json")],
  style: [bin("biome"), "check", "--diagnostic-level=error", root],
};

/** Mocha on the files of a pattern. `timeout`: milliseconds a test may take, where those of .mocharc.json are too few. */
const mocha = (spec: string, timeout?: number): string[] => [
  process.execPath,
  join(root, "node_modules", "mocha", "bin", "mocha.js"),
  "--reporter",
  "test/reporter.cjs",
  ...(timeout === undefined ? [] : ["--timeout", String(timeout)]),
  "--spec",
  spec,
];
const filesOfUi = readdirSync(join(root, "test", "ui")).filter((file) => file.endsWith(".test.ts"));

/** Each suite's commands, run one after the other. */
const suites: Record<string, string[][]> = {
  unit: [mocha("test/unit/**/*.test.ts")],
  jobs: [mocha("test/jobs/**/*.test.ts", 600_000)],
  cli: [mocha("test/cli/**/*.test.ts", 300_000)],
  worker: [[process.execPath, join(root, "scripts/test-worker.ts")]],
  server: [mocha("test/server/**/*.test.ts", 120_000)],
  editor: [[process.execPath, join(root, "test/editor/run.ts")]],
  // File by file: see `unsteadySuite`.
  ui: filesOfUi.map((file) => mocha(`test/ui/${file}`, 300_000)),
};
/** The suite of which a file that fails is run again, from its beginning: a browser on a busy machine may lose a key. */
const unsteadySuite = "ui";
/** How often at most, the first run counted. */
const RUNS = 3;

const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : Object.keys(suites);
const unknown = names.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`No suite ${unknown.join(", ")}. Suites: ${Object.keys(suites).join(", ")}.`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "clf-test-"));
const counts = join(folder, "counts");
let passed = 0;
let failed = 0;
let skipped = 0;

function run(command: string[], env: Record<string, string> = {}): boolean {
  const [program, ...args] = command;
  const result = spawnSync(program!, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  return result.status === 0;
}

for (const [name, command] of Object.entries(checks)) {
  console.log(`\n── ${name}`);
  if (run(command)) passed++;
  else {
    failed++;
    console.log(`${name} failed`);
  }
}
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs a command of a suite. */
function outcome(suite: string, command: string[]): Counts {
  rmSync(counts, { force: true });
  const fine = run(command, { CLF_TEST_COUNTS: counts });
  const found: Counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const [passed, failed, skipped] = readFileSync(counts, "utf8").trim().split(" ").map(Number);
    Object.assign(found, { passed, failed, skipped });
  } catch {
    // The suite ended before it could report: counted as a failure below.
  }
  if (!fine && found.failed === 0) {
    found.failed++;
    console.log(`${suite} ended without a result`);
  }
  return found;
}

/** Files that failed once and passed when run again: named at the end, so that they are looked into. */
const unsteady: string[] = [];
for (const name of names) {
  console.log(`\n── ${name}`);
  for (const command of suites[name]!) {
    let found = outcome(name, command);
    for (let done = 1; name === unsteadySuite && found.failed > 0 && done < RUNS; done++) {
      const file = command.at(-1)!;
      console.log(`\n${file} failed, and is run again`);
      found = outcome(name, command);
      if (found.failed === 0) unsteady.push(file);
    }
    passed += found.passed;
    failed += found.failed;
    skipped += found.skipped;
  }
}
if (unsteady.length > 0) console.log(`\nPassed only when run again: ${unsteady.join(", ")}`);
rmSync(folder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
