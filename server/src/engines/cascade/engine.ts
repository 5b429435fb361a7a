/**
 * Engine `cascade`: the first stage takes the rows it is surest of, the next sees only the rest, the last takes what is left.
 *
 * A stage's scores mean something of their own, so each stage is brought to one scale first: Platt scaling of its row score,
 * fitted on the tune rows it saw. A stage takes a row when that confidence is at least `take`: each row that it takes could be accepted by
 * itself. What comes out is one model: one label and one score a row and target, from the stage that decided. Calibration and the
 * certificate are made of those, on validation rows, as of any model: there is one promise over the whole, and no stage needs one of
 * its own (DESIGN §5.3). Everything that is chosen here is chosen on tune.
 *
 * With `agree` no stage takes anything: all see every row, the last decides, and where another stage gives another label the
 * prediction says that models disagree. The certificate is made without those rows, and none of them is accepted.
 */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type * as z from "zod";
import type { JobModel } from "../../../../schemas/job.ts";
import { Prediction } from "../../../../schemas/predictions.ts";
import type { CascadeModel } from "../../../../schemas/project.ts";
import type { JobRow } from "../../../../schemas/rows.ts";
import { applyPlatt, fitPlatt, type PlattParameters } from "../../confidence/platt.ts";
import { type Engine, EngineError, type PredictRun } from "../engine.ts";
import { rescaled, rounded } from "../prediction.ts";

type Stage = NonNullable<JobModel["stages"]>[number];
/** Row id → target name → prediction. */
type Answers = Map<string, Map<string, Prediction>>;

/** Rows below which a scale of two parameters says nothing: the stage's own score is taken as it is. */
const FEWEST = 20;

export function cascadeEngine(engineOf: (stage: Stage) => Engine): Engine {
  return { predict: (run) => predict(run, engineOf) };
}

async function predict(run: PredictRun, engineOf: (stage: Stage) => Engine): Promise<void> {
  const { stages = [] } = run.model;
  const spec = run.model.spec as z.output<typeof CascadeModel>;
  const { accept } = run.job.confidence;
  const take = spec.take ?? accept.threshold ?? 1 - (accept.risk ?? 0.05);
  if (run.outOfFold) {
    throw new EngineError(
      "A cascade has no out-of-fold predictions: without validation rows nothing can be calibrated or certified.",
      "Give `split.validation` a share.",
    );
  }
  const targets = run.job.task.targets.map(({ name }) => name);
  const asked = new Set(run.splits);
  let left = run.rows.filter(({ split }) => asked.has(split));
  if (spec.agree) return agree(run, stages, left, engineOf);
  const total = left.length;
  for (const [s, stage] of stages.entries()) {
    if (left.length === 0) break;
    const last = s === stages.length - 1;
    const answers = await answersOf(run, stage, left, engineOf);
    const scale = scaleOf(left, answers, targets);
    if (scale === null && !last) {
      run.emit({
        type: "log",
        level: "warning",
        message: `${stage.name} has predicted fewer than ${FEWEST} labelled tune rows, or all of them right or all wrong: its own score decides which rows it takes.`,
      });
    }
    const next: JobRow[] = [];
    for (const row of left) {
      const of = answers.get(row.row);
      const confidence = of ? confidenceOf(of, targets, scale) : 0;
      if (!last && confidence < take) {
        next.push(row);
        continue;
      }
      for (const target of targets) {
        if (run.done(row.row, target)) continue;
        run.predicted(
          ownPrediction(of?.get(target), {
            row,
            target,
            model: run.model.name,
            stage: stage.name,
            scale,
            root: targets.length,
          }),
        );
      }
    }
    const taken = left.length - next.length;
    run.emit({
      type: "log",
      level: "info",
      message: `${stage.name} decides ${taken.toLocaleString("en-US")} of the ${left.length.toLocaleString("en-US")} rows it sees${last ? "" : ` (confidence at least ${take})`}; ${total.toLocaleString("en-US")} in all.`,
    });
    left = next;
  }
}

/** The last stage's predictions as they are, with what the others would have said held against them. */
async function agree(
  run: PredictRun,
  stages: readonly Stage[],
  rows: readonly JobRow[],
  engineOf: (stage: Stage) => Engine,
): Promise<void> {
  const targets = run.job.task.targets.map(({ name }) => name);
  const answers: Answers[] = [];
  for (const stage of stages) answers.push(await answersOf(run, stage, rows, engineOf));
  let disagreed = 0;
  for (const row of rows) {
    let apart = false;
    for (const target of targets) {
      const said = answers.map((of) => of.get(row.row)?.get(target));
      const own = said.at(-1) ?? { ...UNANSWERED, row: row.row, target, split: row.split };
      const disagrees = said.some((other) => other?.label !== own.label);
      apart ||= disagrees;
      if (run.done(row.row, target)) continue;
      run.predicted({
        ...own,
        model: run.model.name,
        ...spentBy(said),
        ...(disagrees && own.label !== null ? { disagrees } : {}),
      });
    }
    if (apart) disagreed++;
  }
  const [count, of] = [disagreed, rows.length].map((n) => n.toLocaleString("en-US"));
  run.emit({ type: "log", level: "info", message: `Stages disagree on ${count} of ${of} rows.` });
}

/** Tokens, seconds and dollars of all stages together, as far as any has some. */
function spentBy(said: readonly (Prediction | undefined)[]): Pick<Prediction, "tokens" | "seconds" | "dollars"> {
  const sum = (values: (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
  };
  const [prompt, completion, cached] = (["prompt", "completion", "cached"] as const).map((kind) =>
    sum(said.map((prediction) => prediction?.tokens?.[kind])),
  );
  const seconds = sum(said.map((prediction) => prediction?.seconds));
  const dollars = sum(said.map((prediction) => prediction?.dollars));
  return {
    ...(prompt === undefined || completion === undefined
      ? {}
      : { tokens: { prompt, completion, ...(cached === undefined ? {} : { cached }) } }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(dollars === undefined ? {} : { dollars }),
  };
}

const UNANSWERED: Pick<Prediction, "label" | "score" | "top" | "rest" | "problem"> = {
  label: null,
  score: 0,
  top: [],
  rest: 0,
  problem: "failed",
};

/** What a stage says of the rows it sees. It keeps what it pays for by itself, so nothing is kept of it here. */
async function answersOf(
  run: PredictRun,
  stage: Stage,
  rows: readonly JobRow[],
  engineOf: (stage: Stage) => Engine,
): Promise<Answers> {
  const answers: Answers = new Map();
  const put = (prediction: Prediction): void => {
    const of = answers.get(prediction.row) ?? new Map<string, Prediction>();
    answers.set(prediction.row, of.set(prediction.target, prediction));
  };
  const at = (path: string): string => join(run.folder ?? "", path);
  if (stage.predictions) {
    const wanted = new Set(rows.map(({ row }) => row));
    const lines = createInterface({ input: createReadStream(at(stage.predictions.path), "utf8") });
    for await (const line of lines) {
      if (line === "") continue;
      const prediction = Prediction.parse(JSON.parse(line));
      if (wanted.has(prediction.row) && prediction.fold === undefined) put(prediction);
    }
    const missing = rows.filter(({ row }) => !answers.has(row)).length;
    if (missing > 0) {
      throw new EngineError(
        `${missing.toLocaleString("en-US")} rows that stage "${stage.name}" is to decide have no prediction in job ${stage.predictions.job}.`,
        `Evaluate "${stage.name}" again, then the cascade.`,
      );
    }
    return answers;
  }
  const seen = new Set(rows);
  await engineOf(stage).predict({
    ...run,
    model: stage,
    // Train rows stay: examples of prompts come from there.
    rows: run.rows.filter((row) => seen.has(row) || row.split === "train"),
    ...(stage.artifact ? { artifact: at(stage.artifact.path) } : {}),
    ...(stage.source ? { source: at(stage.source.path) } : {}),
    splits: run.splits,
    outOfFold: false,
    done: () => false,
    predicted: put,
    emit: (event) => run.emit(event.type === "progress" ? { ...event, step: `${stage.name}: ${event.step}` } : event),
  });
  return answers;
}

/** Log odds, kept away from the ends: a score of exactly 1 (all votes alike) is no certainty. */
function logOdds(score: number): number {
  const p = Math.min(1 - 1e-4, Math.max(1e-4, score));
  return Math.log(p / (1 - p));
}

/** Product over the targets; null when any has no label. */
function rowScore(of: ReadonlyMap<string, Prediction>, targets: readonly string[]): number | null {
  let score = 1;
  for (const target of targets) {
    const prediction = of.get(target);
    if (prediction?.label == null) return null;
    score *= prediction.score;
  }
  return score;
}

/**
 * The stage's scale from the tune rows it saw: its row score against all of the row's labels being right. Null for too few rows, and where
 * all of them are right or all wrong: every row would then have the same confidence, whatever its score.
 */
function scaleOf(rows: readonly JobRow[], answers: Answers, targets: readonly string[]): PlattParameters | null {
  const scores: number[] = [];
  const right: number[] = [];
  for (const row of rows) {
    if (row.split !== "tune" || targets.some((target) => row.labels[target] == null)) continue;
    const of = answers.get(row.row);
    const score = of ? rowScore(of, targets) : null;
    if (!of || score === null) continue;
    scores.push(logOdds(score));
    right.push(targets.every((target) => of.get(target)!.label === row.labels[target]) ? 1 : 0);
  }
  if (scores.length < FEWEST || new Set(right).size < 2) return null;
  const scale = fitPlatt(scores, right);
  // A scale that falls with the score would turn the stage upside down: the score then says nothing.
  return scale.a < 0 ? scale : { a: -1e-6, b: scale.b };
}

function confidenceOf(
  of: ReadonlyMap<string, Prediction>,
  targets: readonly string[],
  scale: PlattParameters | null,
): number {
  const score = rowScore(of, targets);
  if (score === null) return 0;
  return scale ? applyPlatt(scale, logOdds(score)) : score;
}

interface Own {
  row: JobRow;
  target: string;
  model: string;
  stage: string;
  scale: PlattParameters | null;
  /** Number of targets: a target's share of the row's confidence. */
  root: number;
}

/** The stage's prediction as the cascade's: the same label first, its score on the common scale. */
function ownPrediction(
  prediction: Prediction | undefined,
  { row, target, model, stage, scale, root }: Own,
): Prediction {
  const head = { row: row.row, target, model, split: row.split, stage };
  if (!prediction) return { ...head, ...UNANSWERED };
  const { all: _, signals: __, ...kept } = prediction;
  if (prediction.label === null || !scale) return { ...kept, ...head };
  // A target's score to the power of the targets' number stands for a row of such targets; its root for the target.
  const to = applyPlatt(scale, logOdds(prediction.score ** root)) ** (1 / root);
  const labels = prediction.top.map(([label]) => label);
  const probabilities = prediction.top.map(([, p]) => p);
  const { rest, uncovered = 0 } = prediction;
  const own = rescaled({ labels, probabilities, rest, uncovered }, to);
  const top = own.labels.map((label, i): [string, number] => [label, rounded(own.probabilities[i]!)]);
  return {
    ...kept,
    ...head,
    score: top[0]![1],
    top,
    rest: rounded(own.rest),
    ...(prediction.uncovered === undefined ? {} : { uncovered: rounded(own.uncovered) }),
  };
}
