/** The project file's reference page, written from its schema. `generate.ts` puts it into docs/project-file.md. */
import { stringify } from "yaml";
import { ProjectFile } from "../schemas/project.ts";
import { alternatives, expectation, inputSchema, type JsonSchema } from "../server/src/project/schema.ts";

/** One table of the page: a mapping of the project file. */
interface Section {
  /** As it stands in the file: `dataset.split`, `models.NAME`. */
  path: string;
  /** The engine or kind that has these keys. */
  branch?: string;
  schema: JsonSchema;
}

const EXAMPLE = `version: 1
dataset:
  source: data/injuries.csv
task:
  inputs: [Final Narrative]
  targets:
    - column: NatureTitle
models:
  baseline: { engine: linear }
`;

/** The page, in Markdown. */
export function projectFileReference(): string {
  const root = inputSchema(ProjectFile);
  const parts = [
    "<!-- Generated from schemas/project.ts by `npm run generate`. Change it there. -->",
    "# The project file",
    "A project is one `.clf.yaml` file. The smallest one:",
    fence(EXAMPLE),
    [
      "- YAML 1.2, one document. Text, numbers, `true` and `false`; where text is asked for, a plain number is taken as it is written (`007` is the text 007).",
      "- Paths are relative to the file's folder and may not leave it, by `..`, as absolute paths or by symbolic links. They use `/`.",
      "- Settings can be shared: `&name` marks a value, `*name` repeats it, and `<<: *name` puts the keys of a marked mapping into another, where own keys win.",
      '- A text that starts with `*`, `&`, `!` or `@`, or holds `: ` or ` #`, needs quotes: `pool: "*.csv"`.',
      "- Keys of endpoints never stand in the file: `key` is the name of an environment variable or of a stored secret.",
    ].join("\n"),
    "## Shares of the splits",
    "`dataset.split` may give any of the three shares. Given all three, they sum to 1. Of those left out, validation is 0.16, test 0.20 and train the rest; when train is given, the others divide the rest 4 : 5. Splits that have files of their own (`source: {train, test}`) get no share, and the shares given for the others are scaled to sum to 1.",
    "## Labels in a file",
    "`labels: labels.yaml` reads the list from a file: a YAML list of labels, each a text or a mapping with `name`, `description` and `aliases`.",
    ...sectionsOf(root, "").flatMap(sectionText),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The mapping itself, then the mappings inside it, depth first. */
function sectionsOf(schema: JsonSchema, path: string): Section[] {
  const sections: Section[] = [];
  const inside: Section[] = [];
  for (const option of alternatives(schema)) {
    if (option.type === "array" && option.items) inside.push(...sectionsOf(option.items, `${path}[]`));
    if (option.type !== "object") continue;
    if (typeof option.additionalProperties === "object") {
      inside.push(...sectionsOf(option.additionalProperties, `${path}.NAME`));
    }
    if (!option.properties) continue;
    const branch = Object.values(option.properties).find(
      (property) => property.const !== undefined && path !== "",
    )?.const;
    sections.push({ path, schema: option, ...(branch !== undefined ? { branch: String(branch) } : {}) });
    const deeper = Object.entries(option.properties).flatMap(([key, property]) =>
      sectionsOf(property, path ? `${path}.${key}` : key),
    );
    if (branch === undefined) inside.push(...deeper);
    else sections.push(...deeper.map((section) => ({ ...section, branch: section.branch ?? String(branch) })));
  }
  return [...sections, ...inside];
}

function sectionText({ path, branch, schema }: Section): string[] {
  const title = path === "" ? "Top level" : `\`${path}\`${branch ? ` · ${branch}` : ""}`;
  const rows = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const required = schema.required?.includes(key);
    return `| \`${key}\` | ${cell(typeOf(property))} | ${required ? "**required**" : cell(defaultOf(property))} | ${cell(meaningOf(property))} |`;
  });
  return [
    `## ${title}`,
    ...(schema.description && path !== "" ? [schema.description] : []),
    ["| key | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n"),
  ];
}

function typeOf(schema: JsonSchema): string {
  return schema.const !== undefined ? `\`${schema.const}\`` : expectation(schema).replace(/"([^"]*)"/g, "`$1`");
}

function defaultOf(schema: JsonSchema): string {
  const value = schema.default;
  if (value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0))
    return "";
  return `\`${inline(value)}\``;
}

function meaningOf(schema: JsonSchema): string {
  const examples = (schema.examples ?? []).filter((value) => schema.const === undefined && inline(value).length <= 80);
  const shown = examples.map((value) => `\`${inline(value)}\``).join(" or ");
  return `${schema.description ?? ""}${shown ? ` Example: ${shown}` : ""}`;
}

/** A value as it stands on one line of a project file. */
function inline(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim();
}

const cell = (text: string) => text.replace(/\|/g, "\\|").replace(/\s*\n\s*/g, " ");

const fence = (text: string) => `\`\`\`yaml\n${text}\`\`\``;
