/** VS Code's own tokenizer over the grammar of `.clf.yaml`. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const syntaxes = join(import.meta.dirname, "..", "..", "..", "syntaxes");

export interface Token {
  text: string;
  /** The innermost scope, without the `.clf-yaml` at its end. */
  scope: string;
}

/** Every line's tokens; white space outside strings and comments is left out. */
export type Tokenize = (text: string) => Token[][];

export async function loadGrammar(): Promise<Tokenize> {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  const { buffer, byteOffset, byteLength } = await readFile(wasm);
  await oniguruma.loadWASM(buffer.slice(byteOffset, byteOffset + byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    // No other grammar: colouring may not depend on VS Code's YAML.
    loadGrammar: async (scope) => {
      if (scope !== "source.clf-yaml") return null;
      const file = join(syntaxes, "clf-yaml.tmLanguage.json");
      return textmate.parseRawGrammar(await readFile(file, "utf8"), file);
    },
  });
  const grammar = (await registry.loadGrammar("source.clf-yaml"))!;
  return (text) => {
    let state = textmate.INITIAL;
    return text.split("\n").map((line) => {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
      state = ruleStack;
      return tokens
        .map(({ startIndex, endIndex, scopes }) => ({
          text: line.slice(startIndex, endIndex),
          scope: scopes.at(-1)!.replace(/\.clf-yaml$/, ""),
        }))
        .filter((token) => token.text.trim());
    });
  };
}
