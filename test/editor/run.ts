/**
 * Runs the mocha suites of test/editor inside real VS Code: `node test/editor/run.ts [suite…] [--electron]`.
 *
 * A suite is a folder of `*.test.ts` files. They are built to CommonJS (VS Code's Node cannot read TypeScript) and run
 * in the extension host, where `import * as vscode from "vscode"` is the real thing. `--electron`, or CLF_VSCODE=electron,
 * downloads VS Code with @vscode/test-electron; else the workbench of scripts/editor runs them without a display.
 */
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";
import { runExtensionTests } from "../../scripts/editor/extensionTests.ts";
import { repository } from "../../scripts/editor/install.ts";

export interface TestResult {
  /** Suites from the outside in, then the test. */
  title: string[];
  state: "passed" | "failed" | "skipped";
  milliseconds: number;
  error?: string;
}

/** A line of the results file: a result, a line of the tests' console, or the mark that mocha came to its end. */
export type TestRecord = TestResult | { log: string } | { ended: true };

interface Suite {
  /** The extension under test. */
  extensionPath: string;
  /** The folder that is opened: a copy of it, so that tests may write. */
  workspace: string;
}

const here = import.meta.dirname;

/** A folder of test/editor each. */
const suites: Record<string, Suite> = {
  harness: { extensionPath: join(here, "fixtures", "extension"), workspace: join(here, "fixtures", "workspace") },
  clf: { extensionPath: repository, workspace: join(here, "fixtures", "project") },
};

/** Builds a suite into `.vscode-test/suites/`, inside the repository so that `mocha` is found. */
async function build(name: string, tests: string[]): Promise<string> {
  const folder = join(repository, ".vscode-test", "suites", name);
  rmSync(folder, { recursive: true, force: true });
  await esbuild.build({
    entryPoints: [
      { in: join(here, "extensionHost.ts"), out: "index" },
      ...tests.map((file) => ({ in: file, out: basename(file, ".ts") })),
    ],
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    sourcemap: "external",
    external: ["vscode", "mocha"],
    logLevel: "warning",
  });
  return join(folder, "index.cjs");
}

/** A stack with the places in the built files replaced by those in the sources. */
function inSources(stack: string): string {
  return stack.replace(/(\/\S+\.test\.cjs):(\d+):(\d+)/g, (place, file: string, line: string, column: string) => {
    if (!existsSync(`${file}.map`)) return place;
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in entry)) return place;
    return `${join(dirname(file), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

/** Runs one suite and prints its results. A run that ends early counts as one failure. */
async function run(name: string, tests: string[], electron: boolean): Promise<TestResult[]> {
  const suite = suites[name]!;
  const testsPath = await build(name, tests);
  const folder = mkdtempSync(join(tmpdir(), "clf-suite-"));
  const workspace = join(folder, "workspace");
  cpSync(suite.workspace, workspace, { recursive: true });
  const results = join(folder, "results.jsonl");
  writeFileSync(results, "");
  const env: Record<string, string> = { CLF_EDITOR_RESULTS: results };
  let why: string | undefined;
  const lines: string[] = [];
  try {
    if (electron) {
      const { runTests } = await import("@vscode/test-electron");
      const { extensionPath } = suite;
      await runTests({
        extensionDevelopmentPath: extensionPath,
        extensionTestsPath: testsPath,
        extensionTestsEnv: {
          ...env,
          ...(process.env.CLF_EDITOR_GREP ? { CLF_EDITOR_GREP: process.env.CLF_EDITOR_GREP } : {}),
        },
        launchArgs: [workspace, "--disable-extensions", "--disable-workspace-trust"],
      });
    } else {
      // Without VS Code's own stacks.
      const log = (line: string) => lines.push(line.split("\n", 1)[0]!);
      const { code, logs, seconds } = await runExtensionTests({ ...suite, workspace, testsPath, env, log });
      console.log(`${name}: VS Code started in ${seconds.started} s, ended after ${seconds.ended} s`);
      if (code !== 0) why = `The extension host ended with ${code}.\n${logs}`;
    }
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  const records = readFileSync(results, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TestRecord);
  rmSync(folder, { recursive: true, force: true });
  const found = records.filter((record) => "state" in record);
  // A killed extension host looks like a success to the window.
  if (!records.some((record) => "ended" in record)) {
    why ??= "The extension host ended before the tests did.";
    found.push({ title: [name, "runs to its end"], state: "failed", milliseconds: 0 });
  }
  for (const record of records) if ("log" in record) console.log(record.log.replace(/^/gm, "  │ "));
  for (const { title, state, milliseconds, error } of found) {
    const mark = { passed: "✔", failed: "✘", skipped: "-" }[state];
    console.log(`  ${mark} ${title.join(" › ")} (${milliseconds} ms)`);
    if (error) console.log(inSources(error).replace(/^/gm, "      "));
  }
  if (why) console.log(`The last lines of the window's log:\n${lines.slice(-20).join("\n")}\n${why}`);
  return found;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { electron: { type: "boolean", default: process.env.CLF_VSCODE === "electron" } },
});
const chosen = positionals.length > 0 ? positionals : Object.keys(suites);
const unknown = chosen.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(
    `No suite ${unknown.join(", ")} in ${relative(process.cwd(), here)}. Suites: ${Object.keys(suites).join(", ")}.`,
  );
  process.exit(2);
}

const all: TestResult[] = [];
for (const name of chosen) {
  const tests = globSync(join(here, name, "*.test.ts"));
  if (tests.length === 0) {
    // A suite that was asked for by name and has no tests is a mistake.
    if (positionals.length > 0) all.push({ title: [name, "has tests"], state: "failed", milliseconds: 0 });
    continue;
  }
  console.log(`\n${name}`);
  all.push(...(await run(name, tests, values.electron)));
}
const count = (state: TestResult["state"]) => all.filter((result) => result.state === state).length;
console.log(`\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
// The same line that test/reporter.cjs leaves for scripts/test.ts.
if (process.env.CLF_TEST_COUNTS) {
  writeFileSync(process.env.CLF_TEST_COUNTS, `${count("passed")} ${count("failed")} ${count("skipped")}`);
}
process.exit(count("failed") === 0 && all.length > 0 ? 0 : 1);
