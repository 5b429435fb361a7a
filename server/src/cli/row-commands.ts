/** `clf predict`, `clf flagged`, `clf review`, `clf export`. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import * as z from "zod";
import { type Decision, FlagReason } from "../../../schemas/decisions.ts";
import { indexOf, type Rows, rowInputs } from "../dataset/rows.ts";
import { closest, didYouMean } from "../project/suggest.ts";
import { type LabelPair, type ReviewOrder, reviewQueue } from "../review/queue.ts";
import { type Answer, decide, inFrontOf, type JudgedTarget, undo, unknownLabel } from "../workflow/decide.ts";
import { exportPredictions, setCell } from "../workflow/export.ts";
import type { DataExport } from "../workflow/export-data.ts";
import {
  type JudgedRows,
  judgedRows,
  type NothingJudged,
  reviewItems,
  unjudgedConflicts,
} from "../workflow/flagged.ts";
import { predictRows } from "../workflow/predict.ts";
import {
  predictedCells,
  predictedColumns,
  predictTable,
  readFileToPredict,
  writePredictions,
} from "../workflow/predict-file.ts";
import { rowLines, rowsFormat } from "../workflow/rows-file.ts";
import type { Session } from "../workflow/session.ts";
import { withDensity } from "../workflow/similar.ts";
import { CliError, cut, EXIT, percent, print, printable, printJson, table, whole } from "./io.ts";
import { fineTuneMissing, runJob } from "./jobs.ts";
import { firstText, judgedOf } from "./judged.ts";
import { knownModel } from "./model-commands.ts";
import { sayProblems, soundData, withProject } from "./project.ts";

/** A text or the rows of a file at once, the pool or the rows trained on as a job. */
export async function predict(
  path: string,
  file: string | undefined,
  options: {
    json?: boolean;
    model?: string;
    text?: string;
    input?: string[];
    output?: string;
    pool?: boolean;
    outOfFold?: boolean;
    threads?: number;
  },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const model = knownModel(session, options.model ?? session.project.reviewModel);
    const asked = {
      "--text or --input": options.text !== undefined || options.input !== undefined,
      FILE: file !== undefined,
      "--pool": options.pool === true,
      "--out-of-fold": options.outOfFold === true,
    };
    const given = Object.entries(asked).flatMap(([name, is]) => (is ? [name] : []));
    if (given.length > 1) throw new CliError(`Give one of them: ${given.join(" or ")}.`, EXIT.usage);
    if (options.output !== undefined && file === undefined) {
      throw new CliError("--output is for the rows of a FILE. For the project's own rows: clf export", EXIT.usage);
    }
    if (options.text !== undefined || options.input) {
      const inputs = textInputs(session, options.text, options.input);
      const [row] = await predictRows(session, model, [inputs]);
      if (options.json) printJson({ model, targets: row });
      else for (const line of row!) printPrediction(line);
      return EXIT.fine;
    }
    if (file !== undefined) return predictFile(session, model, file, options);
    const data = await soundData(session, locate);
    await fineTuneMissing(session, data, [model]);
    const job = await runJob(session, data, {
      kind: "predict",
      models: [model],
      ...(options.outOfFold ? { outOfFold: true } : { splits: ["pool"] }),
      ...(options.threads ? { threads: options.threads } : {}),
    });
    if (options.json) printJson({ model, job: job.id });
    else
      print(
        `Predicted ${options.outOfFold ? "the rows trained on, out of fold" : "the pool"} (${job.id}). See: clf flagged ${path}`,
      );
    return EXIT.fine;
  });
}

/** The rows of a file beside what the model says of them; on standard output unless a file is named. */
async function predictFile(
  session: Session,
  model: string,
  file: string,
  options: { json?: boolean; output?: string },
): Promise<number> {
  if (!existsSync(file)) throw new CliError(`There is no ${file}.`, EXIT.usage);
  const output = options.output === undefined ? null : resolve(options.output);
  if (output !== null) rowsFormat(output);
  const { table, problems } = await readFileToPredict(session, file);
  sayProblems(problems);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    throw new CliError(`${file} has errors: see above. Nothing was predicted.`, EXIT.problems, { problems: errors });
  }
  if (output !== null) {
    const count = await writePredictions(session, model, table, output);
    if (options.json) printJson({ model, file: resolve(file), output, count, rows: null });
    else print(`Wrote ${whole(count)} predicted rows to ${relative(process.cwd(), output)}.`);
    return EXIT.fine;
  }
  const predictions = predictTable(session, model, table);
  if (options.json) {
    const rows = [];
    for await (const { line, targets } of predictions) {
      rows.push({ line, targets: targets.map(({ words: _, ...target }) => target) });
    }
    printJson({ model, file: resolve(file), output, count: rows.length, rows });
  } else {
    for await (const line of rowLines(predictedColumns(session), predictedCells(predictions), "csv")) {
      // Data as it stands for a program that reads it; nothing that steers the terminal of a person.
      const text = process.stdout.isTTY ? printable(line) : line;
      if (!process.stdout.write(`${text}\n`)) await once(process.stdout, "drain");
    }
  }
  return EXIT.fine;
}

/** `--text` for a project of one input, `--input name=text` for several. */
function textInputs(session: Session, text: string | undefined, given: string[] | undefined): Record<string, string> {
  const names = session.project.inputs.map(({ name }) => name);
  const inputs: Record<string, string> = {};
  if (text !== undefined) inputs[names[0]!] = text;
  for (const pair of given ?? []) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (at < 1 || !names.includes(name)) {
      throw new CliError(`--input is NAME=TEXT with NAME one of: ${names.join(", ")}.`, EXIT.usage);
    }
    inputs[name] = pair.slice(at + 1);
  }
  return inputs;
}

function printPrediction({
  target,
  label,
  confidence,
  top,
  accepted,
  reasons,
  set,
  words,
}: Awaited<ReturnType<typeof predictRows>>[number][number]): void {
  print(
    `${target}: ${label ?? "no answer"} ${confidence === null ? "(not evaluated yet: no confidence)" : percent(confidence)}${accepted === null ? "" : accepted ? " accepted" : ` flagged: ${reasons.join(", ")}`}`,
  );
  print(table(top.slice(0, 5).map(([name, probability]) => [`  ${name}`, percent(probability)])));
  if (set) print(`  among these for ${percent(set.coverage, 0)} of flagged rows: ${setCell(set)}`);
  if (words.length > 0)
    print(
      `  because of: ${words
        .slice(0, 6)
        .map(({ text, weight }) => `${text} (${weight >= 0 ? "+" : ""}${weight.toFixed(2)})`)
        .join(", ")}`,
    );
}

/** The rows that wait for a person. */
export async function flagged(
  path: string,
  options: {
    json?: boolean;
    model?: string;
    target?: string[];
    reason?: string[];
    label?: string[];
    pair?: string[];
    order?: string;
    limit?: number;
  },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const targets = options.target?.map((name) => knownTarget(session.project.targets, name));
    const reasons = options.reason?.map(knownReason);
    const pair = options.pair && labelPair(options.pair);
    const judged = await judgedOf(session, options);
    const { model } = judged;
    const { dataset, verdicts } = await soundData(session, locate);
    const order = (options.order as ReviewOrder | undefined) ?? session.project.spec.review.order;
    const flagged = [...reviewItems(session, judged), ...unjudgedConflicts(dataset.rows, judged, verdicts)];
    const { items, counts } = reviewQueue(
      order === "informative" ? await withDensity(flagged, dataset.rows) : flagged,
      verdicts,
      {
        order,
        filter: { targets, reasons, labels: options.label, pair },
        seed: session.project.spec.dataset.split.seed,
      },
    );
    const textOf = (row: string) => {
      const known = judged.rows.get(row)?.row.inputs;
      return firstText(known ?? rowInputs(session.project, dataset.rows, indexOf(dataset.rows).get(row)!));
    };
    const shown = items.slice(0, options.limit ?? 50);
    if (options.json) {
      printJson({
        model,
        jobs: judged.jobs,
        total: counts.total,
        decided: counts.decided,
        waiting: counts.waiting,
        items: shown.map(({ position: _, draw, density: __, ...item }) => ({
          ...item,
          blind: draw !== undefined,
          text: textOf(item.row),
        })),
      });
      return EXIT.fine;
    }
    if (items.length === 0)
      print(
        counts.total === 0
          ? `Nothing is flagged, by ${model}${options.target || options.reason || options.label || options.pair ? ", that passes these filters" : ""}.`
          : `Nothing waits for a person: all ${whole(counts.total)} flagged targets are decided.`,
      );
    else {
      print(
        `On ${whole(rowsOf(items))} rows ${whole(counts.waiting)} of ${whole(counts.total)} flagged targets wait for a person, by ${model}:`,
      );
      const lines = shown.map((item) => [
        item.row,
        item.target,
        item.draw !== undefined ? "judge unseen" : `${item.label ?? "–"} ${percent(item.confidence, 0)}`,
        item.given === null ? "" : `label now: ${item.given}`,
        item.reasons.join(", "),
        item.conflict.map(({ who, kind, after }) => `${who}: ${after ?? kind}`).join(" / "),
        cut(textOf(item.row)),
      ]);
      print(table(lines, 99));
      if (items.length > shown.length) print(`… and ${whole(items.length - shown.length)} more (--limit N)`);
    }
    return EXIT.fine;
  });
}

function labelPair(given: readonly string[]): LabelPair {
  const [a, b] = [...given].sort();
  if (given.length !== 2 || a === b) throw new CliError("--pair takes two labels: --pair Burns Cuts.", EXIT.usage);
  return [a!, b!];
}

/** The name of a target given by name or column. @throws CliError when there is none */
export function knownTarget(targets: readonly { name: string; column: string }[], given: string): string {
  const found = targets.find(({ name, column }) => name === given || column === given);
  if (found) return found.name;
  throw new CliError(unknownTarget(targets, given), EXIT.usage);
}

function unknownTarget(targets: readonly { name: string }[], given: string): string {
  const names = targets.map(({ name }) => name);
  return `There is no target "${given}".${didYouMean(closest(given, names))} Targets: ${names.join(", ")}.`;
}

function knownReason(given: string): FlagReason {
  const reason = FlagReason.safeParse(given);
  if (reason.success) return reason.data;
  throw new CliError(`"${given}" is no reason. Reasons: ${FlagReason.options.join(", ")}.`, EXIT.usage);
}

const rowsOf = (items: readonly { row: string }[]): number => new Set(items.map(({ row }) => row)).size;

/** One decision to record, from the command line or from a line of a file. */
const Given = z.strictObject({
  row: z.string(),
  target: z.string(),
  label: z.string().optional(),
  kind: z.enum(["confirmed", "none", "skipped"]).optional(),
  note: z.string().max(10_000).optional(),
});
type Given = z.output<typeof Given>;
/** With where it was given: "decisions.jsonl:3: ", or nothing on the command line. */
type Placed = Given & { place: string };

const SAY_WHICH =
  "Say which: clf review PROJECT ROW TARGET LABEL (or --confirm, --none, --skip instead of LABEL). The rows: clf flagged PROJECT";

/** Records decisions, or takes the last one back. */
export async function review(
  path: string,
  row: string | undefined,
  target: string | undefined,
  label: string | undefined,
  options: {
    json?: boolean;
    model?: string;
    confirm?: boolean;
    none?: boolean;
    skip?: boolean;
    undo?: boolean;
    note?: string;
    from?: string;
    blind?: boolean;
  },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    if (options.undo) {
      const lines = await undo(session);
      const [line] = lines;
      if (options.json) printJson({ undone: line ?? null, lines });
      else if (line === undefined) print("There is nothing to undo.");
      else if (lines.length > 1) print(`Took back ${whole(lines.length)} decisions that were made together.`);
      else print(`Took back the decision on ${line.row} · ${line.target}.`);
      return EXIT.fine;
    }
    if (options.from !== undefined && row !== undefined) {
      throw new CliError("Give a ROW or --from FILE, not both.", EXIT.usage);
    }
    const given =
      options.from === undefined ? [givenDecision(row, target, label, options)] : await readGiven(options.from);
    const { dataset } = await soundData(session, locate);
    const judged = await judgedRows(session, knownModel(session, options.model ?? session.project.reviewModel));
    // All are looked at before the first is recorded: a slip in line 40 leaves nothing half done.
    const ready = given.map((each) => decisionOn(session, dataset.rows, judged, each, options.blind === true));
    const decisions: Decision[] = [];
    for (const { on, answer, labels } of ready) decisions.push(await decide(session, on, answer, labels));
    if (options.json) printJson({ decisions });
    else {
      for (const decision of decisions.slice(0, 20)) {
        print(
          `${decision.row} · ${decision.target}: ${decision.kind}${decision.after === null ? "" : ` ${decision.after}`}`,
        );
      }
      if (decisions.length > 20) print(`… ${whole(decisions.length)} decisions in all`);
    }
    return EXIT.fine;
  });
}

function givenDecision(
  row: string | undefined,
  target: string | undefined,
  label: string | undefined,
  options: { confirm?: boolean; none?: boolean; skip?: boolean; note?: string },
): Placed {
  if (row === undefined || target === undefined) throw new CliError(SAY_WHICH, EXIT.usage);
  const kinds = [options.confirm && "confirmed", options.none && "none", options.skip && "skipped"].filter(Boolean);
  if (kinds.length + (label === undefined ? 0 : 1) !== 1) {
    throw new CliError("Give one answer: a LABEL, --confirm, --none or --skip.", EXIT.usage);
  }
  return {
    place: "",
    row,
    target,
    ...(label === undefined ? { kind: kinds[0] as NonNullable<Given["kind"]> } : { label }),
    ...(options.note ? { note: options.note } : {}),
  };
}

/** Lines of `{row, target, label}` or `{row, target, kind}`. */
async function readGiven(file: string): Promise<Placed[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    throw new CliError(`${file} cannot be read.`, EXIT.usage);
  }
  return text.split("\n").flatMap((line, i): Placed[] => {
    if (line.trim() === "") return [];
    const place = `${file}:${i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new CliError(`${place}: this line is not JSON. A line is {"row": …, "target": …, "label": …}.`);
    }
    const parsed = Given.safeParse(value);
    if (!parsed.success || (parsed.data.label === undefined) === (parsed.data.kind === undefined)) {
      throw new CliError(
        `${place}: a line is {"row": …, "target": …, "label": …}, or "kind": "confirmed", "none" or "skipped" instead of a label.`,
      );
    }
    return [{ ...parsed.data, place: `${place}: ` }];
  });
}

function decisionOn(
  session: Session,
  rows: Rows,
  judged: JudgedRows | NothingJudged,
  { row, target, label, kind, note, place }: Placed,
  blind: boolean,
): { on: JudgedTarget; answer: Answer; labels: string[] } {
  // What stands in a file is data; what stands on the command line is usage.
  const refuse = (why: string) => new CliError(`${place}${why}`, place === "" ? EXIT.usage : EXIT.problems);
  const t = rows.targets.findIndex(({ name, column }) => name === target || column === target);
  if (t < 0) throw refuse(unknownTarget(rows.targets, target));
  if (!indexOf(rows).has(row)) throw refuse(`There is no row "${row}" in the data.`);
  const { name } = rows.targets[t]!;
  const labels = rows.targets[t]!.labels.map((each) => each.name);
  const on = inFrontOf(session, rows, judged, { row, target: name, blind })!;
  const confirmed = on.prediction?.label ?? on.given;
  if (kind === "confirmed" && on.blind) {
    throw refuse(
      on.reasons.includes("audit")
        ? `Row ${row} was drawn for the audit: judge it without seeing the prediction, and name the label.`
        : `What was judged blind has nothing to confirm: name the label of ${row}.`,
    );
  }
  if (kind === "confirmed" && confirmed === null) {
    throw refuse(`There is no prediction and no label of ${row} to confirm. Name the label.`);
  }
  if (label !== undefined && !labels.includes(label)) throw refuse(unknownLabel(label, name, labels));
  return {
    on: { ...on, ...(note ? { note } : {}) },
    answer: kind === "skipped" || kind === "none" ? kind : { label: label ?? confirmed! },
    labels,
  };
}

/** Predictions beside the source columns; with `format` the rows and labels alone, for other tools. */
export async function exportRows(
  path: string,
  options: { json?: boolean; model?: string; output: string; format?: DataExport },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const { format } = options;
    if (format !== undefined) {
      if (options.model !== undefined) {
        throw new CliError("--format writes rows and labels, which are no model's: leave --model out.", EXIT.usage);
      }
      const { exportData } = await import("../workflow/export-data.ts");
      const files = await exportData(session, await soundData(session, locate), format, resolve(options.output));
      if (options.json) printJson({ folder: resolve(options.output), format, files });
      else for (const [file, rows] of Object.entries(files)) print(`${file}: ${whole(rows)} rows`);
      return EXIT.fine;
    }
    const judged = await judgedOf(session, options);
    const data = await soundData(session, locate);
    const rows = await exportPredictions(session, data, judged, resolve(options.output));
    if (options.json) printJson({ file: resolve(options.output), rows });
    else print(`Wrote ${whole(rows)} rows to ${relative(process.cwd(), resolve(options.output))}.`);
    return EXIT.fine;
  });
}
