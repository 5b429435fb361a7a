/**
 * The project file's JSON Schema as completion and hover want it: defaults told in the descriptions, each engine and host
 * kind explained at its key, no titles (the schema's own would head every hover).
 */
import { ProjectFile } from "../../../schemas/project.ts";
import { inputSchema, type JsonSchema } from "../project/schema.ts";

/** Made anew at every call: ask once. */
export function editorSchema(): JsonSchema {
  const schema = structuredClone(inputSchema(ProjectFile));
  enrich(schema);
  return schema;
}

function enrich(schema: JsonSchema): void {
  delete schema.title;
  // An `id` makes yaml-language-server resolve the schema as a document of its own, from the network.
  delete schema.id;
  delete schema.$id;
  if (schema.markdownDescription === undefined && schema.description !== undefined) {
    const fallback = /\bdefault\b|without it/i.test(schema.description) ? undefined : scalarText(schema.default);
    schema.markdownDescription =
      fallback === undefined ? schema.description : `${schema.description} Default: ${fallback}.`;
  }
  for (const option of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    for (const property of Object.values(option.properties ?? {})) {
      if (property.const === undefined || option.description === undefined) continue;
      const about = `\`${property.const}\`: ${option.description}`;
      property.description = property.description ? `${property.description}\n\n${about}` : about;
    }
  }
  const version = schema.properties?.version;
  if (version?.const !== undefined) version.default = version.const;
  for (const child of childrenOf(schema)) enrich(child);
}

function* childrenOf(schema: JsonSchema): Generator<JsonSchema> {
  yield* schema.anyOf ?? [];
  yield* schema.oneOf ?? [];
  yield* Object.values(schema.properties ?? {});
  yield* schema.prefixItems ?? [];
  yield* Object.values((schema.$defs ?? {}) as Record<string, JsonSchema>);
  if (schema.items) yield schema.items;
  if (typeof schema.additionalProperties === "object") yield schema.additionalProperties;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === "string") return `\`${value}\``;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
