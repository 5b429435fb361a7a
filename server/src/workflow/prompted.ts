/** What a model behind an endpoint takes along into a job: the endpoint, its template, its examples, and who it is. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type * as z from "zod";
import type { JobEndpoint, JobShot, JobTarget } from "../../../schemas/job.ts";
import type { ChatModel, Model } from "../../../schemas/project.ts";
import { JobRow } from "../../../schemas/rows.ts";
import { priceOf } from "../engines/chat/price.ts";
import { planPrompt } from "../engines/chat/prompt.ts";
import { chooseShots } from "../engines/chat/shots.ts";
import { wholeLines } from "../jobs/lines.ts";
import { confine } from "../project/paths.ts";
import type { Project } from "../project/project.ts";
import { canonicalJson } from "../project/training-spec.ts";
import { newestEvaluation } from "./artifacts.ts";
import { addPrediction, type PredictionsByTarget, readPredictions } from "./predictions.ts";
import { type Session, WorkflowError } from "./session.ts";

type Prompted = Extract<Model, { engine: "chat" | "openai" }>;

/** What a chat model's settings say of what it costs and how it is sent, not of what it answers. */
const NOT_ANSWERS = new Set(["budget", "timeout", "batch", "host"]);
const OPENAI = "https://api.openai.com/v1";

/** The endpoint of a model with what the project file leaves open. */
export function jobEndpoint(project: Project, spec: Prompted): JobEndpoint {
  const of = project.spec.endpoints[spec.endpoint];
  if (!of) throw new WorkflowError(`There is no endpoint "${spec.endpoint}" in ${project.name}.`);
  const base_url = (of.base_url ?? OPENAI).replace(/\/+$/, "");
  const key =
    of.key ??
    (of.base_url === undefined || new URL(base_url).origin === new URL(OPENAI).origin ? "OPENAI_API_KEY" : undefined);
  const known = priceOf({ base_url, price: of.price }, spec.engine === "chat" ? spec.model : null);
  return {
    name: spec.endpoint,
    base_url,
    ...(key === undefined ? {} : { key }),
    ...(of.logprobs === undefined ? {} : { logprobs: of.logprobs }),
    ...(of.structured === undefined ? {} : { structured: of.structured }),
    concurrency: of.concurrency,
    ...(known ? { price: known.price, price_from: known.from } : {}),
  };
}

/** The text of the model's own template. @throws WorkflowError when it cannot be read or asks for what there is none of */
export async function templateOf(
  project: Project,
  name: string,
  spec: z.output<typeof ChatModel>,
): Promise<string | undefined> {
  const { template } = spec.prompt;
  if (template === undefined) return undefined;
  const confined = await confine(project.folder, template);
  if ("refused" in confined) throw new WorkflowError(`Model "${name}": ${confined.refused}`);
  try {
    return await readFile(confined.path, "utf8");
  } catch (error) {
    throw new WorkflowError(
      `The template of model "${name}" in ${template} cannot be read: ${(error as Error).message}`,
    );
  }
}

/** The rows of a job folder that is being made. */
export async function readRows(folder: string): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for await (const { text } of wholeLines(join(folder, "data", "rows.jsonl")))
    rows.push(JobRow.parse(JSON.parse(text)));
  return rows;
}

/**
 * The examples of a few-shot model.
 * @throws WorkflowError when targeted ones have no zero-shot run to go by
 */
export async function shotsOf(
  session: Session,
  name: string,
  spec: z.output<typeof ChatModel>,
  rows: readonly JobRow[],
  targets: readonly JobTarget[],
): Promise<JobShot[] | undefined> {
  const { shots, style } = spec.prompt;
  if (!shots || style === "zero-shot" || shots.strategy === "similar") return undefined;
  const after = shots.strategy === "targeted" ? await zeroShotOf(session, name, shots.after) : undefined;
  const chosen = chooseShots(shots, rows, targets, session.project.spec.dataset.split.seed, after);
  if (chosen.length === 0 && shots.strategy === "targeted") {
    throw new WorkflowError(
      `"${shots.after}" got every tune row right that it was asked, so there is nothing to aim examples of "${name}" at. Use strategy: per-label, or keep "${shots.after}".`,
    );
  }
  return chosen;
}

/** Predictions of tune rows by the zero-shot model. */
async function zeroShotOf(session: Session, name: string, after: string | undefined): Promise<PredictionsByTarget> {
  const evaluation = after === undefined ? null : await newestEvaluation(session, after);
  if (!evaluation) {
    throw new WorkflowError(
      `The examples of "${name}" go to the labels that "${after}" gets wrong on tune rows, and it has not been evaluated. Evaluate "${after}" first.`,
    );
  }
  const found: PredictionsByTarget = new Map();
  for await (const prediction of readPredictions(session, evaluation.job.id, { model: after!, splits: ["tune"] })) {
    if (prediction.fold === undefined) addPrediction(found, prediction);
  }
  if (found.size === 0) {
    throw new WorkflowError(
      `The evaluation of "${after}" holds no prediction of tune rows. Give \`split.tune\` a share, then evaluate it again.`,
    );
  }
  return found;
}

/** SHA-256 of what decides the model's answers, apart from the row. */
export function identityOf(
  project: Project,
  spec: Prompted,
  of: { endpoint: JobEndpoint; template?: string | undefined; shots?: readonly JobShot[] | undefined },
): string {
  const settings = Object.fromEntries(Object.entries(spec).filter(([key]) => !NOT_ANSWERS.has(key)));
  const { endpoint, template, shots } = of;
  return createHash("sha256")
    .update(
      canonicalJson({
        settings,
        address: endpoint.base_url,
        structured: endpoint.structured,
        logprobs: endpoint.logprobs,
        template,
        shots: shots?.map(({ row }) => row),
        instructions: project.spec.task.instructions,
        inputs: project.inputs,
        targets: project.targets.map(({ name, labels }) => ({ name, labels })),
      }),
    )
    .digest("hex");
}

/** Fills the template once, so that what is wrong with it is said before anything is paid. @throws EngineError */
export function tryTemplate(
  task: Parameters<typeof planPrompt>[0],
  spec: z.output<typeof ChatModel>,
  template: string | undefined,
): void {
  if (template === undefined) return;
  planPrompt(task, spec.prompt, false, template).messages({}, []);
}
