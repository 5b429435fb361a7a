/** `clf init`, `clf check`, `clf profile`. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import type { Profile } from "../../../schemas/profile.ts";
import { createDuckDb } from "../dataset/duckdb.ts";
import { dataFormat } from "../dataset/files.ts";
import { guessColumns } from "../dataset/guess.ts";
import { loadProject } from "../project/load.ts";
import { projectTemplate } from "../project/template.ts";
import { markAt } from "../project/yaml.ts";
import { ensureUnionMerge } from "../review/git-attributes.ts";
import { readData } from "../workflow/data.ts";
import { openSession } from "../workflow/session.ts";
import { CliError, EXIT, percent, print, printJson, progressLine, table, whole } from "./io.ts";
import { projectFile, sayProblems, soundData, withProject } from "./project.ts";

/** Writes a commented project file beside the data. Never overwrites. */
export async function init(
  data: string,
  options: { json?: boolean; output?: string; input?: string[]; target?: string[]; id?: string },
): Promise<number> {
  const source = resolve(data);
  if (!existsSync(source)) throw new CliError(`There is no ${data}.`, EXIT.usage);
  const folder = dirname(source);
  const stem = basename(source).replace(/(\.[a-z0-9]+)?(\.gz)?$/i, "");
  const file = options.output ? resolve(options.output) : join(folder, `${stem}.clf.yaml`);
  if (existsSync(file))
    throw new CliError(`${relative(process.cwd(), file)} exists already. Name another: --output FILE`, EXIT.usage);
  const path = relative(dirname(file), source).replaceAll("\\", "/");
  if (path.startsWith(".."))
    throw new CliError("The data must lie in the project file's folder or below it.", EXIT.usage);
  if (!dataFormat(source)) {
    throw new CliError(`${data} is not a kind of file that can be read. Use csv, tsv, jsonl, json or parquet.`);
  }
  const duckdb = createDuckDb({ folder });
  try {
    const guess = await guessColumns(source, duckdb).catch((error: Error) => {
      throw new CliError(`${data} cannot be read: ${error.message.split("\n")[0]}`);
    });
    if (guess.rows === 0) throw new CliError(`${data} has no rows. A project is made from rows with texts and labels.`);
    const pick = (kind: string) => guess.columns.filter((column) => column.guess === kind).map(({ name }) => name);
    const known = (names: string[] | undefined) => {
      for (const name of names ?? []) {
        if (!guess.columns.some((column) => column.name === name)) {
          throw new CliError(
            `${data} has no column "${name}". Its columns: ${guess.columns.map((c) => c.name).join(", ")}.`,
            EXIT.usage,
          );
        }
      }
      return names;
    };
    const inputs = known(options.input) ?? pick("input");
    const targets = known(options.target) ?? pick("target");
    const id = known(options.id ? [options.id] : undefined)?.[0] ?? pick("id")[0];
    const text = projectTemplate({
      source: path,
      name: stem,
      inputs,
      targets: targets.map((column) => ({
        column,
        labels: guess.columns.find((c) => c.name === column)?.labels ?? [],
      })),
      ...(id ? { id } : {}),
    });
    await writeFile(file, text, { flag: "wx" });
    const attributes = await ensureUnionMerge(dirname(file), ["reviews.jsonl", `${stem}.splits.jsonl`]).catch(() => []);
    if (options.json) printJson({ file, inputs, targets, id: id ?? null, columns: guess.columns, rows: guess.rows });
    else {
      print(
        `Wrote ${relative(process.cwd(), file)}: inputs ${inputs.join(", ") || "(none found: fill in COLUMN)"}; targets ${targets.join(", ") || "(none found: fill in COLUMN)"}.`,
      );
      if (attributes.length > 0) {
        print("Decisions and splits of several people will merge in git: see .gitattributes beside the project.");
      }
      print(`Next: clf check ${relative(process.cwd(), file)}`);
    }
    return EXIT.fine;
  } finally {
    await duckdb.close();
  }
}

const tally = (problems: readonly Problem[], severity: Problem["severity"]) =>
  problems.filter((problem) => problem.severity === severity).length;

/** All problems of the project file and its data. Exit code 1 when one of them is an error. */
export async function check(path: string, options: { json?: boolean }): Promise<number> {
  const file = await projectFile(path);
  const loaded = await loadProject(file);
  let problems = loaded.problems;
  if (loaded.project) {
    const session = openSession(loaded.project);
    const line = progressLine();
    try {
      const data = await readData(session, {
        saveSplits: false,
        locate: (at) => markAt(loaded.document, at),
        onProgress: (step) => line.show(`${step} …`),
      });
      line.clear();
      problems = [...problems, ...data.problems];
    } finally {
      line.clear();
      await session.close();
    }
  }
  const errors = tally(problems, "error");
  const warnings = tally(problems, "warning");
  if (options.json) printJson({ project: file, errors, warnings, problems });
  else {
    sayProblems(problems);
    const say = (n: number, word: string) => `${n === 0 ? "no" : whole(n)} ${word}${n === 1 ? "" : "s"}`;
    print(`${relative(process.cwd(), file)}: ${say(errors, "error")}, ${say(warnings, "warning")}`);
  }
  return errors > 0 ? EXIT.problems : EXIT.fine;
}

/** What is in the data. */
export async function profile(path: string, options: { json?: boolean }): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    // Looking changes nothing: the splits are saved by the first job.
    const { dataset } = await soundData(session, locate, { saveSplits: false });
    if (options.json) printJson(dataset.profile);
    else printProfile(dataset.profile);
    return EXIT.fine;
  });
}

function printProfile(profile: Profile): void {
  const splits = Object.entries(profile.splits)
    .filter(([, rows]) => rows > 0)
    .map(([split, rows]) => `${split} ${whole(rows)}`);
  print(`${whole(profile.rows)} rows: ${splits.join(", ")}`);
  for (const file of profile.files) print(`  ${file.name} (${file.role}, ${file.format}): ${whole(file.rows)} rows`);
  const { exact, near, largest_group } = profile.duplicates;
  print(
    `Duplicates: ${whole(exact)} rows, ${whole(near)} nearly; largest group of rows kept together ${whole(largest_group)}`,
  );
  print(
    `Empty: ${whole(profile.empty)} rows; unlabelled: ${whole(profile.unlabelled)}; leaks between splits: ${whole(profile.leaks)}`,
  );
  for (const [reason, rows] of Object.entries(profile.left_out))
    if (rows > 0) print(`Left out (${reason}): ${whole(rows)} rows`);
  for (const input of profile.inputs) {
    if (!input.characters) continue;
    const { q05, median, q95, max } = input.characters;
    print(
      `${input.name}: median ${whole(Math.round(median))} characters (5 % ${whole(Math.round(q05))}, 95 % ${whole(Math.round(q95))}, longest ${whole(max)}), ${whole(input.empty)} empty`,
    );
  }
  for (const target of profile.targets) {
    const conflicts = profile.conflicts[target.name];
    print();
    print(
      `${target.name}: ${target.labels.length} labels on ${whole(target.labelled)} rows${conflicts && conflicts.sets > 0 ? `; ${whole(conflicts.sets)} texts have conflicting labels` : ""}`,
    );
    const rows = [...target.labels].sort((a, b) => b.rows - a.rows).slice(0, 20);
    print(
      table(rows.map(({ name, rows }) => [`  ${name}`, whole(rows), percent(rows / Math.max(1, target.labelled))])),
    );
    if (target.labels.length > rows.length) print(`  … and ${target.labels.length - rows.length} more`);
  }
}
