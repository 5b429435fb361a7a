/** The audit of accepted rows (DESIGN §5.7): which are drawn, what people said of them, and whether the promise is kept. */
import { createHash } from "node:crypto";
import type { Decision } from "../../../schemas/decisions.ts";
import type { Job } from "../../../schemas/job.ts";
import type { AcceptDecision } from "../../../schemas/report.ts";
import { type AuditReport, auditReport } from "../confidence/audit.ts";
import { shortPercent, whole } from "../numbers.ts";
import { drawPosition } from "../review/draws.ts";
import { standingLines } from "../review/fold.ts";
import type { JudgedRows } from "./flagged.ts";
import type { Session } from "./session.ts";

/** The audit of one accept decision: of whole rows, or of one target's answers. */
export interface AuditState {
  model: string;
  /** The evaluation whose accept rule is audited. */
  job: string;
  targets: string[];
  /** What is promised of the accepted, and by what. */
  risk: number;
  promise: "certificate" | "threshold";
  /** Share of accepted rows that is drawn (`confidence.audit`). */
  rate: number;
  /** Rows that the model has predicted without a label, those of them it accepts, and those drawn. */
  rows: number;
  accepted: number;
  drawn: number;
  /** Drawn rows that nobody has judged yet. */
  waiting: number;
  /** Rows judged in all, also those that have joined train since; skips among them count as errors. */
  judged: number;
  skipped: number;
  /** Bounds that hold at every look, and the increase that so many rows can detect. */
  report: AuditReport;
}

/**
 * The name of an audit: everything that decides which rows are accepted. A model evaluated again with the same outcome goes on
 * with the same audit; another artifact or rule has another.
 */
export function auditStream(job: Job, model: string, { targets, rule }: AcceptDecision): string {
  const made = job.models.find(({ name }) => name === model);
  const thresholds =
    rule === null ? null : "parts" in rule ? rule.parts.map(({ threshold }) => threshold) : [rule.threshold];
  const of = [model, made?.artifact?.job ?? made?.source?.sha256 ?? job.id, targets, rule?.by ?? null, thresholds];
  return `audit:${createHash("sha256").update(JSON.stringify(of)).digest("hex").slice(0, 16)}`;
}

/** A row's place in the draw: it is drawn, once accepted, when this is below `confidence.audit`. */
export function auditPlace(session: Session, stream: string, row: string): number {
  return drawPosition(row, { seed: session.project.spec.dataset.split.seed, stream });
}

/** One for each accept decision that has a rule; none when nothing is accepted. */
export async function auditStates(session: Session, judged: JudgedRows): Promise<AuditState[]> {
  const { decisions } = await session.decisions.read();
  const standing = standingLines(decisions);
  return judged.evaluation.report.models[judged.model]!.accept.flatMap((decision) => {
    const state = auditState(session, judged, decision, standing);
    return state ? [state] : [];
  });
}

function auditState(
  session: Session,
  judged: JudgedRows,
  decision: AcceptDecision,
  standing: readonly Decision[],
): AuditState | null {
  const { targets, rule } = decision;
  if (rule === null) return null;
  const stream = auditStream(judged.evaluation.job, judged.model, decision);
  const { units, skipped } = auditOutcomes(standing, stream, targets);
  const counts = { rows: 0, accepted: 0, drawn: 0, waiting: 0 };
  for (const { row, targets: seen } of judged.rows.values()) {
    const of = seen.filter(({ target }) => targets.includes(target));
    if (row.split !== "pool" || of.length === 0) continue;
    counts.rows++;
    if (!of.every(({ accepted }) => accepted)) continue;
    counts.accepted++;
    if (!of.some(({ reasons }) => reasons.includes("audit"))) continue;
    counts.drawn++;
    if (!units.has(row.row)) counts.waiting++;
  }
  const certified = "parts" in rule;
  // A plain threshold promises nothing, but every row that it accepts claims to be wrong no more often than this.
  const risk = certified ? rule.risk : Math.min(0.999, Math.max(0.001, 1 - rule.threshold));
  const rows = [...units.values()].sort((a, b) => (a.last < b.last ? -1 : 1));
  return {
    model: judged.model,
    job: judged.evaluation.job.id,
    targets,
    risk,
    promise: certified ? "certificate" : "threshold",
    rate: session.project.spec.confidence.audit,
    ...counts,
    judged: rows.length,
    skipped,
    report: auditReport(rows, risk),
  };
}

/**
 * Audited rows with an outcome, by row, in no order. A row decided as a whole is right when all its targets are, so it has an
 * outcome once each is judged, or one is wrong.
 */
export function auditOutcomes(standing: readonly Decision[], stream: string, targets: readonly string[]) {
  const byRow = new Map<string, Map<string, Decision>>();
  for (const line of standing) {
    if (line.kind === "undone" || line.draw?.stream !== stream || line.inclusion === undefined) continue;
    const of = byRow.get(line.row) ?? new Map<string, Decision>();
    byRow.set(line.row, of);
    // The first judgement counts: who decides again has usually seen more. A skip is none as soon as there is another.
    const before = of.get(line.target);
    if (before === undefined || before.kind === "skipped") of.set(line.target, line);
  }
  const units = new Map<string, { inclusion: number; wrong: boolean; last: string }>();
  let skipped = 0;
  for (const [row, of] of byRow) {
    const made = [...of.values()];
    const wrong = made.some((line) => line.after === null || line.after !== line.draw!.prediction?.label);
    if (!wrong && made.length < targets.length) continue;
    if (made.some(({ kind }) => kind === "skipped")) skipped++;
    const last = made
      .map(({ id }) => id)
      .sort()
      .at(-1)!;
    units.set(row, { inclusion: made[0]!.inclusion!, wrong, last });
  }
  return { units, skipped };
}

/** The state in sentences, for terminal and panel alike. */
export function auditWords({ targets, risk, promise, rate, ...state }: AuditState, several: boolean): string[] {
  const { accepted, drawn, waiting, judged, skipped, report } = state;
  const of = several ? `${targets.join(" and ")}: ` : "";
  const promised =
    promise === "certificate" ? `at most ${shortPercent(risk)} promised` : `${shortPercent(risk)} by the threshold`;
  const words = [
    `${of}${shortPercent(rate)} of the accepted rows are drawn: ${whole(drawn)} of ${whole(accepted)}. ${whole(judged)} judged, ${whole(waiting)} waiting.`,
  ];
  if (judged === 0) return words;
  const skips = skipped > 0 ? ` (${whole(skipped)} skipped, which count as wrong)` : "";
  words.push(
    `Wrong among the judged: ${whole(report.errors)} of ${whole(judged)}${skips}, ${shortPercent(report.rate!)}; between ${shortPercent(report.low)} and ${shortPercent(report.high)} however often you look (95 %), ${promised}.`,
  );
  if (report.alarm) {
    words.push(
      `The promise is broken: after ${whole(report.alarmAt!)} judged rows more are wrong than promised. Fine-tune and evaluate again; until then review everything, for example with a lower \`confidence.accept.risk\`.`,
    );
  } else if (report.detectable === null) words.push("So few rows could not show any increase yet.");
  else words.push(`So many rows would have shown an increase to ${shortPercent(report.detectable)} wrong.`);
  return words;
}
