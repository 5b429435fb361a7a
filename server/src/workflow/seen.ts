/**
 * Rows that a fine-tune learned from and that its model would now be asked about as if it had never seen them: a split column
 * or a source was changed, the saved splits were deleted, a decision was undone. Figures on them would look better
 * than the model is (DESIGN §5: in-sample figures are refused).
 */
import { createHash } from "node:crypto";
import type { SplitName } from "../../../schemas/rows.ts";
import { POOL, rowId, rowInputs, SPLITS, TEST, VALIDATION } from "../dataset/rows.ts";
import { trainingDecisions } from "../review/apply.ts";
import { jobRowState, type ProjectData } from "./data.ts";
import { readJobRows } from "./predictions.ts";
import type { Session } from "./session.ts";

export interface SeenRows {
  count: number;
  /** One of them, and where it is now. */
  row: string;
  split: SplitName;
}

/**
 * The validation, test and pool rows that the fine-tune learned from: under the same id, or the same texts, unless rows of
 * those texts are in train still (the data is warned about then). Null when there are none.
 */
export async function seenRows(
  session: Session,
  { dataset: { rows }, verdicts }: ProjectData,
  fineTune: string,
): Promise<SeenRows | null> {
  const { decisions } = trainingDecisions(verdicts, jobRowState(rows), rows.targets);
  const textOf = (i: number) => textKey(rowInputs(session.project, rows, i));
  /** Row id → split, and texts → row id. */
  const unseen = new Map<string, SplitName>();
  const texts = new Map<string, string>();
  const inTrain: number[] = [];
  for (let i = 0; i < rows.count; i++) {
    if (rows.leftOut[i] !== 0) continue;
    const id = rowId(rows, i);
    const split = rows.split[i]!;
    const joins = split === POOL && [...(decisions.get(id)?.values() ?? [])].some(({ label }) => label !== null);
    if (!joins && (split === VALIDATION || split === TEST || split === POOL)) {
      unseen.set(id, SPLITS[split]!);
      texts.set(textOf(i), id);
    } else inTrain.push(i);
  }
  for (const i of inTrain) texts.delete(textOf(i));

  let count = 0;
  let example: Pick<SeenRows, "row" | "split"> | undefined;
  for await (const { row, split, inputs } of readJobRows(session, fineTune)) {
    if (split !== "train" && split !== "tune") continue;
    const found = unseen.has(row) ? row : texts.get(textKey(inputs));
    if (found === undefined) continue;
    count++;
    example ??= { row: found, split: unseen.get(found)! };
  }
  return example ? { count, ...example } : null;
}

/** Equal for equal texts of the same inputs. */
function textKey(inputs: Record<string, string>): string {
  return createHash("sha1").update(JSON.stringify(inputs)).digest("base64");
}
