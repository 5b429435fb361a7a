/** From a position in the text to a path of the file, and the text of what stands there. */
import { type Path, type PathStep, type Place, placeAt, type YamlFile } from "../project/yaml.ts";

/** Where the cursor is. */
export interface Spot {
  path: Path;
  place: Place;
  /** On the key, on (or where there is none: at the place for) the value, or inside a collection and on none of its items. */
  part: "key" | "value" | "inside";
}

/** The deepest key or value at an offset of the text. */
export function spotAt(file: YamlFile, offset: number): Spot {
  let spot: Spot = { path: [], place: file.root, part: "inside" };
  for (;;) {
    const next = childAt(file, spot, offset);
    if (!next) return spot;
    spot = next;
    if (spot.part !== "inside") return spot;
  }
}

/**
 * Of children that touch at the offset (a block ends where the next key begins) the later one. What an alias repeats stands
 * where it was written first.
 */
function childAt(file: YamlFile, { path, place }: Spot, offset: number): Spot | undefined {
  let found: Spot | undefined;
  let from = -1;
  const take = (start: number, step: PathStep, child: Place, part: Spot["part"]) => {
    if (start <= from) return;
    from = start;
    found = { path: [...path, step], place: child, part };
  };
  for (const [step, child] of place.children ?? []) {
    const [start, end] = child.value;
    if (child.key && child.key[0] <= offset && offset <= child.key[1]) take(child.key[0], step, child, "key");
    else if (start < end || child.kind !== "scalar") {
      if (start <= offset && offset <= end) take(start, step, child, child.kind === "scalar" ? "value" : "inside");
    } else if (inEmptyValue(file.text, child, offset)) take(start, step, child, "value");
  }
  return found;
}

/** Whether an offset is where a missing value would stand: after its `:` or `-`, on the same line, before any other text. */
function inEmptyValue(text: string, place: Place, offset: number): boolean {
  const from = place.key ? place.key[1] : place.value[0];
  if (offset < from) return false;
  const between = text.slice(from, offset);
  return place.key ? /^\s*:[ \t]+$/.test(between) && !between.includes("\n") : /^[ \t]*$/.test(between);
}

/** The value at a path as the file has it. */
export function textAt(file: YamlFile, path: Path): string | undefined {
  let value = file.value;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PathStep, unknown>)[step];
  }
  const plain = placeAt(file, path)?.plain;
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? (plain ?? String(value)) : undefined;
}

/** The keys of a mapping, or the indices of a list, as the file has them. */
export function stepsAt(file: YamlFile, path: Path): PathStep[] {
  return [...(placeAt(file, path)?.children?.keys() ?? [])];
}

/** Whether a place stands inside braces or brackets. */
export function inFlow(file: YamlFile, path: Path): boolean {
  for (let depth = 0; depth <= path.length; depth++) {
    const place = placeAt(file, path.slice(0, depth));
    if (!place) return false;
    if (place.kind !== "scalar" && /[[{]/.test(file.text.charAt(place.value[0]))) return true;
  }
  return false;
}
