/** The text of a new project file, made from what a look at the data suggests. For `clf init` and the editor. */
import { PROJECT_VERSION } from "../../../schemas/project.ts";

export interface TemplateTarget {
  column: string;
  /** Labels found in the data, with their numbers of rows, in any order. */
  labels?: readonly { name: string; rows: number }[];
}

export interface TemplateData {
  /** The data, relative to the project's folder, with `/`: a file, or one a split. */
  source: string | { train: string; validation?: string; test?: string };
  name?: string;
  pool?: string;
  id?: string;
  group?: string;
  /** A column that names each row's split. */
  splitColumn?: string;
  inputs: readonly string[];
  targets: readonly TemplateTarget[];
}

/** Labels named in a comment. */
const SHOWN_LABELS = 12;

/**
 * A commented `.clf.yaml`. Without inputs or targets the text holds a placeholder there, `COLUMN`, for a person to
 * replace. A guess that would contradict another is left out: a target is nothing else, an id or split column no input.
 */
export function projectTemplate(data: TemplateData): string {
  const guessed = data.targets.filter(({ column }, index, all) => all.findIndex((t) => t.column === column) === index);
  const targets = guessed.length > 0 ? guessed : [{ column: "COLUMN" }];
  const labelColumns = new Set(targets.map(({ column }) => column));
  const unlessTarget = (column: string | undefined) => (column && !labelColumns.has(column) ? column : undefined);
  const id = unlessTarget(data.id);
  const group = unlessTarget(data.group);
  const splitColumn = unlessTarget(data.splitColumn);
  const inputs = [...new Set(data.inputs)].filter(
    (column) => !labelColumns.has(column) && column !== id && column !== splitColumn,
  );
  const lines = [
    "# A text-classification project. Every key is described in docs/project-file.md, and in the editor by hover.",
    `version: ${PROJECT_VERSION}`,
    ...(data.name ? [`name: ${scalar(data.name)}`] : []),
    "",
    "dataset:",
    ...sourceLines(data.source),
    data.pool
      ? `  pool: ${scalar(data.pool)}  # new rows without labels, to predict and review`
      : '  # pool: "inbox/*.csv"  # new rows without labels, to predict and review',
    id ? `  id: ${scalar(id)}` : "  # id: COLUMN  # identifies a row; without it, a hash of its inputs does",
    group ? `  group: ${scalar(group)}` : "  # group: COLUMN  # rows that share its value stay in one split",
    ...splitLines(data.source, splitColumn),
    "  sampling: { strategy: natural }  # or balanced, undersample",
    "",
    "task:",
    "  # instructions: What the labels mean, for models that read a prompt.",
    "  inputs:",
    ...(inputs.length > 0 ? inputs : ["TEXT"]).map((column) => `    - ${scalar(column)}`),
    "  targets:",
    ...targets.flatMap(targetLines),
    "",
    "models:",
    "  baseline: { engine: linear }  # embedded: no GPU, no key, seconds",
    "",
    "confidence:",
    "  calibration: auto",
    "  accept: { risk: 0.05, certainty: 0.95 }  # at most 5 % wrong among accepted rows, 95 % sure",
    "  audit: 0.02  # share of accepted rows that are reviewed all the same",
    "",
    "review: { model: baseline, order: margin }",
  ];
  return `${lines.join("\n")}\n`;
}

function sourceLines(source: TemplateData["source"]): string[] {
  if (typeof source === "string") return [`  source: ${scalar(source)}`];
  const files = (["train", "validation", "test"] as const).flatMap((split) =>
    source[split] === undefined ? [] : [`    ${split}: ${scalar(source[split])}`],
  );
  return ["  source:", ...files];
}

function splitLines(source: TemplateData["source"], splitColumn: string | undefined): string[] {
  const files = typeof source === "string" ? undefined : source;
  // A column and files of their own both say the split; files are the plainer of the two.
  if (splitColumn && !files) return [`  split: { column: ${scalar(splitColumn)} }`];
  const shares = [
    ...(files ? [] : ["train: 0.64"]),
    ...(files?.validation === undefined ? ["validation: 0.16"] : []),
    ...(files?.test === undefined ? ["test: 0.2"] : []),
    "seed: 42",
  ];
  return [`  split: { ${shares.join(", ")} }  # saved beside this file: a row never changes its split`];
}

function targetLines({ column, labels }: TemplateTarget): string[] {
  const lines = [`    - column: ${scalar(column)}`];
  if (!labels?.length) return lines;
  const byRows = [...labels].sort((a, b) => b.rows - a.rows);
  const shown = byRows
    .slice(0, SHOWN_LABELS)
    .map(({ name, rows }) => `${inComment(name)} (${rows.toLocaleString("en")})`);
  const more = byRows.length > SHOWN_LABELS ? ", …" : "";
  lines.push(`      # ${labels.length} labels in the data: ${shown.join(", ")}${more}`);
  lines.push("      # labels: [A, B]  # to allow only these");
  return lines;
}

/** Text that is the same read as YAML: plain where it surely is, else in double quotes. */
function scalar(text: string): string {
  const plain = /^[A-Za-z_][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*$/;
  const word = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
  return plain.test(text) && !word.test(text) ? text : JSON.stringify(text);
}

/** One line without control characters, so that a comment stays a comment. */
function inComment(text: string): string {
  const line = text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
