/** `clf audit`, `clf relabel`: rows drawn at random and judged blind, and what they say. */
import type { AuditDocument, RelabelDocument } from "../../../schemas/cli.ts";
import type { FlagReason } from "../../../schemas/decisions.ts";
import { auditPower } from "../confidence/audit.ts";
import { reviewQueue } from "../review/queue.ts";
import { auditStates, auditWords } from "../workflow/audit.ts";
import { type JudgedRows, reviewItems } from "../workflow/flagged.ts";
import { relabelState, relabelWords } from "../workflow/relabel.ts";
import type { Session } from "../workflow/session.ts";
import { CliError, cut, EXIT, print, printJson, table } from "./io.ts";
import { firstText, judgedOf } from "./judged.ts";
import { projectPath, soundData, withProject } from "./project.ts";

interface BlindOptions {
  json?: boolean;
  model?: string;
  limit?: number;
}

const LIMIT = 10;

/** The rows that wait to be judged blind, in the order of the draw. */
function blindRows(
  session: Session,
  judged: JudgedRows,
  verdicts: Parameters<typeof reviewQueue>[1],
  reason: FlagReason,
) {
  const { items } = reviewQueue(reviewItems(session, judged), verdicts, {
    order: "file",
    filter: { reasons: [reason] },
  });
  return items.map(({ row, target }) => ({
    row,
    target,
    text: firstText(judged.rows.get(row)!.row.inputs),
  }));
}

function printRows(rows: readonly { row: string; target: string; text: string }[], limit: number): void {
  if (rows.length === 0) return;
  print();
  print(
    table(
      rows.slice(0, limit).map(({ row, target, text }) => [row, target, cut(text)]),
      99,
    ),
  );
  if (rows.length > limit) print(`… and ${rows.length - limit} more (--limit N)`);
}

/** What is drawn, what is judged, whether the promise is kept, and what so many rows could show. */
export async function audit(path: string, options: BlindOptions): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const judged = await judgedOf(session, options);
    const { verdicts } = await soundData(session, locate);
    const states = await auditStates(session, judged);
    if (states.length === 0) {
      const why = judged.evaluation.report.models[judged.model]!.accept[0]?.why ?? "";
      throw new CliError(`"${judged.model}" accepts nothing, so there is nothing to audit. ${why}`);
    }
    const rows = blindRows(session, judged, verdicts, "audit");
    const audits = states.map((state) => {
      const { most } = auditPower(state.risk, Math.min(0.99, 2 * state.risk), { draws: 200, limit: 2000 });
      return { ...state, rows_to_find_double: most };
    });
    if (options.json) {
      const limit = options.limit ?? LIMIT;
      printJson({
        model: judged.model,
        job: judged.evaluation.job.id,
        audits,
        items: rows.slice(0, limit),
      } satisfies AuditDocument);
      return EXIT.fine;
    }
    for (const state of audits) {
      for (const words of auditWords(state, audits.length > 1)) print(words);
      if (state.rows_to_find_double !== null)
        print(
          `Twice the promised risk would be found after ${state.rows_to_find_double} judged rows, in 4 cases of 5.`,
        );
    }
    printRows(rows, options.limit ?? LIMIT);
    if (rows.length > 0) print(`Judge them as they are: clf review ${projectPath(session)} ROW TARGET LABEL`);
    return EXIT.fine;
  });
}

/** Which validation rows wait to be labelled again, and what those labelled so far say of the certificates. */
export async function relabel(path: string, options: BlindOptions): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const judged = await judgedOf(session, options);
    const { verdicts } = await soundData(session, locate);
    const state = await relabelState(session, judged);
    const rows = blindRows(session, judged, verdicts, "relabel");
    if (options.json) {
      printJson({ ...state, items: rows.slice(0, options.limit ?? LIMIT) } satisfies RelabelDocument);
      return EXIT.fine;
    }
    for (const words of relabelWords(state)) print(words);
    printRows(rows, options.limit ?? LIMIT);
    if (rows.length > 0) {
      print(`Without looking at their labels: clf review ${projectPath(session)} ROW TARGET LABEL --blind`);
    }
    return EXIT.fine;
  });
}
