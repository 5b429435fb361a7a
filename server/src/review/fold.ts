/** From the lines of a decisions file to what holds now. Pure, and blind to the order of the lines. */
import type { Decision } from "../../../schemas/decisions.ts";

/** What people have said of one row and target. */
export interface Verdict {
  row: string;
  target: string;
  /** The decision that holds: the newest that nobody took back or replaced. Undefined when there is none. */
  current: Decision | undefined;
  /**
   * Decisions by several people who did not see each other's, newest first; `current` is the first. With a different
   * outcome among them this is a conflict, which any decision made later in sight of them settles.
   */
  standing: Decision[];
  conflict: boolean;
  /** The newest skip, while the row waits for a decision. */
  skipped: Decision | undefined;
}

/** Every row and target that has a line in the decisions file, by row, then by target. */
export type Verdicts = ReadonlyMap<string, ReadonlyMap<string, Verdict>>;

/** Verdict of one row and target, if anybody said anything of it. */
export function verdictOf(verdicts: Verdicts, row: string, target: string): Verdict | undefined {
  return verdicts.get(row)?.get(target);
}

/** The decision that has an effect: while people disagree none has. */
export function decisionOf(verdict: Verdict | undefined): Decision | undefined {
  return verdict?.conflict ? undefined : verdict?.current;
}

/** Whether somebody has decided, and nobody otherwise. */
export const isDecided = (verdict: Verdict | undefined): boolean => decisionOf(verdict) !== undefined;

/** Whether two decisions say the same of the row: the same label, or both that none fits. */
export function sameOutcome(a: Decision, b: Decision): boolean {
  return a.after === b.after;
}

/**
 * The lines that still stand, oldest first: not taken back, or taken back by a line that was itself taken back.
 * An `undone` line takes back only lines with a smaller id, so that no circle can arise.
 */
export function standingLines(decisions: readonly Decision[]): Decision[] {
  const newestFirst = byId(decisions).reverse();
  const takenBack = new Set<string>();
  const standing: Decision[] = [];
  for (const decision of newestFirst) {
    if (takenBack.has(decision.id)) continue;
    standing.push(decision);
    if (decision.undoes !== undefined && decision.undoes < decision.id) takenBack.add(decision.undoes);
  }
  return standing.reverse();
}

/**
 * Folds the lines of a decisions file, in any order, into what holds for each row and target.
 *
 * A decision is replaced by one that names it in `replaces`, directly or through others, and by a later one of the same
 * person. Skips replace nothing.
 */
export function foldDecisions(decisions: readonly Decision[]): Verdicts {
  const lines = new Map(decisions.map((decision) => [decision.id, decision]));
  const groups = new Map<string, Map<string, Decision[]>>();
  for (const decision of standingLines(decisions)) {
    if (decision.kind === "undone") continue;
    let targets = groups.get(decision.row);
    if (targets === undefined) groups.set(decision.row, (targets = new Map()));
    const group = targets.get(decision.target);
    if (group === undefined) targets.set(decision.target, [decision]);
    else group.push(decision);
  }
  const verdicts = new Map<string, Map<string, Verdict>>();
  for (const [row, targets] of groups) {
    const folded = new Map<string, Verdict>();
    for (const [target, group] of targets) folded.set(target, foldGroup(row, target, group, lines));
    verdicts.set(row, folded);
  }
  return verdicts;
}

function foldGroup(
  row: string,
  target: string,
  group: readonly Decision[],
  lines: ReadonlyMap<string, Decision>,
): Verdict {
  const replaced = new Set<string>();
  const people = new Set<string>();
  const standing: Decision[] = [];
  for (const decision of [...group].reverse()) {
    if (decision.kind === "skipped") continue;
    // Newest first: whatever could replace this decision has been looked at.
    if (!replaced.has(decision.id) && !people.has(decision.who)) standing.push(decision);
    people.add(decision.who);
    markReplaced(decision, lines, replaced);
  }
  const current = standing[0];
  const newestSkip = group.findLast(({ kind }) => kind === "skipped");
  const conflict = standing.some((decision) => !sameOutcome(decision, current!));
  const waits = current === undefined || conflict;
  return { row, target, current, standing, conflict, skipped: waits ? newestSkip : undefined };
}

/** Marks all that `decision` replaces; the chain also runs through decisions that were taken back. */
function markReplaced(decision: Decision, lines: ReadonlyMap<string, Decision>, replaced: Set<string>): void {
  const waiting = [decision];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const id of next.replaces) {
      const older = lines.get(id);
      if (id >= next.id || older === undefined || replaced.has(id)) continue;
      replaced.add(id);
      waiting.push(older);
    }
  }
}

function byId(decisions: readonly Decision[]): Decision[] {
  return [...decisions].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
