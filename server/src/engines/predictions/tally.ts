/** What stands out in a file of predictions, counted while it is read, and said at its end. */
import type { SplitName } from "../../../../schemas/rows.ts";
import { closest, didYouMean } from "../../project/suggest.ts";
import { EngineError } from "../engine.ts";
import { type Answer, CLOSE, type Fault } from "./answer.ts";
import type { TargetColumns } from "./columns.ts";

/** A file of which more than this share is no probability holds none. */
const MOST_UNREADABLE = 0.1;
/** A column of which more than this share is no label holds something else. */
const MOST_OUT_OF_LIST = 0.5;
/** So many predictions that all equal the given labels are no predictions. */
const SUSPICIOUS = 20;
/** Different unknown labels that are counted by name. */
const MOST_NAMES = 1000;

interface First {
  count: number;
  line: number;
  text: string;
}

export interface TargetTally {
  add(answer: Answer, given: string | null, line: number): void;
  /** What to tell a person. @throws EngineError when the columns cannot be what they are taken for */
  finish(): string[];
}

const whole = (n: number): string => n.toLocaleString("en-US");
const many = (n: number, noun: string): string => `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;
const cell = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);

export function targetTally(columns: TargetColumns, file: string): TargetTally {
  const { target } = columns;
  const names = target.labels.map(({ name }) => name);
  const faults = new Map<Fault, First>();
  const outOfList = new Map<string, number>();
  let n = 0;
  let labelled = 0;
  let right = 0;
  let low: First = { count: 0, line: 0, text: "" };
  let overruled: First = { count: 0, line: 0, text: "" };
  let divided = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;

  const counted = (first: First, line: number, text: string): First =>
    first.count === 0 ? { count: 1, line, text } : { ...first, count: first.count + 1 };
  const of = (fault: Fault): number => faults.get(fault)?.count ?? 0;

  function unreadable(): string[] {
    const said: string[] = [];
    const say = (fault: Fault, what: (first: First) => string): void => {
      const first = faults.get(fault);
      if (first) said.push(what(first));
    };
    say("not-a-number", ({ count, line, text }) => `${whole(count)} no number (line ${line}: ${cell(text)})`);
    say("outside", ({ count, line, text }) => `${whole(count)} outside 0 to 1 (line ${line}: ${cell(text)})`);
    say(
      "sum",
      ({ count, line, text }) => `${whole(count)} with a sum over ${CLOSE} away from 1 (line ${line}: ${text})`,
    );
    return said;
  }

  return {
    add(answer, given, line) {
      n++;
      if ("fault" in answer) {
        const first = faults.get(answer.fault);
        faults.set(answer.fault, counted(first ?? { count: 0, line: 0, text: "" }, line, answer.text));
        if (answer.fault === "out-of-list" && (outOfList.size < MOST_NAMES || outOfList.has(answer.text)))
          outOfList.set(answer.text, (outOfList.get(answer.text) ?? 0) + 1);
        return;
      }
      if (given !== null) {
        labelled++;
        if (names[answer.label] === given) right++;
      }
      if (answer.sum !== undefined) {
        divided++;
        least = Math.min(least, answer.sum);
        most = Math.max(most, answer.sum);
      }
      if (answer.overruled) overruled = counted(overruled, line, names[answer.label]!);
      else if (answer.labels.length === 1 && answer.probabilities[0]! < 1 / names.length - 1e-9)
        low = counted(low, line, String(answer.probabilities[0]));
    },

    finish() {
      const said: string[] = [];
      const bad = of("not-a-number") + of("outside") + of("sum");
      const what = columns.vector?.kind === "logits" ? "logits" : "probabilities";
      if (bad > MOST_UNREADABLE * n) {
        const also =
          of("sum") > 0
            ? "Scores that do not sum to 1 may be logits: name them under `logits`."
            : "Percentages have to be divided by 100; an unbounded score is no probability.";
        throw new EngineError(
          `Of ${many(n, "prediction")} of "${target.name}" in ${file} ${whole(bad)} cannot be read as ${what}: ${unreadable().join(", ")}.`,
          `Check which columns hold the ${what} (here: ${columnsOf(columns)}). ${also}`,
        );
      }
      if (bad > 0) {
        said.push(
          `${many(bad, "prediction")} of "${target.name}" cannot be read: ${unreadable().join(", ")}. What cannot be read counts as unparsed and wrong.`,
        );
      }
      const unknown = of("out-of-list");
      if (unknown > 0) {
        const common = [...outOfList].sort((a, b) => b[1] - a[1]).slice(0, 3);
        const shown = common.map(([text, count]) => `${cell(text)} (${whole(count)})`).join(", ");
        const hint = didYouMean(closest(common[0]![0], names));
        const message = `Of ${many(n, "prediction")} of "${target.name}" ${whole(unknown)} name none of its labels: ${shown}.${hint}`;
        const remedy = "List other spellings or codes as aliases of the labels.";
        if (unknown > MOST_OUT_OF_LIST * n) {
          throw new EngineError(
            message,
            `${remedy} Labels: ${names
              .slice(0, 5)
              .map((name) => cell(name))
              .join(", ")}${names.length > 5 ? ", …" : ""}. Read: ${columnsOf(columns)}.`,
          );
        }
        said.push(`${message} They count as out-of-list and wrong. ${remedy}`);
      }
      if (labelled >= SUSPICIOUS && right === labelled) {
        const message = `Every one of ${many(labelled, "prediction")} of "${target.name}" in column "${columns.label ?? columns.vector?.columns[0]?.column}" equals the given label.`;
        if (columns.doubtful) {
          throw new EngineError(
            `${message} That column seems to hold the given labels, not predictions.`,
            `Name the prediction's columns: targets: { ${JSON.stringify(target.name)}: { label: COLUMN, probability: COLUMN } }.`,
          );
        }
        said.push(`${message} Are they predictions?`);
      }
      if (of("failed") > 0)
        said.push(`Empty predictions of "${target.name}": ${whole(of("failed"))}. They count as failed and wrong.`);
      if (divided > 0) {
        said.push(
          `The probabilities of ${many(divided, "prediction")} of "${target.name}" sum to ${range(least, most)}, not to 1: each was divided by its sum.`,
        );
      }
      if (overruled.count > 0) {
        said.push(
          `Another label than the likeliest is named in ${many(overruled.count, "prediction")} of "${target.name}" (first: line ${overruled.line}, "${overruled.text}"): the label named counts, with its own probability.`,
        );
      }
      if (low.count > 0) {
        said.push(
          `Less than an even share of probability is given in ${many(low.count, "prediction")} of "${target.name}" (first: line ${low.line}, ${low.text}). If "${columns.probability}" is the probability of one certain label, write probabilities: { THAT LABEL: "${columns.probability}" }.`,
        );
      }
      if (columns.vector && columns.vector.columns.length < names.length - 1) {
        const known = new Set(columns.vector.columns.map(({ label }) => label));
        const missing = names.filter((_, i) => !known.has(i));
        said.push(
          `${file} has no column for ${many(missing.length, "label")} of "${target.name}": ${missing
            .slice(0, 3)
            .map((name) => cell(name))
            .join(", ")}${missing.length > 3 ? ", …" : ""}. Probability that is left belongs to them.`,
        );
      }
      if (columns.label !== undefined && columns.probability === undefined && columns.vector === undefined) {
        said.push(
          `No column tells a probability of "${target.name}": every prediction gets the same score, so none can be told from another. Name it under targets, if there is one.`,
        );
      }
      return said;
    },
  };
}

function range(least: number, most: number): string {
  const [from, to] = [least.toFixed(3), most.toFixed(3)];
  return from === to ? from : `${from} to ${to}`;
}

function columnsOf({ label, probability, vector }: TargetColumns): string {
  const names = [label, probability, ...(vector?.columns.map(({ column }) => column) ?? [])].filter(
    (name) => name !== undefined,
  );
  return (
    names
      .slice(0, 4)
      .map((name) => `"${name}"`)
      .join(", ") + (names.length > 4 ? ", …" : "")
  );
}

/** Rows that the file says nothing of, by split. */
export function missingRows(
  missing: ReadonlyMap<SplitName, number>,
  rows: ReadonlyMap<SplitName, number>,
  file: string,
): string[] {
  const said: string[] = [];
  for (const [split, count] of missing) {
    if (count === 0) continue;
    const all = rows.get(split)!;
    const use = USES[split];
    if (count === all)
      said.push(`${file} has no prediction of any of the ${many(all, `${split} row`)}${use ? `: ${use}` : ""}.`);
    else
      said.push(
        `${many(all, `${split} row`)}, ${whole(count)} without a prediction in ${file}: what is missing counts as failed and wrong.`,
      );
  }
  return said;
}

const USES: Partial<Record<SplitName, string>> = {
  tune: "nothing can be chosen on them",
  validation: "nothing can be calibrated or certified",
};
