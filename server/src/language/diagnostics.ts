/** Problems as diagnostics: of the project file, and of the files it names. */
import { type Diagnostic, DiagnosticSeverity, type Range } from "vscode-languageserver-types";
import type { Problem } from "../../../schemas/problem.ts";

/** Diagnostics shown of one file, and files that one project may put diagnostics on. */
export const MOST_DIAGNOSTICS = 200;
export const MOST_FILES = 50;

/** What code actions need to know of a diagnostic; it travels with it. */
export interface DiagnosticData {
  suggestions?: string[];
}

const severities = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
} as const;

const start: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

export function diagnosticOf(problem: Problem, range: Range | undefined = problem.range): Diagnostic {
  const diagnostic: Diagnostic = {
    range: range ?? start,
    severity: severities[problem.severity],
    code: problem.code,
    source: "clf",
    message: problem.message,
  };
  if (problem.suggestions?.length) diagnostic.data = { suggestions: problem.suggestions } satisfies DiagnosticData;
  return diagnostic;
}

/**
 * What each project says of each file, sent to the client as the union for each file. Two projects may name one data file;
 * a problem that both have stands once.
 */
export function createDiagnosticBoard(send: (uri: string, diagnostics: Diagnostic[], version?: number) => void) {
  /** File → project → its diagnostics. */
  const files = new Map<string, Map<string, Diagnostic[]>>();

  function put(owner: string, uri: string, diagnostics: Diagnostic[], version?: number): void {
    const ofFile = files.get(uri) ?? new Map<string, Diagnostic[]>();
    const before = ofFile.get(owner);
    if (diagnostics.length === 0 && before === undefined && owner !== uri) return;
    if (owner !== uri && before && JSON.stringify(before) === JSON.stringify(diagnostics)) return;
    if (diagnostics.length > 0) ofFile.set(owner, diagnostics);
    else ofFile.delete(owner);
    if (ofFile.size > 0) files.set(uri, ofFile);
    else files.delete(uri);
    const seen = new Set<string>();
    const union: Diagnostic[] = [];
    for (const diagnostic of [...ofFile.values()].flat()) {
      const { line, character } = diagnostic.range.start;
      const key = `${line}:${character}:${diagnostic.message}`;
      if (seen.has(key) || union.length >= MOST_DIAGNOSTICS) continue;
      seen.add(key);
      union.push(diagnostic);
    }
    send(uri, union, version);
  }

  return {
    /** Everything that a project says now: what it said of other files before is taken back. Its own file comes first. */
    publish(project: string, own: Diagnostic[], version: number | undefined, others: Map<string, Diagnostic[]>): void {
      put(project, project, own, version);
      const kept = new Map([...others].slice(0, MOST_FILES));
      for (const [uri, owners] of [...files]) {
        if (uri !== project && owners.has(project) && !kept.has(uri)) put(project, uri, []);
      }
      for (const [uri, diagnostics] of kept) put(project, uri, diagnostics);
    },
    /** What stands at a file now. */
    of(uri: string): Diagnostic[] {
      return [...(files.get(uri)?.values() ?? [])].flat();
    },
    clear(project: string): void {
      for (const uri of [...files.keys()]) if (files.get(uri)!.has(project)) put(project, uri, []);
    },
  };
}
export type DiagnosticBoard = ReturnType<typeof createDiagnosticBoard>;
