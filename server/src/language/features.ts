/** The language features of `.clf.yaml`, from requests to answers. Registers handlers; the work is done in the other modules. */
import {
  CodeActionKind,
  type CodeActionParams,
  type Connection,
  ErrorCodes,
  type HandlerResult,
  type InitializeParams,
  type Position,
  ResponseError,
  type ServerCapabilities,
  TextDocumentSyncKind,
} from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Hover } from "vscode-languageserver-types";
import type { YamlFile } from "../project/yaml.ts";
import { codeActions, FIX_ALL } from "./code-actions.ts";
import { merged, nameCompletions } from "./completion.ts";
import type { DiagnosticBoard } from "./diagnostics.ts";
import type { ProjectFigures } from "./figures.ts";
import { hints } from "./hints.ts";
import { figuresAt } from "./hover.ts";
import { lenses } from "./lenses.ts";
import { plainText } from "./markdown.ts";
import { definition, links, references, renamable, rename } from "./navigation.ts";
import { inFlow, type Spot, spotAt } from "./places.ts";
import type { ProjectDocument, ProjectDocuments } from "./project-documents.ts";
import { SERVICE_LIMIT, type YamlService } from "./yaml-service.ts";

export const capabilities: ServerCapabilities = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: false },
  completionProvider: { triggerCharacters: [" ", "/", "[", "{", ","] },
  hoverProvider: true,
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  selectionRangeProvider: true,
  documentFormattingProvider: true,
  documentLinkProvider: {},
  definitionProvider: true,
  referencesProvider: true,
  renameProvider: { prepareProvider: true },
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, FIX_ALL] },
  // No command is executed by the server: those of the lenses are the client's.
  codeLensProvider: {},
  inlayHintProvider: true,
};

export interface FeatureOptions {
  connection: Connection;
  projects: ProjectDocuments;
  board: DiagnosticBoard;
  yaml: () => Promise<YamlService>;
  figures: ProjectFigures;
  trusted: () => boolean;
  client: () => InitializeParams["capabilities"];
  log: (message: string) => void;
}

/** A file this large or this strange is only checked. */
const TOO_STRANGE = /^(too-large|too-many-nodes|too-many-aliases|too-deep|recursive-alias)$/;

export function registerFeatures(options: FeatureOptions): void {
  const { connection, projects, yaml, figures } = options;

  /** The answer for an open project file; `none` for any other document, and when something fails that never should. */
  async function answer<T>(
    uri: string,
    none: T,
    work: (project: ProjectDocument, file: YamlFile) => Promise<T> | T,
  ): Promise<T> {
    try {
      const project = projects.get(uri);
      const file = projects.file(uri);
      return project && file ? await work(project, file) : none;
    } catch (error) {
      if (error instanceof ResponseError) throw error;
      options.log(`${uri}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return none;
    }
  }

  /** As `answer`, of what yaml-language-server does. */
  function fromYaml<T>(
    uri: string,
    none: T,
    work: (service: YamlService, text: TextDocument) => Promise<T> | T,
  ): Promise<T> {
    return answer(uri, none, async (project, file) =>
      suits(file) ? work(await service(project), project.text) : none,
    );
  }

  /** The library, which takes a while to load, after the first diagnostics. */
  async function service(project: ProjectDocument): Promise<YamlService> {
    await project.ready;
    return yaml();
  }

  const suits = (file: YamlFile) =>
    file.text.length <= SERVICE_LIMIT && !file.problems.some(({ code }) => TOO_STRANGE.test(code));

  const offsetIn = (file: YamlFile, { line, character }: Position) =>
    Math.min((file.lineStarts[line] ?? file.text.length) + character, file.text.length);

  const atCursor = <T>(
    { textDocument, position }: { textDocument: { uri: string }; position: Position },
    none: T,
    work: (file: YamlFile, spot: Spot, project: ProjectDocument) => Promise<T> | T,
  ): Promise<T> =>
    answer(textDocument.uri, none, (project, file) => work(file, spotAt(file, offsetIn(file, position)), project));

  connection.onCompletion((params, token) =>
    answer(params.textDocument.uri, null, async (project, file) => {
      const offset = offsetIn(file, params.position);
      const { onDisk, columns, data } = project;
      const names = await nameCompletions({ file, offset, onDisk, columns, data: data?.figures });
      if (token.isCancellationRequested) return null;
      const schema = suits(file) ? await (await service(project)).complete(project.text, params.position) : undefined;
      return merged(names, schema, inFlow(file, spotAt(file, offset).path));
    }),
  );

  connection.onHover((params) =>
    atCursor<Hover | null>(params, null, async (file, spot, project) => {
      const { columns, data } = project;
      const models = await figures.models(project.path);
      const own = figuresAt({ file, columns, data: data?.figures, models, now: Date.now() }, spot);
      const schema = suits(file) ? await (await service(project)).hover(project.text, params.position) : null;
      const about = markupOf(schema);
      if (!own && !about) return null;
      const value = [own, about].filter(Boolean).join("\n\n---\n\n");
      const markdown = options.client().textDocument?.hover?.contentFormat?.includes("markdown") ?? true;
      const contents = markdown
        ? { kind: "markdown" as const, value }
        : { kind: "plaintext" as const, value: plainText(value) };
      return { contents, ...(schema?.range ? { range: schema.range } : {}) };
    }),
  );

  connection.onDocumentSymbol(({ textDocument: { uri } }) =>
    fromYaml(uri, [], (service, text) => service.symbols(text)),
  );
  connection.onFoldingRanges(({ textDocument: { uri } }) =>
    fromYaml(uri, [], (service, text) =>
      service.folding(text, options.client().textDocument?.foldingRange?.rangeLimit),
    ),
  );
  connection.onSelectionRanges(({ textDocument: { uri }, positions }) =>
    fromYaml(uri, [], (service, text) => service.selections(text, positions)),
  );
  connection.onDocumentFormatting(({ textDocument: { uri }, options: { tabSize } }) =>
    answer(uri, [], async (project, file) =>
      // A file that cannot be read cannot be laid out either.
      suits(file) && file.problems.length === 0 ? (await service(project)).format(project.text, tabSize) : [],
    ),
  );

  connection.onDocumentLinks(({ textDocument: { uri } }) =>
    answer(uri, [], ({ onDisk }, file) => (onDisk ? links(file) : [])),
  );
  connection.onDefinition((params) =>
    atCursor(params, null, async (file, spot, { uri }) => (await definition(file, uri, spot)) ?? null),
  );
  connection.onReferences((params) =>
    atCursor(params, [], (file, spot, { uri }) =>
      references(file, spot, params.context.includeDeclaration).map((range) => ({ uri, range })),
    ),
  );
  connection.onPrepareRename((params) => atCursor(params, null, (file, spot) => renamable(file, spot) ?? null));
  connection.onRenameRequest((params) =>
    atCursor(params, null, (file, spot, { uri }) => {
      const edits = rename(file, spot, params.newName);
      if (typeof edits === "string") throw new ResponseError(ErrorCodes.InvalidParams, edits);
      return { changes: { [uri]: edits } };
    }),
  );

  connection.onCodeAction(({ textDocument: { uri }, range, context }: CodeActionParams) =>
    answer(uri, [], (_, file) =>
      codeActions({
        file,
        uri,
        range,
        diagnostics: context.diagnostics.filter(({ source }) => source === "clf"),
        only: context.only,
        all: options.board.of(uri),
      }),
    ),
  );
  connection.onCodeLens(({ textDocument: { uri } }) =>
    answer(uri, [], (_, file) => lenses(file, uri, options.trusted())),
  );
  connection.languages.inlayHint.on(
    ({ textDocument: { uri }, range }): HandlerResult<ReturnType<typeof hints>, void> =>
      answer(uri, [], async (project, file) => {
        const models = await figures.models(project.path);
        const all = hints({ file, data: project.data?.figures, models, now: Date.now() });
        return all.filter(({ position: { line } }) => line >= range.start.line && line <= range.end.line);
      }),
  );
}

function markupOf(hover: Hover | null | undefined): string {
  const contents = hover?.contents;
  if (!contents) return "";
  if (typeof contents === "string") return contents;
  return "value" in contents ? contents.value.trim() : "";
}
