/** `clf fine-tune`, `clf evaluate`, `clf compare`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EvaluateDocument } from "../../../schemas/cli.ts";
import type { ModelReport, Report } from "../../../schemas/report.ts";
import { closest, didYouMean } from "../project/suggest.ts";
import { isFineTuned, newestEvaluation } from "../workflow/artifacts.ts";
import type { JobRequest } from "../workflow/prepare.ts";
import { reportToShow } from "../workflow/report.ts";
import { type Session, WorkflowError } from "../workflow/session.ts";
import { dryRun } from "./dry-run.ts";
import { CliError, EXIT, print, printJson, say } from "./io.ts";
import { fineTuneMissing, runJob } from "./jobs.ts";
import { printReport, printThresholds } from "./print-report.ts";
import { projectPath, soundData, withProject } from "./project.ts";

/** What commands that start jobs have in common. */
export interface JobOptions {
  json?: boolean;
  model?: string[];
  host?: string;
  threads?: number;
}

/** @throws CliError when the project has no such model */
export function knownModel(session: Session, name: string): string {
  const names = Object.keys(session.project.spec.models);
  if (names.includes(name)) return name;
  throw new CliError(
    `There is no model "${name}" in ${session.project.name}.${didYouMean(closest(name, names))} Models: ${names.join(", ")}.`,
    EXIT.usage,
  );
}

/** @throws CliError when the project has no such job */
export async function knownJob(session: Session, id: string): Promise<string> {
  if ((await session.jobs.store.ids()).includes(id)) return id;
  throw new CliError(`There is no job ${id}. The jobs: clf jobs ${projectPath(session)}`, EXIT.usage);
}

/** The models named, or all that satisfy `wanted`. */
function chosen(session: Session, names: string[] | undefined, wanted: (name: string) => boolean): string[] {
  if (names && names.length > 0) {
    for (const name of names) knownModel(session, name);
    return [...new Set(names)];
  }
  return Object.keys(session.project.spec.models).filter(wanted);
}

const isLinear = (session: Session) => (name: string) => session.project.spec.models[name]?.engine === "linear";

/** Models that predict here without being asked for by name: those that take no GPU and no money, and are there. */
const predictsHere = (session: Session) => (name: string) => {
  const model = session.project.spec.models[name]!;
  if (model.engine !== "predictions") return model.engine === "linear";
  // Another system may predict later: the rest of the project works without.
  if (existsSync(join(session.project.folder, model.source))) return true;
  say(`${name} is left out: there is no file ${model.source} yet.`);
  return false;
};

export async function fineTune(path: string, options: JobOptions): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const models = chosen(session, options.model, isLinear(session));
    if (models.length === 0) throw new CliError("No model can be fine-tuned here. Name one: --model NAME", EXIT.usage);
    const data = await soundData(session, locate);
    const jobs: { model: string; job: string; seconds: number }[] = [];
    for (const model of models) {
      if (!isFineTuned(session, model))
        throw new CliError(`Model "${model}" has nothing to fine-tune. Evaluate it as it is.`, EXIT.usage);
      const started = performance.now();
      const job = await runJob(session, data, { kind: "fine-tune", models: [model], ...common(options) });
      jobs.push({ model, job: job.id, seconds: (performance.now() - started) / 1000 });
      if (!options.json) print(`${model}: fine-tuned in ${jobs.at(-1)!.seconds.toFixed(1)} s (${job.id})`);
    }
    if (options.json) printJson({ project: session.project.name, jobs });
    return EXIT.fine;
  });
}

function common(options: JobOptions): Partial<JobRequest> {
  return {
    ...(options.host ? { host: options.host } : {}),
    ...(options.threads ? { threads: options.threads } : {}),
  };
}

export async function evaluate(
  path: string,
  options: JobOptions & { pool?: boolean; learningCurve?: boolean; job?: string; dryRun?: boolean },
): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const models = chosen(session, options.model, predictsHere(session));
    if (models.length === 0) throw new CliError("No model can be evaluated here. Name one: --model NAME", EXIT.usage);
    if (options.job !== undefined) await knownJob(session, options.job);
    const data = await soundData(session, locate);
    if (options.dryRun) return dryRun(session, data, models, options.pool !== false, options.json === true);
    if (options.job === undefined) await fineTuneMissing(session, data, models);
    const reports: [string, Report][] = [];
    for (const model of models) {
      const job = await runJob(session, data, {
        kind: "evaluate",
        models: [model],
        ...(options.learningCurve ? { learningCurve: true } : {}),
        splits: options.pool === false ? [] : ["pool"],
        ...(options.job ? { artifact: options.job } : {}),
        ...common(options),
      });
      reports.push([model, await reportToShow(session, job.id)]);
    }
    if (options.json) printJson(evaluationDocument(session, reports));
    else {
      for (const [i, [, report]] of reports.entries()) {
        if (i > 0) print();
        printReport(report);
      }
    }
    return EXIT.fine;
  });
}

export async function compare(path: string, options: JobOptions): Promise<number> {
  return withProject(path, async (session, { locate }) => {
    const models = chosen(session, options.model, predictsHere(session));
    if (models.length < 2) throw new CliError("A comparison needs two models or more: --model A --model B", EXIT.usage);
    const data = await soundData(session, locate);
    await fineTuneMissing(session, data, models);
    const job = await runJob(session, data, { kind: "compare", models, splits: ["pool"], ...common(options) });
    const report = await reportToShow(session, job.id);
    if (options.json) printJson(report);
    else {
      printReport(report);
      printThresholds(report);
    }
    return EXIT.fine;
  });
}

/** `clf report`: the newest report of a model, or of a job. */
export async function chosenReport(session: Session, options: { model?: string; job?: string }): Promise<Report> {
  if (options.job !== undefined) return reportToShow(session, await knownJob(session, options.job));
  const model = knownModel(session, options.model ?? session.project.reviewModel);
  const evaluation = await newestEvaluation(session, model);
  if (!evaluation)
    throw new WorkflowError(
      `Model "${model}" has not been evaluated yet. Run: clf evaluate ${projectPath(session)} --model ${model}`,
    );
  return reportToShow(session, evaluation.job.id);
}

/** The document of `clf evaluate --json` (DESIGN §7; schemas/cli.ts). */
function evaluationDocument(session: Session, reports: readonly [string, Report][]): EvaluateDocument {
  return {
    project: session.project.name,
    models: Object.fromEntries(
      reports.map(([name, report]) => {
        const model = report.models[name]!;
        return [
          name,
          {
            job: report.job,
            targets: Object.fromEntries(
              Object.entries(model.targets).flatMap(([column, { report: figures }]) =>
                figures ? [[column, targetDocument(figures, model, column)]] : [],
              ),
            ),
            joint_accuracy: model.joint?.jointAccuracy?.value ?? null,
            seconds: model.seconds,
            cost: model.cost,
          },
        ];
      }),
    ),
  };
}

function targetDocument(
  figures: NonNullable<ModelReport["targets"][string]["report"]>,
  model: ModelReport,
  target: string,
): EvaluateDocument["models"][string]["targets"][string] {
  const { averages, logLoss, brier, calibration, auroc, aurc } = figures;
  const decision = model.accept.find(({ targets }) => targets.includes(target));
  const rule = decision?.rule ?? null;
  const general = rule && "parts" in rule ? rule.parts[0]! : null;
  return {
    n: figures.n,
    accuracy: averages.accuracy.value,
    accuracy_interval: [averages.accuracy.low, averages.accuracy.high],
    macro_f1: averages.macroF1.value,
    log_loss: logLoss?.value ?? null,
    brier: brier?.value ?? null,
    ece: calibration.ece,
    ece_band: calibration.band?.mean ?? null,
    auroc: auroc?.value ?? null,
    aurc: aurc.value,
    accept: {
      threshold: general ? general.threshold : rule && "threshold" in rule ? rule.threshold : null,
      coverage: decision?.measured?.coverage?.value ?? null,
      risk_bound: general?.bound ?? (rule && "bound" in rule ? rule.bound : null),
      certified: rule?.certified ?? false,
    },
  };
}
