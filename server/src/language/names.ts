/** What the keys and values of a project file stand for: definitions of names, uses of them, columns, labels and files. */

import { type Path, type Place, placeAt, type YamlFile } from "../project/yaml.ts";
import { stepsAt, textAt } from "./places.ts";

/** The kinds of names that a project file defines under `models:`, `endpoints:` and `hosts:`. */
export type NameKind = "model" | "endpoint" | "host";

export type Meaning =
  /** The key that defines a name. */
  | { is: "definition"; kind: NameKind; name: string }
  /** A value that names one. */
  | { is: "use"; kind: NameKind; name: string }
  | { is: "column"; name: string; role: "input" | "target" | "id" | "group" | "split" }
  /** `target` is the target's index. */
  | { is: "label"; name: string; target: number }
  /** A target by its name. */
  | { is: "target"; name: string }
  | { is: "file"; path: string; role: "data" | "labels" | "predictions" | "template" | "decisions" };

const sections: Record<NameKind, string> = { model: "models", endpoint: "endpoints", host: "hosts" };

/** The section that defines names of a kind. */
export const sectionOf = (kind: NameKind) => sections[kind];

/** The names of a kind that the file defines, in order. */
export function namesOf(file: YamlFile, kind: NameKind): string[] {
  return stepsAt(file, [sections[kind]]).map(String);
}

/** What stands at a path; undefined for anything that is not a name, a column, a label or a file. */
export function meaningOf(file: YamlFile, path: Path, part: "key" | "value"): Meaning | undefined {
  const last = path.at(-1);
  if (part === "key") {
    const key = String(last);
    for (const [kind, section] of Object.entries(sections)) {
      if (path.length === 2 && path[0] === section) return { is: "definition", kind: kind as NameKind, name: key };
    }
    if (fits(path, ["task", "targets", 0, "risk", "*"])) return { is: "label", name: key, target: Number(path[2]) };
    if (fits(path, ["models", "*", "targets", "*"])) return { is: "target", name: key };
    return undefined;
  }
  const wanted = expectedAt(path);
  if (!wanted) return undefined;
  const text = textAt(file, path);
  if (text === undefined || placeAt(file, path)?.kind !== "scalar") return undefined;
  return wanted.is === "file" ? { ...wanted, path: text } : { ...wanted, name: text };
}

type Omitted<T, K extends string> = T extends unknown ? Omit<T, K> : never;
/** As Meaning, of a value that is not (fully) written yet. */
export type Expected = Omitted<Exclude<Meaning, { is: "definition" }>, "name" | "path">;

type Pattern = readonly (string | 0)[];

const expected: [Pattern, (path: Path) => Expected][] = [
  [["models", "*", "host"], () => ({ is: "use", kind: "host" })],
  [["models", "*", "endpoint"], () => ({ is: "use", kind: "endpoint" })],
  [["models", "*", "stages", 0], () => ({ is: "use", kind: "model" })],
  [["models", "*", "prompt", "shots", "after"], () => ({ is: "use", kind: "model" })],
  [["review", "model"], () => ({ is: "use", kind: "model" })],
  [["task", "inputs", 0], () => ({ is: "column", role: "input" })],
  [["task", "inputs", 0, "column"], () => ({ is: "column", role: "input" })],
  [["task", "targets", 0, "column"], () => ({ is: "column", role: "target" })],
  [["dataset", "id"], () => ({ is: "column", role: "id" })],
  [["dataset", "group"], () => ({ is: "column", role: "group" })],
  [["dataset", "split", "column"], () => ({ is: "column", role: "split" })],
  [["dataset", "sampling", "target"], () => ({ is: "target" })],
  [["task", "targets", 0, "labels", 0], (path) => ({ is: "label", target: Number(path[2]) })],
  [["task", "targets", 0, "labels", 0, "name"], (path) => ({ is: "label", target: Number(path[2]) })],
  [["task", "targets", 0, "never", 0], (path) => ({ is: "label", target: Number(path[2]) })],
  [["dataset", "source"], () => ({ is: "file", role: "data" })],
  [["dataset", "source", 0], () => ({ is: "file", role: "data" })],
  [["dataset", "source", "*"], () => ({ is: "file", role: "data" })],
  [["dataset", "source", "*", 0], () => ({ is: "file", role: "data" })],
  [["dataset", "pool"], () => ({ is: "file", role: "data" })],
  [["dataset", "pool", 0], () => ({ is: "file", role: "data" })],
  [["task", "targets", 0, "labels"], () => ({ is: "file", role: "labels" })],
  [["models", "*", "source"], () => ({ is: "file", role: "predictions" })],
  [["models", "*", "prompt", "template"], () => ({ is: "file", role: "template" })],
  [["review", "decisions"], () => ({ is: "file", role: "decisions" })],
];

/** What a value at this path names, whatever is written there now. */
export function expectedAt(path: Path): Expected | undefined {
  return expected.find(([pattern]) => fits(path, pattern))?.[1](path);
}

/** `"*"` stands for any key, `0` for any index. */
function fits(path: Path, pattern: Pattern): boolean {
  return (
    path.length === pattern.length &&
    pattern.every((step, i) =>
      step === 0 ? typeof path[i] === "number" : step === "*" ? typeof path[i] === "string" : step === path[i],
    )
  );
}

export interface Found {
  path: Path;
  place: Place;
  part: "key" | "value";
  meaning: Meaning;
}

/** Everything in the file that has a meaning, in the order of the file. Aliased parts stand once for each use. */
export function* meanings(file: YamlFile): Generator<Found> {
  yield* walk([], file.root);
  function* walk(path: Path, place: Place): Generator<Found> {
    if (place.key) {
      const meaning = meaningOf(file, path, "key");
      if (meaning) yield { path, place, part: "key", meaning };
    }
    if (place.kind === "scalar") {
      const meaning = meaningOf(file, path, "value");
      if (meaning) yield { path, place, part: "value", meaning };
    }
    for (const [step, child] of place.children ?? []) yield* walk([...path, step], child);
  }
}

/** The target at an index: its column, and the name that reports and models call it. */
export function targetAt(file: YamlFile, index: number): { column: string; name: string } | undefined {
  const column = textAt(file, ["task", "targets", index, "column"]);
  if (column === undefined) return undefined;
  return { column, name: textAt(file, ["task", "targets", index, "name"]) ?? column };
}
