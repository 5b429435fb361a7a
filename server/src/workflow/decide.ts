/** Records what a person said of a row. */
import { randomUUID } from "node:crypto";
import type { Decision, FlagReason } from "../../../schemas/decisions.ts";
import type { SplitName } from "../../../schemas/rows.ts";
import { indexOf, type Rows, rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import { closest } from "../project/suggest.ts";
import type { DecisionDraft } from "../review/decisions.ts";
import { whoDecides } from "../review/identity.ts";
import { inSightOf, kindOfLabel, undoLastAct } from "../review/record.ts";
import { blindDraw, type JudgedRows, type NothingJudged, reasonsToReview } from "./flagged.ts";
import { type Session, WorkflowError } from "./session.ts";

/** What a person said. `label` for confirm and correct alike: which of the two it is follows from what was shown. */
export type Answer = { label: string } | "none" | "skipped";

/** The row and target that was judged, and what the person saw. */
export interface JudgedTarget {
  row: string;
  target: string;
  inputs: Record<string, string>;
  split: SplitName;
  /** The label in the data, null without one. */
  given: string | null;
  reasons: FlagReason[];
  prediction?: NonNullable<Decision["prediction"]>;
  blind?: boolean;
  inclusion?: number;
  draw?: Decision["draw"];
  note?: string;
}

/**
 * What is known of a row and target when a person decides on it: what they saw of it, or what was kept from them. The same for
 * panel, quick fixes and command line.
 * @param judged what the review model says; without it nothing was shown
 * @param blind whether the person saw neither label nor prediction. Rows of the audit are never shown.
 * @returns null when neither the data nor the model knows the row
 */
export function inFrontOf(
  session: Session,
  rows: Rows,
  judged: JudgedRows | NothingJudged,
  { row, target, blind = false }: { row: string; target: string; blind?: boolean },
): JudgedTarget | null {
  const at = indexOf(rows).get(row);
  const known = "why" in judged ? undefined : judged.rows.get(row);
  const t = rows.targets.findIndex(({ name }) => name === target);
  // The data may have changed since the row was predicted: it knows better.
  const state =
    at === undefined
      ? known && { inputs: known.row.inputs, split: known.row.split, given: known.row.labels[target] ?? null }
      : { inputs: rowInputs(session.project, rows, at), split: SPLITS[rows.split[at]!]!, given: rowLabel(rows, t, at) };
  if (state === undefined) return null;
  const on = { row, target, ...state };
  const seen = known?.targets.find((each) => each.target === target);
  if ("why" in judged || known === undefined || seen === undefined) return { ...on, reasons: [], blind };
  const { label, confidence } = seen;
  const prediction = { model: judged.model, job: judged.evaluation.job.id, label, confidence };
  const drawn = blindDraw(session, judged, known, target);
  const reasons = reasonsToReview(known, target, drawn);
  if (drawn === null || (drawn.why === "relabel" && !blind)) {
    return { ...on, reasons: reasons.filter((reason) => reason !== "relabel"), prediction, blind };
  }
  const { stream, inclusion, why } = drawn;
  // Whether the given label is right does not hang on what a model says of the row.
  return { ...on, reasons, blind: true, inclusion, draw: { stream, ...(why === "audit" ? { prediction } : {}) } };
}

/** What to say of a label that the target does not have. */
export function unknownLabel(label: string, target: string, labels: readonly string[]): string {
  const near = closest(label, labels)[0];
  const listed = labels.slice(0, 20).join(", ") + (labels.length > 20 ? ", …" : "");
  return `"${label}" is no label of "${target}". ${near ? `Did you mean "${near}"?` : `Its labels: ${listed}.`}`;
}

/** @throws WorkflowError when the target has no such label; Error when the file cannot be written. Nothing is recorded then. */
export async function decide(
  session: Session,
  judged: JudgedTarget,
  answer: Answer,
  labels: readonly string[],
): Promise<Decision> {
  const [decision] = await record(session, [draftOf(judged, answer, labels)]);
  return decision!;
}

/** Gives several rows the same answer by one act: one write, which one undo takes back. */
export async function decideTogether(
  session: Session,
  judged: readonly JudgedTarget[],
  answer: Answer,
  labels: readonly string[],
): Promise<Decision[]> {
  const act = randomUUID();
  return record(
    session,
    judged.map((each) => ({ ...draftOf(each, answer, labels), act })),
  );
}

function draftOf(judged: JudgedTarget, answer: Answer, labels: readonly string[]): DecisionDraft {
  const { given: before, prediction, blind = false, ...rest } = judged;
  if (typeof answer === "object" && !labels.includes(answer.label)) {
    throw new WorkflowError(unknownLabel(answer.label, judged.target, labels));
  }
  return {
    ...rest,
    kind: typeof answer === "object" ? kindOfLabel(answer.label, { before, prediction, blind }) : answer,
    before,
    after: typeof answer === "object" ? answer.label : null,
    blind,
    ...(prediction && !blind ? { prediction } : {}),
  };
}

async function record(session: Session, drafts: readonly DecisionDraft[]): Promise<Decision[]> {
  const who = await whoDecides(session.project.folder);
  return session.decisions.append(who, (decisions) => drafts.map((draft) => inSightOf(decisions, draft)));
}

/** Takes back this person's newest decision that still stands, or the newest act on several rows. @returns the new lines */
export async function undo(session: Session): Promise<Decision[]> {
  const who = await whoDecides(session.project.folder);
  return session.decisions.append(who, (decisions) => undoLastAct(decisions, { who }));
}
