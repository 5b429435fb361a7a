/** Predictions beside the source columns, as csv, tsv or jsonl. */
import type { LabelSet } from "../../../schemas/predictions.ts";
import { rowId, rowInputs, rowLabel, SPLITS } from "../dataset/rows.ts";
import { verdictOf } from "../review/fold.ts";
import type { ProjectData } from "./data.ts";
import type { JudgedRows } from "./flagged.ts";
import { writeRowsFile } from "./rows-file.ts";
import type { Session } from "./session.ts";

/** Row id, split, inputs, then for each target: label in the data, decision, prediction, confidence, accepted, reasons, prediction set. */
function columnsOf(session: Session): string[] {
  const { inputs, targets } = session.project;
  return [
    "row",
    "split",
    ...inputs.map(({ name }) => name),
    ...targets.flatMap(({ name }) =>
      [name, "decided", "predicted", "confidence", "accepted", "why_flagged", "set"].map((part) =>
        part === name ? name : `${name} ${part}`,
      ),
    ),
  ];
}

/**
 * Writes all rows that the model has judged or a person has decided, in the order of the data. Whole or not at all. Returns
 * how many. (A decided row of the pool trains from then on, so the model no longer judges it.)
 */
export async function exportPredictions(
  session: Session,
  data: ProjectData,
  judged: JudgedRows,
  file: string,
): Promise<number> {
  return writeRowsFile(file, columnsOf(session), judgedCells(session, data, judged));
}

/** "Burns | Bruises"; a last "…" stands for labels that are not listed. */
export function setCell({ labels, others }: LabelSet): string {
  return [...labels, ...(others ? ["…"] : [])].join(" | ");
}

function* judgedCells(
  session: Session,
  { dataset: { rows }, verdicts }: ProjectData,
  judged: JudgedRows,
): Generator<string[]> {
  const { targets } = session.project;
  for (let i = 0; i < rows.count; i++) {
    const id = rowId(rows, i);
    const of = judged.rows.get(id);
    const decisions = targets.map(({ name }) => verdictOf(verdicts, id, name)?.current);
    if (!of && !decisions.some(Boolean)) continue;
    const cells = [id, SPLITS[rows.split[i]!]!, ...Object.values(rowInputs(session.project, rows, i))];
    for (const [t, { name }] of targets.entries()) {
      const seen = of?.targets.find(({ target }) => target === name);
      const decision = decisions[t];
      cells.push(
        rowLabel(rows, t, i) ?? "",
        decision ? (decision.after ?? decision.kind) : "",
        seen?.label ?? "",
        seen?.label == null ? "" : seen.confidence.toFixed(4),
        seen ? (seen.accepted ? "yes" : "no") : "",
        seen?.reasons.join(" ") ?? "",
        seen?.set ? setCell(seen.set) : "",
      );
    }
    yield cells;
  }
}
