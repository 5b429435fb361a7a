/** Everything that follows the reading of a project file, for a file of which only a part had to be read (reread.ts). */
import type { Problem } from "../../../schemas/problem.ts";
import { PROJECT_VERSION, ProjectFile } from "../../../schemas/project.ts";
import { checkProject, type PlacedLabels } from "../project/check.ts";
import type { LoadedProject } from "../project/load.ts";
import { checkNamedFiles, type ReadText } from "../project/named-files.ts";
import type { Label } from "../project/project.ts";
import { labelsOf, resolveProject } from "../project/resolve.ts";
import { findSecrets } from "../project/secrets.ts";
import { validate } from "../project/validate.ts";
import { placeAt, type YamlFile } from "../project/yaml.ts";

/**
 * What `loadProject` says of this text, in any order. The file's values are left as they are.
 *
 * @returns undefined where it takes `loadProject`: files of another version, or without one
 */
export async function loadRead(file: YamlFile, read: ReadText): Promise<LoadedProject | undefined> {
  const secrets = findSecrets(file);
  if (file.problems.length > 0) return { document: file, problems: [...file.problems, ...secrets] };
  if ((file.value as { version?: unknown } | null)?.version !== PROJECT_VERSION) return undefined;

  // Validation turns values into text where text is asked for, and another edit may ask for something else there.
  const document: YamlFile = { ...file, value: copyOf(file.value) };
  const { output: spec, problems: wrong, removed } = validate(document, ProjectFile);
  const problems: Problem[] = [...secrets, ...wrong];
  if (!spec) return { document: file, problems: withoutEchoes(problems, secrets) };
  const files = await checkNamedFiles(document, spec, read);
  problems.push(...files.problems);
  const labels = new Map<number, PlacedLabels>(files.labels);
  const labelFiles = new Map<number, Label[]>([...files.labels].map(([index, placed]) => [index, [...placed.labels]]));
  spec.task.targets.forEach((target, index) => {
    const path = ["task", "targets", index, "labels"];
    if (!Array.isArray(target.labels) || !placeAt(document, path)) return;
    labels.set(index, { file: document, path, labels: labelsOf(target.labels) });
  });
  problems.push(...checkProject({ yaml: document, spec, removed, labels }));
  const sound = !problems.some(({ severity }) => severity === "error");
  return {
    ...(sound ? { project: resolveProject(file.file, spec, labelFiles) } : {}),
    document: file,
    spec,
    problems: withoutEchoes(problems, secrets),
  };
}

/** A key that stands in the file is said once, as what it is. */
function withoutEchoes(problems: Problem[], secrets: readonly Problem[]): Problem[] {
  const start = ({ range }: Problem) => `${range?.start.line}:${range?.start.character}`;
  const places = new Set(secrets.map(start));
  return problems.filter((problem) => problem.code !== "wrong-value" || !places.has(start(problem)));
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = copyOf((value as Record<string, unknown>)[key]);
  return copy;
}
