/**
 * The project file's schema as JSON Schema, and what it expects at a place, in words. JSON Schema is the public form of a
 * zod schema, so that messages and the reference page are made from the same descriptions as completion and hover.
 */
import * as z from "zod";
import type { Path } from "./yaml.ts";

/** The part of JSON Schema that zod produces. */
export interface JsonSchema {
  type?: "string" | "number" | "integer" | "boolean" | "null" | "array" | "object";
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  [keyword: string]: unknown;
}

const made = new WeakMap<z.ZodType, JsonSchema>();

/** The JSON Schema of what a person writes (defaults may be left out). Made once a schema. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  const known = made.get(schema);
  if (known) return known;
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  made.set(schema, json);
  return json;
}

/** The alternatives of a schema; itself when it is not a union. */
export function alternatives(schema: JsonSchema): JsonSchema[] {
  const options = schema.anyOf ?? schema.oneOf;
  return options ? options.flatMap(alternatives) : [schema];
}

type Kind = "mapping" | "list" | "scalar";

export function kindOf(value: unknown): Kind {
  if (Array.isArray(value)) return "list";
  return typeof value === "object" && value !== null ? "mapping" : "scalar";
}

function schemaKind(schema: JsonSchema): Kind {
  if (schema.type === "array") return "list";
  return schema.type === "object" ? "mapping" : "scalar";
}

/** The key by which a union of mappings chooses its branch (`engine`, `kind`), if it does. */
function discriminatorOf(options: JsonSchema[]): string | undefined {
  const [first] = options;
  return Object.keys(first?.properties ?? {}).find((key) =>
    options.every((option) => option.properties?.[key]?.const !== undefined),
  );
}

/** The branch of a union that a value means, judged by its shape; undefined where no branch has that shape. */
export function branchFor(schema: JsonSchema, value: unknown): JsonSchema | undefined {
  const options = alternatives(schema).filter((option) => schemaKind(option) === kindOf(value));
  if (options.length <= 1) return options[0];
  const key = discriminatorOf(options);
  if (key === undefined) return options[0];
  const chosen = (value as Record<string, unknown>)[key];
  return options.find((option) => option.properties![key]!.const === chosen);
}

/** The schema of the value at `path`, following the branches that `value` means. */
export function schemaAt(schema: JsonSchema, value: unknown, path: Path): JsonSchema | undefined {
  let at: JsonSchema | undefined = schema;
  let inside = value;
  for (const step of path) {
    const branch: JsonSchema | undefined = at && branchFor(at, inside);
    if (typeof step === "number") {
      at = branch?.prefixItems?.[step] ?? branch?.items;
    } else {
      const properties = branch?.properties;
      const more: JsonSchema | boolean | undefined = branch?.additionalProperties;
      at =
        properties && Object.hasOwn(properties, step) ? properties[step] : typeof more === "object" ? more : undefined;
    }
    inside = child(inside, step);
  }
  return at;
}

/** The value one step inside another, if it is there. */
export function child(value: unknown, step: string | number): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(child, value);
}

/** "a", "b" or "c". */
export function oneOf(words: readonly string[]): string {
  if (words.length <= 1) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const quote = (value: unknown) => (typeof value === "string" ? `"${value}"` : String(value));

/** What a schema accepts, in words: "a whole number, 1 to 1000", `"auto" or a number above 0`. */
export function expectation(schema: JsonSchema): string {
  const options = alternatives(schema);
  const discriminator = options.length > 1 && options.every((o) => o.type === "object") && discriminatorOf(options);
  if (discriminator) return `a mapping with \`${discriminator}\``;
  return oneOf([...new Set(options.map(single))]);
}

function single(schema: JsonSchema): string {
  if (schema.const !== undefined) return quote(schema.const);
  if (schema.enum) return oneOf(schema.enum.map(quote));
  switch (schema.type) {
    case "string":
      return schema.format === "uri" ? "a web address (https://…)" : "text";
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number${bounds(schema)}`;
    case "number":
      return `a number${bounds(schema)}`;
    case "array":
      if (schema.prefixItems)
        return `a list of ${schema.prefixItems.length} (${schema.prefixItems.map(single).join("; ")})`;
      return schema.items ? `a list (each item: ${shortly(schema.items)})` : "a list";
    case "object": {
      const keys = schema.required?.length ? schema.required : Object.keys(schema.properties ?? {});
      if (keys.length === 0) return "a mapping of names";
      return `a mapping (${keys.slice(0, 4).join(", ")}${keys.length > 4 ? ", …" : ""})`;
    }
    default:
      return "a value";
  }
}

/** As `expectation`, without going into lists and mappings. */
function shortly(schema: JsonSchema): string {
  const words = alternatives(schema).map((option) => {
    if (option.type === "array") return "a list";
    return option.type === "object" ? "a mapping" : single(option);
  });
  return oneOf([...new Set(words)]);
}

/** The safe integer bounds that zod gives every integer say nothing to a person. */
const told = (bound: number | undefined) =>
  bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER ? bound : undefined;

function bounds(schema: JsonSchema): string {
  const minimum = told(schema.minimum);
  const maximum = told(schema.maximum);
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  const parts = [
    minimum !== undefined && `${minimum} or more`,
    schema.exclusiveMinimum !== undefined && `above ${schema.exclusiveMinimum}`,
    maximum !== undefined && `at most ${maximum}`,
    schema.exclusiveMaximum !== undefined && `below ${schema.exclusiveMaximum}`,
  ].filter((part) => part !== false);
  return parts.length ? `, ${parts.join(" and ")}` : "";
}
