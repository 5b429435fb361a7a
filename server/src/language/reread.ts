/**
 * Reads a YAML file again after an edit by reading only the entries around the edit: reading 4,000 lines takes longer
 * than a keystroke may. Gives up, so that the whole file is read, wherever a part might mean something else alone than in
 * its place: anchors, aliases, tags, document markers, empty and duplicate keys, edits of indentation.
 */
import {
  LIMITS,
  lineStartsOf,
  type Path,
  type PathStep,
  type Place,
  rangeOf,
  readYaml,
  type YamlFile,
} from "../project/yaml.ts";

export interface Reread {
  file: YamlFile;
  /**
   * Whether this is what reading the whole file would give. False with a syntax error in the entries that were read: it
   * could reach beyond them (an open quote does), so the whole file has to be read in a while.
   */
  exact: boolean;
}

/** Entries of one block collection, in lines of their own, that hold an edit. */
interface Run {
  /** The collection's path. */
  path: Path;
  collection: Place;
  first: number;
  last: number;
  /** Offsets in the old text: from the start of the first entry's line to the start of the line after the last entry. */
  start: number;
  end: number;
  indent: number;
}

/** Entries longer than this share of the file are not worth a reading of their own. */
const LARGEST_SHARE = 1 / 3;

const SPECIAL = /<<|(?:^|[\s,[{:-])[*&!]\S|^(?:%|---|\.\.\.)|^\s*(?:- +)*[?:](?:\s|$)|\t|\ufeff/m;
const special = new WeakMap<YamlFile, boolean>();

/**
 * @param base a file without problems, read as a whole or by this
 * @param text the text it has now
 * @returns undefined when the whole file has to be read
 */
export function reread(base: YamlFile, text: string): Reread | undefined {
  if (base.problems.length > 0 || text.length > LIMITS.length / 2) return undefined;
  if (!special.has(base)) special.set(base, SPECIAL.test(base.text));
  if (special.get(base)) return undefined;
  const edit = differenceOf(base.text, text);
  const delta = text.length - base.text.length;
  for (const run of runsAround(base, edit).reverse()) {
    if (run.end - run.start > Math.max(2000, base.text.length * LARGEST_SHARE)) return undefined;
    const part = text.slice(run.start, run.end + delta);
    if (SPECIAL.test(part)) return undefined;
    if (run.end + delta < text.length && !/[\r\n]$/.test(part)) continue;
    const read = readYaml(base.file, part);
    if (read.problems.some((problem) => problem.code !== "yaml-syntax")) return undefined;
    if (!sameShape(run, read)) continue;
    const file = replaced(base, text, run, read, delta);
    if (!file) return undefined;
    if (!special.get(file)) special.set(file, false);
    return { file, exact: file.problems.length === 0 };
  }
  return undefined;
}

/** What differs, as one replaced stretch: offsets in the old text. */
function differenceOf(before: string, after: string): { start: number; end: number } {
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let same = 0;
  const most = shortest - start;
  while (same < most && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same))
    same++;
  return { start, end: before.length - same };
}

/** The runs of entries that hold an edit, from those of the root to the deepest. */
function runsAround(file: YamlFile, edit: { start: number; end: number }): Run[] {
  const runs: Run[] = [];
  let path: Path = [];
  let collection = file.root;
  let end = file.text.length;
  while (collection.kind !== "scalar" && collection.children && !/[[{]/.test(file.text.charAt(collection.value[0]))) {
    const entries = [...collection.children];
    const heads = entries.map(([, place]) => headOf(file, place));
    let first = heads.length - 1;
    while (first >= 0 && (!heads[first] || heads[first]!.content > edit.start)) first--;
    const head = heads[first];
    if (!head) break;
    let last = first;
    while (last + 1 < heads.length && heads[last + 1] && heads[last + 1]!.line <= edit.end) last++;
    const next = last + 1 < heads.length ? heads[last + 1] : { line: end };
    if (!next || edit.end >= next.line + (next.line === file.text.length ? 1 : 0)) break;
    runs.push({ path, collection, first, last, start: head.line, end: next.line, indent: head.content - head.line });
    if (last !== first) break;
    path = [...path, entries[first]![0]];
    collection = entries[first]![1];
    end = next.line;
  }
  return runs;
}

/** Offsets of an entry's line and of its `-` or key, where nothing but spaces stands before it on the line. */
function headOf(file: YamlFile, place: Place): { line: number; content: number } | undefined {
  const from = place.key?.[0] ?? place.value[0];
  const line = file.lineStarts[rangeOf(file, [from, from]).start.line]!;
  const before = /^( *)(- +)?$/.exec(file.text.slice(line, from));
  if (!before || (before[2] !== undefined) === (place.key !== undefined)) return undefined;
  return { line, content: line + before[1]!.length };
}

/** Whether what was read is entries of the same kind of block collection at the same indentation. */
function sameShape(run: Run, read: YamlFile): boolean {
  const { root } = read;
  if (root.kind !== run.collection.kind || !root.children?.size || /[[{]/.test(read.text.charAt(root.value[0])))
    return false;
  const entries = [...root.children.values()];
  return entries.every((entry) => {
    const head = headOf(read, entry);
    return head !== undefined && head.content - head.line === run.indent;
  });
}

function replaced(base: YamlFile, text: string, run: Run, read: YamlFile, delta: number): YamlFile | undefined {
  const old = [...run.collection.children!];
  const oldValue = valueAt(base.value, run.path);
  const kept = [...old.slice(0, run.first), ...old.slice(run.last + 1)];
  const isList = run.collection.kind === "list";
  if (!isList && kept.some(([key]) => read.root.children!.has(key))) return undefined;
  if (run.path.length + depthOf(read.root) > LIMITS.depth - 2) return undefined;

  const children = new Map<PathStep, Place>();
  const values: [PathStep, unknown][] = [];
  const put = (step: PathStep, place: Place, value: unknown) => {
    const key = isList ? children.size : step;
    children.set(key, place);
    values.push([key, value]);
  };
  for (const [step, place] of old.slice(0, run.first)) put(step, place, child(oldValue, step));
  for (const [step, place] of read.root.children!) put(step, shifted(place, run.start), child(read.value, step));
  for (const [step, place] of old.slice(run.last + 1)) put(step, shifted(place, delta), child(oldValue, step));

  const isLast = run.last === old.length - 1;
  const end = isLast ? run.start + read.root.value[1] : run.collection.value[1] + delta;
  const collection: Place = { ...run.collection, children, value: [run.collection.value[0], end] };
  const value = isList ? values.map(([, item]) => item) : Object.fromEntries(values);

  const lineStarts = lineStartsOf(text);
  const firstLine = rangeOf({ text, lineStarts }, [run.start, run.start]).start.line;
  return {
    file: base.file,
    text,
    value: withValue(base.value, run.path, value),
    root: withPlace(base.root, run.path, collection, delta, run.collection.value[1]),
    lineStarts,
    problems: read.problems.map((problem) => {
      const { start, end } = problem.range ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
      const down = (at: typeof start) => ({ line: at.line + firstLine, character: at.character });
      return { ...problem, range: { start: down(start), end: down(end) } };
    }),
  };
}

/** A copy of a tree of places with one inner place replaced, all that follows it moved, and its ancestors' ends with it. */
function withPlace(root: Place, path: Path, place: Place, delta: number, oldEnd: number): Place {
  const [step, ...rest] = path;
  if (step === undefined) return place;
  const children = new Map<PathStep, Place>();
  let after = false;
  for (const [key, child] of root.children!) {
    if (key === step) children.set(key, withPlace(child, rest, place, delta, oldEnd));
    else children.set(key, after ? shifted(child, delta) : child);
    after ||= key === step;
  }
  const end = root.value[1] === oldEnd ? place.value[1] : root.value[1] + delta;
  return { ...root, children, value: [root.value[0], end] };
}

function shifted(place: Place, by: number): Place {
  const moved: Place = {
    key: place.key && [place.key[0] + by, place.key[1] + by],
    value: [place.value[0] + by, place.value[1] + by],
    kind: place.kind,
  };
  if (place.plain !== undefined) moved.plain = place.plain;
  if (place.children) {
    moved.children = new Map();
    for (const [step, inner] of place.children) moved.children.set(step, shifted(inner, by));
  }
  return moved;
}

function depthOf(place: Place): number {
  let deepest = 0;
  for (const inner of place.children?.values() ?? []) deepest = Math.max(deepest, depthOf(inner));
  return deepest + 1;
}

function child(value: unknown, step: PathStep): unknown {
  return (value as Record<PathStep, unknown>)[step];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce(child, value);
}

/** A copy of a value with one inner value replaced. What is not on the way is shared. */
function withValue(root: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const inner = withValue(child(root, step), rest, value);
  if (Array.isArray(root)) return root.with(step as number, inner);
  return { ...(root as Record<string, unknown>), [step]: inner };
}
