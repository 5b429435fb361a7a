/**
 * The module that VS Code runs in its extension host: mocha over the built test files that lie beside it. Every result
 * is appended to the file named by CLF_EDITOR_RESULTS at once, so that a crash of the host loses none before it.
 */
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
import Mocha from "mocha";
import type { TestRecord, TestResult } from "./run.ts";

function append(record: TestRecord): void {
  appendFileSync(process.env.CLF_EDITOR_RESULTS!, `${JSON.stringify(record)}\n`);
}

/** @throws when a test failed: VS Code takes that as the run's failure */
export async function run(): Promise<void> {
  // The window shows the host's console nowhere that a test run could read it.
  console.log = (...values: unknown[]) => append({ log: format(...values) });
  const mocha = new Mocha({ ui: "bdd", timeout: 60_000, forbidOnly: true, reporter: "min" });
  // esbuild writes CommonJS, so this is the folder of the built file.
  for (const file of readdirSync(__dirname).sort())
    if (file.endsWith(".test.cjs")) mocha.addFile(join(__dirname, file));
  if (process.env.CLF_EDITOR_GREP) mocha.grep(process.env.CLF_EDITOR_GREP);

  const report = (test: Mocha.Test, state: TestResult["state"], error?: Error) => {
    const stack = error?.stack ?? error?.message;
    append({ title: test.titlePath(), state, milliseconds: test.duration ?? 0, error: stack });
  };
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on("pass", (test) => report(test, "passed"));
    runner.on("fail", (test, error) => report(test, "failed", error));
    runner.on("pending", (test) => report(test, "skipped"));
  });
  append({ ended: true });
  if (failures > 0) throw new Error(`${failures} failed`);
}
