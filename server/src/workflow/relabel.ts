/** Blind re-labelling of random validation rows: how far it has come, and what it says of the certificates (DESIGN §5.4). */
import type { LabelNoiseEstimate } from "../confidence/labelNoise.ts";
import { labelNoiseWords } from "../evaluation/labelNoiseWords.ts";
import { whole } from "../numbers.ts";
import type { JudgedRow, JudgedRows } from "./flagged.ts";
import { noiseBeside, relabelledRows } from "./label-noise.ts";
import type { Session } from "./session.ts";

/** How far re-labelling has come, and its estimate for each accept decision of the review model. */
export interface RelabelState {
  model: string;
  /** The evaluation whose certificates it is about. */
  job: string;
  /** Validation rows that are drawn, of how many; and how many of those somebody has labelled again. */
  drawn: number;
  validation: number;
  judged: number;
  estimates: { targets: string[]; estimate: LabelNoiseEstimate | null }[];
}

export async function relabelState(session: Session, judged: JudgedRows): Promise<RelabelState> {
  const { job, report } = judged.evaluation;
  const relabelled = relabelledRows((await session.decisions.read()).decisions);
  const rows: JudgedRow[] = [];
  let validation = 0;
  for (const known of judged.rows.values()) {
    if (known.row.split !== "validation") continue;
    validation++;
    if (relabelled.has(known.row.row)) rows.push(known);
  }
  return {
    model: judged.model,
    job: job.id,
    drawn: judged.relabel.size,
    validation,
    judged: rows.length,
    estimates: report.models[judged.model]!.accept.map(({ targets }) => ({
      targets,
      estimate: noiseBeside({ targets }, rows, relabelled),
    })),
  };
}

/** The state in sentences. */
export function relabelWords({ drawn, validation, judged, estimates }: RelabelState): string[] {
  if (validation === 0) {
    return ["There are no validation rows, so none can be labelled again. Give `split.validation` a share."];
  }
  return [
    `${whole(drawn)} of ${whole(validation)} validation rows are drawn at random, ${whole(judged)} labelled again. Neither label nor prediction is shown; what you say changes no label and no figure, it tells how wrong the given labels are.`,
    ...estimates.flatMap(({ targets, estimate }) => {
      const words = estimate && labelNoiseWords(estimate, targets.length > 1);
      return words ? [estimates.length > 1 ? `${targets.join(" and ")}: ${words}` : words] : [];
    }),
  ];
}
