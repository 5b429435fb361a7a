/** Decisions whose row is no longer there under its old id, found again by their inputs. */
import type { Decision } from "../../../schemas/decisions.ts";

/** What re-attachment needs of a row. */
export interface AttachableRow {
  row: string;
  inputs: Record<string, string>;
}

export interface Attached {
  /** All decisions; those that were re-attached name their row's present id. */
  decisions: Decision[];
  /** Present id by old id. */
  reattached: Map<string, string>;
  /** Old ids of rows that were not found again: their decisions have no effect until they are. */
  orphaned: string[];
  /** Rows found by their id whose inputs differ from the ones that were judged: decisions hold, but look again. */
  changed: string[];
}

/** A text as re-attachment compares it: NFKC, lower case, white space collapsed and trimmed. */
export function normaliseText(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();
}

/**
 * Re-attaches decisions to rows. A decision whose row id is there stays. Else the row with equal inputs after
 * normalisation takes it: the first in file order that has no decisions under its own id. Where input columns were
 * added or removed the common ones are compared, and only a single match counts.
 * @param rows all rows of the data, the pool included, in file order; iterated at most twice, and not without decisions.
 *   `inputs` is read only of rows with decisions and, if a row is missing, of those without: a getter may make it.
 */
export function attachDecisions(decisions: readonly Decision[], rows: Iterable<AttachableRow>): Attached {
  if (decisions.length === 0) return { decisions: [], reattached: new Map(), orphaned: [], changed: [] };
  const judged = new Map<string, Record<string, string>>();
  for (const { row, inputs } of decisions) {
    if (!judged.has(row) || Object.keys(inputs).length > 0) judged.set(row, inputs);
  }
  const present = new Set<string>();
  const changed: string[] = [];
  for (const each of rows) {
    const { row } = each;
    const seen = judged.get(row);
    if (seen === undefined) continue;
    present.add(row);
    const { inputs } = each;
    const names = commonNames(seen, inputs);
    if (keyOf(seen, names) !== keyOf(inputs, names)) changed.push(row);
  }

  const missing = [...judged].filter(([row]) => !present.has(row));
  if (missing.length === 0) return { decisions: [...decisions], reattached: new Map(), orphaned: [], changed };

  const candidates = findCandidates(missing, rows, present);
  const reattached = new Map<string, string>();
  const orphaned: string[] = [];
  for (const [old] of missing) {
    const found = candidates.get(old);
    const row = found?.exact.shift() ?? (found?.common.length === 1 ? found.common[0] : undefined);
    if (row === undefined) orphaned.push(old);
    else reattached.set(old, row);
  }
  const moved = decisions.map((decision) => {
    const row = reattached.get(decision.row);
    return row === undefined ? decision : { ...decision, row };
  });
  return { decisions: moved, reattached, orphaned, changed };
}

interface Candidates {
  /** Rows with the same inputs, by name and text. Shared by all old ids of equal inputs, so that each row is taken once. */
  exact: string[];
  /** Rows that agree on the inputs that both have, where the inputs' names differ. */
  common: string[];
}

function findCandidates(
  missing: readonly (readonly [string, Record<string, string>])[],
  rows: Iterable<AttachableRow>,
  taken: ReadonlySet<string>,
): Map<string, Candidates> {
  // Old ids by the names of their inputs: one key per row and set of names.
  const byNames = new Map<string, { names: string[]; byKey: Map<string, Candidates> }>();
  const candidates = new Map<string, Candidates>();
  for (const [old, inputs] of missing) {
    const names = Object.keys(inputs).sort();
    if (names.length === 0) continue;
    const id = JSON.stringify(names);
    let group = byNames.get(id);
    if (group === undefined) byNames.set(id, (group = { names, byKey: new Map() }));
    const key = keyOf(inputs, names);
    let shared = group.byKey.get(key);
    if (shared === undefined) group.byKey.set(key, (shared = { exact: [], common: [] }));
    candidates.set(old, shared);
  }
  // Old ids by the inputs that are still there, made when a row first shows which those are.
  const byCommon = new Map<string, { names: string[]; byKey: Map<string, Candidates[]> }>();
  for (const each of rows) {
    const { row } = each;
    if (taken.has(row)) continue;
    const { inputs } = each;
    for (const [id, { names, byKey }] of byNames) {
      const common = names.filter((name) => name in inputs);
      if (common.length === 0) continue;
      if (common.length === names.length && names.length === Object.keys(inputs).length) {
        byKey.get(keyOf(inputs, names))?.exact.push(row);
        continue;
      }
      const commonId = id + JSON.stringify(common);
      let group = byCommon.get(commonId);
      if (group === undefined) {
        group = { names: common, byKey: new Map() };
        for (const [old, oldInputs] of missing) {
          if (JSON.stringify(Object.keys(oldInputs).sort()) !== id) continue;
          const key = keyOf(oldInputs, common);
          const list = group.byKey.get(key) ?? [];
          list.push(candidates.get(old)!);
          group.byKey.set(key, list);
        }
        byCommon.set(commonId, group);
      }
      for (const found of new Set(group.byKey.get(keyOf(inputs, common)) ?? [])) found.common.push(row);
    }
  }
  return candidates;
}

function commonNames(a: Record<string, string>, b: Record<string, string>): string[] {
  return Object.keys(a)
    .filter((name) => name in b)
    .sort();
}

function keyOf(inputs: Record<string, string>, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => normaliseText(inputs[name] ?? "")));
}
