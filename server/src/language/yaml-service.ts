/**
 * yaml-language-server as a library: completion, hover, symbols, folding and formatting from the project's JSON Schema.
 * Loading it costs a few hundred milliseconds, so that it is loaded when first asked for. It is given no network and no
 * file: a schema named by the document (`# yaml-language-server: $schema=…`) is refused.
 */
import type { ClientCapabilities } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type {
  CompletionList,
  DocumentSymbol,
  FoldingRange,
  Hover,
  Position,
  SelectionRange,
  TextEdit,
} from "vscode-languageserver-types";
import { editorSchema } from "./editor-schema.ts";

/** Files longer than this (UTF-16 units) get diagnostics only: the library would hold the server's thread for seconds. */
export const SERVICE_LIMIT = 1024 * 1024;

export interface YamlService {
  complete(document: TextDocument, position: Position): Promise<CompletionList>;
  hover(document: TextDocument, position: Position): Promise<Hover | null>;
  symbols(document: TextDocument): Promise<DocumentSymbol[]>;
  folding(document: TextDocument, rangeLimit?: number): Promise<FoldingRange[]>;
  selections(document: TextDocument, positions: Position[]): Promise<SelectionRange[]>;
  /** Edits that lay the file out evenly. */
  format(document: TextDocument, tabWidth: number): Promise<TextEdit[]>;
}

export interface LazyYamlService {
  (): Promise<YamlService>;
  /** Frees what the library holds of a closed file. */
  forget(uri: string): void;
}

/** Documents of which the library has a version of its own. */
const copies = new WeakMap<TextDocument, TextDocument>();
let version = 0;

/**
 * The library keeps what it read by URI and version, and a file that is closed and opened again may begin at the same
 * version with another text: it is given versions that are never used twice.
 */
function numbered(document: TextDocument): TextDocument {
  const known = copies.get(document);
  if (known?.getText() === document.getText()) return known;
  const copy = TextDocument.create(document.uri, "yaml", ++version, document.getText());
  copies.set(document, copy);
  return copy;
}

/** The service, loaded at the first call. */
export function lazyYamlService(
  capabilities: () => ClientCapabilities,
  log: (message: string) => void,
): LazyYamlService {
  let loading: Promise<YamlService> | undefined;
  const load = () => {
    loading ??= loadYamlService(capabilities(), log);
    return loading;
  };
  return Object.assign(load, {
    // The library keeps the last text of every file it ever saw, and has no other way to let go of it.
    forget: (uri: string) => void loading?.then((service) => service.symbols(TextDocument.create(uri, "yaml", 0, ""))),
  });
}

async function loadYamlService(
  clientCapabilities: ClientCapabilities,
  log: (message: string) => void,
): Promise<YamlService> {
  const { getLanguageService } = await import("./yaml-library.ts");
  const service = getLanguageService({
    schemaRequestService: () => Promise.reject(new Error("Project files have one schema: no other is fetched.")),
    workspaceContext: { resolveRelativePath: (path) => path },
    clientCapabilities: clientCapabilities as never,
  });
  service.configure({
    completion: true,
    hover: true,
    validate: false,
    format: true,
    hoverSchemaSource: false,
    yamlVersion: "1.2",
    schemas: [{ uri: "clf:project.schema.json", fileMatch: ["*"], schema: editorSchema() }],
  });
  const logged = new Set<string>();
  /** The library throws at some unfinished files (a mapping with an empty key): it has nothing to say then. */
  async function attempt<T>(nothing: T, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!logged.has(message)) log(`yaml-language-server: ${message}`);
      logged.add(message);
      return nothing;
    }
  }
  return {
    complete: (document, position) =>
      attempt({ isIncomplete: false, items: [] }, () => service.doComplete(numbered(document), position, false)),
    hover: (document, position) => attempt(null, () => service.doHover(numbered(document), position)),
    symbols: (document) => attempt([], () => service.findDocumentSymbols2(numbered(document), {})),
    folding: (document, rangeLimit) =>
      attempt([], () => service.getFoldingRanges(numbered(document), { rangeLimit }) ?? []),
    selections: (document, positions) => attempt([], () => service.getSelectionRanges(numbered(document), positions)),
    // Its type leaves out Prettier's `tabWidth`, which its own server passes.
    format: (document, tabWidth) =>
      attempt([], () => service.doFormat(numbered(document), { printWidth: 120, tabWidth } as object)),
  };
}
