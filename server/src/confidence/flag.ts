/**
 * Which rows go straight through and which wait for a person, and why (DESIGN §1: accepted / flagged).
 */

import { FlagReason } from "../../../schemas/decisions.ts";
import { type AcceptRows, type AcceptThresholds, acceptedMask } from "./acceptRule.ts";
import type { Role } from "./roles.ts";
import { STATUSES } from "./scoredRows.ts";

/**
 * Why a row waits for a person; position = bit in the mask.
 * `audit` alone does not hold a row back: it is accepted, and reviewed all the same.
 */
const FLAG_REASONS = FlagReason.options;

const bit = (reason: FlagReason): number => 1 << FLAG_REASONS.indexOf(reason);
const AUDIT = bit("audit");

/** What is known of the rows beside the rule. All columns have one entry a row. */
export interface FlagInput {
  /** Scope `target`: one target's decision; scope `row`: the row's. */
  rows: AcceptRows<Role>;
  /** Null when there is no rule in force (nothing certified): every row is flagged. */
  rule: AcceptThresholds | null;
  /** Labels never accepted, by target, as they were given to `acceptRows`. */
  never?: { target: string; labels: readonly string[] }[];
  /** 1 where the given label is probably wrong. */
  labelIssue?: ArrayLike<number>;
  /** 1 where the audit's draw says "review if accepted". */
  auditDraw?: ArrayLike<number>;
}

/** Decisions for all rows. */
export interface Flags {
  /** 1 where the row goes straight through. */
  accepted: Uint8Array;
  /** Bits by the place of the reason in `FlagReason`; 0: nobody needs to look. See {@link reasonsOf}. */
  reasons: Uint16Array;
  acceptedCount: number;
  /** Rows with at least one reason, audited ones included. */
  reviewCount: number;
}

/** Decides every row. A row is accepted when nothing but `audit` speaks against it. */
export function flagRows(input: FlagInput): Flags {
  const { rows, rule } = input;
  const passes = rule ? acceptedMask(rows, rule) : new Uint8Array(rows.n);
  const reasons = new Uint16Array(rows.n);
  const never = rows.sets.map((set, t) => {
    const labels = new Set(
      input.never?.filter((entry) => entry.target === rows.targets[t]).flatMap((entry) => entry.labels),
    );
    return Uint8Array.from(set.rows.labels, (label) => (labels.has(label) ? 1 : 0));
  });
  const statusBit = STATUSES.map((status) => (status === "answered" ? 0 : bit(status)));
  const accepted = new Uint8Array(rows.n);
  let acceptedCount = 0;
  let reviewCount = 0;
  for (let i = 0; i < rows.n; i++) {
    let mask = 0;
    for (let t = 0; t < rows.sets.length; t++) {
      const table = rows.sets[t]!.rows;
      mask |= statusBit[table.status[i]!]!;
      if (table.disagrees[i]!) mask |= bit("disagreement");
      const predicted = table.predicted[i]!;
      if (predicted >= 0 && never[t]![predicted]) mask |= bit("never-label");
    }
    if (input.labelIssue && input.labelIssue[i]! > 0) mask |= bit("label-issue");
    // "Below the threshold" is only said where nothing else already keeps the row from having a score.
    if (!rule) mask |= bit("no-accept-rule");
    else if (!passes[i] && (mask === 0 || rows.score[i]! >= 0)) mask |= bit("below-threshold");
    if (mask === 0) {
      accepted[i] = 1;
      acceptedCount++;
      if (input.auditDraw && input.auditDraw[i]! > 0) mask = AUDIT;
    }
    if (mask !== 0) reviewCount++;
    reasons[i] = mask;
  }
  return { accepted, reasons, acceptedCount, reviewCount };
}

/** The reasons in a mask, in the order of `FlagReason`. */
export function reasonsOf(mask: number): FlagReason[] {
  return FLAG_REASONS.filter((_, i) => (mask & (1 << i)) !== 0);
}
