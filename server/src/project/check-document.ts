/** What is wrong with a project file whose syntax is right and whose version is today's. */
import type { Problem } from "../../../schemas/problem.ts";
import { PROJECT_VERSION, ProjectFile } from "../../../schemas/project.ts";
import { checkProject, type PlacedLabels } from "./check.ts";
import { checkNamedFiles, type ReadText } from "./named-files.ts";
import type { Label } from "./project.ts";
import { labelsOf } from "./resolve.ts";
import { validate } from "./validate.ts";
import { markAt, placeAt, type YamlFile } from "./yaml.ts";

/** A document's content against the schema, the files it names and itself. Its values may be changed by validation. */
export async function checkDocument(document: YamlFile, read: ReadText | undefined) {
  const problems: Problem[] = [];
  const labelFiles = new Map<number, Label[]>();
  const content = document.value;
  if (typeof content === "object" && content !== null && !Array.isArray(content) && !("version" in content)) {
    const file = document.file;
    const message = `"version" is missing. Add the line: version: ${PROJECT_VERSION}`;
    problems.push({ severity: "error", code: "missing-version", message, file, range: markAt(document, ["version"]) });
    Object.assign(content, { version: PROJECT_VERSION });
  }
  const { output: spec, problems: wrong, removed } = validate(document, ProjectFile);
  problems.push(...wrong);
  if (!spec) return { problems, labelFiles };

  const files = await checkNamedFiles(document, spec, read);
  problems.push(...files.problems);
  const labels = new Map<number, PlacedLabels>(files.labels);
  spec.task.targets.forEach((target, index) => {
    if (!Array.isArray(target.labels)) return;
    const path = ["task", "targets", index, "labels"];
    if (placeAt(document, path)) labels.set(index, { file: document, path, labels: labelsOf(target.labels) });
  });
  for (const [index, placed] of files.labels) labelFiles.set(index, [...placed.labels]);
  problems.push(...checkProject({ yaml: document, spec, removed, labels }));
  return { spec, problems, labelFiles };
}

/** A key that stands in the file is said once, as what it is. */
export function withoutEchoes(problems: Problem[], secrets: readonly Problem[]): Problem[] {
  const lines = new Set(secrets.map(({ range }) => `${range?.start.line}:${range?.start.character}`));
  return problems.filter(({ code, range }) => {
    return code !== "wrong-value" || !lines.has(`${range?.start.line}:${range?.start.character}`);
  });
}
