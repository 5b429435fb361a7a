/** Turns a checked project file into the project that everything else works with. */
import { basename, dirname, join } from "node:path";
import { Endpoint, type ProjectFile } from "../../../schemas/project.ts";
import type { Label, Project } from "./project.ts";
import { splitShares } from "./split.ts";

/** The accept rule's defaults, where neither `risk` nor `threshold` is given. */
export const DEFAULT_ACCEPT = { risk: 0.05, certainty: 0.95 } as const;

/** A project file's name without `.clf.yaml`. */
export function projectStem(file: string): string {
  return basename(file).replace(/\.clf\.ya?ml$/i, "") || "project";
}

/** The labels of a target as the project file gives them, each with its name. */
export function labelsOf(list: readonly (string | Label)[]): Label[] {
  return list.map((label) => (typeof label === "string" ? { name: label } : label));
}

/**
 * @param file absolute path of the project file
 * @param spec its content, checked
 * @param labelFiles labels read from the file that a target names, by the target's index
 */
export function resolveProject(file: string, spec: ProjectFile, labelFiles: ReadonlyMap<number, Label[]>): Project {
  const folder = dirname(file);
  const accept = { ...spec.confidence.accept };
  if (accept.threshold === undefined) {
    accept.risk ??= DEFAULT_ACCEPT.risk;
    accept.certainty ??= DEFAULT_ACCEPT.certainty;
  }
  const endpoints = { ...spec.endpoints };
  const wantsOpenAI = Object.values(spec.models).some((model) => "endpoint" in model && model.endpoint === "openai");
  if (wantsOpenAI && !Object.hasOwn(endpoints, "openai")) endpoints.openai = Endpoint.parse({});
  return {
    file,
    folder,
    name: spec.name ?? projectStem(file),
    stateFolder: join(folder, ".clf"),
    splitsFile: join(folder, `${projectStem(file)}.splits.jsonl`),
    decisionsFile: join(folder, ...spec.review.decisions.split(/[\\/]/)),
    inputs: spec.task.inputs.map((input) =>
      typeof input === "string"
        ? { column: input, name: input }
        : { column: input.column, name: input.name ?? input.column },
    ),
    targets: spec.task.targets.map((target, index) => {
      const labels = Array.isArray(target.labels) ? labelsOf(target.labels) : labelFiles.get(index);
      return {
        column: target.column,
        name: target.name ?? target.column,
        ...(labels ? { labels } : {}),
        never: target.never ?? [],
        risk: target.risk ?? {},
      };
    }),
    shares: splitShares(spec.dataset),
    reviewModel: spec.review.model ?? Object.keys(spec.models)[0]!,
    spec: { ...spec, endpoints, confidence: { ...spec.confidence, accept } },
  };
}
