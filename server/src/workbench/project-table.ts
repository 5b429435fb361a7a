/** A project's rows of one file as the preview's table: labels with people's decisions, and what the review model says. */
import { keepPace } from "../dataset/pace.ts";
import { type KnownColumn, rowsOfFile, rowsTable } from "../dataset/preview/rows-table.ts";
import type { Coded, DataTable } from "../dataset/preview/table.ts";
import { indexOf, type Rows, rowId } from "../dataset/rows.ts";
import { decisionOf, type Verdicts, verdictOf } from "../review/fold.ts";
import type { JudgedRows, NothingJudged } from "../workflow/flagged.ts";
import type { Session } from "../workflow/session.ts";
import { targetViews } from "./views.ts";

/** What a row is to the person who looks, by target. */
const STATUS = ["", "accepted", "flagged", "decided", "left out"];

export interface ProjectTableParts {
  session: Session;
  rows: Rows;
  file: number;
  judged: JudgedRows | NothingJudged;
  verdicts: Verdicts;
}

export async function projectTable({ session, rows, file, judged, verdicts }: ProjectTableParts): Promise<DataTable> {
  const pace = keepPace();
  const { from, to } = rowsOfFile(rows, file);
  const count = to - from;
  const labels = rows.targets.map((_, t) => givenLabels(rows, t, from, to));
  const statuses = rows.targets.map((): Coded => ({ codes: new Int32Array(count), values: STATUS }));
  const predicted = rows.targets.map(() => coder(count));
  const confidence = rows.targets.map(() => new Float64Array(count).fill(Number.NaN));

  if (!("why" in judged)) {
    for (let row = 0; row < count; row++) {
      if ((row & 0x3ff) === 0) await pace();
      const known = judged.rows.get(rowId(rows, from + row));
      if (!known) continue;
      for (const view of targetViews(session, judged, known, verdicts, true)) {
        const t = rows.targets.findIndex(({ name }) => name === view.target);
        if (t < 0) continue;
        if (view.reasons.length > 0) statuses[t]!.codes[row] = 2;
        else if (view.accepted) statuses[t]!.codes[row] = 1;
        // Neither in the table nor by its order may be seen what the person is to judge without.
        if (view.blind) continue;
        predicted[t]!.set(row, view.predicted ?? "");
        confidence[t]![row] = view.confidence;
      }
    }
  }
  for (let row = 0; row < count; row++) {
    if (rows.leftOut[from + row] !== 0) for (const { codes } of statuses) codes[row] = 4;
  }
  if (verdicts.size > 0) {
    const index = indexOf(rows);
    for (const [id, byTarget] of verdicts) {
      const row = (index.get(id) ?? -1) - from;
      if (row < 0 || row >= count) continue;
      for (const target of byTarget.keys()) {
        const t = rows.targets.findIndex(({ name }) => name === target);
        const decision = decisionOf(verdictOf(verdicts, id, target));
        if (t < 0 || !decision) continue;
        statuses[t]!.codes[row] = 3;
        labels[t]!.set(row, decision.after ?? "");
      }
    }
  }

  const known: KnownColumn[] = [];
  const several = rows.targets.length > 1;
  for (const [t, { name }] of rows.targets.entries()) {
    const named = (what: string): string => (several ? `${what}: ${name}` : what);
    if (!("why" in judged)) {
      known.push({
        key: `p${t}`,
        name: named("predicted"),
        role: "predicted",
        target: name,
        coded: predicted[t]!.coded,
      });
      known.push({
        key: `f${t}`,
        name: named("confidence"),
        role: "confidence",
        target: name,
        numbers: confidence[t]!,
      });
    }
    known.push({ key: `s${t}`, name: named("status"), role: "status", target: name, coded: statuses[t]! });
  }
  return rowsTable({
    project: session.project,
    rows,
    file,
    labels: labels.map(({ coded }) => coded),
    known,
    pace,
  });
}

interface Coder {
  coded: Coded;
  set(row: number, value: string): void;
}

function coder(count: number): Coder {
  const values = [""];
  const index = new Map([["", 0]]);
  const codes = new Int32Array(count);
  return {
    coded: { codes, values },
    set(row, value) {
      let code = index.get(value);
      if (code === undefined) {
        index.set(value, (code = values.length));
        values.push(value);
      }
      codes[row] = code;
    },
  };
}

/** Labels as they stand in the file. */
function givenLabels(rows: Rows, target: number, from: number, to: number): Coder {
  const made = coder(to - from);
  const names = rows.targets[target]!.labels.map(({ name }) => name);
  for (let row = from; row < to; row++) {
    const code = rows.labels[target]![row]!;
    if (code >= 0) made.set(row - from, names[code]!);
  }
  return made;
}
