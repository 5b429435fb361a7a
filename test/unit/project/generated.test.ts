import assert from "node:assert/strict";
import * as documents from "../../../schemas/cli.ts";
import { ProjectFile } from "../../../schemas/project.ts";
import { generated, stale } from "../../../scripts/generate.ts";
import { program } from "../../../server/src/cli/program.ts";
import { alternatives, inputSchema, type JsonSchema } from "../../../server/src/project/schema.ts";

describe("generated files", () => {
  it("are up to date (run: npm run generate)", async () => {
    assert.deepEqual(await stale(), []);
  });

  it("hold the reference page with every key of the schema", () => {
    const page = generated().get("docs/project-file.md")!;
    for (const { key } of fields(inputSchema(ProjectFile), "")) assert.ok(page.includes(`| \`${key}\` |`), key);
  });
});

describe("the page of the command line", () => {
  const page = generated().get("docs/cli.md")!;

  it("has every command and option", () => {
    for (const { name, options } of program(() => {}).commands.map((c) => ({ name: c.name(), options: c.options }))) {
      const [, after] = page.split(`\n## clf ${name}\n`);
      const section = after!.split("\n## ")[0]!;
      for (const { flags } of options) assert.ok(section.includes(`\`${flags}\``), `${name} ${flags}`);
    }
  });

  it("names JSON documents that there are", () => {
    const named = [...page.matchAll(/`(\w+Document)`/g)].map(([, name]) => name!);
    assert.deepEqual(
      named.filter((name) => !(name in documents)),
      [],
    );
    const missing = Object.keys(documents).filter((name) => !named.includes(name) && name !== "FailureDocument");
    assert.deepEqual(missing, []);
  });
});

interface Field {
  path: string;
  key: string;
  schema: JsonSchema;
  required: boolean;
}

function fields(schema: JsonSchema, path: string): Field[] {
  return alternatives(schema).flatMap((option) => [
    ...Object.entries(option.properties ?? {}).flatMap(([key, inner]) => [
      { path: `${path}.${key}`, key, schema: inner, required: option.required?.includes(key) ?? false },
      ...fields(inner, `${path}.${key}`),
    ]),
    ...(option.items ? fields(option.items, `${path}[]`) : []),
    ...(typeof option.additionalProperties === "object" ? fields(option.additionalProperties, `${path}.NAME`) : []),
  ]);
}

describe("the project schema", () => {
  for (const { path, schema, required } of fields(inputSchema(ProjectFile), "")) {
    it(`${path.slice(1)} has a description, a default or why there is none, and an example`, () => {
      assert.ok(schema.description, "description");
      assert.ok(schema.examples?.length || schema.const !== undefined, "example");
      const told = schema.default !== undefined || /default|without|needs it/i.test(schema.description);
      assert.ok(required || told, "default");
    });
  }

  it("accepts its own examples", () => {
    for (const [key, inner] of Object.entries(ProjectFile.shape)) {
      for (const example of (inner.meta()?.examples ?? []) as unknown[]) {
        const result = inner.safeParse(example);
        assert.ok(result.success, `${key}: ${JSON.stringify(example)}`);
      }
    }
  });
});
