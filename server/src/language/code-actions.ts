/** Quick fixes: what a problem suggests, keys that are missing or do not belong, and all safe ones at once. */
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic,
  type Range,
  type TextEdit,
} from "vscode-languageserver-types";
import { ProjectFile } from "../../../schemas/project.ts";
import { alternatives, branchFor, inputSchema, type JsonSchema, schemaAt, valueAt } from "../project/schema.ts";
import { type Path, type Place, placeAt, rangeOf, type YamlFile } from "../project/yaml.ts";
import type { DiagnosticData } from "./diagnostics.ts";
import { type Spot, spotAt } from "./places.ts";
import { scalarText } from "./scalar.ts";

/** Every fixable thing at once; asked for by `source.fixAll` and by "fix all on save". */
export const FIX_ALL = `${CodeActionKind.SourceFixAll}.clf`;

/** Problems of a key that does nothing where it stands: taking it away mends them. */
const REMOVABLE = new Set([
  "unknown-key",
  "unused-share",
  "split-column-and-shares",
  "sampling-field",
  "shots-field",
  "shots-unused",
  "risk-without-rule",
  "empty-value",
]);

export interface CodeActionInput {
  file: YamlFile;
  uri: string;
  range: Range;
  diagnostics: readonly Diagnostic[];
  /** Kinds the client asks for; absent: all. */
  only?: readonly string[];
  /** What is marked in the whole file now, for fixing all. */
  all: readonly Diagnostic[];
}

export function codeActions(input: CodeActionInput): CodeAction[] {
  const wanted = (kind: string) =>
    !input.only || input.only.some((only) => kind === only || kind.startsWith(`${only}.`));
  const actions: CodeAction[] = [];
  if (wanted(CodeActionKind.QuickFix))
    for (const diagnostic of input.diagnostics) actions.push(...fixes(input, diagnostic));
  // Offered in the light bulb only where it was asked for: it has a place of its own in editors.
  if (input.only && wanted(FIX_ALL)) {
    const edits = safeEdits(input);
    if (edits.length > 0) actions.push({ title: "Fix all", kind: FIX_ALL, edit: { changes: { [input.uri]: edits } } });
  }
  return actions;
}

function fixes({ file, uri }: CodeActionInput, diagnostic: Diagnostic): CodeAction[] {
  const action = (title: string, edit: TextEdit, isPreferred = false): CodeAction => ({
    title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnostic],
    edit: { changes: { [uri]: [edit] } },
    ...(isPreferred ? { isPreferred } : {}),
  });
  const suggestions = suggestionsOf(diagnostic);
  const result = suggestions.map((text) => {
    const newText = asWritten(text);
    return action(`Change to ${shown(newText)}`, { range: diagnostic.range, newText }, suggestions.length === 1);
  });
  const missing = missingKey(file, diagnostic);
  if (missing) result.push(action(`Add ${shown(missing.key)}`, missing.edit, true));
  const removal = removalOf(file, diagnostic);
  if (removal) result.push(action(`Remove ${shown(removal.name)}`, removal.edit));
  return result;
}

function suggestionsOf(diagnostic: Diagnostic): string[] {
  const { suggestions } = (diagnostic.data ?? {}) as DiagnosticData;
  return Array.isArray(suggestions) ? suggestions.filter((text) => typeof text === "string").slice(0, 5) : [];
}

const shown = (text: string) => `"${text.replace(/^"(.*)"$/, "$1").slice(0, 80)}"`;

/** A suggestion as YAML. Those that begin and end with a quote are YAML already. */
const asWritten = (text: string) => (/^".*"$/.test(text) ? text : scalarText(text));

/** One edit for each problem with one suggestion, and one for each missing key; none that touch. */
function safeEdits({ file, all }: CodeActionInput): TextEdit[] {
  const edits: TextEdit[] = [];
  for (const diagnostic of all) {
    const suggestions = suggestionsOf(diagnostic);
    const edit =
      suggestions.length === 1
        ? { range: diagnostic.range, newText: asWritten(suggestions[0]!) }
        : suggestions.length === 0
          ? missingKey(file, diagnostic)?.edit
          : undefined;
    if (edit && edits.every((other) => before(other.range, edit.range) || before(edit.range, other.range)))
      edits.push(edit);
  }
  return edits;
}

const before = (a: Range, b: Range) =>
  a.end.line < b.start.line || (a.end.line === b.start.line && a.end.character < b.start.character);

function offsetOf(file: YamlFile, { line, character }: Range["start"]): number {
  return (file.lineStarts[line] ?? file.text.length) + character;
}

// --- Removing a key

function removalOf(file: YamlFile, diagnostic: Diagnostic): { name: string; edit: TextEdit } | undefined {
  if (!REMOVABLE.has(String(diagnostic.code))) return undefined;
  const spot = spotAt(file, offsetOf(file, diagnostic.range.start));
  const path = keyPath(file, spot);
  const name = path?.at(-1);
  if (path === undefined || typeof name !== "string") return undefined;
  return { name, edit: removeKey(file, path) };
}

/** The path of the key under the cursor, or of the key whose value is. */
function keyPath(file: YamlFile, { path, place, part }: Spot): Path | undefined {
  if (part === "key" || (part === "value" && place.key)) return path;
  return placeAt(file, path)?.key ? path : undefined;
}

/** Takes a key and its value away, and what they leave behind: their lines, or a comma. */
export function removeKey(file: YamlFile, path: Path): TextEdit {
  const place = placeAt(file, path)!;
  const holder = placeAt(file, path.slice(0, -1))!;
  const siblings = [...holder.children!.values()];
  const index = siblings.indexOf(place);
  const start = place.key![0];
  const end = Math.max(place.key![1], lastCharacter(file, place));
  if (file.text.charAt(holder.value[0]) === "{") {
    const next = siblings[index + 1];
    const previous = siblings[index - 1];
    if (next?.key) return edit(file, start, next.key[0], "");
    if (previous?.key) return edit(file, Math.max(previous.key[1], lastCharacter(file, previous)), end, "");
    return edit(file, holder.value[0], holder.value[1], "{}");
  }
  if (siblings.length === 1) {
    // A mapping without keys is written with braces: nothing at all would be an empty value.
    return edit(file, start, end, "{}");
  }
  const { line } = rangeOf(file, [start, start]).start;
  const lineStart = file.lineStarts[line]!;
  const next = siblings[index + 1];
  // The first key of a list item shares its line with the dash: the next key takes its place.
  if (/\S/.test(file.text.slice(lineStart, start)) && next?.key) return edit(file, start, next.key[0], "");
  const endLine = rangeOf(file, [end, end]).start.line;
  return edit(file, lineStart, file.lineStarts[endLine + 1] ?? file.text.length, "");
}

/** The offset behind the last thing of a place that is not white space. */
function lastCharacter(file: YamlFile, place: Place): number {
  let end = place.value[1];
  for (const child of place.kind !== "scalar" && !/[[{]/.test(file.text.charAt(place.value[0]))
    ? (place.children?.values() ?? [])
    : []) {
    end = Math.max(child.key?.[1] ?? 0, lastCharacter(file, child));
  }
  while (end > place.value[0] && /\s/.test(file.text.charAt(end - 1))) end--;
  return end;
}

function edit(file: YamlFile, start: number, end: number, newText: string): TextEdit {
  return { range: rangeOf(file, [start, end]), newText };
}

// --- Adding a key

/** The edit that adds the key a problem says is missing. */
function missingKey(file: YamlFile, diagnostic: Diagnostic): { key: string; edit: TextEdit } | undefined {
  if (!/^missing-(key|version)$/.test(String(diagnostic.code))) return undefined;
  const message = typeof diagnostic.message === "string" ? diagnostic.message : diagnostic.message.value;
  const key = /^"([^"]+)" is missing/.exec(message)?.[1];
  if (key === undefined) return undefined;
  const spot = spotAt(file, offsetOf(file, diagnostic.range.start));
  // The mark is on the mapping's own key, or on the first key in it.
  for (let length = spot.path.length; length >= 0; length--) {
    const path = spot.path.slice(0, length);
    const place = placeAt(file, path);
    if (!place || place.kind === "list" || place.children?.has(key)) continue;
    const property = propertyOf(file, path, key);
    if (property) return { key, edit: addKey(file, path, place, key, property) };
  }
  return undefined;
}

function propertyOf(file: YamlFile, path: Path, key: string): JsonSchema | undefined {
  const schema = schemaAt(inputSchema(ProjectFile), file.value, path);
  if (!schema) return undefined;
  const value = valueAt(file.value, path);
  const branches = [branchFor(schema, value ?? {}), ...alternatives(schema)];
  return branches.map((branch) => branch?.properties?.[key]).find((property) => property !== undefined);
}

function addKey(file: YamlFile, path: Path, place: Place, key: string, property: JsonSchema): TextEdit {
  const children = [...(place.children?.values() ?? [])];
  const flow = place.kind === "mapping" && file.text.charAt(place.value[0]) === "{";
  if (flow) {
    const text = `${key}: ${flowExample(property)}`;
    const last = children.at(-1);
    if (last) return edit(file, lastCharacter(file, last), lastCharacter(file, last), `, ${text}`);
    return edit(file, place.value[0], place.value[1], `{ ${text} }`);
  }
  const newline = file.text.includes("\r\n") ? "\r\n" : "\n";
  const block = (indent: number) => `${key}:${blockExample(property, indent, newline)}`;
  const last = children.at(-1);
  if (!last) {
    if (path.length === 0) return edit(file, 0, 0, `${block(0)}${newline}`);
    // A key without a value yet.
    const indent = rangeOf(file, place.key ?? place.value).start.character + 2;
    const at = place.key ? file.text.indexOf(":", place.key[1]) + 1 : place.value[0];
    return edit(file, at, Math.max(at, place.value[1]), `${newline}${" ".repeat(indent)}${block(indent)}`);
  }
  const indent = rangeOf(file, last.key!).start.character;
  if (path.length === 0 && key === "version")
    return edit(file, children[0]!.key![0], children[0]!.key![0], `${block(0)}${newline}`);
  const end = Math.max(last.key![1], lastCharacter(file, last));
  const lineEnd = file.text.slice(end).search(/[\r\n]|$/) + end;
  return edit(file, lineEnd, lineEnd, `${newline}${" ".repeat(indent)}${block(indent)}`);
}

/** What may stand behind the new key: its example or default, or all that it must have. */
function blockExample(property: JsonSchema, indent: number, newline: string): string {
  const example = exampleOf(property);
  if (example !== undefined) return ` ${asFlow(example)}`;
  const options = alternatives(property);
  const mapping = options.find(({ type }) => type === "object");
  if (mapping?.properties) {
    const inner = " ".repeat(indent + 2);
    const required = mapping.required ?? [];
    if (required.length === 0) return " {}";
    return required
      .map((key) => `${newline}${inner}${key}:${blockExample(mapping.properties![key]!, indent + 2, newline)}`)
      .join("");
  }
  const list = options.find(({ type }) => type === "array");
  if (list?.items) {
    const item = alternatives(list.items)[0]!;
    const required = item.required ?? [];
    const dash = `${newline}${" ".repeat(indent + 2)}- `;
    if (item.properties && required.length > 0) {
      const rest = required.map((key) => `${key}:${blockExample(item.properties![key]!, indent + 4, newline)}`);
      return dash + rest.join(`${newline}${" ".repeat(indent + 4)}`);
    }
    return `${dash}${asFlow(exampleOf(item) ?? "")}`;
  }
  return " ";
}

function flowExample(property: JsonSchema): string {
  const example = exampleOf(property);
  if (example !== undefined) return asFlow(example);
  const mapping = alternatives(property).find(({ type }) => type === "object");
  if (!mapping?.properties) return '""';
  const inner = (mapping.required ?? []).map((key) => `${key}: ${flowExample(mapping.properties![key]!)}`);
  return inner.length > 0 ? `{ ${inner.join(", ")} }` : "{}";
}

function exampleOf(schema: JsonSchema): unknown {
  return schema.const ?? schema.default ?? schema.examples?.[0] ?? schema.enum?.[0];
}

function asFlow(value: unknown): string {
  if (typeof value === "string") return value === "" ? '""' : scalarText(value);
  if (Array.isArray(value)) return `[${value.map(asFlow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value).map(([key, inner]) => `${scalarText(key)}: ${asFlow(inner)}`);
  return entries.length > 0 ? `{ ${entries.join(", ")} }` : "{}";
}
