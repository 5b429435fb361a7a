/** Decision lines for tests. */
import type { Decision } from "../../../schemas/decisions.ts";
import { nextDecisionId } from "../../../server/src/review/decision-id.ts";
import type { DecisionDraft } from "../../../server/src/review/decisions.ts";

export function draft(fields: Partial<DecisionDraft> = {}): DecisionDraft {
  return {
    row: "r1",
    target: "NatureTitle",
    kind: "corrected",
    before: "Burns",
    after: "Fractures",
    reasons: ["below-threshold"],
    split: "train",
    inputs: { narrative: "Employee fell from a ladder" },
    ...fields,
  };
}

let last: string | undefined;

/** A line made after every line made before it. */
export function line(fields: Partial<Decision> = {}): Decision {
  last = nextDecisionId(last, Date.UTC(2026, 10, 21));
  return {
    ...draft(),
    id: last,
    replaces: [],
    blind: false,
    who: "ann",
    when: "2026-11-21T00:00:00.000Z",
    ...fields,
  } as Decision;
}
