/**
 * Code lenses: ▷ Fine-tune, ▷ Evaluate, ▷ Compare and ▷ Preview data over the file, ▷ Fine-tune and ▷ Evaluate over each
 * model. Their commands are the client's (`clf.…`); arguments: the project's URI, the model's name.
 */
import type { CodeLens, Range } from "vscode-languageserver-types";
import { markAt, placeAt, type YamlFile } from "../project/yaml.ts";
import { namesOf } from "./names.ts";
import { textAt } from "./places.ts";

/** Engines that have something to train. */
const FINE_TUNES: ReadonlySet<string> = new Set(["linear", "openai", "qlora"]);

/** @param trusted in an untrusted workspace nothing runs: what would start a job is left out. */
export function lenses(file: YamlFile, uri: string, trusted: boolean): CodeLens[] {
  const result: CodeLens[] = [];
  const add = (range: Range, title: string, command: string, ...model: string[]) =>
    result.push({ range, command: { title: `▷ ${title}`, command, arguments: [uri, ...model] } });

  const top = placeAt(file, ["version"]) ? markAt(file, ["version"], "key") : startOfFile;
  if (file.value === undefined || file.value === null) return [];
  if (trusted) {
    add(top, "Fine-tune", "clf.fineTune");
    add(top, "Evaluate", "clf.evaluate");
    add(top, "Compare", "clf.compare");
  }
  add(top, "Preview data", "clf.previewData");
  if (!trusted) return result;
  for (const name of namesOf(file, "model")) {
    const range = markAt(file, ["models", name], "key");
    if (FINE_TUNES.has(textAt(file, ["models", name, "engine"]) ?? "")) add(range, "Fine-tune", "clf.fineTune", name);
    add(range, "Evaluate", "clf.evaluate", name);
  }
  return result;
}

const startOfFile: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
