/** Which columns of another system's file say what: as the project names them, else by the names that people use. */
import type * as z from "zod";
import type { JobTarget } from "../../../../schemas/job.ts";
import type { PredictionsModel } from "../../../../schemas/project.ts";
import { choices, closest, didYouMean } from "../../project/suggest.ts";
import { EngineError } from "../engine.ts";
import { labelNumbers } from "./labels.ts";

/** A column with a number for one label. */
export interface LabelColumn {
  /** Position in the target's labels. */
  label: number;
  column: string;
}

/** How one target is read. At least one of `label` and `vector` is there. */
export interface TargetColumns {
  target: JobTarget;
  /** Column of the predicted label. */
  label?: string;
  /** Column of that label's probability. */
  probability?: string;
  /** A column a label. */
  vector?: { kind: "probabilities" | "logits"; columns: LabelColumn[] };
  /** The label column was taken for its name alone, which given labels have as well. */
  doubtful: boolean;
}

type Targets = NonNullable<z.output<typeof PredictionsModel>["targets"]>;

const LABEL_NAMES = ["prediction", "predicted", "predicted_label", "predicted label", "pred"];
const PROBABILITY_NAMES = ["probability", "confidence", "score"];
const PROBABILITY_PREFIXES = ["p_", "prob_", "proba_", "probability_", "p ", "prob ", "proba ", "probability "];
const LOGIT_PREFIXES = ["logit_", "logits_", "logit ", "logits "];

/** @throws EngineError when a named column is missing, or a target's columns cannot be told */
export function chooseColumns(
  names: readonly string[],
  targets: readonly JobTarget[],
  given: Targets | undefined,
  file: string,
): TargetColumns[] {
  return targets.map((target) => {
    const named = given?.[target.name] ?? given?.[target.column];
    return named
      ? namedColumns(target, named, names, file)
      : usualColumns(target, targets.length === 1, names, file, given !== undefined);
  });
}

/** @throws EngineError unless the file has the column */
export function requireColumn(name: string, names: readonly string[], file: string): string {
  if (names.includes(name)) return name;
  throw new EngineError(
    `${file} has no column "${name}".${didYouMean(closest(name, names))}`,
    `Its columns: ${listed(names)}.`,
  );
}

export function listed(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).map((name) => `"${name}"`);
  return shown.join(", ") + (names.length > most ? `, … (${names.length} in all)` : "");
}

function namedColumns(
  target: JobTarget,
  { label, probability, probabilities, logits }: Targets[string],
  names: readonly string[],
  file: string,
): TargetColumns {
  const columns: TargetColumns = { target, doubtful: false };
  if (label !== undefined) columns.label = requireColumn(label, names, file);
  const kind = probabilities ? "probabilities" : "logits";
  const vector = probabilities ?? logits;
  if (vector) {
    const numberOf = labelNumbers(target);
    const seen = new Map<number, string>();
    const list = Object.entries(vector).map(([name, column]): LabelColumn => {
      const number = numberOf.get(name.trim());
      if (number === undefined) {
        const known = target.labels.map((known) => known.name);
        throw new EngineError(
          `"${name}" under ${kind} is no label of "${target.name}".${didYouMean(closest(name, known)) || choices(known)}`,
          "Correct the name, or list it among the labels of the target.",
        );
      }
      const before = seen.get(number);
      if (before !== undefined) {
        throw new EngineError(
          `"${before}" and "${name}" under ${kind} are the same label of "${target.name}".`,
          "Name one column a label.",
        );
      }
      seen.set(number, name);
      return { label: number, column: requireColumn(column, names, file) };
    });
    columns.vector = { kind, columns: list };
  } else if (probability !== undefined) columns.probability = requireColumn(probability, names, file);
  return columns;
}

function usualColumns(
  target: JobTarget,
  only: boolean,
  names: readonly string[],
  file: string,
  someGiven: boolean,
): TargetColumns {
  const find = finder(names);
  const own = [...new Set([target.name, target.column])];
  /** The ways to call a part of this target: alone when there is one target, and with the target's name. */
  const called = (part: string): string[] => [
    ...(only ? [part] : []),
    ...own.flatMap((name) => [`${name}_${part}`, `${name} ${part}`, `${name}.${part}`, `${part}_${name}`]),
  ];
  const first = (parts: readonly string[]): string | undefined => {
    for (const part of parts)
      for (const name of called(part)) {
        const found = find(name);
        if (found !== undefined) return found;
      }
    return undefined;
  };
  const columns: TargetColumns = { target, doubtful: false };
  const vector = usualVector(target, only, own, find);
  const label = first(LABEL_NAMES);
  if (vector) columns.vector = vector;
  if (label !== undefined) columns.label = label;
  if (!vector && label === undefined) {
    // Given labels have these names too, so they come last and what they hold is looked at.
    const doubtful = [...(only ? ["label"] : []), ...own].map(find).find((name) => name !== undefined);
    if (doubtful === undefined) {
      const example = JSON.stringify(target.name);
      throw new EngineError(
        `No column of ${file} can be told to hold the prediction of "${target.name}".`,
        `Name it in the project file, under the model${someGiven ? "'s targets" : ""}: targets: { ${example}: { label: COLUMN, probability: COLUMN } }. The columns: ${listed(names)}.`,
      );
    }
    columns.label = doubtful;
    columns.doubtful = true;
  }
  if (!vector) {
    const probability = first(PROBABILITY_NAMES);
    if (probability !== undefined) columns.probability = probability;
  }
  return columns;
}

type Find = (name: string) => string | undefined;

/** Looks names up as they stand, then whatever their case. */
function finder(names: readonly string[]): Find {
  const exact = new Set(names);
  const folded = new Map<string, string>();
  for (const name of names) if (!folded.has(name.toLowerCase())) folded.set(name.toLowerCase(), name);
  return (name) => (exact.has(name) ? name : folded.get(name.toLowerCase()));
}

/** The columns of all labels under the first way of naming them that at least half of the labels follow, and two. */
function usualVector(
  target: JobTarget,
  only: boolean,
  own: readonly string[],
  find: Find,
): TargetColumns["vector"] | undefined {
  const names = target.labels.map((label) => label.name);
  const enough = Math.max(2, names.length / 2);
  const kinds = [
    { kind: "probabilities", prefixes: PROBABILITY_PREFIXES },
    { kind: "logits", prefixes: LOGIT_PREFIXES },
  ] as const;
  const owned = own.flatMap((name) => [`${name}_`, `${name} `, `${name}.`, `${name}=`]);
  for (const { kind, prefixes } of kinds) {
    const full = [
      ...(only ? prefixes : []),
      ...owned.flatMap((name) => prefixes.map((prefix) => `${name}${prefix}`)),
      ...prefixes.flatMap((prefix) => owned.map((name) => `${prefix}${name}`)),
      // A label alone, or after the target's name, is taken for a probability.
      ...(kind === "probabilities" ? [...(only ? [""] : []), ...owned] : []),
    ];
    for (const prefix of full) {
      const columns = names.flatMap((name, label): LabelColumn[] => {
        const column = find(`${prefix}${name}`);
        return column === undefined ? [] : [{ label, column }];
      });
      if (columns.length >= enough) return { kind, columns };
    }
    for (const prefix of full) {
      if (prefix === "" || find(`${prefix}${names.length}`) !== undefined) continue;
      const columns = names.flatMap((_, label): LabelColumn[] => {
        const column = find(`${prefix}${label}`);
        return column === undefined ? [] : [{ label, column }];
      });
      if (columns.length === names.length) return { kind, columns };
    }
  }
  return undefined;
}

/** "columns "p_0" … "p_9", a probability a label" */
export function describeColumns({ label, probability, vector }: TargetColumns): string {
  const parts: string[] = [];
  if (label !== undefined) parts.push(`the label in "${label}"`);
  if (probability !== undefined) parts.push(`its probability in "${probability}"`);
  if (vector) {
    const what = vector.kind === "logits" ? "logit" : "probability";
    const [from, to] = [vector.columns[0]!, vector.columns.at(-1)!];
    parts.push(`a ${what} a label in "${from.column}" to "${to.column}" (${vector.columns.length} columns)`);
  }
  return parts.join(", ");
}
