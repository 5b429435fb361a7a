/** Hover with figures: what the data and the jobs say of the name, column or label under the cursor. */
import { placeAt, rangeOf, type YamlFile } from "../project/yaml.ts";
import type { SampledColumn } from "./data-protocol.ts";
import { age, count, counted, type DataFigures, decimals, type ModelFigures, percent, rowsOf } from "./figures.ts";
import { reviewModel } from "./hints.ts";
import { code, table } from "./markdown.ts";
import { type Meaning, meaningOf, namesOf, sectionOf, targetAt } from "./names.ts";
import type { Spot } from "./places.ts";
import { stepsAt, textAt } from "./places.ts";

export interface HoverInput {
  file: YamlFile;
  data?: DataFigures;
  columns: readonly SampledColumn[];
  models: Record<string, ModelFigures>;
  /** Milliseconds, for ages. */
  now: number;
}

/** Markdown; undefined where there is nothing to say. */
export function figuresAt(input: HoverInput, spot: Spot): string | undefined {
  if (spot.part === "inside") return undefined;
  const meaning = meaningOf(input.file, spot.path, spot.part);
  const text = meaning && describe(input, meaning);
  return text || undefined;
}

function describe(input: HoverInput, meaning: Meaning): string | undefined {
  const { file } = input;
  switch (meaning.is) {
    case "definition":
    case "use":
      return meaning.kind === "model"
        ? ofModel(input, meaning.name)
        : meaning.is === "use"
          ? definition(file, meaning)
          : undefined;
    case "column":
      return ofColumn(input, meaning.name);
    case "label":
      return ofLabel(input, meaning.name, meaning.target);
    case "target": {
      const index = stepsAt(file, ["task", "targets"]).findIndex(
        (step) => targetAt(file, Number(step))?.name === meaning.name,
      );
      const target = index < 0 ? undefined : targetAt(file, index);
      return target && ofColumn(input, target.column);
    }
    case "file":
      return undefined;
  }
}

function ofModel({ file, models, now }: HoverInput, name: string): string | undefined {
  if (!namesOf(file, "model").includes(name)) return undefined;
  const engine = textAt(file, ["models", name, "engine"]);
  const figures = models[name];
  const head = `${code(name)}${engine === undefined ? "" : `, engine ${code(engine)}`}`;
  if (!figures) return `${head}. Not evaluated yet.`;
  const { evaluation } = figures;
  const rows = Object.entries(evaluation.targets).map(([target, metrics]) => [
    code(target),
    decimals(metrics.accuracy),
    metrics.interval.map(decimals).join(" to "),
    count(metrics.n),
  ]);
  const accepted =
    evaluation.coverage === null
      ? "The accept rule cannot be met: every row waits for a person."
      : `${percent(evaluation.coverage)} of test rows may go straight through${evaluation.certified ? "" : " (not certified)"}.`;
  return [
    `${head}. Evaluated ${age(evaluation.time, now)}.`,
    table(["target", "accuracy", "95 % interval", "test rows"], rows),
    accepted,
  ].join("\n\n");
}

/** The lines that define a host or endpoint. */
function definition(file: YamlFile, { kind, name }: Meaning & { is: "use" }): string | undefined {
  const place = placeAt(file, [sectionOf(kind), name]);
  if (!place?.key) {
    if (kind === "host" && name === "local") return `${code("local")}: this machine.`;
    return kind === "endpoint" && name === "openai"
      ? `${code("openai")}: the OpenAI API, with its defaults.`
      : undefined;
  }
  const start = file.lineStarts[rangeOf(file, [place.key[0], place.key[0]]).start.line]!;
  const lines = file.text.slice(start, place.value[1]).trimEnd().split(/\r?\n/).slice(0, 12);
  const indent = Math.min(...lines.map((line) => /^ */.exec(line)![0].length));
  return ["~~~yaml", ...lines.map((line) => line.slice(indent).replaceAll("~~~", "")), "~~~"].join("\n");
}

function ofColumn({ data, columns }: HoverInput, name: string): string | undefined {
  const lines: string[] = [];
  const sampled = columns.find((column) => column.name === name);
  if (sampled && sampled.rows > 0) {
    const values = sampled.distinct === null ? "Many distinct values" : counted(sampled.distinct, "distinct value");
    const empty = sampled.empty > 0 ? `, ${count(sampled.empty)} empty` : "";
    lines.push(`Column ${code(name)}: ${values} in the first ${counted(sampled.rows, "row")}${empty}.`);
  }
  const input = data?.inputs.find(({ column }) => column === name);
  if (input?.median) lines.push(`Texts of ${count(Math.round(input.median))} characters (median).`);
  const target = data?.targets[name];
  if (target) {
    lines.push(`${counted(target.labels.length, "label")}, ${counted(target.labelled, "labelled row")}.`);
    lines.push(
      table(
        ["label", "rows"],
        target.labels.slice(0, 10).map((label) => [code(label.name), count(rowsOf(label))]),
      ),
    );
    if (target.labels.length > 10) lines.push(`and ${count(target.labels.length - 10)} more.`);
  } else if (sampled && sampled.values.length > 0 && sampled.distinct !== null && sampled.distinct < sampled.rows / 2) {
    const shown = sampled.values.slice(0, 5).map(([value, rows]) => `${code(value)} (${count(rows)})`);
    lines.push(`Most frequent: ${shown.join(", ")}.`);
  }
  return lines.join("\n\n");
}

function ofLabel({ file, data, columns, models }: HoverInput, name: string, index: number): string | undefined {
  const target = targetAt(file, index);
  if (!target) return undefined;
  const lines: string[] = [];
  const known = data?.targets[target.column];
  const label = known?.labels.find((each) => each.name === name);
  if (label && rowsOf(label) > 0) {
    const { train, validation, test } = label;
    lines.push(
      `${code(name)}: ${counted(rowsOf(label), "row")}.`,
      table(
        ["split", "rows"],
        [
          ["train", count(train)],
          ["validation", count(validation)],
          ["test", count(test)],
        ],
      ),
    );
  } else if (known) {
    const rows = columns.find((column) => column.name === target.column)?.values.find(([value]) => value === name)?.[1];
    lines.push(
      rows ? `${code(name)}: ${counted(rows, "row")} in the first rows.` : `${code(name)}: no row of the data has it.`,
    );
  }
  const review = reviewModel(file);
  const found = review === undefined ? undefined : models[review]?.labels?.[target.name]?.[name];
  if (review !== undefined && found && found.rows > 0) {
    lines.push(
      `${code(review)} gets ${count(found.right)} of ${counted(found.rows, "test row")} right (${decimals(found.right / found.rows)}).`,
    );
  }
  return lines.join("\n\n");
}
