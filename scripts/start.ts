/**
 * `npm start`: builds, runs the example project end to end on the embedded engine (no GPU, no key), prints the result, and
 * opens the editor on it. `--no-editor`, or a terminal that is none, stops after the result.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const example = join(root, "examples", "severe-injuries");
const demo = join(root, ".demo", "severe-injuries");
const project = join(demo, "severe-injuries.clf.yaml");
const REVIEWER = "npm start";

function run(
  command: string,
  args: string[],
  options: { quiet?: boolean } = {},
): Promise<{ code: number; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "user.name", GIT_CONFIG_VALUE_0: REVIEWER },
    });
    let out = "";
    child.stdout.on("data", (text: Buffer) => {
      out += text;
      if (!options.quiet) process.stdout.write(text);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, out }));
  });
}

async function clf(args: string[], quiet = false): Promise<string> {
  const { code, out } = await run(process.execPath, [join(root, "dist", "cli.mjs"), ...args], { quiet });
  if (code !== 0) {
    console.error(`\nclf ${args.join(" ")} ended with exit code ${code}.`);
    process.exit(1);
  }
  return out;
}

const json = async <T>(args: string[]): Promise<T> => JSON.parse(await clf([...args, "--json"], true)) as T;

function step(title: string): void {
  console.log(`\n── ${title}`);
}

/** A fresh copy of the example. One in which a person has decided something is kept aside. */
async function freshDemo(): Promise<void> {
  if (existsSync(demo)) {
    const reviews = await readFile(join(demo, "reviews.jsonl"), "utf8").catch(() => "");
    const people = reviews
      .split("\n")
      .filter((line) => line !== "" && !line.includes(`"who":${JSON.stringify(REVIEWER)}`));
    if (people.length > 0) {
      const aside = `${demo}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
      await rename(demo, aside);
      console.log(`Your decisions are kept in ${relative(root, aside)}.`);
    } else await rm(demo, { recursive: true });
  }
  await mkdir(join(root, ".demo"), { recursive: true });
  await cp(example, demo, { recursive: true });
}

interface FlaggedItem {
  row: string;
  target: string;
}

/** The person of the demonstration knows the truth: the generator wrote it down. */
async function truths(): Promise<Map<string, string>> {
  const lines = (await readFile(join(example, "truth.csv"), "utf8")).trim().split("\n").slice(1);
  const found = new Map<string, string>();
  for (const line of lines) {
    const [row, target, , label] = line.split(",");
    found.set(`${row}\n${target}`, label!);
  }
  return found;
}

const DECISIONS = 60;

async function review(): Promise<number> {
  const truth = await truths();
  const { items } = await json<{ items: FlaggedItem[] }>(["flagged", project, "--limit", "400"]);
  const decisions = items.flatMap(({ row, target }) => {
    const label = truth.get(`${row}\n${target}`);
    return label === undefined ? [] : [{ row, target, label }];
  });
  const file = join(demo, ".clf", "demo-decisions.jsonl");
  const lines = decisions.slice(0, DECISIONS).map((decision) => `${JSON.stringify(decision)}\n`);
  await writeFile(file, lines.join(""));
  await clf(["review", project, "--from", file]);
  return lines.length;
}

const build = await run(process.execPath, [join(root, "esbuild.mjs")]);
if (build.code !== 0) process.exit(1);
await freshDemo();
console.log("Clf: the example project, end to end, on the embedded engine. No GPU, no key.");
step("Check the project and its data");
await clf(["check", project]);
step("Fine-tune");
await clf(["fine-tune", project]);
step("Evaluate, and compare the two models");
await clf(["compare", project]);
step("Rows that wait for a person");
await clf(["evaluate", project, "--model", "baseline"], true);
await clf(["flagged", project, "--limit", "5"]);
step(`Review ${DECISIONS} of them`);
console.log(`${await review()} decisions recorded in ${relative(root, join(demo, "reviews.jsonl"))}.`);
step("Fine-tune again, with the decisions, and evaluate: what changed");
await clf(["fine-tune", project, "--model", "baseline"]);
await clf(["evaluate", project, "--model", "baseline"]);
const page = join(demo, "report.html");
await clf(["report", project, "--output", page], true);
console.log(`\nDone. The project is in ${relative(root, demo)}, its report in ${relative(root, page)}.`);
console.log('Try: node bin/clf predict .demo/severe-injuries --text "Employee slipped on ice and broke his wrist"');

if (!process.argv.includes("--no-editor") && process.stdout.isTTY) {
  const editor = spawn(process.execPath, [join(root, "scripts", "editor.mjs"), "open", demo], {
    stdio: "inherit",
    cwd: root,
  });
  editor.on("close", (code) => process.exit(code ?? 0));
}
