/**
 * Completion of what only this project knows: its models, hosts and endpoints, the columns and labels of its data, files of
 * its folder. Keys and fixed values come from yaml-language-server; `merged` puts the two together.
 */
import { readdir } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { type CompletionItem, CompletionItemKind, type CompletionList, type Range } from "vscode-languageserver-types";
import { ProjectFile } from "../../../schemas/project.ts";
import { confine } from "../project/paths.ts";
import { alternatives, branchFor, inputSchema, schemaAt, valueAt } from "../project/schema.ts";
import { type Path, rangeOf, type YamlFile } from "../project/yaml.ts";
import type { SampledColumn } from "./data-protocol.ts";
import { count, counted, type DataFigures, rowsOf } from "./figures.ts";
import { type Expected, expectedAt, namesOf, targetAt } from "./names.ts";
import { inFlow, type Spot, spotAt, stepsAt, textAt } from "./places.ts";
import { scalarText } from "./scalar.ts";

export interface CompletionInput {
  file: YamlFile;
  /** UTF-16 offset of the cursor. */
  offset: number;
  /** Whether the project's folder may be looked into. */
  onDisk: boolean;
  data?: DataFigures;
  columns: readonly SampledColumn[];
}

/** A proposal before it has a place. */
interface Name {
  text: string;
  kind: CompletionItemKind;
  detail?: string;
  /** Instead of the text as YAML. */
  insert?: string;
}

export interface NameCompletions {
  items: CompletionItem[];
  /** Only these fit here: examples of the schema are of other projects. */
  only: boolean;
}

/** Undefined where no name can stand. */
export async function nameCompletions(input: CompletionInput): Promise<NameCompletions | undefined> {
  const { file, offset } = input;
  const spot = spotAt(file, offset);
  const at = placeFor(file, spot, offset);
  if (!at) return undefined;
  if (at.keys) return { items: placed(file, at.range, offset, at.keys, (text) => `${text}: `), only: false };
  if (at.values) return { items: placed(file, at.range, offset, at.values, (text) => text), only: false };
  const names = await namesFor(input, at.expected!, at.path);
  const close = /\S/.test(file.text.charAt(at.start - 1)) && /[:-]/.test(file.text.charAt(at.start - 1)) ? " " : "";
  return {
    items: placed(file, at.range, offset, names, (text) => close + text),
    only: at.expected!.is !== "file" || names.length > 0,
  };
}

interface Place {
  path: Path;
  range: Range;
  start: number;
  expected?: Expected;
  /** Keys to propose, in braces: yaml-language-server proposes none there. */
  keys?: Name[];
  /** Fixed values to propose: of `engine: linear` yaml-language-server knows no other engine. */
  values?: Name[];
}

function placeFor(file: YamlFile, spot: Spot, offset: number): Place | undefined {
  const here = rangeOf(file, [offset, offset]);
  const { path, place, part } = spot;
  if (part === "value") {
    const [start, end] = place.value;
    const empty = start === end;
    const expected = expectedAt(path);
    const range = empty ? here : rangeOf(file, [start, end]);
    if (expected) return { path, expected, range, start: empty ? offset : start };
    const values = valuesFor(file, path);
    return values.length > 0 ? { path, range, start: offset, values } : undefined;
  }
  if (part === "inside" && place.kind === "list") {
    // Between the items of a list in brackets. In a block list the item at the cursor has a place of its own.
    if (file.text.charAt(place.value[0]) !== "[" || offset <= place.value[0]) return undefined;
    const item: Path = [...path, stepsAt(file, path).length];
    const expected = expectedAt(item);
    return expected && { path: item, expected, range: here, start: offset };
  }
  if (part === "inside" && place.kind === "mapping") {
    if (file.text.charAt(place.value[0]) !== "{" || offset <= place.value[0]) return undefined;
    return { path, range: here, start: offset, keys: keysFor(file, path, undefined) };
  }
  if (part === "key" && inFlow(file, path.slice(0, -1)) && place.key) {
    return {
      path,
      range: rangeOf(file, place.key),
      start: place.key[0],
      keys: keysFor(file, path.slice(0, -1), String(path.at(-1))),
    };
  }
  return undefined;
}

/** Keys that the mapping at a path may still have. */
function keysFor(file: YamlFile, path: Path, typed: string | undefined): Name[] {
  const holder = valueAt(file.value, path);
  const schema = schemaAt(inputSchema(ProjectFile), file.value, path);
  const present = new Set(stepsAt(file, path).filter((step) => step !== typed));
  const union = schema && (schema.anyOf ?? schema.oneOf);
  const properties =
    (schema && (branchFor(schema, holder)?.properties ?? union?.find((option) => option.properties)?.properties)) ?? {};
  return Object.entries(properties)
    .filter(([key]) => !present.has(key))
    .map(([text, property]) => ({ text, kind: CompletionItemKind.Property, detail: property.description }));
}

/** The fixed values that may stand at a path. */
function valuesFor(file: YamlFile, path: Path): Name[] {
  const key = path.at(-1);
  const holder = schemaAt(inputSchema(ProjectFile), file.value, path.slice(0, -1));
  if (typeof key !== "string" || !holder) return [];
  const options = alternatives(holder).filter((option) => option.properties?.[key] !== undefined);
  // A key by which the others are chosen (`engine`) may have any of its values; the rest depends on what is chosen.
  const decides = options.length > 1 && options.every((option) => option.properties![key]!.const !== undefined);
  const branch = branchFor(holder, valueAt(file.value, path.slice(0, -1)));
  const names = (decides ? options : branch ? [branch] : options).flatMap((option) =>
    alternatives(option.properties?.[key] ?? {}).flatMap((property) => {
      const values = property.enum ?? (property.const !== undefined ? [property.const] : []);
      const words = property.type === "boolean" ? [true, false] : values;
      return words.map((word) => ({ text: String(word), detail: decides ? option.description : undefined }));
    }),
  );
  return [...new Map(names.map((name) => [name.text, { ...name, kind: CompletionItemKind.Value }])).values()];
}

async function namesFor(input: CompletionInput, expected: Expected, path: Path): Promise<Name[]> {
  const { file, data, columns } = input;
  switch (expected.is) {
    case "use": {
      const own = path[0] === "models" ? path[1] : undefined;
      const names = namesOf(file, expected.kind).filter((name) => expected.kind !== "model" || name !== own);
      const taken = new Set(siblings(file, path));
      const builtIn = { host: "local", endpoint: "openai", model: undefined }[expected.kind];
      if (builtIn && !names.includes(builtIn)) names.push(builtIn);
      return names
        .filter((name) => !taken.has(name))
        .map((text) => ({
          text,
          kind: CompletionItemKind.Reference,
          detail: textAt(file, [`${expected.kind}s`, text, expected.kind === "model" ? "engine" : "kind"]),
        }));
    }
    case "target":
      return stepsAt(file, ["task", "targets"]).flatMap((index) => {
        const target = targetAt(file, Number(index));
        return target ? [{ text: target.name, kind: CompletionItemKind.Reference }] : [];
      });
    case "column": {
      const used = new Set(expected.role === "input" || expected.role === "target" ? usedColumns(file, path) : []);
      const names = columns
        .filter(({ name }) => !used.has(name))
        .map((column) => ({ column, fit: fitness(column, expected.role) }));
      // Those that look like what is asked for come first.
      names.sort((a, b) => b.fit - a.fit);
      return names.map(({ column }) => ({
        text: column.name,
        kind: CompletionItemKind.Field,
        detail: `${column.distinct === null ? "many" : count(column.distinct)} values in ${counted(column.rows, "row")}`,
      }));
    }
    case "label":
      return labelNames(input, expected.target, new Set(siblings(file, path)));
    case "file": {
      const names = await fileNames(input, expected.role, path);
      if (expected.role !== "labels" || textAt(file, path)) return names;
      const target = Number(path[2]);
      const all = labelNames(input, target, new Set());
      if (all.length < 2 || all.length > 500) return names;
      const indent = " ".repeat(columnOf(file, path) + 2);
      const insert = all.map(({ text }) => `\n${indent}- ${scalarText(text)}`).join("");
      const list: Name = {
        text: `all ${counted(all.length, "label")} of the data`,
        kind: CompletionItemKind.Snippet,
        insert,
      };
      return data || columns.length ? [list, ...names] : names;
    }
  }
}

/** The other values of the list that a path ends in. */
function siblings(file: YamlFile, path: Path): string[] {
  const item = path.findLastIndex((step) => typeof step === "number");
  if (item < path.length - 2) return [];
  const list = path.slice(0, item);
  return stepsAt(file, list)
    .filter((step) => step !== path[item])
    .flatMap((step) => textAt(file, [...list, step]) ?? textAt(file, [...list, step, "name"]) ?? []);
}

function usedColumns(file: YamlFile, path: Path): string[] {
  const used: string[] = [];
  for (const list of ["inputs", "targets"]) {
    for (const step of stepsAt(file, ["task", list])) {
      if (path[1] === list && path[2] === step) continue;
      const text = textAt(file, ["task", list, step]) ?? textAt(file, ["task", list, step, "column"]);
      if (text !== undefined) used.push(text);
    }
  }
  return used;
}

/** How well a column's values fit its use: few for labels, as many as rows for ids, many for texts. */
function fitness({ rows, empty, distinct }: SampledColumn, role: (Expected & { is: "column" })["role"]): number {
  const filled = Math.max(1, rows - empty);
  const share = distinct === null ? 1 : distinct / filled;
  if (role === "target") return distinct !== null && distinct >= 2 ? 1 - share : -1;
  if (role === "group") return distinct === null || distinct < 2 ? -1 : 0.5 - Math.abs(share - 0.3);
  if (role === "split") return distinct !== null && distinct >= 2 && distinct <= 5 ? 1 : 0;
  return share;
}

function labelNames({ file, data, columns }: CompletionInput, index: number, taken: ReadonlySet<string>): Name[] {
  const target = targetAt(file, index);
  if (!target) return [];
  // Labels that the file lists already without being in the data have no rows: they are not proposed.
  const counts = new Map<string, number>();
  for (const label of data?.targets[target.column]?.labels ?? [])
    if (rowsOf(label) > 0) counts.set(label.name, rowsOf(label));
  // Values that `labels:` leaves out are known from the sample alone.
  for (const [value, rows] of columns.find(({ name }) => name === target.column)?.values ?? []) {
    if (!counts.has(value)) counts.set(value, rows);
  }
  return [...counts]
    .filter(([name]) => !taken.has(name))
    .sort((a, b) => b[1] - a[1])
    .map(([text, rows]) => ({ text, kind: CompletionItemKind.EnumMember, detail: counted(rows, "row") }));
}

const EXTENSIONS = {
  data: /\.(csv|tsv|tab|jsonl|ndjson|json)(\.gz)?$|\.parquet$/i,
  predictions: /\.(csv|tsv|jsonl)(\.gz)?$|\.parquet$/i,
  labels: /\.(ya?ml|json)$/i,
  template: /\.(txt|md|jinja|j2|tmpl)$/i,
  decisions: /\.jsonl$/i,
} as const;

async function fileNames(
  { file, onDisk }: CompletionInput,
  role: keyof typeof EXTENSIONS,
  path: Path,
): Promise<Name[]> {
  if (!onDisk) return [];
  const typed = (textAt(file, path) ?? "").replaceAll("\\", "/");
  const parent = typed.slice(0, typed.lastIndexOf("/") + 1) || ".";
  const folder = dirname(file.file);
  const confined = await confine(folder, parent);
  if ("refused" in confined) return [];
  const entries = await readdir(confined.path, { withFileTypes: true }).catch(() => []);
  const names: Name[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(".") || entry.name === "node_modules" || names.length >= 200) continue;
    const text = posix.join(parent, entry.name);
    if (entry.isDirectory()) names.push({ text: `${text}/`, kind: CompletionItemKind.Folder });
    else if (
      EXTENSIONS[role].test(entry.name) &&
      join(confined.path, entry.name) !== file.file &&
      !/\.clf\.ya?ml$/i.test(entry.name)
    ) {
      names.push({ text, kind: CompletionItemKind.File });
    }
  }
  return names.sort(
    (a, b) => Number(a.kind === CompletionItemKind.Folder) - Number(b.kind === CompletionItemKind.Folder),
  );
}

/** The column at which the key of a place begins. */
function columnOf(file: YamlFile, path: Path): number {
  const key = spotKey(file, path);
  return key === undefined ? 0 : rangeOf(file, [key, key]).start.character;
}

function spotKey(file: YamlFile, path: Path): number | undefined {
  let place: YamlFile["root"] | undefined = file.root;
  for (const step of path) place = place?.children?.get(step);
  return place?.key?.[0];
}

function placed(
  file: YamlFile,
  range: Range,
  offset: number,
  names: Name[],
  insert: (text: string) => string,
): CompletionItem[] {
  const start = file.lineStarts[range.start.line]! + range.start.character;
  // The editor compares the filter text with what stands in the range: that may begin with a quote.
  const quote = /^["']/.exec(file.text.slice(start, Math.max(start, offset)))?.[0] ?? "";
  return names.map((name, i) => ({
    label: name.text,
    kind: name.kind,
    ...(name.detail ? { detail: name.detail } : {}),
    sortText: String(i).padStart(5, "0"),
    filterText: `${quote}${name.text}`,
    textEdit: { range, newText: name.insert ?? insert(scalarText(name.text)) },
  }));
}

/**
 * Names and what the schema proposes, as one list.
 *
 * @param flow whether the cursor is in braces or brackets, where nothing over several lines fits
 */
export function merged(
  names: NameCompletions | undefined,
  schema: CompletionList | undefined,
  flow: boolean,
): CompletionList {
  const own = names?.items ?? [];
  const taken = new Set(own.map(({ label }) => label));
  const others = (schema?.items ?? []).filter(({ label, kind, insertText }) => {
    if (taken.has(label) || (flow && (kind === CompletionItemKind.Property || insertText?.includes("\n"))))
      return false;
    // Examples that are no scalars, and skeletons named after their JSON type.
    if (label === "[object Object]" || kind === CompletionItemKind.Class || label.startsWith("- (array item)"))
      return false;
    return !(names?.only && kind === CompletionItemKind.Value);
  });
  return { isIncomplete: false, items: [...own, ...others] };
}
