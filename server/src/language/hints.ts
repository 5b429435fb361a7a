/** Inlay hints of the project file: what its data and models come to, behind the lines that name them (DESIGN §9). */
import type { InlayHint } from "vscode-languageserver-types";
import { type Path, placeAt, rangeOf, type YamlFile } from "../project/yaml.ts";
import { age, count, counted, type DataFigures, decimals, type ModelFigures, percent, rowsOf } from "./figures.ts";
import { code, table } from "./markdown.ts";
import { namesOf, targetAt } from "./names.ts";
import { stepsAt, textAt } from "./places.ts";

/** VS Code cuts longer labels. */
export const LABEL_LIMIT = 43;

export interface HintInput {
  file: YamlFile;
  data?: DataFigures;
  models: Record<string, ModelFigures>;
  /** Milliseconds, for ages. */
  now: number;
}

export function hints(input: HintInput): InlayHint[] {
  return [...sourceHint(input), ...targetHints(input), ...modelHints(input)];
}

function* sourceHint({ file, data }: HintInput): Generator<InlayHint> {
  if (!data) return;
  const { train, validation, test } = data.splits;
  const parts = [`${count(data.rows)} rows`, [train, validation, test].map(count).join("/")];
  if (data.duplicates > 0) parts.push(counted(data.duplicates, "duplicate"));
  const lines = [
    `${counted(data.rows, "labelled row")}: ${count(train)} train, ${count(validation)} validation, ${count(test)} test.`,
  ];
  if (data.pool > 0) lines.push(`${counted(data.pool, "row")} in the pool.`);
  if (data.duplicates > 0) lines.push(`${counted(data.duplicates, "row")} with a text that another row has too.`);
  yield* hintAt(file, ["dataset", "source"], parts, lines.join("\n\n"));
}

function* targetHints({ file, data, models }: HintInput): Generator<InlayHint> {
  const review = reviewModel(file);
  const figures = review === undefined ? undefined : models[review];
  for (const index of stepsAt(file, ["task", "targets"])) {
    const target = typeof index === "number" ? targetAt(file, index) : undefined;
    if (!target) continue;
    const parts: string[] = [];
    const lines: string[] = [];
    const labels = data?.targets[target.column]?.labels;
    if (labels) {
      parts.push(counted(labels.length, "label"));
      const shown = labels.slice(0, 12).map((label) => [code(label.name), count(rowsOf(label))]);
      lines.push(table(["label", "rows"], shown));
      if (labels.length > 12) lines.push(`and ${count(labels.length - 12)} more.`);
    }
    const metrics = figures?.evaluation.targets[target.name];
    if (figures && metrics) {
      parts.push(accuracyOf(metrics));
      lines.push(
        `${code(review!)}: accuracy ${decimals(metrics.accuracy)} (${metrics.interval.map(decimals).join(" to ")}) on ${counted(metrics.n, "test row")}.`,
      );
      const coverage = figures.evaluation.coverage;
      if (coverage !== null) {
        parts.push(`${percent(coverage)} accepted`);
        lines.push(
          `${percent(coverage)} of test rows may go straight through${figures.evaluation.certified ? "" : " (not certified)"}.`,
        );
      }
    }
    yield* hintAt(file, ["task", "targets", index, "column"], parts, lines.join("\n\n"));
  }
}

function* modelHints({ file, models, now }: HintInput): Generator<InlayHint> {
  for (const name of namesOf(file, "model")) {
    const evaluation = models[name]?.evaluation;
    if (!evaluation) continue;
    const targets = Object.entries(evaluation.targets);
    const only = targets.length === 1 ? targets[0]![1] : undefined;
    const accuracy = only ? `acc ${decimals(only.accuracy)}` : `all right ${decimals(evaluation.joint_accuracy)}`;
    const rows = targets.map(([target, { accuracy, interval, n }]) => [
      code(target),
      decimals(accuracy),
      interval.map(decimals).join(" to "),
      count(n),
    ]);
    const lines = [`Evaluated ${evaluation.time} (job ${code(evaluation.job)}).`];
    if (rows.length > 0) lines.push(table(["target", "accuracy", "95 % interval", "test rows"], rows));
    if (targets.length > 1) lines.push(`All targets right: ${decimals(evaluation.joint_accuracy)}.`);
    yield* hintAt(file, ["models", name], [accuracy, age(evaluation.time, now)], lines.join("\n\n"), "key");
  }
}

/** The model behind Flagged: `review.model`, else the first. */
export function reviewModel(file: YamlFile): string | undefined {
  return textAt(file, ["review", "model"]) ?? namesOf(file, "model")[0];
}

/** `acc 0.83 ±0.02`. */
function accuracyOf({ accuracy, interval }: { accuracy: number; interval: readonly [number, number] }): string {
  return `acc ${decimals(accuracy)} ±${decimals((interval[1] - interval[0]) / 2)}`;
}

/** A hint at the end of the line on which the value at `path` (or its key) begins; none without parts. */
function* hintAt(
  file: YamlFile,
  path: Path,
  parts: string[],
  tooltip: string,
  at: "key" | "value" = "value",
): Generator<InlayHint> {
  const place = placeAt(file, path);
  const span = at === "key" ? place?.key : (place?.key ?? place?.value);
  const shown = parts.filter((part) => part !== "");
  if (!span || shown.length === 0) return;
  // What does not fit goes: the tooltip has it.
  while (shown.length > 1 && shown.join(" · ").length > LABEL_LIMIT) shown.pop();
  const { line } = rangeOf(file, span).start;
  const start = file.lineStarts[line]!;
  const text = file.text.slice(start, file.lineStarts[line + 1] ?? file.text.length);
  yield {
    position: { line, character: text.replace(/[\r\n]+$/, "").length },
    label: shown.join(" · ").slice(0, LABEL_LIMIT),
    tooltip: tooltip ? { kind: "markdown", value: tooltip } : undefined,
    paddingLeft: true,
  };
}
