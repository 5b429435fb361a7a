/** The files a project file names: whether each may be read, and the labels of those that hold a list. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, relative } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import { LabelList, type ProjectFile } from "../../../schemas/project.ts";
import type { PlacedLabels } from "./check.ts";
import { confine } from "./paths.ts";
import { labelsOf, projectStem } from "./resolve.ts";
import { findSecrets } from "./secrets.ts";
import { closest, didYouMean } from "./suggest.ts";
import { readText } from "./text.ts";
import { validate } from "./validate.ts";
import { markAt, type Path, readYaml, type YamlFile } from "./yaml.ts";

/** A path in the project file, and what is expected of it beyond standing inside the folder. */
interface NamedFile {
  at: Path;
  path: string;
  /** `data`: found and reported where data is read. `output`: written by Clf, need not exist. */
  use: "data" | "labels" | "template" | "predictions" | "output";
  target?: number;
}

/** Every path of a project file. */
export function namedFiles(spec: ProjectFile): NamedFile[] {
  const named: NamedFile[] = [];
  const add = (value: string | string[] | undefined, at: Path) => {
    if (typeof value === "string") named.push({ at, path: value, use: "data" });
    else for (const [index, path] of (value ?? []).entries()) named.push({ at: [...at, index], path, use: "data" });
  };
  const { source, pool } = spec.dataset;
  if (typeof source === "string" || Array.isArray(source)) add(source, ["dataset", "source"]);
  else for (const split of ["train", "validation", "test"] as const) add(source[split], ["dataset", "source", split]);
  add(pool, ["dataset", "pool"]);
  spec.task.targets.forEach(({ labels }, target) => {
    if (typeof labels === "string")
      named.push({ at: ["task", "targets", target, "labels"], path: labels, use: "labels", target });
  });
  for (const [name, model] of Object.entries(spec.models)) {
    if (model.engine === "predictions")
      named.push({ at: ["models", name, "source"], path: model.source, use: "predictions" });
    if (model.engine === "chat" && model.prompt.template !== undefined) {
      named.push({ at: ["models", name, "prompt", "template"], path: model.prompt.template, use: "template" });
    }
  }
  named.push({ at: ["review", "decisions"], path: spec.review.decisions, use: "output" });
  return named;
}

/** Reads a labels file, given the absolute path and its text; the editor has text that is not saved yet. */
export type ReadText = (file: string) => Promise<{ text: string } | { problem: Problem }>;

/** Looks at every file the project names. Labels come back by the target's index. */
export async function checkNamedFiles(
  yaml: YamlFile,
  spec: ProjectFile,
  read: ReadText = readText,
): Promise<{ problems: Problem[]; labels: Map<number, PlacedLabels> }> {
  const folder = dirname(yaml.file);
  const problems: Problem[] = [];
  const labels = new Map<number, PlacedLabels>();
  const files = new Map<string, YamlFile | undefined>();
  const add = (severity: Problem["severity"], code: string, at: Path, message: string, suggestions: string[] = []) => {
    const range = markAt(yaml, at);
    problems.push({ severity, code, message, file: yaml.file, range, ...(suggestions.length ? { suggestions } : {}) });
  };

  // Written without being named: a link there would have Clf write where the project has no business.
  for (const path of [".clf/jobs", `${projectStem(yaml.file)}.splits.jsonl`]) {
    if (!("refused" in (await confine(folder, path)))) continue;
    const message = `Clf writes into "${path}", which leads outside the project's folder by a symbolic link. Remove the link.`;
    add("error", "path-outside", ["version"], message);
  }
  for (const { at, path, use, target } of namedFiles(spec)) {
    const confined = await confine(folder, path);
    if ("refused" in confined) {
      add("error", "path-outside", at, confined.refused);
      continue;
    }
    const absolute = confined.path;
    if (use === "output") {
      if (absolute === yaml.file || namedFiles(spec).some((other) => other.use !== "output" && other.path === path)) {
        const message = `Decisions would be written into "${path}", which holds something else. Give them a file of their own.`;
        add("error", "decisions-file", at, message);
      } else if (relative(folder, absolute).split(/[\\/]/)[0] === ".clf") {
        const message = `Files in .clf are not committed, so decisions there would be lost to others. Keep them beside the project.`;
        add("warning", "decisions-file", at, message);
      }
    }
    if (use === "template" || use === "predictions" || use === "labels") {
      const found = await stat(absolute).catch(() => undefined);
      if (!found?.isFile()) {
        const suggestions = await nearby(folder, path, use);
        // Predictions may be made later by another system: the rest of the project works without them.
        const severity = use === "predictions" ? "warning" : "error";
        const what = found
          ? `"${path}" is a folder, not a file.`
          : `There is no file "${path}" in the project's folder.`;
        add(
          severity,
          "missing-file",
          at,
          `${what}${didYouMean(suggestions) || " Check the path, or create it."}`,
          suggestions,
        );
        continue;
      }
    }
    if (use !== "labels") continue;
    if (!/\.(ya?ml|json)$/i.test(path)) {
      add(
        "error",
        "labels-file",
        at,
        `A labels file is YAML: a list of labels. Rename "${basename(path)}" to end with .yaml.`,
      );
      continue;
    }
    if (!files.has(absolute)) {
      const text = await read(absolute);
      if ("problem" in text) {
        add("error", text.problem.code, at, `${basename(path)}: ${text.problem.message}`);
        files.set(absolute, undefined);
      } else {
        const list = readYaml(absolute, text.text);
        problems.push(...findSecrets(list));
        files.set(absolute, list);
        if (list.problems.length > 0) problems.push(...list.problems);
        else {
          const checked = validate(list, LabelList);
          problems.push(...checked.problems);
          if (checked.problems.length > 0) list.problems.push(...checked.problems);
        }
      }
    }
    const list = files.get(absolute);
    const parsed = list && list.problems.length === 0 ? LabelList.safeParse(list.value) : undefined;
    if (list && parsed?.success) labels.set(target!, { file: list, path: [], labels: labelsOf(parsed.data) });
  }
  return { problems, labels };
}

/** Files that a mistyped path may mean. */
async function nearby(folder: string, path: string, use: NamedFile["use"]): Promise<string[]> {
  const parent = dirname(path);
  const confined = await confine(folder, parent);
  if ("refused" in confined) return [];
  const names = await readdir(confined.path).catch(() => []);
  const fitting = names.filter((name) => use !== "labels" || /\.(ya?ml|json)$/i.test(name));
  const suggested = closest(basename(path), fitting);
  return suggested.map((name) => (parent === "." ? name : `${parent}/${name}`));
}
