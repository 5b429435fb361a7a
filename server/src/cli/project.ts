/** Opening a project for a command: what is wrong is said on standard error, in places that can be clicked. */
import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Problem } from "../../../schemas/problem.ts";
import { discoverProjects } from "../project/discover.ts";
import { loadProject } from "../project/load.ts";
import { markAt } from "../project/yaml.ts";
import { type ProjectData, readData } from "../workflow/data.ts";
import { keysFromEnvironment } from "../workflow/keys.ts";
import { openSession, type Session } from "../workflow/session.ts";
import { asker, CliError, EXIT, problemLine, progressLine, say } from "./io.ts";

/** The project file as a person would type it. */
export function projectPath(session: Session): string {
  const path = relative(process.cwd(), session.project.file);
  return /[^\w./\\:-]/.test(path) ? `"${path}"` : path;
}

/** The project file a command line names: a file, or a folder with one project in it. */
export async function projectFile(path: string): Promise<string> {
  const full = resolve(path);
  if (!existsSync(full)) throw new CliError(`There is no ${path}.`, EXIT.usage);
  if (!statSync(full).isDirectory()) return full;
  const found = await discoverProjects(full);
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    throw new CliError(`There is no .clf.yaml in ${path}. Make one from your data: clf init DATA`, EXIT.usage);
  }
  const names = found.map((file) => relative(process.cwd(), file)).join(", ");
  throw new CliError(`There are ${found.length} projects in ${path}: ${names}. Name one of them.`, EXIT.usage);
}

export function sayProblems(problems: readonly Problem[]): void {
  for (const problem of problems) say(problemLine(problem, (file) => relative(process.cwd(), file) || file));
}

/** Opens the project; ends the command when the file has errors. */
export async function openProject(path: string): Promise<{ session: Session; problems: Problem[]; locate: Locate }> {
  const file = await projectFile(path);
  const { project, problems, document } = await loadProject(file);
  if (!project) {
    const errors = problems.filter(({ severity }) => severity === "error");
    sayProblems(errors);
    throw new CliError(`${path} has errors: see above.`, EXIT.problems, { problems: errors });
  }
  const keyOf = keysFromEnvironment(process.env, asker());
  const session = openSession(project, { keyOf, onCondition: sayOnce() });
  return { session, problems, locate: (at) => markAt(document, at) };
}

/** What keeps a host from being asked is said once, however many jobs it has and however often it is tried. */
function sayOnce(): (job: string, message: string | null) => void {
  let said: string | null = null;
  return (_, message) => {
    if (message !== null && message !== said) say(message);
    said = message ?? said;
  };
}

type Locate = (path: (string | number)[]) => Problem["range"];

/** Runs a command's work on an open project, and closes it whatever happens. */
export async function withProject<T>(
  path: string,
  work: (session: Session, context: { problems: Problem[]; locate: Locate }) => Promise<T>,
): Promise<T> {
  const { session, ...context } = await openProject(path);
  try {
    return await work(session, context);
  } finally {
    await session.close();
  }
}

/** Reads the data with progress on a terminal; ends the command when the data has errors. */
export async function soundData(
  session: Session,
  locate: Locate,
  options: { saveSplits?: boolean; columns?: string[] } = {},
): Promise<ProjectData> {
  const line = progressLine();
  const data = await readData(session, {
    ...options,
    locate,
    onProgress: (step, done, total) => line.show(total ? `${step} ${Math.floor((100 * done) / total)} %` : `${step} …`),
  }).finally(() => line.clear());
  // Warnings about the data are for `clf check`; those about what people decided and how rows are divided cannot wait.
  const own = [session.project.splitsFile, session.project.decisionsFile];
  sayProblems(data.problems.filter(({ severity, file }) => severity === "warning" && file && own.includes(file)));
  const errors = data.problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    sayProblems(errors);
    throw new CliError(
      `The data has errors: see above. All problems: clf check ${projectPath(session)}`,
      EXIT.problems,
      { problems: errors },
    );
  }
  return data;
}
