/**
 * `npm run generate`: writes what is made from code: the JSON Schemas in schemas/json/, docs/project-file.md and docs/cli.md.
 * `--check` writes nothing and fails when a file is not as it would be written.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import * as z from "zod";
import { Decision } from "../schemas/decisions.ts";
import { JobEvent } from "../schemas/events.ts";
import { Exit, Job, Launch, ManagerRecord } from "../schemas/job.ts";
import { Prediction } from "../schemas/predictions.ts";
import { Problem } from "../schemas/problem.ts";
import { LabelList, ProjectFile } from "../schemas/project.ts";
import { Report } from "../schemas/report.ts";
import { JobRow, SplitAssignment } from "../schemas/rows.ts";
import { ScorerLine } from "../schemas/scorer.ts";
import { cliReference } from "./cli-page.ts";
import { projectFileReference } from "./project-file-page.ts";

const root = join(import.meta.dirname, "..");

/**
 * Name → schema, and which side of it: `input` is what a person or a foreign program may write (defaults may be left out),
 * `output` what Clf writes (they are there).
 */
const SCHEMAS: Record<string, { schema: z.ZodType; io: "input" | "output"; title: string }> = {
  project: { schema: ProjectFile, io: "input", title: "Clf project file" },
  labels: { schema: LabelList, io: "input", title: "Clf labels file" },
  job: { schema: Job, io: "output", title: "Clf job.json" },
  "manager-record": { schema: ManagerRecord, io: "output", title: "A line of manager.jsonl" },
  launch: { schema: Launch, io: "output", title: "launch.json of an attempt" },
  exit: { schema: Exit, io: "output", title: "exit.json of an attempt" },
  event: { schema: JobEvent, io: "input", title: "A line of events.jsonl" },
  prediction: { schema: Prediction, io: "input", title: "A line of predictions.jsonl" },
  "scorer-line": { schema: ScorerLine, io: "input", title: "A line of a worker that serves a model" },
  row: { schema: JobRow, io: "output", title: "A line of data/rows.jsonl" },
  "split-assignment": { schema: SplitAssignment, io: "output", title: "A line of the splits file" },
  decision: { schema: Decision, io: "output", title: "A line of the decisions file" },
  report: { schema: Report, io: "output", title: "report.json" },
  problem: { schema: Problem, io: "output", title: "A problem of a project or its data" },
};

/** Path, relative to the repository → content. */
export function generated(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, { schema, io, title }] of Object.entries(SCHEMAS)) {
    const json = { title, ...z.toJSONSchema(schema, { io, unrepresentable: "any" }) };
    files.set(`schemas/json/${name}.schema.json`, `${JSON.stringify({ ...json, title }, null, 2)}\n`);
  }
  files.set("docs/project-file.md", projectFileReference());
  files.set("docs/cli.md", cliReference());
  return files;
}

/** Files that are not as they would be written. */
export async function stale(): Promise<string[]> {
  const names: string[] = [];
  for (const [path, content] of generated()) {
    const present = await readFile(join(root, path), "utf8").catch(() => undefined);
    if (present?.replace(/\r\n/g, "\n") !== content) names.push(path);
  }
  return names;
}

if (process.argv[1] && relative(import.meta.filename, process.argv[1]) === "") {
  const old = await stale();
  if (process.argv.includes("--check")) {
    if (old.length > 0) {
      console.error(`Out of date: ${old.join(", ")}. Run: npm run generate`);
      process.exitCode = 1;
    }
  } else {
    const files = generated();
    for (const path of old) {
      const file = join(root, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, files.get(path)!);
      console.log(path);
    }
  }
}
