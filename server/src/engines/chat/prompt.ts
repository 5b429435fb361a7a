/** The messages of a request: instructions, labels, examples, and the row. */
import type { ChatCompletionMessageParam, ResponseFormatJSONSchema } from "openai/resources";
import type * as z from "zod";
import type { Job } from "../../../../schemas/job.ts";
import type { Prompt } from "../../../../schemas/project.ts";
import { EngineError } from "../engine.ts";
import { type KnownLabels, knownLabels } from "./labels.ts";

/** An example: a row's inputs, and its labels of the targets that it has one of. */
export interface Example {
  inputs: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string | null>>;
}

/** Everything of a prompt that is the same for each row. */
export interface PromptPlan {
  targets: readonly KnownLabels[];
  /** An object with a field a target is asked for; else the label alone. */
  json: boolean;
  /** Reasoning comes before the answer. */
  reasoned: boolean;
  messages(row: Readonly<Record<string, string>>, examples: readonly Example[]): ChatCompletionMessageParam[];
}

type Task = Job["task"];
export type PromptSpec = z.output<typeof Prompt>;

/** Whether the answer is JSON. `structured`: the endpoint keeps to a schema. */
export function answersJson(spec: Pick<PromptSpec, "answer" | "style">, targets: number, structured: boolean): boolean {
  if (spec.answer !== "auto") return spec.answer === "json" || targets > 1;
  return targets > 1 || (structured && spec.style !== "chain-of-thought");
}

/** @param template text of the user's own template */
export function planPrompt(task: Task, spec: PromptSpec, json: boolean, template?: string): PromptPlan {
  const targets = task.targets.map((target) => knownLabels(target, spec.codes));
  const reasoned = spec.style === "chain-of-thought";
  const instructions = task.instructions?.trim() || defaultInstructions(task);
  const format = answerFormat(targets, json, reasoned);
  const built = template === undefined ? undefined : parseTemplate(template, spec.role);
  const turns = (examples: readonly Example[]) =>
    examples.flatMap((example): ChatCompletionMessageParam[] => [
      { role: "user", content: rowText(task, example.inputs) },
      { role: "assistant", content: answerText(targets, example.labels, json) },
    ]);

  function messages(row: Readonly<Record<string, string>>, examples: readonly Example[]) {
    if (built) return fillTemplate(built, { task, targets, instructions, format, json, row, examples, turns });
    const head = [instructions, ...targets.map((target) => labelList(target, targets.length > 1)), format].join("\n\n");
    const shown = turns(examples);
    const last: ChatCompletionMessageParam = { role: "user", content: rowText(task, row) };
    if (spec.role === "system") return [{ role: "system", content: head } as const, ...shown, last];
    const [first, ...rest] = [...shown, last];
    return [{ role: "user", content: `${head}\n\n${first!.content as string}` } as const, ...rest];
  }

  return { targets, json, reasoned, messages };
}

function defaultInstructions({ targets }: Task): string {
  const names = targets.map(({ name }) => name);
  const list = names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
  return `Classify the text: choose its ${list}.`;
}

/** The row as the model reads it: the text alone, or a line an input. */
function rowText({ inputs }: Task, row: Readonly<Record<string, string>>): string {
  if (inputs.length === 1) return row[inputs[0]!.name] ?? "";
  return inputs.map(({ name }) => `${name}: ${row[name] ?? ""}`).join("\n");
}

function labelList({ target, labels }: KnownLabels, named: boolean): string {
  const lines = labels.map(({ name, code, description, aliases }) => {
    const also = aliases.length > 0 ? ` (also: ${aliases.join(", ")})` : "";
    const meaning = description ? `: ${description.replace(/\s+/g, " ").trim()}` : "";
    return code === undefined ? `- ${name}${also}${meaning}` : `${code} = ${name}${also}${meaning}`;
  });
  return [named ? `Labels of ${target}:` : "Labels:", ...lines].join("\n");
}

function answerFormat(targets: readonly KnownLabels[], json: boolean, reasoned: boolean): string {
  const coded = targets.some(({ labels }) => labels.some(({ code }) => code !== undefined));
  const what = coded ? "code" : "label";
  if (json) {
    const fields = targets.map(({ target }) => `${JSON.stringify(target)}: "<${what}>"`).join(", ");
    const reasoning = reasoned ? '"reasoning": "<why, step by step>", ' : "";
    return `Answer with one JSON object and nothing else, with one ${what} from the list a field: {${reasoning}${fields}}`;
  }
  return reasoned
    ? `Think step by step. Then write one last line: Answer: <one ${what} from the list>`
    : `Answer with one ${what} from the list, exactly as it is written there, and nothing else.`;
}

/** What a perfect answer would be. A target without a label is left out. */
export function answerText(
  targets: readonly KnownLabels[],
  labels: Readonly<Record<string, string | null>>,
  json: boolean,
): string {
  const written = targets.flatMap((target) => {
    const label = target.labels.find(({ name }) => name === labels[target.target]);
    return label ? [[target.target, label.written] as const] : [];
  });
  return json ? JSON.stringify(Object.fromEntries(written)) : (written[0]?.[1] ?? "");
}

/** The schema that answers are held to. */
export function responseFormat({ targets, reasoned }: PromptPlan): ResponseFormatJSONSchema {
  const properties: Record<string, unknown> = reasoned ? { reasoning: { type: "string" } } : {};
  for (const { target, labels } of targets)
    properties[target] = { type: "string", enum: labels.map(({ written }) => written) };
  return {
    type: "json_schema",
    json_schema: {
      name: "labels",
      strict: true,
      schema: { type: "object", properties, required: Object.keys(properties), additionalProperties: false },
    },
  };
}

// --- the user's own template ------------------------------------------------------------------------------------

type Role = "system" | "user" | "assistant";
interface TemplatePart {
  role: Role;
  text: string;
}
interface Template {
  parts: TemplatePart[];
  /** The template itself says where the row stands. */
  placesRow: boolean;
}

const VARIABLE = /\{\{\s*([^{}]+?)\s*\}\}/g;

/**
 * A template is one message, or several that begin with a line `[system]`, `[user]` or `[assistant]`. `{{variables}}` are
 * filled in. Without an input variable the row follows as a message of the user.
 */
function parseTemplate(text: string, role: Role): Template {
  const parts: TemplatePart[] = [];
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[(system|user|assistant)\]\s*$/.exec(line);
    if (head) parts.push({ role: head[1] as Role, text: "" });
    else if (parts.length === 0) parts.push({ role, text: line });
    else parts.at(-1)!.text += parts.at(-1)!.text === "" ? line : `\n${line}`;
  }
  const variables = [...text.matchAll(VARIABLE)].map((match) => match[1]!);
  return {
    parts: parts.filter((part) => part.text.trim() !== ""),
    placesRow: variables.some((name) => name === "input" || name.startsWith("input.")),
  };
}

interface Filling {
  task: Task;
  targets: readonly KnownLabels[];
  instructions: string;
  format: string;
  json: boolean;
  row: Readonly<Record<string, string>>;
  examples: readonly Example[];
  /** Examples as turns of a conversation. */
  turns(examples: readonly Example[]): ChatCompletionMessageParam[];
}

function fillTemplate({ parts, placesRow }: Template, filling: Filling): ChatCompletionMessageParam[] {
  const { task, row, examples, targets, json } = filling;
  const exampleTexts = () =>
    examples.map(({ inputs, labels }) => `${rowText(task, inputs)}\n${answerText(targets, labels, json)}`).join("\n\n");
  const filled = (name: string): string => {
    switch (name) {
      case "input":
        return rowText(task, row);
      case "instructions":
        return filling.instructions;
      case "labels":
        return targets.map((target) => labelList(target, targets.length > 1)).join("\n\n");
      case "examples":
        return exampleTexts();
      case "answer_format":
        return filling.format;
    }
    const input = /^input\.(.+)$/.exec(name)?.[1];
    if (input !== undefined && task.inputs.some((known) => known.name === input)) return row[input] ?? "";
    const target = targets.find((known) => `labels.${known.target}` === name);
    if (target) return labelList(target, false);
    throw new EngineError(
      `The prompt's template asks for {{${name}}}, which there is none of.`,
      `There are: ${variablesOf(task)
        .map((known) => `{{${known}}}`)
        .join(", ")}.`,
    );
  };
  const messages = parts.map(({ role, text }): ChatCompletionMessageParam => {
    const content = text.replace(VARIABLE, (_, name: string) => filled(name)).trim();
    return { role, content };
  });
  const placesExamples = parts.some(({ text }) => /\{\{\s*examples\s*\}\}/.test(text));
  if (!placesExamples && !placesRow) messages.push(...filling.turns(examples));
  if (!placesRow) messages.push({ role: "user", content: rowText(task, row) });
  return messages;
}

/** The variables that a template may use. */
function variablesOf({ inputs, targets }: Task): string[] {
  return [
    "input",
    ...inputs.map(({ name }) => `input.${name}`),
    "instructions",
    "labels",
    ...targets.map(({ name }) => `labels.${name}`),
    "examples",
    "answer_format",
  ];
}
