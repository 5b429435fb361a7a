/**
 * Engine `predictions`: another system's predictions, read from a file, as prediction lines like those of our own models.
 * The file is read record by record and nothing of it is kept.
 */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type * as z from "zod";
import type { PredictionsModel } from "../../../../schemas/project.ts";
import type { SplitName } from "../../../../schemas/rows.ts";
import { fieldText } from "../../dataset/delimited.ts";
import { createDuckDb } from "../../dataset/duckdb.ts";
import { type DataFile, dataFormat } from "../../dataset/files.ts";
import { keepPace } from "../../dataset/pace.ts";
import { listProblems, type ProblemList } from "../../dataset/problems.ts";
import { type ReadOptions, type RecordSink, readColumnNames, readRecords } from "../../dataset/read.ts";
import { type Engine, EngineError, type PredictRun } from "../engine.ts";
import { type Answer, fromLabel, fromLogits, fromProbabilities, overrule, predictionOfAnswer } from "./answer.ts";
import { chooseColumns, describeColumns, listed, requireColumn, type TargetColumns } from "./columns.ts";
import { labelNumbers } from "./labels.ts";
import { inputsKey, matchById, matchByInputs } from "./match.ts";
import { missingRows, targetTally } from "./tally.ts";

const NO_ANSWER: Answer = { fault: "failed", text: "" };

async function predict(run: PredictRun): Promise<void> {
  const { source } = run.model;
  if (!source || run.source === undefined)
    throw new EngineError(`Model "${run.model.name}" has no file of predictions.`);
  const file = await dataFileOf(run.source, source.name);
  const failed = new AbortController();
  const signal = AbortSignal.any([run.signal, failed.signal]);
  const duckdb = createDuckDb({ folder: dirname(run.source), threads: run.threads });
  const options = (problems: ProblemList): ReadOptions => ({
    duckdb,
    problems,
    pace: keepPace(signal),
    signal,
    onProgress: (done, total) =>
      run.emit({ type: "progress", step: `reading ${file.name}`, done, total, unit: "bytes" }),
  });
  try {
    await readPredictions(run, file, options, (error) => failed.abort(error));
  } finally {
    await duckdb.close();
  }
}

async function dataFileOf(path: string, name: string): Promise<DataFile> {
  const known = dataFormat(name);
  if (!known) {
    throw new EngineError(
      `${name} is not a kind of file that can be read.`,
      "Use csv, tsv, jsonl, json or parquet; all but parquet may be gzipped (.gz).",
    );
  }
  const { size } = await stat(path);
  return { path, name, role: "source", ...known, bytes: size };
}

/** @throws EngineError with the first errors */
function requireReadable(problems: ProblemList, file: DataFile): void {
  const errors = problems.finish().filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const said = errors.slice(0, 3).map(({ message, range }) => {
    const place = range ? `line ${range.start.line + 1}: ` : "";
    return `${place}${message}`;
  });
  const more = errors.length > 3 ? ` (and ${errors.length - 3} more)` : "";
  throw new EngineError(`${file.name} cannot be read. ${said.join(" ")}${more}`, "Mend the file and start again.");
}

/** Where the key of a record comes from. */
interface Key {
  columns: string[];
  by: "id" | "inputs";
}

function keyOf(run: PredictRun, names: readonly string[], file: string): Key {
  const { id } = run.model.spec as z.output<typeof PredictionsModel>;
  if (id !== undefined) return { columns: [requireColumn(id, names, file)], by: "id" };
  const usual = run.model.source?.id;
  if (usual !== undefined && names.includes(usual)) return { columns: [usual], by: "id" };
  const inputs = run.job.task.inputs.map(({ column }) => column);
  if (inputs.every((column) => names.includes(column))) return { columns: inputs, by: "inputs" };
  const wanted = [usual, ...inputs].filter((name) => name !== undefined);
  throw new EngineError(
    `The records of ${file} cannot be matched with rows: it has neither the id column nor all inputs (${listed(wanted)}).`,
    `Say which column holds the row id: id: COLUMN. Its columns: ${listed(names)}.`,
  );
}

async function readPredictions(
  run: PredictRun,
  file: DataFile,
  options: (problems: ProblemList) => ReadOptions,
  fail: (error: unknown) => void,
): Promise<void> {
  const headProblems = listProblems();
  const names = await readColumnNames(file, options(headProblems));
  if (names.length === 0) requireReadable(headProblems, file);
  const spec = run.model.spec as z.output<typeof PredictionsModel>;
  const key = keyOf(run, names, file.name);
  const targets = chooseColumns(names, run.job.task.targets, spec.targets, file.name);
  for (const columns of targets) {
    run.emit({ type: "log", level: "info", message: `${columns.target.name}: ${describeColumns(columns)}.` });
  }

  const wanted = new Map<string, number>();
  const place = (column: string): number => {
    if (!wanted.has(column)) wanted.set(column, wanted.size);
    return wanted.get(column)!;
  };
  const keyPlaces = key.columns.map(place);
  const readers = targets.map((columns) => answerReader(columns, place));
  const asked = new Set(run.splits);
  const matcher = key.by === "id" ? matchById(run.rows, asked) : matchByInputs(run.rows, run.job.task.inputs, asked);
  const tallies = targets.map((columns) => targetTally(columns, file.name));
  const predicted = new Uint8Array(run.rows.length);
  /** Of inputs that several rows share: the answers of their first record. */
  const shared = new Map<string, Answer[]>();
  const seen = new Map<SplitName, number>();
  let records = 0;
  let differing = 0;
  const unmatched = { unknown: { count: 0, line: 0 }, repeated: { count: 0, line: 0 } };

  function put(index: number, answers: readonly Answer[]): void {
    const row = run.rows[index]!;
    predicted[index] = 1;
    for (const [t, { target }] of targets.entries()) {
      if (run.done(row.row, target.name)) continue;
      const labels = readers[t]!.labels;
      const labelled = row.labels[target.name] != null;
      run.predicted(
        predictionOfAnswer(answers[t]!, row, { target: target.name, model: run.model.name, labels, labelled }),
      );
    }
  }

  function record(cells: readonly string[], line: number): void {
    records++;
    const texts = keyPlaces.map((at) => cells[at]!);
    const name = key.by === "id" ? texts[0]! : inputsKey(key.columns, texts);
    const found = matcher.take(name);
    if (found.row === null) {
      if (found.why === "not-asked") return;
      const miss = unmatched[found.why];
      if (miss.count++ === 0) miss.line = line;
      return;
    }
    const row = run.rows[found.row]!;
    const answers = readers.map((reader) => reader.read(cells));
    for (const [t, answer] of answers.entries()) {
      tallies[t]!.add(answer, row.labels[targets[t]!.target.name] ?? null, line);
    }
    if (matcher.shared(found.row)) {
      const before = shared.get(name);
      if (!before) shared.set(name, answers);
      else if (!answers.every((answer, t) => alike(answer, before[t]!))) differing++;
    }
    seen.set(row.split, (seen.get(row.split) ?? 0) + 1);
    put(found.row, answers);
  }

  const problems = listProblems();
  await readRecords(
    file,
    [...wanted.keys()].map((column) => ({ name: column, as: "text", optionalInPool: false })),
    recordSink(wanted.size, (cells, line) => {
      try {
        record(cells, line);
      } catch (error) {
        fail(error);
      }
    }),
    options(problems),
  );
  requireReadable(problems, file);

  const messages: string[] = [];
  if ([...seen.values()].every((count) => count === 0)) nothingMatched(run, file.name, key, records, names);
  const rows = new Map<SplitName, number>();
  const missing = new Map<SplitName, number>();
  const pace = keepPace(run.signal);
  for (const [i, row] of run.rows.entries()) {
    if ((i & 0xfff) === 0) await pace();
    if (!asked.has(row.split)) continue;
    rows.set(row.split, (rows.get(row.split) ?? 0) + 1);
    if (predicted[i] === 1) continue;
    const same = matcher.shared(i)
      ? shared.get(
          inputsKey(
            key.columns,
            run.job.task.inputs.map(({ name }) => row.inputs[name] ?? ""),
          ),
        )
      : undefined;
    if (same) {
      put(i, same);
      seen.set(row.split, (seen.get(row.split) ?? 0) + 1);
    } else missing.set(row.split, (missing.get(row.split) ?? 0) + 1);
  }
  const reports = run.job.kind === "evaluate" || run.job.kind === "compare";
  if (reports && rows.has("test") && !seen.has("test")) {
    throw new EngineError(
      `${file.name} has no prediction of any of the ${rows.get("test")!.toLocaleString("en-US")} test rows, so there is nothing to report.`,
      "Let the other system predict the test rows too, or name the file of their predictions as the test data.",
    );
  }
  // A split that the file leaves out altogether was not predicted; a row that it leaves out was not answered.
  for (const [i, row] of run.rows.entries()) {
    if ((i & 0xfff) === 0) await pace();
    if (asked.has(row.split) && predicted[i] === 0 && seen.has(row.split)) {
      put(
        i,
        targets.map(() => NO_ANSWER),
      );
    }
  }
  messages.push(...missingRows(missing, rows, file.name));
  for (const tally of tallies) messages.push(...tally.finish());
  if (unmatched.unknown.count > 0) {
    messages.push(
      `Records of ${file.name} that are of no row of the data: ${unmatched.unknown.count.toLocaleString("en-US")} of ${records.toLocaleString("en-US")} (first: line ${unmatched.unknown.line}).`,
    );
  }
  if (unmatched.repeated.count > 0) {
    messages.push(
      `Records of ${file.name} whose row has its prediction already: ${unmatched.repeated.count.toLocaleString("en-US")} (first: line ${unmatched.repeated.line}). The earlier one counts.`,
    );
  }
  if (differing > 0) {
    messages.push(
      `Rows with equal inputs have different predictions in ${file.name} (records: ${differing.toLocaleString("en-US")}): they were matched in order. With an id column each is sure to find its row.`,
    );
  }
  if (run.outOfFold) {
    messages.push(
      "There are no out-of-fold predictions of another system: without validation rows nothing can be calibrated or certified.",
    );
  }
  for (const message of messages) run.emit({ type: "log", level: "warning", message });
}

function nothingMatched(run: PredictRun, file: string, key: Key, records: number, names: readonly string[]): never {
  if (records === 0) throw new EngineError(`${file} has no records.`, "Let the other system predict the rows first.");
  const example = run.rows.find(({ split }) => run.splits.includes(split))?.row;
  const by =
    key.by === "id"
      ? `by the id column "${key.columns[0]}"${example ? ` (the id of a row: "${example}")` : ""}`
      : `by their inputs (${listed(key.columns)})`;
  throw new EngineError(
    `None of ${records.toLocaleString("en-US")} records of ${file} is of a row that is to be predicted; they were matched ${by}.`,
    `Say which column holds the row id: id: COLUMN. Its columns: ${listed(names)}.`,
  );
}

const SAME = 1e-6;

function alike(a: Answer, b: Answer): boolean {
  if ("fault" in a || "fault" in b) return "fault" in a && "fault" in b && a.fault === b.fault;
  return a.label === b.label && Math.abs(a.probabilities[0]! - b.probabilities[0]!) < SAME;
}

interface AnswerReader {
  labels: string[];
  read(cells: readonly string[]): Answer;
}

function answerReader(columns: TargetColumns, place: (column: string) => number): AnswerReader {
  const numbers = labelNumbers(columns.target);
  const label = columns.label === undefined ? -1 : place(columns.label);
  const probability = columns.probability === undefined ? -1 : place(columns.probability);
  const { vector } = columns;
  const labels = columns.target.labels.map(({ name }) => name);
  if (!vector) {
    return {
      labels,
      read: (cells) => fromLabel(numbers, cells[label]!, probability < 0 ? undefined : cells[probability]!),
    };
  }
  const places = vector.columns.map(({ column }) => place(column));
  const labelOf = vector.columns.map((column) => column.label);
  const own = new Array<string>(places.length);
  return {
    labels,
    read(cells) {
      for (let i = 0; i < places.length; i++) own[i] = cells[places[i]!]!;
      const told = vector.kind === "logits" ? fromLogits(labelOf, own) : fromProbabilities(labelOf, own, labels.length);
      return label < 0 ? told : overrule(told, numbers, cells[label]!);
    },
  };
}

/** Gathers the cells of each record; the list is used again for the next. */
function recordSink(width: number, record: (cells: readonly string[], line: number) => void): RecordSink {
  const cells = new Array<string>(width).fill("");
  let at = 0;
  const sink: RecordSink = {
    count: 0,
    row(start) {
      line = start;
      at = 0;
      sink.count++;
    },
    appendField: (column, fields, field) => sink.appendText(column, fieldText(fields, field)),
    appendText(column, text) {
      cells[column] = text;
      if (++at === width) record(cells, line);
    },
  };
  let line = 0;
  return sink;
}

export const predictionsEngine: Engine = { predict };
