/** From label cells to label codes, and what is suspicious about the labels. */
import { distance } from "fastest-levenshtein";
import type { Label, Project, Target } from "../project/project.ts";
import { closest, didYouMean } from "../project/suggest.ts";
import { byCodeUnit, type Locate } from "./files.ts";
import { count, lineRange, type ProblemList, quoted } from "./problems.ts";
import type { CodedColumn, Table } from "./read.ts";
import type { DatasetTarget } from "./rows.ts";
import { disjointSets } from "./union-find.ts";

/** What spreadsheets and data frames write where there is no value. They stay labels, with a warning. */
const NOT_A_VALUE = new Set([
  "#n/a",
  "#ref!",
  "#value!",
  "#div/0!",
  "#name?",
  "#null!",
  "#num!",
  "n/a",
  "na",
  "<na>",
  "nan",
  "null",
  "none",
  "-",
  "?",
]);
/** Comparing the spellings of more labels than this would take too long. */
const MOST_LABELS_COMPARED = 3000;

interface Value {
  /** The cell, trimmed. */
  text: string;
  rows: number;
  /** First row that has it. */
  first: number;
}

/**
 * Codes the labels of one target. White space around a label is no part of it. An empty cell is no label; neither is a
 * cell that `labels:` does not list, by name or alias. Without `labels:` every value is a label, in code-unit order.
 * `counts` is false for rows whose labels do not count (rows of the pool). Nothing is said of the number of labels when
 * the rows are not `complete`.
 */
export function codeLabels(
  project: Project,
  index: number,
  table: Table,
  counts: (row: number) => boolean,
  problems: ProblemList,
  complete: boolean,
  locate?: Locate,
): { target: DatasetTarget; codes: Int32Array } {
  const target = project.targets[index]!;
  const column = table.coded.get(target.column)!;
  const values = countValues(column, table.count, counts);
  const labels = target.labels ?? [...values.keys()].sort(byCodeUnit).map((name): Label => ({ name }));
  const codeOf = new Map<string, number>();
  for (const [code, label] of labels.entries()) {
    for (const alias of label.aliases ?? []) codeOf.set(alias.trim(), code);
  }
  for (const [code, label] of labels.entries()) codeOf.set(label.name.trim(), code);

  const codeOfValue = new Int32Array(column.values.length);
  for (const [value, text] of column.values.entries()) codeOfValue[value] = codeOf.get(text.trim()) ?? -1;
  const codes = new Int32Array(table.count).fill(-1);
  for (let i = 0; i < table.count; i++) if (counts(i)) codes[i] = codeOfValue[column.codes[i]!]!;

  const place = (value: Value) => ({
    file: table.files[table.file[value.first]!]!.path,
    range: lineRange(table.line[value.first]!),
    column: target.column,
  });
  if (target.labels) checkListed(project, index, target.labels, codeOf, values, place, problems, locate);
  else checkSpellings(target, values, place, problems);
  for (const value of values.values()) {
    if (!NOT_A_VALUE.has(value.text.toLowerCase()) || !codeOf.has(value.text)) continue;
    problems.add({
      severity: "warning",
      code: "suspicious-label",
      message: `${quoted(value.text)} is read as a label of ${quoted(target.column)} (${count(value.rows, "row")}). If it means "no label", empty those cells or list the labels without it.`,
      ...place(value),
    });
  }
  if (complete) checkNumber(project, index, codes, labels, problems, locate);
  checkPrefixes(project, index, labels, problems, locate);
  return { target: { name: target.name, column: target.column, labels }, codes };
}

/** Distinct labels as they stand, trimmed, in order of first appearance. */
function countValues(column: CodedColumn, rows: number, counts: (row: number) => boolean): Map<string, Value> {
  const tally = new Int32Array(column.values.length);
  const first = new Int32Array(column.values.length).fill(-1);
  for (let i = 0; i < rows; i++) {
    if (!counts(i)) continue;
    const code = column.codes[i]!;
    if (tally[code]!++ === 0) first[code] = i;
  }
  const values = new Map<string, Value>();
  for (const [code, raw] of column.values.entries()) {
    const text = raw.trim();
    if (text === "" || tally[code] === 0) continue;
    const value = values.get(text);
    if (!value) values.set(text, { text, rows: tally[code]!, first: first[code]! });
    else {
      value.rows += tally[code]!;
      value.first = Math.min(value.first, first[code]!);
    }
  }
  return values;
}

type Place = (value: Value) => { file: string; range: ReturnType<typeof lineRange>; column: string };

function checkListed(
  project: Project,
  index: number,
  labels: Label[],
  codeOf: Map<string, number>,
  values: Map<string, Value>,
  place: Place,
  problems: ProblemList,
  locate?: Locate,
): void {
  const target = project.targets[index]!;
  const spellings = [...codeOf.keys()];
  const unlisted = [...values.values()].filter((value) => !codeOf.has(value.text));
  for (const value of unlisted) {
    if (!problems.wants("unlisted-label", place(value).file)) continue;
    const close = closest(value.text, spellings).map((spelling) => labels[codeOf.get(spelling)!]!.name);
    problems.add({
      severity: "warning",
      code: "unlisted-label",
      message: `${quoted(value.text)} is not among the labels of ${quoted(target.column)}.${didYouMean(close)} ${value.rows === 1 ? "The row counts" : `${count(value.rows, "row")} (this is the first) count`} as unlabelled. Correct the cell, or list it, or make it an alias.`,
      ...place(value),
      suggestions: close.length > 0 ? close : undefined,
    });
  }
  const present = new Set([...values.keys()].map((text) => codeOf.get(text)));
  for (const [code, label] of labels.entries()) {
    if (present.has(code)) continue;
    const close = closest(
      label.name,
      unlisted.map((value) => value.text),
    );
    const hint =
      close.length > 0 ? ` Did you mean ${quoted(close[0]!)} (${count(values.get(close[0]!)!.rows, "row")})?` : "";
    problems.add({
      severity: "warning",
      code: "absent-label",
      message: `${quoted(label.name)} is not in the data.${hint}`,
      file: project.file,
      range: locate?.(["task", "targets", index, "labels", code]),
      column: target.column,
      suggestions: close.length > 0 ? close : undefined,
    });
  }
}

/** What is left of a label without case, punctuation, white space and Unicode variants. */
function skeleton(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{P}\p{S}\s]+/gu, " ")
    .trim();
}

/** Groups labels that are probably one: the same skeleton, or a rare one that is a typing error away from a common one. */
function checkSpellings(target: Target, values: Map<string, Value>, place: Place, problems: ProblemList): void {
  const list = [...values.values()].sort((a, b) => b.rows - a.rows || byCodeUnit(a.text, b.text));
  const skeletons = list.map((value) => skeleton(value.text));
  const sets = disjointSets(list.length);
  const bySkeleton = new Map<string, number>();
  for (const [i, bones] of skeletons.entries()) {
    const same = bones === "" ? undefined : bySkeleton.get(bones);
    if (same === undefined) bySkeleton.set(bones, i);
    else sets.join(same, i);
  }
  if (bySkeleton.size <= MOST_LABELS_COMPARED) {
    const digits = skeletons.map((bones) => bones.replace(/\D+/g, " "));
    const heads = [...bySkeleton.values()];
    for (const i of heads) {
      const length = skeletons[i]!.length;
      if (length < 6) continue;
      for (const k of heads) {
        // From the most frequent on; a rare spelling has at most a fifth of the rows.
        if (k >= i || list[i]!.rows * 5 > list[k]!.rows) break;
        if (digits[i] !== digits[k] || Math.abs(skeletons[k]!.length - length) > 2) continue;
        if (distance(skeletons[i]!, skeletons[k]!) > (length < 12 ? 1 : 2)) continue;
        sets.join(k, i);
        break;
      }
    }
  }
  const groups = new Map<number, Value[]>();
  for (const [i, value] of list.entries()) {
    const root = sets.find(i);
    const group = groups.get(root);
    if (group) group.push(value);
    else groups.set(root, [value]);
  }
  const suspects = [...groups.values()].filter((group) => group.length > 1);
  for (const group of suspects.slice(0, 10)) {
    const shown = group.slice(0, 6).map((value) => `${quoted(value.text)} (${value.rows.toLocaleString("en-US")})`);
    if (group.length > 6) shown.push(`and ${group.length - 6} more`);
    problems.add({
      severity: "warning",
      code: "label-spellings",
      message: `These labels of ${quoted(target.column)} look like one, spelt differently: ${shown.join(", ")}. Correct the cells, or list the labels with the other spellings as aliases.`,
      ...place(group[1]!),
      suggestions: [group[0]!.text],
    });
  }
  if (suspects.length > 10) {
    const more = suspects.slice(10);
    problems.add({
      severity: "warning",
      code: "label-spellings",
      message: `And ${count(more.length, "more group")} of labels of ${quoted(target.column)} that look alike (${count(
        more.reduce((sum, group) => sum + group.length, 0),
        "spelling",
      )}); the target has ${count(values.size, "label")} in all.`,
      ...place(more[0]![1]!),
    });
  }
}

function checkNumber(
  project: Project,
  index: number,
  codes: Int32Array,
  labels: Label[],
  problems: ProblemList,
  locate?: Locate,
): void {
  const target = project.targets[index]!;
  const seen = new Set<number>();
  for (const code of codes) if (code >= 0) seen.add(code);
  const place = { file: project.file, range: locate?.(["task", "targets", index, "column"]), column: target.column };
  // Without a row there is a reason, and it has been said.
  if (codes.length === 0) return;
  if (seen.size === 0) {
    problems.add({
      severity: "error",
      code: "no-labels",
      message: `No row has a label in ${quoted(target.column)}. Label some rows of at least two kinds${target.labels ? ", or correct the list of labels" : ""}.`,
      ...place,
    });
  } else if (seen.size === 1) {
    problems.add({
      severity: "error",
      code: "one-label",
      message: `Every labelled row has the same label in ${quoted(target.column)}, ${quoted(labels[[...seen][0]!]!.name)}: there is nothing to tell apart.`,
      ...place,
    });
  }
}

/** Engines whose models write the label, a token after the other. */
const WRITES_LABELS: ReadonlySet<string> = new Set(["chat", "openai", "qlora"]);

/** Labels with which others begin: a model that writes its answer tells them apart only by where it stops. */
function checkPrefixes(
  project: Project,
  index: number,
  labels: readonly Label[],
  problems: ProblemList,
  locate?: Locate,
): void {
  if (!Object.values(project.spec.models).some(({ engine }) => WRITES_LABELS.has(engine))) return;
  const target = project.targets[index]!;
  const names = labels.map(({ name }) => name).sort(byCodeUnit);
  // In this order the names that begin with a name follow it at once.
  const pairs = names.flatMap((name, i) => {
    const longer = names[i + 1];
    return longer !== undefined && longer !== name && longer.startsWith(name) ? [[name, longer] as const] : [];
  });
  if (pairs.length === 0) return;
  const shown = pairs.slice(0, 5).map(([name, longer]) => `${quoted(longer, 40)} begins with ${quoted(name, 40)}`);
  if (pairs.length > 5) shown.push(`and ${pairs.length - 5} more`);
  problems.add({
    severity: "information",
    code: "prefix-labels",
    message: `Labels of ${quoted(target.column)} that begin with another label: ${shown.join(", ")}. A model that writes its answer tells them apart only by where it stops. Rename them, or use label codes (prompt.codes) with an engine that takes a prompt.`,
    file: project.file,
    range: locate?.(["task", "targets", index, "column"]),
    column: target.column,
  });
}
