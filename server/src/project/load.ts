/** Reads a project file: from text to a project, or to problems that say what is wrong and where. */
import { resolve } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import { PROJECT_VERSION, type ProjectFile } from "../../../schemas/project.ts";
import { checkDocument, withoutEchoes } from "./check-document.ts";
import { MIGRATIONS, type Migration, migrate } from "./migrate.ts";
import type { ReadText } from "./named-files.ts";
import type { Project } from "./project.ts";
import { resolveProject } from "./resolve.ts";
import { findSecrets } from "./secrets.ts";
import { readText } from "./text.ts";
import { markAt, readYaml, type YamlFile } from "./yaml.ts";

export interface LoadOptions {
  /** The project file's text, when it is not what stands on disk (an editor's unsaved text). */
  text?: string;
  /** Reads the files that the project file names; the editor answers with unsaved text. */
  read?: ReadText;
  /** For tests of migrations. */
  migrations?: readonly Migration[];
}

export interface LoadedProject {
  /** The project; absent when a problem is an error. */
  project?: Project;
  /** The file with its values and their places. */
  document: YamlFile;
  /** The content with defaults, faulty parts left out; absent when too little is left. For the editor. */
  spec?: ProjectFile;
  /** The text in today's version of the format, when the file is in an older one. */
  migrated?: string;
  /** Sorted by file and place. */
  problems: Problem[];
}

/** Never throws for bad input, and never touches a file but to read it. */
export async function loadProject(path: string, options: LoadOptions = {}): Promise<LoadedProject> {
  const file = resolve(path);
  const read = options.text !== undefined ? { text: options.text } : await readText(file);
  if ("problem" in read) return { document: readYaml(file, ""), problems: [read.problem] };

  let document = readYaml(file, read.text.replace(/^\uFEFF/, ""));
  const secrets = findSecrets(document);
  // Syntax first: a guess at what a broken file means would only add noise.
  if (document.problems.length > 0 || !document.document) {
    return { document, problems: inOrder([...document.problems, ...secrets], file) };
  }

  const problems: Problem[] = [...secrets];
  const written = document;
  const outcome = migrate(document.document, options.migrations ?? MIGRATIONS);
  let migrated: string | undefined;
  if (outcome.state === "newer") {
    const message = `This project is in version ${outcome.version} of the format; this Clf reads up to ${PROJECT_VERSION}. Update Clf.`;
    const range = markAt(document, ["version"]);
    return { document, problems: [{ severity: "error", code: "newer-version", message, file, range }, ...problems] };
  }
  if (outcome.state === "migrated") {
    migrated = outcome.text;
    document = readYaml(file, outcome.text);
    const message = `This project is in version ${outcome.from} of the format and is read as version ${PROJECT_VERSION}. Let Clf rewrite it.`;
    problems.push({
      severity: "information",
      code: "older-version",
      message,
      file,
      range: markAt(written, ["version"]),
    });
  }
  const found = await checkDocument(document, options.read);
  // In a migrated text places are not those of the file: what is said of it is marked at the version.
  const place = (problem: Problem): Problem =>
    migrated !== undefined && problem.file === file ? { ...problem, range: markAt(written, ["version"]) } : problem;
  problems.push(...found.problems.map(place));

  const project =
    found.spec && !problems.some(({ severity }) => severity === "error")
      ? resolveProject(file, found.spec, found.labelFiles)
      : undefined;
  return {
    ...(project ? { project } : {}),
    document: written,
    ...(found.spec ? { spec: found.spec } : {}),
    ...(migrated !== undefined ? { migrated } : {}),
    problems: inOrder(withoutEchoes(problems, secrets), file),
  };
}

/** The project file's problems first, each file's from top to bottom. */
function inOrder(problems: Problem[], first: string): Problem[] {
  const line = ({ range }: Problem) => range?.start.line ?? -1;
  const character = ({ range }: Problem) => range?.start.character ?? -1;
  return problems.sort((a, b) => {
    const files = Number(a.file !== first) - Number(b.file !== first) || (a.file ?? "").localeCompare(b.file ?? "");
    return files || line(a) - line(b) || character(a) - character(b);
  });
}
