/** Links, definitions, references and rename: from a name to where it stands. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { DocumentLink, Location, Range, TextEdit } from "vscode-languageserver-types";
import { confine, isGlob } from "../project/paths.ts";
import { type Place, rangeOf, type YamlFile } from "../project/yaml.ts";
import { type Found, type Meaning, meaningOf, meanings, type NameKind, targetAt } from "./names.ts";
import type { Spot } from "./places.ts";
import { stepsAt } from "./places.ts";
import { scalarText } from "./scalar.ts";
import { uriOf } from "./uris.ts";

const MOST_LINKS = 500;

const valueRange = (file: YamlFile, place: Place): Range => rangeOf(file, place.value);
const rangeOfFound = (file: YamlFile, { place, part }: Found): Range =>
  rangeOf(file, part === "key" ? place.key! : place.value);

/** The files a project names, as links, where they exist. */
export async function links(file: YamlFile): Promise<DocumentLink[]> {
  const named = [...meanings(file)].filter(({ meaning }) => meaning.is === "file").slice(0, MOST_LINKS);
  const found = await Promise.all(
    named.map(async ({ place, meaning }): Promise<DocumentLink[]> => {
      const path = await existing(file, (meaning as Meaning & { is: "file" }).path);
      return path === undefined ? [] : [{ range: valueRange(file, place), target: uriOf(path) }];
    }),
  );
  return found.flat();
}

/** The absolute path of a file that a project names, if it exists and may be read. */
async function existing(file: YamlFile, path: string): Promise<string | undefined> {
  if (isGlob(path)) return undefined;
  const confined = await confine(dirname(file.file), path);
  if ("refused" in confined) return undefined;
  const found = await stat(confined.path).catch(() => undefined);
  return found?.isFile() ? confined.path : undefined;
}

/** Where what stands under the cursor is defined. */
export async function definition(file: YamlFile, uri: string, spot: Spot): Promise<Location | undefined> {
  if (spot.part === "inside") return undefined;
  const meaning = meaningOf(file, spot.path, spot.part);
  if (meaning?.is === "file") {
    const path = await existing(file, meaning.path);
    return path === undefined
      ? undefined
      : { uri: uriOf(path), range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } } };
  }
  const found = meaning && definitionOf(file, meaning);
  return found && { uri, range: found };
}

function definitionOf(file: YamlFile, meaning: Meaning): Range | undefined {
  if (meaning.is === "use" || meaning.is === "definition") {
    const found = places(file, meaning.kind, meaning.name).find(({ part }) => part === "key");
    return found && rangeOfFound(file, found);
  }
  if (meaning.is === "label") {
    const found = [...meanings(file)].find(
      ({ path, meaning: other }) =>
        other.is === "label" && other.name === meaning.name && other.target === meaning.target && path[3] === "labels",
    );
    return found && rangeOfFound(file, found);
  }
  if (meaning.is === "target") {
    const index = stepsAt(file, ["task", "targets"]).findIndex(
      (step) => targetAt(file, Number(step))?.name === meaning.name,
    );
    const found = [...meanings(file)].find(
      ({ path }) => path.join("\0") === ["task", "targets", index, "column"].join("\0"),
    );
    return found && rangeOfFound(file, found);
  }
  return undefined;
}

/** Where a name stands: its definition, then its uses. */
function places(file: YamlFile, kind: NameKind, name: string): Found[] {
  return [...meanings(file)].filter(
    ({ meaning }) =>
      (meaning.is === "definition" || meaning.is === "use") && meaning.kind === kind && meaning.name === name,
  );
}

/** Everything that stands for the same model, endpoint, host, column or label as what is under the cursor. */
export function references(file: YamlFile, spot: Spot, withDefinition: boolean): Range[] {
  if (spot.part === "inside") return [];
  const meaning = meaningOf(file, spot.path, spot.part);
  if (!meaning || meaning.is === "file") return [];
  if (meaning.is === "definition" || meaning.is === "use") {
    return places(file, meaning.kind, meaning.name)
      .filter(({ part }) => withDefinition || part !== "key")
      .map((found) => rangeOfFound(file, found));
  }
  return [...meanings(file)]
    .filter(({ meaning: other }) => {
      if (other.is !== meaning.is || (other as { name: string }).name !== meaning.name) return false;
      return meaning.is !== "label" || (other as Meaning & { is: "label" }).target === meaning.target;
    })
    .map((found) => rangeOfFound(file, found));
}

/** What may be renamed: models, endpoints and hosts that the file defines. */
export function renamable(file: YamlFile, spot: Spot): { range: Range; placeholder: string } | undefined {
  const meaning = spot.part === "inside" ? undefined : meaningOf(file, spot.path, spot.part);
  if (meaning?.is !== "definition" && meaning?.is !== "use") return undefined;
  if (!places(file, meaning.kind, meaning.name).some(({ part }) => part === "key")) return undefined;
  const range = rangeOf(file, spot.part === "key" ? spot.place.key! : spot.place.value);
  return { range, placeholder: meaning.name };
}

/** @returns the edits, or why the name cannot be used */
export function rename(file: YamlFile, spot: Spot, name: string): TextEdit[] | string {
  const meaning = spot.part === "inside" ? undefined : meaningOf(file, spot.path, spot.part);
  if (meaning?.is !== "definition" && meaning?.is !== "use") return "Only models, endpoints and hosts can be renamed.";
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    return `"${name}" cannot be a name: use letters, digits, dots, dashes and underscores, 64 at most.`;
  }
  if (name !== meaning.name && places(file, meaning.kind, name).some(({ part }) => part === "key")) {
    return `There is a ${meaning.kind} "${name}" already. Choose another name.`;
  }
  return places(file, meaning.kind, meaning.name).map((found) => ({
    range: rangeOfFound(file, found),
    newText: scalarText(name),
  }));
}
