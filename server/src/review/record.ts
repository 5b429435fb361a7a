/** What a person does in review, as lines for the decisions file: decide, undo, redo. Pure: the log writes them. */
import type { Decision, DecisionKind } from "../../../schemas/decisions.ts";
import type { DecisionDraft } from "./decisions.ts";
import { foldDecisions, standingLines, verdictOf } from "./fold.ts";

/** Whose lines, and of which row and target, undo and redo look at. Nothing given: all. */
export interface UndoScope {
  who?: string;
  row?: string;
  target?: string;
}

/**
 * The kind of a decision for a label: `confirmed` if it is the label that was shown, else `corrected`. Shown is the
 * prediction, or, without one or judged blind, the label in the data.
 */
export function kindOfLabel(
  label: string,
  shown: { before: string | null; prediction?: { label: string | null } | undefined; blind?: boolean | undefined },
): DecisionKind {
  const seen = shown.blind || shown.prediction === undefined ? shown.before : shown.prediction.label;
  return label === seen ? "confirmed" : "corrected";
}

/**
 * The draft with `replaces` filled in: the decisions that stand on its row and target, as far as `decisions` tells. Where they
 * disagree, that is one of its reasons.
 * Rows found again under a new id have to be re-attached first.
 */
export function inSightOf(decisions: readonly Decision[], draft: DecisionDraft): DecisionDraft {
  const same = decisions.filter(
    (line) => line.kind === "undone" || (line.row === draft.row && line.target === draft.target),
  );
  const { standing = [], conflict = false } = verdictOf(foldDecisions(same), draft.row, draft.target) ?? {};
  const reasons = conflict ? [...new Set([...draft.reasons, "conflict" as const])] : draft.reasons;
  return { ...draft, reasons, replaces: standing.map(({ id }) => id) };
}

/**
 * Takes back the newest line that stands (a decision or a skip), and with a line of an act on many rows all its other lines that
 * stand. Empty when there is nothing left to undo.
 */
export function undoLastAct(decisions: readonly Decision[], scope: UndoScope = {}): DecisionDraft[] {
  const standing = standingLines(decisions).filter(({ kind }) => kind !== "undone");
  const newest = standing.findLast((line) => inScope(line, scope));
  if (newest === undefined) return [];
  if (newest.act === undefined) return [takeBack(newest)];
  return standing.filter(({ act, who }) => act === newest.act && who === newest.who).map(takeBack);
}

/** Takes back the newest undo, unless something was decided since. Undefined when there is nothing to redo. */
export function redoLast(decisions: readonly Decision[], scope: UndoScope = {}): DecisionDraft | undefined {
  const undos = new Set(decisions.filter(({ kind }) => kind === "undone").map(({ id }) => id));
  for (const line of standingLines(decisions).reverse()) {
    if (!inScope(line, scope)) continue;
    if (line.kind !== "undone") return undefined;
    // A line that takes back an undo is a redo; it is passed over.
    if (!undos.has(line.undoes!)) return takeBack(line);
  }
  return undefined;
}

function takeBack(line: Decision): DecisionDraft {
  const { row, target } = line;
  return { row, target, kind: "undone", before: line.after, after: null, undoes: line.id, reasons: [], inputs: {} };
}

function inScope(line: Decision, scope: UndoScope): boolean {
  return (
    (scope.who === undefined || line.who === scope.who) &&
    (scope.row === undefined || line.row === scope.row) &&
    (scope.target === undefined || line.target === scope.target)
  );
}
