/**
 * YAML with places: the values of a file, and where in the text each key and value stands.
 *
 * YAML 1.2, core schema. Mapping keys are text, as written. `<<` merges the mapping (or list of mappings) it names; keys
 * of the mapping itself win. One document a file. Everything a hostile file could blow up is bounded (LIMITS).
 */
import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type ParsedNode,
  Parser,
  type YAMLError,
} from "yaml";
import type { Problem, Range } from "../../../schemas/problem.ts";

/** Bounds of a YAML file. A list of 10,000 labels with descriptions and aliases (300,000 tokens) fits. */
export const LIMITS = {
  /** UTF-16 units of text. */
  length: 4 * 1024 * 1024,
  /** Lexical tokens. */
  tokens: 400_000,
  /** Collections inside one another. */
  depth: 64,
  /** Uses of an anchor. */
  aliases: 1000,
  /** Keys and values once every alias is written out. */
  nodes: 400_000,
  /** Problems reported for one file. */
  problems: 100,
} as const;

/** A step from a value to one inside it: the key of a mapping or the index in a list. */
export type PathStep = string | number;
export type Path = readonly PathStep[];

/** Start and end offset in the text. */
type Span = readonly [number, number];

/** Where a value stands. */
export interface Place {
  /** The key, for the values of a mapping. */
  key?: Span;
  /** The value. Empty where the key has none. */
  value: Span;
  /** The text of a plain (unquoted) scalar. */
  plain?: string;
  kind: "scalar" | "mapping" | "list";
  children?: Map<PathStep, Place>;
}

/** A YAML file, read. */
export interface YamlFile {
  /** Absolute path. */
  file: string;
  text: string;
  /** The parsed document, with comments; absent when a limit stopped the reading. */
  document?: Document.Parsed;
  /** The content as plain values; undefined for an empty file. */
  value: unknown;
  /** The place of `value`. */
  root: Place;
  /** Offsets at which lines start. */
  lineStarts: readonly number[];
  /** Syntax errors, duplicate keys, limits. With an error among them, `value` may lack a part. */
  problems: Problem[];
}

/** Offsets at which the lines of a text start, in the editor's sense of a line: `\n`, `\r\n` or `\r` ends one. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 10 || (unit === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}

/** The range of a span of offsets; offsets outside the text are moved to its nearest end. */
export function rangeOf(file: Pick<YamlFile, "text" | "lineStarts">, [start, end]: Span): Range {
  const position = (offset: number) => {
    const at = Math.min(Math.max(offset, 0), file.text.length);
    let low = 0;
    let high = file.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (file.lineStarts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    // Nothing can be marked inside a line break.
    const start = file.lineStarts[low]!;
    let end = file.lineStarts[low + 1] ?? file.text.length;
    while (end > start && low + 1 < file.lineStarts.length && /[\r\n]/.test(file.text[end - 1]!)) end--;
    return { line: low, character: Math.min(at, end) - start };
  };
  return { start: position(start), end: position(Math.max(start, end)) };
}

/** The place at a path, or undefined where the file has nothing there. */
export function placeAt(file: YamlFile, path: Path): Place | undefined {
  let place: Place | undefined = file.root;
  for (const step of path) place = place?.children?.get(step);
  return place;
}

/**
 * The range to mark for something said of the value at `path`: the value itself when it is a scalar, else its key, else
 * (in a list) its first key or item. A path that leads nowhere is marked at the deepest place that exists.
 */
export function markAt(file: YamlFile, path: Path, part: "key" | "value" = "value"): Range {
  let place = file.root;
  for (const step of path) {
    const next = place.children?.get(step);
    if (!next) break;
    place = next;
  }
  return rangeOf(file, markOf(file, place, part));
}

function markOf(file: YamlFile, place: Place, part: "key" | "value"): Span {
  if (part === "key" && place.key) return place.key;
  if (place.kind === "scalar" && place.value[1] > place.value[0]) return place.value;
  if (place.key) return place.key;
  const first = place.children?.values().next().value;
  if (first) return markOf(file, first, "key");
  // An empty or flow collection: its first line.
  const [start, end] = place.value;
  const lineEnd = file.text.slice(start, end).search(/[\r\n]/);
  return [start, lineEnd < 0 ? end : start + lineEnd];
}

/** Reads YAML text. Never throws: whatever is wrong with the text is among `problems`. */
export function readYaml(file: string, text: string): YamlFile {
  const lineStarts = lineStartsOf(text);
  const result: YamlFile = {
    file,
    text,
    value: undefined,
    root: { value: [0, 0], kind: "scalar" },
    lineStarts,
    problems: [],
  };
  const report = (span: Span, code: string, message: string, suggestions?: string[]) => {
    if (result.problems.length >= LIMITS.problems) return;
    const range = rangeOf(result, span);
    result.problems.push({ severity: "error", code, message, file, range, ...(suggestions ? { suggestions } : {}) });
  };

  if (text.length > LIMITS.length) {
    const size = (text.length / 1024 / 1024).toFixed(1);
    report([0, 0], "too-large", `This file is too large: ${size} MiB, where 4 MiB are allowed. Keep data out of it.`);
    return result;
  }

  const documents: Document.Parsed[] = [];
  try {
    const composer = new Composer({
      version: "1.2",
      schema: "core",
      merge: false,
      resolveKnownTags: false,
      uniqueKeys: false,
      strict: true,
      prettyErrors: false,
      logLevel: "silent",
    });
    for (const document of composer.compose(boundedTokens(text), true, text.length)) documents.push(document);
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    report([error.offset, error.offset + 1], error.code, error.message);
    return result;
  }

  const document = documents[0]!;
  result.document = document;
  let lastLine = -1;
  for (const error of document.errors) {
    const span = spanOfError(error, text);
    // One mistake makes several errors: the first of a line is the one that helps.
    const { line } = rangeOf(result, span).start;
    if (line !== lastLine) report(span, "yaml-syntax", syntaxMessage(error));
    lastLine = line;
  }
  for (const warning of document.warnings) {
    if (warning.code === "TAG_RESOLVE_FAILED") {
      report(warning.pos, "yaml-tag", "Tags (words that start with `!`) are not used in project files. Remove it.");
    }
  }
  const second = documents[1];
  if (second) {
    const offset = text.lastIndexOf("---", second.range[0]);
    const start = offset < 0 ? second.range[0] : offset;
    report(
      [start, start + 3],
      "several-documents",
      "A file holds one YAML document. Remove this `---` and what follows.",
    );
  }
  new ValueReader(result, report).read(document);
  return result;
}

class LimitReached extends Error {
  readonly offset: number;
  readonly code: string;
  constructor(offset: number, code: string, message: string) {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/** The parser's tokens, given up as soon as there are too many or they nest too deep. */
function* boundedTokens(text: string) {
  const parser = new Parser();
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > LIMITS.tokens) {
      throw new LimitReached(parser.offset, "too-many-nodes", "This file holds too much. Keep data out of it.");
    }
    if (parser.stack.length > LIMITS.depth) {
      const message = `This is nested too deep: more than ${LIMITS.depth} levels. A project needs fewer than ten.`;
      throw new LimitReached(parser.offset, "too-deep", message);
    }
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

function spanOfError(error: YAMLError, text: string): Span {
  const [start, end] = error.pos;
  // The library points past the end for something missing there.
  const from = Math.min(start, text.length);
  return [from, Math.min(Math.max(end, from), text.length)];
}

/** The library's message in words for someone who does not know its terms. */
function syntaxMessage(error: YAMLError): string {
  const plain = error.message.replace(/ at line \d+, column \d+:?[\s\S]*$/, "").replace(/[.:\s]+$/, "");
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "A tab is used to indent. YAML wants spaces: replace it by two spaces a level.";
    case "BAD_ALIAS":
      return `${plain}. Put quotes around text that starts with \`*\`.`;
    case "BAD_INDENT":
      if (/end with a [\]}]/.test(plain)) {
        const close = plain.endsWith("]") ? "]" : "}";
        return `A "${close === "]" ? "[" : "{"}" that was opened above is not closed by here. Add "${close}".`;
      }
      return `The indentation does not fit: ${lowerFirst(plain)}. Align it with the lines around it.`;
    case "BLOCK_AS_IMPLICIT_KEY":
      return 'Two keys stand on one line. Put each on its own line, or put quotes around text that contains ": ".';
    case "MULTILINE_IMPLICIT_KEY":
      return 'A ":" is missing here, or the line is not indented like the text it continues. Write `key: value`.';
    case "BAD_SCALAR_START":
      return `${plain}. Put quotes around the text.`;
    case "MISSING_CHAR":
      return `${plain.replace(/'quote$/, "quote")}. Add it.`;
    case "BAD_DQ_ESCAPE":
      return `${plain}. Use single quotes for text with backslashes, or write \\\\ for one.`;
    case "KEY_OVER_1024_CHARS":
      return "This key is over 1,024 characters long. Shorten it, or check the quotes around it.";
    case "RESOURCE_EXHAUSTION":
      return "This is nested too deep. A project needs fewer than ten levels.";
    default:
      return `${plain}. Check the YAML here.`;
  }
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

/** Turns nodes into values and places, following aliases and merges. */
class ValueReader {
  private readonly file: YamlFile;
  private readonly report: (span: Span, code: string, message: string, suggestions?: string[]) => void;
  private readonly anchors = new Map<string, ParsedNode>();
  /** Anchored nodes being read, to notice one that contains itself. */
  private readonly open = new Set<Node>();
  private nodes = 0;
  private aliases = 0;
  private stopped = false;
  /** Inside an alias problems of its definition have been reported already. */
  private insideAlias = 0;

  constructor(file: YamlFile, report: ValueReader["report"]) {
    this.file = file;
    this.report = report;
  }

  read(document: Document.Parsed): void {
    const { value, place } = this.node(document.contents, undefined, 0);
    this.file.value = document.contents === null ? undefined : value;
    this.file.root = place;
  }

  private stop(span: Span, code: string, message: string): void {
    if (!this.stopped) this.report(span, code, message);
    this.stopped = true;
  }

  private node(node: ParsedNode | null, key: Span | undefined, depth: number): { value: unknown; place: Place } {
    const span: Span = node?.range ? [node.range[0], node.range[1]] : [key?.[1] ?? 0, key?.[1] ?? 0];
    const empty = (): { value: unknown; place: Place } => ({
      value: null,
      place: { key, value: span, kind: "scalar" },
    });
    if (this.stopped || !node) return empty();
    if (++this.nodes > LIMITS.nodes) {
      this.stop(
        span,
        "too-many-nodes",
        "This file holds too much once its aliases are written out. Use fewer of them.",
      );
      return empty();
    }
    if (depth > LIMITS.depth) {
      this.stop(span, "too-deep", `This is nested too deep: more than ${LIMITS.depth} levels with its aliases.`);
      return empty();
    }
    if (isAlias(node)) return this.alias(node, key, span, depth);
    if (node.anchor) this.anchors.set(node.anchor, node);
    this.open.add(node);
    try {
      if (isMap(node)) return this.mapping(node, key, span, depth);
      if (isSeq(node)) return this.list(node, key, span, depth);
    } finally {
      this.open.delete(node);
    }
    if (!isScalar(node)) return empty();
    const plain = node.type === "PLAIN" && typeof node.source === "string" ? { plain: node.source } : {};
    const value = typeof node.value === "bigint" ? Number(node.value) : node.value;
    return { value, place: { key, value: span, kind: "scalar", ...plain } };
  }

  private alias(
    node: Alias.Parsed,
    key: Span | undefined,
    span: Span,
    depth: number,
  ): { value: unknown; place: Place } {
    const empty = { value: null, place: { key, value: span, kind: "scalar" } as Place };
    if (++this.aliases > LIMITS.aliases) {
      this.stop(span, "too-many-aliases", `This file uses aliases more than ${LIMITS.aliases} times. Write them out.`);
      return empty;
    }
    const source = this.anchors.get(node.source);
    if (!source) {
      const text = `*${node.source}`;
      const message = `Nothing above is marked &${node.source}. For text that starts with \`*\`, put quotes around it.`;
      this.report(span, "unknown-alias", message, [JSON.stringify(text)]);
      return empty;
    }
    if (this.open.has(source)) {
      this.stop(span, "recursive-alias", `The alias *${node.source} stands inside its own definition. Remove it.`);
      return empty;
    }
    this.insideAlias++;
    const { value, place } = this.node(source, key, depth + 1);
    this.insideAlias--;
    return { value, place: place.kind === "scalar" ? { ...place, value: span } : place };
  }

  private list(node: { items: unknown[] }, key: Span | undefined, span: Span, depth: number) {
    const value: unknown[] = [];
    const children = new Map<PathStep, Place>();
    for (const item of node.items as ParsedNode[]) {
      const child = this.node(item, undefined, depth + 1);
      children.set(value.length, child.place);
      value.push(child.value);
    }
    return { value, place: { key, value: span, kind: "list", children } as Place };
  }

  private mapping(node: { items: unknown[] }, key: Span | undefined, span: Span, depth: number) {
    const value: Record<string, unknown> = {};
    const children = new Map<PathStep, Place>();
    const merges: { value: unknown; place: Place }[] = [];
    for (const pair of node.items as { key: ParsedNode; value: ParsedNode | null }[]) {
      const at: Span = pair.key?.range ? [pair.key.range[0], pair.key.range[1]] : span;
      const resolved = isAlias(pair.key) ? this.anchors.get(pair.key.source) : pair.key;
      if (!isScalar(resolved)) {
        if (!this.insideAlias) this.report(at, "key-not-text", "A key must be text. Put it in quotes.");
        continue;
      }
      if (resolved.anchor) this.anchors.set(resolved.anchor, resolved);
      const name = resolved.source ?? String(resolved.value ?? "");
      const child = this.node(pair.value, at, depth + 1);
      if (name === "<<" && resolved.type === "PLAIN") {
        if (child.place.kind === "scalar" && !this.insideAlias) {
          this.report(at, "merge-not-mapping", "`<<` takes a mapping, or a list of mappings: write `<<: *name`.");
        }
        merges.push(...(Array.isArray(child.value) ? mergeItems(child) : [child]));
      } else if (name === "__proto__") {
        if (!this.insideAlias)
          this.report(at, "reserved-name", '"__proto__" cannot be used as a name. Choose another.');
      } else if (children.has(name)) {
        const line = rangeOf(this.file, children.get(name)!.key!).start.line + 1;
        if (!this.insideAlias) {
          this.report(
            at,
            "duplicate-key",
            `"${name}" stands here twice: it is also on line ${line}. Remove one of them.`,
          );
        }
      } else {
        value[name] = child.value;
        children.set(name, child.place);
      }
    }
    for (const merged of merges) {
      for (const [name, place] of merged.place.children ?? []) {
        if (merged.place.kind !== "mapping" || children.has(name)) continue;
        value[name] = (merged.value as Record<string, unknown>)[name];
        children.set(name, place);
      }
    }
    return { value, place: { key, value: span, kind: "mapping", children } as Place };
  }
}

function mergeItems(list: { value: unknown; place: Place }): { value: unknown; place: Place }[] {
  return (list.value as unknown[]).map((value, index) => ({ value, place: list.place.children!.get(index)! }));
}
