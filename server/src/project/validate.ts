/** Checks a YAML file's values against a zod schema, and says what is wrong in words and with a place. */
import type * as z from "zod";
import type { Problem } from "../../../schemas/problem.ts";
import {
  alternatives,
  branchFor,
  expectation,
  inputSchema,
  type JsonSchema,
  kindOf,
  oneOf,
  schemaAt,
  valueAt,
} from "./schema.ts";
import { choices, closest, didYouMean } from "./suggest.ts";
import { LIMITS, markAt, type Path, type PathStep, placeAt, type YamlFile } from "./yaml.ts";

type Issue = z.core.$ZodIssue;

/** What `validate` found. */
export interface Validated<T> {
  /**
   * The value with its defaults. With errors, what is left once every faulty part is taken out, so that the rest can
   * still be checked; undefined when a part that must be there is missing or faulty.
   */
  output?: T;
  problems: Problem[];
  /** The places whose values were taken out. */
  removed: Path[];
}

/**
 * Checks `file.value`. Where text is asked for, a plain number, true or false is taken as it is written (`007` is "007").
 * Values are changed in place by this.
 */
export function validate<S extends z.ZodType>(file: YamlFile, schema: S): Validated<z.output<S>> {
  const root = file.value;
  let result = schema.safeParse(root);
  if (!result.success && readAsText(file, root, result.error.issues, [])) result = schema.safeParse(root);
  if (result.success) return { output: result.data, problems: [], removed: [] };

  const json = inputSchema(schema);
  const explain = new Explainer(file, json);
  explain.issues(result.error.issues, []);
  explain.settleTypos();

  // What is left without the faulty parts; removing one can uncover that its parent now lacks something it needs.
  const removed: Path[] = [];
  const rest = { root: structuredClone(root) };
  for (let round = 0; round < 8 && !result.success; round++) {
    const faulty = leaves(result.error.issues, json, rest.root, []);
    for (const path of faulty) {
      if (path.length === 0) return { problems: explain.problems, removed: [[]] };
      removed.push(path);
      remove(rest.root, path);
    }
    if (faulty.length === 0) break;
    result = schema.safeParse(rest.root);
  }
  return { output: result.success ? result.data : undefined, problems: explain.problems, removed };
}

/** Puts the written text in the place of plain scalars where an issue asks for text. Tells whether there were any. */
function readAsText(file: YamlFile, root: unknown, issues: readonly Issue[], base: Path): boolean {
  let changed = false;
  for (const issue of issues) {
    const path = [...base, ...(issue.path as PathStep[])];
    if (issue.code === "invalid_union") {
      for (const branch of issue.errors) changed = readAsText(file, root, branch, path) || changed;
    } else if (issue.code === "invalid_type" && issue.expected === "string" && path.length > 0) {
      const value = valueAt(root, path);
      const plain = placeAt(file, path)?.plain;
      if ((typeof value === "number" || typeof value === "boolean") && plain !== undefined) {
        const parent = valueAt(root, path.slice(0, -1)) as Record<PathStep, unknown>;
        parent[path.at(-1)!] = plain;
        changed = true;
      }
    }
  }
  return changed;
}

function remove(root: unknown, path: Path): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1)!;
  // A list keeps its length, so that the paths of the other items stay true: a hole fails and its list goes instead.
  if (Array.isArray(parent)) delete parent[last as number];
  else if (typeof parent === "object" && parent !== null) delete (parent as Record<PathStep, unknown>)[last];
}

/** The smallest parts without which the issues would not be there. */
function leaves(issues: readonly Issue[], schema: JsonSchema, root: unknown, base: Path): Path[] {
  return issues.flatMap((issue): Path[] => {
    const path = [...base, ...(issue.path as PathStep[])];
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...path, key]);
    if (issue.code === "invalid_union") {
      const branch = meantBranch(issue, schemaAt(schema, root, path), valueAt(root, path));
      if (branch) return leaves(branch, schema, root, path);
      if (issue.discriminator) return [path.slice(0, -1)];
    }
    // Missing, or a hole left by a removal: what needs it goes.
    return valueAt(root, path) === undefined ? [path.slice(0, -1)] : [path];
  });
}

/** The issues of the union branch that the value means by its shape; undefined when it fits none. */
function meantBranch(issue: Issue & { code: "invalid_union" }, schema: JsonSchema | undefined, value: unknown) {
  if (!schema || issue.errors.length === 0 || value === undefined) return undefined;
  const branch = branchFor(schema, value);
  if (!branch || kindOf(value) === "scalar") return undefined;
  // The union's own options; a nested union among them holds the branch inside.
  const options = schema.anyOf ?? schema.oneOf ?? [];
  const index = options.findIndex((option) => alternatives(option).includes(branch));
  return issue.errors[index];
}

class Explainer {
  readonly problems: Problem[] = [];
  private readonly file: YamlFile;
  private readonly schema: JsonSchema;
  /** Problems of missing keys, by path. */
  private readonly missing = new Map<string, Problem>();
  /** Paths that unknown keys were probably meant for. */
  private readonly typos: string[] = [];

  constructor(file: YamlFile, schema: JsonSchema) {
    this.file = file;
    this.schema = schema;
  }

  issues(issues: readonly Issue[], base: Path): void {
    for (const issue of issues) this.issue(issue, [...base, ...(issue.path as PathStep[])]);
  }

  /** A required key that is there under a mistyped name is one problem, not two. */
  settleTypos(): void {
    for (const typo of this.typos) {
      const index = this.problems.indexOf(this.missing.get(typo)!);
      if (index >= 0) this.problems.splice(index, 1);
    }
  }

  private add(code: string, path: Path, part: "key" | "value", message: string, suggestions: string[] = []): void {
    if (this.problems.length >= LIMITS.problems) return;
    const range = markAt(this.file, path, part);
    const problem: Problem = { severity: "error", code, message, file: this.file.file, range };
    if (suggestions.length) problem.suggestions = suggestions;
    this.problems.push(problem);
    if (code === "missing-key") this.missing.set(path.join("\0"), problem);
  }

  private issue(issue: Issue, path: Path): void {
    if (this.problems.length >= LIMITS.problems) return;
    const value = valueAt(this.file.value, path);
    const schema = schemaAt(this.schema, this.file.value, path);
    switch (issue.code) {
      case "unrecognized_keys":
        for (const key of issue.keys) this.unknownKey(key, path, schema);
        return;
      case "invalid_key":
        this.name(String(path.at(-1)), path, issue.issues[0]?.message ?? "");
        return;
      case "invalid_union": {
        const branch = meantBranch(issue, schema, value);
        if (branch) this.issues(branch, path);
        else if (issue.discriminator) this.discriminator(optionsOf(issue), path, value);
        else this.wrong(issue, path, value, schema);
        return;
      }
      default:
        this.wrong(issue, path, value, schema);
    }
  }

  private unknownKey(key: string, path: Path, schema: JsonSchema | undefined): void {
    const holder = valueAt(this.file.value, path);
    const properties = (schema && branchFor(schema, holder)?.properties) ?? {};
    const present = typeof holder === "object" && holder !== null ? holder : {};
    const known = Object.keys(properties);
    const suggestions = closest(
      key,
      known.filter((name) => !Object.hasOwn(present, name)),
    );
    if (suggestions[0]) this.typos.push([...path, suggestions[0]].join("\0"));
    const elsewhere = suggestions.length ? undefined : this.homeOf(key, path, present);
    const hint = elsewhere ?? (suggestions.length ? didYouMean(suggestions) : choices(known));
    this.add("unknown-key", [...path, key], "key", `Unknown key "${key}".${hint || " Remove it."}`, suggestions);
  }

  /** Where a key that is unknown here would be right: another engine's setting, or another section's. */
  private homeOf(key: string, path: Path, holder: object): string | undefined {
    const union = schemaAt(this.schema, this.file.value, path);
    for (const discriminator of ["engine", "kind"]) {
      const owners = alternatives(union ?? {}).filter((option) => option.properties && key in option.properties);
      const names = owners
        .map((option) => option.properties?.[discriminator]?.const)
        .filter((name) => name !== undefined);
      if (names.length > 0) {
        const own = String((holder as Record<string, unknown>)[discriminator]);
        const all = oneOf(names.map((name) => `"${name}"`));
        return ` It is a setting of ${discriminator} ${all}, not of "${own}". Remove it, or change "${discriminator}".`;
      }
    }
    const home = sectionsOf(this.schema).get(key);
    if (!home || home === path.join(".")) return undefined;
    return home === "" ? " It belongs at the top level of the file." : ` It belongs under "${home}".`;
  }

  private name(key: string, path: Path, rule: string): void {
    const slug = key.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+|-+$/g, "");
    const suggestions = slug && slug !== key && slug.length <= 64 ? [slug] : [];
    const message = `"${key}" cannot be a name: use ${rule.replace(/^Invalid.*$/, "letters, digits and dashes")}.`;
    this.add("bad-name", path, "key", message, suggestions);
  }

  private discriminator(options: string[], path: Path, value: unknown): void {
    const key = String(path.at(-1));
    const parent = valueAt(this.file.value, path.slice(0, -1));
    if (kindOf(parent) !== "mapping") {
      this.wrong(undefined, path.slice(0, -1), parent, undefined);
      return;
    }
    if (value === undefined) {
      // Without it nothing else of the mapping can be judged, so the slip that explains it is named here.
      const slip = Object.keys(parent as object).find((other) => closest(other, [key]).length > 0);
      if (slip !== undefined) {
        this.add("unknown-key", [...path.slice(0, -1), slip], "key", `Unknown key "${slip}".${didYouMean([key])}`, [
          key,
        ]);
        return;
      }
      const message = `"${key}" is missing in ${lowerFirst(subjectOf(path.slice(0, -1)))}.${choices(options)}`;
      this.add("missing-key", path, "key", message);
      return;
    }
    const suggestions = closest(String(value), options);
    const hint = suggestions.length ? didYouMean(suggestions) : choices(options);
    this.add(`unknown-${key}`, path, "value", `Unknown ${key} ${show(value)}.${hint}`, suggestions);
  }

  /** A value that is missing, empty, of the wrong type or out of bounds. */
  private wrong(issue: Issue | undefined, path: Path, value: unknown, schema: JsonSchema | undefined): void {
    const subject = subjectOf(path);
    if (value === undefined) {
      const meaning = schema?.description ? `: ${lowerFirst(firstSentence(schema.description))}` : "";
      const where = path.length > 1 ? ` in ${lowerFirst(subjectOf(path.slice(0, -1)))}` : "";
      const remedy = schema?.examples?.length
        ? ` For example: ${example(String(path.at(-1)), schema.examples[0])}`
        : "";
      if (path.length === 0) {
        this.add("empty-file", path, "value", `The file is empty. ${START}`);
        return;
      }
      this.add("missing-key", path, "key", `${subject} is missing${where}${meaning || "."}${remedy}`.trim());
      return;
    }
    const expected = schema ? expectation(schema) : "a mapping";
    if (value === null) {
      if (path.length === 0) {
        this.add("empty-file", path, "value", `The file is empty. ${START}`);
        return;
      }
      this.add("empty-value", path, "value", `${subject} is empty. Give it ${expected}, or remove it.`);
      return;
    }
    const size = issue && this.size(issue, subject, value);
    if (size) {
      this.add("wrong-value", path, "value", size);
      return;
    }

    const own = issue && "message" in issue && !/^(Invalid|Too|Unrecognized|Expected)/.test(issue.message);
    const wanted = own ? issue.message : expected;
    const options = schema
      ? alternatives(schema).flatMap((o) => o.enum ?? (o.const !== undefined ? [o.const] : []))
      : [];
    const words = options.filter((option) => typeof option === "string");
    const suggestions = typeof value === "string" ? closest(value, words) : [];
    // What stands in the place of a secret's name may be the secret.
    const is = schema?.writeOnly ? "" : `; it is ${show(value)}`;
    const message = `${subject} must be ${wanted}${is}.${didYouMean(suggestions)}`;
    this.add("wrong-value", path, "value", message, suggestions);
  }

  /** Too long, too short, empty. */
  private size(issue: Issue, subject: string, value: unknown): string | undefined {
    if (issue.code !== "too_small" && issue.code !== "too_big") return undefined;
    if (typeof value === "number") return undefined;
    const bound = Number(issue.code === "too_small" ? issue.minimum : issue.maximum);
    const length = typeof value === "string" ? value.length : Array.isArray(value) ? value.length : 0;
    const unit = typeof value === "string" ? "character" : "item";
    const units = `${unit}${bound === 1 ? "" : "s"}`;
    if (issue.code === "too_big") return `${subject} may have at most ${bound} ${units}; it has ${length}. Shorten it.`;
    if (length === 0) return `${subject} is empty. It must have at least ${bound} ${units}.`;
    return `${subject} must have at least ${bound} ${units}; it has ${length}.`;
  }
}

const START = "Start with `clf init DATA`, or the command New Project from Data.";

/** What messages call the value at a path: `"epochs"`, `Item 2 of "labels"`, `The file`. */
export function subjectOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "The file";
  if (typeof last === "string") return `"${last}"`;
  const owner = path.slice(0, -1);
  return owner.length ? `Item ${last + 1} of ${lowerFirst(subjectOf(owner))}` : `Item ${last + 1}`;
}

/** A value as a message shows it. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    const line = value.replace(/\s+/g, " ");
    return `"${line.length > 60 ? `${line.slice(0, 57)}…` : line}"`;
  }
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return value.length ? "a list" : "an empty list";
  return typeof value === "object" ? "a mapping" : String(value);
}

function example(key: string, value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^\d+$/.test(key) ? `- ${text}` : `${key}: ${text}`;
}

const lowerFirst = (text: string) => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);

const firstSentence = (text: string) => /^.*?[.:](?=\s|$)/.exec(text)?.[0]?.replace(/:$/, ".") ?? `${text}.`;

const sections = new WeakMap<JsonSchema, Map<string, string>>();

/** The section each key belongs to, for keys that stand in one section only. */
function sectionsOf(root: JsonSchema): Map<string, string> {
  const known = sections.get(root);
  if (known) return known;
  const homes = new Map<string, Set<string>>();
  const visit = (schema: JsonSchema, path: string[]) => {
    for (const option of alternatives(schema)) {
      for (const [key, inner] of Object.entries(option.properties ?? {})) {
        const home = homes.get(key) ?? new Set();
        homes.set(key, home.add(path.join(".")));
        visit(inner, [...path, key]);
      }
      if (option.items) visit(option.items, path);
    }
  };
  visit(root, []);
  const result = new Map<string, string>();
  for (const [key, places] of homes) {
    const [only] = places;
    if (places.size === 1 && only !== undefined) result.set(key, only);
  }
  sections.set(root, result);
  return result;
}

/** The values a discriminator may have; absent from one of the two shapes of this issue. */
function optionsOf(issue: Issue): string[] {
  return "options" in issue ? (issue.options ?? []).map(String) : [];
}
