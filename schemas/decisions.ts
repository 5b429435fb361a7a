/** A line of the decisions file (`review.decisions`): append-only, one line a decision, made to merge in git. */
import * as z from "zod";
import { SplitName } from "./rows.ts";

/** Why a row waits for a person. server/src/confidence/flag.ts makes bits of them by their place: new ones go to the end. */
export const FlagReason = z.enum([
  "below-threshold",
  "no-accept-rule",
  "never-label",
  "failed",
  "unparsed",
  "out-of-list",
  "label-issue",
  "disagreement",
  /** Accepted, and reviewed all the same. */
  "audit",
  /** Two people decided differently, neither seeing the other's decision. */
  "conflict",
  /** A random validation row, judged again without seeing its label or the prediction: how wrong the given labels are. */
  "relabel",
]);
export type FlagReason = z.output<typeof FlagReason>;

export const DecisionKind = z.enum(["confirmed", "corrected", "none", "skipped", "undone"]);
export type DecisionKind = z.output<typeof DecisionKind>;

/**
 * A time-ordered unique id: a UUID of version 7 (RFC 9562) in lower case, so that ids sort by time as text. A writer
 * makes its ids greater than every id it has read; whoever saw a decision therefore has the greater id, whatever the clocks say.
 */
export const DecisionId = z
  .string()
  .regex(/^[0-7][0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "a UUID of version 7");

/** A prediction as it stood in front of a person, or was kept from them. */
const Shown = z.object({
  model: z.string(),
  job: z.string(),
  label: z.string().nullable(),
  confidence: z.number().min(0).max(1),
});

/** Unknown fields are ignored when read (a newer version wrote them) and stay in the file, which is never rewritten. */
export const Decision = z
  .object({
    id: DecisionId,
    row: z.string().min(1),
    /** The target's name. */
    target: z.string().min(1),
    /**
     * `confirmed`: the label shown is right. `corrected`: another label is. `none`: none of these labels.
     * `undone`: takes back the line named by `undoes`; to take back an `undone` line is to redo.
     */
    kind: DecisionKind,
    /** The label in the data before; null where the row had none. */
    before: z.string().nullable(),
    /** The label after; null for `none`, `skipped`, `undone`. */
    after: z.string().nullable(),
    undoes: DecisionId.optional(),
    /** The decisions on this row and target that stood when this one was made: what the person knew of. */
    replaces: z.array(DecisionId).default([]),
    /** Why the row was in front of a person. */
    reasons: z.array(FlagReason),
    /** What the person saw, if anything: prediction and confidence of which model and job. */
    prediction: Shown.optional(),
    /** Judged without seeing the prediction; re-labelled rows (reason `relabel`) without seeing the label either. */
    blind: z.boolean().default(false),
    /** Probability with which the row was drawn, when it was drawn at random: from the accepted rows (reason `audit`) or all. */
    inclusion: z.number().gt(0).max(1).optional(),
    /**
     * The draw that put the row in front of the person. Rows of one stream may be taken together: of one audit, say, which is of one
     * artifact and accept rule. `prediction` was kept from the person: an audit asks whether it is right.
     */
    draw: z.object({ stream: z.string().min(1), prediction: Shown.optional() }).optional(),
    /** The row's split when it was judged: decisions on validation or test never change metrics. */
    split: SplitName.optional(),
    /** The inputs by name, so that the decision can be re-attached when they change. */
    inputs: z.record(z.string(), z.string()),
    who: z.string().min(1),
    when: z.iso.datetime(),
    note: z.string().optional(),
    /** The same in all decisions that one person made by one act: they are taken back together. */
    act: z.string().min(1).optional(),
  })
  .superRefine((decision, context) => {
    const labelled = decision.kind === "confirmed" || decision.kind === "corrected";
    if (labelled !== (decision.after !== null)) {
      const message = labelled ? `a ${decision.kind} decision needs a label in \`after\`` : `\`after\` must be null`;
      context.addIssue({ code: "custom", path: ["after"], message });
    }
    if ((decision.kind === "undone") !== (decision.undoes !== undefined)) {
      context.addIssue({ code: "custom", path: ["undoes"], message: "an undone line, and no other, needs `undoes`" });
    }
  });
export type Decision = z.output<typeof Decision>;
