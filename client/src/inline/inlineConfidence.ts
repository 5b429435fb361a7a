/**
 * Inline confidence: hints at the rows of a project's data files, a mark at labels that may be wrong, and their quick
 * fixes. Only lines on screen are asked for; the server finds rows by content, so unsaved edits shift nothing.
 */
import * as vscode from "vscode";
import type { InlineRow } from "../../../schemas/protocol.ts";
import type { Guard } from "../commands/guard.ts";
import { normal } from "../projects/projects.ts";
import type { Server } from "../server/server.ts";
import { decimal, hintLabel, isSuspect } from "./hintLabel.ts";
import { rowTooltip } from "./rowTooltip.ts";

const PATTERN = "**/*.{csv,tsv,tab,jsonl,ndjson}";
const SELECTOR: vscode.DocumentSelector = { scheme: "file", pattern: PATTERN };
/** Lines asked for before and after those on screen: room to scroll into. */
const AROUND = 60;
/** Characters of a request. What does not fit is left out, lines off screen first: rows of megabytes would hold up all others. */
const MOST_TEXT = 4_000_000;
/** VS Code draws this many characters of a line, so that a hint behind them is not seen (`editor.stopRenderingLineAfter`). */
const DRAWN = 10_000;

/**
 * Milliseconds that VS Code waits for hints. It asks as much later as earlier answers took, so that one slow answer (predictions are read at
 * first) would make every scroll wait for half a second: what takes longer is shown when it is there.
 */
const SOON = 100;

/** Characters beyond which a row's end is out of view. */
const LONG_LINE = 140;

/** What is known of a document's rows: valid for one version of its text. */
interface Known {
  version: number;
  project: string;
  /** Lines that were asked for. */
  from: number;
  to: number;
  rows: InlineRow[];
}

/** A request under way. */
interface Asked {
  version: number;
  from: number;
  to: number;
  answer: Promise<Known | undefined>;
  source: vscode.CancellationTokenSource;
}

const covers = (
  of: Pick<Known, "version" | "from" | "to"> | undefined,
  version: number,
  { start, end }: vscode.Range,
) => of !== undefined && of.version === version && of.from <= start.line && of.to >= end.line;

class RowHint extends vscode.InlayHint {
  readonly row: InlineRow;
  readonly project: string;
  constructor(position: vscode.Position, label: string, project: string, row: InlineRow) {
    super(position, label);
    this.project = project;
    this.row = row;
  }
}

/** A suspected label error, as the Problems view has it. */
interface Suspect {
  diagnostic: vscode.Diagnostic;
  project: string;
  row: string;
  target: string;
  given: string;
  predicted: string | null;
}

/** Where hints stand. `auto`: at the row's end, unless rows are so long that nobody would see them there. */
function standsAtStart(document: vscode.TextDocument, range: vscode.Range): boolean {
  const position = vscode.workspace.getConfiguration("clf", document.uri).get<string>("inlineConfidence.position");
  if (position !== "auto") return position === "start";
  const wrap = vscode.workspace.getConfiguration("editor", document).get<string>("wordWrap", "off");
  if (wrap !== "off") return false;
  let long = 0;
  for (let line = range.start.line; line <= range.end.line; line++) {
    if (document.lineAt(line).text.length > LONG_LINE) long++;
  }
  return 2 * long > range.end.line - range.start.line;
}

export function registerInlineConfidence(guard: Guard, server: Server): vscode.Disposable {
  const known = new Map<string, Known>();
  /** At most one request a document; another place or text cancels it. */
  const asked = new Map<string, Asked>();
  /** Files that belong to no project: not asked about again until projects change. */
  const foreign = new Set<string>();
  const suspects = new Map<string, Suspect[]>();
  const problems = vscode.languages.createDiagnosticCollection("clf-labels");
  const changed = new vscode.EventEmitter<void>();

  const enabled = (uri: vscode.Uri) =>
    vscode.workspace.isTrusted && vscode.workspace.getConfiguration("clf", uri).get("inlineConfidence.enabled", true);

  function forget(): void {
    known.clear();
    for (const { source } of asked.values()) source.cancel();
    asked.clear();
    changed.fire();
  }

  /** What is known of the rows there; undefined when it is not known soon: hints are asked for again when it is. */
  async function rowsIn(document: vscode.TextDocument, range: vscode.Range): Promise<Known | undefined> {
    const key = document.uri.toString();
    if (foreign.has(key)) return undefined;
    const found = known.get(key);
    const { version } = document;
    if (covers(found, version, range)) return found;
    let under = asked.get(key);
    if (!under || !covers(under, version, range)) {
      under?.source.cancel();
      const source = new vscode.CancellationTokenSource();
      const from = Math.max(0, range.start.line - AROUND);
      const to = Math.min(document.lineCount - 1, range.end.line + AROUND);
      const answer = ask(document, range, from, to, source.token);
      const own: Asked = { version, from, to, source, answer };
      under = own;
      asked.set(key, own);
      void answer
        .catch(() => undefined)
        .finally(() => {
          source.dispose();
          if (asked.get(key) === own) asked.delete(key);
        });
    }
    let late = false;
    const { answer } = under;
    const soon = new Promise<undefined>((resolve) => {
      setTimeout(() => {
        late = true;
        resolve(undefined);
      }, SOON);
    });
    void answer.then(
      (rows) => {
        if (late && rows) changed.fire();
      },
      () => undefined,
    );
    return Promise.race([answer, soon]);
  }

  async function ask(
    document: vscode.TextDocument,
    range: vscode.Range,
    from: number,
    to: number,
    token: vscode.CancellationToken,
  ): Promise<Known | undefined> {
    const key = document.uri.toString();
    const { version } = document;
    const lines: string[] = new Array(to - from + 1).fill("");
    const header = document.lineAt(0).text.slice(0, MOST_TEXT / 4);
    let room = MOST_TEXT - header.length;
    const take = (line: number) => {
      const { text } = document.lineAt(line);
      if (text.length > room) return;
      lines[line - from] = text;
      room -= text.length;
    };
    for (let line = range.start.line; line <= Math.min(to, range.end.line); line++) take(line);
    for (let line = from; line < range.start.line; line++) take(line);
    for (let line = range.end.line + 1; line <= to; line++) take(line);
    const answer = await server.request(
      "clf/inline/hints",
      { data: key, header, first: from, text: lines.join("\n") },
      { token },
    );
    if (answer === null) {
      foreign.add(key);
      problems.delete(document.uri);
      return undefined;
    }
    // Typed on in the meantime: VS Code asks again.
    if (document.version !== version) return undefined;
    const fresh: Known = { version, project: answer.project, from, to, rows: answer.rows };
    known.set(key, fresh);
    mark(document, fresh);
    return fresh;
  }

  /** Marks suspected label errors of the lines asked for; marks elsewhere stay while the text does. */
  function mark(document: vscode.TextDocument, { version, project, from, to, rows }: Known): void {
    const key = document.uri.toString();
    const kept = (suspects.get(key) ?? []).filter(({ diagnostic }) => {
      const { line } = diagnostic.range.start;
      return markedVersion.get(key) === version && (line < from || line > to);
    });
    markedVersion.set(key, version);
    const found = rows.flatMap((row) =>
      row.targets.filter(isSuspect).map((target): Suspect => {
        const { cell, given, predicted, confidence } = target;
        const place = cell
          ? new vscode.Range(cell.start.line, cell.start.character, cell.end.line, cell.end.character)
          : document.lineAt(Math.min(row.line, document.lineCount - 1)).range;
        const says = predicted === null ? "" : ` The model says “${predicted}” (${decimal(confidence)}).`;
        const message = `“${given}” may be the wrong ${target.target}.${says}`;
        const diagnostic = new vscode.Diagnostic(place, message, vscode.DiagnosticSeverity.Warning);
        diagnostic.source = "clf";
        diagnostic.code = "label-issue";
        return { diagnostic, project, row: row.row, target: target.target, given: given!, predicted };
      }),
    );
    const all = [...kept, ...found];
    suspects.set(key, all);
    problems.set(
      document.uri,
      all.map(({ diagnostic }) => diagnostic),
    );
  }
  const markedVersion = new Map<string, number>();
  let registered: vscode.Disposable | undefined;

  const hints: vscode.InlayHintsProvider<vscode.InlayHint> = {
    onDidChangeInlayHints: changed.event,
    async provideInlayHints(document, range) {
      if (!enabled(document.uri)) return [];
      const found = await rowsIn(document, range);
      if (!found) return [];
      const atStart = standsAtStart(document, range);
      return found.rows.flatMap((row) => {
        const first = atStart || document.lineAt(row.end_line).text.length > DRAWN;
        const line = first ? row.line : row.end_line;
        const label = hintLabel(row);
        if (label === "" || line < range.start.line || line > range.end.line) return [];
        const place = first ? new vscode.Position(line, 0) : document.lineAt(line).range.end;
        const hint = new RowHint(place, label, found.project, row);
        if (first) hint.paddingRight = true;
        else hint.paddingLeft = true;
        return [hint];
      });
    },
    async resolveInlayHint(hint, token) {
      if (hint instanceof RowHint) hint.tooltip = await rowTooltip(server, hint.project, hint.row, token);
      return hint;
    },
  };

  const hovers: vscode.HoverProvider = {
    async provideHover(document, position, token) {
      if (!enabled(document.uri)) return undefined;
      const found = known.get(document.uri.toString());
      if (!found || found.version !== document.version) return undefined;
      for (const row of found.rows) {
        for (const { cell } of row.targets) {
          if (!cell) continue;
          const range = new vscode.Range(cell.start.line, cell.start.character, cell.end.line, cell.end.character);
          if (range.contains(position)) {
            return new vscode.Hover(await rowTooltip(server, found.project, row, token), range);
          }
        }
      }
      return undefined;
    },
  };

  const fixes: vscode.CodeActionProvider = {
    provideCodeActions(document, range) {
      const here = suspects.get(document.uri.toString()) ?? [];
      return here
        .filter(({ diagnostic }) => diagnostic.range.intersection(range) !== undefined)
        .flatMap((suspect) => {
          const { diagnostic, project, row, target, given, predicted } = suspect;
          const fix = (title: string, decision: { kind: string; label?: string }) => {
            const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
            action.diagnostics = [diagnostic];
            action.command = {
              title,
              command: "clf.inline.decide",
              arguments: [{ project, row, target, ...decision }],
            };
            return action;
          };
          return [
            ...(predicted !== null && predicted !== given
              ? [
                  fix(`Change to “${predicted}” (as a decision; the file stays)`, {
                    kind: "corrected",
                    label: predicted,
                  }),
                ]
              : []),
            fix(`“${given}” is right`, { kind: "confirmed", label: given }),
            fix("None of these labels", { kind: "none" }),
            fix("Skip", { kind: "skipped" }),
          ];
        });
    },
  };

  return vscode.Disposable.from(
    problems,
    changed,
    { dispose: () => registered?.dispose() },
    vscode.languages.registerHoverProvider(SELECTOR, hovers),
    vscode.languages.registerCodeActionsProvider(SELECTOR, fixes, {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
    }),
    guard.command("clf.inline.decide", async (decision: Parameters<typeof server.request<"clf/review/decide">>[1]) => {
      await server.request("clf/review/decide", decision);
      forget();
    }),
    server.on("clf/flagged/changed", forget),
    server.on("clf/projects/changed", () => {
      foreign.clear();
      forget();
    }),
    server.onDidStart(() => {
      foreign.clear();
      forget();
      // Not before: while the extension starts, VS Code would wait long for the first hints (see `SOON`).
      registered ??= vscode.languages.registerInlayHintsProvider(SELECTOR, hints);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(forget),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration("clf.inlineConfidence")) return;
      for (const document of vscode.workspace.textDocuments) {
        if (!enabled(document.uri)) problems.delete(document.uri);
      }
      forget();
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      const key = normal(uri.toString());
      known.delete(key);
      suspects.delete(key);
      problems.delete(uri);
    }),
  );
}
