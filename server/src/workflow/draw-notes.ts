/** What the rows that were drawn and judged blind say so far, in sentences: above the list of such rows, and on the terminal. */
import type { FlagReason } from "../../../schemas/decisions.ts";
import { auditStates, auditWords } from "./audit.ts";
import type { JudgedRows } from "./flagged.ts";
import { relabelState, relabelWords } from "./relabel.ts";
import type { Session } from "./session.ts";

/** @param reason of the list that is shown; nothing is said above any other than `audit` and `relabel` */
export async function drawNotes(
  session: Session,
  judged: JudgedRows,
  reason: FlagReason | undefined,
): Promise<string[]> {
  if (reason === "relabel") return relabelWords(await relabelState(session, judged));
  if (reason !== "audit") return [];
  const states = await auditStates(session, judged);
  return states.flatMap((state) => auditWords(state, states.length > 1));
}
