/** Everything that follows the reading of a project file, for a file of which only a part had to be read (reread.ts). */
import { PROJECT_VERSION } from "../../../schemas/project.ts";
import { checkDocument, withoutEchoes } from "../project/check-document.ts";
import type { LoadedProject } from "../project/load.ts";
import type { ReadText } from "../project/named-files.ts";
import { resolveProject } from "../project/resolve.ts";
import { findSecrets } from "../project/secrets.ts";
import type { YamlFile } from "../project/yaml.ts";

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
  const { spec, problems: found, labelFiles } = await checkDocument(document, read);
  const problems = withoutEchoes([...secrets, ...found], secrets);
  const sound = spec && !problems.some(({ severity }) => severity === "error");
  return {
    ...(sound ? { project: resolveProject(file.file, spec, labelFiles) } : {}),
    document: file,
    ...(spec ? { spec } : {}),
    problems,
  };
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = copyOf((value as Record<string, unknown>)[key]);
  return copy;
}
